//! The log of an import: the outcome of each entry, and the numbers.

pub mod timeline;
pub(in crate::report) mod row;
pub mod rows;
pub(crate) mod words;
pub mod csv;
pub mod html;
pub mod json;
pub mod lines;
pub mod markdown;
pub mod places;
pub mod format;
pub mod progress;
pub mod summary;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::timeline::Timeline;
use crate::event::{Event, Settled};
use crate::journal::StagedRun;
use crate::run::{Ledger, Survey};
use crate::submission::{Outcome, Refusal, RunKind, Target};

/// A run, as it is reported.
#[derive(Debug)]
pub struct RunLog {
    /// Its id.
    pub run: String,
    /// Its kind.
    pub kind: RunKind,
    /// The target; `None` if it had none.
    pub target: Option<Target>,
    /// The start of this invocation. Every duration that is shown counts from here.
    pub started: Timestamp,
    /// The end of this invocation.
    pub ended: Timestamp,
    /// The time for which it submitted, from which the rate is taken.
    pub sending: Duration,
    /// Entries that needed no request, since the journal knows them to be there.
    pub known: usize,
    /// The reason for an end before the last entry.
    pub ending: Option<&'static str>,
    /// The result of listing the target before anything was submitted.
    pub survey: Option<Survey>,
    /// Entries that somebody else created since the run began.
    pub others: usize,
    /// Entries that existed and were compared by name and type only.
    pub unseen: usize,
    /// Existing artifacts were compared by name and type only.
    pub by_listing: bool,
    /// The earlier invocations, if the run was resumed.
    pub earlier: Option<Earlier>,
    /// The entries that are held in memory, in the order of the walk.
    pub entries: Vec<LoggedEntry>,
    /// The outcomes of the whole run, including entries that are not held in memory.
    pub counts: Counts,
    /// The run over time.
    pub timeline: Timeline,
}

/// The invocations of a run before the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// The start of the first of them, if it is known.
    pub started: Option<Timestamp>,
    /// The outcomes of the entries that they settled, and the invalid ones.
    pub counts: Counts,
}

/// An entry and its outcome.
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
    /// Its outcome.
    pub outcome: Outcome,
    /// Its ARN.
    pub arn: Option<String>,
    /// The number of creates that were sent for it.
    pub attempts: u32,
    /// The target's name for the last of them.
    pub request_id: Option<String>,
    /// The target's refusal.
    pub error: Option<Refusal>,
}

impl LoggedEntry {
    /// Returns whether its outcome is a failure.
    #[must_use]
    pub const fn failed(&self) -> bool {
        self.outcome.is_failure()
    }
}

/// The number of entries with each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([usize; Outcome::ALL.len()]);

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome) {
        self.add_many(outcome, 1);
    }

    /// Counts `many` more.
    pub fn add_many(&mut self, outcome: Outcome, many: usize) {
        if let Some(count) = self.count(outcome) {
            *count += many;
        }
    }

    /// Counts one that came from one outcome to another.
    pub fn change(&mut self, from: Outcome, to: Outcome) {
        if let Some(count) = self.count(from) {
            *count = count.saturating_sub(1);
        }
        self.add(to);
    }

    fn count(&mut self, outcome: Outcome) -> Option<&mut usize> {
        let at = Outcome::ALL.iter().position(|one| *one == outcome)?;
        self.0.get_mut(at)
    }

    /// Returns the number of entries with this outcome.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> usize {
        Outcome::ALL.iter().position(|one| *one == outcome).map_or(0, |at| self.0[at])
    }

    /// Returns how many entries there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Returns how many failed, as [`LoggedEntry::failed`] has it.
    #[must_use]
    pub fn failed(&self) -> usize {
        Outcome::ALL.into_iter().filter(|one| one.is_failure()).map(|one| self.of(one)).sum()
    }

    /// Returns these counts without those of one outcome.
    #[must_use]
    pub fn without(mut self, outcome: Outcome) -> Self {
        if let Some(count) = self.count(outcome) {
            *count = 0;
        }
        self
    }

    /// Returns what is in these counts and was not in `earlier` ones.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut counts = *self;
        counts.0.iter_mut().zip(earlier.0).for_each(|(now, before)| {
            *now = now.saturating_sub(before);
        });
        counts
    }
}

impl RunLog {
    /// Returns the log of a run whose entries are in a journal, with these outcomes so
    /// far.
    #[must_use]
    pub fn counted(outcomes: impl Iterator<Item = Outcome>) -> Self {
        let mut counts = Counts::default();
        outcomes.for_each(|outcome| counts.add(outcome));
        Self { counts, ..Self::of(Vec::new()) }
    }

    /// Notes when this invocation began.
    pub fn begun_at(&mut self, began: std::time::SystemTime) {
        self.started = Timestamp::try_from(began).unwrap_or(self.started);
    }

    /// Counts all outcomes anew.
    pub fn recount(&mut self, outcomes: impl Iterator<Item = Outcome>) {
        self.counts = Counts::default();
        outcomes.for_each(|outcome| self.counts.add(outcome));
    }

    /// Takes in what happened at `now`, counted from the beginning of the timeline.
    pub fn event(&mut self, now: Duration, event: &Event, ledger: &mut Ledger) {
        self.timeline.event(now, event);
        match event {
            Event::Settled(settled) => {
                if let Some(before) = ledger.settle(settled.clone()) {
                    let known = settled.by_journal && settled.outcome == Outcome::Existed;
                    self.known += usize::from(known);
                    self.count(settled, before);
                }
            }
            Event::MadeByAnother(_) => self.others += 1,
            _ => {}
        }
    }

    /// Counts what became of an entry that is in a journal, and was `before`.
    pub fn count(&mut self, settled: &Settled, before: Outcome) {
        self.counts.change(before, settled.outcome);
        let unseen = self.by_listing && settled.outcome == Outcome::Existed && !settled.compared;
        self.unseen += usize::from(unseen);
    }

    /// Returns the log of a run that has come as far as `entries` say.
    #[must_use]
    pub fn of(entries: Vec<LoggedEntry>) -> Self {
        let now = Timestamp::now();
        let mut counts = Counts::default();
        entries.iter().for_each(|entry| counts.add(entry.outcome));
        Self {
            run: uuid::Uuid::now_v7().to_string(),
            kind: RunKind::Import,
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
            earlier: None,
            entries,
            counts,
            timeline: Timeline::default(),
        }
    }

    /// Returns the log of a run that is resumed and has these outcomes so far. Of an entry without
    /// an outcome nothing was done earlier.
    #[must_use]
    pub fn resumed(run: &StagedRun, outcomes: impl Iterator<Item = Outcome>) -> Self {
        let log = Self::counted(outcomes);
        let counts = log.counts;
        let earlier = Earlier {
            started: Timestamp::try_from(run.started).ok(),
            counts: counts.without(Outcome::Pending),
        };
        Self {
            run: run.id.clone(),
            kind: run.kind,
            target: Some(run.target.clone()),
            earlier: Some(earlier),
            ..log
        }
    }

    /// Ends the log of a run that began to submit at `began`.
    pub fn finish(&mut self, began: Option<Instant>) {
        self.ended = Timestamp::now();
        self.sending = began.map(|began| began.elapsed()).unwrap_or_default();
    }

    /// Returns the outcomes of the whole run.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns how many entries came to which end in this invocation, those that are left included.
    #[must_use]
    pub fn counts_now(&self) -> Counts {
        self.earlier.map_or(self.counts, |earlier| self.counts.since(&earlier.counts))
    }

    /// Returns the artifacts created or deleted a second while this invocation sent; `None` where none
    /// was.
    #[must_use]
    pub fn done_a_second(&self) -> Option<f64> {
        let done = self.counts_now().of(self.kind.outcome());
        let seconds = self.sending.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = done as f64 / seconds;
        (done > 0 && seconds > 0.0).then_some(rate)
    }

    /// Returns how long this invocation took.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.ended.duration_since(self.started).try_into().unwrap_or_default()
    }

    /// Returns when the run began: with its first invocation.
    #[must_use]
    pub fn run_started(&self) -> Timestamp {
        self.earlier.and_then(|earlier| earlier.started).unwrap_or(self.started)
    }
}
