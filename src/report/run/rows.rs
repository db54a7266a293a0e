//! The entries of a run, as reports take them.

use std::io;
use std::ops::ControlFlow;

use super::{LoggedEntry, RunLog};
use crate::journal::{Journal, StoredEntry};
use crate::run::{Ledger, Line};
use crate::submission::{Class, Outcome, Refusal};

/// A function that takes the entries of a run, one after another, and may end them early.
pub type Take<'t> = dyn FnMut(&LoggedEntry) -> io::Result<ControlFlow<()>> + 't;

/// The entries of a run, in the order of the walk. No report needs them all in memory, so they may
/// come from a journal as well as from a [`RunLog`].
pub trait Rows {
    /// Hands each entry to `take`.
    ///
    /// # Errors
    /// If `take` fails, or the entries cannot be read.
    fn for_each(&self, take: &mut Take<'_>) -> io::Result<()>;

    /// Hands each entry that failed to `take`.
    ///
    /// # Errors
    /// As [`Rows::for_each`].
    fn for_each_failed(&self, take: &mut Take<'_>) -> io::Result<()> {
        self.for_each(&mut |entry| {
            if entry.failed() { take(entry) } else { Ok(ControlFlow::Continue(())) }
        })
    }
}

impl Rows for RunLog {
    fn for_each(&self, take: &mut Take<'_>) -> io::Result<()> {
        for entry in &self.entries {
            if take(entry)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The entries of a run out of its journal, in the order of a ledger.
#[derive(Debug)]
pub struct JournalRows<'r> {
    /// The entries, and what became of each.
    pub ledger: &'r Ledger,
    /// All else about them; `None` where it is lost.
    pub journal: Option<&'r Journal>,
}

impl Rows for JournalRows<'_> {
    fn for_each(&self, take: &mut Take<'_>) -> io::Result<()> {
        for (file, line) in self.ledger.iter() {
            if take(&self.entry(file, &line)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn for_each_failed(&self, take: &mut Take<'_>) -> io::Result<()> {
        for (file, line) in self.ledger.of(Outcome::is_failure) {
            if take(&self.entry(file, &line)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl JournalRows<'_> {
    fn entry(&self, file: &std::sync::Arc<str>, line: &Line) -> io::Result<LoggedEntry> {
        let stored = match self.journal {
            Some(journal) => journal.entry(line.entry).map_err(io::Error::other)?,
            None => None,
        };
        let mut entry = LoggedEntry {
            file: std::sync::Arc::clone(file),
            line: line.line,
            name: None,
            source_uri: None,
            outcome: line.outcome,
            arn: None,
            attempts: 0,
            request_id: None,
            error: None,
        };
        let Some(stored) = stored else { return Ok(entry) };
        let has_outcome = stored.outcome.as_deref() == Some(line.outcome.as_str());
        let StoredEntry { name, source_uri, arn, .. } = stored;
        (entry.name, entry.source_uri) = (name, source_uri);
        if line.outcome != Outcome::Invalid {
            entry.arn = arn;
        }
        if line.by_journal {
            return Ok(entry);
        }
        entry.attempts = stored.attempts;
        entry.request_id = stored.request_id;
        let message = stored.error_message.filter(|_| line.outcome != Outcome::Invalid);
        entry.error = message.map(|message| Refusal {
            code: stored.error_code,
            request_id: entry.request_id.clone(),
            class: Class::Rejected,
            ..Refusal::by_lineload(message)
        });
        let settled = line.outcome != Outcome::Pending;
        if settled
            && !has_outcome
            && let Some(settled) = self.ledger.recent(line.entry)
        {
            entry.arn.clone_from(&settled.arn);
            entry.attempts = settled.attempts;
            entry.request_id.clone_from(&settled.request_id);
            entry.error.clone_from(&settled.error);
        }
        Ok(entry)
    }
}
