//! Counts the requests that were accepted from one throttle to the next.
//!
//! A request that is throttled means that the service's token bucket is empty. Between two moments at
//! which it is empty, what was accepted is what flowed in: the allowed rate times the time between,
//! give or take one request. Where the bucket was full in between, what flowed over is missing, and
//! the number is a lower bound. In: answers, by when their requests were sent. Out: a [`Flow`].

use std::collections::VecDeque;
use std::time::Instant;

/// The assumed capacity of a bucket that was full at first, in seconds of the allowed rate.
const DEPTH: f64 = 1.0;

/// The requests that were allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flow {
    /// In requests a second.
    pub(super) rate: f64,
    /// The number of accepted requests.
    pub(super) requests: f64,
    /// True if the bucket was empty at the beginning.
    pub(super) exact: bool,
}

/// The outcomes of the requests of some period.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) accepted: f64,
    pub(super) throttled: f64,
}

/// Counts what was accepted since the bucket was last known to be empty.
#[derive(Debug)]
pub(super) struct Measure {
    /// When counting began.
    since: Instant,
    /// True if the bucket was empty then.
    empty: bool,
    accepted: f64,
    /// Answers that are not counted yet, because earlier ones may still come.
    recent: VecDeque<(Instant, bool)>,
}

impl Measure {
    /// Begins to count at `start`, with a bucket that is full.
    pub(super) const fn new(start: Instant) -> Self {
        Self { since: start, empty: false, accepted: 0.0, recent: VecDeque::new() }
    }

    /// Takes the answer to the request sent at `sent` into account.
    pub(super) fn answered(&mut self, sent: Instant, accepted: bool) {
        self.recent.push_back((sent, accepted));
    }

    /// Counts what was sent before `until`: all answers to it have come.
    pub(super) fn settle(&mut self, until: Instant) {
        while let Some((sent, accepted)) = self.recent.pop_front_if(|(sent, _)| *sent < until) {
            if accepted && sent >= self.since {
                self.accepted += 1.0;
            }
        }
    }

    /// Begins anew: the bucket was empty for requests sent at `at`.
    pub(super) const fn emptied(&mut self, at: Instant) {
        (self.since, self.empty, self.accepted) = (at, true, 0.0);
    }

    /// Begins anew: the bucket may be full for requests sent at `at`.
    pub(super) const fn filled(&mut self, at: Instant) {
        (self.since, self.empty, self.accepted) = (at, false, 0.0);
    }

    /// Returns how the requests came out that were sent from `begin` until `end`, of those that are
    /// not settled.
    pub(super) fn counts(&self, begin: Instant, end: Instant) -> Counts {
        let mut counts = Counts::default();
        for (_, accepted) in self.recent.iter().filter(|(sent, _)| (begin..end).contains(sent)) {
            *(if *accepted { &mut counts.accepted } else { &mut counts.throttled }) += 1.0;
        }
        counts
    }

    /// Returns what flowed in until `begin`, when the bucket was empty again.
    pub(super) fn until(&self, begin: Instant) -> Flow {
        let accepted = self.accepted + self.counts(self.since, begin).accepted;
        let depth = if self.empty { 0.0 } else { DEPTH };
        let seconds = (seconds(self.since, begin) + depth).max(1e-3);
        Flow { rate: accepted / seconds, requests: accepted, exact: self.empty }
    }
}

impl Counts {
    /// Returns the share of requests that were throttled.
    pub(super) fn throttled_share(self) -> f64 {
        self.throttled / (self.accepted + self.throttled).max(1.0)
    }
}

/// Returns the seconds from one moment to a later one.
pub(super) fn seconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn between_two_empty_moments_what_was_accepted_is_the_rate() {
        let start = Instant::now();
        let after = |millis: u64| start + Duration::from_millis(millis);
        let mut measure = Measure::new(start);
        // A full bucket of ten and ten a second for nine seconds, answered out of order.
        for at in 0..100 {
            measure.answered(after((at ^ 1) * 90), true);
        }
        measure.settle(after(5000));
        let flow = Flow { rate: 10.0, requests: 100.0, exact: false };
        assert_eq!(measure.until(after(9000)), flow);
        measure.emptied(after(9000));
        measure.answered(after(8999), true);
        for at in 0..50 {
            measure.answered(after(9000 + at * 100), true);
            measure.answered(after(9000 + at * 100), false);
        }
        let flow = Flow { rate: 10.0, requests: 50.0, exact: true };
        assert_eq!(measure.until(after(14_000)), flow);
        let counts = measure.counts(after(9000), after(10_000));
        assert_eq!(counts, Counts { accepted: 10.0, throttled: 10.0 });
        assert!((counts.throttled_share() - 0.5).abs() < f64::EPSILON);
    }
}
