//! The places at which rows start.

use super::bytes::breaks;
use super::rows::Block;
use crate::source::{Position, Span};

/// As many bytes are counted faster than a place is computed.
const NEAR: usize = 16 << 10;

/// The starts of a block's rows, in their order: each line is counted from the last.
#[derive(Debug)]
pub(super) struct Starts<'b> {
    block: &'b Block,
    /// A byte of the block's text, and its line.
    last: (usize, u32),
}

impl<'b> Starts<'b> {
    /// Returns the starts of the rows of `block`.
    pub(super) const fn new(block: &'b Block) -> Self {
        Self { block, last: (0, block.line) }
    }

    /// Returns the start of the row with the index `row`.
    pub(super) fn of(&mut self, row: u32) -> Position {
        let block = self.block;
        let start = block.rows.get(row as usize).map_or(0, |row| row.span.start);
        let bytes = block.text.as_bytes();
        let at = start as usize;
        let begins_line = at == 0 || bytes.get(at - 1) == Some(&b'\n');
        let (from, line) = self.last;
        if !begins_line || !(from..from + NEAR).contains(&at) {
            let found = block.region(Span::empty(start)).start;
            self.last = (at, found.line);
            return found;
        }
        let line = line.saturating_add(breaks(bytes.get(from..at).unwrap_or_default()));
        self.last = (at, line);
        Position { offset: block.in_file(Span::empty(start)).start, line, column: 1 }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::generate::rows::Row;

    #[test]
    fn starts_of_rows_are_those_that_the_lines_say() {
        let text = "head\nöne\n\"t\r\nwo\"\r\nthree four\nfive";
        let starts = [5_u32, 10, 19, 25, 30];
        let row = |start: u32| Row { number: 1, span: Span::empty(start), first: 0, cells: 0 };
        let block = Block {
            text: Arc::from(text),
            offset: 1000,
            line: 50,
            rows: starts.into_iter().map(row).collect(),
            ..Block::default()
        };
        let mut found = Starts::new(&block);
        let found: Vec<_> = (0..).zip(starts).map(|(row, _)| found.of(row)).collect();
        let at = |offset, line, column| Position { offset, line, column };
        assert_eq!(
            found,
            [at(1005, 51, 1), at(1010, 52, 1), at(1019, 54, 1), at(1025, 54, 7), at(1030, 55, 1)]
        );
    }
}
