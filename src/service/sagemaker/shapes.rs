//! Conversions of artifacts, tags and pages between the SDK's types and lineload's.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use aws_sdk_sagemaker::operation::describe_artifact::DescribeArtifactOutput;
use aws_sdk_sagemaker::types::builders::MetadataPropertiesBuilder;
use aws_sdk_sagemaker::types::{self, MetadataProperties};
use aws_smithy_types::DateTime;

use crate::artifact::{Artifact, Source, SourceType, Tag, Texts};
use crate::service::{Described, Found};

pub(super) fn next(token: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

pub(super) fn non_empty<T>(value: T, is_empty: impl Fn(&T) -> bool) -> Option<T> {
    if is_empty(&value) { None } else { Some(value) }
}

pub(super) fn source(artifact: &Artifact) -> types::ArtifactSource {
    let id = |one: &SourceType| {
        types::ArtifactSourceType::builder()
            .source_id_type(one.id_type.as_str().into())
            .value(&one.value)
            .build()
    };
    let ids = non_empty(artifact.source.types.iter().map(id).collect(), Vec::is_empty);
    types::ArtifactSource::builder().source_uri(&artifact.source.uri).set_source_types(ids).build()
}

/// A field of the metadata: its name, and how the SDK sets and gets it.
type MetadataField = (
    &'static str,
    fn(MetadataPropertiesBuilder, Option<String>) -> MetadataPropertiesBuilder,
    fn(&MetadataProperties) -> Option<&str>,
);

/// The fields of the metadata. A test fails if the model has another.
const METADATA: [MetadataField; 4] = [
    ("CommitId", MetadataPropertiesBuilder::set_commit_id, MetadataProperties::commit_id),
    ("Repository", MetadataPropertiesBuilder::set_repository, MetadataProperties::repository),
    ("GeneratedBy", MetadataPropertiesBuilder::set_generated_by, MetadataProperties::generated_by),
    ("ProjectId", MetadataPropertiesBuilder::set_project_id, MetadataProperties::project_id),
];

pub(super) fn metadata(artifact: &Artifact) -> Option<MetadataProperties> {
    let given = METADATA.iter().filter_map(|(name, set, _)| {
        let text = artifact.texts.get(name)?;
        Some((set, text.clone()))
    });
    let built =
        given.fold(MetadataProperties::builder(), |built, (set, text)| set(built, Some(text)));
    let built = built.build();
    (built != MetadataProperties::builder().build()).then_some(built)
}

fn read_metadata(metadata: &MetadataProperties) -> Texts {
    let texts = METADATA.iter();
    texts.filter_map(|(name, _, get)| Some((*name, get(metadata)?.to_owned()))).collect()
}

pub(super) fn tags(tags: &[Tag]) -> Vec<types::Tag> {
    let tag = |tag: &Tag| types::Tag::builder().key(&tag.key).value(&tag.value).build();
    tags.iter().map(tag).collect()
}

fn time(time: Option<&DateTime>) -> Option<SystemTime> {
    time.and_then(|time| SystemTime::try_from(*time).ok())
}

pub(super) fn found(summary: &types::ArtifactSummary) -> Found {
    let (uri, types) = read_source(summary.source());
    Found {
        arn: summary.artifact_arn().unwrap_or_default().to_owned(),
        name: summary.artifact_name().map(str::to_owned),
        artifact_type: summary.artifact_type().map(str::to_owned),
        uri,
        types,
        created: time(summary.creation_time()),
        modified: time(summary.last_modified_time()),
    }
}

fn read_source(source: Option<&types::ArtifactSource>) -> (String, Vec<SourceType>) {
    let types = source.map(types::ArtifactSource::source_types).unwrap_or_default();
    let one = |one: &types::ArtifactSourceType| SourceType {
        id_type: one.source_id_type().map_or("", |id| id.as_str()).to_owned(),
        value: one.value().unwrap_or_default().to_owned(),
    };
    let uri = source.and_then(|source| source.source_uri()).unwrap_or_default();
    (uri.to_owned(), types.iter().map(one).collect())
}

/// Returns a described artifact, without its tags.
pub(super) fn described(answer: &DescribeArtifactOutput) -> Described {
    let (uri, types) = read_source(answer.source());
    let artifact = Artifact {
        name: answer.artifact_name().map(str::to_owned),
        artifact_type: answer.artifact_type().unwrap_or_default().to_owned(),
        source: Source { uri, types },
        properties: answer.properties().cloned().unwrap_or_default().into_iter().collect(),
        tags: Vec::new(),
        texts: answer.metadata_properties().map(read_metadata).unwrap_or_default(),
    };
    let created = time(answer.creation_time());
    Described { artifact, created, modified: time(answer.last_modified_time()) }
}

pub(super) fn properties(properties: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    let copy = properties.iter().map(|(key, value)| (key.clone(), value.clone()));
    non_empty(copy.collect(), HashMap::is_empty)
}

pub(super) fn read_tag(tag: &types::Tag) -> Tag {
    Tag {
        key: tag.key().unwrap_or_default().to_owned(),
        value: tag.value().unwrap_or_default().to_owned(),
    }
}
