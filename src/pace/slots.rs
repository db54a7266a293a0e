//! Slots for requests at a rate that can change from one to the next.
//!
//! In: when a request left, and the rate. Out: when the next may leave. It never sleeps. It knows which
//! slot was waited for, so it tells a timer that went off late, which is made up for, from time in which
//! nothing was to be sent.

use std::time::{Duration, Instant};

/// The most that is made up for where it is not known that a timer went off late.
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
    /// When slots that were missed were last made up for.
    made_up: Option<Instant>,
}

impl Slots {
    pub(super) const fn new(start: Instant) -> Self {
        Self { next: start, awaited: None, made_up: None }
    }

    /// When the next request may leave, if that is later than `now`. It is waited for then.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Instant> {
        if self.next <= now {
            return None;
        }
        self.awaited = Some(self.next);
        self.awaited
    }

    /// A request leaves at `now`, at `rate` requests a second. Where `made_up`, slots that passed
    /// since the one that was waited for are not lost: it was this process that came late.
    pub(super) fn take(&mut self, now: Instant, rate: f64, made_up: bool) {
        let period = Duration::from_secs_f64(1.0 / rate);
        // Half a period at most sends no two at once; in a shallow bucket even that costs rejections.
        let burst = BURST.min(period / 2).max(LEAST_BURST);
        let mut earliest = now;
        if made_up {
            earliest = now.checked_sub(burst).unwrap_or(now);
            if let Some(awaited) = self.awaited {
                earliest = earliest.min(awaited.max(now.checked_sub(LATEST).unwrap_or(now)));
            }
        }
        self.next = self.next.max(earliest) + period;
        if self.next > now {
            self.awaited = None;
        } else {
            self.made_up = Some(now);
        }
    }

    /// Whether requests left closer to each other than the rate says, at `begin` or later: what is
    /// rejected of them may be for that.
    pub(super) fn made_up_since(&self, begin: Instant) -> bool {
        self.made_up.is_some_and(|made_up| made_up + 2 * BURST >= begin)
    }

    /// Nothing leaves before `until`.
    pub(super) fn hold(&mut self, until: Instant) {
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
            slots.take(now, 100.0, true);
        }
        let took = (now - start).as_secs_f64();
        assert!((9.98..10.02).contains(&took), "{took}");
        now += Duration::from_secs(60);
        assert_eq!(at_once(&mut slots, now, true), 1);
    }

    /// How many leave at `now`, at a hundred a second.
    fn at_once(slots: &mut Slots, now: Instant, made_up: bool) -> u32 {
        let mut at_once = 0;
        while slots.wait(now).is_none() {
            slots.take(now, 100.0, made_up);
            at_once += 1;
        }
        at_once
    }

    #[test]
    fn a_late_timer_is_made_up_for_unless_the_bucket_is_shallow_or_it_is_no_timer() {
        let start = Instant::now();
        // It is waited for the slot at 10 ms, and comes 200 ms late.
        for (late, made_up, expected) in [(200, true, 21), (200, false, 1), (60_000, true, 51)] {
            let mut slots = Slots::new(start);
            slots.take(start, 100.0, made_up);
            assert!(slots.wait(start).is_some());
            let now = start + Duration::from_millis(10 + late);
            assert_eq!(at_once(&mut slots, now, made_up), expected, "{late} ms");
            assert_eq!(slots.made_up_since(now), made_up, "{late} ms");
        }
    }
}
