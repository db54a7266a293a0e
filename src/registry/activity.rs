//! The latest requests to a registry, and their outcomes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::faults::FaultKind;
use super::names::NAMES;

/// Seconds of which rates are kept.
pub(super) const SECONDS: usize = 60;
/// Seconds that a rate is the mean of: whole ones, without the current one.
const RATE_SECONDS: usize = 10;
/// The number of unsuccessful requests that are kept.
const RECENT: usize = 50;

/// Counts requests by operation and outcome.
#[derive(Debug)]
pub(super) struct Activity {
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// One for each of [`NAMES`], and one for what is none of them.
    operations: [Counts; NAMES.len() + 1],
    recent: VecDeque<Trouble>,
}

#[derive(Debug, Clone)]
struct Counts {
    answered: u64,
    refused: u64,
    throttled: u64,
    limited: u64,
    faulted: u64,
    failed: u64,
    /// Requests by second, in a ring; the newest is that of `second`.
    ring: [u32; SECONDS],
    second: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            answered: 0,
            refused: 0,
            throttled: 0,
            limited: 0,
            faulted: 0,
            failed: 0,
            ring: [0; SECONDS],
            second: 0,
        }
    }
}

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    /// With this code.
    Refused(&'static str),
    Throttled,
    Limited,
    /// On request.
    Faulted(FaultKind),
    /// The registry's own fault.
    Failed,
}

/// A request that did not go well.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Trouble {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) operation: &'static str,
    pub(super) outcome: &'static str,
    /// The code of the answer, or the kind of the fault.
    pub(super) what: &'static str,
}

/// The activity at one moment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Snapshot {
    pub(super) uptime_seconds: u64,
    /// The operations that were requested since the start.
    pub(super) operations: Vec<OperationSnapshot>,
    /// The newest first.
    pub(super) recent: Vec<Trouble>,
}

/// The activity of one operation.
#[derive(Debug, Clone, Serialize)]
pub(super) struct OperationSnapshot {
    pub(super) operation: &'static str,
    pub(super) answered: u64,
    pub(super) refused: u64,
    pub(super) throttled: u64,
    pub(super) limited: u64,
    pub(super) faulted: u64,
    pub(super) failed: u64,
    /// Requests a second, as the mean of the last ten whole seconds.
    pub(super) per_second: f64,
    /// Requests by second, the oldest first; the last second is the current one.
    pub(super) by_second: Vec<u32>,
}

impl Activity {
    pub(super) fn new(started: Instant) -> Self {
        Self { started, state: Mutex::default() }
    }

    /// Counts a request.
    pub(super) fn record(
        &self,
        operation: Option<&'static str>,
        outcome: Outcome,
        now: Instant,
        wall_millis: i64,
    ) {
        let second = self.second(now);
        let at = place(operation);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = &mut state.operations[at];
        counts.advance(second);
        counts.ring[ring_place(counts.second)] += 1;
        let (name, what) = match outcome {
            Outcome::Answered => {
                counts.answered += 1;
                return;
            }
            Outcome::Refused(code) => {
                counts.refused += 1;
                ("refused", code)
            }
            Outcome::Throttled => {
                counts.throttled += 1;
                ("throttled", "ThrottlingException")
            }
            Outcome::Limited => {
                counts.limited += 1;
                ("limited", "ResourceLimitExceeded")
            }
            Outcome::Faulted(kind) => {
                counts.faulted += 1;
                ("faulted", kind.name())
            }
            Outcome::Failed => {
                counts.failed += 1;
                ("failed", "InternalFailure")
            }
        };
        if state.recent.len() == RECENT {
            state.recent.pop_back();
        }
        let operation = operation.unwrap_or(OTHER);
        state.recent.push_front(Trouble { at: wall_millis, operation, outcome: name, what });
    }

    /// Returns the activity at `now`.
    pub(super) fn snapshot(&self, now: Instant) -> Snapshot {
        let second = self.second(now);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let names = NAMES.into_iter().chain([OTHER]);
        let operations = names.zip(&state.operations).filter(|(_, counts)| counts.total() > 0);
        Snapshot {
            uptime_seconds: now.saturating_duration_since(self.started).as_secs(),
            operations: operations
                .map(|(name, counts)| counts.clone().snapshot(name, second))
                .collect(),
            recent: state.recent.iter().cloned().collect(),
        }
    }

    /// Returns the seconds since the start, plus [`SECONDS`] so that the ring is older than
    /// anything in it.
    fn second(&self, now: Instant) -> u64 {
        let since: Duration = now.saturating_duration_since(self.started);
        since.as_secs() + SECONDS as u64
    }
}

/// The name for everything that is no operation of the registry.
pub(super) const OTHER: &str = "anything else";

fn place(operation: Option<&str>) -> usize {
    NAMES.iter().position(|name| Some(*name) == operation).unwrap_or(NAMES.len())
}

fn ring_place(second: u64) -> usize {
    usize::try_from(second % SECONDS as u64).unwrap_or_default()
}

impl Counts {
    const fn total(&self) -> u64 {
        self.answered + self.refused + self.throttled + self.limited + self.faulted + self.failed
    }

    /// Makes `second` the newest, and empties those between.
    fn advance(&mut self, second: u64) {
        let from = self.second.max(second.saturating_sub(SECONDS as u64));
        for passed in from..second {
            self.ring[ring_place(passed + 1)] = 0;
        }
        self.second = self.second.max(second);
    }

    fn snapshot(mut self, operation: &'static str, second: u64) -> OperationSnapshot {
        self.advance(second);
        let oldest = self.second + 1;
        let by_second: Vec<u32> =
            (0..SECONDS as u64).map(|at| self.ring[ring_place(oldest + at)]).collect();
        let whole = &by_second[SECONDS - 1 - RATE_SECONDS..SECONDS - 1];
        #[expect(clippy::cast_precision_loss, reason = "ten")]
        let per_second = f64::from(whole.iter().sum::<u32>()) / RATE_SECONDS as f64;
        OperationSnapshot {
            operation,
            answered: self.answered,
            refused: self.refused,
            throttled: self.throttled,
            limited: self.limited,
            faulted: self.faulted,
            failed: self.failed,
            per_second,
            by_second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_whole_seconds_and_are_forgotten_after_a_minute() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let activity = Activity::new(start);
        for millis in (0..20_000).step_by(100) {
            activity.record(Some("ListTags"), Outcome::Answered, at(millis), 0);
        }
        let rates = |millis| {
            let snapshot = activity.snapshot(at(millis));
            let one = snapshot.operations[0].clone();
            (one.operation, one.answered, one.per_second, one.by_second.iter().sum::<u32>())
        };
        assert_eq!(rates(19_999), ("ListTags", 200, 10.0, 200));
        assert_eq!(rates(20_500), ("ListTags", 200, 10.0, 200));
        assert_eq!(rates(25_000), ("ListTags", 200, 5.0, 200));
        assert_eq!(rates(70_000), ("ListTags", 200, 0.0, 90));
        assert_eq!(rates(900_000), ("ListTags", 200, 0.0, 0));
    }

    #[test]
    fn the_newest_trouble_is_first_and_no_more_than_some_is_kept() {
        let start = Instant::now();
        let activity = Activity::new(start);
        activity.record(None, Outcome::Refused("UnknownOperationException"), start, 1);
        let hang = "hang=1".parse::<crate::registry::Fault>().unwrap().kind;
        for wall in 2..100 {
            activity.record(Some("AddTags"), Outcome::Faulted(hang), start, wall);
        }
        let snapshot = activity.snapshot(start);
        assert_eq!(snapshot.recent.len(), RECENT);
        let newest = &snapshot.recent[0];
        assert_eq!((newest.at, newest.operation, newest.what), (99, "AddTags", "hang"));
        let other = snapshot.operations.last().unwrap();
        assert_eq!((other.operation, other.refused), (OTHER, 1));
    }
}
