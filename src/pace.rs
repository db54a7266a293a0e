//! The pace of requests.
//!
//! In: what time it is, and how requests came out. Out: whether one may leave now, and if not, when,
//! and how many may be in flight. It is pure: it reads no clock, never sleeps and draws no random
//! numbers, so that a simulated clock can drive it (`simulation`, and `just pace-plot`). `docs/pacing.md`
//! has the model.
//!
//! `ceiling` holds a rate that is never exceeded, and `adaptive` finds and follows what the service
//! allows beneath it: the `throttle_detector` distinguishes a rate that is too high from a stray
//! throttle, `measure` counts what was accepted from one throttle to the next, `estimate` makes the
//! limit of it, and `growth` has the curve up to the next throttle. `slots` makes up for late
//! timers, so that a busy machine is not taken for a limit of the service. `operations` has a pace
//! for each API operation.

mod adaptive;
mod ceiling;
mod estimate;
mod growth;
mod measure;
mod operations;
#[cfg(test)]
mod simulation;
mod slots;
#[cfg(test)]
mod table;
mod throttle_detector;

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use adaptive::Adaptive;
use ceiling::Ceiling;
pub use operations::Paces;

/// The default of `auto`'s highest rate, in requests a second.
pub const MAX_RATE: f64 = 50.0;
/// The rates that can be asked for, in requests a second.
const RATES: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;
/// The smallest change of the rate that is reported, as a share of it.
const REPORTED: f64 = 0.1;

/// A pace: the times at which requests may leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rate {
    /// As fast as the service allows, which the run finds out.
    Auto,
    /// As fast as they are answered.
    Unlimited,
    /// At most this many requests a second.
    Fixed(f64),
}

impl Rate {
    /// Returns this `share` of a fixed rate, from 0 to 1.
    #[must_use]
    pub fn shared(self, share: f64) -> Self {
        match self {
            Self::Fixed(rate) => Self::Fixed(shared(rate, share)),
            other => other,
        }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "unlimited" => Ok(Self::Unlimited),
            _ => text
                .parse()
                .map_err(|_| "expected a number, `auto` or `unlimited`".to_owned())
                .and_then(in_range)
                .map(Self::Fixed),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Unlimited => f.write_str("unlimited"),
            Self::Fixed(rate) => write!(f, "{rate}/s"),
        }
    }
}

/// Returns this `share` of a rate, from 0 to 1, in requests a second.
#[must_use]
pub fn shared(rate: f64, share: f64) -> f64 {
    (rate * share).max(*RATES.start())
}

/// Parses a number of requests a second.
///
/// # Errors
/// Returns what is wrong with it, in words for people.
pub fn per_second(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "it is a number of requests a second".to_owned()).and_then(in_range)
}

fn in_range(rate: f64) -> Result<f64, String> {
    if RATES.contains(&rate) {
        return Ok(rate);
    }
    Err("a rate is from 0.001 to 1000000 requests a second".to_owned())
}

/// The bounds of `auto`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The highest rate, in requests a second.
    pub max_rate: f64,
    /// The headroom: the share of the limit that is left unused, from 0 to 0.9.
    pub headroom: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_rate: MAX_RATE, headroom: 0.1 }
    }
}

/// A pace: it decides when the next request may leave.
#[derive(Debug)]
pub struct Pace {
    ceiling: Option<Ceiling>,
    /// The controller that follows the service; `None` as long as nothing bounds the rate.
    adaptive: Option<Adaptive>,
    /// True if the rate bounds how many requests may be in flight.
    windowed: bool,
    /// The rate that was reported last.
    reported: Option<f64>,
    /// When the present second began, the answers in it, and those in the second before.
    answered: Option<(Instant, u32, u32)>,
}

impl Pace {
    /// Makes a pace that holds `rate`; with [`Rate::Auto`], one within [`Limits::default`]. A burst of
    /// `burst` requests may leave at once, by default of `rate / 50` and at least one.
    #[must_use]
    pub fn new(rate: Rate, burst: Option<u32>, start: Instant) -> Self {
        let (ceiling, adaptive) = match rate {
            Rate::Auto => return Self::auto(Limits::default(), burst, start),
            Rate::Unlimited => (None, None),
            Rate::Fixed(rate) => {
                (Ceiling::new(rate, burst, start), Some(Adaptive::holding(rate, start)))
            }
        };
        let reported = adaptive.as_ref().map(Adaptive::rate);
        Self { ceiling, adaptive, windowed: false, reported, answered: None }
    }

    /// Makes a pace that finds out what is allowed. At its highest rate a burst of `burst` requests may
    /// leave at once.
    #[must_use]
    pub fn auto(limits: Limits, burst: Option<u32>, start: Instant) -> Self {
        let Limits { max_rate, headroom } = limits;
        let adaptive = Adaptive::finding(max_rate, headroom.clamp(0.0, 0.9), start);
        let reported = Some(adaptive.rate());
        let ceiling = Ceiling::new(max_rate, burst, start);
        Self { ceiling, adaptive: Some(adaptive), windowed: true, reported, answered: None }
    }

    /// Makes a pace as [`Pace::auto`] does, where an earlier run found `known`, in requests a second: it
    /// starts a little below that, and continues from there.
    #[must_use]
    pub fn auto_from(limits: Limits, burst: Option<u32>, known: f64, start: Instant) -> Self {
        let Limits { max_rate, headroom } = limits;
        let adaptive = Adaptive::resuming(known, max_rate, headroom.clamp(0.0, 0.9), start);
        let reported = Some(adaptive.rate());
        let ceiling = Ceiling::new(max_rate, burst, start);
        Self { ceiling, adaptive: Some(adaptive), windowed: true, reported, answered: None }
    }

    /// Takes a permit at `now`.
    ///
    /// # Errors
    /// Returns when to ask again.
    pub fn acquire(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(next) = self.adaptive.as_mut().and_then(|adaptive| adaptive.wait(now)) {
            return Err(next);
        }
        if let Some(ceiling) = &self.ceiling {
            ceiling.acquire(now)?;
        }
        if let Some(adaptive) = &mut self.adaptive {
            adaptive.sent(now);
        }
        Ok(())
    }

    /// Returns the requests a second that may leave now; `None` without a bound.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.adaptive.as_ref().map(Adaptive::rate)
    }

    /// Returns the in-flight window: how many requests may be in flight at once. It grows with the rate
    /// and with the latency, so that a service that answers late is not sent more than it allows. A rate
    /// that was asked for has no bound until it is throttled.
    #[must_use]
    pub fn window(&self) -> usize {
        let adaptive = self.adaptive.as_ref().filter(|_| self.windowed);
        adaptive.map_or(usize::MAX, Adaptive::window)
    }

    /// Records that the request that left at `sent` was throttled. Returns the new rate, if it changed.
    pub fn throttled(&mut self, sent: Instant, now: Instant) -> Option<f64> {
        self.windowed = true;
        let Some(adaptive) = &mut self.adaptive else {
            // Nothing bounded the rate until now.
            let rate = self.answer_rate(now) / 2.0;
            let mut adaptive = Adaptive::starting(rate, *RATES.end(), 0.0, now);
            adaptive.sent(now);
            self.adaptive = Some(adaptive);
            self.reported = self.rate();
            return self.reported;
        };
        if adaptive.throttled(sent, now) {
            self.reported = Some(adaptive.rate());
            return self.reported;
        }
        self.news()
    }

    /// Records that the request that left at `sent` was accepted. Returns the new rate, if it changed by
    /// enough to be reported.
    pub fn accepted(&mut self, sent: Instant, now: Instant) -> Option<f64> {
        match &mut self.adaptive {
            Some(adaptive) => adaptive.accepted(sent, now),
            None => self.count(now),
        }
        self.news()
    }

    /// Returns the rate, if it is far enough from what was reported last.
    fn news(&mut self) -> Option<f64> {
        let (rate, reported) = (self.rate()?, self.reported?);
        if (rate - reported).abs() < REPORTED * reported {
            return None;
        }
        self.reported = Some(rate);
        self.reported
    }

    fn count(&mut self, now: Instant) {
        self.answered = Some(match self.answered {
            Some((start, count, before)) => match now.saturating_duration_since(start).as_secs() {
                0 => (start, count + 1, before),
                1 => (start + Duration::from_secs(1), 1, count),
                _ => (now, 1, 0),
            },
            None => (now, 1, 0),
        });
    }

    /// Returns the answers a second, lately.
    fn answer_rate(&self, now: Instant) -> f64 {
        self.answered.map_or(1.0, |(start, count, before)| {
            let seconds = now.saturating_duration_since(start).as_secs_f64().max(0.1);
            (f64::from(count) / seconds).max(f64::from(before)).max(1.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns when permits are taken in `time`, asked for without a pause.
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
        // Each with the most that may leave above its share of a window: the burst, and where that is
        // a single request, 20 ms of requests, or half of one.
        let rates: [(f64, f64); 7] = [
            (0.5, 1.01),
            (2.0, 1.04),
            (10.0, 1.2),
            (50.0, 1.5),
            (200.0, 4.0),
            (500.0, 10.0),
            (5000.0, 100.0),
        ];
        for (rate, burst) in rates {
            let start = Instant::now();
            let mut pace = Pace::new(Rate::Fixed(rate), None, start);
            let seconds = (100.0 / rate).clamp(10.0, 200.0);
            let taken = taken(&mut pace, start, Duration::from_secs_f64(seconds));
            let achieved = taken.len() as f64 / seconds;
            assert!((0.99..=1.02).contains(&(achieved / rate)), "{rate}: {achieved}");
            for (at, first) in taken.iter().enumerate() {
                for (behind, last) in taken.iter().enumerate().skip(at).take(400) {
                    let most = (*last - *first).as_secs_f64() * rate + burst;
                    let left = (behind - at + 1) as f64;
                    assert!(left <= most + 1e-3, "{rate}: {left} of {most}");
                }
            }
        }
    }

    #[test]
    fn auto_starts_low_and_never_goes_beyond_its_highest_rate() {
        let start = Instant::now();
        let limits = Limits { max_rate: 20.0, headroom: 0.0 };
        let mut pace = Pace::auto(limits, None, start);
        assert_eq!(pace.rate(), Some(2.0));
        let mut now = start;
        let mut taken = Vec::new();
        while now < start + Duration::from_secs(60) {
            match pace.acquire(now) {
                Ok(()) => {
                    taken.push(now);
                    pace.accepted(now, now);
                }
                Err(next) => now = next,
            }
        }
        let late = taken.iter().filter(|at| **at >= start + Duration::from_secs(10)).count();
        assert!((995..=1001).contains(&late), "{late}");
        assert_eq!(pace.rate(), Some(20.0));
    }

    #[test]
    fn one_flight_cuts_once() {
        let start = Instant::now();
        let mut pace = Pace::new(Rate::Fixed(100.0), None, start);
        let sent: Vec<_> = (1..=100).map(|at| start + Duration::from_millis(10 * at)).collect();
        let later = start + Duration::from_secs(2);
        for sent in &sent {
            assert_eq!(pace.acquire(*sent), Ok(()));
        }
        let reported: Vec<_> =
            sent.iter().filter_map(|sent| pace.throttled(*sent, later)).collect();
        assert_eq!(reported.len(), 1, "{reported:?}");
        assert!(reported[0] <= 80.0, "{reported:?}");
        assert!(pace.acquire(later).is_err());
    }

    #[test]
    fn a_stray_throttle_changes_nothing_and_a_fixed_rate_comes_back() {
        let start = Instant::now();
        let mut pace = Pace::new(Rate::Fixed(100.0), None, start);
        let mut now = start;
        let mut step = |pace: &mut Pace, accepted| {
            now += Duration::from_millis(10);
            let _ = pace.acquire(now);
            if accepted { pace.accepted(now, now) } else { pace.throttled(now, now) }
        };
        for at in 0..2000 {
            assert_eq!(step(&mut pace, at % 100 != 50), None);
        }
        for _ in 0..20 {
            step(&mut pace, false);
        }
        assert!(pace.rate() < Some(80.0));
        for _ in 0..20_000 {
            step(&mut pace, true);
        }
        assert_eq!(pace.rate(), Some(100.0));
    }

    #[test]
    fn without_a_bound_the_first_throttle_makes_one() {
        let start = Instant::now();
        let mut pace = Pace::new(Rate::Unlimited, None, start);
        assert_eq!((pace.rate(), pace.window()), (None, usize::MAX));
        for at in 0..1000 {
            let now = start + Duration::from_millis(at);
            assert_eq!(pace.accepted(now, now), None);
        }
        let now = start + Duration::from_secs(1);
        let rate = pace.throttled(now, now).unwrap();
        assert!((400.0..600.0).contains(&rate), "{rate}");
        assert!(pace.window() < usize::MAX);
    }

    #[test]
    fn rates_are_read() {
        assert_eq!("2.5".parse(), Ok(Rate::Fixed(2.5)));
        assert_eq!("unlimited".parse(), Ok(Rate::Unlimited));
        assert_eq!("auto".parse(), Ok(Rate::Auto));
        for text in ["0", "-1", "NaN", "inf", "fast", ""] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
