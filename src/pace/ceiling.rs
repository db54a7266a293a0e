//! A rate that is never exceeded, held by governor (GCRA).
//!
//! In: what time it is. Out: a permit, or when there is one. Governor counts in cells, of which a
//! request takes many, so that its tolerance can be a fraction of a request: with a burst of one
//! request and no tolerance, whatever a timer is late would be lost for good.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Cells a request, at most: the tolerance is a whole number of them.
const CELLS: u64 = 1000;
/// Nanoseconds a cell, at least: they are whole, and rounding is to cost less than 0.1 % of the rate.
const CELL: u64 = 1000;
/// The lateness of a timer that is made up for where the burst is one request, or half a period if
/// that is less: what a burst of a fiftieth of the rate makes up for at higher rates. Timers of the
/// runtime are 1 to 2 ms late, and 10 or 20 where other programs keep the processors busy.
const TOLERANCE: Duration = Duration::from_millis(20);
/// Seconds' worth of requests that a burst holds at most, so that no sum of nanoseconds overflows.
const LONGEST_BURST: f64 = 1e9;

/// A rate that is never exceeded.
pub(super) struct Ceiling {
    limiter: RateLimiter<NotKeyed, InMemoryState, SetClock, NoOpMiddleware<Nanos>>,
    clock: SetClock,
    start: Instant,
    /// The cells of one request.
    request: NonZeroU32,
}

impl std::fmt::Debug for Ceiling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ceiling")
    }
}

/// A clock that shows what it is set to, in nanoseconds since the start: governor asks its clock what
/// time it is, and here that is given with each call.
#[derive(Debug, Clone, Default)]
struct SetClock(Arc<AtomicU64>);

impl Clock for SetClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }
}

impl Ceiling {
    /// Makes a ceiling of `rate` requests a second, of which `burst` may leave at once; a fiftieth of
    /// `rate` by default. Returns `None` for a rate that is no rate.
    ///
    /// In any window there leave no more than `rate` times the window plus `burst`; with a burst of one,
    /// [`TOLERANCE`] or half a request more.
    pub(super) fn new(rate: f64, burst: Option<u32>, start: Instant) -> Option<Self> {
        let period = Duration::try_from_secs_f64(1.0 / rate).ok().filter(|it| !it.is_zero())?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float out of range is cut to it"
        )]
        let most = (LONGEST_BURST * rate) as u32;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float out of range is cut to it"
        )]
        let whole = burst.unwrap_or((rate / 50.0) as u32).min(most).max(1);
        // What a fiftieth of the rate is more than whole requests.
        let rest =
            if burst.is_none() { (rate / 50.0 - f64::from(whole)).clamp(0.0, 1.0) } else { 0.0 };
        let nanos = u64::try_from(period.as_nanos()).ok()?;
        let cells =
            (nanos / CELL).min(CELLS).min(u64::from(u32::MAX) / 2 / u64::from(whole)).max(1);
        // Rounded up, or the rate would be exceeded.
        let cell = nanos.div_ceil(cells);
        let least = if whole == 1 { TOLERANCE.min(period / 2) } else { Duration::ZERO };
        let tolerance = period.mul_f64(rest).max(least);
        let tolerance = u64::try_from(tolerance.as_nanos()).ok()? / cell;
        let cells = u32::try_from(cells).ok()?;
        let bucket = u64::from(cells) * u64::from(whole) + tolerance;
        let bucket = NonZeroU32::new(u32::try_from(bucket).ok()?)?;
        let quota = Quota::with_period(Duration::from_nanos(cell))?.allow_burst(bucket);
        let clock = SetClock::default();
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
        Some(Self { limiter, clock, start, request: NonZeroU32::new(cells)? })
    }

    /// Takes a permit at `now`.
    ///
    /// # Errors
    /// Returns when to ask again.
    pub(super) fn acquire(&self, now: Instant) -> Result<(), Instant> {
        let since = now.saturating_duration_since(self.start);
        let nanos = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        self.clock.0.store(nanos, Ordering::Relaxed);
        match self.limiter.check_n(self.request) {
            // The bucket holds one request at least.
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(Nanos::new(nanos));
                // Rounding must not make a caller ask again at the same instant.
                Err(now + wait.max(Duration::from_nanos(1)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Seconds at which permits are taken in `seconds`, where each is asked for when it is due and
    /// as late as `late` says.
    fn taken(
        (rate, burst): (f64, Option<u32>),
        seconds: f64,
        mut late: impl FnMut() -> Duration,
    ) -> Vec<f64> {
        let start = Instant::now();
        let ceiling = Ceiling::new(rate, burst, start).unwrap();
        let end = start + Duration::from_secs_f64(seconds);
        let (mut now, mut taken) = (start, Vec::new());
        while now < end {
            match ceiling.acquire(now) {
                Ok(()) => taken.push((now - start).as_secs_f64()),
                Err(next) => {
                    assert!(next > now, "no progress");
                    now = next + late();
                }
            }
        }
        taken
    }

    /// Returns the largest excess of requests in any window over `rate` times the window.
    ///
    /// A window that begins and ends with a request is the worst of those that hold the same ones,
    /// so with `n` requests at `t[n]` the worst is the largest of `(n + 1 - m) - rate (t[n] - t[m])`.
    fn excess(taken: &[f64], rate: f64) -> f64 {
        let (mut least, mut most) = (f64::MAX, 0.0_f64);
        for (at, second) in taken.iter().enumerate() {
            let ahead = at as f64 - rate * second;
            least = least.min(ahead);
            most = most.max(ahead - least + 1.0);
        }
        most
    }

    #[test]
    fn a_rate_is_kept_where_timers_are_late() {
        // In milliseconds: of an idle machine, and of a busy one that is later now and then.
        for most in [2, 8] {
            a_rate_is_kept(most);
        }
    }

    fn a_rate_is_kept(most_late: u64) {
        let rates: [f64; 12] =
            [0.5, 1.0, 2.0, 5.0, 20.0, 50.0, 99.0, 100.0, 250.0, 1000.0, 3333.3, 5000.0];
        for rate in rates {
            let mut random = fastrand::Rng::with_seed(7);
            let seconds = (2000.0 / rate).max(20.0);
            let late = || {
                let most = if random.u8(0..4) == 0 { most_late } else { 2 };
                Duration::from_micros(random.u64(1000..=1000 * most))
            };
            let taken = taken((rate, None), seconds, late);
            let share = (taken.len() - 1) as f64 / seconds / rate;
            assert!((0.995..=1.001).contains(&share), "{rate}, {most_late} ms late: {share}");
        }
    }

    #[test]
    fn idle_time_is_not_made_up_for() {
        for (rate, burst, at_once) in [
            (0.5, None, 1),
            (20.0, None, 1),
            (100.0, None, 2),
            (5000.0, None, 100),
            (2.0, Some(7), 7),
        ] {
            let start = Instant::now();
            let ceiling = Ceiling::new(rate, burst, start).unwrap();
            assert_eq!(ceiling.acquire(start), Ok(()));
            let later = start + Duration::from_secs(3600);
            let taken = (0..200).take_while(|_| ceiling.acquire(later).is_ok()).count();
            assert_eq!(taken, at_once, "{rate}");
        }
    }

    #[test]
    fn what_cannot_be_a_ceiling_or_is_a_strange_one_panics_nowhere() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(Ceiling::new(rate, None, Instant::now()).is_none(), "{rate}");
        }
        for rate in [0.001, 0.5, 3.0, 1e6] {
            for burst in [1, 1000, u32::MAX] {
                let start = Instant::now();
                let ceiling = Ceiling::new(rate, Some(burst), start).unwrap();
                for day in 0..400 {
                    let now = start + Duration::from_secs(day * 86_400);
                    assert_eq!(ceiling.acquire(now), Ok(()), "{rate}, {burst}");
                }
            }
        }
    }

    proptest! {
        /// In no window there are more than the rate has it and the burst, however late permits are
        /// asked for; with a burst of one, half a request more or 20 ms of them.
        #[test]
        fn no_window_holds_more_than_its_share_and_the_burst(
            rate in prop_oneof![0.5..20.0, 20.0..150.0, 150.0..5000.0],
            burst in prop_oneof![Just(None), (1_u32..20).prop_map(Some)],
            lates in prop::collection::vec(
                prop_oneof![6 => 0_u64..3_000, 2 => 0_u64..50_000, 1 => 0_u64..5_000_000],
                1..40,
            ),
        ) {
            let mut each = lates.iter().cycle();
            let late = || Duration::from_micros(*each.next().unwrap());
            let taken = taken((rate, burst), 2000.0 / rate, late);
            let single = 1.0 + (0.02 * rate).min(0.5);
            let most = match burst {
                None => (rate / 50.0).max(single),
                Some(1) => single,
                Some(burst) => f64::from(burst),
            };
            let excess = excess(&taken, rate);
            prop_assert!(excess <= most + 1e-3, "{excess} of {most} at {rate}");
        }
    }
}
