//! The tables of a journal.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::file::Network;
use super::tables::{TABLES, VIEWS};
use super::{JournalError, file, migrate};

/// The application id, which distinguishes the file from other databases: `LLJO`.
pub(super) const APPLICATION_ID: i64 = 0x4C4C_4A4F;
/// The version of the tables.
pub(super) const VERSION: i64 = 4;

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

/// The bytes of a page. A row of an entry is a few hundred bytes: with more of them to a page, less
/// of each is left empty than with SQLite's 4,096.
const PAGE: i64 = 8192;

/// SQLite's cache while sources are looked up, in KiB: they are in no order, and the index of a
/// million of them has 28 MB.
const LOOK_UP_CACHE: i64 = 32 << 10;
/// SQLite's cache otherwise, in KiB: its default.
const CACHE: i64 = 2000;

/// Prepares a connection for many look-ups of sources.
pub(super) fn begin_look_ups(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -LOOK_UP_CACHE)
}

/// Gives back the memory that look-ups took.
pub(super) fn end_look_ups(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_size", -CACHE)?;
    connection.execute_batch("PRAGMA shrink_memory")
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
        // Of no effect where there are pages already.
        connection.pragma_update(None, "page_size", PAGE)?;
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
        if matches!(found, Found::Older(1..3)) {
            // The tables of these versions took two or three times the space.
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
