//! Runs that were staged, and are resumed.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Journal, JournalError, OpenIntent, RunId, from_millis, request};
use crate::submission::{EntryId, Target};

/// A run that was staged.
#[derive(Debug, Clone)]
pub struct StagedRun {
    /// Which.
    pub run: RunId,
    /// Its id.
    pub id: String,
    /// Where it writes.
    pub target: Target,
    /// The command that staged it.
    pub command: String,
    /// The directory that its paths are relative to.
    pub folder: PathBuf,
    /// How it goes about what exists, as the run's side wrote it.
    pub settings: String,
    /// Creates a second that the service allowed when it was last gone on with; `None` where nothing
    /// bounded them.
    pub rate: Option<f64>,
    /// The manifests that it was staged from, with SHA-256 of what they held.
    pub files: Vec<(PathBuf, [u8; 32])>,
}

impl Journal {
    /// Returns how many runs have an id that begins with `id`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn runs_like(&self, id: &str) -> Result<u32, JournalError> {
        let like = "SELECT count(*) FROM run WHERE ready AND substr(uuid, 1, length(?1)) = ?1";
        let count = self.connection.query_row(like, [id], |row| row.get(0));
        count.map_err(|error| self.failed(&error))
    }

    /// Returns the run whose id begins with `id`, or the latest with something left; `None` where
    /// there is none.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn staged_run(&self, id: Option<&str>) -> Result<Option<StagedRun>, JournalError> {
        let read = || {
            let left = "EXISTS (SELECT 1 FROM entry WHERE run = run.id
                        AND (outcome IS NULL OR outcome = 'unresolved'))";
            let mut statement = self.connection.prepare(&format!(
                "SELECT run.id, uuid, description, command, folder, settings, rate
                 FROM run JOIN target ON target.id = run.target
                 WHERE ready AND iif(?1 IS NULL, {left}, substr(uuid, 1, length(?1)) = ?1)
                 ORDER BY run.id DESC LIMIT 1"
            ))?;
            let run = statement.query_row([id], |row| {
                let target: String = row.get(2)?;
                let target = serde_json::from_str(&target).map_err(super::unreadable)?;
                Ok(StagedRun {
                    run: RunId(row.get(0)?),
                    id: row.get(1)?,
                    target,
                    command: row.get(3)?,
                    folder: row.get::<_, Option<String>>(4)?.unwrap_or_default().into(),
                    settings: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                    rate: row.get(6)?,
                    files: Vec::new(),
                })
            });
            let Some(mut run) = run.optional()? else { return Ok(None) };
            let mut files =
                self.connection.prepare("SELECT path, digest FROM file WHERE run = ?1")?;
            let rows = files.query_map([run.run.0], |row| {
                Ok((PathBuf::from(row.get::<_, String>(0)?), row.get(1)?))
            })?;
            run.files = rows.collect::<rusqlite::Result<_>>()?;
            Ok(Some(run))
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Notes that a run is gone on with.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn reopen(&mut self, run: &RunId) -> Result<(), JournalError> {
        let reopen = "UPDATE run SET ended_ms = NULL, ending = NULL, process = ?2 WHERE id = ?1";
        let reopened = self.connection.execute(reopen, params![run.0, std::process::id()]);
        reopened.map(drop).map_err(|error| self.failed(&error))
    }
}

/// Returns creates a second that the service allowed at the end of the last run at `target`.
pub(super) fn rate(connection: &Connection, target: &Target) -> rusqlite::Result<Option<f64>> {
    let rate = connection.query_row(
        "SELECT rate FROM run JOIN target ON target.id = run.target
         WHERE identity = ?1 AND rate IS NOT NULL ORDER BY run.id DESC LIMIT 1",
        [target.identity()],
        |row| row.get(0),
    );
    rate.optional()
}

/// Returns what earlier runs at `target` left open.
pub(super) fn open_intents(
    connection: &Connection,
    target: &Target,
) -> rusqlite::Result<Vec<OpenIntent>> {
    let mut statement = connection.prepare(
        "SELECT entry.id, intent_ms, request, file, line
         FROM entry JOIN run ON run.id = entry.run JOIN target ON target.id = run.target
         WHERE (outcome IS NULL OR outcome = 'unresolved')
         AND intent_ms IS NOT NULL AND identity = ?1 ORDER BY entry.id",
    )?;
    let rows = statement.query_map([target.identity()], |row| {
        Ok(OpenIntent {
            entry: EntryId(row.get(0)?),
            at: from_millis(row.get(1)?),
            artifact: request(&row.get::<_, String>(2)?)?,
            file: row.get(3)?,
            line: row.get(4)?,
        })
    })?;
    rows.collect()
}
