//! Pieces of a file that nobody keeps whole: a few lines out of millions.

use super::index;
use crate::source::Span;

/// Whole lines of a file, and where they stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Bytes of the file in front of it.
    pub offset: u32,
    /// The number of its first line, from 1.
    pub line: u32,
    /// The lines.
    pub text: String,
}

/// The places of the pieces of a file in the text that holds them one behind the other.
#[derive(Debug, Default)]
pub(super) struct Pieces(Vec<Place>);

#[derive(Debug, Clone, Copy)]
struct Place {
    /// In the file.
    offset: usize,
    /// In the text.
    start: usize,
    /// Bytes of the piece.
    length: usize,
    /// In the file, from 1.
    line: u32,
    /// In the text, from 1.
    local_line: u32,
    /// The number of its lines; the nothing behind its last line break is none.
    lines: u32,
}

impl Pieces {
    /// Returns the text of `pieces`, which are in order and do not overlap, with their places in it.
    pub(super) fn join(pieces: Vec<Piece>) -> (String, Self) {
        let mut text = String::new();
        let mut places = Vec::with_capacity(pieces.len());
        let mut local_line = 1;
        for piece in pieces {
            let (start, length) = (text.len(), piece.text.len());
            text.push_str(&piece.text);
            if !text.ends_with('\n') {
                text.push('\n');
            }
            let lines = index::breaks(text.as_bytes(), start, text.len());
            let lines = u32::try_from(lines).unwrap_or(u32::MAX - local_line);
            let offset = piece.offset as usize;
            places.push(Place { offset, start, length, line: piece.line, local_line, lines });
            local_line += lines;
        }
        (text, Self(places))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns where the byte `offset` of the file is in the text; the nearest byte where it is in no
    /// piece.
    pub(super) fn local(&self, offset: usize) -> usize {
        let Some(place) = self.0[..self.0.partition_point(|place| place.offset <= offset)].last()
        else {
            return 0;
        };
        place.start + (offset - place.offset).min(place.length)
    }

    /// Returns where the byte `local` of the text is in the file.
    pub(super) fn offset(&self, local: usize) -> usize {
        let before = self.0.partition_point(|place| place.start <= local);
        self.0[..before].last().map_or(0, |place| place.offset + (local - place.start))
    }

    /// Returns the number that the line `local` of the text has in the file.
    pub(super) fn line(&self, local: u32) -> u32 {
        let before = self.0.partition_point(|place| place.local_line <= local);
        self.0[..before].last().map_or(local, |place| place.line + (local - place.local_line))
    }

    /// Returns the number that the line `line` of the file has in the text, if the text contains
    /// it.
    pub(super) fn local_line(&self, line: u32) -> Option<u32> {
        let before = self.0.partition_point(|place| place.line <= line);
        let place = self.0[..before].last()?;
        let within = line - place.line;
        (within < place.lines).then_some(place.local_line + within)
    }

    /// Returns the span of the text for a span of the file.
    pub(super) fn local_span(&self, span: Span) -> Span {
        Span::new(self.local(span.start as usize)..self.local(span.end as usize))
    }
}
