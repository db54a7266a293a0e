//! The changes of fixes as a patch.
//!
//! The patch applies with `git apply`, and contains no secret and no control character.
//! A line that holds one of these is never printed: as context it is left out, so that the context
//! is shorter, and where a change cannot be shown without it, the change is left out and counted.

use std::io::{self, Write};
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::source::{SourceFile, Span};
use crate::text::{escaped, is_printable, secret};

/// Lines shown around each change.
const CONTEXT: usize = 3;

/// A change: the lines that go, and those that come in their place.
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

/// Changes that are printed together, with the lines around and between them.
struct Hunk {
    old: Range<usize>,
    changes: Vec<Change>,
}

/// The lines of a text before and after.
struct Lines<'t> {
    old: Vec<&'t str>,
    new: Vec<&'t str>,
    /// Texts that nobody is to be shown.
    hidden: Vec<&'t str>,
}

/// Writes the difference of `source` and `new` in the unified form. `hidden` covers what nobody is to
/// be shown of the source. Returns how many changes are left out.
///
/// # Errors
/// If the writer fails.
pub fn write(
    out: &mut impl Write,
    source: &SourceFile,
    new: &str,
    hidden: &[Span],
) -> io::Result<usize> {
    let lines = Lines {
        old: source.text().split_inclusive('\n').collect(),
        new: new.split_inclusive('\n').collect(),
        hidden: hidden
            .iter()
            .flat_map(|span| source.slice(*span).lines())
            .map(str::trim)
            .filter(|text| text.len() >= SHORTEST)
            .collect(),
    };
    let (hunks, left_out) = lines.hunks();
    if !hunks.is_empty() {
        let name = escaped(source.name());
        let name = name.trim_start_matches('/');
        writeln!(out, "\x1b[1m--- a/{name}\x1b[0m\n\x1b[1m+++ b/{name}\x1b[0m")?;
    }
    let mut grown = 0_i64;
    for hunk in &hunks {
        lines.write(out, hunk, &mut grown)?;
    }
    Ok(left_out)
}

/// Texts shorter than this would hide half of every file.
const SHORTEST: usize = 4;

impl Lines<'_> {
    /// Returns the changes that can be shown, in hunks, and the number of those that cannot.
    fn hunks(&self) -> (Vec<Hunk>, usize) {
        let changes: Vec<Change> = capture_diff_slices(Algorithm::Myers, &self.old, &self.new)
            .into_iter()
            .filter(|op| !matches!(op, DiffOp::Equal { .. }))
            .map(|op| Change { old: op.old_range(), new: op.new_range() })
            .collect();
        let mut hunks: Vec<Hunk> = Vec::new();
        let mut left_out = 0;
        for (at, change) in changes.iter().enumerate() {
            let from = at.checked_sub(1).map_or(0, |before| changes[before].old.end);
            let to = changes.get(at + 1).map_or(self.old.len(), |next| next.old.start);
            let before = (from..change.old.start).rev().take(CONTEXT);
            let start = before.take_while(|line| self.is_shown(self.old[*line])).last();
            let behind = (change.old.end..to).take(CONTEXT);
            let end = behind.take_while(|line| self.is_shown(self.old[*line])).last();
            let start = start.unwrap_or(change.old.start);
            let end = end.map_or(change.old.end, |line| line + 1);
            let shown = self.old[change.old.clone()].iter().all(|line| self.is_shown(line))
                && self.new[change.new.clone()].iter().all(|line| self.is_shown(line));
            let touches = hunks.last().is_some_and(|last| last.old.end >= start);
            // Without a line behind it, git holds a hunk against the end of the file.
            let anchored = end > change.old.end || end == self.old.len();
            let Change { old, new } = change;
            let change = Change { old: old.clone(), new: new.clone() };
            if !shown || !anchored {
                left_out += 1;
            } else if let Some(last) = hunks.last_mut().filter(|_| touches) {
                last.old.end = end;
                last.changes.push(change);
            } else {
                hunks.push(Hunk { old: start..end, changes: vec![change] });
            }
        }
        (hunks, left_out)
    }

    /// Returns whether a line can be printed as it is.
    fn is_shown(&self, line: &str) -> bool {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let text = line.strip_suffix('\r').unwrap_or(line);
        secret::find(text).is_none()
            && secret::ranges(text).is_empty()
            && !self.hidden.iter().any(|hidden| text.contains(hidden))
            && text.chars().all(|c| is_printable(c) || matches!(c, '\t' | '\u{FEFF}'))
    }

    fn write(&self, out: &mut impl Write, hunk: &Hunk, grown: &mut i64) -> io::Result<()> {
        let length: usize = hunk.old.len();
        let added: usize = hunk.changes.iter().map(|change| change.new.len()).sum();
        let removed: usize = hunk.changes.iter().map(|change| change.old.len()).sum();
        let new_length = length + added - removed;
        let start = |length: usize| hunk.old.start + usize::from(length > 0);
        let new_start = i64::try_from(start(new_length)).unwrap_or(i64::MAX) + *grown;
        *grown += i64::try_from(added).unwrap_or(0) - i64::try_from(removed).unwrap_or(0);
        writeln!(
            out,
            "\x1b[36m@@ -{},{length} +{new_start},{new_length} @@\x1b[0m",
            start(length)
        )?;
        let mut at = hunk.old.start;
        for change in &hunk.changes {
            lines(out, "", ' ', &self.old[at..change.old.start])?;
            lines(out, "\x1b[31m", '-', &self.old[change.old.clone()])?;
            lines(out, "\x1b[32m", '+', &self.new[change.new.clone()])?;
            at = change.old.end;
        }
        lines(out, "", ' ', &self.old[at..hunk.old.end])
    }
}

fn lines(out: &mut impl Write, colour: &str, sign: char, lines: &[&str]) -> io::Result<()> {
    let reset = if colour.is_empty() { "" } else { "\x1b[0m" };
    for line in lines {
        let bare = line.strip_suffix('\n').unwrap_or(line);
        writeln!(out, "{colour}{sign}{bare}{reset}")?;
        if bare.len() == line.len() {
            writeln!(out, "\\ No newline at end of file")?;
        }
    }
    Ok(())
}
