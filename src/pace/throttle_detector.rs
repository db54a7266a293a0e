//! Distinguishes a stray throttle from a rate that is too high, by the share of throttled requests.
//!
//! In: answers. Out: whether too many of the last ones were throttles. It is a running score in the
//! manner of CUSUM: a throttle adds one, an accepted request takes a little off, and the score never
//! falls below zero. One throttle in a hundred is tolerated; three in a hundred add up, however slowly.

/// The decrement for an accepted request: a lower share of throttles never adds up.
const SHARE: f64 = 0.022;
/// The same in slow start, where a rate that is too high has a third of the requests throttled or more.
const SHARE_IN_SLOW_START: f64 = 0.3;
/// The score that ends slow start.
const ENOUGH_IN_SLOW_START: f64 = 3.0;
/// The rate up to which a single throttle is enough. Strays come with requests, so more of them come
/// close together at a higher rate; at a lower one there is no time to wait for more.
const SINGLE: f64 = 4.0;
/// The growth of the threshold with each doubling of the rate.
const PER_DOUBLING: f64 = 0.6;

/// The significance of a throttle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// The rate doubles: it is too high soon, and plainly.
    SlowStart,
    /// The rate is above what was measured: it is expected to be too high.
    Probe,
    /// The rate is one that was accepted before.
    Hold,
}

/// The score of the throttles since the rate was cut last.
#[derive(Debug, Default)]
pub(super) struct ThrottleDetector {
    score: f64,
}

impl ThrottleDetector {
    /// Records that a request was accepted.
    pub(super) fn accepted(&mut self, suspicion: Suspicion) {
        let share = if suspicion == Suspicion::SlowStart { SHARE_IN_SLOW_START } else { SHARE };
        self.score = (self.score - share).max(0.0);
    }

    /// Records that a request was throttled while sending at `rate`. Returns whether that is too many.
    pub(super) fn throttled(&mut self, suspicion: Suspicion, rate: f64) -> bool {
        self.score += 1.0;
        // A few accepted requests between two throttles are no matter.
        self.score > enough(suspicion, rate) - 0.1
    }

    /// Returns whether nothing is left of the suspicion.
    pub(super) fn is_calm(&self) -> bool {
        self.score <= 0.0
    }

    /// Forgets all throttles.
    pub(super) const fn reset(&mut self) {
        self.score = 0.0;
    }
}

/// Returns how many throttles close together mean that the rate is too high.
fn enough(suspicion: Suspicion, rate: f64) -> f64 {
    let some = ((rate / SINGLE).log2() * PER_DOUBLING).max(1.0);
    match suspicion {
        Suspicion::SlowStart => ENOUGH_IN_SLOW_START,
        Suspicion::Probe => some,
        Suspicion::Hold => some + 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many requests of which every `every`th is throttled it says so, of ten thousand.
    fn after(every: u32, rate: f64) -> Option<u32> {
        let mut detector = ThrottleDetector::default();
        (1..10_000).find(|at| {
            if at % every == 0 {
                return detector.throttled(Suspicion::Hold, rate);
            }
            detector.accepted(Suspicion::Hold);
            false
        })
    }

    #[test]
    fn one_in_a_hundred_is_tolerated_and_one_in_five_is_not() {
        for rate in [2.0, 10.0, 50.0, 500.0] {
            assert_eq!(after(100, rate), None, "{rate}");
            assert!(after(5, rate).is_some_and(|requests| requests < 40), "{rate}");
            assert!(after(2, rate).is_some_and(|requests| requests < 20), "{rate}");
        }
    }
}
