//! The differences between two artifacts of one source, by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Artifact;
use crate::model::is_reserved_tag;

/// A field whose values differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As in `Properties.Rows`.
    pub field: String,
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
        let difference = |field: &String| {
            let (here, there) = (here.get(field).cloned(), there.get(field).cloned());
            (here != there).then(|| Difference { field: field.clone(), here, there })
        };
        fields.into_iter().filter_map(difference).collect()
    }

    /// Returns every field that is set, by its name.
    fn fields(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        let mut set = |field: &str, value: Option<&String>| {
            if let Some(value) = value {
                fields.insert(field.to_owned(), value.clone());
            }
        };
        set("ArtifactName", self.name.as_ref());
        set("ArtifactType", Some(&self.artifact_type));
        set("Source.SourceUri", Some(&self.source.uri));
        let metadata = &self.metadata_properties;
        set("MetadataProperties.CommitId", metadata.commit_id.as_ref());
        set("MetadataProperties.GeneratedBy", metadata.generated_by.as_ref());
        set("MetadataProperties.ProjectId", metadata.project_id.as_ref());
        set("MetadataProperties.Repository", metadata.repository.as_ref());
        for one in &self.source.types {
            // As a set: the same source type may occur several times.
            let field = format!("Source.SourceTypes.{}={}", one.id_type, one.value);
            set(&field, Some(&one.value));
        }
        for (key, value) in &self.properties {
            set(&format!("Properties.{key}"), Some(value));
        }
        for tag in self.tags.iter().filter(|tag| !is_reserved_tag(&tag.key)) {
            set(&format!("Tags.{}", tag.key), Some(&tag.value));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use crate::artifact::tests::artifact;
    use crate::artifact::{Difference, Tag};

    #[test]
    fn differences_are_named_by_field_with_both_values() {
        let one = artifact();
        let mut other = artifact();
        other.source.types.reverse();
        assert_eq!(one.differences(&other), Vec::new());
        other.properties.insert("Rows".into(), "1".into());
        other.metadata_properties.commit_id = Some("c".into());
        other.tags.push(Tag { key: "team".into(), value: "x".into() });
        other.tags.push(Tag { key: "AWS:createdBy".into(), value: "x".into() });
        other.name = None;
        let difference = |field: &str, here: Option<&str>, there: Option<&str>| Difference {
            field: field.to_owned(),
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
