//! The tables of a journal, and how it is opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::JournalError;
use crate::walk::reason;

/// Tells the file from other databases: `LLJO`.
const APPLICATION_ID: i64 = 0x4C4C_4A4F;
/// The version of the tables.
const VERSION: i64 = 3;
/// How long a reader is waited for.
const BUSY: Duration = Duration::from_secs(10);

const TABLES: &str = "
CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL
) STRICT;
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    target INTEGER NOT NULL REFERENCES target (id),
    command TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    process INTEGER NOT NULL,
    ended_ms INTEGER,
    -- How it ended, in words; NULL where it was killed or still runs.
    ending TEXT,
    -- The folder that its paths are relative to.
    folder TEXT,
    -- How it was asked to go about what exists, as JSON, for `lineload resume`.
    settings TEXT,
    -- Creates a second that the service allowed at its end; NULL where nothing bounded them.
    rate REAL,
    -- Whether all of its entries are in.
    ready INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    name TEXT,
    source_uri TEXT NOT NULL,
    -- What makes it the same at a target: 128 bits of SHA-256 of URI and source types.
    source BLOB NOT NULL,
    -- SHA-256 of the request.
    digest BLOB NOT NULL,
    request TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When the last attempt was made: durable before it leaves.
    intent_ms INTEGER,
    settled_ms INTEGER,
    -- NULL until it is known.
    outcome TEXT,
    arn TEXT,
    request_id TEXT,
    error_code TEXT,
    error_message TEXT,
    -- What a listing showed.
    found TEXT
) STRICT;
CREATE INDEX entry_by_run ON entry (run, outcome);
CREATE INDEX entry_open ON entry (run) WHERE outcome IS NULL;
-- What was settled last for a source at a target.
CREATE TABLE known (
    target INTEGER NOT NULL REFERENCES target (id),
    source BLOB NOT NULL,
    -- Of the request that what is there equals; empty where it was seen to differ.
    digest BLOB NOT NULL,
    request TEXT NOT NULL,
    arn TEXT,
    entry INTEGER NOT NULL,
    -- When it was changed last, by the target's clock; NULL where that was not seen.
    modified_ms INTEGER,
    -- Whether a run with this journal created it.
    made INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (target, source)
) STRICT, WITHOUT ROWID;
";

/// The manifests that a run was staged from, as they were then.
const FILES: &str = "
CREATE TABLE file (
    run INTEGER NOT NULL REFERENCES run (id),
    path TEXT NOT NULL,
    -- SHA-256 of what it held.
    digest BLOB NOT NULL,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;
";

/// From version 1, which knew only what it had created itself.
const FROM_1: &str = "
ALTER TABLE run ADD COLUMN folder TEXT;
ALTER TABLE run ADD COLUMN settings TEXT;
ALTER TABLE run ADD COLUMN rate REAL;
ALTER TABLE known ADD COLUMN modified_ms INTEGER;
ALTER TABLE known ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
UPDATE known SET made = 1;
DROP VIEW runs;
DROP VIEW entries;
";

/// From version 2.
const FROM_2: &str = "
ALTER TABLE run ADD COLUMN ready INTEGER NOT NULL DEFAULT 1;
ALTER TABLE entry ADD COLUMN found TEXT;
DROP VIEW IF EXISTS runs;
DROP VIEW IF EXISTS entries;
";

/// For people.
const VIEWS: &str = "
CREATE VIEW runs AS SELECT
    run.uuid AS run,
    target.identity AS target,
    strftime('%Y-%m-%dT%H:%M:%fZ', started_ms / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', ended_ms / 1000.0, 'unixepoch') AS ended,
    ending,
    command,
    count(entry.id) AS entries,
    count(*) FILTER (WHERE outcome = 'created') AS created,
    count(*) FILTER (WHERE outcome = 'recovered') AS recovered,
    count(*) FILTER (WHERE outcome = 'existed') AS existed,
    count(*) FILTER (WHERE outcome = 'updated') AS updated,
    count(*) FILTER (WHERE outcome IN ('differs', 'conflict', 'rejected', 'unresolved')) AS failed,
    count(entry.id) FILTER (WHERE outcome IS NULL) AS left,
    rate
    FROM run JOIN target ON target.id = run.target LEFT JOIN entry ON entry.run = run.id
    WHERE ready GROUP BY run.id ORDER BY run.id;
CREATE VIEW entries AS SELECT
    run.uuid AS run,
    target.identity AS target,
    file, line, name, source_uri,
    coalesce(outcome, iif(intent_ms IS NULL, 'pending', 'open')) AS outcome,
    attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', intent_ms / 1000.0, 'unixepoch') AS attempted,
    strftime('%Y-%m-%dT%H:%M:%fZ', settled_ms / 1000.0, 'unixepoch') AS settled,
    arn, request_id, error_code, error_message
    FROM entry JOIN run ON run.id = entry.run JOIN target ON target.id = run.target
    WHERE ready ORDER BY entry.id;
";

/// Makes the folder of the journal, which keeps itself out of git.
pub(super) fn prepare(path: &Path) -> Result<(), JournalError> {
    let unusable = |error: std::io::Error| JournalError::Unusable {
        path: path.to_owned(),
        reason: reason(&error),
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Also where a run was killed between the two.
    let ours = !folder.exists() || folder.file_name().is_some_and(|name| name == ".lineload");
    std::fs::create_dir_all(folder).map_err(|error| JournalError::Unusable {
        path: path.to_owned(),
        reason: format!("its folder cannot be made: {}", reason(&error)),
    })?;
    let ignore = folder.join(".gitignore");
    if ours && !ignore.exists() {
        std::fs::write(ignore, "*\n").map_err(unusable)?;
    }
    on_this_machine(folder, path)
}

/// That the folder is not on a network, where locks do not hold.
fn on_this_machine(folder: &Path, path: &Path) -> Result<(), JournalError> {
    match network(folder) {
        Some(kind) => Err(JournalError::Network { path: path.to_owned(), kind }),
        None => Ok(()),
    }
}

/// The file itself, made where it is not there: a link to it must not be another journal.
pub(super) fn the_file(path: &Path) -> Result<PathBuf, JournalError> {
    create_private(path)?;
    let unusable = |error: std::io::Error| JournalError::Unusable {
        path: path.to_owned(),
        reason: reason(&error),
    };
    let file = std::fs::canonicalize(path).map_err(unusable)?;
    on_this_machine(file.parent().unwrap_or(&file), path)?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&std::fs::metadata(&file).map_err(unusable)?) > 1 {
        return Err(JournalError::Unusable {
            path: path.to_owned(),
            reason: "it has several names (hard links), and a lock only by one of them".to_owned(),
        });
    }
    Ok(file)
}

/// The kind of network file system that `folder` is on, if it is on one.
#[cfg(target_os = "linux")]
fn network(folder: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    // From linux/magic.h.
    match u32::try_from(kind & 0xFFFF_FFFF).ok()? {
        0x6969 => Some("NFS"),
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => Some("SMB"),
        0x5346_414F => Some("AFS"),
        0x0102_1997 => Some("9p"),
        0x00C3_6400 => Some("Ceph"),
        0x0BD0_0BD0 => Some("Lustre"),
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
const fn network(_: &Path) -> Option<&'static str> {
    None
}

/// Opens the file, and makes its tables where it is new.
pub(super) fn open(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, i64, i64, bool)> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        let id = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tables = "SELECT count(*) = 0 FROM sqlite_master";
        let empty = connection.query_row(tables, [], |row| row.get(0))?;
        Ok((connection, id, version, empty))
    };
    let (mut connection, id, version, empty) = open().map_err(|error| failure(path, &error))?;
    let make: &[&str] = match (id, version) {
        (APPLICATION_ID, VERSION) => &[],
        (APPLICATION_ID, 1) => &[FROM_1, FILES, FROM_2, VIEWS],
        (APPLICATION_ID, 2) => &[FROM_2, VIEWS],
        (APPLICATION_ID, found) if found > VERSION => {
            return Err(JournalError::Newer { path: path.to_owned(), found });
        }
        (0, 0) if empty => &[TABLES, FILES, VIEWS],
        // Nothing of it is touched.
        _ => {
            let reason = "it belongs to another program".to_owned();
            return Err(JournalError::NotAJournal { path: path.to_owned(), reason });
        }
    };
    let settle = || {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // An intent must outlast the machine, not only the process.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)
    };
    settle().map_err(|error| failure(path, &error))?;
    // Also where there is nothing to make: that it can be written has to be known before anything is
    // sent.
    let mut create = || {
        let transaction = connection.transaction()?;
        make.iter().try_for_each(|statements| transaction.execute_batch(statements))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    };
    create().map_err(|error| failure(path, &error))?;
    Ok(connection)
}

/// Makes the tables in a new file that nobody else uses and that is not kept.
pub(super) fn scratch(path: &Path) -> Result<Connection, JournalError> {
    let make = || {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        [TABLES, FILES, VIEWS].iter().try_for_each(|make| connection.execute_batch(make))?;
        Ok(connection)
    };
    make().map_err(|error: rusqlite::Error| failure(path, &error))
}

/// Opens the file to read, beside a run that writes.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, i64, i64)> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        let id = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((connection, id, version))
    };
    match open().map_err(|error| failure(path, &error))? {
        (connection, APPLICATION_ID, VERSION) => Ok(connection),
        (_, APPLICATION_ID, found) if found > VERSION => {
            Err(JournalError::Newer { path: path.to_owned(), found })
        }
        (_, APPLICATION_ID, _) => Err(JournalError::Older { path: path.to_owned() }),
        _ => Err(JournalError::NotAJournal {
            path: path.to_owned(),
            reason: "it belongs to another program".to_owned(),
        }),
    }
}

/// Requests may hold what is not for everybody on the machine.
fn create_private(path: &Path) -> Result<(), JournalError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(drop)
        .map_err(|error| JournalError::Unusable { path: path.to_owned(), reason: reason(&error) })
}

/// What an error of SQLite means.
pub(super) fn failure(path: &Path, error: &rusqlite::Error) -> JournalError {
    let path = path.to_owned();
    use rusqlite::Error as E;
    if matches!(
        error,
        E::FromSqlConversionFailure(..)
            | E::InvalidColumnType(..)
            | E::IntegralValueOutOfRange(..)
            | E::Utf8Error(..)
    ) {
        return JournalError::NotAJournal { path, reason: error.to_string() };
    }
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            JournalError::NotAJournal { path, reason: error.to_string() }
        }
        Some(rusqlite::ErrorCode::DiskFull) => {
            JournalError::Unusable { path, reason: "the disk is full".to_owned() }
        }
        _ => JournalError::Unusable { path, reason: error.to_string() },
    }
}
