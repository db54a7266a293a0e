//! Checks of every value, whatever its field: credentials, invisible characters, spaces at its
//! ends, unfilled placeholders.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::found::{note_secret, push};
use crate::diagnostic::{Code, Draft, Edit, Findings, Fix, Pointer, Safety};
use crate::manifest::Text;
use crate::model::is_line_terminator;
use crate::source::Span;
use crate::text::{compile, is_printable, list, odd_space, quoted, secret};

/// The content of one value.
pub(super) struct Content<'n> {
    name: &'n str,
    key: Option<&'n str>,
    /// True if the characters of the value have a finding already.
    pub(super) characters_reported: bool,
    /// True if no fix is offered, since its result would be another key of the mapping.
    pub(super) collides: bool,
}

impl<'n> Content<'n> {
    /// Returns the value of the field `name`, or of the property or tag `key`.
    pub(super) const fn new(name: &'n str, key: Option<&'n str>) -> Self {
        Self { name, key, characters_reported: false, collides: false }
    }

    pub(super) fn check(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let value = text.value;
        let is_secret = self.credential(text, path, findings);
        if !self.characters_reported
            && !value.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\n'))
        {
            self.invisible(text, path, findings);
        }
        let line = value.trim_end_matches(['\n', '\r']);
        if line.starts_with(is_space) || line.ends_with(is_space) {
            self.outer_spaces(text, path, findings);
        }
        if !is_secret && memchr::memchr3(b'$', b'{', b'<', value.as_bytes()).is_some() {
            self.template(text, path, findings);
        }
    }

    fn called(&self) -> String {
        if self.name.contains('`') { self.name.to_owned() } else { quoted(self.name) }
    }

    fn credential(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) -> bool {
        let found = findings.secret_in(text.value);
        let (span, what) = match &found {
            Some(found) => (text.locate(found.range.clone()), found.kind),
            None if self.key.is_some_and(|key| secret::is_named(key, text.value)) => {
                (text.span, secret::NAMED)
            }
            None => return false,
        };
        findings.hide(span);
        if found.is_some() {
            // There may be more than the one that is reported.
            note_secret(text, findings);
        }
        let name = self.key.map_or_else(|| self.called(), quoted);
        let draft = Draft::new(Code::Credential, span, format!("{name} contains {what}"))
            .help(secret::HELP)
            .at(path);
        push(draft, text, findings);
        true
    }

    fn invisible(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let Some(range) = unseen(text.value) else { return };
        let found = text.value[range.clone()].chars().next().unwrap_or_default();
        let name = self.called();
        let message = format!("{name} contains the invisible character U+{:04X}", u32::from(found));
        let draft = Draft::new(Code::InvisibleCharacter, text.locate(range), message)
            .help("remove it: a search for the visible text would not find this value")
            .at(path);
        push(draft, text, findings);
    }

    /// Spaces at the ends of a text. A line break after them is ignored: another rule reports it,
    /// and its fix must not leave a new finding.
    fn outer_spaces(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let line = text.value.trim_end_matches(['\n', '\r']);
        let inner = line.trim_matches(is_space);
        let name = self.called();
        if inner.is_empty() {
            let draft = Draft::new(
                Code::OuterBlank,
                text.span,
                format!(
                    "{name} consists of \
                                                                         spaces only"
                ),
            );
            let draft = draft.help("write a value, or remove the line").at(path);
            push(draft, text, findings);
            return;
        }
        let leading = line.len() - line.trim_start_matches(is_space).len();
        let ends = [(0..leading, "begins"), (leading + inner.len()..line.len(), "ends")];
        for (range, verb) in ends.into_iter().filter(|(range, _)| !range.is_empty()) {
            let what = space_name(&line[range.clone()]);
            let span = text.locate(range);
            let source = text.source_slice(span);
            let exact = span != text.span && source.chars().all(is_space);
            let edits = vec![Edit { span, text: String::new() }];
            // Without quotes, YAML strips ASCII spaces, so another space at the end is an accident.
            let safety = if text.is_plain() { Safety::Safe } else { Safety::Unsafe };
            let fix = (exact && !self.collides).then_some(Fix::new(safety, edits));
            let draft = Draft::new(Code::OuterBlank, span, format!("{name} {verb} with {what}"))
                .help("remove it: values that differ only in this look the same")
                .fix(fix)
                .at(path);
            push(draft, text, findings);
        }
    }

    /// One finding for all placeholders of a text.
    fn template(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        // In prose, `<b>` is more often markup than a placeholder.
        let angled = self.key.is_none();
        let mut found = placeholders(text.value, angled).into_iter();
        let Some(first) = found.next() else { return };
        let span: Span = text.locate(first.clone());
        let mut names = vec![quoted(&text.value[first])];
        let mut others = Vec::new();
        for range in found {
            let name = quoted(&text.value[range.clone()]);
            if !names.contains(&name) && names.len() < SHOWN {
                names.push(name);
                others.push(text.locate(range));
            }
        }
        let name = self.called();
        let what = if names.len() == 1 { "placeholder" } else { "placeholders" };
        let message = format!("{name} contains the unfilled {what} {}", list(&names));
        let mut draft = Draft::new(Code::UnfilledTemplate, span, message)
            .help(
                "fill it in: lineload does not expand templates, and the service would store it \
                   as it is",
            )
            .at(path);
        for other in others {
            draft = draft.related(other, "and this one");
        }
        push(draft, text, findings);
    }
}

/// Placeholders of one text that are named.
const SHOWN: usize = 8;

/// Returns whether `c` is a space or a tab, ASCII or not.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t') || (!c.is_ascii() && odd_space(c).is_some())
}

/// Returns the name of the spaces `text`.
fn space_name(text: &str) -> String {
    let odd = text.chars().find_map(odd_space);
    odd.unwrap_or_else(|| if text.contains('\t') { "a tab" } else { "a space" }.to_owned())
}

/// Returns the first run of invisible characters of `value`.
fn unseen(value: &str) -> Option<Range<usize>> {
    let mut before = '\0';
    let mut start = None;
    for (at, c) in value.char_indices() {
        // Joiners are meaningful between letters of some scripts, and in emoji.
        let joins = matches!(c, '\u{200C}' | '\u{200D}') && !before.is_ascii();
        let unseen = !is_printable(c) && !is_line_terminator(c) && c != '\t' && !joins;
        match (unseen, start) {
            (true, None) => start = Some(at),
            (false, Some(start)) => return Some(start..at),
            _ => {}
        }
        before = c;
    }
    start.map(|start| start..value.len())
}

static BRACED: LazyLock<Regex> =
    LazyLock::new(|| compile(r"\$\{[A-Za-z_][\w.:-]*\}|\{\{[^{}\n]{1,80}\}\}"));
static ANGLED: LazyLock<Regex> = LazyLock::new(|| compile(r"<[A-Za-z][\w .-]{0,60}>"));

/// Returns the placeholders of template languages.
fn placeholders(value: &str, angled: bool) -> Vec<Range<usize>> {
    let mut found: Vec<_> = BRACED
        .find_iter(value)
        // AWS fills this one in.
        .filter(|found| !found.as_str().starts_with("{{resolve:"))
        .map(|found| found.range())
        .collect();
    if angled {
        found.extend(ANGLED.find_iter(value).map(|found| found.range()));
        found.sort_by_key(|range| range.start);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_and_what_looks_like_them() {
        let found = |value: &str, angled| {
            placeholders(value, angled)
                .into_iter()
                .map(|range| value[range].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("s3://${BUCKET}/x", false), ["${BUCKET}"]);
        assert_eq!(found("{{ name }}-${b}", false), ["{{ name }}", "${b}"]);
        assert_eq!(found("{{resolve:ssm:x}}", true), [""; 0]);
        assert_eq!(found("a < b > c", true), [""; 0]);
        assert_eq!(found("s3://<bucket>/x/${y}", true), ["<bucket>", "${y}"]);
        assert_eq!(found("<b>bold</b>", false), [""; 0]);
        assert_eq!(found("costs $5 {sic}", true), [""; 0]);
    }

    #[test]
    fn joiners_between_letters_are_at_work() {
        assert_eq!(unseen("می\u{200C}خواهم"), None);
        assert_eq!(unseen("a\u{200B}\u{200B}b"), Some(1..7));
        assert_eq!(unseen("a\u{200D}"), Some(1..4));
        assert_eq!(unseen("a\nb\tc"), None);
    }
}
