//! A reader of a journal, beside a run that may be writing to it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::gate::Gate;
use super::holder::Holder;
use super::lock;
use super::{JournalError, KnownAt, file, from_millis, millis, request, runs, schema};
use crate::artifact::Artifact;
use crate::submission::{RunKind, Target};
use crate::text::reason;

/// A rate is not taken over less.
const LEAST: Duration = Duration::from_secs(1);
/// The period over which the current rate of a run is measured.
const LATELY: Duration = Duration::from_secs(10);

/// The time until a reader sees what was settled.
const UNSEEN: Duration = Duration::from_secs(2);

/// The content of a journal.
#[derive(Debug)]
pub struct Status {
    connection: Connection,
    path: PathBuf,
    holder: Option<Holder>,
    /// Held while the file is read beside a run, so that it does not change.
    _gate: Option<File>,
}

/// A run, in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStatus {
    /// Its id.
    pub run: String,
    /// Its kind.
    pub kind: RunKind,
    /// The identity of its target.
    pub target: String,
    /// The time when it began, in UTC.
    pub started: String,
    /// The time when it ended; `None` where it was killed or still runs.
    pub ended: Option<String>,
    /// The way it ended.
    pub ending: Option<String>,
    /// The command that resumes it: the last that was entered for it.
    pub command: String,
    /// The number of entries that came to each end, by its name; `pending` and `open` are those that
    /// came to none.
    pub counts: Vec<(String, u64)>,
    /// The process that writes it, if it has the journal locked now.
    pub holder: Option<Holder>,
    /// The number of entries a second that were settled in the last ten seconds, where it is running.
    pub settled_per_second: Option<f64>,
    /// The rate, in creates a second, that the service allowed when it last ended; `None` if it was
    /// unlimited.
    pub rate: Option<f64>,
}

/// The entries of a run that have a result, as [`FailedEntry::read`] takes them.
macro_rules! failed {
    () => {
        "SELECT path, line, coalesce(name, source_uri, ''), outcome, error_code, error_message,
         name, source_uri, request FROM run JOIN result ON result.entry BETWEEN first AND last
         JOIN entry ON entry.id = result.entry JOIN file ON file.id = entry.file
         WHERE uuid = ?1"
    };
}

/// SQL: the outcome is a failure.
macro_rules! is_failure {
    () => {
        "outcome IN ('differs', 'conflict', 'rejected', 'unresolved') ORDER BY entry.id"
    };
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
    /// Its outcome.
    pub outcome: String,
    /// The error of the target, or the fault of the manifest.
    pub error: Option<String>,
}

impl Status {
    /// Opens the journal at `path` to read.
    ///
    /// # Errors
    /// If it is not there, or no journal.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failure = |error: rusqlite::Error| file::failure(path, &error);
        let unusable = |error: std::io::Error| JournalError::Unusable {
            path: path.to_owned(),
            reason: reason(&error),
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failure)?;
        connection.pragma_update(None, "mmap_size", 0).map_err(failure)?;
        schema::prepare_once(&connection).map_err(failure)?;
        connection.busy_timeout(Duration::ZERO).map_err(failure)?;
        let path = path.to_owned();
        let looked = connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()));
        match looked {
            Err(error) if is_busy(&error) => {}
            Err(error) => return Err(failure(error)),
            Ok(()) => {
                connection.busy_timeout(file::BUSY).map_err(failure)?;
                schema::check(&connection, &path)?;
                return Ok(Self { connection, path, holder: None, _gate: None });
            }
        }
        drop(connection);
        // A run has it locked exclusively. Between two checkpoints the file is consistent, with the
        // state of the last one.
        let place = std::fs::canonicalize(&path).map_err(unusable)?;
        let gate = Gate::hold_open(&place).map_err(unusable)?;
        let connection =
            Connection::open_with_flags(immutable(&place), flags | OpenFlags::SQLITE_OPEN_URI)
                .map_err(failure)?;
        schema::prepare_once(&connection).map_err(failure)?;
        schema::check(&connection, &path)?;
        Ok(Self { connection, path, holder: lock::holder(&place), _gate: gate })
    }

    /// Returns the process that has the journal now; `None` where none has.
    #[must_use]
    pub const fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    fn failure(&self, error: &rusqlite::Error) -> JournalError {
        file::failure(&self.path, error)
    }

    /// Returns the last `most` runs, the latest first.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn runs(&self, most: u32) -> Result<Vec<RunStatus>, JournalError> {
        let read = || {
            let mut runs = self.connection.prepare(
                "SELECT run.id, uuid, identity,
                 strftime('%Y-%m-%dT%H:%M:%fZ', started_ms / 1000.0, 'unixepoch'),
                 strftime('%Y-%m-%dT%H:%M:%fZ', ended_ms / 1000.0, 'unixepoch'),
                 ending,
                 coalesce(iif(json_valid(settings), settings ->> '$.resumed_by', NULL), command),
                 process, rate, deletes
                 FROM run JOIN target ON target.id = run.target
                 WHERE ready ORDER BY run.id DESC LIMIT ?1",
            )?;
            let rows = runs.query_map([most], |row| {
                let ending: Option<String> = row.get(5)?;
                let process: u32 = row.get(7)?;
                let holder = self.holder.as_ref();
                let holder = holder.filter(|one| ending.is_none() && one.process == process);
                let status = RunStatus {
                    run: row.get(1)?,
                    kind: runs::kind(row.get(9)?),
                    target: row.get(2)?,
                    started: row.get(3)?,
                    ended: row.get(4)?,
                    ending,
                    command: row.get(6)?,
                    counts: Vec::new(),
                    holder: holder.cloned(),
                    settled_per_second: None,
                    rate: row.get(8)?,
                };
                Ok((row.get::<_, i64>(0)?, status))
            })?;
            let mut found = Vec::new();
            for run in rows {
                let (row, mut run) = run?;
                run.counts = runs::counts(&self.connection, row, "open")?;
                if run.holder.is_some() {
                    run.settled_per_second = Some(self.lately(row, SystemTime::now())?);
                }
                found.push(run);
            }
            Ok(found)
        };
        read().map_err(|error: rusqlite::Error| self.failure(&error))
    }

    /// Returns how many entries of the run `row` were settled a second, of late.
    fn lately(&self, row: i64, now: SystemTime) -> rusqlite::Result<f64> {
        let to = now.checked_sub(UNSEEN).unwrap_or(now);
        let from = to.checked_sub(LATELY).unwrap_or(to);
        let (count, began): (u32, i64) = self.connection.query_row(
            "SELECT count(*), started_ms FROM run
             LEFT JOIN result ON result.entry BETWEEN first AND last
             AND settled_ms > ?2 AND settled_ms <= ?3 WHERE run.id = ?1 AND result.entry NOT NULL",
            params![row, millis(from), millis(to)],
            |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.unwrap_or_default())),
        )?;
        // A run that began since then had less time.
        let from = from.max(from_millis(began));
        let time = to.duration_since(from).unwrap_or_default().max(LEAST);
        Ok(f64::from(count) / time.as_secs_f64())
    }

    /// Returns the first `most` entries of `run` that failed.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn failed(&self, run: &str, most: u32) -> Result<Vec<FailedEntry>, JournalError> {
        let read = || {
            let mut statement =
                self.connection.prepare(concat!(failed!(), " AND ", is_failure!(), " LIMIT ?2"))?;
            let rows = statement.query_map(params![run, most], FailedEntry::read)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.failure(&error))
    }

    /// Returns what is known at `target`, to be asked source by source.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn known(&self, target: &Target) -> Result<KnownAt<'_>, JournalError> {
        KnownAt::new(&self.connection, &self.path, &target.identity())
    }

    /// Returns what earlier runs at `target` left open.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn open_intents(&self, target: &Target) -> Result<Vec<super::OpenIntent>, JournalError> {
        runs::open_intents(&self.connection, target).map_err(|error| self.failure(&error))
    }

    /// Returns the directory that the paths of `run` are relative to, if it is known.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn folder(&self, run: &str) -> Result<Option<PathBuf>, JournalError> {
        let folder = "SELECT folder FROM run WHERE uuid = ?1";
        let folder = self.connection.query_row(folder, [run], |row| row.get(0)).optional();
        let folder: Option<Option<String>> = folder.map_err(|error| self.failure(&error))?;
        Ok(folder.flatten().map(Into::into))
    }

    /// Returns creates a second that the service allowed at the end of the last run at `target`.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn rate(&self, target: &Target) -> Result<Option<f64>, JournalError> {
        runs::rate(&self.connection, target, RunKind::Import).map_err(|error| self.failure(&error))
    }

    /// Passes the failed entries of `run` to `take`, each with its artifact.
    ///
    /// # Errors
    /// If the journal cannot be read, or `take` fails.
    pub fn each_failed<E: From<JournalError>>(
        &self,
        run: &str,
        mut take: impl FnMut(FailedEntry, Artifact) -> Result<(), E>,
    ) -> Result<(), E> {
        let failure = |error: rusqlite::Error| self.failure(&error);
        let mut statement =
            self.connection.prepare(concat!(failed!(), " AND ", is_failure!())).map_err(failure)?;
        let mut rows = statement.query([run]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            let read = || {
                let text = row.get_ref(8)?.as_str()?;
                let artifact = request::read(row.get(6)?, row.get(7)?, text);
                Ok((FailedEntry::read(row)?, artifact.map_err(super::unreadable)?))
            };
            let (entry, artifact) = read().map_err(failure)?;
            take(entry, artifact)?;
        }
        Ok(())
    }

    /// Passes the invalid entries of `run` to `take`.
    ///
    /// # Errors
    /// If the journal cannot be read, or `take` fails.
    pub fn each_invalid<E: From<JournalError>>(
        &self,
        run: &str,
        mut take: impl FnMut(FailedEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let failure = |error: rusqlite::Error| self.failure(&error);
        let mut statement = self
            .connection
            .prepare(concat!(failed!(), " AND outcome = 'invalid' ORDER BY entry.id"))
            .map_err(failure)?;
        let mut rows = statement.query([run]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            take(FailedEntry::read(row).map_err(failure)?)?;
        }
        Ok(())
    }
}

impl FailedEntry {
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

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
}

/// Returns the URI of a file that nobody changes while it is open.
fn immutable(file: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?immutable=1");
    uri
}
