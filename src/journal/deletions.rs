//! Runs that delete: what they may delete, and what earlier ones left open.
//!
//! Each entry of such a run has the ARN that it deletes from the start. From the intent of its delete on,
//! nothing that the journal knows of that ARN counts any more (`undone!`).

use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

use rusqlite::{Connection, params};

use super::entries::left;
use super::notes::Prefixes;
use super::staging::{self, Staging};
use super::tables::{arn, rewrites, undone};
use super::to_stage::NewRun;
use super::{Journal, JournalError, RunId, millis, request, runs};
use crate::artifact::{Artifact, Key};
use crate::submission::{EntryId, RunKind, Target};

/// The number of candidates that are read at once.
const PAGE: i64 = 1000;

/// SQL: artifacts at a target, or of one run of it, as runs recorded them; what was deleted is left out.
macro_rules! candidates {
    () => {
        concat!(
            "SELECT entry.id, run.folder, path, line, name, source_uri, entry.source, request, ",
            arn!(),
            ", ",
            rewrites!(),
            " FROM entry JOIN run ON run.id = entry.run JOIN file ON file.id = entry.file
             JOIN result ON result.entry = entry.id LEFT JOIN prefix ON prefix.id = result.prefix
             WHERE entry.id > ?1 AND entry.id < ?2 AND run.target = ?3 AND run.ready
             AND NOT run.deletes AND (?4 IS NULL OR run.id = ?4) AND NOT ",
            undone!(),
        )
    };
}

/// SQL: the artifact was created by the run.
macro_rules! made {
    () => {
        " AND outcome IN ('created', 'recovered')"
    };
}

/// SQL: the artifact existed before the run.
macro_rules! not_made {
    () => {
        " AND outcome IN ('existed', 'updated', 'differs') AND result.arn IS NOT NULL"
    };
}

macro_rules! page {
    () => {
        " ORDER BY entry.id LIMIT ?5"
    };
}

/// An artifact that may be deleted, as a run recorded it.
#[derive(Debug)]
pub struct Candidate {
    entry: i64,
    /// The directory that the path is relative to, if it is known.
    folder: Option<String>,
    /// The file that it was read from.
    pub file: String,
    line: u32,
    name: Option<String>,
    /// Its `SourceUri`.
    pub uri: String,
    source: [u8; 16],
    request: String,
    arn: Option<String>,
    rewrites: Option<String>,
}

impl Candidate {
    /// Returns the key of its identity.
    #[must_use]
    pub const fn key(&self) -> Key {
        Key(self.source)
    }

    /// Returns its ARN; `None` if no answer and no listing had it.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// Returns its type; `None` if the request cannot be read any more.
    #[must_use]
    pub fn artifact_type(&self) -> Option<String> {
        let artifact = request::read(None, String::new(), &self.request);
        artifact.ok().map(|artifact| artifact.artifact_type)
    }

    /// Returns the digest of the rewrites of its run; `None` if it had none.
    #[must_use]
    pub fn rewrites(&self) -> Option<&str> {
        self.rewrites.as_deref()
    }

    /// Returns whether its file is named by an absolute path, or relative to `folder`.
    #[must_use]
    pub fn is_of(&self, folder: &str) -> bool {
        self.file.starts_with('/') || self.folder.as_deref() == Some(folder)
    }
}

/// A delete that an earlier run sent, and whose effect is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDeletion {
    /// Of which entry.
    pub entry: EntryId,
    /// The ARN of the artifact.
    pub arn: String,
}

/// A run that deletes, while it is staged. If it is dropped without [`Deletions::finish`], the next `open`
/// deletes it.
#[derive(Debug)]
pub struct Deletions<'j> {
    staging: Staging<'j>,
    prefixes: Prefixes,
    /// The directory of this run's paths.
    folder: String,
    /// The ARNs of what the runs created.
    made: HashSet<Key>,
    /// The ARNs of others that were seen.
    others: HashSet<Key>,
    /// The ARNs of what other runs than the one that is undone created.
    made_by_others: HashSet<Key>,
    /// The number of wanted artifacts whose ARN is not known.
    without_arn: u64,
    /// The number of artifacts that [`Deletions::add_others`] left out, as others created them.
    by_other_runs: u64,
}

impl Journal {
    /// Begins a run that deletes, and is not ready.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn begin_deletions(
        &mut self,
        run: &NewRun<'_>,
        target: &Target,
    ) -> Result<Deletions<'_>, JournalError> {
        let staging = self.begin_as(run, target, RunKind::Delete)?;
        Ok(Deletions {
            staging,
            prefixes: Prefixes::default(),
            folder: run.folder.to_owned(),
            made: HashSet::new(),
            others: HashSet::new(),
            made_by_others: HashSet::new(),
            without_arn: 0,
            by_other_runs: 0,
        })
    }

    /// Makes a run that deletes ready, in one transaction: what earlier runs at its target staged for the
    /// same sources and never attempted is discarded, and so is all that is left of the run `undone`.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn make_deletions_ready(
        &mut self,
        run: &RunId,
        undone: Option<&RunId>,
    ) -> Result<(), JournalError> {
        self.write(|connection| {
            discard_same(connection, run.0)?;
            if let Some(undone) = undone {
                staging::discard_of(connection, undone.0, true, &|_| true)?;
                runs::note_done(connection, undone.0)?;
            }
            staging::note_sources(connection, run.0)?;
            connection.execute("UPDATE run SET ready = 1 WHERE id = ?1", [run.0])
        })?;
        self.show();
        Ok(())
    }

    /// Returns how many artifacts that `run` created have been deleted since.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn deleted_since(&self, run: &RunId) -> Result<u64, JournalError> {
        let count = self.connection.query_row(
            concat!(
                "SELECT count(*) FROM run JOIN result ON result.entry BETWEEN first AND last
                 JOIN entry ON entry.id = result.entry WHERE run.id = ?1",
                made!(),
                " AND ",
                undone!()
            ),
            [run.0],
            |row| row.get::<_, i64>(0),
        );
        let count = count.map_err(|error| self.failed(&error))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Returns the deletes that earlier runs at `target` left open.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn open_deletions(&self, target: &Target) -> Result<Vec<OpenDeletion>, JournalError> {
        let read = || {
            let mut statement = self.connection.prepare(concat!(
                "SELECT open.entry, ",
                arn!(),
                " FROM open JOIN entry ON entry.id = open.entry JOIN run ON run.id = entry.run
                 JOIN target ON target.id = run.target JOIN result ON result.entry = open.entry
                 LEFT JOIN prefix ON prefix.id = result.prefix
                 WHERE identity = ?1 AND run.deletes ORDER BY open.entry"
            ))?;
            let rows = statement.query_map([target.identity()], |row| {
                Ok(OpenDeletion { entry: EntryId(row.get(0)?), arn: row.get(1)? })
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Notes whether open deletes of earlier runs took effect. Those that did not are pending again.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn settle_deletions(&mut self, settled: &[(EntryId, bool)]) -> Result<(), JournalError> {
        self.write(|connection| {
            // What is seen now is later than all that was settled, and earlier than what will be.
            if let Some((first, _)) = settled.first() {
                connection.execute(
                    "UPDATE target SET invocations = invocations + 1 WHERE id =
                     (SELECT target FROM run JOIN entry ON entry.run = run.id WHERE entry.id = ?1)",
                    [first.0],
                )?;
            }
            let mut note = connection.prepare_cached(
                "UPDATE result SET outcome = iif(?2, 'deleted', NULL), settled_ms = iif(?2, ?3, NULL),
                 intent_ms = iif(?2, open.intent_ms, NULL), attempts = result.attempts + open.attempts,
                 invocation = target.invocations,
                 request_id = NULL, error_code = NULL, error_message = NULL
                 FROM open, entry, run, target WHERE open.entry = result.entry AND result.entry = ?1
                 AND entry.id = result.entry AND run.id = entry.run AND target.id = run.target",
            )?;
            let mut close = connection.prepare_cached("DELETE FROM open WHERE entry = ?1")?;
            for (entry, is_gone) in settled {
                note.execute(params![entry.0, is_gone, millis(SystemTime::now())])?;
                close.execute([entry.0])?;
            }
            Ok(())
        })?;
        self.show();
        Ok(())
    }
}

impl Deletions<'_> {
    /// Returns the run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.staging.run()
    }

    /// Passes what runs at the target created to `wanted`, or what the run `of` did, and adds those that it
    /// returns true for. Those of which no ARN is known are counted.
    ///
    /// # Errors
    /// If the journal cannot be read or written.
    pub fn add_made(
        &mut self,
        of: Option<&RunId>,
        wanted: &mut dyn FnMut(&Candidate) -> bool,
    ) -> Result<(), JournalError> {
        self.each(concat!(candidates!(), made!(), page!()), of, &mut |this, candidate| {
            let Some(arn) = candidate.arn() else {
                this.without_arn += u64::from(wanted(candidate));
                return Ok(());
            };
            let is_new = this.made.insert(Key::of_name(arn));
            if is_new && wanted(candidate) { this.add(candidate, arn) } else { Ok(()) }
        })
    }

    /// Makes [`Deletions::add_others`] leave out what other runs than those that [`Deletions::add_made`] read
    /// have created.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn spare_other_runs(&mut self) -> Result<(), JournalError> {
        self.each(concat!(candidates!(), made!(), page!()), None, &mut |this, candidate| {
            let arn = candidate.arn().map(Key::of_name);
            this.made_by_others.extend(arn.filter(|arn| !this.made.contains(arn)));
            Ok(())
        })
    }

    /// Does the same as [`Deletions::add_made`] with what runs found existing. What that saw is left out.
    ///
    /// # Errors
    /// If the journal cannot be read or written.
    pub fn add_others(
        &mut self,
        of: Option<&RunId>,
        wanted: &mut dyn FnMut(&Candidate) -> bool,
    ) -> Result<(), JournalError> {
        self.each(concat!(candidates!(), not_made!(), page!()), of, &mut |this, candidate| {
            let Some(arn) = candidate.arn() else { return Ok(()) };
            if !this.is_another(arn) {
                return Ok(());
            }
            if this.made_by_others.contains(&Key::of_name(arn)) {
                this.by_other_runs += 1;
                return Ok(());
            }
            if wanted(candidate) { this.add(candidate, arn) } else { Ok(()) }
        })
    }

    /// Notes the ARN of an artifact that the target listed, and returns whether it is new: one that
    /// [`Deletions::add_made`] did not see.
    pub fn is_another(&mut self, arn: &str) -> bool {
        let arn = Key::of_name(arn);
        !self.made.contains(&arn) && self.others.insert(arn)
    }

    /// Adds an artifact that no run has an entry of, as the target listed it.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn add_listed(&mut self, artifact: &Artifact, arn: &str) -> Result<(), JournalError> {
        let text = request::text(artifact).map_err(super::unreadable);
        let text = text.map_err(|error| self.staging.failed(&error))?;
        let place = ("", 0);
        let (name, uri) = (artifact.name.as_deref(), artifact.source.uri.as_str());
        self.insert(place, (name, uri, artifact.key().0), &text, arn)
    }

    /// Returns how many artifacts [`Deletions::add_made`] could not add, because their ARN is not known.
    #[must_use]
    pub const fn without_arn(&self) -> u64 {
        self.without_arn
    }

    /// Returns how many artifacts [`Deletions::add_others`] left out, because other runs created them.
    #[must_use]
    pub const fn by_other_runs(&self) -> u64 {
        self.by_other_runs
    }

    /// Ends the staging: all entries are in. Returns their number.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn finish(self) -> Result<usize, JournalError> {
        let entries = usize::try_from(self.staging.entries).unwrap_or_default();
        self.staging.finish().map(|()| entries)
    }

    /// Passes the candidates that `select` finds to `take`, page by page: what is read is not written
    /// meanwhile.
    fn each(
        &mut self,
        select: &str,
        of: Option<&RunId>,
        take: &mut dyn FnMut(&mut Self, &Candidate) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let mut after = 0;
        loop {
            let page = self.page(select, of, after);
            let page = page.map_err(|error| self.staging.failed(&error))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.entry;
            page.iter().try_for_each(|candidate| take(self, candidate))?;
        }
    }

    fn page(
        &self,
        select: &str,
        of: Option<&RunId>,
        after: i64,
    ) -> rusqlite::Result<Vec<Candidate>> {
        let Staging { target, first, .. } = self.staging;
        let connection = self.staging.connection();
        let range = "SELECT first - 1, last + 1 FROM run WHERE id = ?1";
        let (from, to) = match of {
            Some(run) => {
                connection.query_row(range, [run.0], |row| Ok((row.get(0)?, row.get(1)?)))?
            }
            None => (0, first),
        };
        let mut statement = connection.prepare_cached(select)?;
        let values = params![after.max(from), to.min(first), target, of.map(|run| run.0), PAGE];
        let rows = statement.query_map(values, |row| {
            Ok(Candidate {
                entry: row.get(0)?,
                folder: row.get(1)?,
                file: row.get(2)?,
                line: row.get(3)?,
                name: row.get(4)?,
                uri: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                source: row.get(6)?,
                request: row.get(7)?,
                arn: row.get(8)?,
                rewrites: row.get(9)?,
            })
        })?;
        rows.collect()
    }

    fn add(&mut self, candidate: &Candidate, arn: &str) -> Result<(), JournalError> {
        let Candidate { line, name, uri, source, request, .. } = candidate;
        // A path of another directory is no path of this run's.
        let file = match &candidate.folder {
            Some(folder) if !candidate.is_of(&self.folder) => {
                Path::new(folder).join(&candidate.file).to_string_lossy().into_owned()
            }
            _ => candidate.file.clone(),
        };
        self.insert((&file, *line), (name.as_deref(), uri, *source), request, arn)
    }

    fn insert(
        &mut self,
        (file, line): (&str, u32),
        (name, uri, source): (Option<&str>, &str, [u8; 16]),
        request: &str,
        arn: &str,
    ) -> Result<(), JournalError> {
        let mut insert = || {
            let file = self.staging.file(file)?;
            let connection = self.staging.connection();
            let (prefix, arn) = self.prefixes.kept(connection, Some(arn))?;
            let id = self.staging.first + self.staging.entries;
            connection
                .prepare_cached(
                    "INSERT INTO entry (id, run, file, line, name, source_uri, source, request)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![id, self.staging.run, file, line, name, uri, source, request])?;
            connection
                .prepare_cached("INSERT INTO result (entry, prefix, arn) VALUES (?1, ?2, ?3)")?
                .execute(params![id, prefix, arn])?;
            self.staging.added(id)
        };
        let inserted = insert();
        inserted.map(drop).map_err(|error| self.staging.failed(&error))
    }
}

/// Deletes what runs before `run` staged at its target for the same sources, and never attempted.
fn discard_same(connection: &Connection, run: i64) -> rusqlite::Result<()> {
    let mut same = connection.prepare(concat!(
        "SELECT entry.id, entry.run, entry.source FROM run AS this
         JOIN entry AS own ON own.id BETWEEN this.first AND this.last
         JOIN source ON source.source = own.source JOIN entry ON entry.id = source.entry
         JOIN run ON run.id = entry.run LEFT JOIN result ON result.entry = entry.id
         WHERE this.id = ?1 AND run.id != ?1 AND run.target = this.target AND run.ready
         AND NOT run.done AND ",
        left!()
    ))?;
    let same: Vec<(i64, i64, [u8; 16])> = same
        .query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut delete = connection.prepare("DELETE FROM entry WHERE id = ?1")?;
    let mut unplace = connection.prepare("DELETE FROM source WHERE source = ?1 AND entry = ?2")?;
    let mut forget = connection.prepare("DELETE FROM result WHERE entry = ?1")?;
    let mut count = connection.prepare("UPDATE run SET entries = entries - 1 WHERE id = ?1")?;
    for (entry, earlier, source) in &same {
        // One that two entries of this run share comes twice.
        if delete.execute([entry])? > 0 {
            unplace.execute(params![source, entry])?;
            forget.execute([entry])?;
            count.execute([earlier])?;
        }
    }
    let mut earlier: Vec<i64> = same.into_iter().map(|(_, earlier, _)| earlier).collect();
    earlier.sort_unstable();
    earlier.dedup();
    earlier.into_iter().try_for_each(|earlier| runs::note_done(connection, earlier))
}
