//! Entries on their way into the journal.

use std::collections::HashMap;
use std::time::SystemTime;

use rusqlite::{Connection, params};

use super::{Journal, JournalError, Known, KnownEqual, known, millis, schema};
use crate::artifact::{Artifact, Digest, Key};
use crate::submission::{EntryId, Target};

/// Entries that go in with one transaction.
const BATCH: u32 = 10_000;

/// A run in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(pub(super) i64);

/// A run to be staged.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'r> {
    /// Its id.
    pub id: &'r str,
    /// The command that resumes it.
    pub command: &'r str,
    /// The directory that paths are relative to.
    pub folder: &'r str,
    /// How it goes about what exists, as the run's side wrote it.
    pub settings: &'r str,
}

/// An entry to be staged.
#[derive(Debug, Clone, Copy)]
pub struct ToStage<'e> {
    /// The file it was read from, as it is shown.
    pub file: &'e str,
    /// And the line.
    pub line: u32,
    /// What is to be created.
    pub artifact: &'e Artifact,
}

/// An entry whose manifest has an error, kept for the reports.
#[derive(Debug, Clone, Copy)]
pub struct Invalid<'e> {
    /// The file it was read from, as it is shown.
    pub file: &'e str,
    /// And the line.
    pub line: u32,
    /// Its name, as far as it could be read.
    pub name: Option<&'e str>,
    /// Its URI, as far as it could be read.
    pub source_uri: Option<&'e str>,
    /// The code of its first error.
    pub code: &'e str,
    /// What that says.
    pub message: &'e str,
}

/// A run whose entries are going in. Dropped without [`Staging::finish`], it leaves one that the next
/// `open` deletes.
#[derive(Debug)]
pub struct Staging<'j> {
    journal: &'j mut Journal,
    run: i64,
    target: i64,
    /// Entries in the transaction that is open.
    pending: u32,
}

impl Journal {
    /// Begins a run that is not ready.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn begin(
        &mut self,
        run: &NewRun<'_>,
        target: &Target,
    ) -> Result<Staging<'_>, JournalError> {
        let target = self.target(target)?;
        let begin = || {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            self.connection.execute(
                "INSERT INTO run (uuid, target, command, started_ms, process, folder, settings, ready)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
                params![
                    run.id,
                    target,
                    run.command,
                    millis(SystemTime::now()),
                    std::process::id(),
                    run.folder,
                    run.settings,
                ],
            )
        };
        begin().map_err(|error| schema::failure(&self.path, &error))?;
        let run = self.connection.last_insert_rowid();
        Ok(Staging { journal: self, run, target, pending: 0 })
    }

    /// Makes a run ready, in one transaction: it takes the place of what earlier runs at its target
    /// staged and never attempted, from the files that it `covers`, and `files`, each with SHA-256 of
    /// what it held, are noted.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn make_ready(
        &mut self,
        run: &RunId,
        covers: &dyn Fn(&str) -> bool,
        files: &[(String, [u8; 32])],
    ) -> Result<(), JournalError> {
        let mut write = || {
            let transaction = self.connection.transaction()?;
            discard_staged(&transaction, run.0, covers)?;
            {
                let mut insert = transaction
                    .prepare_cached("INSERT INTO file (run, path, digest) VALUES (?1, ?2, ?3)")?;
                for (path, digest) in files {
                    insert.execute(params![run.0, path, digest])?;
                }
            }
            transaction.execute("UPDATE run SET ready = 1 WHERE id = ?1", [run.0])?;
            transaction.commit()
        };
        write().map_err(|error| schema::failure(&self.path, &error))
    }

    /// Deletes a run that was never made ready.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn discard(&mut self, run: &RunId) -> Result<(), JournalError> {
        self.replace(run, &|_| false)
    }

    /// Deletes a run that was never made ready, as it has nothing to send, and in the same transaction
    /// what earlier runs at its target staged and never attempted, from the files that are covered: the
    /// manifests say now that there is nothing to be done.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn replace(
        &mut self,
        run: &RunId,
        covers: &dyn Fn(&str) -> bool,
    ) -> Result<(), JournalError> {
        let mut write = || {
            let transaction = self.connection.transaction()?;
            discard_staged(&transaction, run.0, covers)?;
            delete_unready(&transaction)?;
            transaction.commit()
        };
        write().map_err(|error| schema::failure(&self.path, &error))
    }

    /// Notes what a listing showed for entries, in the words of the run's side. It is cleared when the
    /// entry is settled.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn note_found(
        &mut self,
        found: &mut dyn Iterator<Item = (EntryId, String)>,
    ) -> Result<(), JournalError> {
        let write = || {
            let transaction = self.connection.transaction()?;
            {
                let mut note =
                    transaction.prepare_cached("UPDATE entry SET found = ?2 WHERE id = ?1")?;
                for (entry, text) in found {
                    note.execute(params![entry.0, text])?;
                }
            }
            transaction.commit()
        };
        write().map_err(|error| schema::failure(&self.path, &error))
    }
}

impl Staging<'_> {
    /// Returns the run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        RunId(self.run)
    }

    fn failed(&self, error: &rusqlite::Error) -> JournalError {
        schema::failure(&self.journal.path, error)
    }

    /// Returns what is known at the source `key`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn at(&self, key: Key) -> Result<Option<Known>, JournalError> {
        known::at(&self.journal.connection, self.target, key).map_err(|error| self.failed(&error))
    }

    /// Returns what is known at the source `key` to equal the request with this `digest`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn equal(&self, key: Key, digest: Digest) -> Result<Option<KnownEqual>, JournalError> {
        known::equal(&self.journal.connection, self.target, key, digest)
            .map_err(|error| self.failed(&error))
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn add(&mut self, entry: &ToStage<'_>) -> Result<EntryId, JournalError> {
        let artifact = entry.artifact;
        let request = serde_json::to_string(artifact).unwrap_or_default();
        let insert = || {
            let mut insert = self.journal.connection.prepare_cached(
                "INSERT INTO entry (run, file, line, name, source_uri, source, digest, request)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?;
            insert.insert(params![
                self.run,
                entry.file,
                entry.line,
                artifact.name,
                artifact.source.uri,
                artifact.identity().key().0,
                artifact.digest().0,
                request,
            ])
        };
        let id = insert().map_err(|error| self.failed(&error))?;
        self.added()?;
        Ok(EntryId(id))
    }

    /// Adds an entry whose manifest has an error.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn add_invalid(&mut self, entry: &Invalid<'_>) -> Result<EntryId, JournalError> {
        let insert = || {
            let mut insert = self.journal.connection.prepare_cached(
                "INSERT INTO entry (run, file, line, name, source_uri, source, digest, request,
                 outcome, error_code, error_message)
                 VALUES (?1, ?2, ?3, ?4, ?5, x'', x'', '', 'invalid', ?6, ?7)",
            )?;
            insert.insert(params![
                self.run,
                entry.file,
                entry.line,
                entry.name,
                entry.source_uri.unwrap_or_default(),
                entry.code,
                entry.message,
            ])
        };
        let id = insert().map_err(|error| self.failed(&error))?;
        self.added()?;
        Ok(EntryId(id))
    }

    /// Makes an entry invalid that was added before: a later finding says so.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn invalidate(
        &mut self,
        id: EntryId,
        code: &str,
        message: &str,
    ) -> Result<(), JournalError> {
        let update = || {
            let mut update = self.journal.connection.prepare_cached(
                "UPDATE entry SET outcome = 'invalid', error_code = ?2, error_message = ?3
                 WHERE id = ?1",
            )?;
            update.execute(params![id.0, code, message])
        };
        update().map(drop).map_err(|error| self.failed(&error))
    }

    fn added(&mut self) -> Result<(), JournalError> {
        self.pending += 1;
        if self.pending < BATCH {
            return Ok(());
        }
        self.pending = 0;
        let connection = &self.journal.connection;
        let next = || {
            connection.prepare_cached("COMMIT")?.execute([])?;
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])
        };
        next().map(drop).map_err(|error| self.failed(&error))
    }

    /// Ends the staging: all entries are in.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn finish(self) -> Result<(), JournalError> {
        let commit = || self.journal.connection.prepare_cached("COMMIT")?.execute([]);
        commit().map(drop).map_err(|error| self.failed(&error))
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.journal.connection.is_autocommit() {
            // What was committed before stays unready, and is deleted by the next open.
            let _ = self.journal.connection.execute_batch("ROLLBACK");
        }
    }
}

/// Deletes runs that were never made ready: the process that staged them is gone.
pub(super) fn delete_unready(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "DELETE FROM entry WHERE run IN (SELECT id FROM run WHERE NOT ready);
         DELETE FROM file WHERE run IN (SELECT id FROM run WHERE NOT ready);
         DELETE FROM run WHERE NOT ready;",
    )
}

/// Deletes what earlier runs at the target of `run` staged and never attempted.
fn discard_staged(
    connection: &Connection,
    run: i64,
    covers: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<()> {
    let mut covered: HashMap<String, bool> = HashMap::new();
    let staged: Vec<i64> = {
        let mut statement = connection.prepare(
            "SELECT entry.id, file FROM entry JOIN run ON run.id = entry.run
             JOIN run AS this ON this.id = ?1
             WHERE (outcome IS NULL OR outcome = 'unresolved') AND intent_ms IS NULL
             AND run.target = this.target AND run.id != this.id AND run.ready
             AND (run.folder IS NULL OR run.folder = this.folder OR file LIKE '/%')",
        )?;
        let mut rows = statement.query([run])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let file: String = row.get(1)?;
            if *covered.entry(file).or_insert_with_key(|file| covers(file)) {
                found.push(row.get(0)?);
            }
        }
        found
    };
    let mut delete = connection.prepare("DELETE FROM entry WHERE id = ?1")?;
    for id in staged {
        delete.execute([id])?;
    }
    Ok(())
}
