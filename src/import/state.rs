//! What to do next.
//!
//! It is told what time it is and what was answered, and never waits itself, so a simulated clock
//! and a scripted service can take it anywhere.

mod answers;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use super::backoff::Backoff;
use super::{End, Job, Options};
use crate::event::{Cause, Event};
use crate::journal::{Outcomes, WriteError};
use crate::submission::{Class, Refusal};

/// Attempts without a verdict after which an entry stays unresolved.
const ATTEMPTS: u32 = 5;
/// Look-ups that may fail before an entry stays as it is.
const LOOK_UPS: u32 = 5;
/// How often expired credentials are tried again.
const CREDENTIALS: Duration = Duration::from_secs(30);

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Ask for the entry at this place to be created.
    Create(usize),
    /// Ask what is at the source of the entry at this place, from this page on.
    LookUp(usize, Option<String>),
    /// Wait for an answer, or until then.
    Wait(Option<Instant>),
    /// The run has ended.
    End,
}

/// An entry on its way.
#[derive(Debug)]
struct Record {
    job: Job,
    attempts: u32,
    look_ups: u32,
    /// When the last attempt was made, by this machine's clock.
    intent: Option<SystemTime>,
    /// And by the clock of the run.
    sent: Option<Instant>,
    /// When it was looked up last.
    asked: Option<Instant>,
    question: Option<Question>,
}

/// Why an entry is looked up.
#[derive(Debug, Clone)]
struct Question {
    refusal: Refusal,
    /// Whether it has been looked up before with nothing found.
    again: bool,
}

impl Question {
    fn of_an_earlier_run() -> Self {
        let message = "an earlier run ended before the answer came".to_owned();
        let refusal = Refusal { class: Class::Lost, code: None, message, request_id: None };
        Self { refusal, again: false }
    }
}

#[derive(Debug)]
enum Mode {
    Open,
    Paused(Pause),
}

#[derive(Debug)]
struct Pause {
    since: Instant,
    probe_at: Instant,
}

pub(super) struct State {
    options: Options,
    records: Vec<Record>,
    /// To be created, the next first.
    ready: VecDeque<usize>,
    /// To be looked up now.
    look_ups: VecDeque<(usize, Option<String>)>,
    /// When the next of them may be, if not now.
    look_up_at: Option<Instant>,
    /// To be looked up later.
    parked: BTreeMap<(Instant, usize), ()>,
    creating: usize,
    looking_up: usize,
    mode: Mode,
    /// How many creates may be under way as far as pauses go: small after one, then growing. The
    /// pace has a window of its own.
    window: usize,
    /// Since when nothing has come through.
    trouble: Option<(Instant, Cause, Refusal)>,
    /// Whether anything has come through in this run.
    succeeded: bool,
    backoff: Backoff,
    end: Option<End>,
    events: Vec<Event>,
}

impl State {
    pub(super) fn new(jobs: Vec<Job>, options: Options) -> Self {
        let records: Vec<_> = jobs
            .into_iter()
            .map(|job| Record {
                attempts: 0,
                look_ups: 0,
                intent: job.open_since,
                sent: None,
                question: job.open_since.map(|_| Question::of_an_earlier_run()),
                asked: None,
                job,
            })
            .collect();
        let (open, ready): (Vec<_>, Vec<_>) =
            (0..records.len()).partition(|at| records[*at].question.is_some());
        let window = options.concurrency;
        let backoff = Backoff::new(options.seed);
        Self {
            options,
            records,
            ready: ready.into(),
            look_ups: open.into_iter().map(|at| (at, None)).collect(),
            look_up_at: None,
            parked: BTreeMap::new(),
            creating: 0,
            looking_up: 0,
            mode: Mode::Open,
            window,
            trouble: None,
            succeeded: false,
            backoff,
            end: None,
            events: Vec::new(),
        }
    }

    /// Where attempts are noted.
    pub(super) fn journal(&self) -> Option<Outcomes> {
        self.options.journal.clone()
    }

    /// An attempt could not be noted, and was not made.
    pub(super) fn unnoted(&mut self, at: usize, error: &WriteError) {
        self.creating -= 1;
        self.records[at].attempts -= 1;
        self.try_again(at);
        self.stop(End::Unnoted { reason: error.to_string() });
    }

    /// The run has ended. Of what waits to go out again nothing was done at the target, so nothing is
    /// open.
    pub(super) fn withdraw(&mut self) {
        for at in std::mem::take(&mut self.ready) {
            if self.records[at].attempts > 0 {
                self.events.push(Event::Withdrawn(self.records[at].job.entry));
            }
        }
    }

    /// The entry at a place.
    pub(super) fn job(&self, at: usize) -> &Job {
        &self.records[at].job
    }

    /// What has happened since the last time.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// How the run ended, once it has.
    pub(super) const fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Nothing more is sent; what is under way is waited for.
    pub(super) fn stop(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    const fn under_way(&self) -> usize {
        self.creating + self.looking_up
    }

    /// What to do at `now`, which this machine's clock calls `wall`.
    pub(super) fn next(&mut self, now: Instant, wall: SystemTime) -> Action {
        self.out_of_patience(now);
        if self.end.is_some() {
            return if self.under_way() == 0 { Action::End } else { Action::Wait(None) };
        }
        self.unpark(now);
        if let Some(action) = self.next_look_up(now) {
            return action;
        }
        let wake = match &self.mode {
            Mode::Open => {
                if self.creating < self.window.min(self.options.pace.window())
                    && let Some(at) = self.ready.front().copied()
                {
                    match self.options.pace.acquire(now) {
                        Ok(()) => return self.create(at, now, wall),
                        Err(next) => Some(next),
                    }
                } else {
                    None
                }
            }
            Mode::Paused(pause) => {
                let probe_at = pause.probe_at;
                // One probe at a time, and not while answers from before the pause are out.
                match self.ready.front().copied().filter(|_| self.creating == 0) {
                    None => None,
                    Some(_) if now < probe_at => Some(probe_at),
                    Some(at) => match self.options.pace.acquire(now) {
                        Ok(()) => {
                            self.events.push(Event::Probed);
                            return self.create(at, now, wall);
                        }
                        Err(next) => Some(next),
                    },
                }
            }
        };
        self.idle(wake)
    }

    fn idle(&mut self, wake: Option<Instant>) -> Action {
        let nothing_left =
            self.ready.is_empty() && self.look_ups.is_empty() && self.parked.is_empty();
        if nothing_left && self.under_way() == 0 {
            self.end = Some(End::Done);
            return Action::End;
        }
        let parked = self.parked.keys().next().map(|(until, _)| *until);
        let patience = self.patience_ends();
        let wakes = [wake, self.look_up_at, parked, patience];
        Action::Wait(wakes.into_iter().flatten().min())
    }

    fn create(&mut self, at: usize, now: Instant, wall: SystemTime) -> Action {
        self.ready.pop_front();
        let record = &mut self.records[at];
        record.attempts += 1;
        record.intent = Some(wall);
        record.sent = Some(now);
        self.creating += 1;
        Action::Create(at)
    }

    fn next_look_up(&mut self, now: Instant) -> Option<Action> {
        self.look_up_at = None;
        let window = self.options.concurrency.min(self.options.look_up_pace.window());
        if self.looking_up >= window {
            return None;
        }
        self.look_ups.front()?;
        if let Err(next) = self.options.look_up_pace.acquire(now) {
            // Creates need not wait for look-ups.
            self.look_up_at = Some(next);
            return None;
        }
        let (at, token) = self.look_ups.pop_front()?;
        self.records[at].asked = Some(now);
        self.looking_up += 1;
        Some(Action::LookUp(at, token))
    }

    fn unpark(&mut self, now: Instant) {
        while let Some(((until, at), ())) = self.parked.first_key_value() {
            if *until > now {
                break;
            }
            let at = *at;
            self.parked.pop_first();
            self.look_ups.push_back((at, None));
        }
    }
}
