//! The progress of a run: a bar on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Counts;
use crate::diagnostic::words::{escaped, grouped};
use crate::event::{Cause, Event};
use crate::report::progress::When;
use crate::submission::{Outcome, Refusal};

/// Time between two plain lines.
const LINES: Duration = Duration::from_secs(5);
/// Time over which the rate is told.
const RATE: Duration = Duration::from_secs(5);

/// Shows how far a run has come, on standard error.
#[derive(Debug)]
pub struct RunProgress {
    bar: Option<ProgressBar>,
    lines: bool,
    last_line: Instant,
    total: usize,
    counts: Counts,
    state: State,
    /// Whether it was told what the limit is.
    limit_told: bool,
    /// When entries were settled, and how many by then.
    marks: std::collections::VecDeque<(Instant, usize)>,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    Sending,
    Throttled { from: Option<f64>, to: f64, at: Instant },
    Paused { cause: &'static str, probe_at: Instant },
    Probing,
}

impl RunProgress {
    /// The progress of a run over `total` entries. `quiet` shows nothing.
    #[must_use]
    pub fn new(when: When, quiet: bool, total: usize) -> Self {
        let shown = !quiet && when.shown();
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(total as u64),
                ProgressDrawTarget::stderr_with_hz(10),
            );
            // Nobody knows how much there is to list.
            let template =
                if total == 0 { "{msg}" } else { "{wide_bar:.cyan/blue} {pos}/{len}\n{msg}" };
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let now = Instant::now();
        Self {
            bar,
            lines: !quiet && !shown && when != When::Never,
            last_line: now,
            total,
            counts: Counts::default(),
            state: State::Sending,
            limit_told: false,
            marks: [(now, 0)].into(),
        }
    }

    /// Something happened.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Settled(settled) => {
                self.counts.add(settled.outcome);
                self.mark();
                if matches!(self.state, State::Probing) {
                    self.state = State::Sending;
                }
            }
            Event::RateChanged { from, to, throttled: true } => {
                self.state = State::Throttled { from: *from, to: *to, at: Instant::now() };
            }
            Event::RateChanged { .. }
            | Event::Throttled
            | Event::Withdrawn(_)
            | Event::MadeByAnother(_) => {}
            Event::Paused { cause, probe_at, refusal } => {
                if *cause == Cause::Limit {
                    self.tell_limit(refusal);
                }
                self.state = State::Paused { cause: cause.as_str(), probe_at: *probe_at };
                self.line_now();
            }
            Event::Probed => self.state = State::Probing,
            Event::Reopened { .. } => {
                self.state = State::Sending;
                self.line_now();
            }
        }
        self.tick();
    }

    /// The target is listed before anything is sent; so many artifacts so far.
    pub fn listing(&mut self, listed: usize) {
        let message = format!("listing the target: {} artifacts", grouped(listed as u64));
        if let Some(bar) = &self.bar {
            bar.set_message(message);
        } else if self.lines && self.last_line.elapsed() >= LINES {
            self.last_line = Instant::now();
            let mut out = anstream::stderr().lock();
            // A log that nobody can write to is no reason to stop.
            let _ = std::io::Write::write_fmt(&mut out, format_args!("{message}\n"));
        }
    }

    /// Time has passed.
    pub fn tick(&mut self) {
        if let State::Throttled { at, .. } = self.state
            && at.elapsed() > RATE
        {
            self.state = State::Sending;
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.counts.total() as u64);
            bar.set_message(self.text());
        } else if self.lines && self.last_line.elapsed() >= LINES {
            self.line_now();
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Tells at once which limit was reached: nobody should wait for patience to run out to learn
    /// that it cannot lift by itself.
    fn tell_limit(&mut self, refusal: &Refusal) {
        if std::mem::replace(&mut self.limit_told, true) || (self.bar.is_none() && !self.lines) {
            return;
        }
        let left = self.total.saturating_sub(self.counts.total()) as u64;
        let note = match refusal.quota() {
            Some((limit, used)) if limit.saturating_sub(used) < left => format!(
                "the quota is {}, of which {} are used, and {} more are to be created: it has to be \
                 raised, or artifacts removed",
                grouped(limit),
                grouped(used),
                grouped(left)
            ),
            _ => escaped(&refusal.to_string()),
        };
        let note = format!("\x1b[33mnote:\x1b[0m {note}\n");
        let write = || {
            // A log that nobody can write to is no reason to stop.
            let _ = std::io::Write::write_all(&mut anstream::stderr().lock(), note.as_bytes());
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn line_now(&mut self) {
        if !self.lines {
            return;
        }
        self.last_line = Instant::now();
        let done = grouped(self.counts.total() as u64);
        let mut out = anstream::stderr().lock();
        // A log that nobody can write to is no reason to stop.
        let _ = std::io::Write::write_fmt(
            &mut out,
            format_args!("{done}/{}: {}\n", grouped(self.total as u64), self.text()),
        );
    }

    fn mark(&mut self) {
        let now = Instant::now();
        self.marks.push_back((now, self.counts.total()));
        while self.marks.len() > 2 && self.marks[1].0 + RATE < now {
            self.marks.pop_front();
        }
        // Fast runs would keep thousands; a tenth of a second is fine enough.
        if let [.., (before, _), _] = self.marks.make_contiguous()
            && now.saturating_duration_since(*before) < Duration::from_millis(100)
            && self.marks.len() > 2
        {
            let last = self.marks.len() - 2;
            self.marks.remove(last);
        }
    }

    /// Entries settled a second, lately.
    fn rate(&self) -> f64 {
        let old = |(at, _): &&(Instant, usize)| at.elapsed() >= RATE;
        let before = self.marks.iter().take_while(old).last().or(self.marks.front());
        let Some((since, before)) = before else { return 0.0 };
        let seconds = since.elapsed().min(RATE).as_secs_f64().max(0.1);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = (self.counts.total() - before) as f64 / seconds;
        rate
    }

    fn text(&self) -> String {
        let count = |outcome: Outcome| self.counts.of(outcome);
        let created = count(Outcome::Created) + count(Outcome::Recovered);
        let failed =
            count(Outcome::Rejected) + count(Outcome::Conflict) + count(Outcome::Unresolved);
        let rate = self.rate();
        let left = self.total.saturating_sub(self.counts.total());
        #[expect(clippy::cast_precision_loss, reason = "a time for people")]
        let eta = if rate > 0.0 && !matches!(self.state, State::Paused { .. } | State::Probing) {
            eta(left as f64 / rate)
        } else {
            String::new()
        };
        let state = match &self.state {
            State::Sending => "sending".to_owned(),
            State::Throttled { from: Some(from), to, .. } => {
                format!("throttled {from:.1} to {to:.1}/s")
            }
            State::Throttled { from: None, to, .. } => format!("throttled to {to:.1}/s"),
            State::Paused { cause, probe_at } => {
                let left = probe_at.saturating_duration_since(Instant::now());
                format!("paused: {cause}, probe in {:.0} s", left.as_secs_f64().ceil())
            }
            State::Probing => "probing".to_owned(),
        };
        let mut counts = format!(
            "created {}, existing {}",
            grouped(created as u64),
            grouped(count(Outcome::Existed) as u64)
        );
        for outcome in [Outcome::Updated, Outcome::Differs] {
            if count(outcome) > 0 {
                counts.push_str(&format!(", {outcome} {}", grouped(count(outcome) as u64)));
            }
        }
        format!("{counts}, failed {}, {rate:.1}/s, {state}{eta}", grouped(failed as u64))
    }
}

fn eta(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float out of range is cut to it"
    )]
    let seconds = seconds.ceil() as u64;
    match seconds {
        0 => String::new(),
        1..=99 => format!(", {seconds} s left"),
        100..=5999 => format!(", {} min left", seconds.div_ceil(60)),
        _ => format!(", {} h {} min left", seconds / 3600, seconds % 3600 / 60),
    }
}
