//! Source files: their text, places in it, and values with their place.
//!
//! In: bytes. Out: a [`SourceFile`] with text, and [`Position`]s computed on demand. It does not
//! know YAML and does not read directories.

mod encoding;
mod index;
mod pattern;
mod pieces;
mod store;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub use encoding::EncodingFault;
use index::LineIndex;
pub use pattern::{Base, Pattern, PatternError};
pub use pieces::Piece;
use pieces::Pieces;
pub use store::SourceStore;

/// The index of a file in the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u32);

/// The largest source file, in bytes: offsets have 32 bits.
pub const MAX_FILE_BYTES: u64 = u32::MAX as u64 - 1;

/// A range of bytes in a source file; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// Returns the span of the bytes `range`. Ranges beyond [`MAX_FILE_BYTES`] are clamped to it.
    #[must_use]
    pub fn new(range: Range<usize>) -> Self {
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX - 1);
        Self { start: cut(range.start), end: cut(range.end.max(range.start)) }
    }

    /// Returns whether the byte `offset` is in it, or right behind it, as a cursor is.
    #[must_use]
    pub const fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// Returns the empty span at `at`.
    #[must_use]
    pub const fn empty(at: u32) -> Self {
        Self { start: at, end: at }
    }

    /// As a range of bytes.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns whether it covers no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Returns the span from the start of `self` to the end of `last`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end.max(self.start) }
    }
}

/// A value and where it was read. Equality ignores the place.
#[derive(Debug, Clone, Copy)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl<T: Eq> Eq for Spanned<T> {}

/// A place in a source file as people and editors count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Bytes from the start of the file, a byte-order mark included.
    pub offset: u32,
    /// From 1.
    pub line: u32,
    /// From 1, in code points, a byte-order mark not counted.
    pub column: u32,
}

/// Two [`Position`]s; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// The first character.
    pub start: Position,
    /// The character after the last.
    pub end: Position,
}

impl Region {
    /// Returns the bytes of the region.
    #[must_use]
    pub const fn span(&self) -> Span {
        Span { start: self.start.offset, end: self.end.offset }
    }
}

/// A place in a file whose line is known: [`SourceFile::next_line`] counts from it.
#[derive(Debug, Clone, Copy)]
pub struct LineCursor {
    offset: usize,
    /// From 1.
    line: u32,
}

impl Default for LineCursor {
    /// The start of a file.
    fn default() -> Self {
        Self { offset: 0, line: 1 }
    }
}

/// The text of one file.
#[derive(Debug)]
pub struct SourceFile {
    id: FileId,
    name: Arc<str>,
    text: String,
    fault: Option<EncodingFault>,
    index: OnceLock<LineIndex>,
    /// The places of the text in the file, if it is not all of it.
    pieces: Pieces,
}

impl SourceFile {
    /// Creates a source file from its bytes. [`Self::fault`] returns bytes that are not UTF-8; the
    /// text then has as much as can be shown.
    #[must_use]
    pub fn new(id: FileId, name: Arc<str>, bytes: Vec<u8>) -> Self {
        let (text, fault) = encoding::decode(bytes);
        Self { id, name, text, fault, index: OnceLock::new(), pieces: Pieces::default() }
    }

    /// A source file of which only some whole lines are known. They are in order, and places in them
    /// are those of the file.
    #[must_use]
    pub fn of_pieces(id: FileId, name: Arc<str>, pieces: Vec<Piece>) -> Self {
        let (text, pieces) = Pieces::join(pieces);
        Self { id, name, text, fault: None, index: OnceLock::new(), pieces }
    }

    /// Its index in the walk.
    #[must_use]
    pub const fn id(&self) -> FileId {
        self.id
    }

    /// Returns the path as it is shown: as the user gave it, relative where that was.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the text, a byte-order mark included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns why the bytes are not UTF-8, if they are not.
    #[must_use]
    pub const fn fault(&self) -> Option<&EncodingFault> {
        self.fault.as_ref()
    }

    /// Returns the text of `span`; empty if it is out of bounds or not on character boundaries.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(self.in_text(span).range()).unwrap_or("")
    }

    /// Returns the place of `span` in [`Self::text`], which begins elsewhere than the file if only pieces of it
    /// are known.
    #[must_use]
    pub fn in_text(&self, span: Span) -> Span {
        if self.pieces.is_empty() { span } else { self.pieces.local_span(span) }
    }

    /// Returns the position of the byte `offset`. Offsets past the end count as the end, offsets
    /// inside a character as that character.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        if self.pieces.is_empty() {
            return self.index().position(&self.text, offset as usize);
        }
        let local = self.pieces.local(offset as usize);
        self.in_file(self.index().position(&self.text, local))
    }

    /// The place in the file of a place in the pieces that are known of it.
    fn in_file(&self, place: Position) -> Position {
        let offset = self.pieces.offset(place.offset as usize);
        Position {
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            line: self.pieces.line(place.line),
            column: place.column,
        }
    }

    /// Both ends of `span`.
    #[must_use]
    pub fn region(&self, span: Span) -> Region {
        let local = self.in_text(span);
        let region = self.index().region(&self.text, local.start as usize, local.end as usize);
        if self.pieces.is_empty() {
            return region;
        }
        Region { start: self.in_file(region.start), end: self.in_file(region.end) }
    }

    /// Returns the number of the line that holds the byte `offset`, from 1.
    #[must_use]
    pub fn line(&self, offset: u32) -> u32 {
        self.position(offset).line
    }

    /// Returns the first byte of the line that holds the byte `offset`. The whole file must be known.
    #[must_use]
    pub fn line_start(&self, offset: u32) -> u32 {
        Span::new(0..self.index().line_start(&self.text, offset as usize)).end
    }

    /// Returns the same as [`Self::line`], for offsets that ascend: counted from the last one if
    /// that is near.
    #[must_use]
    pub fn next_line(&self, cursor: &mut LineCursor, offset: u32) -> u32 {
        /// As many bytes are counted faster than a place is computed.
        const NEAR: usize = 16 << 10;
        let at = self.text.floor_char_boundary(offset as usize);
        let LineCursor { offset: last, line } = *cursor;
        let line = if self.pieces.is_empty() && (last..last + NEAR).contains(&at) {
            let breaks = index::breaks(self.text.as_bytes(), last, at);
            line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX))
        } else {
            self.line(offset)
        };
        *cursor = LineCursor { offset: at, line };
        line
    }

    /// Returns the bytes of the line `number`, from 1, without its line break. `None` after the
    /// last line.
    #[must_use]
    pub fn line_span(&self, number: u32) -> Option<Span> {
        let whole = self.pieces.is_empty();
        let number = if whole { number } else { self.pieces.local_line(number)? };
        let start = self.index().start_of_line(&self.text, number)?;
        let rest = self.text.as_bytes().get(start..)?;
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let start = if whole { start } else { self.pieces.offset(start) };
        Some(Span::new(start..start + length))
    }

    fn index(&self) -> &LineIndex {
        self.index.get_or_init(|| LineIndex::new(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_counted_on_are_those_of_the_file() {
        let text = "a\r\n\u{e9}\n\rb\r".repeat(5_000);
        let name: Arc<str> = Arc::from("f");
        let file = SourceFile::new(FileId(0), name, text.clone().into_bytes());
        let end = u32::try_from(text.len()).unwrap();
        for step in [1, 2, 7, 1_000, 20_000, 90_000] {
            let mut cursor = LineCursor::default();
            for offset in (0..=end + step).step_by(step as usize) {
                assert_eq!(file.next_line(&mut cursor, offset), file.line(offset), "{offset}");
            }
            // Backwards too.
            assert_eq!(file.next_line(&mut cursor, 3), 2);
        }
    }

    #[test]
    fn places_in_pieces_are_those_of_the_file() {
        let whole = "a,b\n1,é\n2,y\n3,z\n4,w\n";
        let piece = |line: u32, text: &str| Piece {
            offset: u32::try_from(whole.find(text).unwrap()).unwrap(),
            line,
            text: text.to_owned(),
        };
        let name: Arc<str> = Arc::from("f");
        let file = SourceFile::new(FileId(0), Arc::clone(&name), whole.as_bytes().to_vec());
        let pieces = vec![piece(2, "1,é\n"), piece(4, "3,z\n4,w")];
        let known = SourceFile::of_pieces(FileId(0), name, pieces);
        for word in ["1", "é", "3", "z", "4", "w"] {
            let at = whole.find(word).unwrap();
            let span = Span::new(at..at + word.len());
            assert_eq!(known.region(span), file.region(span), "{word}");
            assert_eq!(known.slice(span), word);
        }
        for line in [2, 4, 5] {
            assert_eq!(known.line_span(line), file.line_span(line), "{line}");
        }
        for line in [1, 3, 6] {
            assert_eq!(known.line_span(line), None, "{line}");
        }
    }
}
