//! How an import went: what became of each entry, and in numbers.

pub mod json;
pub mod progress;
pub mod summary;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::check::Entry;
use crate::event::Settled;
use crate::source::SourceStore;
use crate::submission::{Outcome, Refusal, Target};

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
    /// Every entry, in the order of the walk.
    pub entries: Vec<LoggedEntry>,
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
            entries: entries.collect(),
        }
    }

    /// Takes in what became of an entry.
    pub fn settle(&mut self, settled: Settled) {
        let Some(entry) = self.entries.get_mut(settled.entry.0 as usize) else { return };
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
}
