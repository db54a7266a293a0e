//! The course of a run over time, from which its picture is drawn.
//!
//! In: events, and how long after the start each came. Out: sums over spans of time, lineload's own
//! rate, the pauses and the probes. All of it is kept in buckets, which grow with the run: one of
//! days takes no more memory than one of a minute, and is drawn as sharply.

use std::time::Duration;

use crate::event::{Cause, Event};
use crate::submission::{Outcome, RunKind};

/// Buckets that are kept at most. A picture has fewer columns than half of them.
const MOST: usize = 2048;
/// The length of a bucket at first, in microseconds: 1/64 s.
const SHORTEST: u64 = 15_625;

/// A run over time.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// The kind of the run.
    kind: RunKind,
    /// The rate at which creates, or deletes, may leave at the start.
    first_rate: Option<f64>,
    /// The number of times that the buckets have doubled.
    doubled: u32,
    buckets: Vec<Bucket>,
    pauses: Vec<Pause>,
    paused: bool,
    took: Duration,
    totals: Totals,
}

/// The totals of a run, beside the outcomes of its entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Entries of which this run knows that it created them, or that it deleted.
    pub created: u64,
    /// Entries that came to another end.
    pub others: u64,
    /// Creates, or deletes, that were throttled.
    pub throttled: u64,
    /// Probes that went out.
    pub probes: u64,
    /// Pauses, in which nothing was submitted until a probe came through.
    pub pauses: u64,
    /// The sum of their lengths.
    pub paused: Duration,
}

/// A time in which nothing but probes was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// The cause.
    pub cause: Cause,
    /// Its start.
    pub from: Duration,
    /// Its end, or the end of the run if it lasted.
    pub to: Duration,
}

impl Pause {
    /// Returns its length.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.to.saturating_sub(self.from)
    }
}

/// The counts from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its start.
    pub from: Duration,
    /// Its end.
    pub to: Duration,
    /// Entries that were created, or deleted.
    pub created: u64,
    /// Entries that came to another end.
    pub others: u64,
    /// Creates that were throttled.
    pub throttled: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    created: u32,
    others: u32,
    throttled: u32,
    probes: u32,
    /// The rate at which creates may leave at its end, where it changed.
    rate: Option<f64>,
}

impl Bucket {
    const fn and(self, later: Self) -> Self {
        Self {
            created: self.created.saturating_add(later.created),
            others: self.others.saturating_add(later.others),
            throttled: self.throttled.saturating_add(later.throttled),
            probes: self.probes.saturating_add(later.probes),
            rate: if later.rate.is_some() { later.rate } else { self.rate },
        }
    }
}

impl Timeline {
    /// Returns a run of this kind that starts now, with at most `rate` creates or deletes a second;
    /// `None` if nothing bounds them.
    #[must_use]
    pub fn new(kind: RunKind, rate: Option<f64>) -> Self {
        Self { kind, first_rate: rate, ..Self::default() }
    }

    /// Returns what the run does.
    #[must_use]
    pub const fn kind(&self) -> RunKind {
        self.kind
    }

    /// Takes in an event, so long after the start.
    pub fn event(&mut self, at: Duration, event: &Event) {
        self.reach(at);
        match event {
            Event::Settled(settled) => match settled.outcome {
                Outcome::Created | Outcome::Recovered | Outcome::Deleted => {
                    self.bucket(at).created += 1;
                    self.totals.created += 1;
                }
                _ => {
                    self.bucket(at).others += 1;
                    self.totals.others += 1;
                }
            },
            Event::Throttled => {
                self.bucket(at).throttled += 1;
                self.totals.throttled += 1;
            }
            Event::RateChanged { to, .. } => self.bucket(at).rate = Some(*to),
            Event::Paused { cause, .. } => self.pause(at, *cause),
            Event::Probed => {
                self.bucket(at).probes += 1;
                self.totals.probes += 1;
            }
            Event::Reopened { .. } => self.paused = false,
            Event::Withdrawn(_) | Event::MadeByAnother(_) | Event::AwaitingLookUps { .. } => {}
        }
    }

    /// Ends the run, so long after the start.
    pub fn end(&mut self, at: Duration) {
        self.reach(at);
        self.paused = false;
    }

    /// Advances the run to `at`.
    fn reach(&mut self, at: Duration) {
        let passed = at.saturating_sub(self.took);
        self.took += passed;
        if self.paused {
            self.totals.paused += passed;
            if let Some(pause) = self.pauses.last_mut() {
                pause.to = self.took;
            }
        }
    }

    /// Takes in a pause. A probe that is refused is reported as a pause again.
    fn pause(&mut self, at: Duration, cause: Cause) {
        if !self.paused {
            self.totals.pauses += 1;
        }
        let same = self.paused && self.pauses.last().is_some_and(|last| last.cause == cause);
        if !same {
            self.pauses.push(Pause { cause, from: at, to: at });
            self.join_pauses();
        }
        self.paused = true;
    }

    /// Joins the pauses that no picture can show apart.
    fn join_pauses(&mut self) {
        if self.pauses.len() <= MOST {
            return;
        }
        let mut gap = self.length();
        while self.pauses.len() > MOST / 2 {
            self.pauses.dedup_by(|later, first| {
                let near = later.from.saturating_sub(first.to) < gap;
                if near {
                    let longer =
                        if later.length() > first.length() { later.cause } else { first.cause };
                    *first = Pause { cause: longer, from: first.from, to: later.to };
                }
                near
            });
            gap *= 2;
        }
    }

    /// Returns the present length of a bucket.
    fn length(&self) -> Duration {
        Duration::from_micros(SHORTEST << self.doubled)
    }

    fn bucket(&mut self, at: Duration) -> &mut Bucket {
        let place = |length: Duration| {
            usize::try_from(at.as_micros() / length.as_micros()).unwrap_or(usize::MAX)
        };
        while place(self.length()) >= MOST {
            self.doubled += 1;
            self.buckets = self
                .buckets
                .chunks(2)
                .map(|pair| pair[0].and(pair.get(1).copied().unwrap_or_default()))
                .collect();
        }
        let place = place(self.length());
        if self.buckets.len() <= place {
            self.buckets.resize(place + 1, Bucket::default());
        }
        &mut self.buckets[place]
    }

    /// Returns whether nothing happened at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.buckets.is_empty() && self.pauses.is_empty()
    }

    /// Returns the length of the run.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
    }

    /// Returns the totals.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// Returns the pauses, in order.
    #[must_use]
    pub fn pauses(&self) -> &[Pause] {
        &self.pauses
    }

    /// Returns lineload's own rate, and from when on; `None` where nothing bounded it.
    #[must_use]
    pub fn rates(&self) -> Vec<(Duration, Option<f64>)> {
        let changes = self.buckets().filter_map(|(from, bucket)| Some((from, Some(bucket.rate?))));
        std::iter::once((Duration::ZERO, self.first_rate)).chain(changes).collect()
    }

    /// Returns the moments at which probes went out, as exactly as is known.
    #[must_use]
    pub fn probes(&self) -> Vec<Duration> {
        let probed = self.buckets().filter(|(_, bucket)| bucket.probes > 0);
        probed.map(|(from, _)| (from + self.length() / 2).min(self.took)).collect()
    }

    fn buckets(&self) -> impl Iterator<Item = (Duration, &Bucket)> {
        let length = self.length();
        (0..).zip(&self.buckets).map(move |(at, bucket): (u32, _)| (length * at, bucket))
    }

    /// The whole run in columns of one length, which is at least `shortest`. What is too short for
    /// a column at the end belongs to the one before.
    #[must_use]
    pub fn columns(&self, shortest: Duration) -> Vec<Column> {
        let mut many = 1_usize;
        let mut length = self.length();
        while length < shortest {
            (many, length) = (many * 2, length * 2);
        }
        let mut columns = Vec::new();
        let mut from = Duration::ZERO;
        // What happened at the very end is in a bucket that begins there.
        let mut buckets = self.buckets.chunks(many);
        while from < self.took || buckets.len() > 0 || columns.is_empty() {
            let to = (from + length).min(self.took);
            let sum = |count: fn(&Bucket) -> u32, of: &[Bucket]| -> u64 {
                of.iter().map(|bucket| u64::from(count(bucket))).sum()
            };
            let of = buckets.next().unwrap_or_default();
            columns.push(Column {
                from,
                to,
                created: sum(|bucket| bucket.created, of),
                others: sum(|bucket| bucket.others, of),
                throttled: sum(|bucket| bucket.throttled, of),
            });
            from += length;
        }
        if let [.., before, last] = columns.as_mut_slice()
            && last.to.saturating_sub(last.from) < length / 2
        {
            before.to = last.to;
            before.created += last.created;
            before.others += last.others;
            before.throttled += last.throttled;
            columns.pop();
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::event::Settled;
    use crate::submission::EntryId;

    fn created() -> Event {
        Event::Settled(Settled::new(EntryId(0), Outcome::Created))
    }

    fn paused(cause: Cause) -> Event {
        Event::Paused {
            cause,
            probe_at: Instant::now(),
            refusal: crate::submission::Refusal::by_lineload("full"),
        }
    }

    const REOPENED: Event = Event::Reopened { after: Duration::ZERO };
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_run_of_days_takes_no_more_room_and_loses_nothing() {
        let mut timeline = Timeline::new(RunKind::Import, Some(2.0));
        let seconds = 3 * 86_400;
        for at in 0..seconds {
            let now = SECOND * at;
            timeline.event(now, &created());
            if at % 10 == 0 {
                timeline.event(now, &Event::Throttled);
                let to = f64::from(at);
                timeline.event(now, &Event::RateChanged { from: None, to, throttled: true });
                timeline.event(now, &paused(Cause::Limit));
                timeline.event(now + SECOND / 2, &Event::Probed);
                timeline.event(now + SECOND / 2, &REOPENED);
            }
        }
        timeline.end(SECOND * seconds);
        assert!(timeline.buckets.len() <= MOST && timeline.pauses.len() <= MOST);
        let columns = timeline.columns(Duration::from_secs(3600));
        assert!((36..=72).contains(&columns.len()), "{}", columns.len());
        assert_eq!(columns.iter().map(|column| column.created).sum::<u64>(), u64::from(seconds));
        assert_eq!(columns.iter().map(|column| column.throttled).sum::<u64>(), 25_920);
        assert!(columns.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!(columns.last().map(|column| column.to), Some(timeline.took()));
        let totals = timeline.totals();
        assert_eq!((totals.throttled, totals.probes, totals.pauses), (25_920, 25_920, 25_920));
        assert_eq!(totals.paused, SECOND * 12_960);
        assert_eq!(timeline.rates().last().and_then(|(_, rate)| *rate), Some(259_190.0));
    }

    #[test]
    fn what_happens_at_the_very_end_is_in_the_last_column() {
        let mut timeline = Timeline::new(RunKind::Import, None);
        for at in [0, 1, 2] {
            timeline.event(SECOND * at, &created());
        }
        let columns = timeline.columns(SECOND);
        let seen: Vec<_> = columns.iter().map(|one| (one.from, one.to, one.created)).collect();
        assert_eq!(seen, [(Duration::ZERO, SECOND, 1), (SECOND, SECOND * 2, 2)]);
        assert_eq!(timeline.rates(), [(Duration::ZERO, None)]);
    }

    #[test]
    fn a_probe_that_is_refused_is_the_same_pause_and_another_cause_another() {
        let mut timeline = Timeline::new(RunKind::Import, None);
        timeline.event(SECOND, &paused(Cause::Limit));
        timeline.event(SECOND * 2, &Event::Probed);
        timeline.event(SECOND * 2, &paused(Cause::Limit));
        timeline.event(SECOND * 3, &paused(Cause::Unreachable));
        timeline.event(SECOND * 5, &REOPENED);
        timeline.event(SECOND * 7, &paused(Cause::Expired));
        timeline.end(SECOND * 8);
        let pauses: Vec<_> = timeline
            .pauses()
            .iter()
            .map(|pause| (pause.cause, pause.from.as_secs(), pause.to.as_secs()))
            .collect();
        let expected = [(Cause::Limit, 1, 3), (Cause::Unreachable, 3, 5), (Cause::Expired, 7, 8)];
        assert_eq!(pauses, expected);
        assert_eq!((timeline.totals().pauses, timeline.totals().paused), (2, SECOND * 5));
    }
}
