//! Checks of the length and pattern of a text.

use std::borrow::Cow;

use super::content::Content;
use super::found::{push, replaced};
use crate::diagnostic::{Code, Draft, Edit, Findings, Fix, Pointer, Safety};
use crate::manifest::Text;
use crate::model::{Field, Kind, Pattern, TextLimit, Violation, is_line_terminator};
use crate::source::Span;
use crate::text::{any, counted, grouped, quoted};

/// A limit, and what its findings are called.
pub(super) struct Rule<'n> {
    name: &'n str,
    /// The key of the value, if users choose it.
    key: Option<&'n str>,
    limit: TextLimit,
    /// True if no fix is offered, since its result would be another key of the mapping.
    collides: bool,
}

impl<'n> Rule<'n> {
    /// The rule that the field `name` keeps `limit`.
    pub(super) const fn new(name: &'n str, limit: TextLimit) -> Self {
        Self { name, key: None, limit, collides: false }
    }

    /// Returns the rule for the texts of `field`, if it holds free text.
    pub(super) const fn of_field(field: &Field) -> Option<Self> {
        match field.kind {
            Kind::Text(limit) => Some(Self::new(field.name, limit)),
            _ => None,
        }
    }

    /// The rule about a length out of bounds.
    fn length(&self) -> Code {
        Code::from_name(self.limit.rule).unwrap_or(Code::PropertyValueLength)
    }

    /// Returns the same rule for the value of a property or tag with the key `key`.
    pub(super) const fn of(mut self, key: &'n str) -> Self {
        self.key = Some(key);
        self
    }

    /// Returns the same rule without fixes if `collides`: they would make the text equal to another.
    pub(super) const fn colliding(mut self, collides: bool) -> Self {
        self.collides = collides;
        self
    }

    /// Checks `text`, and returns whether it keeps the rule. Each violation is a finding.
    pub(super) fn check(
        &self,
        text: &Text<'_>,
        path: &Pointer<'_>,
        findings: &mut Findings<'_>,
    ) -> bool {
        let errors = findings.errors();
        let violations = self.limit.violations(text.value);
        for violation in &violations {
            let mut draft = self.draft_of(text, violation).at(path);
            if self.collides {
                draft = draft.fix(None);
            }
            push(draft, text, findings);
        }
        let mut content = Content::new(self.name, self.key);
        content.characters_reported =
            violations.iter().any(|one| matches!(one, Violation::Pattern { .. }));
        content.collides = self.collides;
        content.check(text, path, findings);
        findings.errors() == errors
    }

    /// Returns the finding for one violation.
    pub(super) fn draft_of(&self, text: &Text<'_>, violation: &Violation) -> Draft {
        let name = if self.name.contains('`') { self.name.to_owned() } else { quoted(self.name) };
        let TextLimit { min, max, pattern, .. } = self.limit;
        match violation {
            Violation::TooShort { length: 0 } => {
                Draft::new(self.length(), text.span, format!("{name} is empty"))
                    .help(format!("write at least {}", counted(min, "character")))
            }
            Violation::TooShort { length } => {
                let message = format!("{name} has {}", counted(*length, "character"));
                Draft::new(self.length(), text.span, message)
                    .help(format!("write at least {}", counted(min, "character")))
            }
            Violation::TooLong { length, excess } => {
                let span = first_line(text, text.locate(excess.clone()));
                let message = format!(
                    "{name} has {} characters; the limit is {}",
                    grouped(*length as u64),
                    grouped(max as u64)
                );
                Draft::new(self.length(), span, message)
                    .label(format!("character {} and later", grouped(max as u64 + 1)))
                    .help(format!("shorten it by {}", counted(length - max, "character")))
                    .fix(self.cut(text, excess.start))
            }
            Violation::Pattern { offending } => {
                let span = text.locate(offending.clone());
                match pattern {
                    Some(Pattern::TagText) => tag_text(&name, text, span, max),
                    _ => line_break(&name, text, span),
                }
            }
        }
    }

    /// Returns the fix that truncates free text after its last word that fits. A truncated
    /// identifier (a URI, a key, a digest) would name something else.
    fn cut(&self, text: &Text<'_>, end: usize) -> Option<Fix> {
        let is_prose = matches!(
            self.length(),
            Code::PropertyValueLength | Code::MetadataLength | Code::TagValueLength
        );
        let mark = if self.length() == Code::TagValueLength { "" } else { "…" };
        let fits = text.value.get(..end).filter(|_| is_prose)?;
        let fits = if mark.is_empty() { fits } else { &fits[..fits.char_indices().next_back()?.0] };
        let words = fits.rfind(char::is_whitespace).filter(|at| fits.len() - at <= LONGEST_WORD);
        let from = words.map_or(fits, |at| &fits[..at]).trim_end().len();
        let span = text.locate(from..text.value.len());
        // If the place is unknown, the whole value would be removed.
        (from > 0 && span.start > text.span.start).then(|| Fix::unsafely(span, mark))
    }
}

/// Returns a text as fixes of its spaces would write it.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_whitespace) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Returns the text of a tag as fixes would write it.
pub(super) fn plain_tag(text: &str) -> Cow<'_, str> {
    let is_sound = Pattern::TagText.offending(text).is_none();
    // Most are.
    match (!is_sound).then(|| near_tag(text)).flatten() {
        Some(near) => Cow::Owned(plain(&near).into_owned()),
        None => plain(text),
    }
}

/// A word longer than this may be cut.
const LONGEST_WORD: usize = 80;

/// Returns the first line of a value with several lines, which is underlined.
fn first_line(text: &Text<'_>, span: Span) -> Span {
    let head = text.span.start as usize;
    let raw = text.source_slice(span);
    let length = raw.find(['\n', '\r']).filter(|length| *length > 0).unwrap_or(raw.len());
    let start = (span.start as usize).max(head);
    Span::new(start..start + length)
}

/// Returns one finding for all characters that a tag cannot have.
fn tag_text(name: &str, text: &Text<'_>, span: Span, max: usize) -> Draft {
    let runs = Pattern::TagText.all_offending(text.value);
    let mut held: Vec<String> = Vec::new();
    for found in runs.iter().map(|run| quoted(&text.value[run.clone()])) {
        if !held.contains(&found) {
            held.push(found);
        }
    }
    let message = format!("{name} of a tag cannot contain {}", any(&held));
    let fits = |near: &String| !near.is_empty() && near.chars().count() <= max;
    let near = near_tag(text.value).filter(fits);
    let fix = near.and_then(|near| replaced(text, &near, Fix::unsafely));
    let mut draft = Draft::new(Code::TagPattern, span, message)
        .label("not allowed in a tag")
        .help("use letters, digits, spaces and any of `_ . : / = + - @`")
        .fix(fix);
    for run in runs.into_iter().skip(1).take(SHOWN) {
        draft = draft.related(text.locate(run), "not allowed here either");
    }
    draft
}

/// Places of one text that are shown.
const SHOWN: usize = 8;

/// Returns a valid tag text that is similar to `text`.
fn near_tag(text: &str) -> Option<String> {
    let mut near = String::new();
    let mut end = 0;
    for run in Pattern::TagText.all_offending(text) {
        near.push_str(&text[end..run.start]);
        for c in text[run.clone()].chars() {
            match c {
                '&' => near.push_str("and"),
                '|' | '\\' | '~' | '–' | '—' => near.push('-'),
                c if c.is_whitespace() => near.push(' '),
                _ => {}
            }
        }
        end = run.end;
    }
    near.push_str(&text[end..]);
    let words: Vec<_> = near.split(' ').filter(|word| !word.is_empty()).collect();
    let near = words.join(" ");
    crate::model::TAG_KEY
        .pattern
        .is_none_or(|pattern| pattern.offending(&near).is_none())
        .then_some(near)
}

/// Reports a line break. That `.*` stops there is inferred from the service being written in Java.
fn line_break(name: &str, text: &Text<'_>, span: Span) -> Draft {
    let ends = text.value.trim_end_matches(['\n', '\r']);
    let only_at_end = ends.len() < text.value.len() && !ends.contains(is_line_terminator);
    let header = text.block_header();
    let edit = match header {
        Some(header) if only_at_end => {
            format!("write `{0}-` instead of `{header}` to drop the final line break", &header[..1])
        }
        Some(_) => "write `>-` to join the lines with spaces".to_owned(),
        None if only_at_end => "remove the line break at the end".to_owned(),
        None => "write the text on one line".to_owned(),
    };
    let help = format!(
        "{edit}; that the service requires a single line is inferred from its pattern `.*`, not \
         confirmed on a live account"
    );
    let message = format!("{name} contains a line break; the service accepts a single line");
    let fix = match (header, text.header_span()) {
        (Some(header), Some(span)) if only_at_end => {
            let kept: String = header.chars().filter(|c| *c != '+').collect();
            Some(Fix::safe(span, format!("{kept}-")))
        }
        (None, _) if only_at_end && span != text.span => {
            Some(Fix::safe(text.locate(ends.len()..text.value.len()), ""))
        }
        _ => joined(text),
    };
    Draft::new(Code::LineBreak, span, message).label("the line ends here").help(help).fix(fix)
}

/// Returns the fix that joins the lines of a text with spaces.
fn joined(text: &Text<'_>) -> Option<Fix> {
    let value = text.value.trim_end_matches(['\n', '\r']);
    let (Some(header), Some(header_span)) = (text.block_header(), text.header_span()) else {
        // The line breaks are escapes, or empty lines inside quotes.
        let mut edits: Vec<Edit> = Vec::new();
        for run in Pattern::SingleLine.all_offending(text.value) {
            let at_end = run.end == text.value.len();
            let span = text.locate(run);
            if span == text.span {
                return None;
            }
            let text = if at_end { "" } else { " " };
            if edits.last().is_none_or(|last| last.span != span) {
                edits.push(Edit { span, text: text.to_owned() });
            }
        }
        return Some(Fix::new(Safety::Unsafe, edits));
    };
    let lines: Vec<_> = value.split(['\n', '\r']).collect();
    let plain = |line: &&str| !line.trim().is_empty() && !line.starts_with([' ', '\t']);
    let folds = lines.iter().all(plain) && !value.contains(['\u{85}', '\u{2028}', '\u{2029}']);
    if folds && header.starts_with('|') {
        // `>` joins lines that have neither an empty line nor more indentation between them.
        let kept: String = header.chars().skip(1).filter(char::is_ascii_digit).collect();
        return Some(Fix::unsafely(header_span, format!(">{kept}-")));
    }
    let words = value.split(is_line_terminator).map(str::trim).filter(|line| !line.is_empty());
    let joined = words.collect::<Vec<_>>().join(" ");
    if joined.is_empty() || joined.contains(|c: char| c.is_control()) {
        return None;
    }
    let span = header_span.to(text.span);
    // A comment behind the header would be lost.
    let head = text.source_slice(Span { start: header_span.end, end: text.span.start });
    let written = format!("'{}'", joined.replace('\'', "''"));
    head.trim().is_empty().then(|| Fix::unsafely(span, written))
}
