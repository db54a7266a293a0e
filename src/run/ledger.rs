//! The entries of a run in the order of the walk, with their outcomes, in a few bytes each: the
//! rest is in the journal.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::event::Settled;
use crate::journal::{Journal, JournalError, RunId};
use crate::source::FileId;
use crate::submission::{EntryId, Outcome};

/// The number of latest outcomes that are kept in full, in case the journal cannot be written.
const RECENT: usize = 2048;

/// The entries of a run, in the order of the walk.
#[derive(Debug, Default)]
pub struct Ledger {
    files: Vec<(Arc<str>, Option<FileId>)>,
    lines: Vec<Line>,
    /// The line of each entry of this run, by its distance from the first.
    of_entry: Vec<u32>,
    first: Option<EntryId>,
    /// The last outcomes.
    recent: VecDeque<Settled>,
}

/// An entry of a [`Ledger`].
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Its row in the journal. Where the journal alone knows what became of it, that is the row of
    /// an earlier run.
    pub entry: EntryId,
    file: u32,
    /// The line that it begins on, from 1.
    pub line: u32,
    /// Its outcome.
    pub outcome: Outcome,
    /// True if this is from the journal.
    pub by_journal: bool,
}

impl Ledger {
    /// Adds an entry that begins on `line` of `file`.
    pub fn add(&mut self, file: (Arc<str>, Option<FileId>), mut line: Line) {
        if self.files.last() != Some(&file) {
            self.files.push(file);
        }
        line.file = u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX);
        if !line.by_journal {
            let first = self.first.get_or_insert(line.entry);
            let at = usize::try_from(line.entry.0 - first.0).unwrap_or(usize::MAX);
            if at < usize::MAX / 2 {
                self.of_entry.resize(self.of_entry.len().max(at + 1), u32::MAX);
                self.of_entry[at] = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
            }
        }
        self.lines.push(line);
    }

    /// Returns the number of entries.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns whether there is no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the entry at a place.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Line> {
        self.lines.get_mut(at)
    }

    /// Returns the entries, each with its file.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Line)> {
        self.lines.iter().filter_map(|line| Some((&self.files.get(line.file as usize)?.0, line)))
    }

    /// Returns the files that have an entry with this outcome.
    pub fn files_with(&self, outcome: Outcome) -> impl Iterator<Item = FileId> {
        let mut last = None;
        self.lines.iter().filter_map(move |line| {
            let wanted = line.outcome == outcome && last != Some(line.file);
            if wanted {
                last = Some(line.file);
            }
            self.files.get(line.file as usize).filter(|_| wanted).and_then(|(_, id)| *id)
        })
    }

    /// Notes what became of an entry. Returns what it was before; `None` if it is of another run.
    pub fn settle(&mut self, settled: Settled) -> Option<Outcome> {
        let at = usize::try_from(settled.entry.0 - self.first?.0).ok()?;
        let line = self.lines.get_mut(*self.of_entry.get(at)? as usize)?;
        let before = std::mem::replace(&mut line.outcome, settled.outcome);
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(settled);
        Some(before)
    }

    /// Returns the outcome of an entry, if it is one of the latest.
    #[must_use]
    pub fn recent(&self, entry: EntryId) -> Option<&Settled> {
        self.recent.iter().rev().find(|settled| settled.entry == entry)
    }

    /// Reads the entries of `run` as the journal has them.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn read(journal: &Journal, run: &RunId) -> Result<Self, JournalError> {
        let mut ledger = Self::default();
        let mut file: Arc<str> = Arc::from("");
        journal.each(run, &mut |stored| {
            if *stored.file != *file {
                file = stored.file.into();
            }
            let outcome = stored.outcome.as_deref().and_then(Outcome::from_name);
            let outcome = match outcome {
                Some(outcome) => outcome,
                // An attempt may have created it.
                None if stored.is_open => Outcome::Unresolved,
                None => Outcome::Pending,
            };
            let line = Line::new(stored.id, stored.line, outcome, false);
            ledger.add((Arc::clone(&file), None), line);
            Ok(())
        })?;
        Ok(ledger)
    }

    /// Returns how many entries came to each outcome.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        self.lines.iter().map(|line| line.outcome)
    }
}

impl Line {
    /// Returns an entry whose file the ledger fills in.
    #[must_use]
    pub const fn new(entry: EntryId, line: u32, outcome: Outcome, by_journal: bool) -> Self {
        Self { entry, file: 0, line, outcome, by_journal }
    }
}
