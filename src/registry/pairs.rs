//! Lists of mappings of two texts, as the service has them for tags and source types.

use serde_json::{Value, json};

use crate::model::{Field, Mapping};

/// Returns the two texts of each item of a list.
pub(super) fn pairs(list: Option<&Value>, of: &Mapping) -> Vec<(String, String)> {
    let [first, second] = of.fields else { return Vec::new() };
    let items = list.and_then(Value::as_array).into_iter().flatten();
    let text = |item: &Value, field: &Field| item.get(field.name)?.as_str().map(str::to_owned);
    items.filter_map(|item| Some((text(item, first)?, text(item, second)?))).collect()
}

/// Returns the list of which [`pairs`] are the two texts of each item.
pub(super) fn items(pairs: &[(String, String)], of: &Mapping) -> Value {
    let [first, second] = of.fields else { return Value::Null };
    pairs.iter().map(|(one, other)| json!({ first.name: one, second.name: other })).collect()
}
