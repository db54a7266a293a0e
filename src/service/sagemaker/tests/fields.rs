//! Every field of the model goes to the service and comes back: a field that is in the table and not
//! in the mapping to the SDK must not be lost in silence.

use serde_json::{Map, Value, json};

use super::scripted::{Scripted, http};
use super::{ARN, at};
use crate::artifact::Artifact;
use crate::model::{ARTIFACT, Field, Kind, Mapping, Sense};
use crate::service::Service as _;

/// Returns an artifact with a value of its own in every field.
fn whole() -> Value {
    fn mapping(mapping: &'static Mapping, path: &str) -> Value {
        let fields = mapping.fields.iter();
        let fields = fields.map(|field| (field.name.to_owned(), value(field, path)));
        Value::Object(fields.collect::<Map<String, Value>>())
    }
    fn value(field: &'static Field, path: &str) -> Value {
        let path = format!("{path}.{}", field.name);
        match field.kind {
            Kind::Text(_) => path.into(),
            Kind::Choice(choices) => choices[0].into(),
            Kind::Mapping(below) => mapping(below, &path),
            Kind::Pairs { item, .. } => json!([mapping(item, &path)]),
            Kind::Map { .. } => json!({ "key": path }),
        }
    }
    mapping(&ARTIFACT, "")
}

#[tokio::test]
async fn every_field_of_an_artifact_is_sent() {
    let server = Scripted::always(http(200, "", &format!(r#"{{"ArtifactArn":"{ARN}"}}"#)));
    let artifact: Artifact = serde_json::from_value(whole()).unwrap();
    at(&server.url).create(&artifact).await.unwrap();
    let sent: Value = serde_json::from_str(&server.requests()[0].body).unwrap();
    assert_eq!(sent, whole());
}

#[tokio::test]
async fn every_field_of_an_artifact_is_read() {
    let mut described = whole();
    let tags = ARTIFACT.fields.iter().find(|field| field.sense == Sense::Tags).unwrap();
    // Those have an operation of their own.
    described.as_object_mut().unwrap().remove(tags.name);
    let expected: Artifact = serde_json::from_value(described.clone()).unwrap();
    described["ArtifactArn"] = ARN.into();
    let server = Scripted::always(http(200, "", &described.to_string()));
    let read = at(&server.url).describe(ARN).await.unwrap();
    assert_eq!(read.artifact, expected);
}
