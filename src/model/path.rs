//! Places in an entity: a field, or an entry of one.

use std::cmp::Ordering;
use std::fmt;

use super::shape::{Field, Kind, Mapping, Sense};

/// The path of a value in an entity, as in `Properties.Rows`.
#[derive(Debug, Clone)]
pub struct Path {
    /// The field of the entity whose mapping holds `field`; `None` where that is the entity's own.
    pub within: Option<&'static Field>,
    /// The field.
    pub field: &'static Field,
    /// The entry, if the field has several: its key, or the two texts of an item without a key.
    pub key: Option<String>,
}

impl Path {
    /// Returns the path that `text` names in `mapping`, as in `Properties.Rows` or
    /// `Source.SourceUri`. Of a field that has no entries, it is the field itself. Returns `None`
    /// where there is no such field.
    #[must_use]
    pub fn parse(mapping: &Mapping, text: &str) -> Option<Self> {
        let (name, rest) = match text.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        let field = mapping.field(name)?;
        match (field.kind, rest) {
            (Kind::Text(_) | Kind::Choice(_), None) => {
                Some(Self { within: None, field, key: None })
            }
            (Kind::Mapping(below), Some(rest)) => {
                Some(Self { within: Some(field), ..Self::parse(below, rest)? })
            }
            (Kind::Map { .. } | Kind::Pairs { .. }, Some(key)) => {
                Some(Self { within: None, field, key: Some(key.to_owned()) })
            }
            _ => None,
        }
    }

    /// Returns the path of the field of `mapping` that has this sense.
    #[must_use]
    pub fn of_sense(mapping: &Mapping, sense: Sense) -> Option<Self> {
        mapping.fields.iter().find_map(|field| match field.kind {
            _ if field.sense == sense => Some(Self { within: None, field, key: None }),
            Kind::Mapping(below) => {
                Some(Self { within: Some(field), ..Self::of_sense(below, sense)? })
            }
            _ => None,
        })
    }

    /// Returns it as a JSON Pointer, as in `/Source/SourceUri`.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.steps()
            .map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")))
            .collect()
    }

    /// Returns its last step: a key, or the name of the field.
    #[must_use]
    pub fn last(&self) -> &str {
        self.key.as_deref().unwrap_or(self.field.name)
    }

    /// Returns the field of the entity that it begins with.
    #[must_use]
    pub fn top(&self) -> &'static Field {
        self.within.unwrap_or(self.field)
    }

    fn steps(&self) -> impl Iterator<Item = &str> {
        let within = self.within.map(|field| field.name);
        within.into_iter().chain([self.field.name]).chain(self.key.as_deref())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            write!(f, "{dot}{step}")?;
        }
        Ok(())
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.steps().eq(other.steps())
    }
}

impl Eq for Path {}

impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By name, step by step.
impl Ord for Path {
    fn cmp(&self, other: &Self) -> Ordering {
        self.steps().cmp(other.steps())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ARTIFACT;

    #[test]
    fn paths_are_read_as_they_are_shown() {
        for text in [
            "ArtifactName",
            "MetadataProperties.CommitId",
            "Properties.a.b",
            "Source.SourceTypes.Custom=1",
            "Source.SourceUri",
            "Tags.team",
        ] {
            assert_eq!(Path::parse(&ARTIFACT, text).unwrap().to_string(), text);
        }
        for text in ["", "Name", "Properties", "ArtifactName.x", "MetadataProperties.CommitID"] {
            assert_eq!(Path::parse(&ARTIFACT, text), None, "{text}");
        }
    }

    #[test]
    fn the_place_of_a_name_and_of_a_uri_is_known() {
        let pointer = |sense| Path::of_sense(&ARTIFACT, sense).map(|path| path.pointer());
        assert_eq!(pointer(Sense::Name).as_deref(), Some("/ArtifactName"));
        assert_eq!(pointer(Sense::Uri).as_deref(), Some("/Source/SourceUri"));
        let path = Path::parse(&ARTIFACT, "Properties.a/b~c").unwrap();
        assert_eq!(path.pointer(), "/Properties/a~1b~0c");
    }

    #[test]
    fn they_are_in_the_order_of_their_names() {
        let path = |text: &str| Path::parse(&ARTIFACT, text).unwrap();
        assert!(path("ArtifactType") < path("MetadataProperties.CommitId"));
        assert!(path("Source.SourceTypes.Custom=1") < path("Source.SourceUri"));
        assert!(path("Properties.b") < path("Tags.a"));
    }
}
