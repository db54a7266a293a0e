//! Placeholders of template languages that stand without quotes, so that their document is not YAML.
//!
//! In: the text of a document. Out: the same text, byte for byte as long, with a quoted string in the
//! place of each such value, so that everything else in the document can be checked.

use std::ops::Range;

use super::ARTIFACTS;
use super::layout::{blank, line_end, line_start};
use crate::diagnostic::{Code, Draft};
use crate::source::Span;
use crate::text::quoted;
use crate::yaml::{Piece, Reader, SyntaxFault};

/// The most placeholders of one document that are replaced.
const MOST: usize = 32;
/// Documents longer than this are not read again for their placeholders.
const LONGEST: usize = 1 << 20;

/// A placeholder without quotes.
#[derive(Debug, Clone)]
pub(crate) struct Placeholder {
    /// The value that it is, or begins.
    pub(crate) value: Span,
    pub(crate) draft: Draft,
    /// True if its finding has been reported.
    pub(crate) reported: bool,
}

/// A document whose placeholders are replaced.
pub(crate) struct Filled {
    /// As long as the original up to the end of the document, of which it is a copy.
    pub(crate) text: String,
    pub(crate) placeholders: Vec<Placeholder>,
}

/// Returns the bytes `document` of `text` with strings in place of the placeholders because of which
/// it is not YAML; `None` if that is not its fault.
pub(crate) fn filled(text: &str, document: Range<usize>) -> Option<Filled> {
    let part = text.get(document.clone())?;
    if part.len() > LONGEST || !(part.contains("{{") || part.contains("{%")) {
        return None;
    }
    let mut copy: Option<String> = None;
    let mut placeholders = Vec::new();
    while placeholders.len() < MOST {
        let now = copy.as_deref().unwrap_or(text);
        let Some(error) = first_error(now, document.clone()) else { break };
        let Some((found, draft)) = placeholder_on_line(now, error.range().start) else { break };
        let now = copy.get_or_insert_with(|| blank(document.start) + part);
        let Some(value) = replace(now, &document, &found) else { break };
        placeholders.push(Placeholder { value, draft, reported: false });
    }
    let text = copy.filter(|_| !placeholders.is_empty())?;
    Some(Filled { text, placeholders })
}

/// Returns the place at which a document stops to be YAML.
fn first_error(text: &str, document: Range<usize>) -> Option<Span> {
    let mut reader = Reader::new(text, document, ARTIFACTS);
    while let Some(piece) = reader.next_piece() {
        if let Piece::Broken { error, .. } = piece {
            return (error.fault == SyntaxFault::Syntax).then_some(error.span);
        }
    }
    None
}

/// Writes a string in place of the value that begins with `found`, if the document is YAML then, or at
/// least as far as its next placeholder.
fn replace(text: &mut String, document: &Range<usize>, found: &Range<usize>) -> Option<Span> {
    let line = line_start(text, found.start)..line_end(text, found.start).min(document.end);
    let rest = text.get(found.end..line.end)?;
    let before_comment = rest.find(" #").map_or(rest, |comment| &rest[..comment]);
    let in_flow = rest.find([',', '}', ']']).unwrap_or(rest.len());
    let [whole, item] = [before_comment, &rest[..in_flow]].map(|value| value.trim_end().len());
    // What a flow collection has after the value is not part of it; where that began on an earlier line,
    // the parser gets furthest if the collection is closed.
    let lengths = if opens_flow(&text[line.start..found.start]) {
        vec![item, 0]
    } else {
        vec![whole, item, 0]
    };
    let mut best: Option<(usize, Range<usize>)> = None;
    for length in lengths {
        let range = found.start..found.end + length;
        let old = text.get(range.clone())?.to_owned();
        text.replace_range(range.clone(), &string(range.len())?);
        let next =
            first_error(text, document.clone()).map_or(usize::MAX, |next| next.range().start);
        text.replace_range(range.clone(), &old);
        let is_better = best.as_ref().is_none_or(|(furthest, _)| next > *furthest);
        if next >= range.end && is_better {
            best = Some((next, range));
        }
        if next == usize::MAX {
            break;
        }
    }
    let (_, range) = best?;
    text.replace_range(range.clone(), &string(range.len())?);
    Some(Span::new(range))
}

/// Returns a quoted string of `length` bytes.
fn string(length: usize) -> Option<String> {
    Some(format!("\"{}\"", "x".repeat(length.checked_sub(2)?)))
}

/// Returns whether a flow collection is open at the end of `head`, the beginning of a line.
fn opens_flow(head: &str) -> bool {
    let mut quote = None;
    let mut depth = 0_usize;
    for c in head.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth > 0
}

/// Returns the finding for `{{name}}` or `{% … %}` that stands without quotes at `at`, and its place.
pub(super) fn placeholder(text: &str, at: usize) -> Option<(Range<usize>, Draft)> {
    // YAML takes the inner brace for a key.
    let inner = text.get(..at)?.ends_with('{') && text.get(at..)?.starts_with('{');
    let at = if inner && !text.get(at..)?.starts_with("{{") { at - 1 } else { at };
    let rest = text.get(at..)?;
    let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
    let mut length = end_of(line)?;
    // `{{a}}-{{b}}` is one value.
    while let Some(next) = line[length..].find(['{', ',', '}', ']', '#'])
        && let Some(more) = end_of(&line[length + next..])
    {
        length += next + more;
    }
    let found = &line[..length];
    let message = if found.starts_with("{{") {
        format!("{} is an unfilled placeholder", quoted(found))
    } else {
        format!("{} is a statement of an unrendered template", quoted(found))
    };
    let help = "render the template first, then check the result; quote the value if the braces \
                belong to it";
    let range = at..at + length;
    Some((
        range.clone(),
        Draft::new(Code::UnquotedPlaceholder, Span::new(range), message).help(help),
    ))
}

/// Returns the length of the placeholder or statement that `text` begins with. It ends with as many braces
/// as it begins with, so that none of a flow mapping around it is taken.
fn end_of(text: &str) -> Option<usize> {
    if text.starts_with("{%") {
        return Some(text.find("%}")? + 2);
    }
    let braces = text.len() - text.trim_start_matches('{').len();
    let close = "}".repeat(braces);
    (braces >= 2).then(|| text.find(&close)).flatten().map(|at| at + braces)
}

/// Returns the finding for a placeholder on the line of `at`, which is why its document is not YAML,
/// and its place.
pub(super) fn placeholder_on_line(text: &str, at: usize) -> Option<(Range<usize>, Draft)> {
    let start = line_start(text, at);
    let line = &text[start..line_end(text, at)];
    let found = line.find("{{").or_else(|| line.find("{%"))?;
    // In quotes, it is not at fault.
    let before = &line[..found];
    let is_quoted = before.matches('\'').count() % 2 == 1 || before.matches('"').count() % 2 == 1;
    (!is_quoted).then(|| placeholder(text, start + found)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_ends_with_its_last_braces() {
        let text = "Env: {{region}}-{{env}} # x\nA: '{{b}}'\nC: {d}\n";
        let found = |at: usize| placeholder_on_line(text, at).is_some();
        assert!(found(0) && !found(30) && !found(40));
    }

    #[test]
    fn placeholders_are_replaced_by_strings_of_their_length() {
        let fill = |text: &str| {
            let filled = filled(text, 0..text.len());
            filled.map(|filled| (filled.text, filled.placeholders.len()))
        };
        let cases = [
            ("a: {b: {{x}}-y, c: {{z}}-{{é}}}\n", "a: {b: \"xxxxx\", c: \"xxxxxxxxxx\"}\n", 2),
            ("- [{{x}}/b, {k: s3://{{y}}/z}]\n", "- [\"xxxxx\", {k: s3://\"xxxxx\"}]\n", 2),
            ("a: {b: {{{x}}}/y}\nc: d\n", "a: {b: \"xxxxxxx\"}\nc: d\n", 1),
            ("a: {b: c,\n  d: {{x}}-y, e: f}\n", "a: {b: c,\n  d: \"xxxxx\", e: f}\n", 1),
            ("a: {{x}}-{{y}} # z\nb: {{é}}/c\n", "a: \"xxxxxxxxx\" # z\nb: \"xxxxxx\"\n", 2),
            ("{a: {{x}}/b, c: d}\n", "{a: \"xxxxx\", c: d}\n", 1),
            ("a: {{x}}-y\nb: 'c'd\n", "a: \"xxxxx\"\nb: 'c'd\n", 1),
        ];
        for (text, written, count) in cases {
            assert_eq!(fill(text), Some((written.to_owned(), count)), "{text}");
        }
        // YAML, or not YAML for another reason.
        for text in ["a: {{x}}\n", "a: 'x'y\n", "a: '{{x}}'y\n", "a: b\n"] {
            assert_eq!(fill(text), None, "{text}");
        }
        let text = "b: c\n---\na: {{x}}-y\n";
        let filled = filled(text, 5..text.len()).unwrap();
        assert_eq!(&filled.text[5..], "---\na: \"xxxxx\"\n");
        assert_eq!(filled.placeholders[0].value, Span::new(12..19));
    }
}
