//! The domain: an artifact of SageMaker ML Lineage, as in a `CreateArtifact` request.
//!
//! In: checked values. Out: requests, identities and digests. It does not know files or HTTP.

mod difference;
mod form;
mod rewrite;
mod stamp;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::{Field, Kind, Sense};

pub use difference::Difference;
pub use rewrite::{Ambiguous, Rewrites, UriRewrite};
pub use stamp::{BadStamp, Stamp};

/// A request of `CreateArtifact`. Only [`crate::check`] makes one from a manifest, and only one that
/// keeps every constraint of the service.
///
/// A field that has a meaning for lineload has a member. One that it only passes on is in `texts`,
/// so that one more field of that kind is a row in the table of [`crate::model`] and nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Artifact {
    /// The name, unique in the account and Region.
    pub name: Option<String>,
    /// The type: `DataSet`, `Model`, `Image`, or any other text.
    pub artifact_type: String,
    /// The source.
    pub source: Source,
    /// Whatever else is to be known of it.
    pub properties: BTreeMap<String, String>,
    /// Tags of the resource.
    pub tags: Vec<Tag>,
    /// All other texts.
    pub texts: Texts,
}

/// Texts of an artifact that lineload only passes on, by the names of their fields.
pub type Texts = BTreeMap<&'static str, String>;

/// The source of an artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The URI.
    pub uri: String,
    /// The ids that distinguish this version from others at the same URI.
    pub types: Vec<SourceType>,
}

/// One id of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SourceType {
    /// One of [`crate::model::SOURCE_ID_TYPES`].
    #[serde(rename = "SourceIdType")]
    pub id_type: String,
    /// The id.
    pub value: String,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "a key and its value")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// The identity of an artifact at a target: its URI and the set of its source types.
///
/// The developer guide says that there is one artifact for one URI; AWS's own libraries create
/// several at one URI that differ in their source types.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    uri: String,
    types: BTreeSet<SourceType>,
}

/// A short, stable stand-in for an [`Identity`] or a name: 128 bits of SHA-256, so that two
/// manifests cannot be made to collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 16]);

/// The SHA-256 of the canonical form of a create request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Artifact {
    /// Returns the text of `field`, if it is set.
    #[must_use]
    pub fn text(&self, field: &Field) -> Option<&str> {
        match field.sense {
            Sense::Name => self.name.as_deref(),
            Sense::Type => Some(&self.artifact_type),
            Sense::Uri => Some(&self.source.uri),
            _ => self.texts.get(field.name).map(String::as_str),
        }
    }

    /// Sets the text of `field`.
    pub fn set(&mut self, field: &'static Field, text: String) {
        match field.sense {
            Sense::Name => self.name = Some(text),
            Sense::Type => self.artifact_type = text,
            Sense::Uri => self.source.uri = text,
            _ => drop(self.texts.insert(field.name, text)),
        }
    }

    /// Returns the entries of `field`: properties and tags with their keys, source types as pairs.
    #[must_use]
    pub fn entries(&self, field: &Field) -> Vec<(&str, &str)> {
        match field.kind {
            Kind::Map { .. } => {
                self.properties.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
            }
            Kind::Pairs { keyed: true, .. } => {
                self.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect()
            }
            Kind::Pairs { keyed: false, .. } => {
                let types = self.source.types.iter();
                types.map(|one| (one.id_type.as_str(), one.value.as_str())).collect()
            }
            Kind::Text(_) | Kind::Choice(_) | Kind::Mapping(_) => Vec::new(),
        }
    }

    /// Adds an entry to `field`. A property of that key is replaced.
    pub fn insert(&mut self, field: &Field, key: String, value: String) {
        match field.kind {
            Kind::Map { .. } => drop(self.properties.insert(key, value)),
            Kind::Pairs { keyed: true, .. } => self.tags.push(Tag { key, value }),
            Kind::Pairs { keyed: false, .. } => {
                self.source.types.push(SourceType { id_type: key, value });
            }
            Kind::Text(_) | Kind::Choice(_) | Kind::Mapping(_) => {}
        }
    }

    /// Returns whether anything of `field` is set.
    #[must_use]
    pub fn has(&self, field: &Field) -> bool {
        match field.kind {
            Kind::Text(_) | Kind::Choice(_) => self.text(field).is_some(),
            Kind::Mapping(below) => below.fields.iter().any(|field| self.has(field)),
            Kind::Map { .. } => !self.properties.is_empty(),
            Kind::Pairs { keyed: true, .. } => !self.tags.is_empty(),
            Kind::Pairs { keyed: false, .. } => !self.source.types.is_empty(),
        }
    }

    /// Returns its identity at a target.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::new(&self.source.uri, &self.source.types)
    }

    /// Returns the digest of the request. The order of properties, tags and source types does not change
    /// it, nor whether an empty map was written out.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut text = Vec::with_capacity(1024);
        // Writing texts into memory cannot fail.
        let _ = serde_json::to_writer(&mut text, &form::Canonical(self));
        Digest(Sha256::digest(&text).into())
    }

    /// Returns the stand-in of its identity, as [`Identity::key`].
    #[must_use]
    pub fn key(&self) -> Key {
        let mut types: Vec<_> = self
            .source
            .types
            .iter()
            .map(|one| (one.id_type.as_str(), one.value.as_str()))
            .collect();
        types.sort_unstable();
        types.dedup();
        Key::of_identity(&self.source.uri, types.into_iter())
    }
}

impl Identity {
    /// Returns the identity of `uri` with the set of `types`.
    #[must_use]
    pub fn new(uri: &str, types: &[SourceType]) -> Self {
        Self { uri: uri.to_owned(), types: types.iter().cloned().collect() }
    }

    /// Returns the URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Returns its stand-in.
    #[must_use]
    pub fn key(&self) -> Key {
        let types = self.types.iter().map(|one| (one.id_type.as_str(), one.value.as_str()));
        Key::of_identity(&self.uri, types)
    }
}

impl Key {
    /// Returns a hash for tables: a key is a hash already.
    #[must_use]
    pub fn head(self) -> u64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(head)
    }

    /// Returns the key of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self::of(["name", name].into_iter())
    }

    /// Returns the key of an identity. `types` must be sorted and without duplicates.
    pub fn of_identity<'t>(uri: &'t str, types: impl Iterator<Item = (&'t str, &'t str)>) -> Self {
        let types = types.flat_map(|(id_type, value)| [id_type, value]);
        Self::of(["source", uri].into_iter().chain(types))
    }

    fn of<'t>(parts: impl Iterator<Item = &'t str>) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            // The length prefix distinguishes `ab`, `c` from `a`, `bc`.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::METADATA;

    pub(super) fn artifact() -> Artifact {
        Artifact {
            name: Some("a".into()),
            artifact_type: "DataSet".into(),
            source: Source {
                uri: "s3://b".into(),
                types: vec![
                    SourceType { id_type: "Custom".into(), value: "2".into() },
                    SourceType { id_type: "Custom".into(), value: "1".into() },
                ],
            },
            properties: BTreeMap::new(),
            tags: vec![],
            texts: Texts::default(),
        }
    }

    #[test]
    fn order_of_source_types_changes_neither_identity_nor_digest() {
        let one = artifact();
        let mut other = artifact();
        other.source.types.reverse();
        assert_eq!(one.identity(), other.identity());
        assert_eq!(one.identity().key(), other.identity().key());
        assert_eq!(one.digest(), other.digest());
        other.source.types.push(one.source.types[0].clone());
        assert_eq!(one.digest(), other.digest(), "a source type that is written twice");
        assert_eq!((one.key(), other.key()), (one.identity().key(), one.identity().key()));
    }

    #[test]
    fn a_property_changes_the_digest_and_not_the_identity() {
        let one = artifact();
        let mut other = artifact();
        other.properties.insert("k".into(), "v".into());
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.identity().key(), other.identity().key());
    }

    /// Journals know artifacts by these: a digest of another version of lineload must be the same.
    #[test]
    fn digests_stay_as_they_are() {
        let mut full = artifact();
        full.properties = [("b", "2"), ("a", "1")].map(|(k, v)| (k.into(), v.into())).into();
        // A field that is added later changes no digest of an artifact without it.
        let names = ["CommitId", "Repository", "GeneratedBy", "ProjectId"];
        for (at, name) in names.into_iter().enumerate() {
            full.set(METADATA.field(name).unwrap(), format!("m{at}"));
        }
        let tag = |key: &str| Tag { key: key.into(), value: "v".into() };
        full.tags = vec![tag("z"), tag("a")];
        let text = r#"{"ArtifactName":"a","ArtifactType":"DataSet","Source":{"SourceUri":"s3://b","SourceTypes":[{"SourceIdType":"Custom","Value":"2"},{"SourceIdType":"Custom","Value":"1"}]},"Properties":{"a":"1","b":"2"},"MetadataProperties":{"CommitId":"m0","Repository":"m1","GeneratedBy":"m2","ProjectId":"m3"},"Tags":[{"Key":"z","Value":"v"},{"Key":"a","Value":"v"}]}"#;
        assert_eq!(serde_json::to_string(&full).unwrap(), text);
        assert_eq!(serde_json::from_str::<Artifact>(text).unwrap(), full);
        let sorted = r#"{"ArtifactName":"a","ArtifactType":"DataSet","Source":{"SourceUri":"s3://b","SourceTypes":[{"SourceIdType":"Custom","Value":"1"},{"SourceIdType":"Custom","Value":"2"}]},"Properties":{"a":"1","b":"2"},"MetadataProperties":{"CommitId":"m0","Repository":"m1","GeneratedBy":"m2","ProjectId":"m3"},"Tags":[{"Key":"a","Value":"v"},{"Key":"z","Value":"v"}]}"#;
        let digest: [u8; 32] = Sha256::digest(sorted).into();
        assert_eq!(full.digest(), Digest(digest));
    }

    #[test]
    fn serializes_as_the_service_takes_it() {
        let text = serde_json::to_string(&artifact()).unwrap();
        assert_eq!(
            text,
            r#"{"ArtifactName":"a","ArtifactType":"DataSet","Source":{"SourceUri":"s3://b","SourceTypes":[{"SourceIdType":"Custom","Value":"2"},{"SourceIdType":"Custom","Value":"1"}]}}"#
        );
    }
}
