//! Lines and indentation of a text, for fixes that move, wrap or remove more than one value.
//!
//! In: the text of a file, and places in it. Out: byte ranges, and edits that keep everything else
//! as it is. It does not know any fields.

use std::ops::Range;

use crate::diagnostic::Edit;
use crate::source::Span;

/// Returns where the line of `at` starts.
#[must_use]
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    let head = text.get(..at).unwrap_or("");
    head.rfind(['\n', '\r']).map_or(0, |found| found + 1)
}

/// Returns the end of the line of `at`, without its line break.
#[must_use]
pub(crate) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or("");
    at + rest.find(['\n', '\r']).unwrap_or(rest.len())
}

/// Returns so many bytes that stand for what comes before a document.
pub(super) fn blank(length: usize) -> String {
    let mut bytes = vec![0; length];
    if let Some(last) = bytes.last_mut() {
        *last = b'\n';
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Returns the start of the line after that of `at`.
#[must_use]
pub(crate) fn next_line(text: &str, at: usize) -> usize {
    let end = line_end(text, at);
    let rest = text.get(end..).unwrap_or("");
    end + if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) }
}

/// Returns the line break that the text uses.
#[must_use]
pub(crate) fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if at > 0 && text.as_bytes()[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}

/// Returns the spaces that take a line to the column of `at`, if nothing but spaces and the dashes of
/// list items stands before it.
#[must_use]
pub(crate) fn indentation(text: &str, at: usize) -> Option<String> {
    let start = line_start(text, at);
    let head = text.get(start..at)?;
    let head = if start == 0 { head.trim_start_matches('\u{FEFF}') } else { head };
    let fits = head.chars().all(|c| matches!(c, ' ' | '-'));
    fits.then(|| " ".repeat(head.len()))
}

/// Returns the whole lines from `start` to `end`, including the last line break, if there are only
/// spaces before `start`.
#[must_use]
pub(crate) fn whole_lines(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let from = line_start(text, start);
    let alone = text.get(from..start)?.chars().all(|c| c == ' ');
    alone.then(|| from..next_line(text, end))
}

/// Returns the edits that indent every line after the first of `range` by two more spaces. Empty
/// lines stay empty.
#[must_use]
pub(crate) fn indent_more(text: &str, range: Range<usize>) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut at = next_line(text, range.start);
    while at < range.end {
        if line_end(text, at) > at {
            edits.push(insert(at, "  "));
        }
        at = next_line(text, at);
    }
    edits
}

/// Returns an edit that puts `new` in at `at`.
#[must_use]
pub(crate) fn insert(at: usize, new: impl Into<String>) -> Edit {
    replace(at..at, new)
}

/// Returns an edit that replaces `range` with `new`.
#[must_use]
pub(crate) fn replace(range: Range<usize>, new: impl Into<String>) -> Edit {
    Edit { span: Span::new(range), text: new.into() }
}

/// Returns the edit that removes the item of a list at `item`, which has another, at `before`, in
/// front of it.
#[must_use]
pub(crate) fn remove_item(text: &str, before: Span, item: Span) -> Option<Edit> {
    let (start, end) = (item.range().start, item.range().end);
    let line = line_start(text, start);
    let head = text.get(line..start)?;
    let is_block = head
        .trim_start_matches(' ')
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(' ') && rest.chars().all(|c| c == ' '));
    if is_block {
        return Some(replace(line..next_line(text, end), ""));
    }
    let between = text.get(before.range().end..start)?;
    let is_flow = between.chars().all(|c| c.is_ascii_whitespace() || c == ',');
    is_flow.then(|| replace(before.range().end..end, ""))
}

/// Returns the first line of a text that is not empty.
pub(super) fn first_line(text: &str) -> Span {
    let start = text.len() - text.trim_start().len();
    Span::new(start..line_end(text, start).max(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_whatever_breaks_them() {
        let text = "a: 1\r\n  b: 2\rc\n";
        assert_eq!((line_start(text, 9), line_end(text, 9), next_line(text, 9)), (6, 12, 13));
        assert_eq!(newline(text), "\r\n");
        assert_eq!(newline("a\nb\r\n"), "\n");
        assert_eq!(indentation("- - a: 1", 4).as_deref(), Some("    "));
        assert_eq!(indentation("x: a", 3), None);
        assert_eq!(whole_lines(text, 8, 12), Some(6..13));
        assert_eq!(whole_lines("- a: b\n", 2, 6), None);
    }

    #[test]
    fn items_are_removed_with_their_line_or_their_comma() {
        let removed = |text: &str, before: &str, item: &str| {
            let span = |part: &str, from: usize| {
                let at = from + text[from..].find(part).unwrap();
                Span::new(at..at + part.len())
            };
            let before = span(before, 0);
            let item = span(item, before.range().end);
            let edit = remove_item(text, before, item)?;
            let mut out = text.to_owned();
            out.replace_range(edit.span.range(), &edit.text);
            Some(out)
        };
        assert_eq!(removed("- a\n- b # x\n- c\n", "a", "b").as_deref(), Some("- a\n- c\n"));
        assert_eq!(removed("[a, b , c]", "a", "b").as_deref(), Some("[a , c]"));
        assert_eq!(removed("-\n  a\n-\n  b\n", "a", "b"), None);
    }
}
