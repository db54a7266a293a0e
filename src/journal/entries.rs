//! The entries of a run, out of the journal: what is left to do, and what became of each.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Journal, JournalError, Known, RunId, request, schema};
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
    /// What is to be created.
    pub artifact: Artifact,
    /// How many creates were sent for it.
    pub attempts: u32,
    /// What a listing showed, as [`Journal::note_found`] noted it.
    pub found: Option<String>,
    /// What is known of its source at the target.
    pub known: Option<Known>,
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
    /// What became of it, by its name; `None` where nothing has.
    pub outcome: Option<String>,
    /// Whether an attempt was made that may have created it.
    pub is_open: bool,
    /// Its ARN.
    pub arn: Option<String>,
    /// How many creates were sent for it.
    pub attempts: u32,
    /// The target's name for the last of them.
    pub request_id: Option<String>,
    /// The code of what the target said, where it refused.
    pub error_code: Option<String>,
    /// And the text.
    pub error_message: Option<String>,
}

/// That an entry is still to be done.
const LEFT: &str = "((entry.outcome IS NULL AND entry.intent_ms IS NULL)
    OR (entry.outcome = 'unresolved' AND entry.intent_ms IS NULL))";

pub(super) fn next(
    connection: &Connection,
    run: RunId,
    after: Option<EntryId>,
    most: usize,
) -> rusqlite::Result<Vec<StagedEntry>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT entry.id, entry.file, entry.line, entry.request, entry.attempts, entry.found,
         known.entry IS NOT NULL, known.digest != x'', there.digest, known.request, known.arn,
         known.modified_ms, known.made, there.file, there.line
         FROM entry JOIN run ON run.id = entry.run
         LEFT JOIN known ON known.target = run.target AND known.source = entry.source
         LEFT JOIN entry AS there ON there.id = known.entry
         WHERE entry.run = ?1 AND entry.id > ?2 AND {LEFT} ORDER BY entry.id LIMIT ?3"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![run.0, after.map_or(0, |id| id.0), most], |row| {
        let known = if row.get(6)? { Some(Known::read(row, 7)?) } else { None };
        Ok(StagedEntry {
            id: EntryId(row.get(0)?),
            file: row.get(1)?,
            line: row.get(2)?,
            artifact: request(row.get_ref(3)?.as_str()?)?,
            attempts: row.get(4)?,
            found: row.get(5)?,
            known,
        })
    })?;
    rows.collect()
}

impl Journal {
    /// Returns the first `most` entries of the run, in their order, after the entry `after`, of those
    /// that are still to be done: neither settled nor open, or unresolved without an open attempt. What
    /// is open is in [`Journal::open_intents`].
    ///
    /// # Errors
    /// Where the journal cannot be read.
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
    /// Where the journal cannot be read.
    pub fn left(&self, run: &RunId) -> Result<u64, JournalError> {
        let left = format!("SELECT count(*) FROM entry WHERE run = ?1 AND {LEFT}");
        let count = self.connection.query_row(&left, [run.0], |row| row.get::<_, i64>(0));
        count
            .map(|count| u64::try_from(count).unwrap_or_default())
            .map_err(|error| self.failed(&error))
    }

    /// Hands every entry of the run to `take`, in their order, the invalid ones too.
    ///
    /// # Errors
    /// Where the journal cannot be read, or `take` fails.
    pub fn each(
        &self,
        run: &RunId,
        take: &mut dyn FnMut(StoredEntry) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let failure = |error: rusqlite::Error| schema::failure(&self.path, &error);
        let query =
            format!("SELECT {} FROM entry WHERE run = ?1 ORDER BY id", StoredEntry::COLUMNS);
        let mut statement = self.connection.prepare(&query).map_err(failure)?;
        let mut rows = statement.query([run.0]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            take(StoredEntry::read(row).map_err(failure)?)?;
        }
        Ok(())
    }

    /// Returns an entry of any run.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn entry(&self, id: EntryId) -> Result<Option<StoredEntry>, JournalError> {
        let read = || {
            let query = format!("SELECT {} FROM entry WHERE id = ?1", StoredEntry::COLUMNS);
            let mut statement = self.connection.prepare_cached(&query)?;
            statement.query_row([id.0], StoredEntry::read).optional()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Returns how many entries of the run came to which outcome, by its name. Those that came to none
    /// are `pending`, or `unresolved` where an attempt is open.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn counts(&self, run: &RunId) -> Result<Vec<(String, u64)>, JournalError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT coalesce(outcome, iif(intent_ms IS NULL, 'pending', 'unresolved')), count(*)
                 FROM entry WHERE run = ?1 GROUP BY 1 ORDER BY 2 DESC, 1",
            )?;
            let rows = statement.query_map([run.0], |row| {
                Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default()))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.failed(&error))
    }
}

impl StoredEntry {
    const COLUMNS: &str = "id, file, line, name, source_uri, outcome, intent_ms IS NOT NULL, arn,
        attempts, request_id, error_code, error_message";

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let outcome: Option<String> = row.get(5)?;
        let settled = outcome.as_deref().is_some_and(|outcome| outcome != "unresolved");
        Ok(Self {
            id: EntryId(row.get(0)?),
            file: row.get(1)?,
            line: row.get(2)?,
            name: row.get(3)?,
            source_uri: row.get::<_, Option<String>>(4)?.filter(|uri| !uri.is_empty()),
            outcome,
            is_open: row.get::<_, bool>(6)? && !settled,
            arn: row.get(7)?,
            attempts: row.get(8)?,
            request_id: row.get(9)?,
            error_code: row.get(10)?,
            error_message: row.get(11)?,
        })
    }
}
