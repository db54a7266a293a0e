//! Every field of the model goes to the service and comes back: a field that is in the table and not
//! in the mapping to the SDK must not be lost in silence.

use serde_json::{Value, json};

use super::scripted::{Scripted, http};
use super::{ARN, at};
use crate::artifact::Artifact;
use crate::model::{ARTIFACT, Change, Sense, whole};
use crate::service::{Service as _, Update};

#[tokio::test]
async fn every_field_of_an_artifact_is_sent() {
    let server = Scripted::always(http(200, "", &format!(r#"{{"ArtifactArn":"{ARN}"}}"#)));
    let artifact: Artifact = serde_json::from_value(whole(&ARTIFACT)).unwrap();
    at(&server.url).create(&artifact).await.unwrap();
    let sent: Value = serde_json::from_str(&server.requests()[0].body).unwrap();
    assert_eq!(sent, whole(&ARTIFACT));
}

#[tokio::test]
async fn every_field_of_an_artifact_is_read() {
    let mut described = whole(&ARTIFACT);
    let tags = ARTIFACT.fields.iter().find(|field| field.sense == Sense::Tags).unwrap();
    // Those have an operation of their own.
    described.as_object_mut().unwrap().remove(tags.name);
    let expected: Artifact = serde_json::from_value(described.clone()).unwrap();
    described["ArtifactArn"] = ARN.into();
    let server = Scripted::always(http(200, "", &described.to_string()));
    let read = at(&server.url).describe(ARN).await.unwrap();
    assert_eq!(read.artifact, expected);
}

#[tokio::test]
async fn every_field_that_an_update_can_change_is_sent() {
    let server = Scripted::always(http(200, "", &format!(r#"{{"ArtifactArn":"{ARN}"}}"#)));
    let given = whole(&ARTIFACT);
    let artifact: Artifact = serde_json::from_value(given.clone()).unwrap();
    let texts = ARTIFACT.plain_texts().into_iter();
    let texts = texts.filter(|field| field.change == Change::Update);
    let texts = texts.map(|field| (field.name, artifact.texts[field.name].clone()));
    let update = Update {
        name: artifact.name.clone(),
        properties: artifact.properties.clone(),
        texts: texts.collect(),
        remove: Vec::new(),
    };
    at(&server.url).update(ARN, &update).await.unwrap();
    let mut expected = json!({ "ArtifactArn": ARN });
    for field in ARTIFACT.fields.iter().filter(|field| field.change == Change::Update) {
        expected[field.name] = given[field.name].clone();
    }
    let sent: Value = serde_json::from_str(&server.requests()[0].body).unwrap();
    assert_eq!(sent, expected);
}
