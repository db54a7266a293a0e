//! An artifact as JSON, by the table of its fields: what digests are made of, and what the service
//! takes.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Artifact;
use crate::model::{ARTIFACT, Kind, Mapping};

impl Serialize for Artifact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields { mapping: &ARTIFACT, artifact: self, canonical: false }.serialize(serializer)
    }
}

/// An artifact in the form that its digest is made of: tags and source types are sorted, and the
/// latter have no duplicates.
pub(super) struct Canonical<'a>(pub(super) &'a Artifact);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields { mapping: &ARTIFACT, artifact: self.0, canonical: true }.serialize(serializer)
    }
}

/// The fields of a mapping that are set.
struct Fields<'a> {
    mapping: &'static Mapping,
    artifact: &'a Artifact,
    canonical: bool,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { mapping, artifact, canonical } = *self;
        let mut map = serializer.serialize_map(None)?;
        for field in mapping.texts_first().filter(|field| artifact.has(field)) {
            let name = field.name;
            match field.kind {
                Kind::Text(_) | Kind::Choice(_) => {
                    map.serialize_entry(name, &artifact.text(field))?;
                }
                Kind::Mapping(below) => {
                    let fields = Fields { mapping: below, artifact, canonical };
                    map.serialize_entry(name, &fields)?;
                }
                Kind::Pairs { item, keyed, .. } => {
                    let mut entries = artifact.entries(field);
                    if canonical {
                        entries.sort_unstable();
                        if !keyed {
                            entries.dedup();
                        }
                    }
                    map.serialize_entry(name, &Items(item, entries))?;
                }
                // It is sorted by key.
                Kind::Map { .. } => map.serialize_entry(name, &artifact.properties)?,
            }
        }
        map.end()
    }
}

/// A list of mappings of two texts.
struct Items<'a>(&'static Mapping, Vec<(&'a str, &'a str)>);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.1.len()))?;
        for (key, value) in &self.1 {
            list.serialize_element(&Item(self.0, [key, value]))?;
        }
        list.end()
    }
}

struct Item<'a>(&'static Mapping, [&'a str; 2]);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.fields.iter().map(|field| field.name);
        serializer.collect_map(fields.zip(self.1))
    }
}

impl<'de> Deserialize<'de> for Artifact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::deserialize(deserializer)?;
        let mut artifact = Self::default();
        fill(&mut artifact, &ARTIFACT, fields).map_err(D::Error::custom)?;
        Ok(artifact)
    }
}

/// A value in the form of JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Mapping(BTreeMap<String, Written>),
    List(Vec<BTreeMap<String, String>>),
}

fn fill(
    artifact: &mut Artifact,
    mapping: &'static Mapping,
    mut fields: BTreeMap<String, Written>,
) -> Result<(), String> {
    for field in mapping.fields {
        let name = field.name;
        match (field.kind, fields.remove(name)) {
            (_, None) if field.required => return Err(format!("missing field `{name}`")),
            (_, None) => {}
            (Kind::Text(_) | Kind::Choice(_), Some(Written::Text(text))) => {
                artifact.set(field, text);
            }
            (Kind::Mapping(below), Some(Written::Mapping(fields))) => {
                fill(artifact, below, fields)?;
            }
            (Kind::Map { .. }, Some(Written::Mapping(entries))) => {
                for (key, value) in entries {
                    let Written::Text(value) = value else {
                        return Err(format!("`{name}.{key}` is not a string"));
                    };
                    artifact.insert(field, key, value);
                }
            }
            (Kind::Pairs { item, .. }, Some(Written::List(items))) => {
                for mut one in items {
                    let mut text = |at: usize| one.remove(item.fields.get(at)?.name);
                    let (Some(key), Some(value)) = (text(0), text(1)) else {
                        return Err(format!("an item of `{name}` lacks a field"));
                    };
                    artifact.insert(field, key, value);
                }
            }
            _ => return Err(format!("`{name}` is of the wrong kind")),
        }
    }
    match fields.pop_first() {
        Some((name, _)) => Err(format!("unknown field `{name}`")),
        None => Ok(()),
    }
}
