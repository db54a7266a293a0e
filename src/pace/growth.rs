//! The growth of the rate from one throttle to the next.
//!
//! In: the limit as it was measured, and what is known besides. Out: a curve. Two shapes. Alone at a
//! service, the rate follows a cubic curve around the limit, as TCP CUBIC does: it begins a little below,
//! stays near the limit for most of the time, and then probes beyond it ever faster. The service's
//! bucket gains below the limit what the probe takes from it above, so that nothing is lost. Where
//! others share the limit, the rate grows in a straight line from well below it: an additive increase
//! with a multiplicative decrease (AIMD) is what leads several senders to equal shares.

/// The amplitude of a cycle around the limit, as a share of it: as little as still shows a rise.
const SWING: f64 = 0.03;
/// Requests in a cycle for each that was throttled at its end, so that throttles stay below 1 %.
const PRICE: f64 = 150.0;
/// Seconds that a cycle takes at least and at most: a rise is to be found within a minute.
const CYCLE: (f64, f64) = (15.0, 45.0);
/// The same in latencies, at least: a throttle is known that much later, and so more requests meet it.
const CYCLE_LATENCIES: f64 = 12.0;
/// By how much a cycle may hold more requests than the measurement rests on, so that it is soon exact.
const EXACT: f64 = 3.0;
/// Seconds' worth of requests that the bucket may gain in the first half of a cycle. A bucket of one
/// second would overflow with much more.
const GAINED: f64 = 0.25;

/// The swing of a newcomer, who knows little and may have to make its way among others.
const NEWCOMER_SWING: f64 = 0.25;
/// The requests in a newcomer's cycle, and its seconds, at least.
const NEWCOMER_CYCLE: (f64, f64) = (40.0, 10.0);
/// By how many latencies that is longer.
const NEWCOMER_LATENCIES: f64 = 8.0;
/// Below this limit, in requests a second, the curve rises as it does at it: accounts allow no less to
/// one who is alone, so it is others who take the rest.
const ALONE: f64 = 3.0;

/// The rise of a cycle above the limit beside its share, in requests a second: at a low rate a
/// share of it is next to nothing.
const LEAST_RISE: f64 = 0.2;

/// The decrease where others share the limit.
const DECREASE: f64 = 0.3;
/// The increase there, in requests a second each second, for each root of the rate. It grows with the
/// rate, so that a high one is back in time, and by less than the rate, so that a low one catches up.
const INCREASE: f64 = 0.2;
/// And the seconds in which a high rate is back at the limit, at most.
const BACK: f64 = 12.0;

/// Seconds from the headroom up to the limit.
const PROBE: f64 = 6.0;
/// The highest point of a curve before the next answers, as a multiple of the limit.
const HIGHEST: f64 = 1.5;

/// A curve that the rate follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    /// The limit, in requests a second.
    limit: f64,
    shape: Shape,
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    /// `below` and `above` are the swings in requests a second, `half` the seconds up to the limit.
    Cubic {
        below: f64,
        above: f64,
        half: f64,
    },
    Linear,
}

impl Curve {
    /// Returns the curve of one who is alone. The limit rests on `requests` requests, the last cycle
    /// ended with `throttled` ones, and answers take `latency` seconds.
    pub(super) fn alone(limit: f64, requests: f64, throttled: f64, latency: f64) -> Self {
        let cycle = (PRICE * throttled / limit)
            .clamp(CYCLE.0, CYCLE.1)
            .min((EXACT * requests + 10.0) / limit)
            .max(CYCLE_LATENCIES * latency)
            .max(2.0);
        // A cubic curve gains an eighth of the swing times the cycle.
        Self::cubic(limit, SWING.min(8.0 * GAINED / cycle), cycle)
    }

    /// Returns the curve of one who began lately.
    pub(super) fn newcomer(limit: f64, latency: f64) -> Self {
        let cycle = (NEWCOMER_CYCLE.0 / limit.max(ALONE)).max(NEWCOMER_CYCLE.1);
        Self::cubic(limit, NEWCOMER_SWING, cycle + NEWCOMER_LATENCIES * latency)
    }

    /// Returns the curve of one who shares the limit.
    pub(super) const fn shared(limit: f64) -> Self {
        Self { limit, shape: Shape::Linear }
    }

    /// Returns the curve from `headroom` below the limit, as a share of it, up to it and beyond.
    pub(super) fn probe(limit: f64, headroom: f64) -> Self {
        Self::cubic(limit, headroom, 2.0 * PROBE)
    }

    fn cubic(limit: f64, swing: f64, cycle: f64) -> Self {
        let (below, above) = (swing * limit, swing * limit.max(ALONE) + LEAST_RISE);
        Self { limit, shape: Shape::Cubic { below, above, half: cycle / 2.0 } }
    }

    /// Returns the rate after `seconds`, in requests a second.
    pub(super) fn rate_at(&self, seconds: f64) -> f64 {
        let seconds = seconds.max(0.0);
        let rate = match self.shape {
            Shape::Cubic { below, above, half } => {
                let x = seconds / half - 1.0;
                self.limit + if x < 0.0 { below } else { above } * x.powi(3)
            }
            Shape::Linear => {
                let increase = (INCREASE * self.limit.sqrt()).max(DECREASE * self.limit / BACK);
                self.limit * (1.0 - DECREASE) + increase * seconds
            }
        };
        rate.min(HIGHEST * self.limit.max(ALONE))
    }

    /// Returns the rate at the end of the cycle: a service that allows what was measured throttles by
    /// then.
    pub(super) fn top(&self) -> f64 {
        match self.shape {
            Shape::Cubic { above, .. } => self.limit + above,
            Shape::Linear => self.limit * (1.0 + DECREASE),
        }
    }

    /// Returns the limit that the curve goes around, in requests a second.
    pub(super) const fn limit(&self) -> f64 {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_it_stays_near_the_limit_and_then_goes_beyond_it() {
        // 15 seconds: 3 % below, at the limit in the middle, 3 % above at the end, and on from there.
        let curve = Curve::alone(100.0, 1000.0, 2.0, 0.05);
        let rates = [0.0, 3.75, 7.5, 11.25, 15.0, 22.5].map(|at| curve.rate_at(at));
        for (rate, expected) in rates.into_iter().zip([97.0, 99.625, 100.0, 100.4, 103.2, 125.6]) {
            assert!((rate - expected).abs() < 0.001, "{rates:?}");
        }
        assert!((curve.top() - 103.2).abs() < 0.001 && curve.rate_at(1000.0) <= 150.0);
    }

    /// Two senders on one limit, each throttled whenever they send more than that together.
    #[test]
    fn linear_growth_and_a_proportional_decrease_lead_to_equal_shares() {
        let (mut one, mut other) = (18.0, 2.0);
        for _ in 0..6 {
            let curves = (Curve::shared(one), Curve::shared(other));
            let rates = (0..1000).map(|tenth| f64::from(tenth) / 10.0);
            let rates = rates.map(|at| (curves.0.rate_at(at), curves.1.rate_at(at)));
            (one, other) = rates.into_iter().find(|(one, other)| one + other > 20.0).unwrap();
        }
        assert!(one / other < 2.5, "{one} and {other}");
    }
}
