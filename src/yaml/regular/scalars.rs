//! Scalars on one line.

use super::{Irregular, Regular, Regularly};
use crate::source::Span;
use crate::yaml::style::Style;

/// A scalar.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) style: Style,
    /// All of it, quotes included.
    pub(super) span: Span,
    /// The bytes of its value, in the text or in `cooked`.
    pub(super) value: Span,
    pub(super) cooked: bool,
    /// The place behind it.
    pub(super) next: usize,
    /// True if it is a key: `:` follows, and then white space or the end.
    pub(super) is_key: bool,
}

/// Bytes that end a run of text, or that must be looked at.
const PLAIN: u8 = 1;
/// The same in single quotes.
const SINGLE: u8 = 2;
/// The same in double quotes.
const DOUBLE: u8 = 4;
/// The same in a comment.
const COMMENT: u8 = 8;
/// Bytes that no plain scalar begins with.
const INDICATOR: u8 = 16;

/// The properties of each byte.
static BYTES: [u8; 256] = bytes();

const fn bytes() -> [u8; 256] {
    const ALL: u8 = PLAIN | SINGLE | DOUBLE | COMMENT;
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        bytes[byte] = match byte as u8 {
            0..=0x1F | 0x7F => ALL | INDICATOR,
            // U+0080 to U+009F, and U+F000 to U+FFFF, must be looked at.
            0xC2 | 0xEF => ALL,
            b':' | b'#' => PLAIN | INDICATOR,
            b'\'' => SINGLE | INDICATOR,
            b'"' | b'\\' => DOUBLE,
            b' ' | b'-' | b'?' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|'
            | b'>' | b'%' | b'@' | b'`' => INDICATOR,
            _ => 0,
        };
        byte += 1;
    }
    bytes[b'"' as usize] |= INDICATOR;
    bytes
}

const fn has(byte: u8, property: u8) -> bool {
    BYTES[byte as usize] & property != 0
}

/// Returns whether there is something in a comment that the parser must look at.
pub(super) fn is_irregular(comment: &[u8]) -> bool {
    let mut at = 0;
    while let Some(length) = comment[at..].iter().position(|byte| has(*byte, COMMENT)) {
        match wide(&comment[at + length..]) {
            Some(width) => at += length + width,
            None => return true,
        }
    }
    false
}

/// Returns the length of the character that `bytes` begin with, if it is beyond ASCII and YAML allows it.
fn wide(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0xC2, 0xA0..=0xBF, ..] => Some(2),
        [0xEF, second, third, ..] => {
            let is_mark = *second == 0xBB && *third == 0xBF;
            let is_none = *second == 0xBF && *third >= 0xBE;
            (!is_mark && !is_none).then_some(3)
        }
        _ => None,
    }
}

impl Regular<'_> {
    /// Reads the scalar at `at`, which ends on this line.
    pub(super) fn scalar(&mut self, at: usize) -> Regularly<Scalar> {
        match self.bytes.get(at) {
            Some(b'"') => self.double(at),
            Some(b'\'') => self.single(at),
            Some(b'-') => {
                let next = self.bytes.get(at + 1).ok_or(Irregular)?;
                if has(*next, INDICATOR) { Err(Irregular) } else { self.plain(at) }
            }
            Some(byte) if !has(*byte, INDICATOR) => self.plain(at),
            _ => Err(Irregular),
        }
    }

    fn plain(&self, start: usize) -> Regularly<Scalar> {
        let mut at = start;
        let mut is_key = false;
        loop {
            at = self.run(at, PLAIN);
            match self.bytes.get(at) {
                None | Some(b'\n') => break,
                Some(b'\r') if self.ends_line(at) => break,
                Some(b':') if self.bytes.get(at + 1) == Some(&b' ') || self.ends_line(at + 1) => {
                    is_key = true;
                    break;
                }
                Some(b':') if self.bytes.get(at + 1) != Some(&b'\t') => at += 1,
                Some(b'#') if self.bytes[at - 1] == b' ' => break,
                Some(b'#') => at += 1,
                Some(_) => at += wide(&self.bytes[at..]).ok_or(Irregular)?,
            }
        }
        let mut end = at;
        while self.bytes[end - 1] == b' ' {
            end -= 1;
        }
        if is_key && end < at {
            return Err(Irregular);
        }
        let span = Span::new(start..end);
        Ok(Scalar { style: Style::Plain, span, value: span, cooked: false, next: end, is_key })
    }

    fn single(&mut self, start: usize) -> Regularly<Scalar> {
        let mut at = start + 1;
        let cooked_from = self.tree.cooked.len();
        let mut copied = at;
        let mut cooked = false;
        loop {
            at = self.run(at, SINGLE);
            match self.bytes.get(at).ok_or(Irregular)? {
                b'\'' if self.bytes.get(at + 1) == Some(&b'\'') => {
                    self.copy(copied, at + 1)?;
                    cooked = true;
                    at += 2;
                    copied = at;
                }
                b'\'' => break,
                _ => at += wide(&self.bytes[at..]).ok_or(Irregular)?,
            }
        }
        self.quoted(Style::Single, start, at, cooked.then_some((cooked_from, copied)))
    }

    fn double(&mut self, start: usize) -> Regularly<Scalar> {
        let mut at = start + 1;
        let cooked_from = self.tree.cooked.len();
        let mut copied = at;
        let mut cooked = false;
        loop {
            at = self.run(at, DOUBLE);
            match self.bytes.get(at).ok_or(Irregular)? {
                b'"' => break,
                b'\\' => {
                    let meant = match self.bytes.get(at + 1).ok_or(Irregular)? {
                        b'"' => '"',
                        b'\\' => '\\',
                        b'/' => '/',
                        b'n' => '\n',
                        b't' => '\t',
                        _ => return Err(Irregular),
                    };
                    self.copy(copied, at)?;
                    self.tree.cooked.push(meant);
                    cooked = true;
                    at += 2;
                    copied = at;
                }
                _ => at += wide(&self.bytes[at..]).ok_or(Irregular)?,
            }
        }
        self.quoted(Style::Double, start, at, cooked.then_some((cooked_from, copied)))
    }

    /// Ends a quoted scalar at its second quote, at `end`. Of one with escapes, `cooked` has the
    /// start in `cooked` and the first byte of the text that has not been copied there.
    fn quoted(
        &mut self,
        style: Style,
        start: usize,
        end: usize,
        cooked: Option<(usize, usize)>,
    ) -> Regularly<Scalar> {
        let value = match cooked {
            Some((from, copied)) => {
                self.copy(copied, end)?;
                Span::new(from..self.tree.cooked.len())
            }
            None => Span::new(start + 1..end),
        };
        let next = end + 1;
        let is_key = self.bytes.get(next) == Some(&b':')
            && (self.bytes.get(next + 1) == Some(&b' ') || self.ends_line(next + 1));
        let span = Span::new(start..next);
        Ok(Scalar { style, span, value, cooked: cooked.is_some(), next, is_key })
    }

    /// Returns the place of the first byte from `at` that has `property`, or the end.
    fn run(&self, at: usize, property: u8) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().position(|byte| has(*byte, property)).unwrap_or(rest.len())
    }

    fn copy(&mut self, from: usize, to: usize) -> Regularly<()> {
        self.tree.cooked.push_str(self.tree.text.get(from..to).ok_or(Irregular)?);
        Ok(())
    }
}
