//! The one table of what the service takes.
//!
//! In: nothing. Out: the fields of an artifact, what each holds, which are required, what can be
//! changed later, the numbers and patterns of the service, and the means to test a text against them.
//! Everything that knows fields reads this table: the decoder, the rules, the JSON Schema, `explain`,
//! the writer of manifests, digests and comparisons, and the local registry. So they cannot disagree,
//! and a field is added here. It must not know manifests, findings or HTTP.
//!
//! Another kind of entity (an action, a context, an association) is another [`Mapping`] beside
//! [`ARTIFACT`], made of the same kinds of fields.

mod artifact;
mod limits;
mod path;
mod shape;
mod text;
#[cfg(test)]
mod whole;

pub use artifact::{ARTIFACT, METADATA, SOURCE, SOURCE_TYPE, TAG};
pub use limits::{
    ARTIFACT_ARN, ARTIFACT_NAME, ARTIFACT_TYPE, BUCKET_NAME_LENGTH, CLOUDFORMATION_BYTES_MAX,
    CLOUDFORMATION_RESOURCES_MAX, CLOUDFORMATION_TYPE, DEFAULT_ARTIFACT_QUOTA, LIST_PAGE_MAX,
    LIST_TAGS_PAGE, LIST_TAGS_PAGE_MIN, METADATA_VALUE, NEXT_TOKEN, PROPERTIES_MAX, PROPERTY_KEY,
    PROPERTY_VALUE, RESERVED_TAG_PREFIX, RESOURCE_ARN, SOURCE_ID_TYPES, SOURCE_TYPE_VALUE,
    SOURCE_URI, TAG_KEY, TAG_VALUE, TAGS_MAX, USUAL_ARTIFACT_TYPES, is_reserved_tag,
};
pub use path::Path;
pub use shape::{Change, Field, Kind, Mapping, Noun, Sense, WHEN_EMPTY};
pub use text::{Pattern, TextLimit, Violation, is_line_terminator};
#[cfg(test)]
pub(crate) use whole::whole;
