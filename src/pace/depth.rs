//! Whether the service's bucket holds more than a single token.
//!
//! Two requests that leave at once tell: a bucket of one rejects the second. It is tried once the
//! limit was met, after a pause in which any other bucket gains a token; where the second is rejected
//! once more, since that may be a stray. In: what left and what was answered. Out:
//! [`Depth::is_shallow`].

use std::time::{Duration, Instant};

use super::evidence::seconds;

/// Farther apart than so much of a period, two requests are no pair.
const APART: f64 = 0.5;
/// Pairs of which the second was rejected, until it is no stray.
const SURE: u32 = 2;

#[derive(Debug, Default)]
pub(super) struct Depth {
    shallow: Option<bool>,
    /// Whether the next request is the first of a pair.
    due: bool,
    pair: Option<Pair>,
    rejected: u32,
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
    /// Whether a pair is to be tried, after a pause, as the depth is not known.
    pub(super) fn wants_pair(&mut self) -> bool {
        self.due = self.shallow.is_none() && self.pair.is_none();
        self.due
    }

    /// A request leaves at `now`, at `rate` requests a second: another goes with it where a pair is
    /// to be tried.
    pub(super) fn try_pair(&mut self, now: Instant, rate: f64) {
        if std::mem::take(&mut self.due) {
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
        if pair.answered == 2 {
            if pair.rejected {
                self.rejected += 1;
            }
            self.shallow = match self.rejected {
                _ if !pair.rejected => Some(false),
                SURE => Some(true),
                _ => None,
            };
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
        // At a low rate a second's worth is hardly more than one.
        if self.shallow.is_none() && rate < 5.0 { 1.0 / rate.max(1.0) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_two_rejected_pairs_to_call_a_bucket_shallow_and_one_accepted_to_call_it_deep() {
        for (pairs, shallow) in [
            (vec![false], None),
            (vec![false, false], Some(true)),
            (vec![false, true], Some(false)),
        ] {
            let mut now = Instant::now();
            let mut depth = Depth::default();
            for accepted in pairs {
                assert!(depth.wants_pair());
                now += Duration::from_secs(1);
                depth.try_pair(now, 10.0);
                assert!(depth.wants_second());
                let second = now + Duration::from_micros(10);
                depth.left(second);
                assert!(!depth.wants_second());
                assert!(depth.answered(now, true));
                assert!(depth.answered(second, accepted));
            }
            assert_eq!(depth.shallow, shallow);
            assert_eq!(depth.wants_pair(), shallow.is_none());
        }
    }
}
