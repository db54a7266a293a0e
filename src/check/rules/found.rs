//! Findings about a text of a manifest, and the fix that writes another in its place.

use crate::diagnostic::{Draft, Findings, Fix, USED_BY_ALIAS};
use crate::manifest::Text;
use crate::manifest::write::is_plain;
use crate::source::Span;
use crate::text::secret;

/// Adds a finding, with the alias that brought the text to where it is.
pub(super) fn push(draft: Draft, text: &Text<'_>, findings: &mut Findings<'_>) {
    let draft = draft.head(text.head());
    findings.push(match text.alias {
        Some(alias) => draft.related(alias, USED_BY_ALIAS),
        None => draft,
    });
}

/// Marks credentials in a text, so that they are redacted.
pub(super) fn note_secret(text: &Text<'_>, findings: &mut Findings<'_>) {
    for range in secret::find(text.value)
        .map(|found| found.range)
        .into_iter()
        .chain(secret::ranges(text.value))
    {
        findings.hide(text.locate(range));
    }
}

/// Returns the fix that replaces `text` with `value`, if its style allows that.
pub(super) fn replaced(
    text: &Text<'_>,
    value: &str,
    fix: impl FnOnce(Span, String) -> Fix,
) -> Option<Fix> {
    let raw = text.source_slice(text.span);
    if raw.contains(['\n', '\r']) || text.block_header().is_some() {
        return None;
    }
    let written = match raw.chars().next()? {
        '"' if !value.contains(['"', '\\']) => format!("\"{value}\""),
        '\'' => format!("'{}'", value.replace('\'', "''")),
        _ if text.is_plain() && is_plain(value) => value.to_owned(),
        _ if text.is_plain() => format!("'{}'", value.replace('\'', "''")),
        _ => return None,
    };
    Some(fix(text.span, written))
}
