//! The changes that turn an existing artifact into what its manifest describes.
//!
//! In: the wanted artifact, and the target's. Out: their differences, and the requests that remove
//! them. It is pure; the engine and `plan` both use it.

use std::collections::BTreeSet;

use crate::artifact::{Artifact, Difference, Stamp, Tag};
use crate::model::{Change as ChangedBy, Path, Sense};
use crate::service::Update;

/// The policy for artifacts that already exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnExists {
    /// They are skipped, and reported if they differ.
    #[default]
    Skip,
    /// They are updated to match the manifest.
    Update {
        /// True if properties and tags that the manifest does not have are removed.
        prune: bool,
    },
    /// Each is a failure.
    Fail,
}

/// The existing artifacts that are read completely, to be compared in every
/// field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// All of them.
    Always,
    /// Those that the journal does not know to be equal and unchanged since.
    #[default]
    Unknown,
    /// None: name and type are compared, as a listing shows them.
    Never,
}

/// The changes to an artifact, and the differences that cannot be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The update of name and properties.
    pub update: Option<Update>,
    /// Tags to add.
    pub add_tags: Vec<Tag>,
    /// Keys of tags to remove.
    pub remove_tags: Vec<String>,
    /// The differences that it removes.
    pub ends: Vec<Difference>,
    /// The differences that no request can change.
    pub stay: Vec<Difference>,
}

impl Change {
    /// Returns the number of requests that it takes.
    #[must_use]
    pub fn requests(&self) -> usize {
        usize::from(self.update.is_some())
            + usize::from(!self.add_tags.is_empty())
            + usize::from(!self.remove_tags.is_empty())
    }
}

/// Returns how `there` differs from what is `wanted`, except in the fields that `stamp` sets.
#[must_use]
pub fn differences(wanted: &Artifact, there: &Artifact, stamp: &Stamp) -> Vec<Difference> {
    let mut differences = wanted.differences(there);
    differences.retain(|difference| !stamp.covers(difference));
    differences
}

/// Returns the changes that turn `there` into `wanted`, as far as possible. Without `prune`, values
/// that the manifest does not have stay, and are not differences.
#[must_use]
pub fn change(wanted: &Artifact, there: &Artifact, prune: bool, stamp: &Stamp) -> Change {
    let mut change = Change::default();
    let mut update = Update::default();
    let mut touched = false;
    let mut put_tags = BTreeSet::new();
    for difference in differences(wanted, there, stamp) {
        let extra = difference.here.is_none();
        if extra && !prune {
            continue;
        }
        let Path { field, key, .. } = &difference.field;
        match (field.change, key) {
            (ChangedBy::Update, None) if !extra => {
                let text = wanted.text(field).map(str::to_owned);
                if field.sense == Sense::Name {
                    update.name = text;
                } else {
                    update.texts.extend(text.map(|text| (field.name, text)));
                }
            }
            (ChangedBy::Update, Some(key)) if extra => update.remove.push(key.clone()),
            (ChangedBy::Update, Some(_)) => touched = true,
            (ChangedBy::Tagging, Some(key)) if extra => change.remove_tags.push(key.clone()),
            (ChangedBy::Tagging, Some(key)) => drop(put_tags.insert(key.clone())),
            _ => {
                change.stay.push(difference);
                continue;
            }
        }
        change.ends.push(difference);
    }
    if touched {
        let removed = |key: &String| update.remove.contains(key);
        let stay = there.properties.iter().filter(|(key, _)| !removed(key));
        update.properties = stay.map(|(key, value)| (key.clone(), value.clone())).collect();
        // Values that a stamp sets stay as they are: they are no difference.
        let stamped = |key: &String| stamp.sets_property(key);
        let ours = wanted.properties.iter().filter(|(key, _)| !stamped(key));
        update.properties.extend(ours.map(|(key, value)| (key.clone(), value.clone())));
    }
    if update != Update::default() {
        change.update = Some(update);
    }
    let put = wanted.tags.iter().filter(|tag| put_tags.contains(&tag.key));
    change.add_tags = put.cloned().collect();
    change
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::artifact::{Source, Texts};

    fn artifact(properties: &[(&str, &str)], tags: &[(&str, &str)]) -> Artifact {
        let owned = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let tag = |(key, value)| Tag { key, value };
        Artifact {
            name: Some("a".into()),
            artifact_type: "DataSet".into(),
            source: Source { uri: "s3://b".into(), types: vec![] },
            properties: owned(properties),
            texts: Texts::default(),
            tags: owned(tags).into_iter().map(tag).collect(),
        }
    }

    #[test]
    fn additive_means_that_nothing_is_removed() {
        let wanted = artifact(&[("rows", "2"), ("new", "x")], &[("team", "a")]);
        let there = artifact(&[("rows", "1"), ("theirs", "y")], &[("team", "b"), ("cost", "c")]);
        let change = change(&wanted, &there, false, &Stamp::default());
        let update = change.update.clone().unwrap();
        // Whether the service merges or overwrites, nothing is lost.
        assert_eq!(
            update.properties,
            artifact(&[("rows", "2"), ("new", "x"), ("theirs", "y")], &[]).properties
        );
        assert_eq!((update.name, update.remove), (None, Vec::<String>::new()));
        assert_eq!(change.add_tags, [Tag { key: "team".into(), value: "a".into() }]);
        assert_eq!(change.remove_tags, Vec::<String>::new());
        assert_eq!((change.stay.len(), change.requests()), (0, 2));
    }

    #[test]
    fn pruning_removes_what_the_manifest_does_not_say() {
        let wanted = artifact(&[("rows", "1")], &[]);
        let tags = [("cost", "c"), ("aws:createdBy", "them"), ("stamped", "s")];
        let there = artifact(&[("rows", "1"), ("theirs", "y")], &tags);
        let mut stamp = Stamp::default();
        stamp.set("Tags.stamped=t").unwrap();
        let change = change(&wanted, &there, true, &stamp);
        let update = change.update.unwrap();
        assert_eq!((update.properties.len(), update.remove), (0, vec!["theirs".to_owned()]));
        assert_eq!(change.remove_tags, ["cost"]);
    }

    #[test]
    fn fields_that_no_request_changes_are_reported() {
        let mut wanted = artifact(&[], &[]);
        wanted.texts.insert("CommitId", "c".into());
        wanted.artifact_type = "Model".into();
        wanted.name = Some("b".into());
        let change = change(&wanted, &artifact(&[], &[]), false, &Stamp::default());
        assert_eq!(change.update.unwrap().name.as_deref(), Some("b"));
        let stay: Vec<_> = change.stay.iter().map(|one| one.field.to_string()).collect();
        assert_eq!(stay, ["ArtifactType", "MetadataProperties.CommitId"]);
        assert_eq!(change.ends.len(), 1);
    }
}
