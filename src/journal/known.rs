//! What is known of a source at a target.

use std::path::Path;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{JournalError, from_millis, schema};
use crate::artifact::{Artifact, Digest, Key};
use crate::submission::EntryId;

/// What was settled last for a source.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whether what exists equals the request that was settled; it was seen to differ otherwise.
    pub is_equal: bool,
    /// The digest of that request.
    pub(super) digest: Vec<u8>,
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

/// What is known to equal a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEqual {
    /// The entry that it was settled for.
    pub entry: EntryId,
    /// Its ARN.
    pub arn: Option<String>,
    /// When it was changed last, by the target's clock, if that was seen.
    pub modified: Option<SystemTime>,
    /// Whether a run with this journal created it.
    pub made: bool,
}

/// What is known at a target, as it was when this was made.
#[derive(Debug)]
pub struct KnownAt<'j> {
    pub(super) transaction: rusqlite::Transaction<'j>,
    pub(super) target: Option<i64>,
    pub(super) path: &'j Path,
}

impl<'j> KnownAt<'j> {
    /// One transaction for all questions: each of its own would take and give back the lock.
    pub(super) fn new(
        connection: &'j Connection,
        path: &'j Path,
        identity: &str,
    ) -> Result<Self, JournalError> {
        let read = || {
            let transaction = connection.unchecked_transaction()?;
            let target = transaction
                .query_row("SELECT id FROM target WHERE identity = ?1", [identity], |row| {
                    row.get(0)
                })
                .optional()?;
            Ok(Self { transaction, target, path })
        };
        read().map_err(|error: rusqlite::Error| schema::failure(path, &error))
    }

    /// Returns what is known at the source `key`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn at(&self, key: Key) -> Result<Option<Known>, JournalError> {
        let Some(target) = self.target else { return Ok(None) };
        at(&self.transaction, target, key).map_err(|error| schema::failure(self.path, &error))
    }

    /// Returns what is known at the source `key` to equal the request with this `digest`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn equal(&self, key: Key, digest: Digest) -> Result<Option<KnownEqual>, JournalError> {
        let Some(target) = self.target else { return Ok(None) };
        equal(&self.transaction, target, key, digest)
            .map_err(|error| schema::failure(self.path, &error))
    }
}

pub(super) fn at(
    connection: &Connection,
    target: i64,
    key: Key,
) -> rusqlite::Result<Option<Known>> {
    let mut statement = connection.prepare_cached(
        "SELECT known.digest != x'', entry.digest, known.request, known.arn, modified_ms, made,
         file, line FROM known LEFT JOIN entry ON entry.id = known.entry
         WHERE target = ?1 AND known.source = ?2",
    )?;
    statement.query_row(params![target, key.0], |row| Known::read(row, 0)).optional()
}

pub(super) fn equal(
    connection: &Connection,
    target: i64,
    key: Key,
    digest: Digest,
) -> rusqlite::Result<Option<KnownEqual>> {
    let mut statement = connection.prepare_cached(
        "SELECT arn, modified_ms, made, entry FROM known
         WHERE target = ?1 AND source = ?2 AND digest = ?3",
    )?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok(KnownEqual {
            arn: row.get(0)?,
            modified: row.get::<_, Option<i64>>(1)?.map(from_millis),
            made: row.get(2)?,
            entry: EntryId(row.get(3)?),
        })
    };
    statement.query_row(params![target, key.0, digest.0], row).optional()
}

impl Known {
    /// From eight columns, the first of them `first`.
    pub(super) fn read(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            is_equal: row.get(first)?,
            digest: row.get::<_, Option<_>>(first + 1)?.unwrap_or_default(),
            request: row.get(first + 2)?,
            arn: row.get(first + 3)?,
            modified: row.get::<_, Option<i64>>(first + 4)?.map(from_millis),
            made: row.get(first + 5)?,
            file: row.get::<_, Option<String>>(first + 6)?.unwrap_or_default(),
            line: row.get::<_, Option<u32>>(first + 7)?.unwrap_or_default(),
        })
    }

    /// Returns whether what exists equals the request with this digest.
    #[must_use]
    pub fn equals(&self, digest: Digest) -> bool {
        self.is_equal && self.digest == digest.0
    }

    /// Returns the request that was settled; `None` where it cannot be read any more.
    #[must_use]
    pub fn artifact(&self) -> Option<Artifact> {
        serde_json::from_str(&self.request).ok()
    }
}
