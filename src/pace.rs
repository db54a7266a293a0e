//! The rate of requests.
//!
//! In: what time it is, and how requests came out. Out: whether one may leave now, and if not, when.
//! It is pure: it reads no clock and never sleeps, so a simulated clock can drive it.

mod ceiling;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use ceiling::Ceiling;

/// The lowest rate that throttling leads to, in requests a second.
const FLOOR: f64 = 0.2;
/// What is left of the rate after a throttle.
const CUT: f64 = 0.7;
/// Throttles this close together are of one flight of requests, and cut once.
const FLIGHT: Duration = Duration::from_secs(1);
/// How much is added for each second without a throttle.
const CLIMB: f64 = 1.1;

/// How fast requests may leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// As fast as they are answered.
    Unlimited,
    /// No more than so many a second.
    Fixed(f64),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        let rate: f64 = text.parse().map_err(|_| "it is a number or `unlimited`".to_owned())?;
        if !(0.001..=1_000_000.0).contains(&rate) {
            return Err("a rate is from 0.001 to 1000000 requests a second".to_owned());
        }
        Ok(Self::Fixed(rate))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Fixed(rate) => write!(f, "{rate}/s"),
        }
    }
}

/// Tells when the next request may leave.
#[derive(Debug)]
pub struct Pace {
    ceiling: Option<Ceiling>,
    limit: Option<f64>,
    /// What throttling has left of the rate; `None` where the ceiling alone holds.
    reduced: Option<f64>,
    next_slot: Option<Instant>,
    changed: Option<Instant>,
    /// Accepted requests in the second that began then, and in the one before.
    window: Option<(Instant, u32, u32)>,
}

impl Pace {
    /// A pace that holds `rate`. A burst of `burst` requests may leave at once, or of `rate / 50` and
    /// at least one where nothing is said.
    #[must_use]
    pub fn new(rate: Rate, burst: Option<u32>, start: Instant) -> Self {
        let (ceiling, limit) = match rate {
            Rate::Unlimited => (None, None),
            Rate::Fixed(rate) => (Ceiling::new(rate, burst, start), Some(rate)),
        };
        Self { ceiling, limit, reduced: None, next_slot: None, changed: None, window: None }
    }

    /// Takes a permit at `now`.
    ///
    /// # Errors
    /// When the next one is to be had.
    pub fn acquire(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(next) = self.next_slot.filter(|next| *next > now) {
            return Err(next);
        }
        if let Some(ceiling) = &self.ceiling {
            ceiling.acquire(now)?;
        }
        if let Some(rate) = self.reduced {
            self.next_slot = Some(now + Duration::from_secs_f64(1.0 / rate));
        }
        Ok(())
    }

    /// Requests a second that may leave now; `None` where there is no bound.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.reduced.or(self.limit)
    }

    /// A request was throttled. The new rate, if this made one.
    pub fn throttled(&mut self, now: Instant) -> Option<f64> {
        let fresh = |changed: &Instant| now.saturating_duration_since(*changed) < FLIGHT;
        if self.reduced.is_some() && self.changed.as_ref().is_some_and(fresh) {
            return None;
        }
        let base = match self.rate() {
            Some(rate) => rate,
            None => self.accepted_rate(now),
        };
        let rate = (base * CUT).max(FLOOR);
        self.reduced = Some(rate);
        self.changed = Some(now);
        self.next_slot = Some(now + Duration::from_secs_f64(1.0 / rate));
        Some(rate)
    }

    /// A request was taken. The new rate, if this made one.
    pub fn accepted(&mut self, now: Instant) -> Option<f64> {
        self.count(now);
        let rate = self.reduced?;
        let since = self.changed.map(|changed| now.saturating_duration_since(changed));
        if since.is_some_and(|since| since < FLIGHT) {
            return None;
        }
        self.changed = Some(now);
        let higher = rate * CLIMB;
        self.reduced = self.limit.is_none_or(|limit| higher < limit).then_some(higher);
        self.rate()
    }

    fn count(&mut self, now: Instant) {
        self.window = Some(match self.window {
            Some((start, count, before)) => match now.saturating_duration_since(start).as_secs() {
                0 => (start, count + 1, before),
                1 => (start + Duration::from_secs(1), 1, count),
                _ => (now, 1, 0),
            },
            None => (now, 1, 0),
        });
    }

    fn accepted_rate(&self, _: Instant) -> f64 {
        self.window.map_or(1.0, |(_, count, before)| f64::from(count.max(before)).max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many permits are taken in `time`, asked for without a pause.
    fn taken(pace: &mut Pace, start: Instant, time: Duration) -> Vec<Duration> {
        let mut now = start;
        let mut taken = Vec::new();
        while now < start + time {
            match pace.acquire(now) {
                Ok(()) => taken.push(now - start),
                Err(next) => {
                    assert!(next > now, "no progress at {:?}", now - start);
                    now = next;
                }
            }
        }
        taken
    }

    #[test]
    fn a_fixed_rate_is_held_within_a_percent_and_never_exceeded() {
        for rate in [0.5, 2.0, 10.0, 50.0, 200.0, 500.0, 5000.0] {
            let start = Instant::now();
            let mut pace = Pace::new(Rate::Fixed(rate), None, start);
            let seconds = (100.0 / rate).clamp(10.0, 200.0);
            let taken = taken(&mut pace, start, Duration::from_secs_f64(seconds));
            let achieved = taken.len() as f64 / seconds;
            assert!((0.99..=1.01).contains(&(achieved / rate)), "{rate}: {achieved}");
            // In no window are there more than its share and the burst.
            let burst = (rate / 50.0).max(1.0);
            for (at, first) in taken.iter().enumerate() {
                for (behind, last) in taken.iter().enumerate().skip(at).take(400) {
                    let window = (*last - *first).as_secs_f64();
                    let most = window * rate + burst + 1e-6;
                    assert!((behind - at + 1) as f64 <= most + 0.01, "{rate}: {window}");
                }
            }
        }
    }

    #[test]
    fn a_throttle_cuts_once_a_flight_and_time_heals() {
        let start = Instant::now();
        let mut pace = Pace::new(Rate::Fixed(100.0), None, start);
        assert_eq!(pace.throttled(start), Some(70.0));
        assert_eq!(pace.throttled(start + Duration::from_millis(100)), None);
        assert_eq!(pace.rate(), Some(70.0));
        assert!(pace.acquire(start).is_err());
        let mut now = start;
        for _ in 0..10 {
            now += Duration::from_secs(2);
            pace.accepted(now);
        }
        assert_eq!(pace.rate(), Some(100.0));
    }

    #[test]
    fn rates_are_read() {
        assert_eq!("2.5".parse(), Ok(Rate::Fixed(2.5)));
        assert_eq!("unlimited".parse(), Ok(Rate::Unlimited));
        for text in ["0", "-1", "NaN", "inf", "fast", ""] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
