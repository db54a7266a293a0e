//! Slots for requests at a rate that can change from one to the next.
//!
//! In: when a request left, and the rate. Out: when the next may leave. It never sleeps.

use std::time::{Duration, Instant};

/// The most that is made up for after a timer went off late.
const BURST: Duration = Duration::from_millis(20);
/// And at rates so high that half a period is less than a timer is late, at least this.
const LEAST_BURST: Duration = Duration::from_millis(5);

/// Hands out slots, one a period.
#[derive(Debug)]
pub(super) struct Slots {
    next: Instant,
}

impl Slots {
    pub(super) const fn new(start: Instant) -> Self {
        Self { next: start }
    }

    /// When the next request may leave, if that is later than `now`.
    pub(super) fn wait(&self, now: Instant) -> Option<Instant> {
        (self.next > now).then_some(self.next)
    }

    /// A request left at `now`, at `rate` requests a second.
    pub(super) fn take(&mut self, now: Instant, rate: f64) {
        let period = Duration::from_secs_f64(1.0 / rate);
        // More than half a period would send two at once, which a shallow bucket rejects.
        let burst = BURST.min(period / 2).max(LEAST_BURST);
        self.next = self.next.max(now.checked_sub(burst).unwrap_or(now)) + period;
    }

    /// Nothing leaves before `until`.
    pub(super) fn hold(&mut self, until: Instant) {
        self.next = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_timers_cost_nothing_and_idle_time_is_not_made_up_for() {
        let start = Instant::now();
        let mut slots = Slots::new(start);
        let mut now = start;
        for _ in 0..1000 {
            now = slots.wait(now).unwrap_or(now) + Duration::from_micros(1500);
            slots.take(now, 100.0);
        }
        let took = (now - start).as_secs_f64();
        assert!((9.98..10.02).contains(&took), "{took}");
        now += Duration::from_secs(60);
        let mut at_once = 0;
        while slots.wait(now).is_none() {
            slots.take(now, 100.0);
            at_once += 1;
        }
        assert_eq!(at_once, 1);
    }
}
