//! Writes the index of a shard.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use tempfile::TempPath;

use super::{APPLICATION_ID, IndexError, TABLES, VERSION};
use crate::check::Claimed;
use crate::destination;
use crate::diagnostic::{Severity, Unique};
use crate::source::FileId;
use crate::walk::Shard;

/// SQLite's cache while an index is written, in KiB.
const CACHE: i64 = 16 << 10;

/// The bytes of a database up to the end of its application id.
const HEAD: u64 = 72;

/// The rows in the order in which they come; they are sorted once all are in.
const UNSORTED: &str = "CREATE TEMP TABLE unsorted AS SELECT * FROM claim";

/// An index that is being written.
#[derive(Debug)]
pub struct IndexWriter {
    connection: Connection,
    /// The database, until it is copied to `path`.
    scratch: TempPath,
    path: PathBuf,
    shard: Option<Shard>,
    /// The last file that had a row.
    file: Option<FileId>,
    failed: Option<rusqlite::Error>,
}

impl IndexWriter {
    /// Begins the index of `shard`, or of a whole tree, which is to be at `path`.
    ///
    /// # Errors
    /// If no temporary file can be written.
    pub fn new(path: &Path, shard: Option<Shard>) -> Result<Self, IndexError> {
        may_be_replaced(path)?;
        let scratch =
            tempfile::NamedTempFile::new().map_err(|error| IndexError::io(path, &error))?;
        let scratch = scratch.into_temp_path();
        let open = || {
            let connection = Connection::open(&scratch)?;
            // It is of no use until it is whole.
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "cache_size", -CACHE)?;
            connection.pragma_update(None, "application_id", APPLICATION_ID)?;
            connection.pragma_update(None, "user_version", VERSION)?;
            connection.execute_batch(TABLES)?;
            connection.execute_batch(UNSORTED)?;
            connection.execute_batch("BEGIN")?;
            Ok(connection)
        };
        let connection = open().map_err(|error| IndexError::of(path, &error))?;
        Ok(Self { connection, scratch, path: path.to_owned(), shard, file: None, failed: None })
    }

    /// Adds a name or a source of an artifact in the file called `name`.
    pub fn add(&mut self, name: &str, claimed: &Claimed) {
        if self.failed.is_none() {
            self.failed = self.insert(name, claimed).err();
        }
    }

    fn insert(&mut self, name: &str, claimed: &Claimed) -> rusqlite::Result<()> {
        if self.file != Some(claimed.file) {
            self.file = Some(claimed.file);
            let mut insert =
                self.connection.prepare_cached("INSERT INTO file (id, name) VALUES (?1, ?2)")?;
            insert.execute(params![claimed.file.0, name])?;
        }
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO unsorted VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        let written = claimed.written.as_ref();
        let start = written.map(|written| written.region.start);
        let end = written.map(|written| written.region.end);
        insert.execute(params![
            match claimed.what {
                Unique::Name => 0,
                Unique::Source => 1,
            },
            claimed.key.0,
            claimed.file.0,
            claimed.artifact,
            written.map(|written| &written.text),
            start.map(|start| start.offset),
            start.map(|start| start.line),
            start.map(|start| start.column),
            end.map(|end| end.offset),
            end.map(|end| end.line),
            end.map(|end| end.column),
            claimed.severity.map(|severity| match severity {
                Severity::Warning => 1,
                Severity::Error => 2,
            }),
        ])?;
        Ok(())
    }

    /// Sorts the index and writes its file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self, files: usize, artifacts: usize) -> Result<(), IndexError> {
        let Self { connection, scratch, path, shard, failed, .. } = self;
        let sort = || {
            if let Some(error) = failed {
                return Err(error);
            }
            connection.execute(
                "INSERT INTO claim SELECT * FROM temp.unsorted ORDER BY what, key, file, artifact",
                [],
            )?;
            let (number, of) = shard.map_or((1, 1), |shard| (shard.number(), shard.of()));
            connection.execute(
                "INSERT INTO shard VALUES (?1, ?2, ?3, ?4, (SELECT count(*) FROM claim))",
                params![number, of, count(files), count(artifacts)],
            )?;
            connection.execute_batch("COMMIT")
        };
        sort().map_err(|error| IndexError::of(&path, &error))?;
        drop(connection);
        let copy = |out: &mut dyn io::Write| {
            let mut database = File::open(&scratch)?;
            io::copy(&mut database, out).map(drop)
        };
        destination::replace(&path, copy).map_err(|error| IndexError::io(&path, &error))
    }
}

/// Checks that `path` is an index, is empty, or does not exist.
fn may_be_replaced(path: &Path) -> Result<(), IndexError> {
    let mut head = Vec::new();
    match File::open(path) {
        Ok(file) => {
            file.take(HEAD).read_to_end(&mut head).map_err(|error| IndexError::io(path, &error))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            return match directory.map(std::fs::metadata) {
                Some(Err(error)) => Err(IndexError::io(path, &error)),
                _ => Ok(()),
            };
        }
        Err(error) => return Err(IndexError::io(path, &error)),
    }
    // https://sqlite.org/fileformat.html#the_database_header
    let id = i32::try_from(APPLICATION_ID).unwrap_or_default().to_be_bytes();
    let is_index = head.starts_with(b"SQLite format 3\0") && head.ends_with(&id);
    match head.is_empty() || is_index {
        true => Ok(()),
        false => Err(IndexError::Another(path.to_owned())),
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
