//! The journal: what is about to be sent, durable before it leaves, and what became of it.
//!
//! In: the entries of a run, each attempt before it is made, each outcome. Out: what an earlier run
//! left open, and what is known of a source at a target. One SQLite file holds any number of targets
//! and runs, and is locked by the run that writes to it. It sends nothing and knows no service.
//!
//! The views `entries` and `runs` are for people with `sqlite3`; `docs/journal.md` describes them.

mod activity;
mod invalid;
mod lock;
mod schema;
mod staged;
mod status;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::artifact::{Artifact, Digest, Key};
use crate::submission::EntryId;
use crate::submission::Target;
pub use activity::RunProcess;
pub use invalid::InvalidEntry;
pub use staged::{Staged, StagedEntry, StagedRun};
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
    /// Held for as long as the journal is.
    _lock: lock::Lock,
}

/// An attempt of an earlier run of which no outcome is known.
#[derive(Debug, Clone)]
pub struct OpenIntent {
    /// Its row.
    pub row: i64,
    /// When it was made, by the clock of the machine that made it.
    pub at: SystemTime,
    /// What was to be created.
    pub artifact: Artifact,
    /// The file it was read from.
    pub file: String,
    /// And the line.
    pub line: u32,
}

/// What was settled last for a source.
#[derive(Debug, Clone)]
pub struct Known {
    /// The digest of the request that what is there equals; `None` where it was seen to differ.
    pub digest: Option<Digest>,
    /// The request, as JSON.
    request: String,
    /// The ARN at the target.
    pub arn: Option<String>,
    /// When it was changed last, by the target's clock, if that was seen.
    pub modified: Option<SystemTime>,
    /// Whether a run with this journal created it.
    pub made: bool,
    /// The file that it was read from.
    pub file: String,
    /// And the line.
    pub line: u32,
}

/// What is known at a target, as it was when this was made.
#[derive(Debug)]
pub struct KnownAt<'j> {
    transaction: rusqlite::Transaction<'j>,
    target: Option<i64>,
    path: &'j Path,
}

/// What is known to equal a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEqual {
    /// Its ARN.
    pub arn: Option<String>,
    /// When it was changed last, by the target's clock, if that was seen.
    pub modified: Option<SystemTime>,
    /// Whether a run with this journal created it.
    pub made: bool,
}

impl KnownAt<'_> {
    /// What is known at the source `key`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn at(&self, key: Key) -> Result<Option<Known>, JournalError> {
        let read = || {
            let mut statement = self.transaction.prepare_cached(&format!(
                "SELECT {} FROM known LEFT JOIN entry ON entry.id = known.entry
                 WHERE target = ?1 AND known.source = ?2",
                Known::COLUMNS
            ))?;
            statement.query_row(params![self.target, key.0], Known::read).optional()
        };
        read().map_err(|error| schema::failure(self.path, &error))
    }

    /// What is known at the source `key` to equal the request with this `digest`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn equal(&self, key: Key, digest: Digest) -> Result<Option<KnownEqual>, JournalError> {
        let read = || {
            let mut statement = self.transaction.prepare_cached(
                "SELECT arn, modified_ms, made FROM known
                 WHERE target = ?1 AND source = ?2 AND digest = ?3",
            )?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok(KnownEqual {
                    arn: row.get(0)?,
                    modified: row.get::<_, Option<i64>>(1)?.map(from_millis),
                    made: row.get(2)?,
                })
            };
            statement.query_row(params![self.target, key.0, digest.0], row).optional()
        };
        read().map_err(|error| schema::failure(self.path, &error))
    }
}

impl Known {
    const COLUMNS: &str =
        "known.digest, known.request, known.arn, modified_ms, made, file, line, known.source";

    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let digest: Vec<u8> = row.get(0)?;
        Ok(Self {
            digest: digest.try_into().ok().map(Digest),
            request: row.get(1)?,
            arn: row.get(2)?,
            modified: row.get::<_, Option<i64>>(3)?.map(from_millis),
            made: row.get(4)?,
            file: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
            line: row.get::<_, Option<u32>>(6)?.unwrap_or_default(),
        })
    }

    /// The request; `None` where it cannot be read any more.
    #[must_use]
    pub fn artifact(&self) -> Option<Artifact> {
        serde_json::from_str(&self.request).ok()
    }
}

/// A run to be staged.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'r> {
    /// Its id.
    pub id: &'r str,
    /// The command that goes on.
    pub command: &'r str,
    /// The folder that paths are relative to.
    pub folder: &'r str,
    /// How it goes about what exists, as the engine's side wrote it.
    pub settings: &'r str,
    /// The manifests, each with SHA-256 of what it held.
    pub files: &'r [(String, [u8; 32])],
}

/// An entry to be staged.
#[derive(Debug, Clone, Copy)]
pub struct ToStage<'e> {
    /// Its number in the run.
    pub entry: EntryId,
    /// The file it was read from, as it is shown.
    pub file: &'e str,
    /// And the line.
    pub line: u32,
    /// What is to be created.
    pub artifact: &'e Artifact,
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
        Ok(Self { connection, path: path.to_owned(), _lock: lock })
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
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT entry.id, intent_ms, request, file, line
                 FROM entry JOIN run ON run.id = entry.run JOIN target ON target.id = run.target
                 WHERE (outcome IS NULL OR outcome = 'unresolved')
                 AND intent_ms IS NOT NULL AND identity = ?1 ORDER BY entry.id",
            )?;
            let rows = statement.query_map([target.identity()], |row| {
                Ok(OpenIntent {
                    row: row.get(0)?,
                    at: from_millis(row.get(1)?),
                    artifact: request(&row.get::<_, String>(2)?)?,
                    file: row.get(3)?,
                    line: row.get(4)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// What is known at `target`, to be asked source by source.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn known(&self, target: &Target) -> Result<KnownAt<'_>, JournalError> {
        let read = || {
            // One transaction for all questions: each of its own would take and give back the lock.
            let transaction = self.connection.unchecked_transaction()?;
            let row = transaction
                .query_row(
                    "SELECT id FROM target WHERE identity = ?1",
                    [target.identity()],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(KnownAt { transaction, target: row, path: &self.path })
        };
        read().map_err(|error: rusqlite::Error| self.failed(&error))
    }

    /// Begins a run: in one transaction it takes the place of what earlier runs at `target` staged and
    /// never attempted, from the files that it `covers`.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn stage<'e>(
        &mut self,
        run: &NewRun<'_>,
        target: &Target,
        covers: &dyn Fn(&str) -> bool,
        entries: impl Iterator<Item = ToStage<'e>>,
    ) -> Result<Staged, JournalError> {
        let target = self.target(target)?;
        let write = || {
            let transaction = self.connection.transaction()?;
            discard_staged(&transaction, target, run.folder, covers)?;
            transaction.execute(
                "INSERT INTO run (uuid, target, command, started_ms, process, folder, settings)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    run.id,
                    target,
                    run.command,
                    millis(SystemTime::now()),
                    std::process::id(),
                    run.folder,
                    run.settings,
                ],
            )?;
            let row = transaction.last_insert_rowid();
            let mut rows = HashMap::new();
            {
                let mut insert = transaction.prepare(
                    "INSERT INTO entry (run, file, line, name, source_uri, source, digest, request)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?;
                for one in entries {
                    let artifact = one.artifact;
                    let request = serde_json::to_string(artifact).unwrap_or_default();
                    let entry = insert.insert(params![
                        row,
                        one.file,
                        one.line,
                        artifact.name,
                        artifact.source.uri,
                        artifact.identity().key().0,
                        artifact.digest().0,
                        request,
                    ])?;
                    rows.insert(one.entry, entry);
                }
                let mut insert = transaction
                    .prepare("INSERT INTO file (run, path, digest) VALUES (?1, ?2, ?3)")?;
                for (path, digest) in run.files {
                    insert.execute(params![row, path, digest])?;
                }
            }
            transaction.commit()?;
            Ok(Staged { run: row, rows })
        };
        write().map_err(|error| schema::failure(&self.path, &error))
    }

    /// Forgets what earlier runs at `target` staged from files that are covered, and never attempted: the
    /// manifests say now that there is nothing to be done. Paths are relative to `folder`.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn discard_staged(
        &self,
        target: &Target,
        folder: &str,
        covers: &dyn Fn(&str) -> bool,
    ) -> Result<(), JournalError> {
        let target = self.target(target)?;
        discard_staged(&self.connection, target, folder, covers)
            .map_err(|error| self.failed(&error))
    }

    /// Hands the journal to the thread that writes outcomes.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn into_writer(self, staged: Staged) -> Result<Writer, JournalError> {
        let path = self.path.clone();
        Writer::start(self, staged).map_err(|error| JournalError::Unusable {
            path,
            reason: format!("no thread can be had to write to it: {error}"),
        })
    }
}

/// `folder` is what the paths that `covers` knows are relative to.
fn discard_staged(
    connection: &Connection,
    target: i64,
    folder: &str,
    covers: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<()> {
    let staged: Vec<(i64, String)> = connection
        .prepare(
            "SELECT entry.id, file FROM entry JOIN run ON run.id = entry.run
             WHERE (outcome IS NULL OR outcome = 'unresolved') AND intent_ms IS NULL
             AND target = ?1 AND (folder IS NULL OR folder = ?2 OR file LIKE '/%')",
        )?
        .query_map(params![target, folder], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut delete = connection.prepare("DELETE FROM entry WHERE id = ?1")?;
    for (id, _) in staged.iter().filter(|(_, file)| covers(file)) {
        delete.execute([id])?;
    }
    Ok(())
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
