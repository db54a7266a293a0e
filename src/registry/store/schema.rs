//! The tables of a registry file, and how it is opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::OpenError;

/// Tells the file from other databases: `LLRG`.
const APPLICATION_ID: i64 = 0x4C4C_5247;
/// The version of the tables.
const VERSION: i64 = 1;
/// How long another process that writes is waited for.
const BUSY: Duration = Duration::from_secs(10);
/// What the writer keeps of the file in memory.
const CACHE_KIB: i64 = 64 << 10;
/// Pages of 4 KiB beside the file until they are moved into it.
const CHECKPOINT_PAGES: i64 = 8 << 10;

const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE artifacts (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    arn TEXT NOT NULL UNIQUE,
    name TEXT UNIQUE,
    type TEXT NOT NULL,
    uri TEXT NOT NULL,
    -- The set of source types in one canonical text, so that the pair can be unique.
    types_key TEXT NOT NULL,
    source_types TEXT NOT NULL,
    properties TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    UNIQUE (uri, types_key)
);
CREATE INDEX artifacts_by_time ON artifacts (created, row);
CREATE INDEX artifacts_by_uri ON artifacts (uri, created, row);
CREATE INDEX artifacts_by_type ON artifacts (type, created, row);
CREATE TABLE tags (
    artifact INTEGER NOT NULL REFERENCES artifacts (row) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (artifact, key)
) WITHOUT ROWID;
-- Counting a million rows takes longer than creating one.
INSERT INTO meta VALUES ('artifacts', 0);
CREATE TRIGGER artifact_added AFTER INSERT ON artifacts BEGIN
    UPDATE meta SET value = value + 1 WHERE key = 'artifacts';
END;
CREATE TRIGGER artifact_removed AFTER DELETE ON artifacts BEGIN
    UPDATE meta SET value = value - 1 WHERE key = 'artifacts';
END;
";

/// Opens the file for the writer, and makes it where it is not there.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => {
            OpenError::NotARegistry { path: path.to_owned() }
        }
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    };
    make_file(path)?;
    let mut connection = Connection::open(path).map_err(sqlite)?;
    settings(&connection).map_err(sqlite)?;
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(sqlite)?;
    let number =
        |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = number("application_id").map_err(sqlite)?;
    let version = number("user_version").map_err(sqlite)?;
    let tables: i64 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(sqlite)?;
    match (application, tables) {
        (APPLICATION_ID, _) if version > VERSION => {
            return Err(OpenError::Newer { path: path.to_owned(), found: version, known: VERSION });
        }
        (APPLICATION_ID, _) => {}
        (0, 0) => {
            let id = uuid::Uuid::new_v4().to_string();
            transaction
                .execute_batch(TABLES)
                .and_then(|()| {
                    transaction.execute("INSERT INTO meta VALUES ('id', ?1)", [id])?;
                    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
                    transaction.pragma_update(None, "user_version", VERSION)
                })
                .map_err(sqlite)?;
        }
        _ => return Err(OpenError::NotARegistry { path: path.to_owned() }),
    }
    transaction.commit().map_err(sqlite)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What is committed outlives the process; a loss of power may take the last commits.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Names and URIs fall anywhere in their indexes. With SQLite's 2 MiB, and a checkpoint every 4, a
    // create among a million would read and write most of the pages that it touches by itself.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// The file and its folder, readable by their owner alone: manifests may hold anything.
fn make_file(path: &Path) -> Result<(), OpenError> {
    let failed = |error: std::io::Error| OpenError::Io {
        path: path.to_owned(),
        reason: error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
    };
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && !folder.exists()
    {
        std::fs::create_dir_all(folder).map_err(failed)?;
        if folder.file_name().is_some_and(|name| name == ".lineload") {
            // Nobody wants to commit it.
            std::fs::write(folder.join(".gitignore"), "*\n").map_err(failed)?;
        }
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map_err(failed)?;
    Ok(())
}
