//! One artifact, with everything that the registry knows of it.

use askama::Template;
use serde_json::Value;

use super::{Layout, filters};
use crate::model::{ARTIFACT, Kind, Mapping, Sense};
use crate::registry::pairs::pairs;
use crate::registry::store::Row;

/// The page at `/_lineload/artifact`.
#[derive(Template)]
#[template(path = "registry/page/artifact.html")]
pub(super) struct Artifact<'p> {
    pub(super) layout: Layout,
    row: &'p Row,
    /// The texts of the artifact itself and of its source.
    texts: Vec<(&'static str, &'p str)>,
    /// All else, by the names of the fields.
    parts: Vec<(&'static str, Vec<(String, String)>)>,
}

impl<'p> Artifact<'p> {
    pub(super) fn new(row: &'p Row, tags: &[(String, String)]) -> Self {
        let mut page = Self {
            layout: Layout::new(row.name.as_deref().unwrap_or(&row.arn)),
            row,
            texts: Vec::new(),
            parts: Vec::new(),
        };
        page.add(&ARTIFACT, tags);
        page
    }

    fn add(&mut self, mapping: &Mapping, tags: &[(String, String)]) {
        for field in mapping.fields.iter().filter(|field| field.sense != Sense::Name) {
            match field.kind {
                Kind::Text(_) | Kind::Choice(_) => {
                    self.texts.extend(self.row.text(field).map(|text| (field.name, text)));
                }
                Kind::Mapping(below) if below.of_sense(Sense::Uri).is_some() => {
                    self.add(below, tags);
                }
                Kind::Mapping(below) => {
                    let pairs = below.fields.iter().filter_map(|field| {
                        Some((field.name.to_owned(), self.row.text(field)?.to_owned()))
                    });
                    self.parts.push((field.name, pairs.collect()));
                }
                Kind::Pairs { .. } if field.sense == Sense::Tags => {
                    self.parts.push((field.name, tags.to_vec()));
                }
                Kind::Pairs { item, .. } => {
                    let types = pairs(Some(&self.row.source_types), item);
                    self.parts.push((field.name, types));
                }
                Kind::Map { .. } => self.parts.push((field.name, entries(&self.row.properties))),
            }
        }
    }
}

fn entries(map: &Value) -> Vec<(String, String)> {
    let entries = map.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}
