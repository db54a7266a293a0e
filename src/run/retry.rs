//! The backoff before a retry.

use std::time::Duration;

/// The upper bound of the first wait.
const BASE: Duration = Duration::from_secs(1);
/// The longest wait.
const CAP: Duration = Duration::from_secs(60);
/// The shortest wait: a probe a millisecond after a refusal learns nothing new.
pub(super) const LEAST: Duration = Duration::from_millis(200);
/// The longest wait of one entry's read.
const ONE_CAP: Duration = Duration::from_secs(30);

/// Exponential backoff with full jitter, so that runs that were refused together do not come back
/// together.
#[derive(Debug)]
pub(super) struct Retry {
    tries: u32,
    rng: fastrand::Rng,
}

impl Retry {
    pub(super) fn new(seed: u64) -> Self {
        Self { tries: 0, rng: fastrand::Rng::with_seed(seed) }
    }

    /// Returns the next wait of the run as a whole.
    pub(super) fn next(&mut self) -> Duration {
        let most = BASE.saturating_mul(1 << self.tries.min(16)).min(CAP);
        self.tries = self.tries.saturating_add(1);
        most.mul_f64(self.rng.f64()).max(LEAST)
    }

    /// Resets the backoff: the target responds again.
    pub(super) const fn reset(&mut self) {
        self.tries = 0;
    }

    /// Returns the backoff of one read that failed `tries` times: between one and two seconds at
    /// first, and twice that with each retry. Each read has its own exponent: a shared one would be
    /// raised by all that are in flight at once.
    pub(super) fn of_one(&mut self, tries: u32) -> Duration {
        let first = BASE.mul_f64(1.0 + self.rng.f64());
        first.saturating_mul(1 << tries.saturating_sub(1).min(8)).min(ONE_CAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded_and_spread() {
        let mut longest = Vec::new();
        // The upper bounds, in seconds.
        let most = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60];
        for seed in 0..200 {
            let mut retry = Retry::new(seed);
            let waits: Vec<_> = (0..10).map(|_| retry.next()).collect();
            for (wait, most) in waits.iter().zip(most) {
                assert!(*wait >= LEAST && *wait <= Duration::from_secs(most), "{waits:?}");
            }
            longest.push(waits[9]);
        }
        longest.sort();
        // Full jitter: uniform between zero and the cap.
        assert!(longest[20] < Duration::from_secs(15), "{:?}", longest[20]);
        assert!(longest[180] > Duration::from_secs(45), "{:?}", longest[180]);
    }

    #[test]
    fn one_question_waits_longer_each_time_and_never_more_than_half_a_minute() {
        let mut retry = Retry::new(3);
        for (tries, (least, most)) in (1..).zip([(1, 2), (2, 4), (4, 8), (8, 16), (16, 30)]) {
            let wait = retry.of_one(tries);
            assert!(wait >= Duration::from_secs(least), "{tries}: {wait:?}");
            assert!(wait <= Duration::from_secs(most), "{tries}: {wait:?}");
        }
        assert_eq!(retry.of_one(60), Duration::from_secs(30));
    }
}
