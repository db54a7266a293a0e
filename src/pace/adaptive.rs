//! The rate that a service allows, found and followed.
//!
//! It doubles until it meets an excess of rejections, takes from the evidence what is allowed, and
//! holds just under it. Now and then it climbs, slowly at first, to see whether more is allowed by
//! now; a climb is paid for by requests that were accepted, so rejections stay rare. A bucket of one
//! token, which rejects the second of two requests at once, and a limit by the clock's second, after
//! whose end more is accepted than any bucket held, are left to `track`. In: permits
//! taken and answers, each with its time. Out: the rate, when the next request may leave, and how
//! many may be under way.

use std::time::{Duration, Instant};

use super::debt::{Debt, LEAST_PRICE};
use super::depth::Depth;
use super::estimate::{Climb, climbed, growth, lowered, raised};
use super::evidence::{Counts, Evidence, Flight, Range, seconds};
use super::excess::{Excess, Suspicion};
use super::slots::Slots;
use super::track::Track;

/// The rate that `auto` starts with, in requests a second.
const START: f64 = 2.0;
/// The share of a rate that an earlier run found that this one starts with: it may be less by now.
const KNOWN: f64 = 0.85;
/// The lowest rate, in requests a second.
const FLOOR: f64 = 0.2;
/// How far under what was found the rate is held, as a share of it.
const MARGIN: f64 = 0.03;
/// How many seconds lie at least between two climbs where room is left to others: a climb takes it.
const QUIET: f64 = 60.0;
/// How long a rate is tried at least before it doubles.
const STAGE: Duration = Duration::from_millis(500);
/// And with how many requests at least.
const STAGE_REQUESTS: u32 = 2;
/// At less than so many a second every rejection is a large share.
const FEW: f64 = 8.0;
/// How long the rate stays low after a cut at least, so that the bucket fills a little.
const RECOVERY: Duration = Duration::from_millis(400);
/// Seconds' worth of requests that a recovery leaves in the bucket.
const REFILL: f64 = 0.3;
/// How far the times at which requests reach the service may be off, as a share of the latency.
const JITTER: f64 = 0.05;
/// Seconds without a request before a pair, so that any bucket but one of a token gains two. It is a
/// few periods at most, and two at least.
const PAUSE: f64 = 0.25;
/// Rejections without a gap that no bucket explains at a rate that was accepted a moment ago.
const RUN: f64 = 3.0;
/// Rejections for each request that was accepted among them, at least.
const LONE: f64 = 8.0;
/// How long after such a run it is waited for the next second of the clock, and a good part of it.
const LUMP: Duration = Duration::from_millis(1600);
/// For how many seconds the next run is taken for a bucket's, too, where one was.
const DOUBT: f64 = 3.0;
/// Requests that what was found must rest on to be sure, to a few in a hundred.
const SURE: f64 = 50.0;
/// Seconds' worth above what was found whose acceptance tells that more is allowed.
const SURPLUS: f64 = 1.2;

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// The rate doubles; where something is known, it grows by half.
    Start { since: Instant, sent: u32, answered: bool },
    /// It is low until the flight that met the limit is over.
    Recover { until: Instant, cut: Suspicion, lump: bool },
    /// It is just under what was found.
    Hold,
    /// It is led by the share of rejections.
    Track,
    /// It grows, to see whether more is allowed; `seconds` of sending so far.
    Climb { since: Instant, seconds: f64, accepted: u32 },
}

/// A rate that follows what is allowed.
#[derive(Debug)]
pub(super) struct Adaptive {
    /// The highest rate.
    most: f64,
    /// What is held of what was found, as a share of it.
    keep: f64,
    rate: f64,
    /// What is allowed, as far as is known.
    found: Option<f64>,
    /// How many requests that rests on.
    sure: f64,
    /// What was surely accepted when the rate last began to climb.
    held: Option<f64>,
    phase: Phase,
    /// When the rate was last cut. Answers to earlier requests do not cut it again.
    epoch: Instant,
    /// Answers in this epoch.
    answers: f64,
    debt: Debt,
    latency: Option<f64>,
    last_sent: Instant,
    slots: Slots,
    depth: Depth,
    excess: Excess,
    flight: Option<Flight>,
    evidence: Evidence,
    track: Option<Track>,
    /// When a run of rejections last turned out to be one of an empty bucket.
    no_lump: Option<Instant>,
}

impl Adaptive {
    /// A rate that is not known yet, of `most` at most, `headroom` under what is found, as a share.
    pub(super) fn finding(most: f64, headroom: f64, start: Instant) -> Self {
        let mut adaptive = Self::starting(START.min(most), most, headroom, start);
        adaptive.epoch = before(start);
        adaptive
    }

    /// A rate that doubles from `rate`, in requests a second. Requests that were sent until `start`
    /// have no say.
    pub(super) fn starting(rate: f64, most: f64, headroom: f64, start: Instant) -> Self {
        Self {
            most,
            keep: 1.0 - headroom.max(MARGIN),
            rate: rate.clamp(FLOOR.min(most), most),
            found: None,
            sure: 1.0,
            held: None,
            phase: Phase::Start { since: start, sent: 0, answered: false },
            epoch: start,
            answers: 0.0,
            debt: Debt::new(start),
            latency: None,
            last_sent: start,
            slots: Slots::new(start),
            depth: Depth::default(),
            excess: Excess::default(),
            flight: None,
            evidence: Evidence::new(start),
            track: None,
            no_lump: None,
        }
    }

    /// Begins a little under `known`, in requests a second, instead of at a rate that is safe anywhere.
    pub(super) fn begin_with(&mut self, known: f64) {
        if known.is_finite() && known > 0.0 {
            self.rate = (KNOWN * known).clamp(FLOOR.min(self.most), self.most);
        }
    }

    /// A rate that was asked for, and is lowered only where less is allowed.
    pub(super) fn holding(rate: f64, start: Instant) -> Self {
        let mut adaptive = Self::starting(rate, rate, 0.0, start);
        adaptive.all_is_allowed();
        adaptive.epoch = before(start);
        adaptive
    }

    /// Requests a second that may leave now.
    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether the rate is as high as it may be.
    pub(super) fn is_at_most(&self) -> bool {
        self.rate >= self.most
    }

    /// Requests that may be under way at once: what the rate and the latency come to, and as many
    /// again.
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

    /// When the next request may leave, if that is later than `now`.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Instant> {
        // At its highest the rate is held by the ceiling.
        if self.is_at_most() || self.depth.wants_second() {
            return None;
        }
        self.slots.wait(now)
    }

    /// A request leaves at `now`.
    pub(super) fn sent(&mut self, now: Instant) {
        let second = self.depth.wants_second();
        self.depth.left(now);
        if !second {
            self.advance(now);
            self.slots.take(now, self.rate, !self.depth.is_shallow());
        }
        self.last_sent = now;
    }

    /// What the time since the last request changes.
    fn advance(&mut self, now: Instant) {
        let latency = self.latency.unwrap_or(0.0);
        let found = self.found.unwrap_or(self.rate);
        match &mut self.phase {
            Phase::Start { since, sent, answered } => {
                let least = STAGE_REQUESTS;
                let over = now.saturating_duration_since(*since) >= STAGE && *sent >= least;
                if *answered && over {
                    // A rate that was not used proves nothing.
                    let used = f64::from(*sent) >= 0.6 * self.rate * seconds(*since, now);
                    if used && self.rate >= self.most {
                        self.all_is_allowed();
                        return;
                    }
                    let growth = growth(self.found);
                    self.rate = if used { (self.rate * growth).min(self.most) } else { self.rate };
                    (*since, *sent, *answered) = (now, 0, false);
                }
                *sent += 1;
            }
            Phase::Recover { .. } | Phase::Track => {}
            Phase::Hold => {
                self.depth.try_pair(now, self.rate);
                self.consider_climbing(now);
            }
            Phase::Climb { seconds: sending, .. } => {
                // Idle time is no time of sending.
                *sending += seconds(self.last_sent, now).min(2.0 / self.rate);
                // The longer answers take, the more requests meet the limit before it is known.
                let gentle = (0.03 / latency.max(0.001)).clamp(0.03, 0.1);
                let slope = (3.0 / self.sure).clamp(gentle, 0.3);
                let share = (self.keep + slope * *sending).min(1.5);
                self.rate = (found * share).clamp(FLOOR.min(self.most), self.most);
                if self.rate >= self.most {
                    self.all_is_allowed();
                }
            }
        }
    }

    /// Nothing more than the highest rate is looked for.
    fn all_is_allowed(&mut self) {
        self.found = Some(self.most / self.keep);
        self.rate = self.most;
        self.phase = Phase::Hold;
    }

    fn consider_climbing(&mut self, now: Instant) {
        if self.debt.is_too_much(self.rate) {
            // Rejections that never came close enough together to be an excess.
            self.found = self.found.map(|found| found * 0.98);
            self.rate = self.held_rate();
        }
        if self.is_at_most() {
            return;
        }
        let seconds = seconds(self.epoch, now);
        let paid = self.debt.is_paid()
            || (self.sure < SURE && self.answers >= (3.0 * self.sure).max(LEAST_PRICE));
        let latency = self.latency.unwrap_or(0.0);
        let settled = (3.0 * self.sure / self.rate).min(5.0).max(2.0 * latency);
        let least = if self.leaves_room() && self.sure >= SURE { QUIET } else { settled };
        if paid && seconds >= least {
            // For a while, what a recovery left in the bucket hides a rate that is too high.
            self.held = Some(self.rate * (1.0 - (REFILL / seconds).min(0.5)));
            self.evidence.full(now);
            self.phase = Phase::Climb { since: now, seconds: 0.0, accepted: 0 };
        }
    }

    /// Whether more is left to others than what makes the rate safe.
    fn leaves_room(&self) -> bool {
        self.keep < 1.0 - MARGIN
    }

    fn held_rate(&self) -> f64 {
        let found = self.found.unwrap_or(self.rate);
        (found * self.keep).clamp(FLOOR.min(self.most), self.most)
    }

    const fn suspicion(&self) -> Suspicion {
        match self.phase {
            Phase::Start { .. } => Suspicion::Start,
            Phase::Climb { .. } => Suspicion::Probe,
            Phase::Recover { .. } | Phase::Hold | Phase::Track => Suspicion::Hold,
        }
    }

    /// The request sent at `sent` was accepted.
    pub(super) fn accepted(&mut self, sent: Instant, now: Instant) {
        if self.tracked(sent, now, true) {
            return;
        }
        if self.depth.answered(sent, true) {
            self.plumb(now);
        }
        self.recover(now);
        self.answered(sent, now, true);
        if sent <= self.epoch {
            return;
        }
        self.answers += 1.0;
        self.debt.pay();
        if self.excess.accepted(self.suspicion()) && !matches!(self.phase, Phase::Recover { .. }) {
            self.flight = None;
        }
        match &mut self.phase {
            Phase::Start { since, answered, .. } if sent >= *since => *answered = true,
            Phase::Climb { since, accepted, .. } if sent >= *since => {
                *accepted += 1;
                let found = self.found.unwrap_or(0.0);
                let surplus = f64::from(*accepted) - found * seconds(*since, sent);
                if surplus > SURPLUS * found + 2.0 {
                    self.phase = Phase::Start { since: now, sent: 0, answered: false };
                    self.evidence.doubt();
                }
            }
            _ => {}
        }
    }

    /// The request sent at `sent` was rejected. Whether the rate was cut for it.
    pub(super) fn throttled(&mut self, sent: Instant, now: Instant) -> bool {
        if self.tracked(sent, now, false) {
            return false;
        }
        self.recover(now);
        if self.depth.answered(sent, false) {
            self.debt.owe(1.0, self.rate);
            self.plumb(now);
            return false;
        }
        if sent > self.epoch && self.flight.is_none() {
            self.flight = Some(Flight { begin: sent, rate: self.rate });
            self.evidence.flight_begins();
        }
        self.answered(sent, now, false);
        // The other half is charged once it was no stray.
        self.debt.owe_for(sent, 0.5, self.rate);
        if sent <= self.epoch {
            return false;
        }
        self.answers += 1.0;
        let cut = self.excess.rejected(self.suspicion(), self.rate)
            && !matches!(self.phase, Phase::Recover { lump: true, .. });
        if cut {
            self.cut(now);
        }
        cut
    }

    /// Finds out how deep the bucket is, and goes by that.
    fn plumb(&mut self, now: Instant) {
        if self.depth.is_shallow() {
            self.rate = self.held_rate();
            self.start_tracking(now);
        } else if self.depth.wants_pair() {
            let pause = (5.0 / self.rate).min(PAUSE).max(2.0 / self.rate);
            self.slots.hold(now + Duration::from_secs_f64(pause));
        }
    }

    fn start_tracking(&mut self, now: Instant) {
        let keep = if self.leaves_room() { self.keep } else { 1.0 };
        self.track = Some(Track::new(self.rate, keep, now));
        self.epoch = now;
        self.phase = Phase::Track;
    }

    /// Takes the answer into the rate, where that is led by rejections alone.
    fn tracked(&mut self, sent: Instant, now: Instant, accepted: bool) -> bool {
        let Some(track) = &mut self.track else { return false };
        if sent > self.epoch && !self.depth.answered(sent, accepted) {
            let took = seconds(sent, now);
            let latency = self.latency.map_or(took, |before| before + (took - before) / 8.0);
            self.latency = Some(latency);
            track.answered(accepted, now, latency, self.most);
            self.rate = track.rate();
        }
        true
    }

    fn answered(&mut self, sent: Instant, now: Instant, accepted: bool) {
        let took = seconds(sent, now);
        let latency = self.latency.map_or(took, |before| before + (took - before) / 8.0);
        self.latency = Some(latency);
        let allowed = self.found.unwrap_or(self.rate);
        let depth = self.depth.seconds(allowed);
        self.evidence.answered(sent, accepted, allowed * (1.0 + 2.0 / self.sure), depth);
        if self.flight.is_none() {
            let late = Duration::from_secs_f64(2.0 * latency + 0.1);
            self.evidence.settle(now.checked_sub(late).unwrap_or(sent));
        }
    }

    /// The rate is too high: it is cut at once, and once for all requests that are under way.
    fn cut(&mut self, now: Instant) {
        let begin = self.flight.map_or(now, |flight| flight.begin);
        let Counts { accepted, rejected } = self.evidence.counts(begin, now);
        let cut = self.suspicion();
        let rough = match self.held {
            Some(held) if cut == Suspicion::Probe => held,
            _ => self.rate * (accepted + 0.5) / (accepted + rejected).max(1.0),
        };
        let latency = self.latency.unwrap_or(1.0);
        // At a low rate even a token less is a large share of what is allowed.
        let most = if rough < FEW / 2.0 { 0.2 } else { 0.5 };
        let less = (REFILL / latency.max(RECOVERY.as_secs_f64())).min(most);
        let most = if cut == Suspicion::Start { 0.25 } else { 0.8 };
        let least = FLOOR.min(self.most);
        let met = self.rate;
        self.rate = (rough * (1.0 - less)).min(self.rate * most).max(least);
        self.epoch = now;
        self.answers = 0.0;
        self.excess.reset();
        let mut until = now + RECOVERY.max(Duration::from_secs_f64(1.25 * latency));
        let lump = !matches!(self.phase, Phase::Recover { .. })
            && !self.slots.made_up_since(begin)
            && self.no_lump.is_none_or(|then| seconds(then, now) > DOUBT)
            && rejected >= RUN
            && accepted * LONE <= rejected;
        if lump {
            self.rate = met * if cut == Suspicion::Start { 0.25 } else { 0.75 };
            until += LUMP;
        }
        self.phase = Phase::Recover { until, cut, lump };
        let pause = Duration::from_secs_f64(1.0 / self.rate).min(Duration::from_secs(2));
        self.slots.hold(now + pause);
    }

    /// Once the flight that met the limit is over, the rate goes back up to just under what it told.
    fn recover(&mut self, now: Instant) {
        let Phase::Recover { until, cut, lump } = self.phase else { return };
        if now < until {
            return;
        }
        if let Some(flight) = self.flight.take() {
            if lump {
                if self.was_a_lump(flight) {
                    self.start_tracking(now);
                    return;
                }
                // All that was rejected since tells of the bucket.
                if cut != Suspicion::Start {
                    self.epoch = self.evidence.since_rejection().0.max(self.epoch);
                }
                self.no_lump = Some(now);
            }
            self.learn(flight, cut);
            if cut == Suspicion::Start {
                self.debt.forget(now);
            }
        }
        self.rate = self.held_rate();
        self.phase = Phase::Hold;
        self.plumb(now);
    }

    /// Whether more was accepted after the flight than a bucket that it emptied could have held.
    fn was_a_lump(&self, flight: Flight) -> bool {
        let (last, accepted, time) = self.evidence.since_rejection();
        let own = self.evidence.counts(flight.begin, last);
        let most = own.range(seconds(flight.begin, last)).high * time;
        own.rejected >= RUN && own.accepted * LONE <= own.rejected && accepted > 1.4 * most
    }

    fn learn(&mut self, flight: Flight, cut: Suspicion) {
        let counts = self.evidence.counts(flight.begin, self.epoch);
        let own = counts.range(seconds(flight.begin, self.epoch));
        let jitter = JITTER * self.latency.unwrap_or(0.0);
        let range = self.evidence.until(flight.begin, jitter).fold(own, Range::and);
        let guessed = self.sure < SURE / 2.0;
        self.sure = range.requests.max(1.0);
        let found = match self.found {
            Some(found) if cut == Suspicion::Probe && flight.rate > found => {
                let leaves_room = self.leaves_room();
                climbed(Climb { found, held: self.held, leaves_room }, flight, own, range)
            }
            Some(found) if cut != Suspicion::Start => lowered(found, counts, own, range),
            known => raised(known, flight, own, range),
        };
        if cut != Suspicion::Probe {
            self.held = None;
        }
        self.debt.owe(counts.rejected * 0.5, self.rate);
        let fell = self.found.is_some_and(|before| found < 0.85 * before);
        if fell || guessed && found >= FEW {
            self.debt.forgive(found);
        }
        self.excess.reset();
        // Times of a few requests that left late together tell nothing, but the limit was met.
        let found = found.min(flight.rate).clamp(FLOOR.min(self.most), self.most);
        self.found = Some(found);
        self.evidence.emptied(self.epoch, found * (1.0 + 2.0 / self.sure));
    }
}

/// A moment before `start`, so that a request sent at the start counts.
fn before(start: Instant) -> Instant {
    start.checked_sub(Duration::from_nanos(1)).unwrap_or(start)
}
