//! The journal: every request, durable before it is sent, and its outcome.
//!
//! In: the entries of a run, each attempt before it is made, each outcome. Out: the attempts that
//! an earlier run left open, and the last result for a source at a target. One SQLite file holds
//! any number of targets and runs, and is locked by the run that writes to it. It sends nothing and
//! does not know the service.
//!
//! The views `entries` and `runs` are for people with `sqlite3`; `docs/journal.md` describes them.

mod deletions;
mod entries;
mod file;
mod gate;
mod guard;
mod holder;
mod id;
mod known;
mod lease;
mod listing;
mod lock;
mod migrate;
mod notes;
mod request;
mod runs;
mod schema;
mod sequence;
mod staging;
mod status;
mod tables;
mod to_stage;
mod writer;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::artifact::Artifact;
use crate::exit::Fatal;
use crate::submission::{EntryId, RunKind, Target};
use crate::text::{reason, shell_word};
pub use deletions::{Candidate, Deletions, OpenDeletion};
pub use entries::{StagedEntry, StoredEntry};
use file::Network;
use gate::Gate;
use guard::Guard;
pub use holder::Holder;
pub use id::RunId;
pub use known::{Known, KnownAt, KnownEqual};
pub use listing::{Listing, Site, ToList};
use lock::Lock;
use notes::Book;
pub use runs::StagedRun;
pub use staging::Staging;
pub use status::{FailedEntry, RunStatus, Status};
pub use to_stage::{Invalid, NewRun, ToStage};
pub use writer::{Outcomes, WriteError, Writer};

/// The default path of the journal.
pub const DEFAULT: &str = ".lineload/journal.sqlite3";

/// The reason why a journal cannot be used. Nothing has been sent.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another run writes to it.
    #[error("the journal {} is in use by {holder}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// The process that holds the lock, its machine, and since when.
        holder: String,
    },
    /// The directory is on a network file system that has no locks, or makes nothing durable.
    #[error("the journal {} is on a file system ({kind}) without locks or durable writes", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// As in `NFS`.
        kind: &'static str,
    },
    /// It was written by a later lineload.
    #[error("the journal {} was written by a newer lineload (schema version {found})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its tables.
        found: i64,
    },
    /// It was written by an older lineload, and can only be read.
    #[error("the journal {} was written by an older lineload", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// It is something else, or damaged.
    #[error("{} is not a lineload journal, or is damaged: {reason}", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// The message of SQLite.
        reason: String,
    },
    /// Another program reads or writes it, and has not ended within some seconds.
    #[error("cannot use the journal {}: another program has it open", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// There is no space for it.
    #[error("cannot write the journal {}: the disk is full", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Files that are gone with the process cannot be kept. The journal has nothing to do with it.
    #[error("cannot keep temporary files in {}: {reason}", folder.display())]
    Temporary {
        /// The directory.
        folder: PathBuf,
        /// The reason.
        reason: String,
    },
    /// It cannot be read or written.
    #[error("cannot use the journal {}: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

impl Fatal for JournalError {
    fn help(&self) -> Vec<String> {
        let help = match self {
            Self::Locked { .. } => {
                "wait until it ends, or use another journal with `--journal \
                                    FILE`"
            }
            Self::Network { .. } => "use a file on a local disk: `--journal /tmp/journal.sqlite3`",
            Self::Newer { .. } => {
                "use that version of lineload, or another journal with \
                                   `--journal FILE`"
            }
            Self::Older { .. } => "the next import upgrades it",
            Self::NotAJournal { .. } => {
                "use another with `--journal FILE`: lineload then looks up at the target what \
                 already exists"
            }
            Self::Busy { path } => {
                let path = shell_word(&path.to_string_lossy());
                return vec![
                    "close that program, such as `sqlite3`, then run the same command again"
                        .to_owned(),
                    format!("to see which program it is, run `fuser -v {path}`"),
                ];
            }
            Self::Full { .. } => {
                "free some space, then run the same command again: the journal keeps what it has"
            }
            Self::Temporary { .. } => "free some space, or name another directory in TMPDIR",
            Self::Unusable { .. } => "use another journal with `--journal FILE`",
        };
        vec![help.to_owned()]
    }
}

/// A journal that this process may write to.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    /// The lock that keeps others out as long as the journal is open; a scratch journal needs none.
    files: Option<Files>,
}

/// The lock and the guard of a journal's file.
#[derive(Debug)]
struct Files {
    guard: Guard,
    gate: Gate,
    network: Option<Network>,
    lock: Lock,
}

/// An attempt of an earlier run without a known outcome.
#[derive(Debug, Clone)]
pub struct OpenIntent {
    /// Of which entry.
    pub entry: EntryId,
    /// The time when the first of the attempts that are open was made, by the clock of the machine
    /// that made it.
    pub first: SystemTime,
    /// The time when the last was made.
    pub at: SystemTime,
    /// The artifact that was to be created.
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
    /// If it is locked, no journal, from a later lineload, on a network without locks, or cannot be
    /// written.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        file::no_symlink(path)?;
        file::prepare(path)?;
        let place = file::find(path)?;
        Self::open_at(path, &place.file, place.network)
    }

    /// Opens the journal `file`, which the user calls `path`, on such a file system.
    fn open_at(path: &Path, file: &Path, network: Option<Network>) -> Result<Self, JournalError> {
        let lock = Lock::take(file, path, network)?;
        let gate = Gate::open(file).map_err(|error| JournalError::Unusable {
            path: path.to_owned(),
            reason: reason(&error),
        })?;
        // The first checkpoint copies the WAL of a killed run into the database.
        let connection = schema::open(file, path, network)?;
        let guard = Guard::new(path, file, network.is_none());
        let files = Files { guard, gate, network, lock };
        let mut journal = Self { connection, path: path.to_owned(), files: Some(files) };
        journal.written()?;
        journal.write(|connection| {
            connection.execute_batch(FOUND)?;
            staging::delete_unready(connection)
        })?;
        journal.show();
        Ok(journal)
    }

    /// Opens a private journal that is gone when it is dropped.
    ///
    /// # Errors
    /// If no temporary file can be written.
    pub fn scratch() -> Result<Self, JournalError> {
        let path = std::env::temp_dir();
        let make = || {
            let connection = schema::scratch()?;
            connection.execute_batch(FOUND)?;
            Ok(connection)
        };
        let connection = make().map_err(|error| file::temporary(&path, &error))?;
        Ok(Self { connection, path, files: None })
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what the user should know of where the journal is, to be said once.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let network = self.files.as_ref()?.network.filter(|network| !network.perhaps)?;
        Some(format!(
            "the journal {} is on a network file system ({}): commits are slower than on a local \
             disk, and a run killed on another machine keeps the journal locked for one minute",
            self.path.display(),
            network.kind
        ))
    }

    fn failed(&self, error: &rusqlite::Error) -> JournalError {
        match self.files {
            Some(_) => file::failure(&self.path, error),
            None => file::temporary(&self.path, error),
        }
    }

    fn disturbed(&self, reason: &str) -> JournalError {
        JournalError::Unusable { path: self.path.clone(), reason: reason.to_owned() }
    }

    /// Checks that its files are as they were left: before anything is written.
    fn check(&self) -> Result<(), JournalError> {
        let Some(files) = &self.files else { return Ok(()) };
        let checked = files.lock.check().and_then(|()| files.guard.check());
        checked.map_err(|reason| self.disturbed(reason))
    }

    /// Records the state of its files after a write.
    fn written(&mut self) -> Result<(), JournalError> {
        let Some(files) = &mut self.files else { return Ok(()) };
        let noted = files.guard.note();
        noted.map_err(|reason| self.disturbed(reason))
    }

    /// Writes something in one transaction.
    fn write<T>(
        &mut self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, JournalError> {
        self.check()?;
        let written = || {
            let transaction = self.connection.unchecked_transaction()?;
            let value = write(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        let value = written().map_err(|error| self.failed(&error));
        // Also what failed may have changed the files: no other program did.
        let noted = self.written();
        value.and_then(|value| noted.map(|()| value))
    }

    /// Copies the WAL into the database, which readers see; `mode` is one of SQLite's. It has no
    /// effect while there is a reader.
    fn checkpoint(&mut self, mode: &str) -> rusqlite::Result<()> {
        let Some(files) = &mut self.files else { return Ok(()) };
        let Some(_held) = files.gate.close() else { return Ok(()) };
        let checkpoint = format!("PRAGMA wal_checkpoint({mode})");
        let copied = self.connection.prepare_cached(&checkpoint);
        let copied = copied.and_then(|mut copy| copy.query_row([], |_| Ok(())));
        // Also on a full disk it may have copied some pages. If a file was replaced, the next check
        // reports it.
        let _ = files.guard.note();
        copied
    }

    /// Makes written data visible to readers. Pages that cannot be copied now are copied by a later
    /// checkpoint.
    fn show(&mut self) {
        let _ = self.checkpoint("TRUNCATE");
    }

    /// Returns the open creates of earlier runs at `target`: those without a recorded response, or
    /// with one that left the outcome unknown.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn open_intents(&self, target: &Target) -> Result<Vec<OpenIntent>, JournalError> {
        runs::open_intents(&self.connection, target).map_err(|error| self.failed(&error))
    }

    /// Returns what is known at `target`, to be looked up source by source.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn known(&self, target: &Target) -> Result<KnownAt<'_>, JournalError> {
        KnownAt::new(&self.connection, &self.path, &target.identity())
    }

    /// Returns the creates or deletes a second that the service allowed at the end of the last run of
    /// this kind at `target`.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn rate(&self, target: &Target, kind: RunKind) -> Result<Option<f64>, JournalError> {
        runs::rate(&self.connection, target, kind).map_err(|error| self.failed(&error))
    }

    /// Hands the journal to the thread that writes outcomes.
    ///
    /// # Errors
    /// If it cannot be written, or no thread can be had.
    pub fn into_writer(mut self, run: RunId) -> Result<Writer, JournalError> {
        let book = self.write(|connection| Book::open(connection, run))?;
        let path = self.path.clone();
        Writer::start(self, book).map_err(|error| JournalError::Unusable {
            path,
            reason: format!("cannot start its writer thread: {error}"),
        })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let Some(files) = &self.files else { return };
        // What was put in its place is another's.
        if self.check().is_err() {
            return;
        }
        let Some(_held) = files.gate.close_soon() else { return };
        let copied =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        if copied == Ok(0) {
            // Closing it removes the WAL, which is empty.
            let setting = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            let _ = self.connection.set_db_config(setting, false);
        }
    }
}

/// SQL: a temporary table of listed artifacts, kept as long as this process has the journal.
const FOUND: &str =
    "CREATE TEMP TABLE found (entry INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT";

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
