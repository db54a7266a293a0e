//! The journal: what is about to be sent, durable before it leaves, and what became of it.
//!
//! In: the entries of a run, each attempt before it is made, each outcome. Out: what an earlier run
//! left open, and what is known of a source at a target. One SQLite file holds any number of targets
//! and runs, and is locked by the run that writes to it. It sends nothing and knows no service.
//!
//! The views `entries` and `runs` are for people with `sqlite3`; `docs/journal.md` describes them.

mod activity;
mod entries;
mod invalid;
mod known;
mod lock;
mod runs;
mod schema;
mod staging;
mod status;
mod writer;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};

use crate::artifact::Artifact;
use crate::submission::{EntryId, Target};
pub use activity::RunProcess;
pub use entries::{StagedEntry, StoredEntry};
pub use invalid::InvalidEntry;
pub use known::{Known, KnownAt, KnownEqual};
pub use runs::StagedRun;
pub use staging::{Invalid, NewRun, RunId, Staging, ToStage};
pub use status::{FailedEntry, RunStatus, Status};
pub use writer::{Outcomes, WriteError, Writer};

/// Where the journal is kept if nothing is said.
pub const DEFAULT: &str = ".lineload/journal.sqlite3";

/// Why a journal cannot be used. Nothing has been sent.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another run writes to it.
    #[error("the journal {} is in use by {holder}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Which process, where and since when.
        holder: String,
    },
    /// The folder is on a network, where SQLite's locks do not hold.
    #[error("the journal {} is on a network file system ({kind}), where its locks do not hold", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// As in `NFS`.
        kind: &'static str,
    },
    /// It was written by a later lineload.
    #[error("the journal {} was written by a later lineload (version {found} of its tables)", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its tables.
        found: i64,
    },
    /// It was written by an earlier lineload, and is only to be read.
    #[error("the journal {} was written by an earlier lineload", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// It is something else, or damaged.
    #[error("{} is no journal of lineload, or it is damaged: {reason}", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// It cannot be read or written.
    #[error("the journal {} cannot be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A journal that this process may write to.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    /// Held for as long as the journal is; a scratch journal has none.
    _lock: Option<lock::Lock>,
    /// Where a scratch journal is: gone when it is dropped, after the connection.
    _scratch: Option<tempfile::TempDir>,
}

/// An attempt of an earlier run of which no outcome is known.
#[derive(Debug, Clone)]
pub struct OpenIntent {
    /// Of which entry.
    pub entry: EntryId,
    /// When it was made, by the clock of the machine that made it.
    pub at: SystemTime,
    /// What was to be created.
    pub artifact: Artifact,
    /// The file it was read from.
    pub file: String,
    /// And the line.
    pub line: u32,
}

impl Journal {
    /// Opens the journal at `path` and locks it; it is made where it is not there.
    ///
    /// # Errors
    /// Where it is locked, no journal, from a later lineload, on a network, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        schema::prepare(path)?;
        let file = schema::the_file(path)?;
        let lock = lock::Lock::take(&file, path)?;
        let connection = schema::open(path)?;
        staging::delete_unready(&connection).map_err(|error| schema::failure(path, &error))?;
        Ok(Self { connection, path: path.to_owned(), _lock: Some(lock), _scratch: None })
    }

    /// Opens a private journal that is gone when it is dropped.
    ///
    /// # Errors
    /// Where no temporary file can be written.
    pub fn scratch() -> Result<Self, JournalError> {
        let folder = tempfile::tempdir().map_err(|error| JournalError::Unusable {
            path: std::env::temp_dir(),
            reason: crate::walk::reason(&error),
        })?;
        let path = folder.path().join("journal.sqlite3");
        let connection = schema::scratch(&path)?;
        Ok(Self { connection, path, _lock: None, _scratch: Some(folder) })
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, error: &rusqlite::Error) -> JournalError {
        schema::failure(&self.path, error)
    }

    fn target(&self, target: &Target) -> Result<i64, JournalError> {
        let description = serde_json::to_string(target).unwrap_or_default();
        let row = self.connection.query_row(
            "INSERT INTO target (identity, description) VALUES (?1, ?2)
             ON CONFLICT (identity) DO UPDATE SET description = ?2 RETURNING id",
            params![target.identity(), description],
            |row| row.get(0),
        );
        row.map_err(|error| self.failed(&error))
    }

    /// What earlier runs at `target` left open: attempts of which no answer was noted, or none that
    /// told.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn open_intents(&self, target: &Target) -> Result<Vec<OpenIntent>, JournalError> {
        runs::open_intents(&self.connection, target).map_err(|error| self.failed(&error))
    }

    /// What is known at `target`, to be asked source by source.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn known(&self, target: &Target) -> Result<KnownAt<'_>, JournalError> {
        KnownAt::new(&self.connection, &self.path, &target.identity())
    }

    /// Returns creates a second that the service allowed at the end of the last run at `target`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn rate(&self, target: &Target) -> Result<Option<f64>, JournalError> {
        runs::rate(&self.connection, target).map_err(|error| self.failed(&error))
    }

    /// Hands the journal to the thread that writes outcomes.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn into_writer(self, run: RunId) -> Result<Writer, JournalError> {
        let path = self.path.clone();
        Writer::start(self, run).map_err(|error| JournalError::Unusable {
            path,
            reason: format!("no thread can be had to write to it: {error}"),
        })
    }
}

fn request(text: &str) -> rusqlite::Result<Artifact> {
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn from_millis(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

#[cfg(test)]
mod tests;
