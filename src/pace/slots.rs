//! Slots for requests at a rate that can change from one to the next.
//!
//! In: when a request left, and the rate. Out: when the next may leave. It never sleeps. It knows which
//! slot was waited for, so it distinguishes a late timer, which is made up for, from time in which
//! nothing was to be sent.

use std::time::{Duration, Instant};

/// The most that is made up for where it is not known that a timer went off late: half a period, so
/// that no two leave at once, and no more than this.
const BURST: Duration = Duration::from_millis(20);
/// And at rates so high that half a period is less than a timer is late, at least this.
const LEAST_BURST: Duration = Duration::from_millis(5);
/// The most that is made up for after a timer that did: more is no slip of a busy machine.
const LATEST: Duration = Duration::from_millis(500);

/// Hands out slots, one a period.
#[derive(Debug)]
pub(super) struct Slots {
    next: Instant,
    /// The slot that was waited for and is not made up for yet.
    awaited: Option<Instant>,
}

impl Slots {
    /// Makes slots from `start` on.
    pub(super) const fn new(start: Instant) -> Self {
        Self { next: start, awaited: None }
    }

    /// Returns when the next request may leave, if that is later than `now`. It is waited for then.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Instant> {
        if self.next <= now {
            return None;
        }
        self.awaited = Some(self.next);
        self.awaited
    }

    /// Records that a request leaves at `now`, at `rate` requests a second. Slots that passed since the
    /// one that was waited for are not lost: it was this process that came late.
    pub(super) fn take(&mut self, now: Instant, rate: f64) {
        let period = Duration::from_secs_f64(1.0 / rate);
        let burst = BURST.min(period / 2).max(LEAST_BURST);
        let mut earliest = now.checked_sub(burst).unwrap_or(now);
        if let Some(awaited) = self.awaited {
            earliest = earliest.min(awaited.max(now.checked_sub(LATEST).unwrap_or(now)));
        }
        self.next = self.next.max(earliest) + period;
        if self.next > now {
            self.awaited = None;
        }
    }

    /// Lets nothing leave before `until`.
    pub(super) const fn hold(&mut self, until: Instant) {
        (self.next, self.awaited) = (until, None);
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
        assert_eq!(at_once(&mut slots, now), 1);
    }

    /// Returns how many requests leave at `now`, at a hundred a second.
    fn at_once(slots: &mut Slots, now: Instant) -> u32 {
        let mut at_once = 0;
        while slots.wait(now).is_none() {
            slots.take(now, 100.0);
            at_once += 1;
        }
        at_once
    }

    #[test]
    fn a_late_timer_is_made_up_for_as_far_as_a_busy_machine_makes_it_late() {
        let start = Instant::now();
        // It is waited for the slot at 10 ms.
        for (late, expected) in [(0, 1), (200, 21), (60_000, 51)] {
            let mut slots = Slots::new(start);
            slots.take(start, 100.0);
            assert!(slots.wait(start).is_some());
            let now = start + Duration::from_millis(10 + late);
            assert_eq!(at_once(&mut slots, now), expected, "{late} ms");
        }
    }
}
