//! Length and pattern of a text, as every field has them.

use super::content::Content;
use crate::diagnostic::words::{counted, grouped, quoted};
use crate::diagnostic::{Code, Draft, Findings, Fix, Pointer, USED_BY_ALIAS};
use crate::limits::{Pattern, TextLimit, Violation};
use crate::manifest::Text;
use crate::source::Span;

/// A limit, and what its findings are called.
pub(super) struct Rule<'n> {
    name: &'n str,
    /// What the text is the value of, where users choose that.
    key: Option<&'n str>,
    limit: TextLimit,
    length: Code,
}

impl<'n> Rule<'n> {
    /// The rule that the field `name` keeps `limit`. A length out of bounds is `length`.
    pub(super) const fn new(name: &'n str, limit: TextLimit, length: Code) -> Self {
        Self { name, key: None, limit, length }
    }

    /// The same for the value of a property or tag with the key `key`.
    pub(super) const fn of(mut self, key: &'n str) -> Self {
        self.key = Some(key);
        self
    }

    /// Whether `text` keeps the rule. Each way in which it does not is a finding.
    pub(super) fn check(
        &self,
        text: &Text<'_>,
        path: &Pointer<'_>,
        findings: &mut Findings<'_>,
    ) -> bool {
        let errors = findings.errors();
        let violations = self.limit.violations(text.value);
        for violation in &violations {
            let draft = self.draft_of(text, violation).at(path);
            push(draft, text, findings);
        }
        let mut content = Content::new(self.name, self.key);
        content.characters_told =
            violations.iter().any(|one| matches!(one, Violation::Pattern { .. }));
        content.check(text, path, findings);
        findings.errors() == errors
    }

    /// The finding for one violation.
    pub(super) fn draft_of(&self, text: &Text<'_>, violation: &Violation) -> Draft {
        let name = if self.name.contains('`') { self.name.to_owned() } else { quoted(self.name) };
        let TextLimit { min, max, pattern, .. } = self.limit;
        match violation {
            Violation::TooShort { length: 0 } => {
                Draft::new(self.length, text.span, format!("{name} is empty"))
                    .help(format!("write at least {}", counted(min, "character")))
            }
            Violation::TooShort { length } => {
                let message = format!("{name} has {}", counted(*length, "character"));
                Draft::new(self.length, text.span, message)
                    .help(format!("write at least {}", counted(min, "character")))
            }
            Violation::TooLong { length, excess } => {
                let span = first_line(text, text.locate(excess.clone()));
                let message = format!(
                    "{name} has {} characters, and the service takes {}",
                    grouped(*length as u64),
                    grouped(max as u64)
                );
                Draft::new(self.length, span, message)
                    .label(format!("from character {} on", grouped(max as u64 + 1)))
                    .help(format!("shorten it by {}", counted(length - max, "character")))
            }
            Violation::Pattern { offending } => {
                let span = text.locate(offending.clone());
                match pattern {
                    Some(Pattern::TagText) => tag_text(&name, text, offending, span),
                    _ => line_break(&name, text, span),
                }
            }
        }
    }
}

/// Takes a finding in, with the alias that brought the text to where it is.
pub(super) fn push(draft: Draft, text: &Text<'_>, findings: &mut Findings<'_>) {
    let draft = draft.head(text.head());
    findings.push(match text.alias {
        Some(alias) => draft.related(alias, USED_BY_ALIAS),
        None => draft,
    });
}

/// Remembers a credential in a text that has no place for one.
pub(super) fn note_secret(text: &Text<'_>, findings: &mut Findings<'_>) {
    if let Some(found) = crate::diagnostic::secret::find(text.value) {
        findings.hide(text.locate(found.range));
    }
}

/// The fix that writes `value` in place of `text`, if it is written in a way that allows it.
pub(super) fn replaced(
    text: &Text<'_>,
    value: &str,
    fix: impl FnOnce(Span, String) -> Fix,
) -> Option<Fix> {
    let raw = text.source_slice(text.span);
    let written = match raw.chars().next()? {
        quote @ ('"' | '\'') => format!("{quote}{value}{quote}"),
        _ if text.is_plain() && !raw.contains(['\n', '\r']) => value.to_owned(),
        _ => return None,
    };
    Some(fix(text.span, written))
}

/// A value of many lines is underlined on the first of them.
fn first_line(text: &Text<'_>, span: Span) -> Span {
    let head = text.span.start as usize;
    let raw = text.source_slice(span);
    let length = raw.find(['\n', '\r']).filter(|length| *length > 0).unwrap_or(raw.len());
    let start = (span.start as usize).max(head);
    Span::new(start..start + length)
}

fn tag_text(name: &str, text: &Text<'_>, offending: &std::ops::Range<usize>, span: Span) -> Draft {
    let found = quoted(&text.value[offending.clone()]);
    Draft::new(Code::TagPattern, span, format!("{name} of a tag cannot hold {found}"))
        .label("not in a tag")
        .help("use letters, digits, blanks and any of `_ . : / = + - @`")
}

/// That `.*` stops at a line break is read from the service being written in Java.
fn line_break(name: &str, text: &Text<'_>, span: Span) -> Draft {
    let ends = text.value.trim_end_matches(['\n', '\r']);
    let only_at_end = ends.len() < text.value.len() && !ends.contains(['\n', '\r']);
    let header = text.block_header();
    let edit = match header {
        Some(header) if only_at_end => {
            format!(
                "write `{0}-` instead of `{header}`, which leaves the last line break out",
                &header[..1]
            )
        }
        Some(_) => "write `>-`, which joins the lines with blanks".to_owned(),
        None if only_at_end => "leave the line break at its end out".to_owned(),
        None => "write the text on one line".to_owned(),
    };
    let help = format!(
        "{edit}; that one line is wanted is read from the pattern `.*`, not confirmed on a live account"
    );
    let message = format!("{name} holds a line break, and the service takes one line");
    let fix = match (header, text.header_span()) {
        (Some(header), Some(span)) if only_at_end => {
            let kept: String = header.chars().filter(|c| *c != '+').collect();
            Some(Fix::safe(span, format!("{kept}-")))
        }
        (None, _) if only_at_end && span != text.span => {
            Some(Fix::safe(text.locate(ends.len()..text.value.len()), ""))
        }
        _ => None,
    };
    Draft::new(Code::LineBreak, span, message).label("the line ends here").help(help).fix(fix)
}
