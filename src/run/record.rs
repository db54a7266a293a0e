//! The journal's side of a run: an intent before every create, durable before it leaves, and an
//! outcome after it, before anybody else hears of it. It is the one place that writes either.

use std::sync::Arc;
use std::time::SystemTime;

use super::change;
use super::decide::{Attempt, Decision, Known, Observation, Policy, There, decide};
use super::entry::Job;
use super::jobs::Jobs;
use super::unknown::Gathered;
use super::{Resolved, Unknown};
use crate::artifact::Artifact;
use crate::event::{Event, Settled};
use crate::journal::{
    self, Journal, JournalError, KnownEqual, Outcomes, RunId, StagedEntry, WriteError,
};
use crate::submission::{EntryId, Outcome};

/// Writes what happens to the journal.
#[derive(Debug, Clone)]
pub struct Record {
    outcomes: Option<Outcomes>,
    /// True if attempts that earlier runs left open are settled: those without a conclusive
    /// response stay open, for the next run to look up again.
    settles_open: bool,
}

impl Record {
    /// Writes to `outcomes`.
    #[must_use]
    pub const fn new(outcomes: Outcomes) -> Self {
        Self { outcomes: Some(outcomes), settles_open: false }
    }

    /// Writes to `outcomes` what became of attempts that earlier runs left open.
    #[must_use]
    pub const fn of_open(outcomes: Outcomes) -> Self {
        Self { outcomes: Some(outcomes), settles_open: true }
    }

    /// Writes nothing, for runs that only read.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { outcomes: None, settles_open: false }
    }

    /// Notes that an attempt is about to be made; it is durable once this comes back.
    pub(super) async fn intend(&self, entry: EntryId) -> Result<(), WriteError> {
        match &self.outcomes {
            Some(outcomes) => outcomes.intend(entry, SystemTime::now()).await,
            None => Ok(()),
        }
    }

    /// Notes what happened.
    pub(super) fn event(&self, event: &Event) {
        let Some(outcomes) = &self.outcomes else { return };
        match event {
            // Attempts without a conclusive response stay open.
            Event::Settled(settled)
                if self.settles_open && settled.outcome == Outcome::Unresolved => {}
            // The entry of the earlier run has that it was recovered: it was created once.
            Event::Settled(settled)
                if settled.by_journal && settled.outcome == Outcome::Recovered =>
            {
                outcomes.settled(Settled { outcome: Outcome::Existed, ..settled.clone() });
            }
            Event::Settled(settled) => outcomes.settled(settled.clone()),
            Event::Withdrawn(entry) => outcomes.withdrawn(*entry),
            _ => {}
        }
    }
}

/// The entries of a run as its journal has them, read as they are needed.
#[derive(Debug)]
pub(super) struct StagedJobs {
    outcomes: Outcomes,
    policy: Policy,
    after: Option<EntryId>,
    resolved: Arc<Resolved>,
}

impl StagedJobs {
    /// Reads the entries through `outcomes`. `resolved` is what became of what earlier runs left
    /// open, by source.
    #[must_use]
    pub(super) const fn new(outcomes: Outcomes, policy: Policy, resolved: Arc<Resolved>) -> Self {
        Self { outcomes, policy, after: None, resolved }
    }
}

impl Jobs for StagedJobs {
    async fn next(&mut self, most: usize) -> Result<(Vec<Job>, bool), WriteError> {
        let staged = self.outcomes.next(self.after, most).await?;
        let dry = staged.len() < most;
        self.after = staged.last().map(|entry| entry.id).or(self.after);
        let (policy, resolved) = (&self.policy, &self.resolved);
        Ok((staged.into_iter().map(|entry| job(entry, policy, resolved)).collect(), dry))
    }
}

/// Returns the job of a staged entry. `resolved` is what became of what earlier runs left open, by
/// source.
#[must_use]
pub fn job(entry: StagedEntry, policy: &Policy, resolved: &Resolved) -> Job {
    let earlier = resolved.get(&entry.artifact.key());
    let known = known(&entry.artifact, entry.known.as_ref(), earlier, policy);
    // A hint that cannot be read is ignored.
    let listed = entry.found.as_deref().and_then(|found| serde_json::from_str(found).ok());
    Job {
        entry: entry.id,
        artifact: Arc::new(entry.artifact),
        known,
        listed,
        deletes: entry.deletes,
    }
}

/// Returns what is known of an entry's source: by the journal, and by what became of an attempt
/// that an earlier run left open.
#[must_use]
pub fn known(
    wanted: &Artifact,
    journal: Option<&journal::Known>,
    earlier: Option<&Settled>,
    policy: &Policy,
) -> Known {
    let mut known = Known::default();
    if let Some(journal) = journal {
        let equal = journal.equals(wanted.digest());
        // Of an artifact that differed, only its existence is known, not its fields.
        let differences = if equal {
            Some(Vec::new())
        } else if journal.is_equal {
            let there = journal.artifact();
            there.map(|there| change::differences(wanted, &there, &policy.stamp))
        } else {
            None
        };
        known.there = Some(There {
            equal,
            differences,
            arn: journal.arn.clone(),
            modified: journal.modified,
            made: journal.made,
            recovered: false,
        });
    }
    let Some(earlier) = earlier else { return known };
    match earlier.outcome {
        Outcome::Unresolved => known.unresolved.clone_from(&earlier.error),
        Outcome::Pending => {}
        outcome => {
            // The artifact that an earlier attempt found still exists.
            let there = known.there.get_or_insert_default();
            there.recovered = outcome == Outcome::Recovered;
            there.arn = there.arn.take().or_else(|| earlier.arn.clone());
        }
    }
    known
}

impl Known {
    /// Returns what is known of a source whose artifact the journal knows to be equal, apart from
    /// its ARN and the time of its last change.
    #[must_use]
    pub fn equal(equal: &KnownEqual) -> Self {
        let there = There {
            equal: true,
            differences: Some(Vec::new()),
            arn: None,
            modified: None,
            made: equal.made,
            recovered: false,
        };
        Self { there: Some(there), ..Self::default() }
    }
}

/// Returns whether only the target knows if an entry exists, so that a survey of it may save
/// requests.
#[must_use]
pub fn is_unknown(wanted: &Artifact, known: &Known, policy: &Policy) -> bool {
    matches!(
        decide(wanted, known, Observation::Unseen, policy),
        Decision::Create | Decision::LookUp
    )
}

/// Returns the entries of `run` of which nothing is known, and how many are left in all.
///
/// # Errors
/// If the journal cannot be read.
pub fn unknown(
    journal: &Journal,
    run: RunId,
    policy: &Policy,
    resolved: &Resolved,
) -> Result<(Unknown, usize), JournalError> {
    /// The number of entries that are read at once.
    const MANY: usize = 1024;
    let (mut unknown, mut left, mut after) = (Gathered::default(), 0, None);
    loop {
        let next = journal.next(&run, after, MANY)?;
        after = next.last().map(|entry| entry.id).or(after);
        left += next.len();
        for entry in &next {
            let key = entry.artifact.key();
            let earlier = resolved.get(&key);
            let known = known(&entry.artifact, entry.known.as_ref(), earlier, policy);
            if is_unknown(&entry.artifact, &known, policy) {
                unknown.add(key, entry.id);
            }
        }
        if next.len() < MANY {
            return Ok((unknown.finish(|_| true), left));
        }
    }
}

/// Returns the job that settles an attempt which an earlier run left open, and creates nothing.
#[must_use]
pub fn open_job(entry: EntryId, artifact: Artifact, intent: SystemTime) -> Job {
    let attempt = Attempt { intent, of_earlier_run: true };
    let known = Known { attempt: Some(attempt), ..Known::default() };
    Job { entry, artifact: Arc::new(artifact), known, listed: None, deletes: None }
}
