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

/// The entries of a run, in the order of the walk: 13 bytes for each, or 17 where the journal alone
/// knows what became of it.
#[derive(Debug, Default)]
pub struct Ledger {
    files: Vec<LedgerFile>,
    /// The line that each entry begins on, from 1.
    lines: Vec<u32>,
    outcomes: Vec<Outcome>,
    /// The first entry of this run.
    first: Option<EntryId>,
    /// The entries of this run, by their distance from the first, and the place of each in the
    /// order of the walk. Both ascend.
    own: Vec<(u32, u32)>,
    /// The places of the other entries, and their rows in the journal.
    known_places: Vec<u32>,
    known_entries: Vec<EntryId>,
    /// The last outcomes.
    recent: VecDeque<Settled>,
}

/// A file of a [`Ledger`].
#[derive(Debug)]
struct LedgerFile {
    name: Arc<str>,
    id: Option<FileId>,
    /// The place of its first entry.
    start: u32,
}

/// An entry of a [`Ledger`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Its row in the journal. Where the journal alone knows what became of it, that is the row of
    /// an earlier run.
    pub entry: EntryId,
    /// The line that it begins on, from 1.
    pub line: u32,
    /// Its outcome.
    pub outcome: Outcome,
    /// True if this is from the journal.
    pub by_journal: bool,
}

impl Ledger {
    /// Adds an entry of `file`. Those of this run come in the order of their rows.
    pub fn add(&mut self, (name, id): (Arc<str>, Option<FileId>), line: Line) {
        // The check numbers entries with 32 bits too.
        let Ok(place) = u32::try_from(self.lines.len()) else { return };
        if self.files.last().is_none_or(|last| (&last.name, last.id) != (&name, id)) {
            self.files.push(LedgerFile { name, id, start: place });
        }
        if line.by_journal {
            self.known_places.push(place);
            self.known_entries.push(line.entry);
        } else {
            let first = self.first.get_or_insert(line.entry);
            let distance = u32::try_from(line.entry.0 - first.0).unwrap_or(u32::MAX);
            self.own.push((distance, place));
        }
        self.lines.push(line.line);
        self.outcomes.push(line.outcome);
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
    pub(super) fn get(&self, at: usize) -> Option<Line> {
        let (line, outcome) = (*self.lines.get(at)?, *self.outcomes.get(at)?);
        let place = u32::try_from(at).ok()?;
        let (entry, by_journal) = match self.known_places.binary_search(&place) {
            Ok(known) => (*self.known_entries.get(known)?, true),
            Err(known) => {
                // Every other entry before it is of this run.
                let (distance, _) = self.own.get(at - known)?;
                (EntryId(self.first?.0 + i64::from(*distance)), false)
            }
        };
        Some(Line { entry, line, outcome, by_journal })
    }

    /// Sets the outcome of the entry at a place.
    pub(super) fn set(&mut self, at: usize, to: Outcome) {
        if let Some(outcome) = self.outcomes.get_mut(at) {
            *outcome = to;
        }
    }

    /// Returns the entries, each with its file.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, Line)> {
        self.with_files().filter_map(|(file, at)| Some((&file.name, self.get(at)?)))
    }

    /// Returns the entries with an outcome that `wanted` returns true for, each with its file.
    pub fn of(&self, wanted: impl Fn(Outcome) -> bool) -> impl Iterator<Item = (&Arc<str>, Line)> {
        self.with_files()
            .filter(move |(_, at)| self.outcomes.get(*at).is_some_and(|one| wanted(*one)))
            .filter_map(|(file, at)| Some((&file.name, self.get(at)?)))
    }

    /// Returns the places of all entries, each with its file.
    fn with_files(&self) -> impl Iterator<Item = (&LedgerFile, usize)> {
        let ends = self.files.iter().skip(1).map(|next| next.start as usize);
        let ends = ends.chain(std::iter::once(self.lines.len()));
        self.files
            .iter()
            .zip(ends)
            .flat_map(|(file, end)| (file.start as usize..end).map(move |at| (file, at)))
    }

    /// Returns the files that have an entry with this outcome.
    pub fn files_with(&self, outcome: Outcome) -> impl Iterator<Item = FileId> {
        let mut last = None;
        self.with_files().filter_map(move |(file, at)| {
            let is_new = last != Some(file.start) && self.outcomes.get(at) == Some(&outcome);
            if !is_new {
                return None;
            }
            last = Some(file.start);
            file.id
        })
    }

    /// Notes what became of an entry. Returns what it was before; `None` if it is of another run.
    pub fn settle(&mut self, settled: Settled) -> Option<Outcome> {
        let distance = u32::try_from(settled.entry.0 - self.first?.0).ok()?;
        let own = self.own.binary_search_by_key(&distance, |(distance, _)| *distance).ok()?;
        let (_, place) = self.own.get(own)?;
        let before = std::mem::replace(self.outcomes.get_mut(*place as usize)?, settled.outcome);
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
            let line = Line { entry: stored.id, line: stored.line, outcome, by_journal: false };
            ledger.add((Arc::clone(&file), None), line);
            Ok(())
        })?;
        Ok(ledger)
    }

    /// Returns how many entries came to each outcome.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        self.outcomes.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submission::Outcome::{Created, Existed, Invalid, Pending};

    fn line(entry: i64, line: u32, outcome: Outcome, by_journal: bool) -> Line {
        Line { entry: EntryId(entry), line, outcome, by_journal }
    }

    fn settled(entry: i64, outcome: Outcome) -> Settled {
        Settled::new(EntryId(entry), outcome)
    }

    /// Own entries with a gap, and known ones of earlier runs between them, in two files of three.
    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        let files: Vec<Arc<str>> = ["a", "b", "c"].map(Arc::from).into();
        for (file, line) in [
            (0, line(7, 1, Existed, true)),
            (0, line(100, 2, Pending, false)),
            (0, line(3, 3, Existed, true)),
            (1, line(101, 1, Invalid, false)),
            (2, line(9, 5, Existed, true)),
            (2, line(104, 6, Pending, false)),
            (2, line(105, 7, Pending, false)),
        ] {
            ledger.add((Arc::clone(&files[file as usize]), Some(FileId(file))), line);
        }
        ledger
    }

    #[test]
    fn entries_come_back_in_their_order_each_with_its_file() {
        let ledger = ledger();
        let all: Vec<_> = ledger
            .iter()
            .map(|(file, line)| (&**file, line.entry.0, line.line, line.by_journal))
            .collect();
        assert_eq!(
            all,
            [
                ("a", 7, 1, true),
                ("a", 100, 2, false),
                ("a", 3, 3, true),
                ("b", 101, 1, false),
                ("c", 9, 5, true),
                ("c", 104, 6, false),
                ("c", 105, 7, false),
            ]
        );
        let of = |wanted| {
            ledger.of(move |one| one == wanted).map(|(_, line)| line.entry.0).collect::<Vec<_>>()
        };
        assert_eq!(of(Existed), [7, 3, 9]);
        assert_eq!(of(Pending), [100, 104, 105]);
        let files = |wanted| ledger.files_with(wanted).map(|file| file.0).collect::<Vec<_>>();
        assert_eq!(files(Pending), [0, 2]);
        assert_eq!(files(Invalid), [1]);
        assert_eq!(files(Existed), [0, 2]);
        assert_eq!(ledger.get(4), Some(line(9, 5, Existed, true)));
        assert_eq!(ledger.get(7), None);
        assert_eq!((ledger.len(), Ledger::default().iter().count()), (7, 0));
    }

    #[test]
    fn only_entries_of_this_run_are_settled() {
        let mut ledger = ledger();
        assert_eq!(ledger.settle(settled(104, Created)), Some(Pending));
        assert_eq!(ledger.settle(settled(104, Existed)), Some(Created));
        for other in [9, 99, 102, 106] {
            assert_eq!(ledger.settle(settled(other, Created)), None, "{other}");
        }
        ledger.set(3, Created);
        let outcomes: Vec<_> = ledger.outcomes().collect();
        assert_eq!(outcomes, [Existed, Pending, Existed, Created, Existed, Existed, Pending]);
        assert_eq!(ledger.recent(EntryId(104)).unwrap().outcome, Existed);
        assert!(ledger.recent(EntryId(9)).is_none());
    }

    /// A million of them must fit into memory.
    #[test]
    fn an_entry_takes_13_bytes() {
        let own = size_of::<u32>() + size_of::<Outcome>() + size_of::<(u32, u32)>();
        assert_eq!(own, 13);
    }
}
