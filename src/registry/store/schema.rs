//! The tables of a registry file, and how it is opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{OpenError, StoreError, artifacts};

/// The application id, which distinguishes the file from other databases: `LLRG`.
const APPLICATION_ID: i64 = 0x4C4C_5247;
/// The version of the tables.
const VERSION: i64 = 2;
/// The longest wait for another process that writes.
const BUSY: Duration = Duration::from_secs(10);
/// Statements that a connection keeps prepared: lists have one for each set of filters.
const STATEMENTS: usize = 128;
/// The writer's page cache.
const CACHE_KIB: i64 = 64 << 10;
/// Pages of 4 KiB beside the file until they are moved into it.
const CHECKPOINT_PAGES: i64 = 8 << 10;

/// The table of artifacts, under a name of its own while those of version 1 are copied into it.
/// Names and sources are unique only as long as the registry says so, hence not by the table.
const ARTIFACTS: &str = "
CREATE TABLE new_artifacts (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    arn TEXT NOT NULL UNIQUE,
    name TEXT,
    type TEXT NOT NULL,
    uri TEXT NOT NULL,
    -- The set of source types in one canonical text.
    types_key TEXT NOT NULL,
    source_types TEXT NOT NULL,
    properties TEXT NOT NULL,
    -- The texts of all fields that have no column, by the names of the fields.
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL
);
";
const COPY_OF_VERSION_1: &str = "
INSERT INTO new_artifacts SELECT row, arn, name, type, uri, types_key, source_types, properties,
    metadata, created, modified FROM artifacts;
-- Rows are never used again, also those of artifacts that are gone.
DELETE FROM sqlite_sequence WHERE name = 'new_artifacts';
INSERT INTO sqlite_sequence SELECT 'new_artifacts', seq FROM sqlite_sequence WHERE name = 'artifacts';
UPDATE meta SET key = 'removed', value = -value WHERE key = 'artifacts';
UPDATE meta SET value = value + ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'artifacts'), 0)
    WHERE key = 'removed';
DROP TABLE artifacts;
";
const REST: &str = "
ALTER TABLE new_artifacts RENAME TO artifacts;
CREATE INDEX artifacts_by_name ON artifacts (name) WHERE name IS NOT NULL;
CREATE INDEX artifacts_by_source ON artifacts (uri, types_key);
CREATE INDEX artifacts_by_time ON artifacts (created, row);
CREATE INDEX artifacts_by_uri ON artifacts (uri, created, row);
CREATE INDEX artifacts_by_type ON artifacts (type, created, row);
-- What artifacts were until they were changed or deleted, for lists that lag behind.
CREATE TABLE past (
    version INTEGER PRIMARY KEY,
    row INTEGER NOT NULL,
    arn TEXT NOT NULL,
    name TEXT,
    type TEXT NOT NULL,
    uri TEXT NOT NULL,
    source_types TEXT NOT NULL,
    properties TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    until INTEGER NOT NULL
);
CREATE INDEX past_by_end ON past (until);
CREATE INDEX past_by_time ON past (created, row);
CREATE INDEX past_by_uri ON past (uri, created, row);
CREATE INDEX past_by_type ON past (type, created, row);
-- The tags of an artifact until they were changed.
CREATE TABLE past_tags (
    version INTEGER PRIMARY KEY,
    artifact INTEGER NOT NULL REFERENCES artifacts (row) ON DELETE CASCADE,
    tags TEXT NOT NULL,
    until INTEGER NOT NULL
);
CREATE INDEX past_tags_by_end ON past_tags (until);
CREATE INDEX past_tags_by_artifact ON past_tags (artifact, until);
";
const META_AND_TAGS: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
-- Artifacts that are gone. Counting the others would take longer than creating one: rows are numbered
-- without a gap, so that those that were ever made are known.
INSERT INTO meta VALUES ('removed', 0);
CREATE TABLE tags (
    artifact INTEGER NOT NULL REFERENCES artifacts (row) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (artifact, key)
) WITHOUT ROWID;
";

/// Opens the file for the writer. Creates it if it does not exist.
pub(super) fn open(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => {
            OpenError::NotARegistry { path: path.to_owned() }
        }
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    };
    let mut connection = if super::is_memory(path) {
        Connection::open_in_memory().map_err(sqlite)?
    } else {
        make_file(path)?;
        Connection::open(path).map_err(sqlite)?
    };
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
    match (application, version, tables) {
        (APPLICATION_ID, VERSION, _) => {}
        (APPLICATION_ID, 1, _) => migrate(&transaction).map_err(sqlite)?,
        (APPLICATION_ID, ..) => {
            return Err(OpenError::Newer { path: path.to_owned(), found: version, known: VERSION });
        }
        (0, _, 0) => create(&transaction).map_err(sqlite)?,
        _ => return Err(OpenError::NotARegistry { path: path.to_owned() }),
    }
    transaction.commit().map_err(sqlite)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(sqlite)?;
    Ok(connection)
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(META_AND_TAGS)?;
    connection.execute_batch(ARTIFACTS)?;
    connection.execute_batch(REST)?;
    connection.execute("INSERT INTO meta VALUES ('id', ?1)", [new_id()])?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Returns a random id for what a registry holds.
pub(super) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Removes every artifact and gives the registry another id; returns how many there were.
pub(super) fn empty(connection: &Connection, id: &str) -> Result<u64, StoreError> {
    let removed = artifacts::count(connection)?;
    // Its tags and those of the past go with an artifact. Rows are not used again, so that a token
    // of an old page finds nothing new.
    connection.execute_batch("DELETE FROM artifacts; DELETE FROM past;")?;
    artifacts::note_removed(connection, removed)?;
    connection.execute("UPDATE meta SET value = ?1 WHERE key = 'id'", [id])?;
    Ok(removed)
}

/// Makes version 2 of version 1, which had unique names and sources in the table and no past.
/// Foreign keys must not be enforced: the tags would go with the old table.
fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(ARTIFACTS)?;
    connection.execute_batch(COPY_OF_VERSION_1)?;
    connection.execute_batch(REST)?;
    connection.pragma_update(None, "user_version", VERSION)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    keep_statements(&connection)?;
    Ok(connection)
}

/// Lets statements be prepared once. Unless plans are stable (QPSG), SQLite prepares a statement with
/// two conditions again whenever it is given other values, which takes as long as to run it.
fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    keep_statements(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What is committed outlives the process; a loss of power may take the last commits.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Names and URIs fall anywhere in their indexes. With SQLite's 2 MiB, and a checkpoint every 4, a
    // create among a million would read and write most of the pages that it touches by itself.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // Only once the tables are those of this version.
    connection.pragma_update(None, "foreign_keys", false)
}

/// Creates the file if it does not exist, readable by its owner alone: manifests may hold anything.
fn make_file(path: &Path) -> Result<(), OpenError> {
    let failed = |error: std::io::Error| OpenError::Io {
        path: path.to_owned(),
        reason: error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase(),
    };
    if path.exists() {
        return Ok(());
    }
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty())
        && !directory.exists()
    {
        // Another one that is missing is rather a typing error.
        let ours = directory.file_name().is_some_and(|name| name == ".lineload");
        let above = directory.parent().unwrap_or(directory);
        if !ours || !(above.as_os_str().is_empty() || above.exists()) {
            return Err(OpenError::NoDirectory { directory: directory.to_owned() });
        }
        std::fs::create_dir(directory).map_err(failed)?;
        // Nobody wants to commit it.
        std::fs::write(directory.join(".gitignore"), "*\n").map_err(failed)?;
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
