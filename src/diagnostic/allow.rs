//! Comments that allow a finding in one place: `# lineload: allow CODE`.
//!
//! A comment that begins with `lineload:` and allows nothing is reported, since it has no effect.

use super::{Code, Draft};
use crate::source::{SourceFile, Span};
use crate::text::quoted;

/// The beginning of a comment for lineload. A file without these characters has none.
pub const MARKER: &str = "lineload:";
/// The word that follows it, before the rules.
const ALLOW: &str = "allow";

/// Returns where the names of rules begin in `comment`, if that allows findings.
#[must_use]
pub fn names_at(comment: &str) -> Option<usize> {
    let rest = of_lineload(comment)?.trim_start().strip_prefix(ALLOW)?;
    (!rest.starts_with(|c: char| c.is_ascii_alphanumeric())).then(|| comment.len() - rest.len())
}

/// Returns what follows `lineload:` in a comment that begins with it.
fn of_lineload(comment: &str) -> Option<&str> {
    comment.trim_start_matches(['#', ' ', '\t']).strip_prefix(MARKER)
}

/// The allowances of one piece of a file.
#[derive(Debug, Default)]
pub struct Allowances {
    list: Vec<Allowance>,
}

#[derive(Debug)]
struct Allowance {
    /// The name of the rule, as it is written.
    name: String,
    code: Option<Code>,
    span: Span,
    /// The line that it applies to; `None` if nothing follows it.
    line: Option<u32>,
    used: bool,
}

impl Allowances {
    /// Parses the comments of `source` at `comments`, in order, each with its `#`.
    #[must_use]
    pub fn new(source: &SourceFile, comments: &[Span]) -> Self {
        let mut list: Vec<Allowance> = Vec::new();
        for comment in comments {
            let text = source.slice(*comment);
            if of_lineload(text).is_none() {
                continue;
            }
            let line = covered_line(source, *comment);
            let count = list.len();
            if let Some(names_at) = names_at(text) {
                for (at, name) in names(&text[names_at..]) {
                    let start = comment.start as usize + names_at + at;
                    let span = Span::new(start..start + name.len());
                    let code = Code::from_name(name);
                    list.push(Allowance { name: name.to_owned(), code, span, line, used: false });
                }
            }
            if list.len() == count {
                let name = String::new();
                list.push(Allowance { name, code: None, span: *comment, line, used: false });
            }
        }
        Self { list }
    }

    /// Returns whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns whether `code` is allowed on one of `lines`.
    pub(super) fn allow(&mut self, code: Code, lines: impl Iterator<Item = u32>) -> bool {
        let mut allowed = false;
        for line in lines {
            for one in &mut self.list {
                if one.code == Some(code) && one.line == Some(line) {
                    one.used = true;
                    allowed = true;
                }
            }
        }
        allowed
    }

    /// Marks those in the bytes `range` as used: the lines that they apply to are not checked.
    pub(super) fn spare(&mut self, range: std::ops::Range<usize>) {
        for one in &mut self.list {
            one.used |= range.contains(&one.span.range().start);
        }
    }

    /// Findings for those that nothing made use of.
    pub(super) fn unused(self) -> Vec<Draft> {
        self.list.into_iter().filter(|one| !one.used).map(|one| one.draft()).collect()
    }
}

impl Allowance {
    fn draft(&self) -> Draft {
        if self.name.is_empty() {
            let message = "this `lineload:` comment has no effect";
            return Draft::new(Code::UnusedAllow, self.span, message)
                .help("write it as `# lineload: allow CODE`, or remove it");
        }
        let name = quoted(&self.name);
        let (message, help) = match self.code {
            None => {
                let help = match nearest(&self.name) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`lineload explain` lists the rules".to_owned(),
                };
                (format!("unknown rule {name}"), help)
            }
            Some(code) if !code.can_be_changed() => (
                format!("{name} cannot be allowed"),
                format!("fix it instead; `lineload explain {code}` explains why"),
            ),
            Some(_) => (
                format!("unused allow comment: {name} is not reported here"),
                "remove it, or move the comment to the line of the finding or the line above"
                    .to_owned(),
            ),
        };
        Draft::new(Code::UnusedAllow, self.span, message).help(help)
    }
}

/// Returns the rule with the name most similar to `name`, if one is similar.
#[must_use]
pub fn nearest(name: &str) -> Option<Code> {
    let distance = |code: &Code| strsim::damerau_levenshtein(code.as_str(), name);
    let near = Code::ALL.iter().copied().min_by_key(distance)?;
    (distance(&near) <= (name.len() / 3).max(1)).then_some(near)
}

/// Returns the names in `text`, with their offsets. A word without a hyphen that is not a rule
/// begins the reason, unless it is the first.
fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (mut at, mut first) = (0, true);
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let start = at + rest.find(|c: char| !matches!(c, ' ' | '\t' | ',' | ':'))?;
        let word = &text[start..];
        let length = word
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .unwrap_or(word.len());
        at = start + length;
        let name = &word[..length];
        let is_name = std::mem::take(&mut first) || name.contains('-');
        (length > 0 && (is_name || Code::from_name(name).is_some())).then_some((start, name))
    })
}

/// Returns the line that a comment applies to: that of the value before it, or, for one on its own
/// line, the next line that is neither empty nor a comment.
fn covered_line(source: &SourceFile, comment: Span) -> Option<u32> {
    let line = source.line(comment.start);
    let start = source.line_span(line)?.start;
    let before = source.slice(Span { start, end: comment.start });
    if !before.trim_matches([' ', '\t', '\u{FEFF}']).is_empty() {
        return Some(line);
    }
    (line + 1..).map_while(|line| Some((line, source.line_span(line)?))).find_map(|(line, span)| {
        let text = source.slice(span).trim_start();
        (!text.is_empty() && !text.starts_with('#')).then_some(line)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::FileId;

    fn read(text: &str) -> Vec<(String, Option<u32>)> {
        let source = SourceFile::new(FileId(0), Arc::from("f"), text.as_bytes().to_vec());
        let comments: Vec<_> = text
            .match_indices('#')
            .map(|(at, _)| {
                let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
                Span::new(at..end)
            })
            .collect();
        let read = Allowances::new(&source, &comments);
        read.list.into_iter().map(|one| (one.name, one.line)).collect()
    }

    #[test]
    fn a_comment_covers_its_line_or_the_next_with_text() {
        let one = |name: &str, line| (name.to_owned(), line);
        assert_eq!(read("a: b # lineload: allow uri-scheme\n"), [one("uri-scheme", Some(1))]);
        let above = "# lineload: allow line-break, type-case\n\n# more\na: b\n";
        assert_eq!(read(above), [one("line-break", Some(4)), one("type-case", Some(4))]);
        let reason = "a: b # lineload: allow uri-scheme (an image)\n";
        assert_eq!(read(reason), [one("uri-scheme", Some(1))]);
        let reason = "a: b # lineload: allow uri-scheme since it is an image\n";
        assert_eq!(read(reason), [one("uri-scheme", Some(1))]);
        assert_eq!(read("a: b # lineload allows this\n"), []);
        assert_eq!(read("a: b # lineload:allow uri-scheme\n"), [one("uri-scheme", Some(1))]);
        for nothing in ["allow", "allowed", "foo", "allow:"] {
            let text = format!("a: b # lineload: {nothing}\n");
            assert_eq!(read(&text), [one("", Some(1))], "{nothing}");
        }
        assert_eq!(read("a: b\n# lineload: allow type-case\n"), [one("type-case", None)]);
    }
}
