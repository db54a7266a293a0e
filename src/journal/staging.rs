//! Entries on their way into the journal.

use std::collections::HashMap;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::entries::left;
use super::sequence::Sequence;
use super::to_stage::{Invalid, NewRun, ToStage};
use super::{Journal, JournalError, Known, KnownEqual, RunId, known, millis, request, schema};
use crate::artifact::{Digest, Key};
use crate::submission::{EntryId, RunKind, Target};

/// Entries that go in with one transaction.
const BATCH: u32 = 10_000;

/// The number of transactions after which the WAL is copied into the database.
const CHECKPOINT: u32 = 8;

/// The digest of a file until it is known: as many bytes, so that the row keeps its size.
const NO_DIGEST: [u8; 32] = [0; 32];

/// A run that is being staged. If it is dropped without [`Staging::finish`], the next `open`
/// deletes it.
#[derive(Debug)]
pub struct Staging<'j> {
    journal: &'j mut Journal,
    pub(super) run: i64,
    pub(super) target: i64,
    sequence: Sequence,
    pub(super) first: i64,
    pub(super) entries: i64,
    /// The file of the last entry, and its row.
    file: Option<(String, i64)>,
    /// The number of entries in the open transaction, and the number of transactions.
    pending: u32,
    batches: u32,
}

impl Journal {
    /// Begins a run that is not ready.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn begin(
        &mut self,
        run: &NewRun<'_>,
        target: &Target,
    ) -> Result<Staging<'_>, JournalError> {
        self.begin_as(run, target, RunKind::Import)
    }

    /// Begins a run of this kind that is not ready.
    pub(super) fn begin_as(
        &mut self,
        run: &NewRun<'_>,
        target: &Target,
        kind: RunKind,
    ) -> Result<Staging<'_>, JournalError> {
        self.check()?;
        let begin = || {
            schema::begin_look_ups(&self.connection)?;
            // An incomplete run need not be durable.
            self.connection.pragma_update(None, "synchronous", "NORMAL")?;
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            let target = target_row(&self.connection, target)?;
            // No row id is used twice, so that each run has its own range.
            let first: i64 = self.connection.query_row(
                "SELECT coalesce(max(last), 0) + 1 FROM run",
                [],
                |row| row.get(0),
            )?;
            self.connection.execute(
                "INSERT INTO run (uuid, target, command, started_ms, process, folder, settings, first,
                 deletes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    run.id,
                    target,
                    run.command,
                    millis(SystemTime::now()),
                    std::process::id(),
                    run.folder,
                    run.settings,
                    first,
                    kind == RunKind::Delete,
                ],
            )?;
            Ok((self.connection.last_insert_rowid(), target, first))
        };
        let (run, target, first) = begin().map_err(|error| self.failed(&error))?;
        let (entries, pending, batches) = (0, 0, 0);
        let (sequence, file) = (Sequence::new(target), None);
        Ok(Staging { journal: self, run, target, sequence, first, entries, file, pending, batches })
    }

    /// Makes a run ready, in one transaction: it takes the place of what earlier runs at its target
    /// staged and never attempted, from the files that it `covers`, and `files`, each with SHA-256
    /// of what it held, are noted.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn make_ready(
        &mut self,
        run: &RunId,
        covers: &dyn Fn(&str) -> bool,
        files: &[(String, [u8; 32])],
    ) -> Result<(), JournalError> {
        let scratch = self.files.is_none();
        self.write(|connection| {
            discard_staged(connection, run.0, covers)?;
            note_files(connection, run.0, files)?;
            if !scratch {
                note_sources(connection, run.0)?;
            }
            connection.execute("UPDATE run SET ready = 1 WHERE id = ?1", [run.0])
        })?;
        self.show();
        Ok(())
    }

    /// Deletes a run that was never made ready.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn discard(&mut self, run: &RunId) -> Result<(), JournalError> {
        self.replace(run, &|_| false)
    }

    /// Deletes a run that was never made ready, as it has nothing to send, and in the same
    /// transaction what earlier runs at its target staged and never attempted, from the files that
    /// are covered: the manifests say now that there is nothing to be done.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn replace(
        &mut self,
        run: &RunId,
        covers: &dyn Fn(&str) -> bool,
    ) -> Result<(), JournalError> {
        self.write(|connection| {
            discard_staged(connection, run.0, covers)?;
            delete_unready(connection)
        })?;
        self.show();
        Ok(())
    }

    /// Records the listed artifacts of entries, as the run serialized them, for as long as this
    /// process has the journal.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn note_found(
        &mut self,
        found: &mut dyn Iterator<Item = (EntryId, String)>,
    ) -> Result<(), JournalError> {
        let write = || {
            let transaction = self.connection.unchecked_transaction()?;
            {
                let mut note = transaction.prepare_cached(
                    "INSERT OR REPLACE INTO temp.found (entry, text) VALUES (?1, ?2)",
                )?;
                for (entry, text) in found {
                    note.execute(params![entry.0, text])?;
                }
            }
            transaction.commit()
        };
        write().map_err(|error| self.failed(&error))
    }
}

impl Staging<'_> {
    /// Returns the run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        RunId(self.run)
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.journal.connection
    }

    /// Returns the error of a statement on the journal.
    pub(super) fn failed(&self, error: &rusqlite::Error) -> JournalError {
        self.journal.failed(error)
    }

    /// Returns what is known at the source `key`.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn at(&self, key: Key) -> Result<Option<Known>, JournalError> {
        known::at(self.connection(), self.target, &key.0)
            .map_err(|error| self.journal.failed(&error))
    }

    /// Returns what is known at the source `key` to equal the request with this `digest`.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn equal(&mut self, key: Key, digest: Digest) -> Result<Option<KnownEqual>, JournalError> {
        known::equal(&self.journal.connection, self.target, &mut self.sequence, key, digest)
            .map_err(|error| self.journal.failed(&error))
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn add(&mut self, entry: &ToStage<'_>) -> Result<EntryId, JournalError> {
        let artifact = entry.artifact;
        let added = self.file(entry.file).and_then(|file| {
            let mut insert = self.connection().prepare_cached(
                "INSERT INTO entry (id, run, file, line, name, source_uri, source, digest, request)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            insert.insert(params![
                self.first + self.entries,
                self.run,
                file,
                entry.line,
                artifact.name,
                artifact.source.uri,
                entry.key.0,
                known::kept(entry.digest),
                request::text(artifact).map_err(super::unreadable)?,
            ])
        });
        added.and_then(|id| self.added(id)).map_err(|error| self.journal.failed(&error))
    }

    /// Adds an entry whose manifest has an error.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn add_invalid(&mut self, entry: &Invalid<'_>) -> Result<EntryId, JournalError> {
        let added = self.file(entry.file).and_then(|file| {
            let mut insert = self.connection().prepare_cached(
                "INSERT INTO entry (id, run, file, line, name, source_uri)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            insert.insert(params![
                self.first + self.entries,
                self.run,
                file,
                entry.line,
                entry.name,
                entry.source_uri,
            ])
        });
        let id =
            added.and_then(|id| self.added(id)).map_err(|error| self.journal.failed(&error))?;
        self.invalidate(id, entry.code, entry.message)?;
        Ok(id)
    }

    /// Marks an entry as invalid that was added before, because of a later finding.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn invalidate(
        &mut self,
        id: EntryId,
        code: &str,
        message: &str,
    ) -> Result<(), JournalError> {
        let note = || {
            let mut note = self.connection().prepare_cached(
                "INSERT OR REPLACE INTO result (entry, outcome, error_code, error_message)
                 VALUES (?1, 'invalid', ?2, ?3)",
            )?;
            note.execute(params![id.0, code, message])
        };
        note().map(drop).map_err(|error| self.journal.failed(&error))
    }

    /// Returns the row of a file. Entries come file by file.
    pub(super) fn file(&mut self, path: &str) -> rusqlite::Result<i64> {
        if let Some((last, row)) = &self.file
            && last == path
        {
            return Ok(*row);
        }
        let row = {
            let mut insert = self
                .connection()
                .prepare_cached("INSERT INTO file (run, path, digest) VALUES (?1, ?2, ?3)")?;
            insert.insert(params![self.run, path, NO_DIGEST])?
        };
        self.file = Some((path.to_owned(), row));
        Ok(row)
    }

    pub(super) fn added(&mut self, id: i64) -> rusqlite::Result<EntryId> {
        self.entries += 1;
        self.pending += 1;
        if self.pending == BATCH {
            self.pending = 0;
            self.batches += 1;
            self.connection().execute_batch("COMMIT")?;
            if self.batches.is_multiple_of(CHECKPOINT) {
                self.journal.checkpoint("TRUNCATE")?;
            }
            self.connection().execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(EntryId(id))
    }

    /// Ends the staging: all entries are in.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn finish(self) -> Result<(), JournalError> {
        let commit = || {
            let last = self.first + self.entries - 1;
            self.connection().execute(
                "UPDATE run SET last = ?2, entries = ?3 WHERE id = ?1",
                params![self.run, last, self.entries],
            )?;
            self.connection().execute_batch("COMMIT")
        };
        commit().map_err(|error| self.journal.failed(&error))
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.connection().is_autocommit() {
            // What was committed before stays unready.
            let _ = self.connection().execute_batch("ROLLBACK");
        }
        let _ = self.connection().pragma_update(None, "synchronous", "FULL");
        let _ = schema::end_look_ups(self.connection());
        let _ = self.journal.written();
    }
}

/// Returns the row of a target, which is made where there is none.
fn target_row(connection: &Connection, target: &Target) -> rusqlite::Result<i64> {
    let description = serde_json::to_string(target).map_err(super::unreadable)?;
    connection.query_row(
        "INSERT INTO target (identity, description) VALUES (?1, ?2)
         ON CONFLICT (identity) DO UPDATE SET description = ?2 RETURNING id",
        params![target.identity(), description],
        |row| row.get(0),
    )
}

/// Notes the entries of `run` by their sources.
pub(super) fn note_sources(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    // In sorted order, so that each page is written once.
    let note = "INSERT INTO source (source, entry) SELECT source, entry.id FROM entry, run
                WHERE run.id = ?1 AND entry.id BETWEEN first AND last AND source IS NOT NULL
                ORDER BY source, entry.id";
    connection.execute(note, [run]).map(drop)
}

/// Notes what files held, of those that the run has entries of and of others.
fn note_files(
    connection: &Connection,
    run: i64,
    files: &[(String, [u8; 32])],
) -> rusqlite::Result<()> {
    let mut left: HashMap<&str, &[u8; 32]> =
        files.iter().map(|(path, digest)| (path.as_str(), digest)).collect();
    let mut read = connection
        .prepare("SELECT id, path FROM file WHERE run = ?1 AND id > ?2 ORDER BY id LIMIT 1000")?;
    let mut note = connection.prepare("UPDATE file SET digest = ?2 WHERE id = ?1")?;
    let mut after = 0;
    loop {
        // What is read is not changed meanwhile.
        let rows: Vec<(i64, String)> = read
            .query_map(params![run, after], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let Some((last, _)) = rows.last() else { break };
        after = *last;
        for (id, path) in &rows {
            if let Some(digest) = left.remove(path.as_str()) {
                note.execute(params![id, digest])?;
            }
        }
    }
    let mut insert =
        connection.prepare("INSERT INTO file (run, path, digest) VALUES (?1, ?2, ?3)")?;
    for (path, digest) in files.iter().filter(|(path, _)| left.contains_key(path.as_str())) {
        insert.execute(params![run, path, digest])?;
    }
    Ok(())
}

/// Deletes runs that were never made ready: the process that staged them is gone, or gives them up.
/// Such a run is the last, and has the highest numbers.
pub(super) fn delete_unready(connection: &Connection) -> rusqlite::Result<()> {
    let first: Option<i64> = connection
        .query_row("SELECT min(first) FROM run WHERE NOT ready", [], |row| row.get(0))
        .optional()?
        .flatten();
    let Some(first) = first else { return Ok(()) };
    connection.execute("DELETE FROM result WHERE entry >= ?1", [first])?;
    connection.execute("DELETE FROM entry WHERE id >= ?1", [first])?;
    connection.execute_batch(
        "DELETE FROM file WHERE run IN (SELECT id FROM run WHERE NOT ready);
         DELETE FROM run WHERE NOT ready;",
    )
}

/// Deletes what earlier runs at the target of `run` staged and never attempted.
fn discard_staged(
    connection: &Connection,
    run: i64,
    covers: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<()> {
    let mut runs = connection.prepare(
        "SELECT run.id, run.folder IS NULL OR run.folder = this.folder FROM run
         JOIN run AS this ON this.target = run.target
         WHERE this.id = ?1 AND run.id != this.id AND run.ready AND NOT run.done",
    )?;
    let runs: Vec<(i64, bool)> = runs
        .query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (earlier, here) in runs {
        discard_of(connection, earlier, here, covers)?;
        super::runs::note_done(connection, earlier)?;
    }
    Ok(())
}

/// Deletes what the run `earlier` staged and never attempted. Its paths are relative to the same
/// directory if it was `here`.
pub(super) fn discard_of(
    connection: &Connection,
    earlier: i64,
    here: bool,
    covers: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<()> {
    if super::runs::left(connection, earlier)? == 0 {
        return Ok(());
    }
    let mut covered: HashMap<i64, bool> = HashMap::new();
    let mut read = connection.prepare(concat!(
        "SELECT entry.id, source, file, path FROM entry JOIN run ON run.id = entry.run
         JOIN file ON file.id = entry.file LEFT JOIN result ON result.entry = entry.id
         WHERE entry.id BETWEEN run.first AND run.last AND run.id = ?1 AND entry.id > ?2 AND ",
        left!(),
        " ORDER BY entry.id LIMIT 1000"
    ))?;
    let mut delete = connection.prepare("DELETE FROM entry WHERE id = ?1")?;
    let mut unplace = connection.prepare("DELETE FROM source WHERE source = ?1 AND entry = ?2")?;
    let mut forget = connection.prepare("DELETE FROM result WHERE entry = ?1")?;
    let (mut after, mut deleted) = (0, 0);
    loop {
        let rows: Vec<(i64, Vec<u8>, i64, String)> = read
            .query_map(params![earlier, after], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        let Some((last, ..)) = rows.last() else { break };
        after = *last;
        for (id, source, file, path) in &rows {
            let covered = *covered
                .entry(*file)
                .or_insert_with(|| (here || path.starts_with('/')) && covers(path));
            if covered {
                delete.execute([id])?;
                unplace.execute(params![source, id])?;
                forget.execute([id])?;
                deleted += 1;
            }
        }
    }
    connection
        .execute("UPDATE run SET entries = entries - ?2 WHERE id = ?1", params![earlier, deleted])
        .map(drop)
}
