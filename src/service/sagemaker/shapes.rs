//! Conversions of artifacts, tags and pages between the SDK's types and lineload's.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use aws_sdk_sagemaker::operation::describe_artifact::DescribeArtifactOutput;
use aws_sdk_sagemaker::types;
use aws_smithy_types::DateTime;

use crate::artifact::{Artifact, Source, SourceType, Tag};
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

pub(super) fn metadata(artifact: &Artifact) -> Option<types::MetadataProperties> {
    let text = |name| artifact.texts.get(name).cloned();
    let built = types::MetadataProperties::builder()
        .set_commit_id(text("CommitId"))
        .set_repository(text("Repository"))
        .set_generated_by(text("GeneratedBy"))
        .set_project_id(text("ProjectId"))
        .build();
    (built != types::MetadataProperties::builder().build()).then_some(built)
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
    let metadata = answer.metadata_properties();
    let metadata = metadata.map(|metadata| {
        [
            ("CommitId", metadata.commit_id()),
            ("Repository", metadata.repository()),
            ("GeneratedBy", metadata.generated_by()),
            ("ProjectId", metadata.project_id()),
        ]
    });
    let set = |(name, text): (&'static str, Option<&str>)| Some((name, text?.to_owned()));
    let (uri, types) = read_source(answer.source());
    let artifact = Artifact {
        name: answer.artifact_name().map(str::to_owned),
        artifact_type: answer.artifact_type().unwrap_or_default().to_owned(),
        source: Source { uri, types },
        properties: answer.properties().cloned().unwrap_or_default().into_iter().collect(),
        tags: Vec::new(),
        texts: metadata.into_iter().flatten().filter_map(set).collect(),
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
