//! Fields that every artifact of a run is created with, whatever its manifest says: a commit id,
//! the name of a pipeline. They are part of no digest and of no comparison, so a new value in each
//! run does not change existing artifacts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Artifact, Difference, Metadata, Tag};
use crate::model::{
    METADATA_FIELDS, METADATA_VALUE, PROPERTIES_MAX, PROPERTY_KEY, PROPERTY_VALUE, TAG_KEY,
    TAG_VALUE, TAGS_MAX, TextLimit, Violation, is_reserved_tag,
};
use crate::text::either;

/// The fields of `--set`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Stamp {
    /// Of `MetadataProperties`.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata_properties: Metadata,
    /// Of `Properties`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, String>,
    /// Of `Tags`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

/// The reason why a field cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadStamp(String);

impl Stamp {
    /// Sets one more field, written as `Properties.Team=lake`. A later value wins.
    ///
    /// # Errors
    /// If there is no such field, or the service does not take its value.
    pub fn set(&mut self, text: &str) -> Result<(), BadStamp> {
        let bad = |reason: String| BadStamp(reason);
        let example = "write it as FIELD=VALUE, such as `Properties.Team=lake`";
        let (field, value) = text.split_once('=').ok_or_else(|| bad(example.to_owned()))?;
        let kinds = ["MetadataProperties.*", "Properties.*", "Tags.*"];
        let unknown = || bad(format!("only {} can be set", either(kinds)));
        let (kind, key) = field.split_once('.').ok_or_else(unknown)?;
        let value = value.to_owned();
        match kind {
            "MetadataProperties" => {
                let known = METADATA_FIELDS.contains(&key);
                if !known {
                    let fields = either(METADATA_FIELDS);
                    return Err(bad(format!(
                        "unknown field `{key}` in `{kind}`; expected {fields}"
                    )));
                }
                keeps(METADATA_VALUE, field, &value)?;
                let metadata = &mut self.metadata_properties;
                let slot = match key {
                    "CommitId" => &mut metadata.commit_id,
                    "GeneratedBy" => &mut metadata.generated_by,
                    "ProjectId" => &mut metadata.project_id,
                    _ => &mut metadata.repository,
                };
                *slot = Some(value);
            }
            "Properties" => {
                keeps(PROPERTY_KEY, "the key of a property", key)?;
                keeps(PROPERTY_VALUE, field, &value)?;
                self.properties.insert(key.to_owned(), value);
            }
            "Tags" => {
                keeps(TAG_KEY, "the key of a tag", key)?;
                keeps(TAG_VALUE, field, &value)?;
                if is_reserved_tag(key) {
                    return Err(bad("tags that begin with `aws:` are reserved for AWS".to_owned()));
                }
                self.tags.insert(key.to_owned(), value);
            }
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// Returns whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `artifact` as it is created.
    #[must_use]
    pub fn on(&self, artifact: &Artifact) -> Artifact {
        let mut stamped = artifact.clone();
        let (ours, theirs) = (&self.metadata_properties, &mut stamped.metadata_properties);
        let set = |ours: &Option<String>, theirs: &mut Option<String>| {
            if ours.is_some() {
                theirs.clone_from(ours);
            }
        };
        set(&ours.commit_id, &mut theirs.commit_id);
        set(&ours.generated_by, &mut theirs.generated_by);
        set(&ours.project_id, &mut theirs.project_id);
        set(&ours.repository, &mut theirs.repository);
        let properties = self.properties.iter().map(|(key, value)| (key.clone(), value.clone()));
        stamped.properties.extend(properties);
        stamped.tags.retain(|tag| !self.tags.contains_key(&tag.key));
        let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
        stamped.tags.extend(self.tags.iter().map(tag));
        stamped
    }

    /// Returns the limit that `artifact` exceeds with the fields set, if it does.
    #[must_use]
    pub fn too_much_for(&self, artifact: &Artifact) -> Option<String> {
        let new = |keys: usize, there: usize, most: usize, what: &str| {
            let total = keys + there;
            (keys > 0 && total > most)
                .then(|| format!("{total} {what}; an artifact can have at most {most}"))
        };
        let properties = |key: &&String| !artifact.properties.contains_key(*key);
        let properties = self.properties.keys().filter(properties).count();
        let tags = |key: &&String| !artifact.tags.iter().any(|tag| tag.key == **key);
        let tags = self.tags.keys().filter(tags).count();
        new(properties, artifact.properties.len(), PROPERTIES_MAX, "properties")
            .or_else(|| new(tags, artifact.tags.len(), TAGS_MAX, "tags"))
    }

    /// Returns whether a property of this key is set.
    #[must_use]
    pub fn sets_property(&self, key: &str) -> bool {
        self.properties.contains_key(key)
    }

    /// Returns whether a difference is none, since the field is set.
    #[must_use]
    pub fn covers(&self, difference: &Difference) -> bool {
        let Some((kind, key)) = difference.field.split_once('.') else { return false };
        match kind {
            "MetadataProperties" => match key {
                "CommitId" => self.metadata_properties.commit_id.is_some(),
                "GeneratedBy" => self.metadata_properties.generated_by.is_some(),
                "ProjectId" => self.metadata_properties.project_id.is_some(),
                _ => self.metadata_properties.repository.is_some(),
            },
            "Properties" => self.properties.contains_key(key),
            "Tags" => self.tags.contains_key(key),
            _ => false,
        }
    }
}

fn keeps(limit: TextLimit, what: &str, text: &str) -> Result<(), BadStamp> {
    let what = if what.contains(' ') { what.to_owned() } else { format!("`{what}`") };
    match limit.violations(text).first() {
        None => Ok(()),
        Some(Violation::TooShort { .. }) => Err(BadStamp(format!("{what} is empty"))),
        Some(Violation::TooLong { length, .. }) => {
            let most = limit.max;
            Err(BadStamp(format!("{what} has {length} characters; the limit is {most}")))
        }
        Some(Violation::Pattern { offending }) => {
            let offending: String = text[offending.clone()].escape_debug().collect();
            Err(BadStamp(format!("{what} cannot contain `{offending}`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::artifact;

    fn stamp(fields: &[&str]) -> Stamp {
        let mut stamp = Stamp::default();
        fields.iter().for_each(|field| stamp.set(field).unwrap());
        stamp
    }

    #[test]
    fn a_stamp_is_over_what_the_manifest_says_and_no_difference() {
        let mut one = artifact();
        one.properties.insert("Team".into(), "sea".into());
        one.tags.push(Tag { key: "k".into(), value: "v".into() });
        let stamp = stamp(&["MetadataProperties.CommitId=c=1", "Properties.Team=lake", "Tags.k=w"]);
        let stamped = stamp.on(&one);
        assert_eq!(stamped.metadata_properties.commit_id.as_deref(), Some("c=1"));
        assert_eq!(stamped.properties["Team"], "lake");
        assert_eq!(stamped.tags, [Tag { key: "k".into(), value: "w".into() }]);
        let differences = one.differences(&stamped);
        assert_eq!(differences.len(), 3);
        assert!(differences.iter().all(|difference| stamp.covers(difference)));
    }

    #[test]
    fn what_the_service_would_not_take_is_refused() {
        let refused = |field: &str| Stamp::default().set(field).unwrap_err().to_string();
        assert_eq!(
            refused("MetadataProperties.CommitID=1"),
            "unknown field `CommitID` in `MetadataProperties`; expected `CommitId`, `GeneratedBy`, \
             `ProjectId` or `Repository`"
        );
        assert_eq!(
            refused("ArtifactType=x"),
            "only `MetadataProperties.*`, `Properties.*` or `Tags.*` can be set"
        );
        assert_eq!(refused("Tags.AWS:x=1"), "tags that begin with `aws:` are reserved for AWS");
        assert_eq!(refused("Tags.k=a\nb"), "`Tags.k` cannot contain `\\n`");
        assert_eq!(refused("Tags.=a"), "the key of a tag is empty");
        assert!(refused("Properties.a").starts_with("write it as FIELD=VALUE"));
        let long = format!("Tags.k={}", "x".repeat(257));
        assert_eq!(refused(&long), "`Tags.k` has 257 characters; the limit is 256");
    }

    #[test]
    fn what_a_stamp_makes_too_much_is_told() {
        let mut full = artifact();
        full.properties = (0..30).map(|at| (format!("p{at}"), String::new())).collect();
        assert_eq!(stamp(&["Properties.p3=x"]).too_much_for(&full), None);
        assert_eq!(
            stamp(&["Properties.q=x"]).too_much_for(&full).unwrap(),
            "31 properties; an artifact can have at most 30"
        );
    }
}
