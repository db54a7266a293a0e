//! The progress of a run: a bar on a terminal, plain lines elsewhere.

mod rate;
mod standing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};

use self::standing::Standing;
use crate::event::{Cause, Event};
use crate::report::progress::{Form, LINES, When, colours, line, style};
use crate::run::Listed;
use crate::submission::{Quota, Refusal, RunKind};
use crate::text::{escaped, grouped};

pub use self::rate::RateMeter;
pub(in crate::report) use self::standing::{left_at, no_answer};

/// The time between two plain lines while nothing is sent.
const LINES_WAITING: Duration = Duration::from_secs(30);
/// A target that answers sooner is not worth a line.
const FIRST: Duration = Duration::from_secs(1);
/// The time between two looks at the clock.
const TICK: Duration = Duration::from_millis(200);
/// The width of a terminal that does not report its own.
const WIDTH: usize = 80;

/// The progress of a run on standard error. It keeps showing the time while nobody calls it,
/// until it is finished or dropped.
#[derive(Debug)]
pub struct RunProgress {
    shown: Option<Arc<Mutex<Shown>>>,
    /// Its end stops the thread that ticks.
    _ticking: Option<mpsc::Sender<()>>,
}

#[derive(Debug)]
struct Shown {
    standing: Standing,
    bar: Option<ProgressBar>,
    /// The interval of lines that was asked for.
    interval: Option<Duration>,
    last_line: Instant,
    /// A line has named the target that is being connected to.
    connecting_told: bool,
    colours: bool,
    /// The limit has been shown.
    limit_reported: bool,
    finished: bool,
}

impl RunProgress {
    /// The progress of a run over `total` entries; 0 where they are not known yet. `quiet` shows
    /// nothing.
    #[must_use]
    pub fn new(when: When, quiet: bool, total: usize) -> Self {
        let form = if quiet { Form::Hidden } else { when.form() };
        let interval = match form {
            Form::Hidden => return Self { shown: None, _ticking: None },
            Form::Bar => None,
            Form::Lines(interval) => interval,
        };
        let bar = (form == Form::Bar).then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = ProgressBar::with_draw_target(Some(total as u64), target);
            // Nobody knows how much there is to list.
            let template = if total == 0 {
                "{spinner} {msg}"
            } else {
                "{wide_bar:.cyan/blue} {pos}/{len}\n{msg}"
            };
            bar.set_style(style(template));
            bar
        });
        let shown = Arc::new(Mutex::new(Shown {
            standing: Standing::new(total),
            bar,
            interval,
            last_line: Instant::now(),
            connecting_told: false,
            colours: colours(),
            limit_reported: false,
            finished: false,
        }));
        let ticking = keep_ticking(&shown);
        Self { shown: Some(shown), _ticking: ticking }
    }

    /// Shows the progress of a run of this kind.
    #[must_use]
    pub fn of(self, kind: RunKind) -> Self {
        self.update(|standing| standing.is_of(kind));
        self
    }

    /// Shows what happened.
    pub fn event(&mut self, event: &Event) {
        let Some(mut shown) = self.shown() else { return };
        if let Event::Paused { cause: Cause::Limit, refusal, .. } = event {
            shown.report_limit(refusal);
        }
        let now = Instant::now();
        if shown.standing.event(now, event) {
            shown.line_now(now);
        }
        shown.tick(now);
    }

    /// Shows that `target` is being connected to.
    pub fn connecting(&mut self, target: &str) {
        self.update(|standing| standing.connecting(target));
    }

    /// Shows that the target has not answered, why, and until when it is asked again, if that is known.
    pub fn no_answer(&mut self, refusal: &Refusal, until: Option<Instant>) {
        self.update(|standing| standing.no_answer(refusal, until));
    }

    /// Shows how far a listing of the target has come.
    pub fn listing(&mut self, listed: Listed) {
        self.update(|standing| standing.listing(Instant::now(), listed));
    }

    /// Shows how many of `total` entries have been compared with the target.
    pub fn comparing(&mut self, done: usize, total: usize) {
        self.update(|standing| standing.comparing(Instant::now(), done, total));
    }

    fn update(&self, change: impl FnOnce(&mut Standing)) {
        let Some(mut shown) = self.shown() else { return };
        let waited = shown.standing.is_waiting();
        change(&mut shown.standing);
        let now = Instant::now();
        if shown.standing.is_waiting() && !waited {
            shown.line_now(now);
        }
        shown.tick(now);
    }

    /// Shows that time has passed.
    pub fn tick(&mut self) {
        if let Some(mut shown) = self.shown() {
            shown.tick(Instant::now());
        }
    }

    /// Takes the bar away, and shows nothing any more.
    pub fn finish(&self) {
        let Some(mut shown) = self.shown() else { return };
        shown.finished = true;
        if let Some(bar) = &shown.bar {
            bar.finish_and_clear();
        }
    }

    fn shown(&self) -> Option<MutexGuard<'_, Shown>> {
        let shown = self.shown.as_ref()?;
        Some(shown.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Starts a thread that lets `shown` look at the clock, until what is returned is dropped. Without a
/// thread it does so only when something happens.
fn keep_ticking(shown: &Arc<Mutex<Shown>>) -> Option<mpsc::Sender<()>> {
    let (ticking, ended) = mpsc::channel();
    let shown = Arc::downgrade(shown);
    let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
        while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(TICK) {
            let Some(shown) = shown.upgrade() else { break };
            shown.lock().unwrap_or_else(PoisonError::into_inner).tick(Instant::now());
        }
    });
    thread.ok().map(|_| ticking)
}

impl Shown {
    fn tick(&mut self, now: Instant) {
        if self.finished {
            return;
        }
        self.standing.tick(now);
        if let Some(bar) = &self.bar {
            let size = terminal_size::terminal_size_of(std::io::stderr());
            let width = size.map_or(WIDTH, |(width, _)| usize::from(width.0));
            bar.set_position(self.standing.done() as u64);
            // A spinner and a space, or else the last column, where some terminals break the line.
            bar.set_message(self.painted(&self.standing.below_bar(now, width.saturating_sub(2))));
            if self.standing.total() == 0 {
                bar.tick();
            }
        } else if now.saturating_duration_since(self.last_line) >= self.interval() {
            self.line_now(now);
        }
    }

    /// Returns the time between two lines, as things stand.
    fn interval(&self) -> Duration {
        match self.interval {
            _ if self.standing.is_connecting() && !self.connecting_told => FIRST,
            Some(interval) => interval,
            None if self.standing.is_waiting() => LINES_WAITING,
            None => LINES,
        }
    }

    fn line_now(&mut self, now: Instant) {
        if self.bar.is_none() && !self.finished {
            self.last_line = now;
            self.connecting_told |= self.standing.is_connecting();
            line(&self.standing.line(now));
        }
    }

    fn painted(&self, text: &str) -> String {
        if self.colours { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() }
    }

    /// Reports at once which limit was reached: nobody should wait for patience to run out to learn
    /// that it cannot lift by itself.
    fn report_limit(&mut self, refusal: &Refusal) {
        if std::mem::replace(&mut self.limit_reported, true) {
            return;
        }
        let left = self.standing.total().saturating_sub(self.standing.done()) as u64;
        let note = match refusal.quota() {
            Some(Quota { limit, used, .. }) if limit.saturating_sub(used) < left => format!(
                "the quota is {} with {} in use, and {} more artifacts are to be created: raise the \
                 quota, or delete artifacts",
                grouped(limit),
                grouped(used),
                grouped(left)
            ),
            _ => escaped(&refusal.to_string()),
        };
        let help = refusal.help("sagemaker:CreateArtifact").into_iter();
        let help: String = help.map(|help| format!("\n  help: {}", escaped(&help))).collect();
        let note = format!("\x1b[33mnote:\x1b[0m {note}{help}");
        match &self.bar {
            Some(bar) => bar.suspend(|| line(&note)),
            None => line(&note),
        }
    }
}
