//! Whether the service's bucket holds more than a single token.
//!
//! Two requests that leave at once tell: a bucket of one rejects the second. It is tried before the
//! rate climbs, when the bucket had time to fill, until a pair was accepted. In: what left and what
//! was answered. Out: [`Depth::is_shallow`].

use std::time::{Duration, Instant};

use super::evidence::seconds;

/// At less than this many requests a second a bucket of a second's worth is hardly deeper than one.
const LEAST_RATE: f64 = 3.0;
/// Farther apart than so much of a period, two requests are no pair.
const APART: f64 = 0.5;

#[derive(Debug, Default)]
pub(super) struct Depth {
    shallow: Option<bool>,
    pair: Option<Pair>,
}

#[derive(Debug)]
struct Pair {
    first: Instant,
    period: Duration,
    second: Option<Instant>,
    answered: u32,
    rejected: bool,
}

impl Depth {
    /// A request leaves at `now`, at `rate` requests a second, with the bucket likely full: another
    /// goes with it unless the bucket is known to be deep.
    pub(super) fn try_pair(&mut self, now: Instant, rate: f64) {
        if self.shallow != Some(false) && rate >= LEAST_RATE {
            let period = Duration::from_secs_f64(1.0 / rate);
            self.pair =
                Some(Pair { first: now, period, second: None, answered: 0, rejected: false });
        }
    }

    /// Whether the second of a pair is to leave at once.
    pub(super) fn wants_second(&self) -> bool {
        self.pair.as_ref().is_some_and(|pair| pair.second.is_none())
    }

    /// A request left at `now`.
    pub(super) fn left(&mut self, now: Instant) {
        let Some(pair) = &mut self.pair else { return };
        if pair.second.is_none() {
            pair.second = Some(now);
            if seconds(pair.first, now) > APART * pair.period.as_secs_f64() {
                self.pair = None;
            }
        }
    }

    /// The answer to the request sent at `sent`. Whether it is of a pair.
    pub(super) fn answered(&mut self, sent: Instant, accepted: bool) -> bool {
        let Some(pair) = &mut self.pair else { return false };
        if sent != pair.first && Some(sent) != pair.second {
            return false;
        }
        pair.answered += 1;
        pair.rejected |= !accepted;
        if pair.rejected {
            self.shallow = Some(true);
        }
        if pair.answered == 2 {
            self.shallow = Some(pair.rejected);
            self.pair = None;
        }
        true
    }

    /// Whether the bucket holds a single token, as far as is known.
    pub(super) fn is_shallow(&self) -> bool {
        self.shallow == Some(true)
    }

    /// Seconds' worth of requests that the bucket is taken to hold, at a rate of `rate`.
    pub(super) fn seconds(&self, rate: f64) -> f64 {
        match self.shallow {
            Some(true) => 0.0,
            Some(false) => 1.0,
            None if rate < 5.0 => 1.0 / rate.max(1.0),
            None => 1.0,
        }
    }
}
