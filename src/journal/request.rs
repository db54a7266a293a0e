//! A request as the journal keeps it: in few bytes, and without what has columns of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Metadata, Source, SourceType, Tag};

/// What is not in the columns `name` and `source_uri`, as a JSON array. The service's names for the
/// parts would be two fifths of it.
#[derive(Serialize)]
struct Kept<'a>(
    &'a str,
    Pairs<'a, SourceType>,
    &'a BTreeMap<String, String>,
    &'a Metadata,
    Pairs<'a, Tag>,
);

#[derive(Deserialize)]
struct Read(
    String,
    Vec<(String, String)>,
    BTreeMap<String, String>,
    Metadata,
    Vec<(String, String)>,
);

struct Pairs<'a, T>(&'a [T]);

impl Serialize for Pairs<'_, SourceType> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|one| (&one.id_type, &one.value)))
    }
}

impl Serialize for Pairs<'_, Tag> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|one| (&one.key, &one.value)))
    }
}

/// Returns the rest of a request.
pub(super) fn text(artifact: &Artifact) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Kept(
        &artifact.artifact_type,
        Pairs(&artifact.source.types),
        &artifact.properties,
        &artifact.metadata_properties,
        Pairs(&artifact.tags),
    ))
}

/// Returns the artifact of a name, a URI and the rest of a request.
pub(super) fn read(
    name: Option<String>,
    uri: String,
    rest: &str,
) -> Result<Artifact, serde_json::Error> {
    let Read(artifact_type, types, properties, metadata_properties, tags) =
        serde_json::from_str(rest)?;
    let types = types.into_iter().map(|(id_type, value)| SourceType { id_type, value }).collect();
    let tags = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    let source = Source { uri, types };
    Ok(Artifact { name, artifact_type, source, properties, metadata_properties, tags })
}
