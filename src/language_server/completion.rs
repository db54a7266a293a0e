//! Completions: fields, values, and rules in comments.

use std::sync::Arc;

use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemTextEdit, Documentation, MarkupContent,
    MarkupKind, TextEdit,
};

use super::client::Client;
use super::describe;
use super::position::Places;
use super::spot::{Layout, Spot, Step, spot};
use crate::diagnostic::{Code, MARKER};
use crate::manifest::{ARTIFACTS, DEFAULTS};
use crate::model::{ARTIFACT, Field, Kind, Mapping, Sense, USUAL_ARTIFACT_TYPES};
use crate::source::{SourceFile, Span};

/// The mapping or the value that a path leads to.
#[derive(Debug, Clone, Copy)]
enum Target {
    Document,
    Defaults,
    /// A list of artifacts.
    Artifacts,
    Fields(&'static Mapping),
    /// The value of a field.
    Value(&'static Field),
    Unknown,
}

/// Returns what may be written at the byte `offset`.
pub(super) fn completions(
    source: &Arc<SourceFile>,
    offset: u32,
    client: &Client,
) -> Vec<CompletionItem> {
    let items = match spot(source, offset) {
        None => Vec::new(),
        Some(Spot::Key { path, present, layout, typed }) => {
            keys(&path, &present, layout).into_iter().map(|item| (item, typed)).collect()
        }
        Some(Spot::Value { path, typed, needs_space }) => {
            values(&path, needs_space).into_iter().map(|item| (item, typed)).collect()
        }
        Some(Spot::Rule(typed)) => rules().into_iter().map(|item| (item, typed)).collect(),
        Some(Spot::Comment(typed)) => {
            let text = format!("{MARKER} allow ");
            let about = "Allows a finding on this line, or on the next one that is not a comment.";
            vec![(item(&text, CompletionItemKind::Keyword, text.clone(), about.to_owned()), typed)]
        }
    };
    let places = Places::new(Arc::clone(source), client.encoding);
    let numbered = items.into_iter().enumerate();
    numbered.map(|(number, (item, typed))| placed(item, number, typed, &places, client)).collect()
}

fn item(label: &str, kind: CompletionItemKind, text: String, about: String) -> CompletionItem {
    CompletionItem {
        label: label.trim_end().to_owned(),
        kind: Some(kind),
        insert_text: Some(text),
        documentation: Some(about.into()),
        ..CompletionItem::default()
    }
}

/// Returns an item that replaces `typed`, and stays in this order.
fn placed(
    mut item: CompletionItem,
    number: usize,
    typed: Span,
    places: &Places,
    client: &Client,
) -> CompletionItem {
    let new_text = item.insert_text.take().unwrap_or_default();
    if client.completions_in_markdown
        && let Some(Documentation::String(value)) = item.documentation.take()
    {
        let kind = MarkupKind::Markdown;
        item.documentation = Some(MarkupContent { kind, value }.into());
    }
    let range = places.range(typed);
    item.text_edit = Some(CompletionItemTextEdit::TextEdit(TextEdit { range, new_text }));
    item.filter_text = Some(item.label.clone());
    item.sort_text = Some(format!("{number:03}"));
    item
}

fn target(path: &[Step]) -> Target {
    path.iter().fold(Target::Document, |target, step| match (target, step) {
        (Target::Document | Target::Artifacts, Step::Item) => Target::Fields(&ARTIFACT),
        (Target::Document, Step::Key(key)) if key == DEFAULTS => Target::Defaults,
        (Target::Document, Step::Key(key)) if key == ARTIFACTS => Target::Artifacts,
        (Target::Document | Target::Defaults, Step::Key(key)) => below(&ARTIFACT, key),
        (Target::Fields(mapping), Step::Key(key)) => below(mapping, key),
        (Target::Value(field), Step::Item) => match field.kind {
            Kind::Pairs { item, .. } => Target::Fields(item),
            _ => Target::Unknown,
        },
        _ => Target::Unknown,
    })
}

fn below(mapping: &Mapping, key: &str) -> Target {
    match mapping.field(key).map(|field| (field, field.kind)) {
        Some((_, Kind::Mapping(below))) => Target::Fields(below),
        Some((field, _)) => Target::Value(field),
        None => Target::Unknown,
    }
}

fn keys(path: &[Step], present: &[String], layout: Layout) -> Vec<CompletionItem> {
    let (fields, wrappers): (Vec<&Field>, bool) = match target(path) {
        Target::Document => (ARTIFACT.fields.iter().collect(), layout != Layout::Flow),
        Target::Defaults => (ARTIFACT.fields.iter().filter(|field| field.shared).collect(), false),
        Target::Fields(mapping) => (mapping.fields.iter().collect(), false),
        Target::Artifacts | Target::Value(_) | Target::Unknown => return Vec::new(),
    };
    let is_new = |name: &str| !present.iter().any(|key| key == name);
    // What is required comes first.
    let (mut first, rest): (Vec<&Field>, Vec<&Field>) =
        fields.into_iter().filter(|field| is_new(field.name)).partition(|field| field.required);
    first.extend(rest);
    let mut items: Vec<_> = first
        .into_iter()
        .map(|field| {
            let text = format!("{}{}", field.name, behind(field, layout));
            item(field.name, CompletionItemKind::Field, text, describe::field(field))
        })
        .collect();
    let has = |name: &str| present.iter().any(|key| key == name);
    // Beside the fields of an artifact, neither is one.
    let alone = present.iter().all(|key| key == DEFAULTS || key == ARTIFACTS);
    for name in [DEFAULTS, ARTIFACTS].into_iter().filter(|name| wrappers && alone && !has(name)) {
        let colon = if layout == Layout::Bare { "" } else { ":" };
        let text = format!("{name}{colon}");
        let about = describe::wrapper(name).unwrap_or_default().to_owned();
        items.push(item(name, CompletionItemKind::Module, text, about));
    }
    if alone && !present.is_empty() && wrappers {
        items.retain(|item| item.kind == Some(CompletionItemKind::Module));
    }
    items
}

/// Returns what follows the name of a field. It stays on the line: not every editor inserts several.
const fn behind(field: &Field, layout: Layout) -> &'static str {
    match layout {
        Layout::Bare => "",
        Layout::Flow => ": ",
        Layout::Block => match field.kind {
            Kind::Text(_) | Kind::Choice(_) => ": ",
            Kind::Mapping(_) | Kind::Map { .. } | Kind::Pairs { .. } => ":",
        },
    }
}

fn values(path: &[Step], needs_space: bool) -> Vec<CompletionItem> {
    let Target::Value(field) = target(path) else { return Vec::new() };
    let values: &[&str] = match field.kind {
        Kind::Choice(choices) => choices,
        Kind::Text(_) if field.sense == Sense::Type => &USUAL_ARTIFACT_TYPES,
        _ => &[],
    };
    let space = if needs_space { " " } else { "" };
    let about = describe::field(field);
    let kind = CompletionItemKind::EnumMember;
    values.iter().map(|value| item(value, kind, format!("{space}{value}"), about.clone())).collect()
}

/// Returns the rules that a comment can allow.
fn rules() -> Vec<CompletionItem> {
    let codes =
        Code::ALL.iter().filter(|code| code.can_be_changed() && **code != Code::UnusedAllow);
    codes
        .map(|code| {
            let name = code.as_str();
            item(name, CompletionItemKind::Constant, name.to_owned(), describe::rule(*code))
        })
        .collect()
}
