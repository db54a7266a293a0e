//! The engine: valid entries to a target, none lost, none doubled, no faster than allowed.
//!
//! In: entries, a [`Service`](crate::service::Service), a [`Pace`]. Out: [`Event`](crate::event::Event)s, and how the run
//! ended. What to do next is decided in `state`, which is pure: it is told what time it is and what
//! was answered, and says what to do. `drive` does it. It prints nothing.

mod backoff;
mod drive;
mod lookup;
mod state;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use drive::{Stop, run};

use crate::artifact::Artifact;
use crate::check::EntryId;
use crate::event::Cause;
use crate::journal::Outcomes;
use crate::pace::Pace;
use crate::submission::Refusal;

/// An entry to submit.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number in the run.
    pub entry: EntryId,
    /// What to create.
    pub artifact: Arc<Artifact>,
    /// When an earlier run made an attempt of which no answer is known. Such a job is looked up and
    /// settled, and never created: whether it is still wanted, today's manifests say.
    pub open_since: Option<SystemTime>,
    /// The fields in which what is known to be there differs, of those that a listing does not show.
    pub differences: Vec<String>,
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
    /// A signal asked for it.
    Interrupted {
        /// Its number.
        signal: u8,
    },
}

#[cfg(test)]
mod tests;
