//! The comments of a text.

use std::ops::Range;

use granit_parser as granit;

use crate::source::Span;

/// A file header of many lines is read ahead of the first value: more consecutive comments than
/// this end the search, and their allowances are ignored.
const MAX_IN_A_ROW: usize = 1 << 16;

/// Returns the spans of the comments in the bytes `part` of `text`, which must begin at a document,
/// each from its `#` to the end of its line. Behind the place where a document breaks off, those of
/// that document are not found.
#[must_use]
pub fn comments(text: &str, part: Range<usize>) -> Vec<Span> {
    let mut options = granit::options! {
        emit_unresolved_aliases: true,
        max_buffered_comment_events: MAX_IN_A_ROW,
    };
    options.set_emit_comments(true);
    let base = part.start;
    let input = text.get(part).unwrap_or("");
    let mut parser = granit::Parser::new_from_str_with_options(input, options);
    let mut found = Vec::new();
    loop {
        match parser.next_event() {
            None => return found,
            Some(Ok((granit::Event::Comment(..), place))) => {
                if let Some(bytes) = place.byte_range() {
                    found.push(Span::new(base + bytes.start..base + bytes.end));
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

    #[test]
    fn only_comments_are_comments() {
        let text = "# a\nk: 'no # c' # b\nj: |\n  # text\n--- # c\n- [1, # d\n   2]\n";
        let found: Vec<_> =
            comments(text, 0..text.len()).iter().map(|span| &text[span.range()]).collect();
        assert_eq!(found, ["# a", "# b", "# c", "# d"]);
    }
}
