//! From bytes of a scalar's value back to bytes of the source.
//!
//! Only findings need this, so it decodes the scalar a second time, following the place. The
//! decoded text is compared with the value; if they differ, no place is returned rather than a
//! wrong one.

use std::ops::{ControlFlow, Range};

use super::style::Style;
use crate::source::Span;

/// Returns the span of the bytes `target` of `value` in the scalar at `span`.
pub(super) fn locate(
    text: &str,
    span: Span,
    style: Style,
    value: &str,
    target: Range<usize>,
) -> Option<Span> {
    let raw = text.get(span.range())?;
    let base = span.start as usize;
    if raw == value {
        return Some(Span::new(base + target.start..base + target.end));
    }
    let mut follower = Follower { value, produced: 0, target, start: None, end: None };
    let _ = match style {
        Style::Plain => follow_flow(raw, base, Quote::None, &mut follower),
        Style::Single => follow_flow(inside(raw)?, base + 1, Quote::Single, &mut follower),
        Style::Double => follow_flow(inside(raw)?, base + 1, Quote::Double, &mut follower),
        Style::Literal | Style::Folded => {
            return locate_in_block(text, span, style, &follower);
        }
    };
    follower.found()
}

fn inside(raw: &str) -> Option<&str> {
    raw.get(1..raw.len().checked_sub(1)?)
}

#[derive(Clone)]
struct Follower<'v> {
    value: &'v str,
    produced: usize,
    target: Range<usize>,
    start: Option<usize>,
    end: Option<usize>,
}

impl Follower<'_> {
    /// One character of the value, written at `raw`. Breaks when the target is found, or when the
    /// value has another character.
    fn take(&mut self, c: char, raw: Range<usize>) -> ControlFlow<()> {
        let rest = self.value.get(self.produced..).unwrap_or("");
        if !rest.starts_with(c) {
            self.start = None;
            return ControlFlow::Break(());
        }
        if self.start.is_none() && self.produced >= self.target.start {
            self.start = Some(raw.start);
        }
        self.produced += c.len_utf8();
        if self.start.is_some() && self.produced >= self.target.end {
            self.end = Some(raw.end);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn found(&self) -> Option<Span> {
        Some(Span::new(self.start?..self.end?))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

/// Plain and quoted scalars: line folding, `''`, and escapes.
fn follow_flow(
    raw: &str,
    base: usize,
    quote: Quote,
    follower: &mut Follower<'_>,
) -> ControlFlow<()> {
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        let length = c.len_utf8();
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            let run = space_run(&raw[at..]);
            let breaks = count_breaks(&raw[at..at + run]);
            if breaks > 0 {
                let place = base + at..base + at + run;
                let times = breaks.saturating_sub(1);
                if times == 0 {
                    follower.take(' ', place)?;
                } else {
                    (0..times).try_for_each(|_| follower.take('\n', place.clone()))?;
                }
                at += run;
                continue;
            }
        }
        if c == '\'' && quote == Quote::Single {
            follower.take('\'', base + at..base + at + 2)?;
            at += 2;
        } else if c == '\\' && quote == Quote::Double {
            let (meant, taken) = escape(&raw[at..]);
            let place = base + at..base + at + taken;
            match meant {
                Escape::Char(meant) => follower.take(meant, place)?,
                Escape::Breaks(breaks) => {
                    (1..breaks).try_for_each(|_| follower.take('\n', place.clone()))?;
                }
            }
            at += taken;
        } else {
            follower.take(c, base + at..base + at + length)?;
            at += length;
        }
        at = at.min(raw.len());
    }
    ControlFlow::Continue(())
}

fn space_run(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t', '\n', '\r']).len()
}

fn count_breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |at: usize| match bytes[at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..bytes.len()).filter(|at| ends(*at)).count()
}

enum Escape {
    Char(char),
    /// A backslash at a line's end, with so many breaks behind it.
    Breaks(usize),
}

/// Returns the escape at the start of `text`, and how many bytes it takes.
fn escape(text: &str) -> (Escape, usize) {
    let Some(c) = text[1..].chars().next() else {
        return (Escape::Char('\\'), 1);
    };
    let hex = |from: usize, digits: usize| {
        text.get(from..from + digits).and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    let plain = |c: char, taken: usize| (Escape::Char(c), taken);
    match c {
        '\n' | '\r' => {
            let run = space_run(&text[1..]);
            (Escape::Breaks(count_breaks(&text[1..=run])), 1 + run)
        }
        '0' => plain('\0', 2),
        'a' => plain('\x07', 2),
        'b' => plain('\x08', 2),
        't' => plain('\t', 2),
        'n' => plain('\n', 2),
        'v' => plain('\x0b', 2),
        'f' => plain('\x0c', 2),
        'r' => plain('\r', 2),
        'e' => plain('\x1b', 2),
        'N' => plain('\u{85}', 2),
        '_' => plain('\u{a0}', 2),
        'L' => plain('\u{2028}', 2),
        'P' => plain('\u{2029}', 2),
        'x' => plain(hex(2, 2).and_then(char::from_u32).unwrap_or('\0'), 4),
        'U' => plain(hex(2, 8).and_then(char::from_u32).unwrap_or('\0'), 10),
        'u' => match hex(2, 4) {
            Some(high @ 0xD800..0xDC00) => {
                let low = hex(8, 4).unwrap_or(0xDC00);
                let code = 0x10000 + ((high - 0xD800) << 10) + low.saturating_sub(0xDC00);
                plain(char::from_u32(code).unwrap_or('\0'), 12)
            }
            code => plain(code.and_then(char::from_u32).unwrap_or('\0'), 6),
        },
        other => plain(other, 1 + other.len_utf8()),
    }
}

/// Block scalars, whose indentation the parser does not report: each possible one is tried, and
/// only the right one gives the value.
fn locate_in_block(text: &str, span: Span, style: Style, follower: &Follower<'_>) -> Option<Span> {
    let head = text.get(..span.start as usize)?;
    // Leading empty lines belong to the value but not to the span: go back to the header.
    let content = head.trim_end_matches([' ', '\t', '\n', '\r']).len();
    let header_end = text[content..].find(['\n', '\r'])? + content;
    let start = header_end + line_break(&text[header_end..]);
    let body_end = text.len().min(span.end as usize + space_run(&text[span.end as usize..]));
    let body = text.get(start..body_end)?;
    let deepest = span.start as usize - head.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let found = |indent: usize, target: Range<usize>| {
        let mut follower = Follower { target, ..follower.clone() };
        let _ = follow_block(body, start, indent, style, &mut follower);
        follower.found()
    };
    // Several may give the beginning of the value, where that is all spaces; one gives all of it.
    let whole = 0..follower.value.len();
    let indent = (0..=deepest).rev().find(|indent| found(*indent, whole.clone()).is_some())?;
    found(indent, follower.target.clone())
}

fn line_break(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with(['\n', '\r'])) }
}

struct BlockLine<'b> {
    /// The line without its indentation and break.
    text: &'b str,
    /// Its offset.
    at: usize,
    /// The range of its line break.
    end: Range<usize>,
}

fn block_lines(body: &str, base: usize, indent: usize) -> impl Iterator<Item = BlockLine<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= body.len() {
            return None;
        }
        let rest = &body[at..];
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = &rest[..length];
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let cut = blanks.min(indent);
        let end = at + length..at + length + line_break(&rest[length..]);
        let found = BlockLine {
            text: &line[cut..],
            at: base + at + cut,
            end: base + end.start..base + end.end,
        };
        at = end.end;
        Some(found)
    })
}

fn follow_block(
    body: &str,
    base: usize,
    indent: usize,
    style: Style,
    follower: &mut Follower<'_>,
) -> ControlFlow<()> {
    let mut previous: Option<BlockLine<'_>> = None;
    // Breaks seen since the last line with text.
    let mut breaks: Vec<Range<usize>> = Vec::new();
    let indented = |line: &BlockLine<'_>| line.text.starts_with([' ', '\t']);
    for line in block_lines(body, base, indent) {
        let end = line.end.clone();
        if line.text.is_empty() {
            breaks.push(end);
            continue;
        }
        let folds = style == Style::Folded
            && previous.as_ref().is_some_and(|previous| !indented(previous))
            && !indented(&line);
        // A fold takes one break; with no other it is a space.
        if folds && breaks.len() == 1 {
            follower.take(' ', breaks[0].clone())?;
        } else {
            let eaten = usize::from(folds && !breaks.is_empty());
            breaks.iter().skip(eaten).try_for_each(|at| follower.take('\n', at.clone()))?;
        }
        breaks.clear();
        for (from, c) in line.text.char_indices() {
            let at = line.at + from;
            follower.take(c, at..at + c.len_utf8())?;
        }
        breaks.push(end);
        previous = Some(line);
    }
    breaks.iter().try_for_each(|at| follower.take('\n', at.clone()))
}

#[cfg(test)]
mod tests;
