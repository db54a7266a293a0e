//! What a journal holds, read beside a run that may be writing to it.

use std::path::Path;

use rusqlite::Connection;

use super::{JournalError, schema};

/// What a journal holds.
#[derive(Debug)]
pub struct Status {
    connection: Connection,
    path: std::path::PathBuf,
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
                "SELECT run, target, started, ended, ending, command FROM runs
                 ORDER BY started DESC, run DESC LIMIT ?1",
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
            let mut statement = self.connection.prepare(
                "SELECT file, line, coalesce(name, source_uri), outcome, error_code, error_message
                 FROM entries WHERE run = ?1
                 AND outcome IN ('differs', 'conflict', 'rejected', 'unresolved') LIMIT ?2",
            )?;
            let rows = statement.query_map(rusqlite::params![run, most], |row| {
                let (code, message): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
                let error = match (code, message) {
                    (Some(code), Some(message)) => Some(format!("{code}: {message}")),
                    (code, message) => code.or(message),
                };
                Ok(FailedEntry {
                    file: row.get(0)?,
                    line: row.get(1)?,
                    name: row.get(2)?,
                    outcome: row.get(3)?,
                    error,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| schema::failure(&self.path, &error))
    }
}
