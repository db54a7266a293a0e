//! The numbers of the service.
//!
//! Every number and pattern is from the public API reference of Amazon SageMaker
//! (`API_CreateArtifact` and the shapes it links to) and the public service model of 2017-07-24.
//! Lengths count Unicode code points.

use std::ops::RangeInclusive;

use super::text::{Pattern, TextLimit};

/// `ArtifactName`.
pub const ARTIFACT_NAME: TextLimit = TextLimit {
    shape: "ExperimentEntityName",
    min: 1,
    max: 120,
    pattern: Some(Pattern::EntityName),
    rule: "name-length",
};
/// `ArtifactType`. The model's minimum is 0: an empty one is legal.
pub const ARTIFACT_TYPE: TextLimit =
    TextLimit { shape: "String256", min: 0, max: 256, pattern: None, rule: "type-length" };
/// `Source.SourceUri`.
pub const SOURCE_URI: TextLimit = TextLimit {
    shape: "SourceUri",
    min: 1,
    max: 2048,
    pattern: Some(Pattern::SingleLine),
    rule: "uri-length",
};
/// `Source.SourceTypes[].Value`.
pub const SOURCE_TYPE_VALUE: TextLimit =
    TextLimit { shape: "String256", min: 0, max: 256, pattern: None, rule: "source-value-length" };
/// A key of `Properties`.
pub const PROPERTY_KEY: TextLimit = TextLimit {
    shape: "StringParameterValue",
    min: 0,
    max: 2500,
    pattern: Some(Pattern::SingleLine),
    rule: "property-key-length",
};
/// A value of `Properties`.
pub const PROPERTY_VALUE: TextLimit = TextLimit {
    shape: "ArtifactPropertyValue",
    min: 0,
    max: 4096,
    pattern: Some(Pattern::SingleLine),
    rule: "property-value-length",
};
/// Each member of `MetadataProperties`.
pub const METADATA_VALUE: TextLimit = TextLimit {
    shape: "MetadataPropertyValue",
    min: 0,
    max: 1024,
    pattern: Some(Pattern::SingleLine),
    rule: "metadata-length",
};
/// `Tags[].Key`.
pub const TAG_KEY: TextLimit = TextLimit {
    shape: "TagKey",
    min: 1,
    max: 128,
    pattern: Some(Pattern::TagText),
    rule: "tag-key-length",
};
/// `Tags[].Value`.
pub const TAG_VALUE: TextLimit = TextLimit {
    shape: "TagValue",
    min: 0,
    max: 256,
    pattern: Some(Pattern::TagText),
    rule: "tag-value-length",
};
/// The ARN of an artifact.
pub const ARTIFACT_ARN: TextLimit =
    TextLimit { max: 256, pattern: Some(Pattern::ArtifactArn), ..unchecked("ArtifactArn") };
/// The ARN that the tag operations take.
pub const RESOURCE_ARN: TextLimit =
    TextLimit { max: 256, pattern: Some(Pattern::ResourceArn), ..unchecked("ResourceArn") };
/// `NextToken` of the list operations.
pub const NEXT_TOKEN: TextLimit =
    TextLimit { max: 8192, pattern: Some(Pattern::SingleLine), ..unchecked("NextToken") };

/// A text that no manifest has.
const fn unchecked(shape: &'static str) -> TextLimit {
    TextLimit { shape, min: 0, max: usize::MAX, pattern: None, rule: "" }
}

/// The values that `Source.SourceTypes[].SourceIdType` may have.
pub const SOURCE_ID_TYPES: [&str; 4] = ["MD5Hash", "S3ETag", "S3Version", "Custom"];
/// Values of `ArtifactType` that AWS's own tools write (the `LineageSourceEnum` of the SageMaker
/// Python SDK). Any other text is as good to the service.
pub const USUAL_ARTIFACT_TYPES: [&str; 7] =
    ["DataSet", "Model", "Image", "ModelData", "ModelGroup", "Checkpoint", "TensorBoard"];
/// Fewest and most characters of an S3 bucket's name (S3 user guide, bucket naming rules).
pub const BUCKET_NAME_LENGTH: RangeInclusive<usize> = 3..=63;
/// Most entries in `Properties`.
pub const PROPERTIES_MAX: usize = 30;
/// Most entries in `Tags`.
pub const TAGS_MAX: usize = 50;
/// Most artifacts on a page of `ListArtifacts`.
pub const LIST_PAGE_MAX: usize = 100;
/// Fewest tags that a page of `ListTags` may be asked for.
pub const LIST_TAGS_PAGE_MIN: usize = 50;
/// Tags that a page of `ListTags` is asked for: every artifact's, but for those that AWS adds.
pub const LIST_TAGS_PAGE: usize = 100;
/// The documented default quota of manually created artifacts in an account and Region.
pub const DEFAULT_ARTIFACT_QUOTA: u64 = 6000;

/// The type of an artifact in a CloudFormation template, whose properties are the fields of
/// [`ARTIFACT`](super::ARTIFACT) (CloudFormation Template Reference).
pub const CLOUDFORMATION_TYPE: &str = "AWS::SageMaker::Artifact";
/// Most resources of a CloudFormation template (CloudFormation user guide, quotas).
pub const CLOUDFORMATION_RESOURCES_MAX: u32 = 500;
/// Most bytes of a CloudFormation template that is read from S3 (as above).
pub const CLOUDFORMATION_BYTES_MAX: usize = 1 << 20;

/// The prefix of tag keys that only AWS may write, in any case.
pub const RESERVED_TAG_PREFIX: &str = "aws:";
/// Returns whether only AWS may write a tag of this key.
#[must_use]
pub fn is_reserved_tag(key: &str) -> bool {
    let head = key.get(..RESERVED_TAG_PREFIX.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(RESERVED_TAG_PREFIX))
}
