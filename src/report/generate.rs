//! The progress of a generation, and its effect on a directory.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::patch;
use super::progress::{Form, LINES, When, line, style};
use crate::generate::Generated;
use crate::generate::tree::{Differing, State, Tree};
use crate::source::{FileId, SourceFile};
use crate::text::{counted, escaped, grouped};

/// A bar comes only where it takes longer than this.
const DELAY: Duration = Duration::from_secs(1);
/// Files of each kind that are named.
const NAMED: usize = 8;

/// Shows on standard error how many rows have been read.
#[derive(Debug)]
pub struct RowProgress {
    bar: Option<ProgressBar>,
    lines: Option<Duration>,
    shown: Instant,
    /// Bytes of the inventory, if it is known.
    size: Option<u64>,
}

impl RowProgress {
    /// The progress over an inventory of `size` bytes.
    #[must_use]
    pub fn new(when: When, size: Option<u64>) -> Self {
        let form = when.form();
        let lines = match form {
            Form::Lines(interval) if when != When::Auto => Some(interval.unwrap_or(LINES)),
            _ => None,
        };
        let bar = (form == Form::Bar).then(ProgressBar::hidden);
        Self { bar, lines, shown: Instant::now(), size }
    }

    /// Takes in how many rows and bytes have been read.
    pub fn update(&mut self, rows: u64, bytes: u64) {
        if let Some(interval) = self.lines
            && self.shown.elapsed() >= interval
        {
            self.shown = Instant::now();
            let share = self.size.filter(|size| *size > 0).map(|size| bytes * 100 / size);
            let share = share.map_or_else(String::new, |share| format!(", {share}%"));
            line(&format!("generating: {} rows, {}{share}", grouped(rows), megabytes(bytes)));
        }
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && self.shown.elapsed() >= DELAY {
            match self.size {
                Some(size) => {
                    bar.set_style(style("generating {wide_bar:.cyan/blue} {msg} {eta}"));
                    bar.set_length(size);
                }
                None => bar.set_style(style("generating {spinner} {msg}")),
            }
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        if !bar.is_hidden() {
            bar.set_message(format!("{} rows, {}", grouped(rows), megabytes(bytes)));
            bar.set_position(bytes);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", grouped(bytes / 1_000_000), bytes / 100_000 % 10)
}

/// The closing lines of a generation.
#[derive(Debug)]
pub struct Closing<'c> {
    /// Its counts.
    pub generated: &'c Generated,
    /// The directory that was written, if one was.
    pub tree: Option<&'c Tree>,
    /// Its path.
    pub directory: &'c Path,
    /// True if nothing was to be written.
    pub checked: bool,
    /// True if the files that were written are kept.
    pub kept: bool,
    /// The file of the rows without a valid artifact.
    pub invalid: Option<&'c Path>,
}

impl Closing<'_> {
    /// Writes it.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let generated = self.generated;
        let mut counts =
            vec![counted(usize::try_from(generated.rows).unwrap_or(usize::MAX), "row")];
        let mut count = |number: usize, what: &str| {
            if number > 0 {
                counts.push(format!("{} {what}", grouped(number as u64)));
            }
        };
        count(generated.invalid_rows, "invalid");
        count(generated.left_out, "left out by `$when`");
        count(generated.repeated, "that repeat another");
        writeln!(out, "{}: {}", counts.join(", "), counted(generated.written, "artifact"))?;
        if let Some(tree) = self.tree {
            self.files(tree, out)?;
        }
        if let Some(invalid) = self.invalid.filter(|_| generated.invalid_rows > 0) {
            let rows = counted(generated.invalid_rows, "row");
            writeln!(out, "{rows} to fix in {}", escaped(&invalid.display().to_string()))?;
        }
        Ok(())
    }

    fn files(&self, tree: &Tree, out: &mut impl Write) -> io::Result<()> {
        let directory = escaped(&self.directory.display().to_string());
        if !self.kept {
            return writeln!(out, "nothing is written to {directory}: a row is invalid");
        }
        let of = |state: State, done: bool| {
            tree.differing.iter().filter(|one| one.state == state && one.done == done).count()
        };
        let mut parts = Vec::new();
        let mut part = |number: usize, what: &str| {
            if number > 0 {
                parts.push(format!("{} {what}", grouped(number as u64)));
            }
        };
        part(of(State::New, true), "written");
        part(of(State::Changed, true), "updated");
        part(of(State::Edited, true), "replaced");
        part(of(State::Orphan, true), "removed");
        part(tree.unchanged, "unchanged");
        if !parts.is_empty() {
            writeln!(out, "files in {directory}: {}", parts.join(", "))?;
        }
        let left = |state: State| -> Vec<&Differing> {
            tree.differing.iter().filter(|one| one.state == state && !one.done).collect()
        };
        let help = |text: &'static str| if self.checked { "" } else { text };
        let kinds = [
            (State::New, "missing", ""),
            (State::Changed, "out of date", help("`--update` replaces them")),
            (State::Edited, "edited by hand or not generated", help("`--force` replaces them")),
            (State::Orphan, "without a row", help("`--prune` removes them")),
        ];
        for (state, what, help) in kinds {
            let files = left(state);
            if files.is_empty() {
                continue;
            }
            let mut names: Vec<_> = files
                .iter()
                .take(NAMED)
                .map(|one| escaped(&one.name.display().to_string()))
                .collect();
            if files.len() > NAMED {
                names.push(format!("{} more", grouped((files.len() - NAMED) as u64)));
            }
            let count = counted(files.len(), "file");
            writeln!(out, "\x1b[1;33m{count} {what}:\x1b[0m {}", names.join(", "))?;
            if !help.is_empty() {
                writeln!(out, "  \x1b[36mhelp:\x1b[0m {help}")?;
            }
        }
        Ok(())
    }
}

/// Writes what would change in the files of `tree` as a patch.
///
/// # Errors
/// If the writer fails.
pub fn diff(out: &mut impl Write, tree: &Tree, directory: &Path) -> io::Result<()> {
    for one in &tree.differing {
        let Some(wanted) = &one.wanted else { continue };
        let path = directory.join(&one.name);
        let bytes = std::fs::read(&path).unwrap_or_default();
        let name = Arc::from(path.display().to_string());
        let source = SourceFile::new(FileId(0), name, bytes);
        let left_out = patch::write(out, &source, wanted, &[])?;
        if left_out > 0 {
            writeln!(out, "# {} with a secret in it left out", counted(left_out, "change"))?;
        }
    }
    out.flush()
}
