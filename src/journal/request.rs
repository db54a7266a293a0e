//! The stored form of a request: compact, and without the fields that have their own columns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::artifact::{Artifact, Source, SourceType, Tag, Texts};
use crate::model::{ARTIFACT, Field, METADATA};

/// The request without its name and URI, which have columns, as a JSON array: the type, the source types one
/// after the other, the properties, the metadata, the tags, and the other texts of the artifact by the
/// names of their fields, if there are any. With the service's names for the parts it
/// would be nearly twice as long.
#[derive(Serialize)]
struct Kept<'a>(
    &'a str,
    Flat<'a, SourceType>,
    &'a BTreeMap<String, String>,
    Fields<'a>,
    Flat<'a, Tag>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")] BTreeMap<&'static str, &'a str>,
);

#[derive(Deserialize)]
struct Read(
    String,
    Vec<String>,
    BTreeMap<String, String>,
    Vec<Option<String>>,
    Vec<String>,
    #[serde(default)] BTreeMap<String, String>,
);

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

/// The fields of the metadata in the order of the model, to which new ones are added at the end, without those at the end that are not set.
struct Fields<'a>(&'a Texts);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields: Vec<_> = METADATA.fields.iter().map(|field| self.0.get(field.name)).collect();
        let set = fields.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        serializer.collect_seq(&fields[..set])
    }
}

/// Returns the texts that have no place of their own, wherever in an artifact.
fn others() -> impl Iterator<Item = &'static Field> {
    let is_other = |field: &&Field| !METADATA.fields.iter().any(|one| one.is(field));
    ARTIFACT.plain_texts().into_iter().filter(is_other)
}

/// Returns the rest of a request.
pub(super) fn text(artifact: &Artifact) -> Result<String, serde_json::Error> {
    let others = others().filter_map(|field| Some((field.name, artifact.text(field)?)));
    serde_json::to_string(&Kept(
        &artifact.artifact_type,
        Flat(&artifact.source.types),
        &artifact.properties,
        Fields(&artifact.texts),
        Flat(&artifact.tags),
        others.collect(),
    ))
}

/// Returns the artifact of a name, a URI and the rest of a request.
pub(super) fn read(
    name: Option<String>,
    uri: String,
    rest: &str,
) -> Result<Artifact, serde_json::Error> {
    let Read(artifact_type, types, properties, metadata, tags, mut rest) =
        serde_json::from_str(rest)?;
    let types = pairs(types).map(|(id_type, value)| SourceType { id_type, value }).collect();
    let tags = pairs(tags).map(|(key, value)| Tag { key, value }).collect();
    let metadata = METADATA.fields.iter().zip(metadata);
    let mut texts: Texts = metadata.filter_map(|(field, text)| Some((field.name, text?))).collect();
    texts.extend(others().filter_map(|field| Some((field.name, rest.remove(field.name)?))));
    Ok(Artifact { name, artifact_type, source: Source { uri, types }, properties, tags, texts })
}

fn pairs(flat: Vec<String>) -> impl Iterator<Item = (String, String)> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(move || flat.next().zip(flat.next()))
}

#[cfg(test)]
mod tests {
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
            metadata in vec(option::of(TEXT), METADATA.fields.len()),
            tags in vec((TEXT, TEXT), 0..3),
        ) {
            let metadata = METADATA.fields.iter().zip(metadata);
            let texts = metadata.filter_map(|(field, text)| Some((field.name, text?))).collect();
            let types = types.into_iter().map(|(id_type, value)| SourceType { id_type, value });
            let artifact = Artifact {
                name,
                artifact_type,
                source: Source { uri, types: types.collect() },
                properties,
                tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
                texts,
            };
            let text = text(&artifact).unwrap();
            let uri = artifact.source.uri.clone();
            prop_assert_eq!(read(artifact.name.clone(), uri, &text).unwrap(), artifact);
        }
    }

    /// The texts of metadata are kept by their places: a field that came between them would get the
    /// text of another out of an older journal.
    #[test]
    fn a_new_field_of_the_metadata_is_the_last() {
        let names: Vec<_> = METADATA.fields.iter().map(|field| field.name).take(4).collect();
        assert_eq!(names, ["CommitId", "Repository", "GeneratedBy", "ProjectId"]);
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
            tags: vec![],
            texts: [("Repository", "r".to_owned())].into(),
        };
        let kept = r#"["DataSet",["Custom","2"],{"k":"v"},[null,"r"],[]]"#;
        assert_eq!(text(&artifact).unwrap(), kept);
    }
}
