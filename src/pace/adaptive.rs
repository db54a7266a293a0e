//! A controller that finds the rate that a service allows, and follows it.
//!
//! It starts low and doubles until requests are throttled (slow start). Then it measures the limit from
//! one throttle to the next, and grows along a `growth` curve from a little below the limit until it is
//! throttled again. Where less is left than was measured before, others share the limit, and the rate
//! grows and yields so that the shares become equal. With headroom it holds that far below the limit,
//! and probes once a minute. In: permits taken and answers, each with its time. Out: the rate, when the
//! next request may leave, and how many may be in flight.

use std::time::{Duration, Instant};

use super::estimate::{Estimate, Evidence};
use super::growth::Curve;
use super::measure::{Measure, seconds};
use super::slots::Slots;
use super::throttle_detector::{Suspicion, ThrottleDetector};

/// The rate that `auto` starts with, in requests a second: the lowest that is known of an account.
const START: f64 = 2.0;
/// The lowest rate, in requests a second.
const FLOOR: f64 = 0.2;
/// The share of a known rate that a run starts with: it may be less by now.
const KNOWN: f64 = 0.85;

/// The shortest stage of slow start, in seconds and in requests.
const STAGE: (Duration, u32) = (Duration::from_millis(500), 2);
/// By how much it is raised in slow start, and by how much where something is known.
const JUMP: f64 = 2.0;
const JUMP_FROM_KNOWN: f64 = 1.5;
/// Requests that are accepted above the limit as it was measured, and so show that it is higher: more
/// than a second's worth, which the bucket may have held, and two.
const SURPLUS: (f64, f64) = (1.2, 2.0);
/// A pause between two requests that is longer is none of sending, in seconds.
const IDLE: f64 = 0.5;

/// The shortest recovery after a throttle, so that requests in flight are answered: in seconds,
/// and in latencies.
const RECOVERY: (f64, f64) = (0.4, 1.25);
/// Seconds' worth of requests that the bucket gains by it.
const REFILL: f64 = 0.15;
/// The share of the rate that is left in that time after slow start, which may have gone beyond the
/// limit by a factor of two, and by as much again in flight.
const DECREASE_IN_SLOW_START: f64 = 0.25;
/// The longest pause after a throttle, however low the rate, in seconds.
const PAUSE: f64 = 2.0;

/// For how many seconds one who started is a newcomer, about whom little is known: neither how much the
/// bucket holds nor who else sends.
const NEWCOMER: f64 = 60.0;
/// A measurement of at least so many requests, below so much of an earlier one, means that others
/// share the limit: with fewer, or nearer, it may be chance.
const SHARED: (f64, f64) = (8.0, 0.97);
/// For how many seconds that is taken for true.
const SHARED_FOR: f64 = 45.0;

/// Headroom below this is none: the limit is measured all the time.
const LEAST_HEADROOM: f64 = 0.03;
/// Requests that a measurement rests on before headroom is left.
const HEADROOM_SAMPLE: f64 = 50.0;
/// Seconds from one probe to the next where headroom is left.
const PROBE_INTERVAL: f64 = 60.0;

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The rate is raised from stage to stage; `sent` requests in this one.
    SlowStart { since: Instant, sent: u32, answered: bool },
    /// It is low until the flight that met the limit is answered; `jump` is by how much the rate had
    /// been raised at once, `top` the highest at which the limit was expected.
    Recovery { until: Instant, jump: Option<f64>, top: f64 },
    /// It grows along a curve; `seconds` of sending so far.
    Growth { curve: Curve, since: Instant, seconds: f64, accepted: u32 },
    /// It stays as it is, until then.
    Hold { until: Option<Instant> },
}

/// Requests that met the limit together.
#[derive(Debug, Clone, Copy)]
struct Flight {
    /// When the first that was throttled was sent.
    begin: Instant,
    /// The rate then, in requests a second.
    rate: f64,
}

/// A rate that follows what is allowed.
#[derive(Debug)]
pub(super) struct Adaptive {
    start: Instant,
    /// The highest rate.
    most: f64,
    /// The share of the limit that is left unused.
    headroom: f64,
    rate: f64,
    /// The limit, as far as it is known.
    estimate: Option<Estimate>,
    phase: Phase,
    /// When the rate was last cut. Answers to earlier requests do not cut it again.
    epoch: Instant,
    /// Requests that were throttled in this cycle.
    throttled: f64,
    /// The highest limit that was measured since others were last known to share it.
    peak: Option<f64>,
    /// When others were last known to share it.
    shared: Option<Instant>,
    latency: Option<f64>,
    last_sent: Instant,
    slots: Slots,
    detector: ThrottleDetector,
    flight: Option<Flight>,
    measure: Measure,
}

impl Adaptive {
    /// Makes a rate that is not known yet, of `most` at most, held `headroom` below the limit, as a
    /// share.
    pub(super) fn finding(most: f64, headroom: f64, start: Instant) -> Self {
        let mut adaptive = Self::starting(START.min(most), most, headroom, start);
        adaptive.epoch = before(start);
        adaptive
    }

    /// Makes a rate of which `known` was allowed a while ago: it starts a little below, and grows
    /// beyond it as slowly as beyond a limit. If that turns out to be lower than what is allowed,
    /// slow start follows.
    pub(super) fn resuming(known: f64, most: f64, headroom: f64, start: Instant) -> Self {
        let mut adaptive = Self::finding(most, headroom, start);
        // The rate at which every run starts shows nothing.
        if known.is_finite() && known > 0.0 && (known - START).abs() > f64::EPSILON {
            adaptive.estimate = Some(Estimate { rate: known, requests: 1.0 });
            adaptive.grow(Curve::probe(known, 1.0 - KNOWN), start);
        }
        adaptive
    }

    /// Makes a rate that doubles from `rate`, in requests a second. Requests that were sent until
    /// `start` have no say.
    pub(super) fn starting(rate: f64, most: f64, headroom: f64, start: Instant) -> Self {
        Self {
            start,
            most,
            headroom,
            rate: rate.clamp(FLOOR.min(most), most),
            estimate: None,
            phase: Phase::SlowStart { since: start, sent: 0, answered: false },
            epoch: start,
            throttled: 0.0,
            peak: None,
            shared: None,
            latency: None,
            last_sent: start,
            slots: Slots::new(start),
            detector: ThrottleDetector::default(),
            flight: None,
            measure: Measure::new(start),
        }
    }

    /// Makes a rate that was asked for, and is lowered only where less is allowed.
    pub(super) fn holding(rate: f64, start: Instant) -> Self {
        let mut adaptive = Self::starting(rate, rate, 0.0, start);
        adaptive.hold_most();
        adaptive.epoch = before(start);
        adaptive
    }

    /// Returns the requests a second that may leave now.
    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    fn least(&self) -> f64 {
        FLOOR.min(self.most)
    }

    /// Returns whether the rate is as high as it may be.
    fn is_at_most(&self) -> bool {
        self.rate >= self.most
    }

    /// Returns how many requests may be in flight at once: what the rate and the latency come to, and
    /// as many again.
    pub(super) fn window(&self) -> usize {
        let window = self.rate * (self.latency.unwrap_or(1.0) * 2.0 + 0.2);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float out of range is cut to it"
        )]
        let window = window.ceil() as usize;
        window.saturating_add(4)
    }

    /// Returns when the next request may leave, if that is later than `now`.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Instant> {
        // At its highest the rate is held by the ceiling.
        if self.is_at_most() { None } else { self.slots.wait(now) }
    }

    /// Records that a request leaves at `now`.
    pub(super) fn sent(&mut self, now: Instant) {
        self.advance(now);
        self.slots.take(now, self.rate);
        self.last_sent = now;
    }

    /// Changes the rate by the time since the last request.
    fn advance(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::SlowStart { since, sent, answered } => {
                // A throttle or two may be strays; the rate is not raised until that is known.
                let over = seconds(*since, now) >= STAGE.0.as_secs_f64() && *sent >= STAGE.1;
                if *answered && over && self.detector.is_calm() {
                    if self.rate >= self.most {
                        self.hold_most();
                        return;
                    }
                    (*since, *sent, *answered) = (now, 0, false);
                    self.rate = (self.rate * self.jump()).min(self.most);
                }
                if let Phase::SlowStart { sent, .. } = &mut self.phase {
                    *sent += 1;
                }
            }
            Phase::Growth { curve, seconds: sending, .. } => {
                *sending += seconds(self.last_sent, now).min(IDLE.max(2.0 / self.rate));
                self.rate = curve.rate_at(*sending).clamp(FLOOR.min(self.most), self.most);
                if self.is_at_most() {
                    self.hold_most();
                }
            }
            Phase::Hold { until } if until.is_some_and(|until| now >= until) => self.probe(now),
            Phase::Recovery { .. } | Phase::Hold { .. } => {}
        }
    }

    /// Returns by how much slow start raises the rate.
    const fn jump(&self) -> f64 {
        if self.estimate.is_some() { JUMP_FROM_KNOWN } else { JUMP }
    }

    /// Holds the highest rate: nothing more is looked for.
    fn hold_most(&mut self) {
        self.rate = self.most;
        self.phase = Phase::Hold { until: None };
    }

    fn grow(&mut self, curve: Curve, now: Instant) {
        self.rate = curve.rate_at(0.0).clamp(self.least(), self.most);
        self.phase = Phase::Growth { curve, since: now, seconds: 0.0, accepted: 0 };
    }

    /// Grows from the headroom up to the limit, and beyond.
    fn probe(&mut self, now: Instant) {
        let limit = self.estimate.map_or(self.rate, |estimate| estimate.rate);
        self.measure.filled(now);
        self.throttled = 0.0;
        self.grow(Curve::probe(limit, self.headroom), now);
    }

    fn suspicion(&self) -> Suspicion {
        match self.phase {
            Phase::SlowStart { .. } => Suspicion::SlowStart,
            Phase::Growth { curve, .. } if self.rate > 0.98 * curve.limit() => Suspicion::Probe,
            _ => Suspicion::Hold,
        }
    }

    /// Records that the request sent at `sent` was accepted.
    pub(super) fn accepted(&mut self, sent: Instant, now: Instant) {
        self.recover(now);
        self.answered(sent, now, true);
        if sent <= self.epoch {
            return;
        }
        self.detector.accepted(self.suspicion());
        if self.detector.is_calm() && !matches!(self.phase, Phase::Recovery { .. }) {
            self.flight = None;
        }
        match &mut self.phase {
            Phase::SlowStart { since, answered, .. } if sent >= *since => *answered = true,
            Phase::Growth { curve, since, accepted, .. } if sent >= *since => {
                *accepted += 1;
                let limit = self.estimate.map_or(curve.limit(), |estimate| estimate.rate);
                let surplus = f64::from(*accepted) - limit * seconds(*since, sent);
                if surplus > SURPLUS.0 * limit + SURPLUS.1 {
                    self.phase = Phase::SlowStart { since: now, sent: 0, answered: false };
                    self.measure.filled(now);
                }
            }
            _ => {}
        }
    }

    /// Records that the request sent at `sent` was throttled. Returns whether the rate was cut for it.
    pub(super) fn throttled(&mut self, sent: Instant, now: Instant) -> bool {
        self.recover(now);
        if sent > self.epoch && self.flight.is_none() {
            let rate = match self.phase {
                Phase::Growth { curve, seconds: sending, .. } => {
                    curve.rate_at(sending - seconds(sent, now)).min(self.rate)
                }
                _ => self.rate,
            };
            self.flight = Some(Flight { begin: sent, rate });
        }
        self.answered(sent, now, false);
        self.throttled += 1.0;
        let cut = sent > self.epoch && self.detector.throttled(self.suspicion(), self.rate);
        if cut {
            self.cut(now);
        }
        cut
    }

    fn answered(&mut self, sent: Instant, now: Instant, accepted: bool) {
        let took = seconds(sent, now);
        let latency = self.latency.map_or(took, |before| before + (took - before) / 8.0);
        self.latency = Some(latency);
        self.measure.answered(sent, accepted);
        if self.flight.is_none() {
            let late = Duration::from_secs_f64(2.0 * latency + 0.1);
            self.measure.settle(now.checked_sub(late).unwrap_or(sent));
        }
    }

    /// Cuts the rate at once, and once for all requests that are in flight.
    fn cut(&mut self, now: Instant) {
        let begin = self.flight.map_or(now, |flight| flight.begin);
        let counts = self.measure.counts(begin, now);
        let few = counts.throttled < 3.0 || counts.throttled_share() < 0.5;
        let accepted = (counts.accepted + 0.5) / (counts.accepted + counts.throttled).max(1.0);
        let allowed = match (self.phase, self.estimate) {
            (Phase::Growth { .. }, Some(estimate)) if few => estimate.rate.min(self.rate),
            _ => self.rate * accepted.min(1.0),
        };
        let (jump, top) = match self.phase {
            Phase::SlowStart { .. } => (Some(self.jump()), f64::INFINITY),
            Phase::Growth { curve, .. } => (None, curve.top()),
            Phase::Recovery { .. } | Phase::Hold { .. } => (None, f64::INFINITY),
        };
        if matches!(self.phase, Phase::Hold { until: Some(_) }) {
            // Others took the headroom.
            self.shared = Some(now);
        }
        let recovery = RECOVERY.0.max(RECOVERY.1 * self.latency.unwrap_or(1.0));
        let refill = (REFILL / recovery).min(0.5);
        let decrease = if jump.is_some() { DECREASE_IN_SLOW_START } else { 1.0 };
        let rate = (allowed * (1.0 - refill)).min(self.rate * decrease);
        self.rate = rate.max(self.least());
        self.epoch = now;
        self.detector.reset();
        self.phase = Phase::Recovery { until: now + Duration::from_secs_f64(recovery), jump, top };
        self.slots.hold(now + Duration::from_secs_f64((1.0 / self.rate).min(PAUSE)));
    }

    /// Begins the next cycle once the flight that met the limit is answered.
    fn recover(&mut self, now: Instant) {
        let Phase::Recovery { until, jump, top } = self.phase else { return };
        if now < until {
            return;
        }
        if let Some(flight) = self.flight.take() {
            self.learn(flight, jump, top, now);
        }
        self.begin_cycle(now);
    }

    fn learn(&mut self, flight: Flight, jump: Option<f64>, top: f64, now: Instant) {
        let flow = self.measure.until(flight.begin);
        let evidence = Evidence {
            flight: self.measure.counts(flight.begin, self.epoch),
            seconds: seconds(flight.begin, self.epoch),
            flow,
            // Requests that left late together may have met it at a low rate.
            met: flight.rate.max(self.rate),
            top,
            jump,
        };
        let estimate = evidence.estimate(self.estimate);
        let rate = estimate.rate.clamp(self.least(), self.most);
        self.estimate = Some(Estimate { rate, ..estimate });
        let sure = flow.exact && jump.is_none() && flow.requests >= SHARED.0;
        let upper = flow.rate * (1.0 + 2.0 / flow.requests.max(1.0));
        match self.peak {
            Some(peak) if sure && upper < SHARED.1 * peak => {
                self.shared = Some(now);
                self.peak = Some(flow.rate);
            }
            Some(peak) if sure => self.peak = Some(peak.max(flow.rate)),
            _ => self.peak = sure.then_some(flow.rate),
        }
        // The bucket was empty from the cut on; what is still in flight from before now has no say.
        self.measure.emptied(self.epoch);
        self.epoch = now;
    }

    fn begin_cycle(&mut self, now: Instant) {
        let throttled = std::mem::take(&mut self.throttled);
        let latency = self.latency.unwrap_or(0.0);
        let Estimate { rate, requests } =
            self.estimate.unwrap_or(Estimate { rate: self.rate, requests: 1.0 });
        if self.shared.is_some_and(|then| seconds(then, now) < SHARED_FOR) {
            self.grow(Curve::shared(rate), now);
        } else if self.headroom >= LEAST_HEADROOM && requests >= HEADROOM_SAMPLE {
            self.rate = (rate * (1.0 - self.headroom)).clamp(self.least(), self.most);
            self.phase = Phase::Hold { until: Some(now + Duration::from_secs_f64(PROBE_INTERVAL)) };
            self.measure.filled(now);
            self.detector.reset();
        } else if seconds(self.start, now) < NEWCOMER {
            self.grow(Curve::newcomer(rate, latency), now);
        } else {
            self.grow(Curve::alone(rate, requests, throttled, latency), now);
        }
    }
}

/// Returns a moment before `start`, so that a request sent at the start counts.
fn before(start: Instant) -> Instant {
    start.checked_sub(Duration::from_nanos(1)).unwrap_or(start)
}
