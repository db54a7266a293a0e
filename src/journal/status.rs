//! What a journal holds, read beside a run that may be writing to it.

use std::path::Path;

use rusqlite::{Connection, params};

use super::{JournalError, KnownAt, request, runs, schema};
use crate::artifact::Artifact;
use crate::submission::Target;

/// What a journal holds.
#[derive(Debug)]
pub struct Status {
    pub(super) connection: Connection,
    pub(super) path: std::path::PathBuf,
}

/// A run, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStatus {
    /// Its id.
    pub run: String,
    /// What makes its target the same in another run.
    pub target: String,
    /// When it began, in UTC.
    pub started: String,
    /// When it ended; `None` where it was killed or still runs.
    pub ended: Option<String>,
    /// How it ended.
    pub ending: Option<String>,
    /// The command that goes on.
    pub command: String,
    /// How many entries came to which end, by its name; `pending` and `open` are those that came
    /// to none.
    pub counts: Vec<(String, u64)>,
}

/// An entry that came to no good end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEntry {
    /// Its file.
    pub file: String,
    /// And the line.
    pub line: u32,
    /// Its name, or its URI.
    pub name: String,
    /// What became of it.
    pub outcome: String,
    /// What the target said.
    pub error: Option<String>,
}

impl Status {
    /// Opens the journal at `path` to read.
    ///
    /// # Errors
    /// Where it is not there, or no journal.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        Ok(Self { connection: schema::open_to_read(path)?, path: path.to_owned() })
    }

    /// The last `most` runs, the latest first.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn runs(&self, most: u32) -> Result<Vec<RunStatus>, JournalError> {
        let read = || {
            let mut runs = self.connection.prepare(
                "SELECT runs.run, runs.target, started, ended, runs.ending, runs.command
                 FROM runs JOIN run ON run.uuid = runs.run ORDER BY run.id DESC LIMIT ?1",
            )?;
            let mut counts = self.connection.prepare(
                "SELECT outcome, count(*) FROM entries WHERE run = ?1 GROUP BY outcome ORDER BY 2 DESC",
            )?;
            let rows = runs.query_map([most], |row| {
                Ok(RunStatus {
                    run: row.get(0)?,
                    target: row.get(1)?,
                    started: row.get(2)?,
                    ended: row.get(3)?,
                    ending: row.get(4)?,
                    command: row.get(5)?,
                    counts: Vec::new(),
                })
            })?;
            let mut found = Vec::new();
            for run in rows {
                let mut run = run?;
                let rows = counts.query_map([&run.run], |row| {
                    Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default()))
                })?;
                run.counts = rows.collect::<rusqlite::Result<_>>()?;
                found.push(run);
            }
            Ok(found)
        };
        read().map_err(|error| schema::failure(&self.path, &error))
    }

    /// The first `most` entries of `run` that failed.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn failed(&self, run: &str, most: u32) -> Result<Vec<FailedEntry>, JournalError> {
        let read = || {
            let mut statement = self.connection.prepare(&format!(
                "SELECT {} FROM entry JOIN run ON run.id = entry.run
                 WHERE uuid = ?1 AND outcome IN ({FAILED}) ORDER BY entry.id LIMIT ?2",
                FailedEntry::COLUMNS
            ))?;
            let rows = statement.query_map(params![run, most], FailedEntry::read)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| schema::failure(&self.path, &error))
    }

    /// Returns what is known at `target`, to be asked source by source.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn known(&self, target: &Target) -> Result<KnownAt<'_>, JournalError> {
        KnownAt::new(&self.connection, &self.path, &target.identity())
    }

    /// Returns what earlier runs at `target` left open.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn open_intents(&self, target: &Target) -> Result<Vec<super::OpenIntent>, JournalError> {
        runs::open_intents(&self.connection, target)
            .map_err(|error| schema::failure(&self.path, &error))
    }

    /// Returns creates a second that the service allowed at the end of the last run at `target`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn rate(&self, target: &Target) -> Result<Option<f64>, JournalError> {
        runs::rate(&self.connection, target).map_err(|error| schema::failure(&self.path, &error))
    }

    /// Hands the entries of `run` that failed to `take`, with the artifact that each was to be.
    ///
    /// # Errors
    /// Where the journal cannot be read, or `take` fails.
    pub fn each_failed<E: From<JournalError>>(
        &self,
        run: &str,
        mut take: impl FnMut(FailedEntry, Artifact) -> Result<(), E>,
    ) -> Result<(), E> {
        let failure = |error| schema::failure(&self.path, &error);
        let mut statement = self
            .connection
            .prepare(&format!(
                "SELECT {}, entry.request FROM entry JOIN run ON run.id = entry.run
                 WHERE uuid = ?1 AND outcome IN ({FAILED}) ORDER BY entry.id",
                FailedEntry::COLUMNS
            ))
            .map_err(failure)?;
        let mut rows = statement.query([run]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            let entry = FailedEntry::read(row).map_err(failure)?;
            let artifact = row.get::<_, String>(6).and_then(|text| request(&text));
            take(entry, artifact.map_err(failure)?)?;
        }
        Ok(())
    }
}

/// Outcomes that are no good end.
const FAILED: &str = "'differs', 'conflict', 'rejected', 'unresolved'";

impl FailedEntry {
    const COLUMNS: &str =
        "file, line, coalesce(name, source_uri), outcome, error_code, error_message";

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let (code, message): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
        let error = match (code, message) {
            (Some(code), Some(message)) => Some(format!("{code}: {message}")),
            (code, message) => code.or(message),
        };
        Ok(Self {
            file: row.get(0)?,
            line: row.get(1)?,
            name: row.get(2)?,
            outcome: row.get(3)?,
            error,
        })
    }
}
