//! Lines: what they begin with, and where they end.

use super::scalars::is_irregular;
use super::{Irregular, Regular, Regularly};

/// A line that is neither empty nor a comment, or the end of the text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Line {
    /// Something stands at `column`.
    Content { start: usize, column: usize },
    /// `---`.
    Start { start: usize },
    /// No more lines.
    End { start: usize },
}

impl Regular<'_> {
    /// Returns the next line with something on it. The reader is at its start then.
    pub(super) fn next_line(&mut self) -> Regularly<Line> {
        loop {
            let start = self.at;
            let at = self.skip_spaces(start);
            match self.bytes.get(at) {
                None => return Ok(Line::End { start }),
                Some(b'\n') => self.at = at + 1,
                Some(b'\r') if self.bytes.get(at + 1) == Some(&b'\n') => self.at = at + 2,
                Some(b'#') => self.at = self.comment_end(at)?,
                Some(b'-') if at == start && is_marker(self.bytes, at, b"---") => {
                    return Ok(Line::Start { start });
                }
                Some(b'.') if at == start && is_marker(self.bytes, at, b"...") => {
                    return Err(Irregular);
                }
                Some(_) => return Ok(Line::Content { start, column: at - start }),
            }
        }
    }

    pub(super) fn skip_spaces(&self, mut at: usize) -> usize {
        while self.bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        at
    }

    /// Returns whether an item begins at `at`.
    pub(super) fn is_item(&self, at: usize) -> bool {
        self.bytes.get(at) == Some(&b'-')
            && (self.bytes.get(at + 1) == Some(&b' ') || self.ends_line(at + 1))
    }

    /// Returns whether the line or the text ends at `at`.
    pub(super) fn ends_line(&self, at: usize) -> bool {
        match self.bytes.get(at) {
            None | Some(b'\n') => true,
            Some(b'\r') => self.bytes.get(at + 1) == Some(&b'\n'),
            Some(_) => false,
        }
    }

    /// Returns the start of the next line, if nothing but spaces and a comment stands on this one
    /// from `at`, which is behind a value.
    pub(super) fn line_end(&self, at: usize) -> Regularly<usize> {
        let end = self.skip_spaces(at);
        match self.bytes.get(end) {
            None => Ok(end),
            Some(b'\n') => Ok(end + 1),
            Some(b'\r') if self.bytes.get(end + 1) == Some(&b'\n') => Ok(end + 2),
            Some(b'#') if end > at => self.comment_end(end),
            Some(_) => Err(Irregular),
        }
    }

    /// Returns the start of the line behind the comment at `at`.
    fn comment_end(&self, at: usize) -> Regularly<usize> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest);
        let (comment, next) = match length {
            Some(length) => (&rest[..length], at + length + 1),
            None => (rest, at + rest.len()),
        };
        let comment = comment.strip_suffix(b"\r").unwrap_or(comment);
        if is_irregular(comment) { Err(Irregular) } else { Ok(next) }
    }
}

/// Returns the end of the item whose first line begins at `start` in a list at `column`: the start
/// of the next line that is not indented further than the list, or the end of the text.
pub(super) fn item_end(bytes: &[u8], start: usize, column: usize) -> usize {
    let mut at = start;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(length) = memchr::memchr(b'\n', rest) else { return bytes.len() };
        at += length + 1;
        let rest = &rest[length + 1..];
        let indent = rest.iter().take_while(|byte| **byte == b' ').count();
        let rest = rest.get(indent..).unwrap_or_default();
        let is_empty = matches!(rest, [] | [b'\n' | b'#', ..] | [b'\r', b'\n', ..]);
        if !is_empty && indent <= column {
            return at;
        }
    }
}

/// Returns whether `marker` and white space or the end stand at `at`.
pub(in crate::yaml) fn is_marker(bytes: &[u8], at: usize, marker: &[u8; 3]) -> bool {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.starts_with(marker)
        && rest.get(3).is_none_or(|next| matches!(next, b' ' | b'\t' | b'\r' | b'\n'))
}
