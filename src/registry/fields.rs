//! The fields of an artifact in the service's JSON, by the table of [`crate::model`].
//!
//! In: the members of a request, or a row. Out: the values that a row has a place for, and the texts that
//! it only keeps; and the members of an answer. It knows no field by name, so that one more field that the
//! registry only keeps is a row in the table of the model and nothing here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::pairs::pairs;
use super::store::Row;
use crate::model::{ARTIFACT, Change, Field, Kind, Mapping, SOURCE_TYPE, Sense, TAG};

/// The members of a request, or of a mapping in it.
pub(super) type Members = Map<String, Value>;

/// Returns the field with this meaning, and its value, in `members` of `mapping` or below.
fn find<'m>(
    mapping: &Mapping,
    members: &'m Members,
    is_it: &impl Fn(&Field) -> bool,
) -> Option<&'m Value> {
    mapping.fields.iter().find_map(|field| {
        let value = members.get(field.name)?;
        match field.kind {
            _ if is_it(field) => Some(value),
            Kind::Mapping(below) => find(below, value.as_object()?, is_it),
            _ => None,
        }
    })
}

fn value(members: &Members, sense: Sense) -> Option<&Value> {
    find(&ARTIFACT, members, &|field| field.sense == sense)
}

/// Returns the name of the field with this meaning.
pub(super) fn name_of(sense: Sense) -> &'static str {
    ARTIFACT.of_sense(sense).map_or("", |field| field.name)
}

/// Returns the text with this meaning.
pub(super) fn text(members: &Members, sense: Sense) -> Option<String> {
    value(members, sense)?.as_str().map(str::to_owned)
}

/// Returns the tags.
pub(super) fn tags(members: &Members) -> Vec<(String, String)> {
    pairs(value(members, Sense::Tags), &TAG)
}

/// Returns the source types.
pub(super) fn source_types(members: &Members) -> Vec<(String, String)> {
    pairs(value(members, Sense::SourceIds), &SOURCE_TYPE)
}

/// Returns the properties, those without a value left out.
pub(super) fn properties(members: &Members) -> BTreeMap<&str, &str> {
    let given = find(&ARTIFACT, members, &|field| matches!(field.kind, Kind::Map { .. }));
    let given = given.and_then(Value::as_object).into_iter().flatten();
    given.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}

/// Returns the texts that the registry only keeps, by the names of their fields.
pub(super) fn texts(members: &Members) -> BTreeMap<&'static str, &str> {
    let mut texts = BTreeMap::new();
    collect(&ARTIFACT, members, &|_| true, &mut texts);
    texts
}

/// Returns those of these texts that an update can change.
pub(super) fn changed_texts(members: &Members) -> BTreeMap<&'static str, &str> {
    let mut texts = BTreeMap::new();
    collect(&ARTIFACT, members, &|field| field.change == Change::Update, &mut texts);
    texts
}

fn collect<'m>(
    mapping: &Mapping,
    members: &'m Members,
    wanted: &impl Fn(&Field) -> bool,
    into: &mut BTreeMap<&'static str, &'m str>,
) {
    for field in mapping.fields {
        let Some(value) = members.get(field.name) else { continue };
        match (field.kind, value) {
            (Kind::Mapping(below), Value::Object(members)) => {
                collect(below, members, wanted, into);
            }
            (Kind::Text(_) | Kind::Choice(_), Value::String(text))
                if field.sense == Sense::Plain && wanted(field) =>
            {
                into.insert(field.name, text);
            }
            _ => {}
        }
    }
}

/// Returns the members that a list shows of an artifact: what identifies it.
pub(super) fn summary(row: &Row) -> Members {
    answer(&ARTIFACT, row, |field| match field.kind {
        Kind::Mapping(below) => below.of_sense(Sense::Uri).is_some(),
        _ => matches!(field.sense, Sense::Name | Sense::Type),
    })
}

/// Returns all members of an artifact but its tags, which have an operation of their own.
pub(super) fn whole(row: &Row) -> Members {
    answer(&ARTIFACT, row, |_| true)
}

fn answer(mapping: &Mapping, row: &Row, wanted: fn(&Field) -> bool) -> Members {
    let mut members = Map::new();
    for field in mapping.fields.iter().filter(|field| wanted(field)) {
        let value = match field.kind {
            Kind::Text(_) | Kind::Choice(_) => row.text(field).map(Value::from),
            Kind::Mapping(below) => {
                let below = answer(below, row, |_| true);
                (!below.is_empty()).then_some(Value::Object(below))
            }
            Kind::Pairs { .. } if field.sense == Sense::SourceIds => {
                let types = row.source_types.as_array();
                types.is_some_and(|types| !types.is_empty()).then(|| row.source_types.clone())
            }
            Kind::Pairs { .. } => None,
            Kind::Map { .. } => Some(row.properties.clone()),
        };
        if let Some(value) = value {
            members.insert(field.name.to_owned(), value);
        }
    }
    members
}

impl Row {
    /// Returns the text of `field`.
    pub(super) fn text(&self, field: &Field) -> Option<&str> {
        match field.sense {
            Sense::Name => self.name.as_deref(),
            Sense::Type => Some(&self.artifact_type),
            Sense::Uri => Some(&self.uri),
            _ => self.texts.get(field.name)?.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use crate::model::{ARTIFACT, Sense, whole};
    use crate::registry::Misbehaviour;
    use crate::registry::operations::Request;
    use crate::registry::store::{MEMORY, Store};

    #[tokio::test]
    async fn every_field_of_an_artifact_is_kept() {
        let store = Store::open(Path::new(MEMORY)).unwrap();
        let misbehaviour = Misbehaviour::default();
        let ask = async |operation: &str, input: &serde_json::Value| {
            let target = format!("SageMaker.{operation}");
            let body = input.to_string();
            let request = Request::read(Some(&target), body.as_bytes()).unwrap();
            request.run(&store, "eu-west-1", &misbehaviour).await.unwrap()
        };
        let mut given = whole(&ARTIFACT);
        let mut answer = ask("CreateArtifact", &given).await;
        let arn = answer["ArtifactArn"].take();
        let tags = ARTIFACT.of_sense(Sense::Tags).unwrap().name;
        let listed = ask("ListTags", &json!({ "ResourceArn": arn })).await;
        let tags_given = given.as_object_mut().unwrap().remove(tags).unwrap();
        assert_eq!(listed["Tags"], tags_given);
        let mut answer = ask("DescribeArtifact", &json!({ "ArtifactArn": arn })).await;
        for of_answer in ARTIFACT.read_only {
            answer.as_object_mut().unwrap().remove(*of_answer);
        }
        assert_eq!(answer, given);
    }
}
