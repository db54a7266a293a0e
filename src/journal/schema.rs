//! The tables of a journal.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::file::Network;
use super::{JournalError, file, migrate};

/// Tells the file from other databases: `LLJO`.
pub(super) const APPLICATION_ID: i64 = 0x4C4C_4A4F;
/// The version of the tables.
pub(super) const VERSION: i64 = 3;

/// The tables of version 3. What is written while a run sends is small and grows at its end, so
/// that a commit changes a page or two: `entry` does not change once it is staged, `open` has a row
/// for each request that is in flight, `result` one for each that was answered.
pub(super) const TABLES: &str = "
CREATE TABLE target (
    id INTEGER PRIMARY KEY,
    identity TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    -- How many processes have written results at it: what orders the results of one source.
    invocations INTEGER NOT NULL DEFAULT 0
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
    -- The directory that its paths are relative to.
    folder TEXT,
    -- How it was asked to go about what exists, as JSON, for `lineload resume`.
    settings TEXT,
    -- Creates a second that the service allowed at its end; NULL where nothing bounded them.
    rate REAL,
    -- Whether all of its entries are in. One that is not is deleted when the journal is opened again.
    ready INTEGER NOT NULL DEFAULT 0,
    -- Whether nothing of it is left. Where this is 0, there may still be nothing left.
    done INTEGER NOT NULL DEFAULT 0,
    -- Its entries have the numbers from the first to the last, those that were discarded left out.
    first INTEGER NOT NULL,
    last INTEGER NOT NULL DEFAULT 0,
    -- How many entries it has.
    entries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    path TEXT NOT NULL,
    -- SHA-256 of what it held when the run was staged; zeros where that does not matter.
    digest BLOB NOT NULL
) STRICT;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    file INTEGER NOT NULL REFERENCES file (id),
    line INTEGER NOT NULL,
    name TEXT,
    source_uri TEXT,
    -- What makes it the same at a target: 128 bits of SHA-256 of URI and source types. This and what
    -- follows is NULL where the manifest has an error.
    source BLOB,
    -- 128 bits of SHA-256 of the request.
    digest BLOB,
    -- The rest of the request, as a JSON array: type, source types, properties, metadata, tags.
    request TEXT
) STRICT;
-- The entries of each source, of runs that are ready.
CREATE TABLE source (
    source BLOB NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (source, entry)
) STRICT, WITHOUT ROWID;
-- Attempts of which no answer is known. A row is durable before the request leaves.
CREATE TABLE open (
    entry INTEGER PRIMARY KEY,
    attempts INTEGER NOT NULL,
    -- When the first and the last of them were made.
    first_ms INTEGER NOT NULL,
    intent_ms INTEGER NOT NULL
) STRICT;
-- What became of entries.
CREATE TABLE result (
    entry INTEGER PRIMARY KEY,
    -- How many attempts were made, those of `open` left out.
    attempts INTEGER NOT NULL DEFAULT 0,
    intent_ms INTEGER,
    settled_ms INTEGER,
    -- Which of the invocations at the target noted it.
    invocation INTEGER NOT NULL DEFAULT 0,
    -- NULL where every attempt came to nothing.
    outcome TEXT,
    -- The ARN: 16 bytes of an id behind a prefix that many have, or a text.
    prefix INTEGER REFERENCES prefix (id),
    arn ANY,
    -- The 16 bytes of a UUID, or a text.
    request_id ANY,
    error_code TEXT,
    error_message TEXT,
    -- Whether what exists equals the entry; NULL where it was not compared.
    equal INTEGER,
    -- When it was changed last, by the target's clock; NULL where that was not seen.
    modified_ms INTEGER
) STRICT;
-- What ARNs begin with.
CREATE TABLE prefix (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
";

/// The ARN of a result, as text; its prefix is to be joined.
macro_rules! arn {
    () => {
        "iif(typeof(arn) = 'blob', prefix.text || lower(hex(arn)), arn)"
    };
}

/// The request id of a result, as text.
macro_rules! request_id {
    () => {
        "iif(typeof(request_id) = 'blob',
        lower(substr(hex(request_id), 1, 8) || '-' || substr(hex(request_id), 9, 4) || '-'
        || substr(hex(request_id), 13, 4) || '-' || substr(hex(request_id), 17, 4) || '-'
        || substr(hex(request_id), 21)), request_id)"
    };
}

pub(super) use {arn, request_id};

/// For people.
pub(super) const VIEWS: &str = concat!(
    "
CREATE VIEW runs AS SELECT
    run.uuid AS run,
    target.identity AS target,
    strftime('%Y-%m-%dT%H:%M:%fZ', started_ms / 1000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', ended_ms / 1000.0, 'unixepoch') AS ended,
    ending,
    command,
    entries - count(*) FILTER (WHERE outcome = 'invalid') AS entries,
    count(*) FILTER (WHERE outcome = 'created') AS created,
    count(*) FILTER (WHERE outcome = 'recovered') AS recovered,
    count(*) FILTER (WHERE outcome = 'existed') AS existed,
    count(*) FILTER (WHERE outcome = 'updated') AS updated,
    count(*) FILTER (WHERE outcome IN ('differs', 'conflict', 'rejected', 'unresolved')) AS failed,
    entries - count(outcome) AS left,
    rate,
    count(*) FILTER (WHERE outcome = 'invalid') AS invalid
    FROM run JOIN target ON target.id = run.target
    LEFT JOIN result ON result.entry BETWEEN run.first AND run.last
    WHERE ready GROUP BY run.id ORDER BY run.id;
CREATE VIEW entries AS SELECT
    run.uuid AS run,
    target.identity AS target,
    file.path AS file, line, name, source_uri,
    coalesce(outcome, iif(open.entry IS NULL, 'pending', 'open')) AS outcome,
    coalesce(result.attempts, 0) + coalesce(open.attempts, 0) AS attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(open.intent_ms, result.intent_ms) / 1000.0,
        'unixepoch') AS attempted,
    strftime('%Y-%m-%dT%H:%M:%fZ', settled_ms / 1000.0, 'unixepoch') AS settled,
    ",
    arn!(),
    " AS arn,
    ",
    request_id!(),
    " AS request_id,
    error_code, error_message
    FROM entry JOIN run ON run.id = entry.run JOIN target ON target.id = run.target
    JOIN file ON file.id = entry.file LEFT JOIN result ON result.entry = entry.id
    LEFT JOIN open ON open.entry = entry.id LEFT JOIN prefix ON prefix.id = result.prefix
    WHERE ready ORDER BY entry.id;
"
);

/// Configures a connection before its first read.
///
/// It locks the file for itself: then SQLite keeps the index of the WAL in its own memory. In a
/// file that is mapped into memory, as `-shm` is otherwise, a `truncate` by somebody else ends the
/// process with SIGBUS, and on a network file system it cannot be shared. Readers find what the
/// last checkpoint wrote, so the journal decides itself when one happens.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(file::BUSY)?;
    prepare_once(connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")
}

/// Makes SQLite prepare each statement once. By default it plans a statement for its first values,
/// and prepares it again for others.
pub(super) fn prepare_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// The kind of a file.
enum Found {
    Journal,
    Older(i64),
    Newer(i64),
    Nothing,
    Another,
}

fn look(connection: &Connection) -> rusqlite::Result<Found> {
    let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables = "SELECT count(*) = 0 FROM sqlite_master";
    let empty: bool = connection.query_row(tables, [], |row| row.get(0))?;
    Ok(match (id, version) {
        (APPLICATION_ID, VERSION) => Found::Journal,
        (APPLICATION_ID, 1..VERSION) => Found::Older(version),
        (APPLICATION_ID, VERSION..) => Found::Newer(version),
        (0, 0) if empty => Found::Nothing,
        _ => Found::Another,
    })
}

fn another(path: &Path) -> JournalError {
    let reason = "it belongs to another program".to_owned();
    JournalError::NotAJournal { path: path.to_owned(), reason }
}

/// Opens the `file`, which the user calls `path`, and makes its tables where it is new.
pub(super) fn open(
    file: &Path,
    path: &Path,
    network: Option<Network>,
) -> Result<Connection, JournalError> {
    let failure = |error: rusqlite::Error| match network {
        Some(Network { kind, .. }) if file::lacks_locks(&error) => {
            JournalError::Network { path: path.to_owned(), kind }
        }
        _ => file::failure(path, &error),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags).map_err(failure)?;
    settle(&connection).map_err(failure)?;
    let found = look(&connection).map_err(failure)?;
    match found {
        Found::Newer(found) => return Err(JournalError::Newer { path: path.to_owned(), found }),
        // Nothing of it is touched.
        Found::Another => return Err(another(path)),
        Found::Journal | Found::Older(_) | Found::Nothing => {}
    }
    let mut make = || {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // An intent must outlast the machine, not only the process.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Also if there is nothing to create: it must be known to be writable before anything is
        // sent.
        let transaction = connection.transaction()?;
        match found {
            Found::Older(version) => migrate::migrate(&transaction, version)?,
            Found::Nothing => make_tables(&transaction)?,
            _ => {}
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
        if matches!(found, Found::Older(_)) {
            // The tables of the older version took two or three times the space.
            let _ = connection.execute_batch("VACUUM");
        }
        Ok(())
    };
    make().map_err(failure)?;
    Ok(connection)
}

fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.execute_batch(VIEWS)
}

/// Opens a database that is in a temporary file, which nobody else can open and which is gone when
/// the connection is.
pub(super) fn scratch() -> rusqlite::Result<Connection> {
    let connection = Connection::open("")?;
    prepare_once(&connection)?;
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    make_tables(&connection)?;
    Ok(connection)
}

/// Checks that a connection that reads has a journal of this version.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    match look(connection).map_err(|error| file::failure(path, &error))? {
        Found::Journal => Ok(()),
        Found::Newer(found) => Err(JournalError::Newer { path: path.to_owned(), found }),
        Found::Older(_) => Err(JournalError::Older { path: path.to_owned() }),
        Found::Nothing | Found::Another => Err(another(path)),
    }
}
