//! The last settled result for a source at a target.

use std::cell::RefCell;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::sequence::Sequence;
use super::tables::{arn, rewrites, undone};
use super::{JournalError, file, from_millis, request, schema};
use crate::artifact::{Artifact, Digest, Key};
use crate::submission::EntryId;

/// The last settled result for a source.
#[derive(Debug, Clone)]
pub struct Known {
    /// True if what exists equals the request that was settled; it was seen to differ otherwise.
    pub is_equal: bool,
    /// The stored part of the request's digest.
    digest: [u8; 16],
    name: Option<String>,
    uri: String,
    /// The rest of the request.
    request: String,
    /// The ARN at the target.
    pub arn: Option<String>,
    /// The time when it was changed last, by the target's clock, if that was seen.
    pub modified: Option<SystemTime>,
    /// True if a run with this journal created it.
    pub made: bool,
    /// The file that it was read from.
    pub file: String,
    /// And the line.
    pub line: u32,
    /// The digest of the rewrites of the run that settled it; `None` if it had none.
    pub rewrites: Option<String>,
}

/// An artifact that is known to equal a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEqual {
    /// The entry that it was settled for.
    pub entry: EntryId,
    /// True if a run with this journal created it.
    pub made: bool,
}

/// A snapshot of the results that are known at a target.
#[derive(Debug)]
pub struct KnownAt<'j> {
    transaction: rusqlite::Transaction<'j>,
    target: Option<i64>,
    sequence: RefCell<Sequence>,
    path: &'j Path,
}

impl<'j> KnownAt<'j> {
    /// One transaction for all look-ups: separate ones would acquire and release the lock each
    /// time.
    pub(super) fn new(
        connection: &'j Connection,
        path: &'j Path,
        identity: &str,
    ) -> Result<Self, JournalError> {
        let read = || {
            schema::begin_look_ups(connection)?;
            let transaction = connection.unchecked_transaction()?;
            let target: Option<i64> = transaction
                .query_row("SELECT id FROM target WHERE identity = ?1", [identity], |row| {
                    row.get(0)
                })
                .optional()?;
            let sequence = RefCell::new(Sequence::new(target.unwrap_or_default()));
            Ok(Self { transaction, target, sequence, path })
        };
        read().map_err(|error: rusqlite::Error| file::failure(path, &error))
    }

    /// Returns what is known at the source `key`.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn at(&self, key: Key) -> Result<Option<Known>, JournalError> {
        let Some(target) = self.target else { return Ok(None) };
        at(&self.transaction, target, &key.0).map_err(|error| file::failure(self.path, &error))
    }

    /// Returns what is known at the source `key` to equal the request with this `digest`.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn equal(&self, key: Key, digest: Digest) -> Result<Option<KnownEqual>, JournalError> {
        let Some(target) = self.target else { return Ok(None) };
        equal(&self.transaction, target, &mut self.sequence.borrow_mut(), key, digest)
            .map_err(|error| file::failure(self.path, &error))
    }
}

impl Drop for KnownAt<'_> {
    fn drop(&mut self) {
        let _ = schema::end_look_ups(&self.transaction);
    }
}

/// Returns of a digest what the journal keeps.
pub(super) fn kept(digest: Digest) -> [u8; 16] {
    let mut kept = [0; 16];
    kept.copy_from_slice(&digest.0[..16]);
    kept
}

/// The entry that was settled last for a source.
struct Latest {
    entry: i64,
    invocation: i64,
    is_equal: bool,
    /// True if this, or another before it, was created.
    made: bool,
    /// True if its digest is the one that was asked for.
    is_asked: bool,
}

/// SQL: what was settled for a source.
macro_rules! settled {
    () => {
        "SELECT result.entry, invocation, equal, outcome IN ('created', 'recovered'), digest,
         run.deletes FROM source JOIN result ON result.entry = source.entry
         JOIN entry ON entry.id = source.entry JOIN run ON run.id = entry.run
         WHERE source.source = ?1 AND run.target = ?2"
    };
}

/// Returns the last of what was settled for a source, apart from what was deleted since. There is
/// more than one where manifests changed, and where others share the target's journal.
fn latest(
    connection: &Connection,
    target: i64,
    source: &[u8],
    digest: Option<[u8; 16]>,
) -> rusqlite::Result<Option<Latest>> {
    let all = concat!(settled!(), " AND (outcome IS NOT NULL OR run.deletes)");
    let (found, is_deleted) = latest_of(connection, all, target, source, digest)?;
    if !is_deleted {
        return Ok(found);
    }
    let left =
        concat!(settled!(), " AND outcome IS NOT NULL AND NOT run.deletes AND NOT ", undone!());
    latest_of(connection, left, target, source, digest).map(|(found, _)| found)
}

/// Returns the last of what `select` finds, and whether any of it is about a deletion.
fn latest_of(
    connection: &Connection,
    select: &str,
    target: i64,
    source: &[u8],
    digest: Option<[u8; 16]>,
) -> rusqlite::Result<(Option<Latest>, bool)> {
    let mut statement = connection.prepare_cached(select)?;
    let mut rows = statement.query(params![source, target])?;
    let (mut found, mut made, mut is_deleted): (Option<Latest>, bool, bool) = (None, false, false);
    while let Some(row) = rows.next()? {
        is_deleted |= row.get::<_, bool>(5)?;
        made |= row.get::<_, Option<bool>>(3)?.unwrap_or_default();
        let Some(is_equal) = row.get::<_, Option<bool>>(2)? else { continue };
        let (entry, invocation) = (row.get(0)?, row.get(1)?);
        if found.as_ref().is_none_or(|one| (one.invocation, one.entry) < (invocation, entry)) {
            let is_asked = match digest {
                Some(digest) => row.get_ref(4)?.as_blob_or_null()? == Some(&digest),
                None => false,
            };
            found = Some(Latest { entry, invocation, is_equal, made: false, is_asked });
        }
    }
    Ok((found.map(|one| Latest { made, ..one }), is_deleted))
}

/// Returns what is known at a source.
pub(super) fn at(
    connection: &Connection,
    target: i64,
    source: &[u8],
) -> rusqlite::Result<Option<Known>> {
    let Some(latest) = latest(connection, target, source, None)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(concat!(
        "SELECT entry.digest, name, source_uri, request, ",
        arn!(),
        ", modified_ms, file.path, line, ",
        rewrites!(),
        " FROM entry JOIN result ON result.entry = entry.id JOIN run ON run.id = entry.run
         JOIN file ON file.id = entry.file LEFT JOIN prefix ON prefix.id = result.prefix
         WHERE entry.id = ?1"
    ))?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Known {
            is_equal: latest.is_equal,
            digest: row.get(0)?,
            name: row.get(1)?,
            uri: row.get(2)?,
            request: row.get(3)?,
            arn: row.get(4)?,
            modified: row.get::<_, Option<i64>>(5)?.map(from_millis),
            made: latest.made,
            file: row.get(6)?,
            line: row.get(7)?,
            rewrites: row.get(8)?,
        })
    };
    statement.query_row([latest.entry], read).optional()
}

/// Returns what is known at a source to equal the request with this digest. `sequence` holds the place of
/// the last source that was found.
pub(super) fn equal(
    connection: &Connection,
    target: i64,
    sequence: &mut Sequence,
    key: Key,
    digest: Digest,
) -> rusqlite::Result<Option<KnownEqual>> {
    if let Some(row) = sequence.next(connection, key)? {
        let equals = row.is_equal && row.digest == kept(digest);
        return Ok(equals.then_some(KnownEqual { entry: EntryId(row.entry), made: row.made }));
    }
    let latest = latest(connection, target, &key.0, Some(kept(digest)))?;
    if let Some(latest) = &latest {
        sequence.found(connection, latest.entry)?;
    }
    let latest = latest.filter(|one| one.is_equal && one.is_asked);
    Ok(latest.map(|one| KnownEqual { entry: EntryId(one.entry), made: one.made }))
}

impl Known {
    /// Returns whether what exists equals the request with this digest.
    #[must_use]
    pub fn equals(&self, digest: Digest) -> bool {
        self.is_equal && self.digest == kept(digest)
    }

    /// Returns the request that was settled; `None` where it cannot be read any more.
    #[must_use]
    pub fn artifact(&self) -> Option<Artifact> {
        request::read(self.name.clone(), self.uri.clone(), &self.request).ok()
    }
}
