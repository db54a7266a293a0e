//! What answers tell of the rate that is allowed.
//!
//! A rejection for reasons of rate means that the service's bucket is empty. Between two moments at
//! which it is empty, what was accepted is what flowed in: the allowed rate times the time between,
//! give or take one request. Where the bucket was full in between, what flowed over is missing, and
//! the number is a lower bound. In: answers, by when their requests were sent. Out: a [`Range`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Moments that are kept.
const MARKS: usize = 5;
/// Accepted requests since such a moment below which it tells nothing.
const FEW: f64 = 4.0;
/// A share of rejections that strays alone can reach.
const STRAYS: f64 = 0.05;

/// Where the allowed rate is, in requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
    /// How many requests it rests on.
    pub(super) requests: f64,
}

/// Requests that met the limit together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    /// When the first that was rejected was sent.
    pub(super) begin: Instant,
    /// The rate then, in requests a second.
    pub(super) rate: f64,
}

/// How the requests of some time came out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) accepted: f64,
    pub(super) rejected: f64,
}

/// A moment at which it is known how full the bucket was.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// When it was empty, or would have been to be as full as it was.
    at: Instant,
    /// Requests count that were sent from then on.
    from: Instant,
    accepted: f64,
    /// Whether the bucket may have been full since.
    full: bool,
    /// Whether it may have been by the time the flight began.
    full_before: bool,
}

impl Mark {
    const fn new(at: Instant, from: Instant, full: bool) -> Self {
        Self { at, from, accepted: 0.0, full, full_before: full }
    }
}

/// What was accepted and rejected since the bucket was last known to be empty.
#[derive(Debug)]
pub(super) struct Evidence {
    marks: Vec<Mark>,
    /// Answers that are not counted in the marks yet, because earlier ones may still come.
    recent: VecDeque<(Instant, bool)>,
    /// Seconds' worth of requests that were left unused since the last mark.
    spare: f64,
    last: Instant,
}

impl Evidence {
    /// Requests are sent from `start` on, to a bucket that is full.
    pub(super) fn new(start: Instant) -> Self {
        let mut evidence =
            Self { marks: Vec::new(), recent: VecDeque::new(), spare: 0.0, last: start };
        evidence.full(start);
        evidence
    }

    /// The request sent at `sent` was answered. The allowed rate is taken for `allowed`, and the
    /// bucket to hold `depth` seconds' worth.
    pub(super) fn answered(&mut self, sent: Instant, accepted: bool, allowed: f64, depth: f64) {
        self.recent.push_back((sent, accepted));
        if accepted {
            self.flow(sent, allowed);
            for mark in &mut self.marks {
                mark.full |= self.spare > depth;
            }
        }
    }

    fn flow(&mut self, sent: Instant, allowed: f64) {
        self.spare = (self.spare + seconds(self.last, sent) - 1.0 / allowed).max(0.0);
        self.last = self.last.max(sent);
    }

    /// All answers to requests sent before `until` have come.
    pub(super) fn settle(&mut self, until: Instant) {
        while let Some((sent, accepted)) = self.recent.pop_front_if(|(sent, _)| *sent < until) {
            for mark in self.marks.iter_mut().filter(|mark| accepted && sent >= mark.from) {
                mark.accepted += 1.0;
            }
        }
    }

    /// The bucket may be full for requests sent at `now`, as one that was empty a second before.
    pub(super) fn full(&mut self, now: Instant) {
        let at = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        self.mark(Mark::new(at, now, true));
    }

    /// More is allowed than was thought: the bucket may have been full at any time.
    pub(super) fn doubt(&mut self) {
        for mark in &mut self.marks {
            mark.full = true;
        }
    }

    /// The bucket was empty for requests sent at `at`.
    pub(super) fn emptied(&mut self, at: Instant, allowed: f64) {
        self.mark(Mark::new(at, at, false));
        (self.spare, self.last) = (0.0, at);
        let later =
            |(sent, accepted): &(Instant, bool)| (*accepted && *sent >= at).then_some(*sent);
        for sent in self.recent.iter().filter_map(later).collect::<Vec<_>>() {
            self.flow(sent, allowed);
        }
    }

    fn mark(&mut self, mark: Mark) {
        if self.marks.len() == MARKS {
            self.marks.remove(0);
        }
        self.marks.push(mark);
    }

    /// A flight begins: a request was rejected.
    pub(super) fn flight_begins(&mut self) {
        for mark in &mut self.marks {
            mark.full_before = mark.full;
        }
    }

    /// How the requests came out that were sent from `begin` until `end`.
    pub(super) fn counts(&self, begin: Instant, end: Instant) -> Counts {
        let mut counts = Counts::default();
        for (_, accepted) in self.recent.iter().filter(|(sent, _)| (begin..end).contains(sent)) {
            *(if *accepted { &mut counts.accepted } else { &mut counts.rejected }) += 1.0;
        }
        counts
    }

    /// When the last request was sent that was rejected, how many were accepted since, and in how
    /// many seconds.
    pub(super) fn since_rejection(&self) -> (Instant, f64, f64) {
        let rejected = self.recent.iter().filter(|(_, accepted)| !accepted).map(|(sent, _)| *sent);
        let rejected = rejected.max().unwrap_or(self.last);
        let later = self.recent.iter().map(|(sent, _)| *sent).filter(|sent| *sent > rejected);
        let last = later.clone().max().unwrap_or(rejected);
        (rejected, later.map(|_| 1.0).sum(), seconds(rejected, last))
    }

    /// What the time until `begin` tells, when a flight met an empty bucket: one range a mark. Each
    /// time may be off by `jitter` seconds.
    pub(super) fn until(&self, begin: Instant, jitter: f64) -> impl Iterator<Item = Range> {
        self.marks.iter().filter_map(move |mark| {
            let seconds = seconds(mark.at, begin);
            let accepted = mark.accepted + self.counts(mark.from, begin.max(mark.from)).accepted;
            let high = if mark.full_before || seconds <= jitter {
                f64::INFINITY
            } else {
                (accepted + 1.0) / (seconds - jitter)
            };
            let low = (accepted - 1.0) / (seconds + jitter);
            let range = Range { low, high, requests: accepted };
            (accepted >= FEW && seconds > 0.0).then_some(range)
        })
    }
}

impl Counts {
    pub(super) fn all(self) -> f64 {
        self.accepted + self.rejected
    }

    /// The share of requests that were rejected.
    pub(super) fn rejected_share(self) -> f64 {
        self.rejected / self.all().max(1.0)
    }

    /// What `seconds` tell in which the bucket was empty from the first rejection to the last.
    pub(super) fn range(self, seconds: f64) -> Range {
        let seconds = seconds.max(1e-3);
        let noise = 1.0 + 0.5 * self.all().sqrt();
        // With so few rejections the bucket may not have been empty at all.
        let strays = if self.rejected_share() < STRAYS { STRAYS * self.all() } else { 0.0 };
        Range {
            low: ((self.accepted - noise) / seconds).max(0.0),
            high: (self.accepted + noise + strays) / seconds,
            requests: self.accepted,
        }
    }
}

impl Range {
    /// What both tell. Where they contradict each other the rate has changed, and this is the newer.
    pub(super) fn and(self, older: Self) -> Self {
        if older.low > self.high || older.high < self.low {
            return self;
        }
        Self {
            low: self.low.max(older.low),
            high: self.high.min(older.high),
            requests: self.requests.max(older.requests),
        }
    }

    pub(super) fn middle(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    /// What is nearest to `rate` and within the range.
    pub(super) fn nearest(self, rate: f64) -> f64 {
        rate.max(self.low).min(self.high)
    }
}

/// Seconds from one moment to a later one.
pub(super) fn seconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn between_two_empty_moments_what_was_accepted_is_the_rate() {
        let start = Instant::now();
        let mut evidence = Evidence::new(start);
        evidence.emptied(start, 10.0);
        // Ten a second for ten seconds, answered out of order.
        for at in 0..100 {
            evidence.answered(after(start, (at ^ 1) * 100), true, 10.0, 1.0);
        }
        evidence.settle(after(start, 5000));
        evidence.flight_begins();
        let range = evidence.until(after(start, 10_000), 0.0).last().unwrap();
        assert!(range.low > 9.8 && range.low < 10.0, "{range:?}");
        assert!(range.high > 10.0 && range.high < 10.2, "{range:?}");
        // Five a second leave a second's worth unused within two: a lower bound.
        for at in 0..50 {
            evidence.answered(after(start, 10_000 + at * 200), true, 10.0, 1.0);
        }
        evidence.flight_begins();
        let range = evidence.until(after(start, 20_000), 0.0).last().unwrap();
        assert!(range.low < 7.6 && range.high.is_infinite(), "{range:?}");
    }

    #[test]
    fn newer_evidence_wins_where_they_contradict() {
        let newer = Range { low: 4.0, high: 6.0, requests: 10.0 };
        let older = Range { low: 9.0, high: 11.0, requests: 90.0 };
        assert_eq!(newer.and(older), newer);
        let both = newer.and(Range { low: 5.0, high: f64::INFINITY, requests: 20.0 });
        assert_eq!(both, Range { low: 5.0, high: 6.0, requests: 20.0 });
    }
}
