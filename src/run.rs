//! The engine: valid entries to a target, none lost, none doubled, no faster than allowed.
//!
//! In: entries, a [`Service`](crate::service::Service), a [`Pace`]. Out: [`Event`](crate::event::Event)s, and how the run
//! ended. What to do next is decided in `state`, which is pure: it is told what time it is and what
//! was answered, and says what to do. `drive` does it. It prints nothing.

mod asker;
mod backoff;
pub mod change;
mod drive;
mod lookup;
mod state;
mod survey;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub use asker::{Asker, Unanswered};
pub use drive::{Stop, run};
pub use lookup::{is_unchanged, seen_differences};
pub use survey::{Survey, key_of, survey, survey_pays, worth_it};

use crate::artifact::{Artifact, Difference, Stamp};
use crate::check::EntryId;
use crate::event::Cause;
use crate::journal::{Known, Outcomes};
use crate::pace::Pace;
use crate::service::Found;
use crate::submission::Refusal;
use change::{Drift, OnExists};

/// How often expired credentials are tried again.
const CREDENTIALS: Duration = Duration::from_secs(30);

/// An entry to submit.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number in the run.
    pub entry: EntryId,
    /// What the manifest says.
    pub artifact: Arc<Artifact>,
    /// What the journal knows to be there.
    pub known: Option<KnownThere>,
    /// Where to begin with it.
    pub start: Start,
}

/// What is known before anything is asked about what the target has at the source of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownThere {
    /// How it differs from what the manifest says, as it was settled last.
    pub differences: Vec<Difference>,
    /// When it was changed last, by the target's clock, if that was ever seen.
    pub modified: Option<SystemTime>,
    /// Whether a run with this journal created it.
    pub made: bool,
}

impl KnownThere {
    /// What `known` tells of what is there where `wanted` is to be; `None` where it was seen to differ,
    /// and not how. What `stamp` sets is no difference.
    #[must_use]
    pub fn by_journal(known: &Known, wanted: &Artifact, stamp: &Stamp) -> Option<Self> {
        known.digest?;
        let there = known.artifact();
        Some(Self {
            differences: there
                .map_or_else(Vec::new, |there| change::differences(wanted, &there, stamp)),
            modified: known.modified,
            made: known.made,
        })
    }
}

/// Where to begin with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// By creating it.
    Create,
    /// By asking what is at its source: nothing but that tells.
    Ask,
    /// An earlier run made an attempt at that time of which no answer is known. It is looked up and
    /// settled, and never created: whether it is still wanted, today's manifests say.
    Open(SystemTime),
    /// It is there under this ARN.
    There(String),
    /// A listing showed it.
    Listed(Box<Found>),
    /// A listing showed that its name belongs to another source.
    Taken(Box<Found>),
}

/// How to submit.
#[derive(Debug)]
pub struct Options {
    /// The rate of creates.
    pub pace: Pace,
    /// The rate of look-ups.
    pub look_up_pace: Pace,
    /// Requests that may be under way at once, at most; a pace that follows the service allows fewer
    /// where its rate and the latency call for fewer.
    pub concurrency: usize,
    /// How long a limit, or a target that cannot be reached, is waited for.
    pub patience: Duration,
    /// How long after an attempt whose answer was lost it may still take effect.
    pub settle: Duration,
    /// The seed of the jitter.
    pub seed: u64,
    /// What is to become of what is there already.
    pub on_exists: OnExists,
    /// What of it is compared in every field.
    pub drift: Drift,
    /// What every artifact is created with besides.
    pub stamp: Arc<Stamp>,
    /// Entries that may fail: with so many, the run stops.
    pub max_errors: Option<usize>,
    /// When the run stops, however far it has come.
    pub until: Option<Instant>,
    /// When the run began, by this machine's clock.
    pub began: SystemTime,
    /// Where every attempt is noted before it is made; `None` where nothing is kept.
    pub journal: Option<Outcomes>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every entry was settled.
    Done,
    /// The limit, the way to the target or the credentials did not come back within the patience.
    OutOfPatience {
        /// What was waited for.
        cause: Cause,
        /// What was said last.
        refusal: Refusal,
    },
    /// The caller may not do this at all.
    Denied {
        /// The action that is missing, as IAM names it.
        action: &'static str,
        /// What was said.
        refusal: Refusal,
    },
    /// An attempt could not be noted, so it was not made.
    Unnoted {
        /// Why.
        reason: String,
    },
    /// More entries failed than may.
    TooManyErrors {
        /// How many.
        errors: usize,
    },
    /// It took as long as it may.
    OutOfTime,
    /// A signal asked for it.
    Interrupted {
        /// Its number.
        signal: u8,
        /// Whether what was under way was waited for.
        drained: bool,
    },
}

#[cfg(test)]
mod tests;
