//! A rate that is never exceeded, held by governor.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// A rate that is never exceeded. Governor asks its clock what time it is; here it is told.
pub(super) struct Ceiling {
    limiter: RateLimiter<NotKeyed, InMemoryState, ToldClock, NoOpMiddleware<Nanos>>,
    clock: ToldClock,
    start: Instant,
}

impl std::fmt::Debug for Ceiling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ceiling")
    }
}

/// A clock that shows what it is set to, in nanoseconds since the start.
#[derive(Debug, Clone, Default)]
struct ToldClock(Arc<AtomicU64>);

impl Clock for ToldClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }
}

impl Ceiling {
    /// `None` for a rate that is no rate.
    pub(super) fn new(rate: f64, burst: Option<u32>, start: Instant) -> Option<Self> {
        let period = Duration::try_from_secs_f64(1.0 / rate).ok()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float out of range is cut to it"
        )]
        let burst = burst.unwrap_or((rate / 50.0) as u32);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(period)?.allow_burst(burst);
        let clock = ToldClock::default();
        let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
        Some(Self { limiter, clock, start })
    }

    pub(super) fn acquire(&self, now: Instant) -> Result<(), Instant> {
        let since = now.saturating_duration_since(self.start);
        let nanos = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        self.clock.0.store(nanos, Ordering::Relaxed);
        self.limiter.check().map_err(|not_until| {
            let wait = not_until.wait_time_from(Nanos::new(nanos));
            // Rounding must not make a caller ask again at the same instant.
            now + wait.max(Duration::from_nanos(1))
        })
    }
}
