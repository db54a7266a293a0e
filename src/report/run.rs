//! How an import went: what became of each entry, and in numbers.

pub mod timeline;
pub(in crate::report) mod row;
mod words;
pub mod csv;
pub mod html;
pub mod json;
pub mod lines;
pub mod markdown;
pub mod format;
pub mod progress;
pub mod summary;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::timeline::Timeline;
use crate::check::Entry;
use crate::event::Settled;
use crate::journal::{StagedEntry, StagedRun};
use crate::run::Survey;
use crate::source::SourceStore;
use crate::submission::{Class, Outcome, Refusal, Target};

/// A run, as it is reported.
#[derive(Debug)]
pub struct RunLog {
    /// Its id.
    pub run: String,
    /// Where it wrote; `None` where it wrote nowhere.
    pub target: Option<Target>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How long it sent.
    pub sending: Duration,
    /// Entries that needed no request, since the journal knows them to be there.
    pub known: usize,
    /// How it ended, where that was not with its last entry.
    pub ending: Option<&'static str>,
    /// What a listing of the target told before anything was sent.
    pub survey: Option<Survey>,
    /// Entries that somebody else created since the run began.
    pub others: usize,
    /// Entries that existed and were compared by name and type only.
    pub unseen: usize,
    /// Whether what exists was compared by name and type only.
    pub by_listing: bool,
    /// Entries that were created before the run was gone on with.
    pub created_before: usize,
    /// Every entry, in the order of the walk.
    pub entries: Vec<LoggedEntry>,
    /// How it went over time.
    pub timeline: Timeline,
}

/// An entry and what became of it.
#[derive(Debug, Clone)]
pub struct LoggedEntry {
    /// Its file, as it is shown.
    pub file: std::sync::Arc<str>,
    /// The line it begins on, from 1.
    pub line: u32,
    /// Its name.
    pub name: Option<String>,
    /// Its `SourceUri`.
    pub source_uri: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Its ARN.
    pub arn: Option<String>,
    /// How many creates were sent for it.
    pub attempts: u32,
    /// The target's name for the last of them.
    pub request_id: Option<String>,
    /// What the target said, where it refused.
    pub error: Option<Refusal>,
}

impl LoggedEntry {
    /// Whether the target has something against it.
    #[must_use]
    pub const fn failed(&self) -> bool {
        use Outcome as O;
        matches!(self.outcome, O::Rejected | O::Conflict | O::Unresolved | O::Differs)
    }
}

/// How many entries came to which end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([usize; Outcome::ALL.len()]);

impl Counts {
    /// One more.
    pub fn add(&mut self, outcome: Outcome) {
        if let Some(at) = Outcome::ALL.iter().position(|one| *one == outcome) {
            self.0[at] += 1;
        }
    }

    /// How many.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> usize {
        Outcome::ALL.iter().position(|one| *one == outcome).map_or(0, |at| self.0[at])
    }

    /// All entries.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }
}

impl RunLog {
    /// The log of a run over `entries`: those without a request are invalid, the others pending.
    #[must_use]
    pub fn new(entries: &[Entry], sources: &SourceStore) -> Self {
        let now = Timestamp::now();
        let entries = entries.iter().map(|entry| LoggedEntry {
            file: sources.name(entry.file),
            line: entry.line,
            name: entry.name.clone(),
            source_uri: entry.source_uri.clone(),
            outcome: if entry.artifact.is_some() { Outcome::Pending } else { Outcome::Invalid },
            arn: None,
            attempts: 0,
            request_id: None,
            error: None,
        });
        Self {
            run: uuid::Uuid::now_v7().to_string(),
            target: None,
            started: now,
            ended: now,
            sending: Duration::ZERO,
            known: 0,
            ending: None,
            survey: None,
            others: 0,
            unseen: 0,
            by_listing: false,
            created_before: 0,
            entries: entries.collect(),
            timeline: Timeline::default(),
        }
    }

    /// The log of a run that is gone on with, as the journal has it.
    #[must_use]
    pub fn resumed(run: &StagedRun, entries: &[StagedEntry]) -> Self {
        let error = |entry: &StagedEntry| Refusal {
            class: Class::Rejected,
            code: entry.error_code.clone(),
            message: entry.error_message.clone().unwrap_or_default(),
            request_id: entry.request_id.clone(),
        };
        let outcome = |entry: &StagedEntry| entry.outcome.as_deref().and_then(Outcome::from_name);
        let entries = entries.iter().map(|entry| LoggedEntry {
            file: entry.file.as_str().into(),
            line: entry.line,
            name: entry.artifact.name.clone(),
            source_uri: Some(entry.artifact.source.uri.clone()),
            outcome: outcome(entry).unwrap_or(Outcome::Pending),
            arn: entry.arn.clone(),
            attempts: entry.attempts,
            request_id: entry.request_id.clone(),
            error: entry.error_message.is_some().then(|| error(entry)),
        });
        let mut log = Self {
            run: run.id.clone(),
            target: Some(run.target.clone()),
            entries: entries.collect(),
            ..Self::new(&[], &SourceStore::default())
        };
        log.created_before = log.counts().of(Outcome::Created);
        log
    }

    /// Takes in what became of an entry.
    pub fn settle(&mut self, settled: Settled) {
        let Some(entry) = self.entries.get_mut(settled.entry.0 as usize) else { return };
        let unseen = self.by_listing && settled.outcome == Outcome::Existed && !settled.compared;
        self.unseen += usize::from(unseen);
        entry.outcome = settled.outcome;
        entry.arn = settled.arn;
        entry.attempts = settled.attempts;
        entry.request_id = settled.request_id;
        entry.error = settled.error;
    }

    /// The run is over. It began to send then.
    pub fn finish(&mut self, began: Option<Instant>) {
        self.ended = Timestamp::now();
        self.sending = began.map(|began| began.elapsed()).unwrap_or_default();
    }

    /// How many entries came to which end.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.entries.iter().for_each(|entry| counts.add(entry.outcome));
        counts
    }

    /// Artifacts created a second while it sent; `None` where none was.
    #[must_use]
    pub fn created_a_second(&self) -> Option<f64> {
        let created = self.counts().of(Outcome::Created).saturating_sub(self.created_before);
        let seconds = self.sending.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = created as f64 / seconds;
        (created > 0 && seconds > 0.0).then_some(rate)
    }

    /// How long it took, for people.
    fn took(&self) -> String {
        let took = self.ended.duration_since(self.started);
        words::length(took.try_into().unwrap_or_default())
    }
}
