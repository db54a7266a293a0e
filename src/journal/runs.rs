//! Runs that were staged, and are resumed.

use std::path::PathBuf;
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Journal, JournalError, OpenIntent, RunId, from_millis, request, unreadable};
use crate::submission::{EntryId, RunKind, Target};

/// A run that was staged.
#[derive(Debug, Clone)]
pub struct StagedRun {
    /// Which.
    pub run: RunId,
    /// Its id.
    pub id: String,
    /// The target it writes to.
    pub target: Target,
    /// The command that staged it.
    pub command: String,
    /// The time when it began.
    pub started: SystemTime,
    /// Its kind.
    pub kind: RunKind,
    /// The directory that its paths are relative to.
    pub folder: PathBuf,
    /// The policy for existing artifacts, as the run wrote it.
    pub settings: String,
    /// The rate of its writes, in requests a second, that the service allowed when it last ended; `None` if it was
    /// unlimited.
    pub rate: Option<f64>,
    /// The manifests that it was staged from, with the SHA-256 of their content.
    pub files: Vec<(PathBuf, [u8; 32])>,
}

/// SQL: the number of entries of a run that have a certain outcome.
macro_rules! certain {
    () => {
        "(SELECT count(*) FROM result WHERE result.entry BETWEEN run.first AND run.last
          AND outcome IS NOT NULL AND outcome != 'unresolved')"
    };
}

impl Journal {
    /// Returns how many runs have an id that begins with `id`.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn runs_like(&self, id: &str) -> Result<u32, JournalError> {
        let like = "SELECT count(*) FROM run WHERE ready AND substr(uuid, 1, length(?1)) = ?1";
        let count = self.connection.query_row(like, [id], |row| row.get(0));
        count.map_err(|error| self.failed(&error))
    }

    /// Returns the run whose id begins with `id`, or the latest with something left; `None` where
    /// there is none.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn staged_run(&self, id: Option<&str>) -> Result<Option<StagedRun>, JournalError> {
        let read = || {
            let mut statement = self.connection.prepare(concat!(
                "SELECT run.id, uuid, description, command, folder, settings, rate, started_ms,
                 deletes
                 FROM run JOIN target ON target.id = run.target
                 WHERE ready AND iif(?1 IS NULL, NOT done AND entries > ",
                certain!(),
                ", substr(uuid, 1, length(?1)) = ?1) ORDER BY run.id DESC LIMIT 1"
            ))?;
            let run = statement.query_row([id], |row| {
                let target: String = row.get(2)?;
                let target = serde_json::from_str(&target).map_err(unreadable)?;
                Ok(StagedRun {
                    run: RunId(row.get(0)?),
                    id: row.get(1)?,
                    target,
                    command: row.get(3)?,
                    folder: row.get::<_, Option<String>>(4)?.unwrap_or_default().into(),
                    settings: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                    rate: row.get(6)?,
                    started: from_millis(row.get(7)?),
                    kind: kind(row.get(8)?),
                    files: Vec::new(),
                })
            });
            let Some(mut run) = run.optional()? else { return Ok(None) };
            let mut files = self.connection.prepare(
                "SELECT path, digest FROM file WHERE run = ?1 AND digest != zeroblob(32) ORDER BY id",
            )?;
            let rows = files.query_map([run.run.0], |row| {
                Ok((PathBuf::from(row.get::<_, String>(0)?), row.get(1)?))
            })?;
            run.files = rows.collect::<rusqlite::Result<_>>()?;
            Ok(Some(run))
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Notes that a run is resumed by `command`.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn reopen(&mut self, run: &RunId, command: &str) -> Result<(), JournalError> {
        self.write(|connection| {
            connection.execute(
                "UPDATE run SET ended_ms = NULL, ending = NULL, process = ?2, settings =
                 iif(json_valid(settings), json_set(settings, '$.resumed_by', ?3), settings)
                 WHERE id = ?1",
                params![run.0, std::process::id(), command],
            )
        })?;
        self.show();
        Ok(())
    }
}

/// Returns the kind of a run, by its column `deletes`.
pub(super) const fn kind(deletes: bool) -> RunKind {
    if deletes { RunKind::Delete } else { RunKind::Import }
}

/// Returns the creates or deletes a second that the service allowed at the end of the last run of
/// this kind at `target`.
pub(super) fn rate(
    connection: &Connection,
    target: &Target,
    kind: RunKind,
) -> rusqlite::Result<Option<f64>> {
    let rate = connection.query_row(
        "SELECT rate FROM run JOIN target ON target.id = run.target
         WHERE identity = ?1 AND rate IS NOT NULL AND deletes = ?2 ORDER BY run.id DESC LIMIT 1",
        params![target.identity(), kind == RunKind::Delete],
        |row| row.get(0),
    );
    rate.optional()
}

/// Returns how many entries of the run `row` are still to be done.
pub(super) fn left(connection: &Connection, row: i64) -> rusqlite::Result<u64> {
    let left = connection
        .prepare_cached(concat!(
            "SELECT entries - ",
            certain!(),
            " - (SELECT count(*) FROM open WHERE entry BETWEEN first AND last)
             FROM run WHERE id = ?1"
        ))?
        .query_row([row], |row| row.get::<_, i64>(0))?;
    Ok(u64::try_from(left).unwrap_or_default())
}

/// Records whether the run `row` is done.
pub(super) fn note_done(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(concat!(
            "UPDATE run SET done = (entries <= ",
            certain!(),
            ") WHERE id = ?1"
        ))?
        .execute([row])
        .map(drop)
}

/// Returns how many entries of the run `row` came to which outcome, the most first. Those that came
/// to none are `pending`, or `open` by the name that is given where an attempt is.
pub(super) fn counts(
    connection: &Connection,
    row: i64,
    open: &str,
) -> rusqlite::Result<Vec<(String, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT outcome, count(*) FROM run JOIN result ON entry BETWEEN first AND last
         WHERE run.id = ?1 AND outcome IS NOT NULL GROUP BY outcome
         UNION ALL SELECT ?2, count(*) FROM run JOIN open ON open.entry BETWEEN first AND last
         LEFT JOIN result ON result.entry = open.entry WHERE run.id = ?1 AND outcome IS NULL
         UNION ALL SELECT NULL, entries FROM run WHERE id = ?1",
    )?;
    let rows =
        statement.query_map(params![row, open], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    let (mut counts, mut settled, mut entries) = (Vec::<(String, u64)>::new(), 0, 0);
    for row in rows {
        let (outcome, count): (Option<String>, i64) = row?;
        let count = u64::try_from(count).unwrap_or_default();
        let Some(outcome) = outcome else {
            entries = count;
            continue;
        };
        settled += count;
        match counts.iter_mut().find(|(one, _)| *one == outcome) {
            Some((_, before)) => *before += count,
            None => counts.push((outcome, count)),
        }
    }
    counts.push(("pending".to_owned(), entries.saturating_sub(settled)));
    counts.retain(|(_, count)| *count > 0);
    counts.sort_by(|(one, few), (other, many)| many.cmp(few).then_with(|| one.cmp(other)));
    Ok(counts)
}

/// Returns the creates that earlier runs at `target` left open.
pub(super) fn open_intents(
    connection: &Connection,
    target: &Target,
) -> rusqlite::Result<Vec<OpenIntent>> {
    let mut statement = connection.prepare(
        "SELECT entry.id, intent_ms, first_ms, path, line, name, source_uri, request
         FROM open JOIN entry ON entry.id = open.entry JOIN file ON file.id = entry.file
         JOIN run ON run.id = entry.run JOIN target ON target.id = run.target
         WHERE identity = ?1 AND NOT run.deletes ORDER BY entry.id",
    )?;
    let rows = statement.query_map([target.identity()], |row| {
        let text = row.get_ref(7)?.as_str()?;
        Ok(OpenIntent {
            entry: EntryId(row.get(0)?),
            at: from_millis(row.get(1)?),
            first: from_millis(row.get(2)?),
            artifact: request::read(row.get(5)?, row.get(6)?, text).map_err(unreadable)?,
            file: row.get(3)?,
            line: row.get(4)?,
        })
    })?;
    rows.collect()
}
