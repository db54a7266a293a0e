//! Text to pieces: regular documents by the reader of regular text, the others by the parser.

use std::ops::Range;

use super::events::{MAX_NODES, Next, Parsed};
use super::piece::{Piece, Section};
use super::regular::{Regular, Step};
use super::tree::Tree;

/// Reads documents out of a text.
pub struct Reader<'t> {
    text: &'t str,
    end: usize,
    list_key: &'static str,
    by: By,
    regular: Regular<'t>,
    /// The parser, if it is at the start of the current document or behind that.
    parsed: Option<Parsed<'t>>,
    /// The parser of the item that was passed on last, if that was irregular.
    item: Option<Parsed<'t>>,
    /// The number of pieces of the current document that were passed on.
    pieces: usize,
    /// True if the parser reads regular text too.
    parser_only: bool,
    /// True if nothing follows where the parser is needed for more than an item.
    regular_only: bool,
    /// The first item of a section, until it is reached.
    items: Option<usize>,
}

/// The reader of what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The reader of regular text.
    Regular,
    /// The parser.
    Parser,
    /// The parser, which is at the end of a document.
    Between,
}

impl<'t> Reader<'t> {
    /// Reads the bytes `part` of `text`, which must begin at a document. Spans are offsets of
    /// `text`. The value of `list_key` in a root mapping is passed on item by item if it is a
    /// list.
    #[must_use]
    pub fn new(text: &'t str, part: Range<usize>, list_key: &'static str) -> Self {
        let parser_only = parser_only();
        Self {
            text,
            end: part.end,
            list_key,
            by: if parser_only { By::Parser } else { By::Regular },
            regular: Regular::new(text, part.start, part.end, list_key),
            parsed: None,
            item: None,
            pieces: 0,
            parser_only,
            regular_only: false,
            items: None,
        }
    }

    /// Reads a section of a document in `text`. The document comes last, and is complete in its last
    /// section alone.
    #[must_use]
    pub fn of_section(text: &'t str, section: &Section, list_key: &'static str) -> Self {
        let mut reader = Self::new(text, section.head.start..section.items.end, list_key);
        reader.items = Some(section.items.start);
        reader
    }

    /// Reads `part` of `text` up to what needs the parser for more than an item.
    pub(super) fn of_regular(text: &'t str, part: Range<usize>, list_key: &'static str) -> Self {
        let reader = Self::new(text, part, list_key);
        Self { regular_only: true, ..reader }
    }

    /// Returns a reader that leaves everything to the parser.
    #[cfg(any(test, fuzzing))]
    pub(super) fn of_parser(text: &'t str, part: Range<usize>, list_key: &'static str) -> Self {
        let reader = Self::new(text, part, list_key);
        Self { by: By::Parser, parser_only: true, ..reader }
    }

    /// Returns whether the parser has read the item passed on last, and that alone.
    #[cfg(test)]
    pub(super) const fn is_item_alone(&self) -> bool {
        self.item.is_some()
    }

    /// Returns the number of nodes of the current document without the items of its list, and the
    /// start of the next line, if the parser was not needed for more than one item at a time.
    pub(super) fn regular_list(&self) -> Option<(usize, usize)> {
        (self.by == By::Regular).then(|| (self.regular.kept(), self.regular.next()))
    }

    /// Returns the nodes of the piece passed on last.
    #[must_use]
    pub fn tree(&self) -> &Tree<'t> {
        match (&self.item, &self.parsed) {
            (Some(item), _) => item.tree(),
            (None, Some(parsed)) if self.by != By::Regular => parsed.tree(),
            _ => self.regular.tree(),
        }
    }

    /// Returns the next piece, or `None` at the end.
    pub fn next_piece(&mut self) -> Option<Piece> {
        self.item = None;
        if self.by == By::Between
            && let Some(parsed) = &mut self.parsed
        {
            match parsed.next_document() {
                Next::Document(Some(start)) if self.regular.go_to(start as usize) => {
                    self.by = By::Regular;
                }
                Next::Document(_) => self.by = By::Parser,
                Next::Piece(piece) => return Some(piece),
                Next::End => return None,
            }
        }
        if self.by == By::Regular {
            match self.regular.step() {
                Step::Piece(piece) => {
                    self.pieces += 1;
                    match piece {
                        Piece::Document { .. } => {
                            self.pieces = 0;
                            self.parsed = None;
                        }
                        Piece::List { .. } => {
                            if let Some(items) = self.items.take() {
                                self.regular.go_to_item(items);
                            }
                        }
                        Piece::Item(_) | Piece::Broken { .. } => {}
                    }
                    return Some(piece);
                }
                Step::End => return None,
                Step::GiveWayInItem => {
                    if let Some(piece) = self.irregular_item() {
                        self.pieces += 1;
                        return Some(piece);
                    }
                }
                Step::GiveWay => {}
            }
            self.by = By::Parser;
        }
        if self.regular_only {
            return None;
        }
        let pieces = std::mem::take(&mut self.pieces);
        let parsed = self.parsed.get_or_insert_with(|| {
            Parsed::new(self.text, self.regular.from()..self.end, self.list_key)
        });
        for _ in 0..pieces {
            parsed.next_piece()?;
        }
        let piece = parsed.next_piece()?;
        let ends = matches!(piece, Piece::Document { .. } | Piece::Broken { .. });
        if ends && !self.parser_only {
            self.by = By::Between;
        }
        Some(piece)
    }

    /// Reads the item at which the reader of regular text gave way, if it can be read alone.
    fn irregular_item(&mut self) -> Option<Piece> {
        let lines = self.regular.item()?;
        // A line may end in `\r` alone: then the lines are others than they seem.
        let bytes = self.text.as_bytes().get(lines.clone())?;
        if memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n')) {
            return None;
        }
        let mut parsed = Parsed::of_item(self.text, lines.clone(), self.list_key);
        let Piece::List { root: None, .. } = parsed.next_piece()? else { return None };
        let piece @ Piece::Item(item) = parsed.next_piece()? else { return None };
        if self.regular.kept() + parsed.tree().nodes.len() > MAX_NODES {
            return None;
        }
        if !parsed.is_lone_item() || !self.regular.skip(&lines, parsed.tree().span(item).end) {
            return None;
        }
        self.item = Some(parsed);
        Some(piece)
    }
}

/// Returns whether the parser is to read everything, for tests that compare the two: set by
/// `LINELOAD_PARSER_ONLY`, in builds with debug assertions only.
fn parser_only() -> bool {
    #[cfg(debug_assertions)]
    {
        static SET: std::sync::LazyLock<bool> =
            std::sync::LazyLock::new(|| std::env::var_os("LINELOAD_PARSER_ONLY").is_some());
        *SET
    }
    #[cfg(not(debug_assertions))]
    false
}

#[cfg(test)]
mod tests;
