//! How long to wait before another try.

use std::time::Duration;

/// The first wait's upper bound.
const BASE: Duration = Duration::from_secs(1);
/// No wait is longer.
const CAP: Duration = Duration::from_secs(60);
/// No wait is shorter: a probe a millisecond after a refusal tells nothing new.
pub(super) const LEAST: Duration = Duration::from_millis(200);

/// Exponential backoff with full jitter: many runs that were refused together do not come back
/// together.
#[derive(Debug)]
pub(super) struct Backoff {
    tries: u32,
    rng: fastrand::Rng,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self { tries: 0, rng: fastrand::Rng::with_seed(seed) }
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let most = BASE.saturating_mul(1 << self.tries.min(16)).min(CAP);
        self.tries = self.tries.saturating_add(1);
        most.mul_f64(self.rng.f64()).max(LEAST)
    }

    /// All is well again.
    pub(super) const fn reset(&mut self) {
        self.tries = 0;
    }

    /// Between one and two seconds, for a look-up of what the service said it failed at.
    pub(super) fn moment(&mut self) -> Duration {
        Duration::from_secs(1).mul_f64(1.0 + self.rng.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded_and_spread() {
        let mut longest = Vec::new();
        for seed in 0..200 {
            let mut backoff = Backoff::new(seed);
            let waits: Vec<_> = (0..10).map(|_| backoff.next()).collect();
            for (at, wait) in waits.iter().enumerate() {
                let most = BASE.saturating_mul(1 << at).min(CAP);
                assert!(*wait >= LEAST && *wait <= most, "{at}: {wait:?}");
            }
            longest.push(waits[9]);
        }
        longest.sort();
        // Full jitter: from nothing to the cap, evenly.
        assert!(longest[20] < Duration::from_secs(15), "{:?}", longest[20]);
        assert!(longest[180] > Duration::from_secs(45), "{:?}", longest[180]);
    }
}
