//! Spaces that are not ASCII, where YAML requires a space.
//!
//! A no-break space comes along when text is copied from a web page. As indentation or after a
//! colon YAML treats it as a letter, so that the line does not mean what it seems to.

use std::ops::Range;

use granit_parser as granit;

use crate::source::Span;
use crate::text::odd_space;

/// A run of spaces with an odd one in it, where YAML requires a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OddSpace {
    /// The odd characters and what stands between them.
    pub span: Span,
    /// The first of them.
    pub character: char,
    /// The kind of its place.
    pub place: Place,
}

/// The place of an odd space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It indents its line.
    Indentation,
    /// It follows the colon of a key.
    Colon,
    /// It follows the dash of an item.
    Dash,
}

/// Returns the odd spaces in the bytes `part` of `text` that change what its lines mean. Those
/// inside quotes and blocks are text.
#[must_use]
pub fn odd_spaces(text: &str, part: Range<usize>) -> Vec<OddSpace> {
    let Some(bytes) = text.as_bytes().get(part.clone()) else { return Vec::new() };
    if bytes.is_ascii() {
        return Vec::new();
    }
    let mut found = Vec::new();
    // Of a block that is open, the indentation of its key: the parser may not get as far.
    let mut block: Option<usize> = None;
    let mut at = part.start;
    while at < part.end {
        let rest = &text[at..part.end];
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let mark = if at == 0 && rest.starts_with('\u{FEFF}') { 3 } else { 0 };
        let line = &rest[mark.min(length)..length];
        let indent = line.len() - line.trim_start_matches(' ').len();
        if block.is_some_and(|key| indent <= key && !line.trim().is_empty()) {
            block = None;
        }
        if block.is_none() {
            if !line.is_ascii() {
                found.extend(of_line(line, at + mark));
            }
            block = opens_block(line).then_some(indent);
        }
        at += length + 1;
    }
    if !found.is_empty() {
        let texts = texts(text, part);
        found.retain(|odd| {
            let inside = |text: &Span| text.start <= odd.span.start && odd.span.end <= text.end;
            !texts.iter().any(inside)
        });
    }
    found
}

/// Returns whether the bytes `part` of `text` are YAML.
#[must_use]
pub fn parses(text: &str, part: Range<usize>) -> bool {
    let mut parser = granit::Parser::new_from_str(text.get(part).unwrap_or_default());
    loop {
        match parser.next_event() {
            None => return true,
            Some(Ok(_)) => {}
            Some(Err(_)) => return false,
        }
    }
}

/// Returns whether a line ends with the header of a block, as in `key: |-`.
fn opens_block(line: &str) -> bool {
    let line = line.find(" #").map_or(line, |comment| &line[..comment]).trim_end();
    let header = line.trim_end_matches(|c: char| matches!(c, '+' | '-') || c.is_ascii_digit());
    let before = header.strip_suffix(['|', '>']).map(|before| before.chars().next_back());
    matches!(before, Some(Some(c)) if c == ' ' || odd_space(c).is_some())
}

/// Returns the odd spaces at the head of a line and behind its key.
fn of_line(line: &str, base: usize) -> Vec<OddSpace> {
    let mut found = Vec::new();
    let is_space = |c: char| c == ' ' || c == '\t' || odd_space(c).is_some();
    let mut place = Place::Indentation;
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let length = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
        let behind = &rest[length..];
        let run = &rest[..length];
        let ends = behind.is_empty() || (behind.starts_with('#') && place != Place::Indentation);
        // `key:` with an odd space and nothing more is no key.
        let follows_colon = place == Place::Colon && !run.starts_with([' ', '\t']);
        if ends && !follows_colon {
            return found;
        }
        // `a:\u{A0}b: c` has one key, with such a space in it.
        if follows_colon && (behind.contains(": ") || behind.ends_with(':')) {
            found.clear();
            return found;
        }
        let odd = |c: char| odd_space(c).is_some();
        if let (Some(first), Some(character)) = (run.find(odd), run.chars().find(|c| odd(*c))) {
            let last = run.rfind(odd).unwrap_or(first);
            let last = last + run[last..].chars().next().map_or(0, char::len_utf8);
            let span = Span::new(base + at + first..base + at + last);
            found.push(OddSpace { span, character, place });
        }
        at += length;
        if place == Place::Colon {
            return found;
        }
        if let Some(rest) = behind.strip_prefix('-')
            && rest.starts_with(is_space)
        {
            at += 1;
            place = Place::Dash;
            continue;
        }
        let Some(key) = key_length(behind) else {
            // An indented line of a text: nothing is wrong with it, as far as can be seen.
            if place == Place::Indentation {
                found.clear();
            }
            return found;
        };
        at += key;
        place = Place::Colon;
    }
}

/// Returns the bytes of `key:` that `text` begins with.
fn key_length(text: &str) -> Option<usize> {
    let colon = text.find(':')?;
    let key = text[..colon].trim_matches(['"', '\'']);
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let ends = text[colon + 1..].chars().next();
    let is_key = !key.is_empty() && key.chars().all(fits);
    let ended = ends.is_none_or(|c| c.is_whitespace() || odd_space(c).is_some());
    (is_key && ended).then_some(colon + 1)
}

/// Returns the ranges of quoted and block scalars, and of the later lines of others, as far as the
/// parser gets.
fn texts(text: &str, part: Range<usize>) -> Vec<Span> {
    let base = part.start;
    let mut parser = granit::Parser::new_from_str(text.get(part).unwrap_or(""));
    let mut found = Vec::new();
    loop {
        match parser.next_event() {
            None => return found,
            Some(Ok((granit::Event::Scalar(_, style, ..), place))) => {
                let Some(bytes) = place.byte_range() else { continue };
                let (start, end) = (base + bytes.start, base + bytes.end);
                let first = text.get(start..end).and_then(|scalar| scalar.find(['\n', '\r']));
                match (style, first) {
                    (granit::ScalarStyle::Plain, None) => {}
                    (granit::ScalarStyle::Plain, Some(line)) => {
                        found.push(Span::new(start + line..end));
                    }
                    _ => found.push(Span::new(start..end)),
                }
            }
            Some(Ok(_)) => {}
            Some(Err(_)) => {
                if !parser.proceed_next_document().unwrap_or(false) {
                    return found;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Place, Range<usize>)> {
        let odd = odd_spaces(text, 0..text.len());
        odd.into_iter().map(|odd| (odd.place, odd.span.range())).collect()
    }

    #[test]
    fn odd_spaces_count_where_yaml_needs_a_space() {
        assert_eq!(found("a:\n\u{A0} b: c\n"), [(Place::Indentation, 3..5)]);
        assert_eq!(found("a:\u{A0} b\n"), [(Place::Colon, 2..4)]);
        assert_eq!(found("a: \u{A0}b\n"), [(Place::Colon, 3..5)]);
        assert_eq!(found("a:\n  b:\u{A0}\n"), [(Place::Colon, 7..9)]);
        assert_eq!(found("-\u{A0}a:\u{3000}b\n"), [(Place::Dash, 1..3), (Place::Colon, 5..8)]);
    }

    #[test]
    fn odd_spaces_of_a_text_are_text() {
        assert_eq!(found("a: b\u{A0}c\n"), []);
        assert_eq!(found("a: |\n  x:\u{A0} y\n"), []);
        assert_eq!(found("a: 'b\n  c:\u{A0} d'\n"), []);
        // Where the parser stops above it, too.
        assert_eq!(found("a: b: c\nd: |-\n\n  x:\u{A0} y\ne:\u{A0}f\n"), [(Place::Colon, 26..28)]);
        assert_eq!(found("a:\u{2000}b: c\n"), []);
        assert_eq!(found("  a:\u{2000}b:\n"), []);
        assert_eq!(found("a: text\n  b:\u{A0}more of it\n"), []);
        assert_eq!(found("a: b\n  \u{A0}c d\n"), []);
        assert_eq!(found("# a:\u{A0}b\n"), []);
    }
}
