//! Runs that were staged, and are gone on with.

use std::collections::HashMap;
use std::path::PathBuf;

use rusqlite::{OptionalExtension as _, params};

use super::{Journal, JournalError, OpenIntent, request};
use crate::artifact::Artifact;
use crate::submission::EntryId;
use crate::submission::Target;

/// The rows of a run that has been staged.
#[derive(Debug, Clone, Default)]
pub struct Staged {
    pub(super) run: i64,
    pub(super) rows: HashMap<EntryId, i64>,
}

impl Staged {
    /// The rows of intents that earlier runs left open, each under the number of its place, to be
    /// settled before anything else.
    #[must_use]
    pub fn of_intents(intents: &[OpenIntent]) -> Self {
        let rows = (0..).map(EntryId).zip(intents.iter().map(|intent| intent.row)).collect();
        Self { run: 0, rows }
    }
}

/// A run that has not come to its end.
#[derive(Debug, Clone)]
pub struct StagedRun {
    row: i64,
    /// Its id.
    pub id: String,
    /// Where it writes.
    pub target: Target,
    /// The command that staged it.
    pub command: String,
    /// The folder that its paths are relative to.
    pub folder: PathBuf,
    /// How it goes about what exists, as the engine's side wrote it.
    pub settings: String,
    /// The manifests that it was staged from, with SHA-256 of what they held.
    pub files: Vec<(PathBuf, [u8; 32])>,
}

/// An entry of such a run.
#[derive(Debug, Clone)]
pub struct StagedEntry {
    row: i64,
    /// The file that it was read from.
    pub file: String,
    /// And the line.
    pub line: u32,
    /// What is to be created.
    pub artifact: Artifact,
    /// What became of it, by its name; `None` where nothing has.
    pub outcome: Option<String>,
    /// Whether an attempt was made that may have created it.
    pub is_open: bool,
    /// Its ARN.
    pub arn: Option<String>,
    /// How many creates were sent for it.
    pub attempts: u32,
    /// The target's name for the last of them.
    pub request_id: Option<String>,
    /// The code of what the target said, where it refused.
    pub error_code: Option<String>,
    /// And the text.
    pub error_message: Option<String>,
}

impl Journal {
    /// How many runs have an id that begins with `id`.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn runs_like(&self, id: &str) -> Result<u32, JournalError> {
        let like = "SELECT count(*) FROM run WHERE substr(uuid, 1, length(?1)) = ?1";
        let count = self.connection.query_row(like, [id], |row| row.get(0));
        count.map_err(|error| self.failed(&error))
    }

    /// The run whose id begins with `id`, or the latest with something left; `None` where there is
    /// none.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn staged_run(&self, id: Option<&str>) -> Result<Option<StagedRun>, JournalError> {
        let read = || {
            let left = "EXISTS (SELECT 1 FROM entry WHERE run = run.id
                        AND (outcome IS NULL OR outcome = 'unresolved'))";
            let mut statement = self.connection.prepare(&format!(
                "SELECT run.id, uuid, description, command, folder, settings
                 FROM run JOIN target ON target.id = run.target
                 WHERE iif(?1 IS NULL, {left}, substr(uuid, 1, length(?1)) = ?1)
                 ORDER BY run.id DESC LIMIT 1"
            ))?;
            let run = statement.query_row([id], |row| {
                let target: String = row.get(2)?;
                let target = serde_json::from_str(&target).map_err(super::unreadable)?;
                Ok(StagedRun {
                    row: row.get(0)?,
                    id: row.get(1)?,
                    target,
                    command: row.get(3)?,
                    folder: row.get::<_, Option<String>>(4)?.unwrap_or_default().into(),
                    settings: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                    files: Vec::new(),
                })
            });
            let Some(mut run) = run.optional()? else { return Ok(None) };
            let mut files =
                self.connection.prepare("SELECT path, digest FROM file WHERE run = ?1")?;
            let rows = files.query_map([run.row], |row| {
                Ok((PathBuf::from(row.get::<_, String>(0)?), row.get(1)?))
            })?;
            run.files = rows.collect::<rusqlite::Result<_>>()?;
            Ok(Some(run))
        };
        read().map_err(|error| self.failed(&error))
    }

    /// The entries of a run, in their order.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn entries(&self, run: &StagedRun) -> Result<Vec<StagedEntry>, JournalError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT id, file, line, request, outcome, arn, attempts, request_id, error_code,
                 error_message, intent_ms IS NOT NULL FROM entry WHERE run = ?1 ORDER BY id",
            )?;
            let rows = statement.query_map([run.row], |row| {
                Ok(StagedEntry {
                    row: row.get(0)?,
                    file: row.get(1)?,
                    line: row.get(2)?,
                    artifact: request(&row.get::<_, String>(3)?)?,
                    outcome: row.get(4)?,
                    arn: row.get(5)?,
                    attempts: row.get(6)?,
                    request_id: row.get(7)?,
                    error_code: row.get(8)?,
                    error_message: row.get(9)?,
                    is_open: row.get(10)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Goes on with a run: those of its entries that are left, each under its number.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn go_on<'e>(
        &mut self,
        run: &StagedRun,
        entries: impl Iterator<Item = (EntryId, &'e StagedEntry)>,
    ) -> Result<Staged, JournalError> {
        let reopen = "UPDATE run SET ended_ms = NULL, ending = NULL, process = ?2 WHERE id = ?1";
        let reopened = self.connection.execute(reopen, params![run.row, std::process::id()]);
        reopened.map_err(|error| self.failed(&error))?;
        Ok(Staged { run: run.row, rows: entries.map(|(id, entry)| (id, entry.row)).collect() })
    }
}
