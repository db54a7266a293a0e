//! Merges the indexes of all shards.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::path::{Component, Path, PathBuf};

use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};

use super::{APPLICATION_ID, IndexError, VERSION};
use crate::artifact::Key;
use crate::check::Written;
use crate::diagnostic::{Severity, Unique};
use crate::source::{Position, Region};
use crate::text::{escaped, redacted};

/// The number of rows of an index that are read at a time.
const BLOCK: u32 = 256;
/// The maximum number of bytes of a value: longer texts are cut before they are written.
const LONGEST: i32 = 64 << 10;
/// SQLite's cache for each index, in KiB: it is read in order.
const CACHE: i64 = 64;

/// The claims that more than one artifact has.
const SHARED: &str = "
CREATE TABLE shared (
    what INTEGER, key BLOB,
    -- The name of the file, and what orders names as a walk does.
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
    let mut seen = HashSet::new();
    for path in paths {
        if !seen.insert(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone())) {
            return Err(IndexError::Same(path.clone()));
        }
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
    /// Rows that have not been read yet.
    left: u32,
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
            // It may come from anybody.
            connection.pragma_update(None, "trusted_schema", false)?;
            connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
            let pragma =
                |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            if (pragma("application_id")?, pragma("user_version")?) != (APPLICATION_ID, VERSION) {
                return Ok(None);
            }
            let others = "SELECT count(*) FROM sqlite_master WHERE type != 'table'";
            if connection.query_row(others, [], |row| row.get::<_, i64>(0))? > 0 {
                return Ok(None);
            }
            let counts: [u32; 5] = connection.query_row(
                "SELECT number, shards, files, artifacts, claims FROM shard",
                [],
                |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?]),
            )?;
            Ok(Some((connection, counts)))
        };
        let opened = open().map_err(|error| IndexError::of(path, &error))?;
        let Some((connection, counts)) = opened else {
            return Err(IndexError::NotAnIndex(path.to_owned()));
        };
        let [number, shards, files, artifacts, claims] = counts;
        if !(1..=shards).contains(&number) {
            return Err(IndexError::Corrupt(path.to_owned()));
        }
        let (files, artifacts) = (files as usize, artifacts as usize);
        let (rows, last) = (VecDeque::new(), None);
        Ok(Self { connection, path, number, shards, files, artifacts, left: claims, rows, last })
    }

    /// Returns the next row.
    fn next(&mut self) -> Result<Option<Claim>, IndexError> {
        if self.rows.is_empty() {
            self.read().map_err(|error| IndexError::of(self.path, &error))?;
            let sorted =
                self.rows.iter().zip(self.rows.iter().skip(1)).all(|(one, next)| one < next);
            let behind =
                self.last.is_none_or(|last| self.rows.front().is_none_or(|row| last < *row));
            let read = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            let left = self.left.checked_sub(read);
            let Some(left) = left.filter(|left| sorted && behind && (read > 0 || *left == 0))
            else {
                return Err(IndexError::Corrupt(self.path.to_owned()));
            };
            self.left = left;
            self.last = self.rows.back().copied().or(self.last);
        }
        Ok(self.rows.pop_front())
    }

    /// Reads the rows behind the last.
    fn read(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT what, key, file, artifact FROM claim
             WHERE (what, key, file, artifact) > (?1, ?2, ?3, ?4)
             ORDER BY what, key, file, artifact LIMIT ?5",
        )?;
        let after = self.last.map_or((-1, [0; 16], -1, -1), |last| {
            (i64::from(last.what), last.key.0, last.file, i64::from(last.artifact))
        });
        let rows =
            statement.query_map(params![after.0, after.1, after.2, after.3, BLOCK], |row| {
                let (what, key) = (row.get(0)?, Key(row.get(1)?));
                Ok(Claim { what, key, file: row.get(2)?, artifact: row.get(3)? })
            })?;
        for row in rows {
            self.rows.push_back(row?);
        }
        Ok(())
    }

    /// Copies a claim into the table of those that are shared.
    fn copy(&self, claim: &Claim, shared: &Connection) -> Result<(), IndexError> {
        let row = self.row(claim).map_err(|error| IndexError::of(self.path, &error))?;
        let is_known =
            |row: &ClaimRow| matches!(row.severity, None | Some(1 | 2)) && claim.what <= 1;
        match row.filter(is_known) {
            Some(row) => insert(shared, claim, &row).map_err(|error| scratch(&error)),
            None => Err(IndexError::Corrupt(self.path.to_owned())),
        }
    }

    /// Reads what belongs to a claim.
    fn row(&self, claim: &Claim) -> rusqlite::Result<Option<ClaimRow>> {
        let mut read = self.connection.prepare_cached(
            "SELECT name, text, severity, start_byte, start_line, start_column, end_byte, end_line,
                end_column
             FROM claim JOIN file ON file.id = claim.file
             WHERE what = ?1 AND key = ?2 AND claim.file = ?3 AND artifact = ?4",
        )?;
        let key = params![claim.what, claim.key.0, claim.file, claim.artifact];
        let row = |row: &Row<'_>| {
            let mut place = [None; 6];
            for (at, number) in place.iter_mut().enumerate() {
                *number = row.get(3 + at)?;
            }
            // It may come from anybody.
            let text: Option<String> = row.get(1)?;
            let text = text.map(|text| escaped(&redacted(&text)));
            Ok(ClaimRow { name: row.get(0)?, text, severity: row.get(2)?, place })
        };
        read.query_row(key, row).optional()
    }
}

/// The name of the file of a claim, its text as findings show it, its severity, and its place.
struct ClaimRow {
    name: String,
    text: Option<String>,
    severity: Option<u8>,
    place: [Option<u32>; 6],
}

fn insert(shared: &Connection, claim: &Claim, row: &ClaimRow) -> rusqlite::Result<()> {
    let ClaimRow { name, text, severity, place: [a, b, c, d, e, f] } = row;
    let mut insert = shared.prepare_cached(
        "INSERT INTO shared VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let Claim { what, key, artifact, .. } = claim;
    let order = order(name);
    insert
        .execute(params![what, key.0, name, order, artifact, text, a, b, c, d, e, f, severity])?;
    Ok(())
}

/// Returns bytes that sort as a walk sorts files: by the parts of their paths.
fn order(name: &str) -> Vec<u8> {
    let mut order = Vec::with_capacity(name.len() + 8);
    for part in Path::new(name).components() {
        match part {
            Component::Prefix(prefix) => {
                order.push(1);
                order.extend(prefix.as_os_str().as_encoded_bytes());
            }
            Component::RootDir => order.push(2),
            Component::CurDir => order.push(3),
            Component::ParentDir => order.push(4),
            Component::Normal(name) => {
                order.push(5);
                order.extend(name.as_encoded_bytes());
            }
        }
        order.push(0);
    }
    order
}

fn scratch(error: &rusqlite::Error) -> IndexError {
    IndexError::of(&std::env::temp_dir(), error)
}

/// Returns a temporary database of the claims that more than one artifact has.
fn collect(indexes: &mut [Index<'_>]) -> Result<Connection, IndexError> {
    let shared = || {
        // In memory up to SQLite's cache, then in a temporary file.
        let shared = Connection::open("")?;
        shared.pragma_update(None, "journal_mode", "OFF")?;
        shared.execute_batch(SHARED)?;
        shared.execute_batch("BEGIN")?;
        Ok(shared)
    };
    let shared = shared().map_err(|error| scratch(&error))?;
    let mut heads = BinaryHeap::new();
    for (number, index) in indexes.iter_mut().enumerate() {
        let head = index.next()?;
        heads.extend(head.map(|head| Reverse((head.what, head.key, number, head))));
    }
    // The last claim, and whether it was copied.
    let mut last: Option<(usize, Claim, bool)> = None;
    while let Some(Reverse((what, key, number, claim))) = heads.pop() {
        let same = last.filter(|(_, last, _)| (last.what, last.key) == (what, key));
        if let Some((before, earlier, copied)) = same {
            if !copied {
                indexes[before].copy(&earlier, &shared)?;
            }
            indexes[number].copy(&claim, &shared)?;
        }
        last = Some((number, claim, same.is_some()));
        let index = &mut indexes[number];
        let head = index.next()?;
        heads.extend(head.map(|head| Reverse((head.what, head.key, number, head))));
    }
    shared.execute_batch("COMMIT").map_err(|error| scratch(&error))?;
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
        let failed = |error: rusqlite::Error| scratch(&error);
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
