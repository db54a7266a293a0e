//! Decides the next step of an entry.
//!
//! In: the wanted artifact, what the journal knows of its source, what the target has returned for
//! it so far, and the policy. Out: the next step, or the outcome. It is pure, and the only place
//! that decides: import, resume and plan call it after each response.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::change::{Change, Drift, OnExists, change, differences};
use crate::artifact::{Artifact, Difference, Stamp};
use crate::service::Found;
use crate::submission::{Outcome, Refusal, listed};

/// The clock skew up to which an artifact still counts as created after
/// an attempt. SigV4 refuses larger skews, at five minutes.
const SKEW: Duration = Duration::from_secs(300);

/// The rounding error of a time: the service returns milliseconds as a fraction.
const ROUNDING: Duration = Duration::from_millis(2);

/// The policy of a run for artifacts that already exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Their treatment.
    pub on_exists: OnExists,
    /// The existing artifacts that are compared in every field.
    pub drift: Drift,
    /// True if the target is asked also where the journal knows the artifact to be equal.
    pub recheck: bool,
    /// Fields that are set on every created artifact, and ignored by comparisons.
    pub stamp: Arc<Stamp>,
}

impl Policy {
    /// Returns the policy for settling attempts that earlier runs left open: an existing artifact
    /// is compared when its entry is processed again.
    #[must_use]
    pub fn of_open() -> Self {
        Self { on_exists: OnExists::Skip, drift: Drift::Never, ..Self::default() }
    }

    /// Returns whether the target is asked even if the journal knows the artifact to be equal.
    pub(super) const fn asks_always(&self) -> bool {
        self.recheck || matches!(self.drift, Drift::Always)
    }
}

/// The facts about an entry's source that are known without a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The last settled result for it, from the journal.
    pub there: Option<There>,
    /// The attempts that may have made what exists.
    pub attempt: Option<Attempt>,
    /// The failed look-up of an earlier run's attempt, if the service gave no conclusive response:
    /// then it must not be created again.
    pub unresolved: Option<Refusal>,
}

/// An artifact that the journal knows to exist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct There {
    /// True if it was settled as equal to what is wanted now.
    pub equal: bool,
    /// The differences from what is wanted now; `None` if they are not known.
    pub differences: Option<Vec<Difference>>,
    /// Its ARN.
    pub arn: Option<String>,
    /// The time when it was changed last, by the target's clock, if that was seen.
    pub modified: Option<SystemTime>,
    /// True if a run with this journal created it.
    pub made: bool,
    /// True if an attempt that an earlier run left open proved to have created it.
    pub recovered: bool,
}

/// Attempts whose effect is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The time when the first of them was made, by this machine's clock.
    pub intent: SystemTime,
    /// True if an earlier run made it. Then it is only settled: the current manifests decide
    /// whether the entry is still wanted.
    pub of_earlier_run: bool,
}

/// A response of the target about an entry's source.
#[derive(Debug, Clone, Copy)]
pub enum Observation<'s> {
    /// It was not asked.
    Unseen,
    /// Nothing exists.
    Nothing,
    /// A listing shows this.
    Listed(&'s Found),
    /// This, described with its tags.
    Whole {
        /// Its ARN.
        arn: &'s str,
        /// All of it.
        artifact: &'s Artifact,
        /// The time when it was changed last, by the target's clock.
        modified: Option<SystemTime>,
        /// True if an attempt of this journal created it, provided that it proves to be equal.
        perhaps_this_journal: bool,
    },
}

/// The next step.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Create it.
    Create,
    /// List what is at its source.
    LookUp,
    /// Describe the artifact of this ARN, with its tags.
    Compare {
        /// The ARN.
        arn: String,
        /// The time when it was changed last, by the target's clock.
        modified: Option<SystemTime>,
        /// True if an attempt of this journal created it, provided that it proves to be equal.
        perhaps_this_journal: bool,
    },
    /// Update the existing artifact; this is the outcome afterwards.
    Change(Box<(Change, Verdict)>),
    /// Nothing more: this is the outcome.
    Settle(Box<Verdict>),
}

/// The outcome of an entry, and its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// The ARN of what exists.
    pub arn: Option<String>,
    /// The fields in which it differs.
    pub differences: Vec<Difference>,
    /// True if all of it is known.
    pub compared: bool,
    /// The time when it was changed last, by the target's clock.
    pub modified: Option<SystemTime>,
    /// A message that says what is wrong.
    pub error: Option<Refusal>,
    /// True if this is from the journal.
    pub by_journal: bool,
}

impl Verdict {
    fn new(outcome: Outcome, arn: Option<String>) -> Self {
        Self {
            outcome,
            arn,
            differences: Vec::new(),
            compared: false,
            modified: None,
            error: None,
            by_journal: false,
        }
    }

    /// Notes when what exists was changed last, if it is as the manifest says.
    fn seen(mut self, modified: Option<SystemTime>) -> Self {
        self.modified = modified.filter(|_| self.outcome != Outcome::Differs);
        self
    }
}

/// Decides what is to become of the entry that wants `wanted`.
#[must_use]
pub fn decide(
    wanted: &Artifact,
    known: &Known,
    observation: Observation<'_>,
    policy: &Policy,
) -> Decision {
    if let (Some(refusal), Observation::Unseen | Observation::Nothing) =
        (&known.unresolved, observation)
    {
        let verdict = Verdict::new(Outcome::Unresolved, None);
        return settle(Verdict { error: Some(refusal.clone()), ..verdict });
    }
    match observation {
        Observation::Unseen => by_journal(known, policy),
        Observation::Nothing if known.attempt.is_some_and(|attempt| attempt.of_earlier_run) => {
            // It never took effect.
            settle(Verdict::new(Outcome::Pending, None))
        }
        Observation::Nothing => Decision::Create,
        Observation::Listed(found) => by_listing(wanted, known, found, policy),
        Observation::Whole { arn, artifact, modified, perhaps_this_journal } => {
            let there = FullArtifact { arn, artifact, modified, perhaps_this_journal };
            by_comparison(wanted, known, &there, policy)
        }
    }
}

fn settle(verdict: Verdict) -> Decision {
    Decision::Settle(Box::new(verdict))
}

fn by_journal(known: &Known, policy: &Policy) -> Decision {
    let Some(there) = &known.there else {
        return if known.attempt.is_some() { Decision::LookUp } else { Decision::Create };
    };
    let certain = there.recovered || !policy.asks_always();
    if there.equal && certain {
        let outcome = if there.recovered { Outcome::Recovered } else { Outcome::Existed };
        if let Some(refused) = refuses_existing(known, there.arn.as_ref(), policy) {
            return refused;
        }
        return settle(Verdict {
            compared: true,
            modified: there.modified,
            by_journal: true,
            ..Verdict::new(outcome, there.arn.clone())
        });
    }
    match &there.arn {
        Some(arn) if certain => refuses_existing(known, Some(arn), policy).unwrap_or_else(|| {
            Decision::Compare { arn: arn.clone(), modified: None, perhaps_this_journal: false }
        }),
        _ => Decision::LookUp,
    }
}

/// Settles an entry for which it is a failure to exist.
fn refuses_existing(known: &Known, arn: Option<&String>, policy: &Policy) -> Option<Decision> {
    let made = known.there.as_ref().is_some_and(|there| there.made || there.recovered);
    if policy.on_exists != OnExists::Fail || made {
        return None;
    }
    let error = Refusal::by_lineload("it already exists, and `--on-exists fail` is set");
    let verdict = Verdict::new(Outcome::Rejected, arn.cloned());
    Some(settle(Verdict { error: Some(error), ..verdict }))
}

fn by_listing(wanted: &Artifact, known: &Known, found: &Found, policy: &Policy) -> Decision {
    let arn = Some(found.arn.clone());
    let creator = created_by(wanted, found, known.attempt);
    if creator == CreatedBy::ThisJournal {
        return settle(Verdict { compared: true, ..Verdict::new(Outcome::Recovered, arn) });
    }
    // Within the clock skew this journal may have created it: its fields decide.
    let perhaps_this_journal = creator == CreatedBy::PerhapsThisJournal;
    if !perhaps_this_journal && let Some(refused) = refuses_existing(known, arn.as_ref(), policy) {
        return refused;
    }
    let there = known.there.as_ref();
    let unchanged = there.is_some_and(|there| is_unchanged(there, found));
    let updates = matches!(policy.on_exists, OnExists::Update { .. });
    let compares = match policy.drift {
        _ if perhaps_this_journal => true,
        Drift::Always => true,
        Drift::Unknown => !unchanged,
        Drift::Never => updates && !unchanged,
    };
    if compares {
        let (arn, modified) = (found.arn.clone(), found.modified);
        return Decision::Compare { arn, modified, perhaps_this_journal };
    }
    let mut differences = differences_by_listing(wanted, found);
    for known in there.iter().flat_map(|there| &there.differences).flatten() {
        if !differences.iter().any(|seen| seen.field == known.field) {
            differences.push(known.clone());
        }
    }
    differences.retain(|difference| !policy.stamp.covers(difference));
    let mut verdict = existing(arn, differences, false, updates).seen(found.modified);
    verdict.compared = unchanged && verdict.outcome == Outcome::Existed;
    settle(verdict)
}

struct FullArtifact<'s> {
    arn: &'s str,
    artifact: &'s Artifact,
    modified: Option<SystemTime>,
    perhaps_this_journal: bool,
}

fn by_comparison(
    wanted: &Artifact,
    known: &Known,
    there: &FullArtifact<'_>,
    policy: &Policy,
) -> Decision {
    let arn = Some(there.arn.to_owned());
    if there.artifact.identity() != wanted.identity() {
        // Whatever it is, it must not be changed.
        let error = Refusal::by_lineload("the target returned a different artifact for this ARN");
        let verdict = Verdict::new(Outcome::Unresolved, arn);
        return settle(Verdict { error: Some(error), ..verdict });
    }
    let all = wanted.differences(there.artifact);
    // A stamp that overrides the manifest leaves another value than the manifest's.
    let covered = all.iter().any(|one| one.here.is_some() && policy.stamp.covers(one));
    if known.attempt.is_some_and(|attempt| attempt.of_earlier_run) {
        // Only the earlier run knew its stamp: additional values are not compared.
        let ours = there.perhaps_this_journal && all.iter().all(|one| one.here.is_none());
        let verdict = existing(arn, Vec::new(), ours, false).seen(there.modified);
        return settle(Verdict { compared: all.is_empty(), ..verdict });
    }
    let OnExists::Update { prune } = policy.on_exists else {
        let differences = differences(wanted, there.artifact, &policy.stamp);
        let verdict =
            existing(arn, differences, there.perhaps_this_journal, false).seen(there.modified);
        let compared = verdict.outcome == Outcome::Differs || !covered;
        return settle(Verdict { compared, ..verdict });
    };
    let change = change(wanted, there.artifact, prune, &policy.stamp);
    let mut verdict = existing(arn, change.stay.clone(), there.perhaps_this_journal, true);
    // A value that stays without being in the manifest is no difference for this run, but is one
    // for a run that does not update.
    let whole = !covered && (prune || all.iter().all(|one| one.here.is_some()));
    verdict.compared = verdict.outcome == Outcome::Differs || whole;
    if change.requests() == 0 {
        return settle(verdict.seen(there.modified));
    }
    if verdict.outcome != Outcome::Differs {
        verdict.outcome = Outcome::Updated;
    }
    Decision::Change(Box::new((change, verdict)))
}

/// Returns the verdict on an existing artifact that differs in these fields.
fn existing(
    arn: Option<String>,
    differences: Vec<Difference>,
    ours: bool,
    updates: bool,
) -> Verdict {
    let (outcome, error) = match differences.as_slice() {
        [] if ours => (Outcome::Recovered, None),
        [] => (Outcome::Existed, None),
        some if updates => {
            let fields = listed(some);
            let error = format!("it differs in {fields}, which cannot be updated");
            (Outcome::Differs, Some(Refusal::by_lineload(error)))
        }
        some => (Outcome::Differs, Some(Refusal::differs(some))),
    };
    Verdict { differences, error, ..Verdict::new(outcome, arn) }
}

/// The creator of a listed artifact: an attempt of this journal, or somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CreatedBy {
    /// It has the manifest's type and name, and is not older than the attempt.
    ThisJournal,
    /// The same, but it is older than the attempt by less than clocks may differ.
    PerhapsThisJournal,
    /// Somebody else created it, or it is older than the attempt.
    Others,
}

fn created_by(wanted: &Artifact, found: &Found, attempt: Option<Attempt>) -> CreatedBy {
    let alike = found.name == wanted.name
        && found.artifact_type.as_deref() == Some(wanted.artifact_type.as_str());
    match (found.created, attempt) {
        (Some(created), Some(attempt)) if alike && created + ROUNDING >= attempt.intent => {
            CreatedBy::ThisJournal
        }
        (Some(created), Some(attempt)) if alike && created + SKEW >= attempt.intent => {
            CreatedBy::PerhapsThisJournal
        }
        _ => CreatedBy::Others,
    }
}

/// Returns the differences that a listing shows: of name and type.
fn differences_by_listing(wanted: &Artifact, found: &Found) -> Vec<Difference> {
    let mut there = wanted.clone();
    there.name.clone_from(&found.name);
    there.artifact_type = found.artifact_type.clone().unwrap_or_default();
    wanted.differences(&there)
}

/// Returns whether the journal knows that what was found is equal, and nobody has changed it since.
#[must_use]
pub fn is_unchanged(known: &There, found: &Found) -> bool {
    let millis = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH).map(|since| since.as_millis()).unwrap_or_default()
    };
    let equal = |one: SystemTime, other: SystemTime| millis(one) == millis(other);
    known.differences.as_ref().is_some_and(Vec::is_empty)
        && match (known.modified, found.modified, found.created) {
            (Some(then), Some(now), _) => equal(then, now),
            // An artifact that we created is as we created it.
            (None, Some(modified), Some(created)) => known.made && equal(modified, created),
            (_, modified, _) => modified.is_none(),
        }
}
