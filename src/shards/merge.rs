//! Merges the indexes of all shards.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Row, params, params_from_iter};

use super::{APPLICATION_ID, IndexError, VERSION};
use crate::artifact::Key;
use crate::check::Written;
use crate::diagnostic::{Severity, Unique};
use crate::source::{Position, Region};

/// The number of rows of an index that are read at a time.
const BLOCK: usize = 256;
/// SQLite's cache for each index, in KiB: it is read in order.
const CACHE: i64 = 64;

/// The columns of a claim behind its key, in the order in which they are copied.
const REST: &str = "artifact, text, start_byte, start_line, start_column, end_byte, end_line, end_column, \
                    severity";

/// The claims that more than one artifact has.
const SHARED: &str = "
CREATE TABLE shared (
    what INTEGER, key BLOB,
    -- The name of the file, and what orders names as a walk does: by directory.
    name TEXT, place BLOB,
    artifact INTEGER, text TEXT,
    start_byte INTEGER, start_line INTEGER, start_column INTEGER,
    end_byte INTEGER, end_line INTEGER, end_column INTEGER,
    severity INTEGER
) STRICT;
";

/// The duplicates among the artifacts of all shards.
#[derive(Debug)]
pub struct Merged {
    /// The claims that more than one artifact has.
    connection: Connection,
    /// Files of all shards.
    pub files: usize,
    /// Artifacts of all shards.
    pub artifacts: usize,
}

/// A duplicate: where it is, and the first artifact with the same name or source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// A name, or a source.
    pub what: Unique,
    /// The name of its file.
    pub file: String,
    /// The number of the artifact in the file.
    pub artifact: u32,
    /// Its place, and how it is shown.
    pub written: Option<Written>,
    /// The severity of the finding.
    pub severity: Severity,
    /// The file of the first, and its place in it.
    pub first: (String, Option<Region>),
}

/// Merges indexes, one for each shard of a tree, or each of a tree of its own.
///
/// # Errors
/// If one cannot be read, or a shard is missing.
pub fn merge(paths: &[PathBuf]) -> Result<Merged, IndexError> {
    let mut indexes = Vec::with_capacity(paths.len());
    for path in paths {
        indexes.push(Index::open(path)?);
    }
    check_complete(&indexes)?;
    let merged = collect(&mut indexes)?;
    let (files, artifacts) = indexes
        .iter()
        .fold((0, 0), |(files, artifacts), one| (files + one.files, artifacts + one.artifacts));
    Ok(Merged { connection: merged, files, artifacts })
}

/// Checks that each shard is there once.
fn check_complete(indexes: &[Index<'_>]) -> Result<(), IndexError> {
    let Some(first) = indexes.first() else { return Ok(()) };
    let of = first.shards;
    if let Some(other) = indexes.iter().find(|other| other.shards != of) {
        return Err(IndexError::Different(of as usize, other.shards as usize));
    }
    if of == 1 {
        return Ok(());
    }
    let mut numbers: Vec<u32> = indexes.iter().map(|index| index.number).collect();
    numbers.sort_unstable();
    if let Some(twice) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(IndexError::Twice(twice[0], of as usize));
    }
    match (1..=of).zip(&numbers).find(|(wanted, number)| wanted != *number) {
        Some((missing, _)) => Err(IndexError::Missing(missing, of as usize)),
        None if numbers.len() < of as usize => {
            Err(IndexError::Missing(numbers.len() as u32 + 1, of as usize))
        }
        None => Ok(()),
    }
}

/// An index that is read in the order of its keys.
struct Index<'p> {
    connection: Connection,
    path: &'p Path,
    number: u32,
    shards: u32,
    files: usize,
    artifacts: usize,
    rows: VecDeque<Claim>,
    /// The last row that was read.
    last: Option<Claim>,
}

/// The key of a claim, and the artifact that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    what: u8,
    key: Key,
    file: i64,
    artifact: u32,
}

impl<'p> Index<'p> {
    fn open(path: &'p Path) -> Result<Self, IndexError> {
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.pragma_update(None, "cache_size", -CACHE)?;
            let pragma =
                |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            if (pragma("application_id")?, pragma("user_version")?) != (APPLICATION_ID, VERSION) {
                return Ok(None);
            }
            let (number, shards, files, artifacts) = connection.query_row(
                "SELECT number, shards, files, artifacts FROM shard",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, u32>(2)?, row.get::<_, u32>(3)?)),
            )?;
            Ok(Some((connection, number, shards, files, artifacts)))
        };
        let opened = open().map_err(|error| IndexError::of(path, &error))?;
        let Some((connection, number, shards, files, artifacts)) = opened else {
            return Err(IndexError::NotAnIndex(path.to_owned()));
        };
        let (files, artifacts) = (files as usize, artifacts as usize);
        let (rows, last) = (VecDeque::new(), None);
        Ok(Self { connection, path, number, shards, files, artifacts, rows, last })
    }

    /// Returns the next row.
    fn next(&mut self) -> rusqlite::Result<Option<Claim>> {
        if self.rows.is_empty() {
            let mut statement = self.connection.prepare_cached(
                "SELECT what, key, file, artifact FROM claim
                 WHERE (what, key, file, artifact) > (?1, ?2, ?3, ?4)
                 ORDER BY what, key, file, artifact LIMIT ?5",
            )?;
            let after = self.last.map_or((-1, [0; 16], -1, -1), |last| {
                (i64::from(last.what), last.key.0, last.file, i64::from(last.artifact))
            });
            let rows = statement.query_map(
                params![after.0, after.1, after.2, after.3, BLOCK as u32],
                |row| {
                    let (what, key) = (row.get(0)?, Key(row.get(1)?));
                    Ok(Claim { what, key, file: row.get(2)?, artifact: row.get(3)? })
                },
            )?;
            for row in rows {
                self.rows.push_back(row?);
            }
            self.last = self.rows.back().copied().or(self.last);
        }
        Ok(self.rows.pop_front())
    }

    /// Copies a claim into the table of those that are shared.
    fn copy(&self, claim: &Claim, shared: &Connection) -> rusqlite::Result<()> {
        let query = format!(
            "SELECT name, {REST} FROM claim JOIN file ON file.id = claim.file
             WHERE what = ?1 AND key = ?2 AND claim.file = ?3 AND artifact = ?4"
        );
        let mut read = self.connection.prepare_cached(&query)?;
        let mut rows = read.query(params![claim.what, claim.key.0, claim.file, claim.artifact])?;
        let Some(row) = rows.next()? else { return Ok(()) };
        let name: String = row.get(0)?;
        let place = name.replace('/', "\0").into_bytes();
        let mut values: Vec<Value> =
            vec![claim.what.into(), claim.key.0.to_vec().into(), name.into(), place.into()];
        for at in 1..=9 {
            values.push(row.get(at)?);
        }
        let mut insert = shared.prepare_cached(
            "INSERT INTO shared VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?;
        insert.execute(params_from_iter(values))?;
        Ok(())
    }
}

/// Returns a temporary database of the claims that more than one artifact has.
fn collect(indexes: &mut [Index<'_>]) -> Result<Connection, IndexError> {
    let scratch = |error: rusqlite::Error| IndexError::of(&std::env::temp_dir(), &error);
    let shared = || {
        // In memory up to SQLite's cache, then in a temporary file.
        let shared = Connection::open("")?;
        shared.pragma_update(None, "journal_mode", "OFF")?;
        shared.execute_batch(SHARED)?;
        shared.execute_batch("BEGIN")?;
        Ok(shared)
    };
    let shared = shared().map_err(scratch)?;
    let mut heads = BinaryHeap::new();
    for (number, index) in indexes.iter_mut().enumerate() {
        let head = index.next().map_err(|error| IndexError::of(index.path, &error))?;
        heads.extend(head.map(|head| Reverse((head.what, head.key, number, head))));
    }
    // The last claim, and whether it was copied.
    let mut last: Option<(usize, Claim, bool)> = None;
    while let Some(Reverse((what, key, number, claim))) = heads.pop() {
        let of = |error: rusqlite::Error, index: &Index<'_>| IndexError::of(index.path, &error);
        let same = last.filter(|(_, last, _)| (last.what, last.key) == (what, key));
        if let Some((before, earlier, copied)) = same {
            let index = &indexes[before];
            if !copied {
                index.copy(&earlier, &shared).map_err(|error| of(error, index))?;
            }
            let index = &indexes[number];
            index.copy(&claim, &shared).map_err(|error| of(error, index))?;
        }
        last = Some((number, claim, same.is_some()));
        let index = &mut indexes[number];
        let head = index.next().map_err(|error| IndexError::of(index.path, &error))?;
        heads.extend(head.map(|head| Reverse((head.what, head.key, number, head))));
    }
    shared.execute_batch("COMMIT").map_err(scratch)?;
    Ok(shared)
}

impl Merged {
    /// Passes each duplicate to `take`, in the order of one walk over all files.
    ///
    /// # Errors
    /// If the temporary file cannot be read, or `take` fails.
    pub fn each<E: From<IndexError>>(
        &self,
        mut take: impl FnMut(Placed) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: rusqlite::Error| IndexError::of(&std::env::temp_dir(), &error);
        let mut statement = self
            .connection
            .prepare(
                "SELECT what, name, artifact, text, start_byte, start_line, start_column,
                    end_byte, end_line, end_column, severity, first_name, first_start_byte,
                    first_start_line, first_start_column, first_end_byte, first_end_line,
                    first_end_column
                 FROM (SELECT *,
                    row_number() OVER same AS number,
                    first_value(name) OVER same AS first_name,
                    first_value(start_byte) OVER same AS first_start_byte,
                    first_value(start_line) OVER same AS first_start_line,
                    first_value(start_column) OVER same AS first_start_column,
                    first_value(end_byte) OVER same AS first_end_byte,
                    first_value(end_line) OVER same AS first_end_line,
                    first_value(end_column) OVER same AS first_end_column
                    FROM shared
                    WINDOW same AS (PARTITION BY what, key ORDER BY place, artifact))
                 WHERE number > 1 AND severity IS NOT NULL
                 ORDER BY place, artifact, what",
            )
            .map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            take(placed(row).map_err(failed)?)?;
        }
        Ok(())
    }
}

fn placed(row: &Row<'_>) -> rusqlite::Result<Placed> {
    let region = |at| -> rusqlite::Result<Option<Region>> {
        Ok(match row.get::<_, Option<u32>>(at)? {
            None => None,
            Some(_) => Some(Region { start: position(row, at)?, end: position(row, at + 3)? }),
        })
    };
    let text: Option<String> = row.get(3)?;
    Ok(Placed {
        what: if row.get::<_, u8>(0)? == 0 { Unique::Name } else { Unique::Source },
        file: row.get(1)?,
        artifact: row.get(2)?,
        written: text.zip(region(4)?).map(|(text, region)| Written { region, text }),
        severity: if row.get::<_, u8>(10)? == 1 { Severity::Warning } else { Severity::Error },
        first: (row.get(11)?, region(12)?),
    })
}

fn position(row: &Row<'_>, at: usize) -> rusqlite::Result<Position> {
    Ok(Position { offset: row.get(at)?, line: row.get(at + 1)?, column: row.get(at + 2)? })
}
