//! The rate of the last seconds, from the moments at which entries were settled.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The time that a rate is taken over.
const WINDOW: Duration = Duration::from_secs(5);
/// Samples that are kept even if they are older than that: a slow run has few in five seconds.
const FEWEST: usize = 5;
/// Samples that are closer together than this become one.
const RESOLUTION: Duration = Duration::from_millis(20);
/// A silence of so many usual gaps is a stop, and no slow run.
const SILENT_GAPS: u32 = 4;

/// A sample of the curve that the count takes over time.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// The moment at which the first of its entries was settled.
    from: Instant,
    /// The moment at which the last one was, by which time `count` were.
    at: Instant,
    count: u64,
}

/// The rate at which something is counted. It reads no clock.
///
/// A rate is the slope between two samples of the count, both taken at the moment at which something
/// was counted, so that neither the time before the first nor the time since the last one falsifies
/// it.
#[derive(Debug, Clone, Default)]
pub struct RateMeter {
    samples: VecDeque<Sample>,
    count: u64,
}

impl RateMeter {
    /// Counts `more` at the moment `now`.
    pub fn add(&mut self, now: Instant, more: u64) {
        self.count += more;
        match self.samples.back_mut() {
            Some(last) if now.saturating_duration_since(last.from) < RESOLUTION => {
                (last.at, last.count) = (now.max(last.at), self.count);
            }
            _ => self.samples.push_back(Sample { from: now, at: now, count: self.count }),
        }
        self.forget(now);
    }

    /// Forgets everything: what comes now has nothing to do with what was before, as after a pause.
    pub fn reset(&mut self) {
        self.samples.clear();
    }

    /// Returns the recent rate a second; `None` while too few were counted.
    #[must_use]
    pub fn per_second(&self, now: Instant) -> Option<f64> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let gaps = u32::try_from(self.samples.len() - 1).unwrap_or(u32::MAX);
        let silence = now.saturating_duration_since(last.at);
        if gaps == 0 {
            return (silence > WINDOW).then_some(0.0);
        }
        let span = last.at.saturating_duration_since(first.at);
        let usual = span / gaps;
        if silence > WINDOW.max(usual * SILENT_GAPS) {
            return Some(0.0);
        }
        // The next one may be due: only what is more than a usual gap counts as slower.
        let span = span + silence.saturating_sub(usual);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = (last.count - first.count) as f64 / span.as_secs_f64();
        Some(rate)
    }

    fn forget(&mut self, now: Instant) {
        let old = |sample: &Sample| now.saturating_duration_since(sample.at) > WINDOW;
        while self.samples.len() > FEWEST && self.samples.front().is_some_and(old) {
            self.samples.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Counts one every `1 / rate` seconds, from `from` on and for `seconds`, and returns the moment
    /// at which it ends.
    fn steady(meter: &mut RateMeter, from: Instant, rate: f64, seconds: f64) -> Instant {
        let many = (rate * seconds).round() as u32;
        for at in 0..many {
            meter.add(from + SECOND.mul_f64(f64::from(at) / rate), 1);
        }
        from + SECOND.mul_f64(seconds)
    }

    fn within(rate: Option<f64>, expected: f64, percent: f64) {
        let rate = rate.unwrap_or(f64::NAN);
        let off = (rate / expected - 1.0).abs() * 100.0;
        assert!(off <= percent, "{rate} is not {expected}");
    }

    #[test]
    fn a_steady_rate_is_shown_as_it_is_at_every_moment() {
        for rate in [0.5, 2.0, 38.0, 1000.0, 20_000.0] {
            let begun = Instant::now();
            let mut meter = RateMeter::default();
            let mut now = begun;
            // As long as it takes for what is old to be forgotten several times over.
            for _ in 0..60 {
                now = steady(&mut meter, now, rate, (2.0 / rate).max(0.5));
                if now - begun > SECOND.mul_f64(4.0 / rate) {
                    within(meter.per_second(now), rate, 5.0);
                }
            }
        }
    }

    #[test]
    fn the_rate_is_right_from_the_first_second_on() {
        // Latency and a survey come before the first entry: they are no part of the rate.
        for (rate, after) in [(2.0, 1.5), (38.0, 0.5), (1000.0, 0.1), (20_000.0, 0.1)] {
            let mut meter = RateMeter::default();
            let first = Instant::now() + SECOND * 7;
            let now = steady(&mut meter, first, rate, after);
            within(meter.per_second(now), rate, 5.0);
        }
    }

    #[test]
    fn nothing_is_shown_while_too_few_were_counted() {
        let begun = Instant::now();
        let mut meter = RateMeter::default();
        assert_eq!(meter.per_second(begun), None);
        meter.add(begun, 1);
        assert_eq!(meter.per_second(begun + SECOND), None);
        assert_eq!(meter.per_second(begun + SECOND * 6), Some(0.0));
    }

    #[test]
    fn memory_does_not_grow_with_the_rate_or_with_the_run() {
        let mut meter = RateMeter::default();
        steady(&mut meter, Instant::now(), 20_000.0, 60.0);
        assert!(meter.samples.len() <= 251, "{}", meter.samples.len());
        let mut meter = RateMeter::default();
        steady(&mut meter, Instant::now(), 0.5, 3600.0);
        assert_eq!(meter.samples.len(), FEWEST);
    }

    #[test]
    fn bursts_that_come_regularly_are_their_average() {
        // 19 at once, twice a second, with the moment of asking anywhere between two of them.
        let mut meter = RateMeter::default();
        let begun = Instant::now();
        for at in 0..40 {
            for one in 0..19 {
                meter.add(begun + SECOND / 2 * at + Duration::from_micros(one), 1);
            }
            if at >= 10 {
                for later in [0, 100, 300, 490] {
                    let now = begun + SECOND / 2 * at + Duration::from_millis(later);
                    within(meter.per_second(now), 38.0, 5.0);
                }
            }
        }
    }

    #[test]
    fn one_burst_at_the_start_is_no_rate() {
        // What a listing found is settled at once; what follows is created at 2 a second.
        let mut meter = RateMeter::default();
        let begun = Instant::now();
        meter.add(begun, 10_000);
        let now = steady(&mut meter, begun + SECOND, 2.0, 3.0);
        within(meter.per_second(now), 2.0, 20.0);
        let now = steady(&mut meter, now, 2.0, 5.0);
        within(meter.per_second(now), 2.0, 5.0);
    }

    #[test]
    fn a_change_is_seen_within_the_window() {
        let mut meter = RateMeter::default();
        let now = steady(&mut meter, Instant::now(), 38.0, 20.0);
        let now = steady(&mut meter, now, 2.0, 5.5);
        within(meter.per_second(now), 2.0, 5.0);
        let now = steady(&mut meter, now, 200.0, 5.5);
        within(meter.per_second(now), 200.0, 5.0);
        let now = steady(&mut meter, now, 0.5, 12.0);
        within(meter.per_second(now), 0.5, 5.0);
    }

    #[test]
    fn a_gap_lowers_the_rate_and_ends_it() {
        let mut meter = RateMeter::default();
        let now = steady(&mut meter, Instant::now(), 38.0, 20.0);
        within(meter.per_second(now), 38.0, 5.0);
        // Of the last seven seconds, five were at 38.
        within(meter.per_second(now + SECOND * 2), 38.0 * 5.0 / 7.0, 5.0);
        assert_eq!(meter.per_second(now + SECOND * 6), Some(0.0));
        // A slow run may well be silent for some seconds.
        let mut meter = RateMeter::default();
        let now = steady(&mut meter, Instant::now(), 0.5, 60.0);
        within(meter.per_second(now + SECOND / 2), 0.5, 10.0);
        assert_eq!(meter.per_second(now + SECOND * 9), Some(0.0));
    }

    #[test]
    fn what_was_before_a_pause_has_no_part_in_the_rate_after_it() {
        let mut meter = RateMeter::default();
        let now = steady(&mut meter, Instant::now(), 38.0, 20.0);
        meter.reset();
        let now = steady(&mut meter, now + SECOND * 30, 4.0, 2.0);
        within(meter.per_second(now), 4.0, 5.0);
    }

    #[test]
    fn the_end_is_like_the_middle() {
        // With five to go at 38 a second, an eighth of a second is left, and no rate of thousands.
        let mut meter = RateMeter::default();
        let now = steady(&mut meter, Instant::now(), 38.0, 195.0 / 38.0);
        within(meter.per_second(now), 38.0, 5.0);
    }
}
