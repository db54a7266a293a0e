//! A rate that is led by the share of rejections alone.
//!
//! Where the service keeps no bucket that fills steadily, times between rejections tell nothing: a
//! bucket of one token rejects whatever comes a little early, and a limit by the clock's second
//! rejects all of a second's end. What holds for both is that the share of rejections grows with the
//! rate, and that the most comes through where it is a little over nothing. So each answer moves the
//! rate by so much that it rests where that share is rejected. In: answers. Out: the rate.

use std::time::Instant;

use super::evidence::seconds;
use super::excess::{Excess, Suspicion};

/// The share of rejections that is held.
const AIM: f64 = 0.009;
/// By how much a rejection lowers the rate at most, as a share of it.
const STEP: f64 = 0.015;
/// By how much all that are met in the time until what the rate does shows.
const GAIN: f64 = 0.05;
/// Answers over which the share of rejections is taken.
const MEMORY: f64 = 20.0;
/// A share of rejections over that time that is no bad luck.
const PLAIN: f64 = 0.12;
/// Seconds without a rejection after which the rate grows faster and faster.
const PATIENCE: f64 = 3.0;
/// By how much it grows in a second at first, as a share of it. Each rejection halves that.
const SEARCH: f64 = 0.08;
/// Where room is left to others, seconds in which the limit is felt for, and seconds until the next
/// time.
const ROUND: (f64, f64) = (10.0, 60.0);

#[derive(Debug)]
pub(super) struct Track {
    rate: f64,
    /// What of it is kept while the limit is not felt for.
    keep: f64,
    /// Since when it is, and whether that is over.
    round: Instant,
    rests: bool,
    /// Rejections meanwhile.
    excess: Excess,
    /// By how much the rate grows in a second at least.
    search: f64,
    /// The highest rate that was not plainly too high.
    anchor: f64,
    /// The share of rejections, lately.
    share: f64,
    /// Requests that were accepted since the last rejection, and when that was.
    quiet: f64,
    rejected: Instant,
}

impl Track {
    pub(super) fn new(rate: f64, keep: f64, now: Instant) -> Self {
        Self {
            rate,
            keep,
            round: now,
            rests: false,
            excess: Excess::default(),
            search: SEARCH,
            anchor: rate,
            share: 0.0,
            quiet: 0.0,
            rejected: now,
        }
    }

    pub(super) fn rate(&self) -> f64 {
        if self.rests { self.rate * self.keep } else { self.rate }
    }

    /// A request that took `latency` seconds was answered at `now`.
    pub(super) fn answered(&mut self, accepted: bool, now: Instant, latency: f64, most: f64) {
        let since = seconds(self.round, now);
        if self.rests {
            let excess = if accepted {
                self.excess.accepted(Suspicion::Hold);
                false
            } else {
                self.excess.rejected(Suspicion::Hold, self.rate)
            };
            if !excess && since < ROUND.1 {
                return;
            }
            self.excess.reset();
            (self.rests, self.round, self.quiet, self.rejected) = (false, now, 0.0, now);
        }
        self.rests = self.keep < 1.0 && since > ROUND.0 + 4.0 * latency && self.search < SEARCH;
        // What the rate does shows when the answers are there.
        let step = (GAIN / (self.rate * (latency + 0.3))).min(STEP);
        // Where less does not help it is no excess: the farther down, the more is lived with.
        let aim = AIM * (1.0 + 20.0 * (1.0 - self.rate / self.anchor)).clamp(1.0, 4.0);
        self.share -= self.share / MEMORY;
        if accepted {
            self.quiet += 1.0;
            let patience = PATIENCE + 2.0 * latency;
            let gear = (self.quiet * AIM).min(seconds(self.rejected, now) / patience);
            let growth = step * aim * gear.powi(3).clamp(1.0, 100.0);
            let search = self.search / (1.0 + 2.0 * latency) / self.rate.max(1.0);
            self.rate *= 1.0 + growth.max(search);
        } else {
            self.share += 1.0 / MEMORY;
            (self.quiet, self.rejected) = (0.0, now);
            let plain = (self.share - PLAIN).max(0.0);
            self.rate *= 1.0 - step.max(self.search / 2.0) * (1.0 + 10.0 * plain);
            self.search /= 2.0;
            if plain > 0.0 {
                self.anchor += (self.rate - self.anchor) / MEMORY;
            }
        }
        self.rate = self.rate.clamp(most * 1e-4, most);
        // What the search begins with may be far too high.
        let searching = self.search > SEARCH / 8.0;
        self.anchor = if searching { self.rate } else { self.anchor.max(self.rate) };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Where it is after 20,000 answers; `rejected` tells which are rejections, at which rate.
    fn rests(keep: f64, rejected: impl Fn(u32, f64) -> bool) -> Track {
        let mut now = Instant::now();
        let mut track = Track::new(60.0, keep, now);
        for at in 0..20_000 {
            now += Duration::from_secs_f64(1.0 / track.rate());
            track.answered(!rejected(at, track.rate()), now, 0.001, 1000.0);
        }
        track
    }

    #[test]
    fn it_rests_just_under_a_limit_from_below_and_from_above() {
        for limit in [20.0, 100.0] {
            let rate = rests(1.0, |_, rate| rate > limit).rate();
            assert!((0.93..1.01).contains(&(rate / limit)), "{limit}: {rate}");
        }
    }

    #[test]
    fn strays_that_come_at_any_rate_are_lived_with() {
        let rate = rests(1.0, |at, rate| at % 200 == 0 || rate > 100.0).rate();
        assert!(rate > 75.0, "{rate}");
        // So many keep it from growing, but it does not sink.
        let rate = rests(1.0, |at, _| at % 50 == 0).rate();
        assert!(rate > 50.0, "{rate}");
    }

    #[test]
    fn headroom_is_left_between_two_looks_at_the_limit() {
        let track = rests(0.8, |_, rate| rate > 100.0);
        assert!((70.0..=82.0).contains(&track.rate()) == track.rests, "{track:?}");
    }
}
