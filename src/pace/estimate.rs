//! The estimate of the limit after requests met it.
//!
//! In: the outcomes of the flight that met the limit, those of the time before it, and what
//! was known. Out: requests a second.

use super::measure::{Counts, Flow};

/// The share by which the estimate is raised towards the rate at which the limit was met. A bucket
/// that was full for a while lets requests go unmeasured, so a measurement is rather too low than
/// too high.
const RAISE: f64 = 0.15;
/// The same for what is beyond the rate at which it should have been met: the bucket is not what was
/// thought.
const RAISE_BEYOND: f64 = 0.7;
/// The smallest share of the estimate that is kept where few requests were throttled. Right after a
/// throttle a measurement is of a few seconds, and of a rate that had just been lowered.
const LEAST_KEPT: f64 = 0.85;
/// The share of throttles with which a flight alone determines the limit, and how many there
/// must be.
const HEAVY: (f64, f64) = (0.2, 4.0);
/// The accepted requests that it takes.
const FLIGHT_REQUESTS: f64 = 10.0;
/// For how many requests an estimate stands at most that no measurement is behind.
const GUESS: f64 = 4.0;

/// The limit, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// In requests a second.
    pub(super) rate: f64,
    /// The number of requests that it rests on.
    pub(super) requests: f64,
}

/// The evidence of a flight of requests that met the limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// The outcomes of the requests of the flight, and the seconds in which they were sent.
    pub(super) flight: Counts,
    pub(super) seconds: f64,
    /// The requests that were accepted before it, since the last flight.
    pub(super) flow: Flow,
    /// The rate when the flight began, and the highest at which it should have.
    pub(super) met: f64,
    pub(super) top: f64,
    /// By how much the rate had been raised at once, where it had been.
    pub(super) jump: Option<f64>,
}

impl Evidence {
    /// Returns the estimate that follows from this and from what was known `before`.
    pub(super) fn estimate(&self, before: Option<Estimate>) -> Estimate {
        let heavy = self.flight.throttled_share() >= HEAVY.0 && self.flight.throttled >= HEAVY.1;
        let own = self.flight.accepted / self.seconds.max(1e-3);
        let mut estimate = if self.agree(own) {
            self.raised()
        } else {
            let estimate = if heavy && self.flight.accepted >= FLIGHT_REQUESTS {
                Estimate { rate: own, requests: self.flight.accepted / 2.0 }
            } else {
                self.guessed(before, heavy)
            };
            Estimate { rate: estimate.rate.min(self.met), ..estimate }
        };
        if let Some(before) = before.filter(|_| !heavy && self.jump.is_none()) {
            estimate.rate = estimate.rate.max(LEAST_KEPT * before.rate);
        }
        estimate
    }

    /// Returns the estimate where the flight alone does not determine it.
    fn guessed(&self, before: Option<Estimate>, heavy: bool) -> Estimate {
        if let Some(jump) = self.jump {
            // Between what was surely accepted and the rate before it was raised last.
            let low = self.flow.rate.max(before.map_or(0.25, |before| before.rate));
            let high = (self.met / jump).max(low);
            let requests = self.flow.requests.min(GUESS);
            return Estimate { rate: (low * high).sqrt(), requests };
        }
        let share = (1.0 - self.flight.throttled_share()).max(0.5);
        match before {
            // A shorter flight may be the end of a fixed window of a second.
            Some(before) if heavy && self.seconds > 1.0 => {
                Estimate { rate: before.rate.min(self.met) * share, requests: GUESS / 2.0 }
            }
            _ if self.flow.exact && self.flow.requests >= 1.0 => self.raised(),
            Some(before) => Estimate { rate: before.rate.max(self.flow.rate), ..before },
            None => Estimate { rate: self.met * share, requests: GUESS / 2.0 },
        }
    }

    /// Returns whether the measurements before the flight and in it agree, so that the longer
    /// measurement counts.
    fn agree(&self, own: f64) -> bool {
        let all = self.flight.accepted + self.flight.throttled;
        let noise = (1.0 + 0.5 * all.sqrt()) / self.seconds.max(1e-3);
        self.flow.exact
            && self.flow.requests >= self.flight.accepted
            && (self.flow.rate - own).abs() <= noise
    }

    fn raised(&self) -> Estimate {
        let Flow { rate, requests, .. } = self.flow;
        let within = (self.met.min(self.top) - rate).max(0.0);
        let beyond = (self.met - self.top.max(rate)).max(0.0);
        Estimate { rate: rate + RAISE * within + RAISE_BEYOND * beyond, requests }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: Evidence = Evidence {
        flight: Counts { accepted: 10.0, throttled: 2.0 },
        seconds: 0.2,
        flow: Flow { rate: 50.0, requests: 1000.0, exact: true },
        met: 52.0,
        top: 53.0,
        jump: None,
    };

    #[test]
    fn what_was_accepted_between_two_throttles_is_what_is_allowed() {
        let Estimate { rate, requests } = STEADY.estimate(None);
        assert!((50.0..50.5).contains(&rate) && requests == 1000.0, "{rate}");
        // So late that the bucket must have been full in between.
        let late = Evidence { met: 63.0, ..STEADY };
        let rate = late.estimate(None).rate;
        assert!((56.0..59.0).contains(&rate), "{rate}");
    }

    #[test]
    fn a_flight_with_many_throttles_determines_the_limit_alone() {
        let fallen =
            Evidence { flight: Counts { accepted: 20.0, throttled: 30.0 }, seconds: 1.0, ..STEADY };
        assert_eq!(fallen.estimate(None), Estimate { rate: 20.0, requests: 10.0 });
    }

    #[test]
    fn a_few_throttles_lower_it_by_a_little_only() {
        let flow = Flow { rate: 20.0, requests: 8.0, exact: true };
        let flight = Counts { accepted: 3.0, throttled: 1.0 };
        let short = Evidence { flow, flight, seconds: 0.1, ..STEADY };
        let before = Some(Estimate { rate: 50.0, requests: 500.0 });
        assert_eq!(short.estimate(before).rate, 42.5);
    }

    #[test]
    fn after_a_jump_it_is_between_what_was_accepted_and_the_rate_before() {
        let flow = Flow { rate: 20.0, requests: 60.0, exact: false };
        let flight = Counts { accepted: 2.0, throttled: 3.0 };
        let jump = Evidence { flow, flight, seconds: 0.1, met: 90.0, jump: Some(2.0), ..STEADY };
        assert_eq!(jump.estimate(None), Estimate { rate: 30.0, requests: 4.0 });
    }

    #[test]
    fn a_flight_of_which_nearly_all_is_throttled_halves_it_once_it_is_longer_than_a_second() {
        let flight = Counts { accepted: 3.0, throttled: 60.0 };
        let before = Some(Estimate { rate: 50.0, requests: 1000.0 });
        let fallen = Evidence { flight, seconds: 1.2, ..STEADY };
        assert_eq!(fallen.estimate(before).rate, 25.0);
        // It may be the end of a fixed window.
        let short = Evidence { flight, seconds: 0.8, ..STEADY };
        assert!((50.0..51.0).contains(&short.estimate(before).rate), "{short:?}");
    }
}
