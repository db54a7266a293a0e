//! The artifacts of a file, for outlines.

use std::sync::Arc;

use gen_lsp_types::{DocumentSymbol, SymbolKind};

use super::client::Client;
use super::position::Places;
use crate::diagnostic::{Allowances, Findings, Levels};
use crate::manifest::{Part, RawMapping, RawValue, Visit, read};
use crate::model::Sense;
use crate::source::{SourceFile, Span};
use crate::text::{escaped, redacted};

/// The most artifacts of an outline: editors keep and draw each of them.
const MAX_ARTIFACTS: usize = 10_000;

/// Returns a symbol for each artifact of a file, and for `Defaults`.
pub(super) fn symbols(source: &Arc<SourceFile>, client: &Client) -> Vec<DocumentSymbol> {
    let levels = Levels::default();
    let mut findings = Findings::new(source, &levels, Allowances::default());
    let mut outline = Outline {
        places: Places::new(Arc::clone(source), client.encoding),
        client,
        symbols: Vec::new(),
        artifacts: 0,
    };
    read(&Part::whole(source.text()), &mut findings, &mut outline);
    outline.symbols
}

struct Outline<'o> {
    places: Places,
    client: &'o Client,
    symbols: Vec<DocumentSymbol>,
    artifacts: usize,
}

impl Outline<'_> {
    fn add(
        &mut self,
        raw: &RawMapping<'_>,
        name: String,
        detail: Option<String>,
        kind: SymbolKind,
    ) {
        let mut whole = raw.head.to(raw.item);
        whole.start = whole.start.min(raw.item.start);
        let mut children = Vec::new();
        for (field, slot) in raw.fields() {
            let Some(value) = slot.given() else { continue };
            let span = extent(value);
            whole = Span { start: whole.start.min(span.start), end: whole.end.max(span.end) };
            let range = self.places.range(span);
            let kind = if field.is_text() { SymbolKind::String } else { SymbolKind::Object };
            children.push(symbol(field.name.to_owned(), None, kind, range, range));
        }
        children.sort_by_key(|child| child.range.start);
        let selection = raw.text(Sense::Name).map_or(raw.head, |name| name.span);
        whole = Span { start: whole.start.min(selection.start), end: whole.end.max(selection.end) };
        let range = self.places.range(whole);
        let selection = self.places.range(selection);
        let mut symbol = symbol(name, detail, kind, range, selection);
        if self.client.nested_symbols && !children.is_empty() {
            symbol.children = Some(children);
        }
        self.symbols.push(symbol);
    }
}

#[expect(deprecated, reason = "the type has no other constructor")]
fn symbol(
    name: String,
    detail: Option<String>,
    kind: SymbolKind,
    range: gen_lsp_types::Range,
    selection_range: gen_lsp_types::Range,
) -> DocumentSymbol {
    DocumentSymbol {
        name,
        detail,
        kind,
        tags: None,
        deprecated: None,
        range,
        selection_range,
        children: None,
    }
}

/// Returns the bytes from the first to the last text of a value.
fn extent(value: &RawValue<'_>) -> Span {
    let join = |spans: Vec<Span>, head: Span| {
        spans.into_iter().fold(head, |all, one| Span {
            start: all.start.min(one.start),
            end: all.end.max(one.end),
        })
    };
    let fields = |mapping: &RawMapping<'_>| {
        let below: Vec<_> =
            mapping.fields().filter_map(|(_, slot)| slot.given().map(extent)).collect();
        join(below, mapping.head)
    };
    match value {
        RawValue::Text(text) => text.head().to(text.span),
        RawValue::Mapping(mapping) => fields(mapping),
        RawValue::List(items) => {
            let head = items.first().map(|item| item.head).unwrap_or_default();
            join(items.iter().map(fields).collect(), head)
        }
        RawValue::Map(entries) => {
            let spans: Vec<_> = entries
                .iter()
                .flat_map(|entry| [entry.key.given(), entry.value.given()])
                .flatten()
                .map(|text| text.span)
                .collect();
            let head = spans.first().copied().unwrap_or_default();
            join(spans, head)
        }
    }
}

impl Visit for Outline<'_> {
    fn document(&mut self) {}

    fn defaults(&mut self, defaults: &RawMapping<'_>, _: &mut Findings<'_>) {
        if !defaults.head.is_empty() {
            self.add(defaults, "Defaults".to_owned(), None, SymbolKind::Namespace);
        }
    }

    fn artifact(&mut self, raw: &RawMapping<'_>, _: &mut Findings<'_>) {
        self.artifacts += 1;
        if self.artifacts > MAX_ARTIFACTS {
            return;
        }
        let shown = |sense| {
            let text = raw.text(sense).map(|text| escaped(&redacted(text.value)));
            text.filter(|text| !text.is_empty())
        };
        let name = shown(Sense::Name).or_else(|| shown(Sense::Uri));
        let name = name.unwrap_or_else(|| format!("artifact {}", self.artifacts));
        self.add(raw, name, shown(Sense::Type), SymbolKind::Class);
    }

    fn not_an_artifact(&mut self, _: Span, _: &mut Findings<'_>) {
        self.artifacts += 1;
    }

    fn broken(&mut self) {}
}
