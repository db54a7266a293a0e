//! One artifact, with everything that the registry knows of it.

use askama::Template;
use serde_json::Value;

use super::{Layout, filters};
use crate::registry::store::Row;

/// The page at `/_lineload/artifact`.
#[derive(Template)]
#[template(path = "registry/page/artifact.html")]
pub(super) struct Artifact<'p> {
    pub(super) layout: Layout,
    row: &'p Row,
    source_types: Vec<(String, String)>,
    properties: Vec<(String, String)>,
    metadata: Vec<(String, String)>,
    tags: &'p [(String, String)],
}

impl<'p> Artifact<'p> {
    pub(super) fn new(row: &'p Row, tags: &'p [(String, String)]) -> Self {
        Self {
            layout: Layout::new(row.name.as_deref().unwrap_or(&row.arn)),
            row,
            source_types: source_types(&row.source_types),
            properties: entries(&row.properties),
            metadata: entries(&row.metadata),
            tags,
        }
    }
}

fn source_types(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let list = list.as_array().into_iter().flatten();
    list.map(|one| (text(one, "SourceIdType"), text(one, "Value"))).collect()
}

fn entries(map: &Value) -> Vec<(String, String)> {
    let entries = map.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}
