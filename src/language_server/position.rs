//! Places as editors count them: lines from 0, and columns in the units that were negotiated.

use std::sync::Arc;

use gen_lsp_types::{Position, PositionEncodingKind, Range};

use crate::source::{SourceFile, Span};

/// The units of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, which every client knows.
    Utf16,
}

impl Encoding {
    /// Returns the best of those that a client offers.
    pub(super) fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let offers = |kind| offered.is_some_and(|offered| offered.contains(&kind));
        if offers(PositionEncodingKind::UTF8) { Self::Utf8 } else { Self::Utf16 }
    }

    /// Returns its name in the protocol.
    pub(super) const fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn width(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        }
    }

    /// Returns the byte at `position`. A column past the end of the line is its end, one inside of a
    /// character is its start, and a line past the end is the end of the text.
    pub(super) fn offset(self, source: &SourceFile, position: Position) -> u32 {
        let Some(line) = source.line_span(position.line.saturating_add(1)) else {
            return Span::new(0..source.text().len()).end;
        };
        let (mut units, mut bytes) = (0, 0);
        for c in source.slice(line).chars() {
            units += self.width(c);
            if units > position.character as usize {
                break;
            }
            bytes += c.len_utf8();
        }
        line.start + u32::try_from(bytes).unwrap_or_default()
    }

    /// Returns the bytes of `range`; empty at its start if it ends before.
    pub(super) fn span(self, source: &SourceFile, range: Range) -> Span {
        let start = self.offset(source, range.start);
        Span { start, end: self.offset(source, range.end).max(start) }
    }
}

/// The number of bytes that are counted at once.
const BLOCK: usize = 1024;

/// The positions of one text, each in constant time, however long its lines are.
#[derive(Debug)]
pub(super) struct Places {
    source: Arc<SourceFile>,
    encoding: Encoding,
    /// The units of a byte-order mark that editors do not count.
    mark: u32,
    /// The number of characters of two UTF-16 units before each block; empty if there are none.
    pairs: Vec<u32>,
}

impl Places {
    /// Returns the positions of `source`, which an editor has open.
    pub(super) fn new(source: Arc<SourceFile>, encoding: Encoding) -> Self {
        let bytes = source.text().as_bytes();
        let mut pairs = Vec::new();
        if encoding == Encoding::Utf16 && bytes.iter().any(|byte| is_pair(*byte)) {
            let mut before = 0;
            for block in bytes.chunks(BLOCK) {
                pairs.push(before);
                before += count_pairs(block);
            }
            pairs.push(before);
        }
        Self { source, encoding, mark: 0, pairs }
    }

    /// Returns the positions of a file that is read from the disk. If it begins with a byte-order
    /// mark, an editor that opens it leaves that out of the text.
    pub(super) fn without_mark(source: Arc<SourceFile>, encoding: Encoding) -> Self {
        let mark = if has_mark(&source) { encoding.width('\u{FEFF}') } else { 0 };
        let mark = u32::try_from(mark).unwrap_or_default();
        Self { mark, ..Self::new(source, encoding) }
    }

    /// Returns the characters of two UTF-16 units before the byte `offset`.
    fn pairs_before(&self, offset: u32) -> u32 {
        let block = offset as usize / BLOCK;
        let Some(before) = self.pairs.get(block) else { return 0 };
        let rest = self.source.text().as_bytes().get(block * BLOCK..offset as usize);
        before + count_pairs(rest.unwrap_or_default())
    }

    /// Returns the position of the byte `offset`.
    pub(super) fn position(&self, offset: u32) -> Position {
        let place = self.source.position(offset);
        let start = self.source.line_start(place.offset);
        let character = match self.encoding {
            Encoding::Utf8 => place.offset - start,
            Encoding::Utf16 => {
                let mark = start == 0 && place.offset > 0 && has_mark(&self.source);
                let pairs = self.pairs_before(place.offset) - self.pairs_before(start);
                place.column - 1 + u32::from(mark) + pairs
            }
        };
        let mark = if start == 0 { self.mark } else { 0 };
        Position { line: place.line - 1, character: character.saturating_sub(mark) }
    }

    /// Returns both ends of `span`.
    pub(super) fn range(&self, span: Span) -> Range {
        let start = self.position(span.start);
        Range { start, end: self.position(span.end.max(span.start)) }
    }
}

fn has_mark(source: &SourceFile) -> bool {
    source.text().starts_with('\u{FEFF}')
}

/// Returns whether `byte` begins a character of two UTF-16 units.
const fn is_pair(byte: u8) -> bool {
    byte >= 0xF0
}

fn count_pairs(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.iter().filter(|byte| is_pair(**byte)).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn source(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile::new(FileId(0), "f".into(), text.as_bytes().to_vec()))
    }

    const fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_count_bytes_or_utf16_units() {
        let source = source("a: é😀x\r\nb\n");
        let x = 9;
        assert_eq!(source.slice(Span { start: x, end: x + 1 }), "x");
        for (encoding, column) in [(Encoding::Utf8, 9), (Encoding::Utf16, 6)] {
            assert_eq!(Places::new(Arc::clone(&source), encoding).position(x), at(0, column));
            assert_eq!(encoding.offset(&source, at(0, column)), x);
            assert_eq!(encoding.offset(&source, at(0, 99)), x + 1);
            assert_eq!(encoding.offset(&source, at(1, 1)), 13);
            assert_eq!(encoding.offset(&source, at(99, 0)), 14);
            // Inside of the emoji.
            assert_eq!(encoding.offset(&source, at(0, column - 1)), 5);
        }
    }

    #[test]
    fn a_mark_at_the_start_is_a_character_of_the_first_line() {
        let source = source("\u{FEFF}ab\nc");
        for (encoding, width) in [(Encoding::Utf8, 3), (Encoding::Utf16, 1)] {
            let places = Places::new(Arc::clone(&source), encoding);
            assert_eq!(places.position(0), at(0, 0));
            assert_eq!(places.position(4), at(0, width + 1));
            assert_eq!(places.position(6), at(1, 0));
            assert_eq!(encoding.offset(&source, at(0, width + 1)), 4);
            // On the disk, it is not a character of what an editor has.
            let places = Places::without_mark(Arc::clone(&source), encoding);
            assert_eq!(places.position(4), at(0, 1));
            assert_eq!(places.position(6), at(1, 0));
        }
    }

    #[test]
    fn columns_of_a_long_line_are_those_that_are_counted() {
        let text = "é😀 x\u{FFFD}".repeat(3_000);
        let source = source(&text);
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            let places = Places::new(Arc::clone(&source), encoding);
            let mut units = 0;
            for (offset, c) in text.char_indices() {
                assert_eq!(places.position(u32::try_from(offset).unwrap()), at(0, units));
                units += u32::try_from(encoding.width(c)).unwrap();
            }
        }
    }
}
