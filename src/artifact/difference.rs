//! The differences between two artifacts of one source, by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Artifact;
use crate::model::{ARTIFACT, Field, Kind, Mapping, Path, Sense, is_reserved_tag};

/// A field whose values differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field.
    pub field: Path,
    /// The manifest's value; `None` if it has none.
    pub here: Option<String>,
    /// The target's value; `None` if it has none.
    pub there: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.field)
    }
}

impl Artifact {
    /// Returns the fields in which `self` differs from `there`. Tags that AWS sets itself are
    /// ignored: no request can set or remove them.
    #[must_use]
    pub fn differences(&self, there: &Self) -> Vec<Difference> {
        let (here, there) = (self.fields(), there.fields());
        let fields: BTreeSet<_> = here.keys().chain(there.keys()).collect();
        let difference = |field: &Path| {
            let value = |all: &BTreeMap<Path, &str>| all.get(field).map(|text| (*text).to_owned());
            let (here, there) = (value(&here), value(&there));
            (here != there).then(|| Difference { field: field.clone(), here, there })
        };
        fields.into_iter().filter_map(difference).collect()
    }

    /// Every value that is set, by its path.
    fn fields(&self) -> BTreeMap<Path, &str> {
        let mut fields = BTreeMap::new();
        self.collect(&ARTIFACT, None, &mut fields);
        fields
    }

    fn collect<'a>(
        &'a self,
        mapping: &'static Mapping,
        within: Option<&'static Field>,
        found: &mut BTreeMap<Path, &'a str>,
    ) {
        for field in mapping.fields {
            match field.kind {
                Kind::Text(_) | Kind::Choice(_) => {
                    let text = self.text(field);
                    found.extend(text.map(|text| (Path { within, field, key: None }, text)));
                }
                Kind::Mapping(below) => self.collect(below, Some(field), found),
                Kind::Map { .. } | Kind::Pairs { .. } => {
                    for (key, value) in self.entries(field) {
                        if field.sense == Sense::Tags && is_reserved_tag(key) {
                            continue;
                        }
                        let key = match field.kind {
                            // A set: one of a kind may be there several times.
                            Kind::Pairs { keyed: false, .. } => format!("{key}={value}"),
                            _ => key.to_owned(),
                        };
                        found.insert(Path { within, field, key: Some(key) }, value);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::artifact::tests::artifact;
    use crate::artifact::{Difference, Tag};
    use crate::model::{ARTIFACT, Path};

    #[test]
    fn differences_are_named_by_field_with_both_values() {
        let one = artifact();
        let mut other = artifact();
        other.source.types.reverse();
        assert_eq!(one.differences(&other), Vec::new());
        other.properties.insert("Rows".into(), "1".into());
        other.texts.insert("CommitId", "c".into());
        other.tags.push(Tag { key: "team".into(), value: "x".into() });
        other.tags.push(Tag { key: "AWS:createdBy".into(), value: "x".into() });
        other.name = None;
        let difference = |field: &str, here: Option<&str>, there: Option<&str>| Difference {
            field: Path::parse(&ARTIFACT, field).unwrap(),
            here: here.map(str::to_owned),
            there: there.map(str::to_owned),
        };
        assert_eq!(
            one.differences(&other),
            [
                difference("ArtifactName", Some("a"), None),
                difference("MetadataProperties.CommitId", None, Some("c")),
                difference("Properties.Rows", None, Some("1")),
                difference("Tags.team", None, Some("x")),
            ]
        );
    }
}
