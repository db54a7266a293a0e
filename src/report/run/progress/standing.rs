//! The state of a run, in words.
//!
//! In: events, and the moment of each. Out: text with colours, as wide as there is room. It reads no
//! clock and writes nothing.

use std::time::{Duration, Instant};

use super::rate::RateMeter;
use crate::event::{Cause, Event};
use crate::report::run::Counts;
use crate::run::Listed;
use crate::submission::{Outcome, Refusal, RunKind};
use crate::text::{counted, cut, escaped, grouped, rate, redacted, time_left};

/// The longest time for which a throttled rate is shown as news.
const NEWS: Duration = Duration::from_secs(2);
/// The shortest, even if the rate has already recovered.
const LEGIBLE: Duration = Duration::from_secs(1);
/// A time left is shown from here on.
const SOON: Duration = Duration::from_secs(3);
/// The longest text of the service in a line, in characters.
const LONGEST: usize = 100;
/// From so many pauses on, more of them are reckoned with.
const RECURRING: u32 = 2;

/// The state of a run, as progress shows it.
#[derive(Debug)]
pub(super) struct Standing {
    kind: RunKind,
    total: usize,
    counts: Counts,
    phase: Phase,
    meter: RateMeter,
    /// The requests of a listing.
    requests: RateMeter,
    pauses: Pauses,
}

/// The phase of a run.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Connecting {
        target: String,
    },
    NoAnswer {
        said: String,
        until: Option<Instant>,
    },
    /// Listing the target, with so many requests at most before it ends, if that is known.
    Listing {
        artifacts: usize,
        requests_left: Option<usize>,
    },
    Comparing {
        done: usize,
        total: usize,
    },
    Sending,
    /// Nothing is left but look-ups that are not due yet.
    AwaitingLookUps {
        entries: usize,
        at: Instant,
    },
    Throttled {
        from: Option<f64>,
        to: f64,
        at: Instant,
    },
    Paused {
        cause: Cause,
        said: String,
        probe_at: Instant,
    },
    Probing {
        cause: Option<Cause>,
    },
}

/// The pauses of a run so far.
#[derive(Debug, Default)]
struct Pauses {
    /// The moment at which the first entry was settled, or the first pause began.
    first: Option<Instant>,
    ended: u32,
    paused: Duration,
    since: Option<Instant>,
    /// The rate before the present one.
    rate_before: Option<f64>,
}

impl Pauses {
    fn begin(&mut self, now: Instant, rate: Option<f64>) {
        self.first.get_or_insert(now);
        if self.since.is_none() {
            self.since = Some(now);
            self.rate_before = rate.filter(|rate| *rate > 0.0).or(self.rate_before);
        }
    }

    fn end(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.ended += 1;
            self.paused += now.saturating_duration_since(since);
        }
    }

    /// Returns by how much longer than by its rate a run takes, if it goes on being paused as it was.
    fn factor(&self, now: Instant) -> f64 {
        let whole = self.first.map_or(Duration::ZERO, |first| now.saturating_duration_since(first));
        let sending = whole.saturating_sub(self.paused).as_secs_f64();
        if self.ended < RECURRING || sending <= 0.0 {
            return 1.0;
        }
        whole.as_secs_f64() / sending
    }
}

impl Standing {
    /// Returns the state of a run that has done nothing yet of `total` entries.
    pub(super) fn new(total: usize) -> Self {
        Self {
            kind: RunKind::Import,
            total,
            counts: Counts::default(),
            phase: match total {
                0 => Phase::Listing { artifacts: 0, requests_left: None },
                _ => Phase::Sending,
            },
            meter: RateMeter::default(),
            requests: RateMeter::default(),
            pauses: Pauses::default(),
        }
    }

    /// Notes what the run does.
    pub(super) const fn is_of(&mut self, kind: RunKind) {
        self.kind = kind;
    }

    /// Takes in an event, and returns whether it is worth a line of its own.
    pub(super) fn event(&mut self, now: Instant, event: &Event) -> bool {
        match event {
            Event::Settled(settled) => {
                self.counts.add(settled.outcome);
                self.meter.add(now, 1);
                self.pauses.first.get_or_insert(now);
                if matches!(self.phase, Phase::Probing { .. }) {
                    self.resume(now);
                }
                if matches!(self.phase, Phase::AwaitingLookUps { .. }) {
                    self.phase = Phase::Sending;
                }
                false
            }
            Event::RateChanged { from, to, throttled: true } => {
                if matches!(self.phase, Phase::Sending | Phase::Throttled { .. }) {
                    self.phase = Phase::Throttled { from: *from, to: *to, at: now };
                }
                false
            }
            Event::RateChanged { throttled: false, .. } => {
                self.end_news(now, LEGIBLE);
                false
            }
            Event::AwaitingLookUps { entries, at } => {
                self.phase = Phase::AwaitingLookUps { entries: *entries, at: *at };
                false
            }
            Event::Throttled | Event::Withdrawn(_) | Event::MadeByAnother(_) => false,
            Event::Paused { cause, probe_at, refusal } => {
                let same = match &self.phase {
                    Phase::Paused { cause: before, .. } => before == cause,
                    Phase::Probing { cause: before } => *before == Some(*cause),
                    _ => false,
                };
                self.pauses.begin(now, self.meter.per_second(now));
                self.meter.reset();
                self.phase =
                    Phase::Paused { cause: *cause, said: said(refusal), probe_at: *probe_at };
                !same
            }
            Event::Probed => {
                let cause = match &self.phase {
                    Phase::Paused { cause, .. } => Some(*cause),
                    Phase::Probing { cause } => *cause,
                    _ => None,
                };
                self.phase = Phase::Probing { cause };
                false
            }
            Event::Reopened { .. } => {
                self.resume(now);
                true
            }
        }
    }

    fn resume(&mut self, now: Instant) {
        self.pauses.end(now);
        self.phase = Phase::Sending;
    }

    /// Takes in that the target is being connected to.
    pub(super) fn connecting(&mut self, target: &str) {
        self.phase = Phase::Connecting { target: escaped(&redacted(target)) };
    }

    /// Takes in that the target has not answered, and until when it is asked again, if that is
    /// known.
    pub(super) fn no_answer(&mut self, refusal: &Refusal, until: Option<Instant>) {
        self.phase = Phase::NoAnswer { said: said(refusal), until };
    }

    /// Takes in another page of a listing.
    pub(super) fn listing(&mut self, now: Instant, listed: Listed) {
        let Listed { artifacts, requests_left } = listed;
        let before = match self.phase {
            Phase::Listing { artifacts, .. } => artifacts,
            _ => 0,
        };
        self.meter.add(now, artifacts.saturating_sub(before) as u64);
        self.requests.add(now, 1);
        self.phase = Phase::Listing { artifacts, requests_left };
    }

    /// Takes in how many of `total` entries have been compared with the target.
    pub(super) fn comparing(&mut self, now: Instant, done: usize, total: usize) {
        let before = match self.phase {
            Phase::Comparing { done, .. } => done,
            _ => {
                self.meter.reset();
                0
            }
        };
        self.meter.add(now, done.saturating_sub(before) as u64);
        self.phase = Phase::Comparing { done, total };
    }

    /// Takes in that time has passed.
    pub(super) fn tick(&mut self, now: Instant) {
        self.end_news(now, NEWS);
    }

    /// Ends the news of a throttled rate that are `old`.
    fn end_news(&mut self, now: Instant, old: Duration) {
        if let Phase::Throttled { at, .. } = self.phase
            && now.saturating_duration_since(at) >= old
        {
            self.phase = Phase::Sending;
        }
    }

    /// Returns whether nothing is sent until something changes.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Paused { .. } | Phase::Probing { .. } | Phase::NoAnswer { .. })
    }

    pub(super) const fn is_connecting(&self) -> bool {
        matches!(self.phase, Phase::Connecting { .. })
    }

    pub(super) fn done(&self) -> usize {
        self.counts.total()
    }

    pub(super) const fn total(&self) -> usize {
        self.total
    }

    /// Returns all of it in one line.
    pub(super) fn line(&self, now: Instant) -> String {
        match self.alone(now) {
            Some(text) => text,
            None => format!(
                "{}/{}: {}, {}",
                grouped(self.done() as u64),
                grouped(self.total as u64),
                self.numbers(),
                self.state(now)
            ),
        }
    }

    /// Returns the text that stands below a bar, in lines of at most `width` cells.
    pub(super) fn below_bar(&self, now: Instant, width: usize) -> String {
        let wrap = |text: &str| textwrap::wrap(text, width.max(20)).join("\n");
        if let Some(text) = self.alone(now) {
            return wrap(&text);
        }
        let (numbers, state) = (self.numbers(), self.state(now));
        let one = format!("{numbers}, {state}");
        if textwrap::core::display_width(&one) <= width {
            return one;
        }
        format!("{}\n{}", wrap(&numbers), wrap(&state))
    }

    /// Returns the text that is shown before anything is sent.
    fn alone(&self, now: Instant) -> Option<String> {
        Some(match &self.phase {
            Phase::Connecting { target } => format!("connecting to {target}"),
            Phase::NoAnswer { said, until } => retrying(said, *until, now),
            Phase::Listing { artifacts, requests_left } => {
                let listed = counted(*artifacts, "artifact");
                let pace = self.pace(now);
                let left = requests_left.and_then(|left| left_at(&self.requests, now, left));
                let left = left.map(|left| format!(", at most {left}")).unwrap_or_default();
                format!("listing the target: {listed}{pace}{left}")
            }
            Phase::Comparing { done, total } => {
                let compared =
                    format!("{}/{} entries", grouped(*done as u64), grouped(*total as u64));
                let left = left_at(&self.meter, now, total.saturating_sub(*done));
                let left = left.map(|left| format!(", {left}")).unwrap_or_default();
                format!("comparing with the target: {compared}{}{left}", self.pace(now))
            }
            _ => return None,
        })
    }

    /// Returns `, 38.2/s`, or nothing while too few were counted.
    fn pace(&self, now: Instant) -> String {
        let per_second = self.meter.per_second(now).filter(|rate| *rate > 0.0);
        per_second.map(|per_second| format!(", {}/s", rate(per_second))).unwrap_or_default()
    }

    /// Returns the counts: `created 1,200, existing 30, failed 4`.
    fn numbers(&self) -> String {
        let count = |outcome: Outcome| self.counts.of(outcome);
        let created = count(Outcome::Created) + count(Outcome::Recovered);
        let mut text = match self.kind {
            RunKind::Import => format!(
                "created {}, existing {}",
                grouped(created as u64),
                grouped(count(Outcome::Existed) as u64)
            ),
            RunKind::Delete => format!("deleted {}", grouped(count(Outcome::Deleted) as u64)),
        };
        for outcome in [Outcome::Updated, Outcome::Differs] {
            if count(outcome) > 0 {
                text.push_str(&format!(", {outcome} {}", grouped(count(outcome) as u64)));
            }
        }
        let errors = Outcome::ALL.into_iter().filter(|outcome| outcome.is_error());
        let failed: usize = errors.map(count).sum();
        let failed_text = format!("failed {}", grouped(failed as u64));
        if failed > 0 {
            text.push_str(&format!(", \x1b[31m{failed_text}\x1b[0m"));
        } else {
            text.push_str(&format!(", {failed_text}"));
        }
        text
    }

    /// Returns the rate, the phase and the time left: `38.2/s, sending, 1m 40s left`.
    fn state(&self, now: Instant) -> String {
        let mut text = match self.rate(now) {
            _ if matches!(self.phase, Phase::AwaitingLookUps { .. }) => String::new(),
            Some(per_second) => format!("{}/s, ", rate(per_second)),
            None => String::new(),
        };
        text.push_str(&match &self.phase {
            Phase::Throttled { from: Some(from), to, .. } => {
                format!("\x1b[33mthrottled {} to {}/s\x1b[0m", rate(*from), rate(*to))
            }
            Phase::Throttled { from: None, to, .. } => {
                format!("\x1b[33mthrottled to {}/s\x1b[0m", rate(*to))
            }
            Phase::Paused { cause, said, probe_at } => {
                let wait = time_left(probe_at.saturating_duration_since(now));
                let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
                let cause = cause.as_str();
                format!("\x1b[33mpaused: {cause}\x1b[0m{said}, next probe in {wait}")
            }
            Phase::AwaitingLookUps { entries, at } => {
                let wait = time_left(at.saturating_duration_since(now));
                let entries = counted(*entries, "entry");
                format!("\x1b[36mwaiting\x1b[0m {wait} to look up {entries} again")
            }
            Phase::Probing { cause: Some(cause) } => {
                format!("\x1b[36mprobing\x1b[0m: {}", cause.as_str())
            }
            Phase::Probing { cause: None } => "\x1b[36mprobing\x1b[0m".to_owned(),
            _ => "\x1b[32msending\x1b[0m".to_owned(),
        });
        text.push_str(&self.left(now).unwrap_or_default());
        text
    }

    /// Returns the recent rate of settled entries a second; `None` while there were too few.
    fn rate(&self, now: Instant) -> Option<f64> {
        if self.is_waiting() { Some(0.0) } else { self.meter.per_second(now) }
    }

    /// Returns the time that is left, by the rate of the last seconds and by the pauses so far.
    fn left(&self, now: Instant) -> Option<String> {
        #[expect(clippy::cast_precision_loss, reason = "a time for people")]
        let entries = self.total.checked_sub(self.done()).filter(|left| *left > 0)? as f64;
        let (rate, wait, words) = match &self.phase {
            // A quota does not lift by itself.
            Phase::Paused { cause: Cause::Limit, .. } => return None,
            Phase::Paused { probe_at, .. } => {
                let wait = probe_at.saturating_duration_since(now);
                (self.pauses.rate_before?, wait, "at least ")
            }
            Phase::Probing { .. } | Phase::AwaitingLookUps { .. } => return None,
            _ => (self.meter.per_second(now)?, Duration::ZERO, ""),
        };
        if rate <= 0.0 {
            return None;
        }
        let seconds = entries / rate * self.pauses.factor(now) + wait.as_secs_f64();
        let left = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Some(format!(", {words}{} left", time_left(left)))
    }
}

/// Returns `4m left` for so many more at the rate of `meter`; `None` if that is soon or not known.
pub(in crate::report) fn left_at(meter: &RateMeter, now: Instant, more: usize) -> Option<String> {
    let per_second = meter.per_second(now).filter(|rate| *rate > 0.0)?;
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let seconds = more as f64 / per_second;
    let left = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    (left >= SOON).then(|| format!("{} left", time_left(left)))
}

/// Returns the text of a target that has not responded, why, and until when it is asked again.
pub(in crate::report) fn no_answer(refusal: &Refusal, until: Instant, now: Instant) -> String {
    retrying(&said(refusal), Some(until), now)
}

fn retrying(said: &str, until: Option<Instant>, now: Instant) -> String {
    let left = until.map(|until| until.saturating_duration_since(now));
    let left = left.map(|left| format!(" for {}", time_left(left))).unwrap_or_default();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    format!("\x1b[33mno answer yet\x1b[0m, retrying{left}{said}")
}

/// Returns the refusal, short enough for a line and without anything that a terminal acts on.
fn said(refusal: &Refusal) -> String {
    if let (Some(code), Some(quota)) = (&refusal.code, refusal.quota()) {
        // Of this text, the numbers stand at the end.
        let used = format!("{} of {} used", grouped(quota.used), grouped(quota.limit));
        return format!("{}, {used}", cut(&escaped(code), LONGEST));
    }
    let text = refusal.to_string();
    // A message can be as long as the service likes.
    let text = cut(&text, LONGEST * 4);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&escaped(&redacted(&line)), LONGEST)
}

#[cfg(test)]
mod tests;
