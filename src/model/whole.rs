//! A value of its own in every field, for tests that a field which is added to a table is nowhere lost.

use serde_json::{Map, Value, json};

use super::{Field, Kind, Mapping, Sense};

/// Returns an entity of the table `mapping` that has every field. Each text differs from all others.
pub(crate) fn whole(mapping: &Mapping) -> Value {
    below(mapping, "x")
}

fn below(mapping: &Mapping, path: &str) -> Value {
    let fields = mapping.fields.iter();
    let fields = fields.map(|field| (field.name.to_owned(), value(field, path)));
    Value::Object(fields.collect::<Map<String, Value>>())
}

fn value(field: &Field, path: &str) -> Value {
    let path = format!("{path}-{}", field.name);
    match field.kind {
        Kind::Text(_) if field.sense == Sense::Uri => format!("s3://{path}").into(),
        Kind::Text(_) => path.into(),
        Kind::Choice(choices) => choices[0].into(),
        Kind::Mapping(mapping) => below(mapping, &path),
        Kind::Pairs { item, .. } => json!([below(item, &path)]),
        Kind::Map { .. } => json!({ "key": path }),
    }
}
