//! The stored form of a request: compact, and without the fields that have their own columns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::artifact::{Artifact, Metadata, Source, SourceType, Tag};

/// The fields that are not in the columns `name` and `source_uri`, as a JSON array: the type, the
/// source types one after the other, the properties, the metadata, the tags. With the service's
/// names for the parts it would be nearly twice as long.
#[derive(Serialize)]
struct Kept<'a>(
    &'a str,
    Flat<'a, SourceType>,
    &'a BTreeMap<String, String>,
    Fields<'a>,
    Flat<'a, Tag>,
);

#[derive(Deserialize)]
struct Read(String, Vec<String>, BTreeMap<String, String>, Vec<Option<String>>, Vec<String>);

/// Pairs, one after the other.
struct Flat<'a, T>(&'a [T]);

impl Serialize for Flat<'_, SourceType> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flat_map(|one| [&one.id_type, &one.value]))
    }
}

impl Serialize for Flat<'_, Tag> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().flat_map(|one| [&one.key, &one.value]))
    }
}

/// The four fields, without those at the end that are not set.
struct Fields<'a>(&'a Metadata);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Metadata { commit_id, repository, generated_by, project_id } = self.0;
        let fields = [commit_id, repository, generated_by, project_id];
        let set = fields.iter().rposition(|field| field.is_some()).map_or(0, |last| last + 1);
        serializer.collect_seq(&fields[..set])
    }
}

/// Returns the rest of a request.
pub(super) fn text(artifact: &Artifact) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Kept(
        &artifact.artifact_type,
        Flat(&artifact.source.types),
        &artifact.properties,
        Fields(&artifact.metadata_properties),
        Flat(&artifact.tags),
    ))
}

/// Returns the artifact of a name, a URI and the rest of a request.
pub(super) fn read(
    name: Option<String>,
    uri: String,
    rest: &str,
) -> Result<Artifact, serde_json::Error> {
    let Read(artifact_type, types, properties, metadata, tags) = serde_json::from_str(rest)?;
    let types = pairs(types).map(|(id_type, value)| SourceType { id_type, value }).collect();
    let tags = pairs(tags).map(|(key, value)| Tag { key, value }).collect();
    let mut metadata = metadata.into_iter();
    let mut field = || metadata.next().flatten();
    let metadata_properties = Metadata {
        commit_id: field(),
        repository: field(),
        generated_by: field(),
        project_id: field(),
    };
    let source = Source { uri, types };
    Ok(Artifact { name, artifact_type, source, properties, metadata_properties, tags })
}

fn pairs(flat: Vec<String>) -> impl Iterator<Item = (String, String)> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(move || flat.next().zip(flat.next()))
}

#[cfg(test)]
mod tests {
    use proptest::array::uniform4;
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    /// Any characters at all.
    const TEXT: &str = "(?s).{0,4}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_request_comes_back_as_it_was(
            name in option::of(TEXT),
            uri in TEXT,
            artifact_type in TEXT,
            types in vec((TEXT, TEXT), 0..3),
            properties in btree_map(TEXT, TEXT, 0..3),
            metadata in uniform4(option::of(TEXT)),
            tags in vec((TEXT, TEXT), 0..3),
        ) {
            let [commit_id, repository, generated_by, project_id] = metadata;
            let types = types.into_iter().map(|(id_type, value)| SourceType { id_type, value });
            let artifact = Artifact {
                name,
                artifact_type,
                source: Source { uri, types: types.collect() },
                properties,
                metadata_properties: Metadata { commit_id, repository, generated_by, project_id },
                tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
            };
            let text = text(&artifact).unwrap();
            let uri = artifact.source.uri.clone();
            prop_assert_eq!(read(artifact.name.clone(), uri, &text).unwrap(), artifact);
        }
    }

    #[test]
    fn what_is_kept_is_short() {
        let artifact = Artifact {
            name: Some("a".into()),
            artifact_type: "DataSet".into(),
            source: Source {
                uri: "s3://b".into(),
                types: vec![SourceType { id_type: "Custom".into(), value: "2".into() }],
            },
            properties: BTreeMap::from([("k".into(), "v".into())]),
            metadata_properties: Metadata { repository: Some("r".into()), ..Metadata::default() },
            tags: vec![],
        };
        let kept = r#"["DataSet",["Custom","2"],{"k":"v"},[null,"r"],[]]"#;
        assert_eq!(text(&artifact).unwrap(), kept);
    }
}
