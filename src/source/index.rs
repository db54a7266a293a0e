//! Lines and columns of byte offsets, in constant time, with a byte of memory for 64 bytes of text.
//!
//! A table of every line start would take 40 MB for a file with a million artifacts, and counting
//! from the start of a line is quadratic where a whole file is one line. So the text is summed up
//! in blocks.

use super::{Position, Region};

/// Bytes summed up in one entry.
const BLOCK: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Block {
    /// Line breaks before the block.
    breaks: u32,
    /// Code points before the block.
    chars: u32,
    /// The start of the line that contains the block's first byte.
    line_start: u32,
    /// Code points before that line.
    line_chars: u32,
}

#[derive(Debug)]
pub(super) struct LineIndex {
    blocks: Vec<Block>,
    has_mark: bool,
}

/// The state of a count.
#[derive(Clone, Copy)]
struct Count {
    breaks: u32,
    chars: u32,
    line_start: u32,
    line_chars: u32,
}

impl LineIndex {
    pub(super) fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut blocks = Vec::with_capacity(bytes.len() / BLOCK + 1);
        let mut count = Count { breaks: 0, chars: 0, line_start: 0, line_chars: 0 };
        let mut at = 0;
        loop {
            let Count { breaks, chars, line_start, line_chars } = count;
            blocks.push(Block { breaks, chars, line_start, line_chars });
            if at + BLOCK > bytes.len() {
                break;
            }
            advance(&mut count, bytes, at, at + BLOCK);
            at += BLOCK;
        }
        Self { blocks, has_mark: text.starts_with('\u{FEFF}') }
    }

    pub(super) fn position(&self, text: &str, offset: usize) -> Position {
        let offset = text.floor_char_boundary(offset);
        self.place(&self.count(text, offset), offset)
    }

    /// Returns the positions of both ends of a range. Most are short, so the second count continues
    /// from the first.
    pub(super) fn region(&self, text: &str, start: usize, end: usize) -> Region {
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(end).max(start);
        let mut count = self.count(text, start);
        let first = self.place(&count, start);
        if end - start > BLOCK {
            count = self.count(text, end);
        } else {
            advance(&mut count, text.as_bytes(), start, end);
        }
        Region { start: first, end: self.place(&count, end) }
    }

    fn place(&self, count: &Count, offset: usize) -> Position {
        let mut column = count.chars - count.line_chars + 1;
        if self.has_mark && count.line_start == 0 && offset > 0 {
            column -= 1;
        }
        Position {
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            line: count.breaks + 1,
            column,
        }
    }

    /// Returns the start of the line that holds the byte `offset`.
    pub(super) fn line_start(&self, text: &str, offset: usize) -> usize {
        self.count(text, text.floor_char_boundary(offset)).line_start as usize
    }

    /// Returns the start of the line `number`, from 1; `None` after the last.
    pub(super) fn start_of_line(&self, text: &str, number: u32) -> Option<usize> {
        let breaks = number.checked_sub(1)?;
        if breaks == 0 {
            return Some(0);
        }
        let block = self.blocks.partition_point(|block| block.breaks < breaks) - 1;
        let from = block * BLOCK;
        let wanted = (breaks - self.blocks[block].breaks) as usize;
        let bytes = text.as_bytes();
        let ends = |at: &usize| bytes[*at] == b'\n' || bytes.get(*at + 1) != Some(&b'\n');
        let mut found = memchr::memchr2_iter(b'\n', b'\r', &bytes[from..]);
        found.by_ref().map(|at| from + at).filter(ends).nth(wanted - 1).map(|at| at + 1)
    }

    fn count(&self, text: &str, offset: usize) -> Count {
        let number = (offset / BLOCK).min(self.blocks.len() - 1);
        let Block { breaks, chars, line_start, line_chars } = self.blocks[number];
        let mut count = Count { breaks, chars, line_start, line_chars };
        advance(&mut count, text.as_bytes(), number * BLOCK, offset);
        count
    }
}

/// Adds the bytes `from..to` to the count. A break is LF, CR LF or a lone CR, as in YAML; it ends
/// with its last byte, so a CR counts only where no LF follows.
fn advance(count: &mut Count, bytes: &[u8], from: usize, to: usize) {
    let part = &bytes[from..to];
    let mut last_break = None;
    for at in memchr::memchr2_iter(b'\n', b'\r', part) {
        if part[at] == b'\r' && bytes.get(from + at + 1) == Some(&b'\n') {
            continue;
        }
        count.breaks += 1;
        last_break = Some(at);
    }
    if let Some(at) = last_break {
        count.line_start = to_u32(from + at + 1);
        count.line_chars = count.chars + to_u32(code_points(&part[..=at]));
    }
    count.chars += to_u32(code_points(part));
}

/// Returns the number of breaks that end in `bytes[from..to]`.
pub(super) fn breaks(bytes: &[u8], from: usize, to: usize) -> usize {
    let part = &bytes[from..to];
    let feeds = memchr::memchr_iter(b'\n', part).count();
    let lone = |at: &usize| bytes.get(from + at + 1) != Some(&b'\n');
    feeds + memchr::memchr_iter(b'\r', part).filter(lone).count()
}

/// Code points that start in `bytes`.
fn code_points(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slowly(text: &str, offset: usize) -> (u32, u32) {
        let (mut line, mut column) = (1, 1);
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if at >= offset {
                break;
            }
            let lone = c == '\r' && chars.peek().is_none_or(|(_, next)| *next != '\n');
            if c == '\n' || lone {
                line += 1;
                column = 1;
            } else if c != '\u{FEFF}' || at > 0 {
                column += 1;
            }
        }
        (line, column)
    }

    proptest! {
        #[test]
        fn positions_agree_with_a_count_from_the_start(
            head in "\u{FEFF}?", body in "[a\u{e9}\n\r\u{1F600}]{0,40}", repeat in 1_usize..700,
            share in 0.0..1.0_f64,
        ) {
            let text = format!("{head}{}", body.repeat(repeat));
            let offset = text.floor_char_boundary((text.len() as f64 * share) as usize);
            let found = LineIndex::new(&text).position(&text, offset);
            prop_assert_eq!((found.line, found.column), slowly(&text, offset));
            let index = LineIndex::new(&text);
            let later = text.floor_char_boundary(offset + repeat);
            let region = index.region(&text, offset, later);
            prop_assert_eq!((region.start, region.end), (found, index.position(&text, later)));
            prop_assert_eq!(index.start_of_line(&text, found.line), Some(index.line_start(&text, offset)));
        }
    }

    #[test]
    fn line_starts_follow_every_kind_of_break() {
        let text = "a\nbc\r\nd\re";
        let index = LineIndex::new(text);
        let of_lines: Vec<_> = (1..=6).map(|line| index.start_of_line(text, line)).collect();
        assert_eq!(of_lines, [Some(0), Some(2), Some(6), Some(8), None, None]);
        let starts: Vec<_> = (0..=text.len()).map(|at| index.line_start(text, at)).collect();
        assert_eq!(starts, [0, 0, 2, 2, 2, 2, 6, 6, 8, 8]);
    }
}
