//! A service that allows so many requests a second, and a [`Pace`] that sends to it, on a simulated
//! clock.
//!
//! In: a [`Service`], a [`Pace`] and a seed. Out: which requests were accepted and throttled when. It
//! sleeps nowhere and reads no clock: an hour of requests takes a moment. The tests and the plot of
//! `just pace-plot` share it, so it names nothing but its parent's `Pace`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::Pace;

/// The longest time from a permit to the request's departure, in nanoseconds.
const LEAVING: u64 = 300_000;

/// A simulated service.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// Requests a second that are accepted from then on, in seconds since the start, in order.
    pub(super) allowed: Vec<(f64, f64)>,
    /// Seconds from request to answer.
    pub(super) latency: f64,
    /// The jitter of each way, as a share of it: 0.1 is up to a tenth more or less.
    pub(super) jitter: f64,
    /// The capacity of the bucket in seconds' worth of requests; it holds at least one request.
    pub(super) burst: f64,
    /// The share of requests that is throttled for no reason of rate.
    pub(super) stray: f64,
    /// From when to when, in seconds, others take half of what is allowed.
    pub(super) others: Option<(f64, f64)>,
    /// From when on, in seconds, answers take so many seconds instead.
    pub(super) later: Option<(f64, f64)>,
    /// It counts by fixed windows: what it allows in a second is there when the second begins, and is not
    /// carried over.
    pub(super) fixed_window: bool,
    /// The share of the time in which the sender itself is held up, for 5 to 50 ms at a time, or for
    /// 200 ms once in fifty times.
    pub(super) slips: f64,
    /// The delay of the sender's timers, in seconds, at least and at most.
    pub(super) timers: (f64, f64),
}

impl Service {
    /// Makes a service that allows `allowed` a second out of a bucket of one second's worth, and answers
    /// after `latency` seconds.
    pub(super) fn new(allowed: f64, latency: f64) -> Self {
        Self {
            allowed: vec![(0.0, allowed)],
            latency,
            jitter: 0.05,
            burst: 1.0,
            stray: 0.0,
            others: None,
            later: None,
            fixed_window: false,
            slips: 0.0,
            timers: (0.0, 0.0015),
        }
    }

    /// Returns the requests a second that are allowed to this sender at `second`.
    pub(super) fn allowed_at(&self, second: f64) -> f64 {
        let allowed = self.allowed.iter().rev().find(|(from, _)| *from <= second);
        let allowed = allowed.map_or(0.0, |(_, allowed)| *allowed);
        let shared = self.others.is_some_and(|(from, to)| (from..to).contains(&second));
        if shared { allowed / 2.0 } else { allowed }
    }

    /// Returns the seconds from request to answer at `second`.
    fn latency_at(&self, second: f64) -> f64 {
        self.later.filter(|(from, _)| *from <= second).map_or(self.latency, |(_, latency)| latency)
    }

    /// Returns how long a request takes to the service, or an answer back, in nanoseconds.
    fn way(&self, second: f64, random: &mut fastrand::Rng) -> u64 {
        let varied = self.jitter * (random.f64() * 2.0 - 1.0);
        let way = self.latency_at(second) / 2.0 * (1.0 + varied);
        nanos_of(Duration::from_secs_f64(way.max(1e-6)))
    }

    /// Returns the requests that are allowed between two seconds.
    pub(super) fn allowed_between(&self, from: f64, to: f64) -> f64 {
        let step: f64 = 0.01;
        let (mut second, mut allowed) = (from, 0.0);
        while second < to {
            allowed += self.allowed_at(second) * step.min(to - second);
            second += step;
        }
        allowed
    }
}

/// One request of a simulation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// When it left, in seconds since the start.
    pub(super) at: f64,
    /// True if it was accepted.
    pub(super) accepted: bool,
    /// The rate that the sender went by, in requests a second.
    pub(super) rate: f64,
}

/// The outcome of a simulation, in the order in which requests reached the service.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// Every request.
    pub(super) requests: Vec<Sent>,
    /// The most that were in flight at once.
    pub(super) most_in_flight: usize,
}

impl Outcome {
    /// Returns the requests that were sent between two seconds.
    pub(super) fn between(&self, from: f64, to: f64) -> impl Iterator<Item = &Sent> {
        self.requests.iter().filter(move |sent| (from..to).contains(&sent.at))
    }
}

/// The next step, by the nanoseconds since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// A request that left at these nanoseconds reaches the service.
    Arrives(u64),
    /// And its answer the sender.
    Answered(u64, bool),
    /// The sender wakes up.
    Wakes,
}

/// A sender.
struct Sender<'p> {
    pace: &'p mut Pace,
    wake: Option<u64>,
    in_flight: usize,
    slips: Slips,
    outcome: Outcome,
}

/// The service's bucket.
struct Bucket {
    tokens: f64,
    /// When it was last filled up, in seconds since the start.
    filled: f64,
}

impl Bucket {
    /// Takes a token at `second`, if there is one.
    fn take(&mut self, service: &Service, second: f64) -> bool {
        let allowed = service.allowed_at(second);
        let holds = (allowed * service.burst).max(1.0);
        let flown = if service.fixed_window {
            if second.floor() > self.filled.floor() { holds } else { 0.0 }
        } else {
            (second - self.filled) * allowed
        };
        self.tokens = f64::min(self.tokens + flown, holds);
        self.filled = second;
        let there = self.tokens >= 1.0;
        if there {
            self.tokens -= 1.0;
        }
        there
    }
}

/// Sends to one service with several paces, each from its own second on.
pub(super) fn simulate_together<'p>(
    service: &Service,
    paces: impl IntoIterator<Item = (&'p mut Pace, f64)>,
    start: Instant,
    seconds: f64,
    seed: u64,
) -> Vec<Outcome> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut steps = BinaryHeap::new();
    let mut senders = Vec::new();
    for (pace, from) in paces {
        let from = nanos_of(Duration::from_secs_f64(from));
        steps.push(Reverse((from, senders.len(), Step::Wakes)));
        senders.push(Sender {
            pace,
            wake: Some(from),
            in_flight: 0,
            slips: Slips { share: service.slips, from: 0, to: 0 },
            outcome: Outcome { requests: Vec::new(), most_in_flight: 0 },
        });
    }
    let mut bucket = Bucket { tokens: f64::MAX, filled: 0.0 };
    while let Some(Reverse((nanos, who, step))) = steps.pop() {
        let second = seconds_of(nanos);
        if second >= seconds {
            break;
        }
        let Some(sender) = senders.get_mut(who) else { break };
        let held = !matches!(step, Step::Arrives(_));
        let done = if held { sender.slips.after(nanos, &mut random) } else { nanos };
        if done > nanos {
            // The sender does nothing just now.
            if step == Step::Wakes && sender.wake == Some(nanos) {
                sender.wake = Some(done);
            }
            steps.push(Reverse((done, who, step)));
            continue;
        }
        let now = start + Duration::from_nanos(nanos);
        match step {
            Step::Arrives(sent) => {
                let stray = random.f64() < service.stray;
                let accepted = !stray && bucket.take(service, second);
                let rate = sender.pace.rate().unwrap_or(f64::INFINITY);
                sender.outcome.requests.push(Sent { at: seconds_of(sent), accepted, rate });
                let back = service.way(second, &mut random);
                steps.push(Reverse((nanos + back, who, Step::Answered(sent, accepted))));
                continue;
            }
            Step::Answered(sent, accepted) => {
                sender.in_flight -= 1;
                let sent = start + Duration::from_nanos(sent);
                let pace = &mut *sender.pace;
                let _ = if accepted { pace.accepted(sent, now) } else { pace.throttled(sent, now) };
            }
            Step::Wakes if sender.wake == Some(nanos) => sender.wake = None,
            Step::Wakes => continue,
        }
        // What an engine does after every answer and every time it wakes up.
        while sender.in_flight < sender.pace.window() {
            match sender.pace.acquire(now) {
                Ok(()) => {
                    sender.in_flight += 1;
                    let outcome = &mut sender.outcome;
                    outcome.most_in_flight = outcome.most_in_flight.max(sender.in_flight);
                    // The sender may be held up between the permit and the request, too.
                    let left = sender.slips.after(nanos + random.u64(0..LEAVING), &mut random);
                    let there = service.way(second, &mut random);
                    steps.push(Reverse((left + there, who, Step::Arrives(nanos))));
                }
                Err(next) => {
                    let (least, most) = service.timers;
                    let late =
                        nanos_of(Duration::from_secs_f64(least + (most - least) * random.f64()));
                    let next = nanos_of(next.saturating_duration_since(start)) + late;
                    if sender.wake.is_none_or(|wake| next < wake || wake < nanos) {
                        sender.wake = Some(next);
                        steps.push(Reverse((next, who, Step::Wakes)));
                    }
                    break;
                }
            }
        }
    }
    senders.into_iter().map(|sender| sender.outcome).collect()
}

/// The times in which the sender is held up and does nothing.
struct Slips {
    share: f64,
    from: u64,
    to: u64,
}

impl Slips {
    /// Returns when what is to be done at `nanos` is done. Asked in order of time.
    fn after(&mut self, nanos: u64, random: &mut fastrand::Rng) -> u64 {
        if self.share <= 0.0 {
            return nanos;
        }
        while self.to <= nanos {
            let millis = if random.u8(0..50) == 0 { 200 } else { random.u64(5..=50) };
            // The mean of these is 31.
            let between = 31.0 * (1.0 / self.share - 1.0) * -random.f64().max(1e-9).ln();
            self.from = self.to + nanos_of(Duration::from_secs_f64(between / 1e3));
            self.to = self.from + millis * 1_000_000;
        }
        if nanos < self.from { nanos } else { self.to }
    }
}

fn nanos_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "hours of nanoseconds fit")]
fn seconds_of(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}
