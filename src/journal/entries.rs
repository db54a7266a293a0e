//! Queries for the entries of a run: those that are pending, and the outcome of each.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::tables::{arn, request_id};
use super::{Journal, JournalError, Known, RunId, known, request, runs};
use crate::artifact::Artifact;
use crate::submission::EntryId;

/// An entry that is still to be done.
#[derive(Debug, Clone)]
pub struct StagedEntry {
    /// Which.
    pub id: EntryId,
    /// The file that it was read from.
    pub file: String,
    /// And the line.
    pub line: u32,
    /// The artifact to create.
    pub artifact: Artifact,
    /// The number of creates that were sent for it.
    pub attempts: u32,
    /// The listed artifact, as [`Journal::note_found`] recorded it.
    pub found: Option<String>,
    /// The last result for its source at the target.
    pub known: Option<Known>,
    /// The ARN of the artifact that it deletes, if its run deletes.
    pub deletes: Option<String>,
}

/// An entry, for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Which.
    pub id: EntryId,
    /// The file that it was read from.
    pub file: String,
    /// And the line.
    pub line: u32,
    /// Its name.
    pub name: Option<String>,
    /// Its URI.
    pub source_uri: Option<String>,
    /// Its outcome, by name; `None` if it has none.
    pub outcome: Option<String>,
    /// True if an attempt was made that may have created it.
    pub is_open: bool,
    /// Its ARN.
    pub arn: Option<String>,
    /// The number of creates that were sent for it.
    pub attempts: u32,
    /// The target's name for the last of them.
    pub request_id: Option<String>,
    /// The error code of the target, if it refused.
    pub error_code: Option<String>,
    /// And the text.
    pub error_message: Option<String>,
}

/// SQL: an entry is pending: it has no certain outcome, and no attempt is open.
macro_rules! left {
    () => {
        "(result.outcome IS NULL OR result.outcome = 'unresolved')
         AND NOT EXISTS (SELECT 1 FROM open WHERE open.entry = entry.id)"
    };
}

/// SQL: the columns of an entry in a report, and the tables that they are joined from.
macro_rules! stored {
    () => {
        concat!(
            "SELECT entry.id, path, line, name, source_uri, outcome, open.entry IS NOT NULL,
             coalesce(result.attempts, 0) + coalesce(open.attempts, 0), ",
            arn!(),
            ", ",
            request_id!(),
            ", error_code, error_message FROM entry JOIN file ON file.id = entry.file
             LEFT JOIN result ON result.entry = entry.id LEFT JOIN open ON open.entry = entry.id
             LEFT JOIN prefix ON prefix.id = result.prefix"
        )
    };
}

pub(super) use left;

/// Returns entries that are still to be done.
pub(super) fn next(
    connection: &Connection,
    run: RunId,
    after: Option<EntryId>,
    most: usize,
) -> rusqlite::Result<Vec<StagedEntry>> {
    let (target, first, last, deletes): (i64, i64, i64, bool) = connection
        .prepare_cached("SELECT target, first, last, deletes FROM run WHERE id = ?1")?
        .query_row([run.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let mut statement = connection.prepare_cached(concat!(
        "SELECT entry.id, path, line, name, source_uri, request, source,
         coalesce(result.attempts, 0), found.text, ",
        arn!(),
        " FROM entry JOIN file ON file.id = entry.file
         LEFT JOIN result ON result.entry = entry.id LEFT JOIN prefix ON prefix.id = result.prefix
         LEFT JOIN temp.found ON found.entry = entry.id
         WHERE entry.id BETWEEN ?1 AND ?2 AND ",
        left!(),
        " ORDER BY entry.id LIMIT ?3"
    ))?;
    let first = after.map_or(first, |after| after.0 + 1).max(first);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![first, last, most], |row| {
        let text = row.get_ref(5)?.as_str()?;
        Ok(StagedEntry {
            id: EntryId(row.get(0)?),
            file: row.get(1)?,
            line: row.get(2)?,
            artifact: request::read(row.get(3)?, row.get(4)?, text).map_err(super::unreadable)?,
            attempts: row.get(7)?,
            found: row.get(8)?,
            known: match deletes {
                true => None,
                false => known::at(connection, target, row.get_ref(6)?.as_blob()?)?,
            },
            deletes: if deletes { row.get(9)? } else { None },
        })
    })?;
    rows.collect()
}

impl Journal {
    /// Returns the first `most` entries of the run, in their order, after the entry `after`, of
    /// those that are still to be done: neither settled nor open, or unresolved without an open
    /// attempt. What is open is in [`Journal::open_intents`].
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn next(
        &self,
        run: &RunId,
        after: Option<EntryId>,
        most: usize,
    ) -> Result<Vec<StagedEntry>, JournalError> {
        next(&self.connection, *run, after, most).map_err(|error| self.failed(&error))
    }

    /// Returns how many entries of the run are still to be done, as in [`Journal::next`].
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn left(&self, run: &RunId) -> Result<u64, JournalError> {
        runs::left(&self.connection, run.0).map_err(|error| self.failed(&error))
    }

    /// Passes every entry of the run to `take`, in order, including the invalid ones.
    ///
    /// # Errors
    /// If the journal cannot be read, or `take` fails.
    pub fn each(
        &self,
        run: &RunId,
        take: &mut dyn FnMut(StoredEntry) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let failure = |error: rusqlite::Error| self.failed(&error);
        let mut statement = self
            .connection
            .prepare_cached(concat!(
                stored!(),
                " JOIN run ON entry.id BETWEEN run.first AND run.last
                 WHERE run.id = ?1 ORDER BY entry.id"
            ))
            .map_err(failure)?;
        let mut rows = statement.query([run.0]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            take(StoredEntry::read(row).map_err(failure)?)?;
        }
        Ok(())
    }

    /// Passes the invalid entries of the run with a number above `after` and below `before` to
    /// `take`, in order.
    ///
    /// # Errors
    /// If the journal cannot be read, or `take` fails.
    pub fn each_invalid<E: From<JournalError>>(
        &self,
        run: &RunId,
        (after, before): (EntryId, EntryId),
        mut take: impl FnMut(StoredEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let failure = |error: rusqlite::Error| self.failed(&error);
        let mut statement = self
            .connection
            .prepare_cached(concat!(
                stored!(),
                " WHERE entry.run = ?1 AND entry.id > ?2 AND entry.id < ?3
                 AND outcome = 'invalid' ORDER BY entry.id"
            ))
            .map_err(failure)?;
        let mut rows = statement.query(params![run.0, after.0, before.0]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            take(StoredEntry::read(row).map_err(failure)?)?;
        }
        Ok(())
    }

    /// Returns an entry of any run.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn entry(&self, id: EntryId) -> Result<Option<StoredEntry>, JournalError> {
        let read = || {
            let mut statement =
                self.connection.prepare_cached(concat!(stored!(), " WHERE entry.id = ?1"))?;
            statement.query_row([id.0], StoredEntry::read).optional()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Returns how many entries of the run came to which outcome, by its name. Those that came to
    /// none are `pending`, or `unresolved` where an attempt is open.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn counts(&self, run: &RunId) -> Result<Vec<(String, u64)>, JournalError> {
        runs::counts(&self.connection, run.0, "unresolved").map_err(|error| self.failed(&error))
    }
}

impl StoredEntry {
    /// From the columns of `stored!`.
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: EntryId(row.get(0)?),
            file: row.get(1)?,
            line: row.get(2)?,
            name: row.get(3)?,
            source_uri: row.get(4)?,
            outcome: row.get(5)?,
            is_open: row.get(6)?,
            attempts: row.get(7)?,
            arn: row.get(8)?,
            request_id: row.get(9)?,
            error_code: row.get(10)?,
            error_message: row.get(11)?,
        })
    }
}
