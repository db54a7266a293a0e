//! Hovers: the findings at a place, or the field.

use std::sync::Arc;

use gen_lsp_types::{Contents, Hover, MarkupContent, MarkupKind};

use super::client::Client;
use super::context::value_at;
use super::describe;
use super::position::Places;
use super::spot::allowed_code;
use super::workspace::Checked;

/// Returns what is to be said of the byte `offset`.
pub(super) fn hover(checked: &Checked, offset: u32, client: &Client) -> Option<Hover> {
    let source = &checked.source;
    let at: Vec<_> = checked
        .findings
        .iter()
        .filter_map(|finding| Some((finding, finding.region?.span())))
        .filter(|(_, span)| span.touches(offset))
        .collect();
    let mut texts: Vec<String> = at.iter().map(|(finding, _)| describe::finding(finding)).collect();
    let mut span = at.first().map(|(_, span)| *span);
    if let Some((code, at)) = allowed_code(source, offset) {
        texts.push(describe::rule(code));
        span = span.or(Some(at));
    } else if let Some(value) = value_at(source.text(), offset) {
        match value.field {
            Some(field) => texts.push(describe::field(field)),
            None => {
                let name = source.slice(value.span);
                let about = describe::wrapper(name).map(|about| format!("**{name}**\n\n{about}"));
                texts.extend(about);
            }
        }
        span = span.or(Some(value.span));
    }
    if texts.is_empty() {
        return None;
    }
    let kind = if client.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    let value = texts.join("\n---\n\n");
    Some(Hover {
        contents: Contents::MarkupContent(MarkupContent { kind, value }),
        range: span.map(|span| Places::new(Arc::clone(source), client.encoding).range(span)),
    })
}
