//! A run: entries to a target, nothing lost, nothing duplicated, no faster than allowed.
//!
//! In: staged entries, a [`Service`](crate::service::Service), the journal. Out:
//! [`Event`](crate::event::Event)s, and how the run ended. `decide` chooses the next step of an
//! entry; import, resume and plan all use it. `state` is pure: it takes the time and the responses,
//! and returns the next action; `drive` carries it out. `record` is the journal's side: an intent
//! before every create, an outcome after it, before anybody else hears of it. Nothing here prints.

mod answers;
mod asker;
pub mod change;
mod decide;
mod drive;
mod entry;
mod jobs;
mod ledger;
mod pages;
mod record;
mod retry;
mod stage;
mod state;
pub mod stop;
mod submit;
mod survey;
mod undo;
mod unknown;

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

pub use answers::says_exists;
pub use asker::{Asker, Unanswered};
pub use decide::{
    Attempt, Decision, Known, Observation, Policy, There, Verdict, decide, is_unchanged,
};
pub use drive::run;
pub use entry::Job;
pub use jobs::Jobs;
pub use ledger::{Ledger, Line};
pub use record::{Record, is_unknown, job, known, open_job, unknown};
pub use stage::{Place, Stage, Staged};
pub use stop::Stop;
pub use submit::{Submitted, settle_open, submit};
pub use survey::{Listed, Survey, key_of, survey, survey_into, survey_pays};
pub use undo::settle_deletions;
pub use unknown::Unknown;

use crate::artifact::Key;
use crate::event::{Cause, Observer, Settled};
use crate::exit::Exit;
use crate::pace::Paces;
use crate::submission::{Class, Refusal};

/// The outcomes of attempts that earlier runs left open, by source.
pub type Resolved = HashMap<Key, Settled>;

/// The options of submitting.
#[derive(Debug)]
pub struct Options {
    /// The rate of each operation.
    pub paces: Paces,
    /// Requests that may be in flight at once, at most; a pace that follows the service allows
    /// fewer where its rate and the latency call for fewer.
    pub concurrency: usize,
    /// The time to wait for a limit, or a target that cannot be reached.
    pub patience: Duration,
    /// The time after which an attempt that was sent, and answered or given up, may still take
    /// effect and stay unseen: no second create is sent before.
    pub settle: Duration,
    /// The maximum lag of reads behind writes. Zero for the embedded registry.
    pub read_lag: Duration,
    /// The seed of the jitter.
    pub seed: u64,
    /// The policy for artifacts that already exist.
    pub policy: Policy,
    /// The number of failed entries at which the run stops.
    pub max_errors: Option<usize>,
    /// The time at which the run stops, whatever is left.
    pub until: Option<Instant>,
    /// The time when the run began, by this machine's clock.
    pub began: SystemTime,
    /// Sees each request when it is answered.
    pub observer: Observer,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every entry was settled.
    Done,
    /// The limit was not lifted, the target not reachable or the credentials not valid within the
    /// patience.
    OutOfPatience {
        /// The cause of the pause.
        cause: Cause,
        /// The last response of the service.
        refusal: Refusal,
    },
    /// The caller is not allowed to do this.
    Denied {
        /// The IAM actions that are missing.
        action: &'static str,
        /// The response of the service.
        refusal: Refusal,
    },
    /// No further request can succeed, as the class of the refusal says: clock skew, an unusable
    /// configuration, or credentials that cannot be refreshed.
    Unable {
        /// The response of the service, or the error of the client.
        refusal: Refusal,
    },
    /// The first entries were all rejected with the same error, and none succeeded.
    RefusedAlike {
        /// The number.
        count: usize,
        /// The error.
        refusal: Refusal,
    },
    /// An attempt could not be written to the journal, so it was not made.
    NotRecorded {
        /// The reason.
        reason: String,
    },
    /// More entries failed than allowed.
    TooManyErrors {
        /// The number.
        errors: usize,
    },
    /// The time limit was reached.
    OutOfTime,
    /// A signal asked for it.
    Interrupted {
        /// Its number.
        signal: u8,
        /// True if what was in flight was waited for.
        drained: bool,
    },
}

impl End {
    /// Returns how the run ended, in a word or two.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::OutOfPatience { cause, .. } => cause.stopped(),
            Self::Denied { .. } => "stopped: denied",
            Self::Unable { refusal } => match refusal.class {
                Class::ClockOff => "stopped: clock skew",
                Class::ExpiredForGood => "stopped: credentials expired",
                _ => "stopped: cannot send requests",
            },
            Self::RefusedAlike { .. } => "stopped: every entry was rejected",
            Self::NotRecorded { .. } => "stopped: cannot write the journal",
            Self::TooManyErrors { .. } => "stopped: too many errors",
            Self::OutOfTime => "stopped: time limit",
            Self::Interrupted { .. } => "interrupted",
        }
    }

    /// Returns the exit code. `taken` is true if the target accepted a write before.
    #[must_use]
    pub fn exit(&self, taken: bool) -> Exit {
        match self {
            Self::Done => Exit::Success,
            Self::Interrupted { signal, .. } => Exit::Signal(*signal),
            Self::Unable { refusal } if refusal.is_unsent() && !taken => Exit::Usage,
            _ => Exit::Stopped,
        }
    }
}

#[cfg(test)]
mod tests;
