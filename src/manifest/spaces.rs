//! Documents with spaces that are not ASCII where YAML requires a space.
//!
//! In: the text of a document, and those spaces. Out: their findings, and the document as it looks, byte
//! for byte as long and with all its values where they are, so that everything else in it can be checked.

use std::ops::Range;

use super::layout::{blank, line_start};
use super::placeholders::filled;
use crate::diagnostic::{Code, Draft, Fix};
use crate::text::odd_space;
use crate::yaml::{self, OddSpace, Place};

/// Documents longer than this are not read again as they look.
const LONGEST: usize = 1 << 20;

/// The fault of a document's spaces.
pub(super) struct Spaces {
    pub(super) drafts: Vec<Draft>,
    /// The text of the file up to the end of the document, as it looks; `None` where that is not YAML.
    pub(super) as_meant: Option<String>,
}

/// The place that odd spaces have once they are fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// The indentation is right as it looks.
    AsItLooks,
    /// The characters have come in addition to the indentation.
    WithoutThem,
    /// No one else can tell how far the line belongs.
    Unknown,
}

/// Rounds in which odd spaces are looked for: one that is fixed can uncover others.
const ROUNDS: usize = 4;

impl Spaces {
    /// Returns the fault of `odd` in the bytes `document` of `text`. It is only read as it looks if it
    /// `may_copy` it.
    pub(super) fn new(
        text: &str,
        document: &Range<usize>,
        odd: &[&OddSpace],
        may_copy: bool,
    ) -> Self {
        let mut all: Vec<OddSpace> = odd.iter().map(|odd| **odd).collect();
        let (mut meant, mut as_meant) = match may_copy && document.len() <= LONGEST {
            true => looked_at(text, document, &all),
            false => (Meant::Unknown, None),
        };
        for _ in 1..ROUNDS {
            let Some(copy) = &as_meant else { break };
            let more = yaml::odd_spaces(copy, document.clone());
            if more.is_empty() {
                break;
            }
            all.extend(more);
            all.sort_by_key(|odd| odd.span.start);
            (meant, as_meant) = looked_at(text, document, &all);
        }
        let drafts = all.iter().map(|odd| draft(odd, meant, spaces(text, odd))).collect();
        Self { drafts, as_meant }
    }
}

/// Returns what is meant by `odd`, and the text with that in their place.
fn looked_at(text: &str, document: &Range<usize>, odd: &[OddSpace]) -> (Meant, Option<String>) {
    let without = |odd: &OddSpace| match odd.place {
        Place::Indentation => String::new(),
        Place::Colon | Place::Dash => spaces(text, odd),
    };
    let looks = written(text, document, odd, |odd| spaces(text, odd));
    let indents = odd.iter().any(|odd| odd.place == Place::Indentation);
    if !indents || looks.as_ref().is_some_and(|text| is_yaml(text, document)) {
        return (Meant::AsItLooks, looks);
    }
    match written(text, document, odd, without).filter(|text| is_yaml(text, document)) {
        Some(text) => (Meant::WithoutThem, Some(text)),
        None => (Meant::Unknown, None),
    }
}

/// Returns whether a document is YAML, but for its placeholders.
fn is_yaml(text: &str, document: &Range<usize>) -> bool {
    yaml::parses(text, document.clone())
        || filled(text, document.clone())
            .is_some_and(|filled| yaml::parses(&filled.text, document.clone()))
}

/// Returns as many spaces as characters look like one.
fn spaces(text: &str, odd: &OddSpace) -> String {
    let seen = text.get(odd.span.range()).unwrap_or_default();
    " ".repeat(seen.chars().count())
}

/// The help where the character stands for a space.
const WRITE: &str = "write a space: YAML treats this character as a letter";

fn draft(odd: &OddSpace, meant: Meant, spaces: String) -> Draft {
    let name = odd_space(odd.character).unwrap_or_default();
    let message = match odd.place {
        Place::Indentation => format!("this line is indented with {name}"),
        Place::Colon => format!("{name} follows the colon"),
        Place::Dash => format!("{name} follows the dash"),
    };
    let (help, fix) = match (odd.place, meant) {
        (Place::Colon | Place::Dash, _) | (Place::Indentation, Meant::AsItLooks) => {
            (WRITE, Some(Fix::safe(odd.span, spaces)))
        }
        (Place::Indentation, Meant::WithoutThem) => (
            "remove it: YAML treats this character as a letter, and as a space it would be one too \
             many",
            Some(Fix::unsafely(odd.span, "")),
        ),
        (Place::Indentation, Meant::Unknown) => (
            "indent the line with spaces, as far as the others of its mapping or list: YAML treats \
             this character as a letter",
            None,
        ),
    };
    Draft::new(Code::NoBreakSpace, odd.span, message).help(help).fix(fix)
}

/// Returns `text` up to the end of the document with `written` in the place of each of `odd`. A character
/// has more bytes than the space that it stands for: those that are left over stand at the end of the line
/// before, where they mean nothing, so that what follows is where it was.
fn written(
    text: &str,
    document: &Range<usize>,
    odd: &[OddSpace],
    written: impl Fn(&OddSpace) -> String,
) -> Option<String> {
    let mut copy = blank(document.start);
    let mut end = document.start;
    for odd in odd {
        let span = odd.span.range();
        copy.push_str(text.get(end..span.start)?);
        let spare = " ".repeat(span.len().checked_sub(written(odd).len())?);
        if odd.place == Place::Colon {
            copy.push_str(&spare);
        } else if !spare.is_empty() {
            let line = line_start(&copy, copy.len());
            if line > document.start {
                let line_break = if copy[..line].ends_with("\r\n") { 2 } else { 1 };
                copy.insert_str(line - line_break, &spare);
            } else {
                // Before the first line there is room for an empty one.
                copy.insert_str(line, &format!("{}\n", &spare[1..]));
            }
        }
        copy.push_str(&written(odd));
        end = span.end;
    }
    copy.push_str(text.get(end..document.end)?);
    Some(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_meant(text: &str) -> Option<String> {
        let document = 0..text.len();
        let odd = yaml::odd_spaces(text, document.clone());
        Spaces::new(text, &document, &odd.iter().collect::<Vec<_>>(), true).as_meant
    }

    #[test]
    fn a_document_is_as_it_looks_and_as_long() {
        let cases = [
            ("a:\u{A0}b\nc: d\n", "a:  b\nc: d\n"),
            ("a:\n\u{A0}\u{A0}b: c\n", "a:  \n  b: c\n"),
            ("a:\r\n \u{A0}b: c\r\n  d: e\r\n", "a: \r\n  b: c\r\n  d: e\r\n"),
            ("-\u{A0}a: b\n  c: d\n", "\n- a: b\n  c: d\n"),
            ("t:\n-\u{202F}a: b\n  c: d\n", "t:  \n- a: b\n  c: d\n"),
            // One too many.
            ("a: b\n\u{A0}c: d\n", "a: b  \nc: d\n"),
        ];
        for (text, meant) in cases {
            assert_eq!(as_meant(text).as_deref(), Some(meant), "{text:?}");
            assert_eq!(text.len(), meant.len());
        }
        assert_eq!(as_meant("a:\n    b: c\n\u{A0}\u{A0} d: e\n"), None);
    }
}
