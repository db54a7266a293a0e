//! The fields of each mapping, and common misspellings of them.

use super::{ARTIFACTS, DEFAULTS};
use crate::model;
use crate::text::either;

/// A mapping with known fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Artifact,
    Defaults,
    Wrapper,
    Source,
    SourceType,
    Metadata,
    Tag,
}

impl Shape {
    pub(super) const ALL: [Self; 7] = [
        Self::Artifact,
        Self::Defaults,
        Self::Wrapper,
        Self::Source,
        Self::SourceType,
        Self::Metadata,
        Self::Tag,
    ];

    pub(super) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Artifact => &model::ARTIFACT_FIELDS,
            Self::Defaults => &["ArtifactType", "MetadataProperties", "Properties", "Tags"],
            Self::Wrapper => &[ARTIFACTS, DEFAULTS],
            Self::Source => &["SourceTypes", "SourceUri"],
            Self::SourceType => &["SourceIdType", "Value"],
            Self::Metadata => &model::METADATA_FIELDS,
            Self::Tag => &["Key", "Value"],
        }
    }

    /// Returns its name in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Artifact => "an artifact",
            Self::Defaults => "`Defaults`",
            Self::Wrapper => "a file of `Defaults` and `Artifacts`",
            Self::Source => "`Source`",
            Self::SourceType => "a source type",
            Self::Metadata => "`MetadataProperties`",
            Self::Tag => "a tag",
        }
    }

    /// Returns the field of this mapping that `key` was probably meant to be.
    pub(super) fn meant(self, key: &str) -> Option<&'static str> {
        let plain = plain(key);
        let same = |field: &&&str| self::plain(field) == plain;
        if let Some(field) = self.fields().iter().find(same) {
            return Some(field);
        }
        if let Some((_, field)) = self.nicknames().iter().find(|(name, _)| *name == plain) {
            return Some(field);
        }
        let distance =
            |field: &&'static str| strsim::damerau_levenshtein(&self::plain(field), &plain);
        let nearest = self.fields().iter().copied().min_by_key(|field| distance(field))?;
        let tolerated = (key.len().min(nearest.len()) / 4).max(1);
        (distance(&nearest) <= tolerated).then_some(nearest)
    }

    /// Returns the names that other tools use for the fields.
    const fn nicknames(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Artifact => &[
                ("name", "ArtifactName"),
                ("type", "ArtifactType"),
                ("kind", "ArtifactType"),
                ("metadata", "MetadataProperties"),
                ("properties", "Properties"),
                ("labels", "Tags"),
            ],
            Self::Defaults => &[("type", "ArtifactType"), ("metadata", "MetadataProperties")],
            Self::Wrapper => &[("items", ARTIFACTS), ("manifests", ARTIFACTS)],
            Self::Source => &[("uri", "SourceUri"), ("url", "SourceUri"), ("types", "SourceTypes")],
            Self::SourceType => &[("type", "SourceIdType"), ("id", "Value")],
            Self::Metadata => &[
                ("commit", "CommitId"),
                ("repo", "Repository"),
                ("project", "ProjectId"),
                ("creator", "GeneratedBy"),
            ],
            Self::Tag => &[("name", "Key")],
        }
    }

    /// Returns where `key` belongs, which is not a field of this mapping: the mapping below it that
    /// has such a field, and the field. Case, hyphens and underscores do not count.
    pub(super) fn misplaced(self, key: &str) -> Option<(Self, &'static str)> {
        let below: &[Self] = match self {
            Self::Artifact => &[Self::Source, Self::Metadata],
            Self::Defaults => &[Self::Metadata],
            _ => &[],
        };
        let plain = plain(key);
        below.iter().find_map(|shape| {
            let field = shape.fields().iter().find(|field| self::plain(field) == plain)?;
            Some((*shape, *field))
        })
    }

    /// Returns the field of an artifact that holds this mapping.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Source => "Source",
            Self::SourceType => "SourceTypes",
            Self::Metadata => "MetadataProperties",
            Self::Tag => "Tags",
            Self::Artifact | Self::Wrapper => ARTIFACTS,
            Self::Defaults => DEFAULTS,
        }
    }

    /// Returns whether `key` is the field of this mapping, in any spelling.
    pub(super) fn is_called(self, key: &str) -> bool {
        is_same(key, self.field())
    }

    /// Returns the help for the key `key`, which this mapping does not have.
    pub(super) fn help(self, key: &str) -> String {
        if let Some((below, field)) = self.misplaced(key) {
            return format!("move `{field}` under `{}:`", below.field());
        }
        let elsewhere = match (self, key) {
            (Self::Source, "SourceIdType" | "Value") => {
                Some(format!("move `{key}` into an item of `SourceTypes:`"))
            }
            (Self::Wrapper, key) if model::ARTIFACT_FIELDS.contains(&key) => {
                Some(format!("move `{key}` under `Defaults:`, or into each artifact"))
            }
            (Self::Defaults, "ArtifactName") => {
                Some("give each artifact its own name: names must be unique".to_owned())
            }
            (Self::Defaults, "Source" | "SourceUri") => {
                Some("give each artifact its own source".to_owned())
            }
            _ => None,
        };
        if let Some(elsewhere) = elsewhere {
            return elsewhere;
        }
        if let Some(meant) = self.meant(key) {
            return format!("did you mean `{meant}`?");
        }
        let fields = either(self.fields().iter().copied());
        match self {
            Self::Artifact => {
                format!("expected one of {fields}; anything else goes under `Properties:`")
            }
            _ => format!("expected one of {fields}"),
        }
    }
}

/// Fields of a `DescribeArtifact` response that `CreateArtifact` does not accept, and those that
/// boto3 adds to every response.
const READ_ONLY: [&str; 7] = [
    "ArtifactArn",
    "CreatedBy",
    "CreationTime",
    "LastModifiedBy",
    "LastModifiedTime",
    "LineageGroupArn",
    "ResponseMetadata",
];

/// Returns whether `key` is a read-only field, which only the service sets.
pub(super) fn is_read_only(key: &str) -> bool {
    let plain = plain(key);
    READ_ONLY.iter().any(|field| self::plain(field) == plain)
}

/// Returns whether `key` is `Defaults` or `Artifacts`, in any case.
pub(super) fn is_wrapper_key(key: &str) -> bool {
    let is = |field: &str| key.eq_ignore_ascii_case(field);
    is(ARTIFACTS) || is(DEFAULTS)
}

/// Returns whether two keys are equal but for case, hyphens, underscores and spaces.
pub(super) fn is_same(key: &str, field: &str) -> bool {
    plain(key) == plain(field)
}

/// Without case, hyphens and underscores.
fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant() {
        let cases = [
            (Shape::Artifact, "artifact_name", Some("ArtifactName")),
            (Shape::Artifact, "ArtifactNmae", Some("ArtifactName")),
            (Shape::Artifact, "Type", Some("ArtifactType")),
            (Shape::Artifact, "Property", None),
            (Shape::Artifact, "Propertys", Some("Properties")),
            (Shape::Artifact, "Tag", Some("Tags")),
            (Shape::Artifact, "Owner", None),
            (Shape::Source, "URI", Some("SourceUri")),
            (Shape::Tag, "Keys", Some("Key")),
        ];
        for (shape, key, meant) in cases {
            assert_eq!(shape.meant(key), meant, "{key}");
        }
    }
}
