//! The lines of a source that a finding shows, made fit for a terminal.
//!
//! miette's own reading of a source prints whole raw lines and counts from the first byte for every
//! label. An [`Excerpt`] holds only the lines that are shown, with nothing in them that a terminal
//! acts on and none wider than the terminal, and says for each where it really stands.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use unicode_width::UnicodeWidthChar as _;

use crate::source::{Region, SourceFile, Span};
use crate::text::{escaped, is_printable, odd_space, secret};

/// Lines shown in front of and behind each label.
const CONTEXT: u32 = 1;
/// Cells that a tab takes.
const TAB: usize = 4;

/// A place to show.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) region: Region,
    pub(super) text: Option<String>,
    pub(super) primary: bool,
}

/// The lines that are shown of one source.
#[derive(Debug)]
pub(super) struct Excerpt {
    name: String,
    text: String,
    lines: Vec<Line>,
    labels: Vec<Label>,
}

#[derive(Debug)]
struct Line {
    /// In the source, from 1.
    number: u32,
    /// Its bytes in the excerpt, without the line break.
    bytes: Range<usize>,
}

#[derive(Debug)]
struct Label {
    bytes: Range<usize>,
    mark: Mark,
}

impl Excerpt {
    /// The lines of `source` round `marks`, none wider than `width` cells. `None` if the source is no
    /// longer what it was when the marks were made.
    /// Redacts the text that `hidden` covers, and everything that looks like a credential.
    pub(super) fn new(
        source: &SourceFile,
        marks: &[Mark],
        width: usize,
        hidden: &[Span],
    ) -> Option<Self> {
        let mut numbers = BTreeSet::new();
        for Mark { region, .. } in marks {
            if source.position(region.start.offset) != region.start {
                return None;
            }
            let line = region.start.line;
            numbers.extend(line.saturating_sub(CONTEXT).max(1)..=line + CONTEXT);
        }
        let mut excerpt = Self {
            name: escaped(source.name()),
            text: String::new(),
            lines: Vec::new(),
            labels: Vec::new(),
        };
        for number in numbers {
            if let Some(line) = source.line_span(number) {
                excerpt.add_line(source, number, line, marks, width, hidden);
            }
        }
        Some(excerpt)
    }

    fn add_line(
        &mut self,
        source: &SourceFile,
        number: u32,
        line: Span,
        marks: &[Mark],
        width: usize,
        hidden: &[Span],
    ) {
        let marks: Vec<_> = marks.iter().filter(|mark| mark.region.start.line == number).collect();
        let raw = source.slice(line);
        // A file often ends in a break; the nothing behind it is no line to show.
        let is_last_and_empty = raw.is_empty() && line.end as usize == source.text().len();
        if is_last_and_empty && marks.is_empty() {
            return;
        }
        let covered = |mark: &Mark| {
            let span = mark.region.span();
            let start = (span.start.max(line.start) - line.start) as usize;
            let end = (span.end.clamp(line.start, line.end) - line.start) as usize;
            // Of a byte that is not UTF-8, the whole stand-in is shown.
            start..raw.ceil_char_boundary(end).max(start)
        };
        let wanted = marks.iter().map(|mark| covered(mark)).min_by_key(|range| range.start);
        let mut redacted = secret::ranges(raw);
        let in_line = |span: &Span| {
            let start = (span.start.max(line.start) - line.start) as usize;
            start..(span.end.min(line.end).max(line.start) - line.start) as usize
        };
        redacted.extend(hidden.iter().map(in_line).filter(|range| !range.is_empty()));
        let fitted = Fitted::new(raw, wanted.as_ref(), width, number == 1, &redacted);
        let start = self.text.len();
        self.text.push_str(&fitted.text);
        let end = self.text.len();
        self.text.push('\n');
        for mark in marks {
            let range = covered(mark);
            let at = |raw: usize| start + fitted.at(raw);
            let bytes = if range.start >= raw.len() && !mark.region.span().is_empty() {
                // The line break itself: one cell behind the line.
                end..end + 1
            } else {
                at(range.start)..at(range.end).max(at(range.start))
            };
            self.labels.push(Label { bytes, mark: mark.clone() });
        }
        self.lines.push(Line { number, bytes: start..end });
    }

    /// Returns the labels for miette.
    pub(super) fn labels(&self) -> Vec<LabeledSpan> {
        let label = |label: &Label| {
            let span = SourceSpan::from(label.bytes.clone());
            let text = label.mark.text.as_deref().map(escaped);
            if label.mark.primary {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        };
        self.labels.iter().map(label).collect()
    }

    fn line_at(&self, offset: usize) -> Option<usize> {
        self.lines.iter().position(|line| (line.bytes.start..=line.bytes.end).contains(&offset))
    }

    fn follows(&self, line: usize) -> bool {
        let next = |line: usize| self.lines.get(line).map(|line| line.number);
        next(line).is_some() && next(line + 1) == next(line).map(|number| number + 1)
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let first = self.line_at(span.offset()).ok_or(MietteError::OutOfBounds)?;
        let end = span.offset() + span.len().saturating_sub(1);
        let last = self.line_at(end).unwrap_or(first).max(first);
        let (mut from, mut to) = (first, last);
        for _ in 0..before {
            if from > 0 && self.follows(from - 1) {
                from -= 1;
            }
        }
        for _ in 0..after {
            if self.follows(to) {
                to += 1;
            }
        }
        // With no lines around it, the place itself is asked for, to be shown above the lines.
        let label = self.labels.iter().find(|label| label.bytes.start == span.offset());
        let (start, column) = match label {
            Some(label) if before == 0 && after == 0 => {
                (span.offset(), label.mark.region.start.column as usize - 1)
            }
            _ => (self.lines[from].bytes.start, 0),
        };
        let bytes = start..(self.lines[to].bytes.end + 1).min(self.text.len());
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &self.text.as_bytes()[bytes.clone()],
            SourceSpan::from(bytes),
            self.lines[from].number as usize - 1,
            column,
            to - from + 1,
        )))
    }
}

/// A line with nothing in it that a terminal acts on, cut to a width.
struct Fitted {
    text: String,
    /// For each character shown: its byte in the raw line, and its byte in `text`.
    places: Vec<(usize, usize)>,
}

impl Fitted {
    fn new(
        raw: &str,
        wanted: Option<&Range<usize>>,
        width: usize,
        is_first: bool,
        redacted: &[Range<usize>],
    ) -> Self {
        let raw_start =
            if is_first && raw.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        let from = window_start(raw, raw_start, wanted, width);
        let mut fitted = Self { text: String::new(), places: Vec::new() };
        let mut cells = 0;
        if from > raw_start {
            fitted.text.push('…');
            cells += 1;
        }
        let marked = |at: usize| wanted.is_some_and(|wanted| wanted.contains(&at));
        for (at, c) in raw[from..].char_indices().map(|(at, c)| (from + at, c)) {
            let length = fitted.text.len();
            let c = if redacted.iter().any(|range| range.contains(&at)) { '*' } else { c };
            push(&mut fitted.text, c, cells, marked(at));
            let wide = width_of(&fitted.text[length..]);
            if cells + wide > width {
                fitted.text.truncate(length);
                fitted.places.push((at, length));
                fitted.text.push('…');
                return fitted;
            }
            cells += wide;
            fitted.places.push((at, length));
        }
        let end = fitted.text.len();
        fitted.places.push((raw.len(), end));
        fitted
    }

    /// Returns the place at which the raw byte `raw` is shown.
    fn at(&self, raw: usize) -> usize {
        match self.places.binary_search_by_key(&raw, |(raw, _)| *raw) {
            Ok(found) => self.places[found].1,
            Err(0) => 0,
            Err(behind) => {
                let (_, shown) = self.places[behind - 1];
                if behind == self.places.len() { self.text.len() } else { shown }
            }
        }
    }
}

/// Returns the start of the part of `raw` that is shown, so that as much as can be of what is wanted
/// is in it, with a third of the width in front of it.
fn window_start(raw: &str, start: usize, wanted: Option<&Range<usize>>, width: usize) -> usize {
    let Some(wanted) = wanted else { return start };
    let wanted_start = raw.floor_char_boundary(wanted.start.min(raw.len()));
    let wanted_end = raw.floor_char_boundary(wanted.end.min(raw.len()));
    // Enough of the line is measured to know whether the end of what is wanted is inside.
    if cells(&raw[start..wanted_end.max(start)], width) < width {
        return start;
    }
    let mark = cells(&raw[wanted_start..wanted_end], width);
    let lead = (width / 3).min(width.saturating_sub(mark).saturating_sub(2)).max(8);
    let mut at = wanted_start;
    let mut taken = 0;
    for (before, c) in raw[start..wanted_start].char_indices().rev() {
        taken += cells_of(c);
        if taken > lead {
            break;
        }
        at = start + before;
    }
    at
}

/// Counts the cells of `text`, no further than `limit`.
fn cells(text: &str, limit: usize) -> usize {
    let mut cells = 0;
    for c in text.chars() {
        cells += cells_of(c);
        if cells > limit {
            break;
        }
    }
    cells
}

fn cells_of(c: char) -> usize {
    let mut shown = String::new();
    push(&mut shown, c, 0, false);
    width_of(&shown)
}

fn width_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Appends `c` as it is shown in the cell `cell` of a line.
fn push(out: &mut String, c: char, cell: usize, marked: bool) {
    match c {
        '\t' => {
            let cells = TAB - cell % TAB;
            // A tab that is at fault has to be seen.
            out.push(if marked { '→' } else { ' ' });
            out.extend(std::iter::repeat_n(' ', cells - 1));
        }
        // At fault, a space that is none of the keyboard's has to be seen.
        c if is_printable(c) && !(marked && odd_space(c).is_some()) => out.push(c),
        c => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::FileId;

    fn shown(text: &str, span: Range<usize>, width: usize) -> (String, String) {
        let name = Arc::from("f");
        let source = SourceFile::new(FileId(0), name, text.as_bytes().to_vec());
        let region = source.region(Span::new(span));
        let mark = Mark { region, text: None, primary: true };
        let excerpt = Excerpt::new(&source, &[mark], width, &[]).unwrap();
        let label = excerpt.labels[0].bytes.clone();
        (excerpt.text.clone(), excerpt.text[label].to_owned())
    }

    #[test]
    fn long_lines_are_cut_to_a_window_round_the_mark() {
        let text = format!("a: {}é here {}\n", "x".repeat(500), "y".repeat(500));
        let start = text.find("here").unwrap();
        let (line, mark) = shown(&text, start..start + 4, 40);
        assert_eq!(mark, "here");
        assert!(line.starts_with('…') && line.ends_with("…\n"), "{line}");
        assert!(line.chars().count() <= 43, "{line}");
    }

    #[test]
    fn a_mark_longer_than_the_window_is_shown_from_its_start() {
        let text = format!("key: {}\n", "x".repeat(500));
        let (line, mark) = shown(&text, 5..505, 40);
        assert!(line.starts_with("key: x") || line.starts_with("…"), "{line}");
        assert!(mark.len() > 20 && mark.trim_end_matches('…').chars().all(|c| c == 'x'), "{mark}");
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_is_shown() {
        let (line, mark) = shown("a: b\u{1b}[31mc\td\n", 4..5, 80);
        assert_eq!(line, "a: b\\u{1b}[31mc d\n");
        assert_eq!(mark, "\\u{1b}");
    }

    #[test]
    fn a_line_break_is_marked_behind_its_line() {
        let (line, mark) = shown("a: |\n  b\n  c\n", 8..9, 80);
        assert_eq!(line, "a: |\n  b\n  c\n");
        assert_eq!(mark, "\n");
    }
}
