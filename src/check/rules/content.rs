//! What no value should hold, whatever its field: credentials, characters that cannot be seen,
//! blanks at its ends, placeholders that nothing filled in.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::text;
use crate::diagnostic::words::{is_printable, quoted};
use crate::diagnostic::{Code, Draft, Edit, Findings, Fix, Pointer, Safety, secret};
use crate::limits::is_line_terminator;
use crate::manifest::Text;
use crate::source::Span;

/// The content of one value.
pub(super) struct Content<'n> {
    name: &'n str,
    key: Option<&'n str>,
    /// Whether the characters of the value have a finding already.
    pub(super) characters_told: bool,
}

impl<'n> Content<'n> {
    /// The value of the field `name`, or of the property or tag `key`.
    pub(super) const fn new(name: &'n str, key: Option<&'n str>) -> Self {
        Self { name, key, characters_told: false }
    }

    pub(super) fn check(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let value = text.value;
        let is_secret = self.credential(text, path, findings);
        if !self.characters_told && !value.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\n'))
        {
            self.invisible(text, path, findings);
        }
        if value.starts_with([' ', '\t']) || value.ends_with([' ', '\t']) {
            self.outer_blank(text, path, findings);
        }
        if !is_secret && memchr::memchr3(b'$', b'{', b'<', value.as_bytes()).is_some() {
            self.template(text, path, findings);
        }
    }

    fn called(&self) -> String {
        if self.name.contains('`') { self.name.to_owned() } else { quoted(self.name) }
    }

    fn credential(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) -> bool {
        let (span, what) = match secret::find(text.value) {
            Some(found) => (text.locate(found.range), found.kind),
            None if self.key.is_some_and(|key| secret::is_named(key, text.value)) => {
                (text.span, secret::NAMED)
            }
            None => return false,
        };
        findings.hide(span);
        let name = self.key.map_or_else(|| self.called(), quoted);
        let draft = Draft::new(Code::Credential, span, format!("{name} holds {what}"))
            .help(secret::HELP)
            .at(path);
        text::push(draft, text, findings);
        true
    }

    fn invisible(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let Some(range) = unseen(text.value) else { return };
        let found = text.value[range.clone()].chars().next().unwrap_or_default();
        let name = self.called();
        let message =
            format!("{name} holds a character that cannot be seen, U+{:04X}", u32::from(found));
        let draft = Draft::new(Code::InvisibleCharacter, text.locate(range), message)
            .help("remove it: what looks the same would not be found")
            .at(path);
        text::push(draft, text, findings);
    }

    fn outer_blank(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        let value = text.value;
        let inner = value.trim_matches([' ', '\t']);
        let name = self.called();
        if inner.is_empty() {
            let draft = Draft::new(Code::OuterBlank, text.span, format!("{name} is all blanks"));
            let draft = draft.help("write a text, or remove the line").at(path);
            text::push(draft, text, findings);
            return;
        }
        let leading = value.len() - value.trim_start_matches([' ', '\t']).len();
        let ends = [(0..leading, "begins"), (leading + inner.len()..value.len(), "ends")];
        for (range, verb) in ends.into_iter().filter(|(range, _)| !range.is_empty()) {
            let span = text.locate(range);
            let exact = span != text.span && text.source_slice(span).trim().is_empty();
            let edits = vec![Edit { span, text: String::new() }];
            let fix = exact.then_some(Fix { safety: Safety::Unsafe, edits });
            let draft = Draft::new(Code::OuterBlank, span, format!("{name} {verb} with a blank"))
                .help("remove it: two values that differ in it look the same")
                .fix(fix)
                .at(path);
            text::push(draft, text, findings);
        }
    }

    fn template(&self, text: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
        // In prose, `<b>` is more often markup than a placeholder.
        let angled = self.key.is_none();
        let Some(range) = placeholder(text.value, angled) else { return };
        let found = quoted(&text.value[range.clone()]);
        let span: Span = text.locate(range);
        let name = self.called();
        let draft = Draft::new(
            Code::UnfilledTemplate,
            span,
            format!("{name} still holds the placeholder {found}"),
        )
        .help("fill it in: lineload fills in nothing, and the service would keep it as it is")
        .at(path);
        text::push(draft, text, findings);
    }
}

/// The first run of characters of `value` that cannot be seen.
fn unseen(value: &str) -> Option<Range<usize>> {
    let mut before = '\0';
    let mut start = None;
    for (at, c) in value.char_indices() {
        // Joiners have work to do between letters of some scripts, and in emoji.
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

#[expect(clippy::expect_used, reason = "the expressions are constants, compiled by every test run")]
fn compile(expression: &str) -> Regex {
    Regex::new(expression).expect("constant expression")
}

static BRACED: LazyLock<Regex> =
    LazyLock::new(|| compile(r"\$\{[A-Za-z_][\w.:-]*\}|\{\{[^{}\n]{1,80}\}\}"));
static ANGLED: LazyLock<Regex> = LazyLock::new(|| compile(r"<[A-Za-z][\w .-]{0,60}>"));

/// A placeholder of a template language.
fn placeholder(value: &str, angled: bool) -> Option<Range<usize>> {
    let braced = BRACED
        .find_iter(value)
        // AWS fills this one in.
        .find(|found| !found.as_str().starts_with("{{resolve:"))
        .map(|found| found.range());
    braced.or_else(|| angled.then(|| ANGLED.find(value).map(|found| found.range())).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_and_what_looks_like_them() {
        assert_eq!(placeholder("s3://${BUCKET}/x", false), Some(5..14));
        assert_eq!(placeholder("{{ name }}", false), Some(0..10));
        assert_eq!(placeholder("{{resolve:ssm:x}}", true), None);
        assert_eq!(placeholder("a < b > c", true), None);
        assert_eq!(placeholder("s3://<bucket>/x", true), Some(5..13));
        assert_eq!(placeholder("<b>bold</b>", false), None);
        assert_eq!(placeholder("costs $5 {sic}", true), None);
    }

    #[test]
    fn joiners_between_letters_are_at_work() {
        assert_eq!(unseen("می\u{200C}خواهم"), None);
        assert_eq!(unseen("a\u{200B}\u{200B}b"), Some(1..7));
        assert_eq!(unseen("a\u{200D}"), Some(1..4));
        assert_eq!(unseen("a\nb\tc"), None);
    }
}
