//! What to do next.
//!
//! It is told what time it is and what was answered, and never waits itself, so a simulated clock
//! and a scripted service can take it anywhere.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use super::backoff::Backoff;
use super::lookup::{Verdict, verdict};
use super::{End, Job, Options};
use crate::event::{Cause, Event, Settled};
use crate::journal::{Outcomes, WriteError};
use crate::service::{Answer, Created, Page};
use crate::submission::{Class, Outcome, Refusal};

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

    /// The target has answered a create.
    pub(super) fn created(&mut self, at: usize, answer: Answer<Created>, now: Instant) {
        self.creating -= 1;
        match answer {
            Ok(created) => {
                self.went_through(at, now);
                let Created { arn, request_id } = created;
                self.settle(at, Outcome::Created, Some(arn), request_id, None);
            }
            Err(refusal) => self.refused(at, refusal, now),
        }
    }

    fn refused(&mut self, at: usize, refusal: Refusal, now: Instant) {
        match refusal.class {
            Class::Throttled => {
                self.try_again(at);
                let sent = self.records[at].sent.unwrap_or(now);
                let from = self.options.pace.rate();
                if let Some(to) = self.options.pace.throttled(sent, now) {
                    let throttled = from.is_none_or(|from| to < from);
                    self.events.push(Event::RateChanged { from, to, throttled });
                }
                self.trouble_since(now, Cause::Throttled, refusal);
            }
            Class::Limit => self.pause(at, Cause::Limit, refusal, now),
            Class::NotSent => self.pause(at, Cause::Unreachable, refusal, now),
            Class::Expired => self.pause(at, Cause::Expired, refusal, now),
            Class::Denied if !self.succeeded => {
                self.try_again(at);
                let tagged = !self.records[at].job.artifact.tags.is_empty();
                let action = if tagged {
                    "sagemaker:CreateArtifact (and sagemaker:AddTags, for the tags)"
                } else {
                    "sagemaker:CreateArtifact"
                };
                self.stop(End::Denied { action, refusal });
            }
            Class::Denied => self.reject(at, refusal),
            Class::Rejected => {
                // The service is there and takes requests.
                self.went_through(at, now);
                if may_exist(&refusal) {
                    self.ask(at, refusal, false);
                } else {
                    self.reject(at, refusal);
                }
            }
            Class::Ambiguous | Class::Lost => {
                self.ask(at, refusal, false);
            }
        }
    }

    /// The entry goes out again, before those that never did. Nothing was done for it.
    fn try_again(&mut self, at: usize) {
        self.records[at].intent = None;
        self.ready.push_front(at);
    }

    fn ask(&mut self, at: usize, refusal: Refusal, again: bool) {
        self.records[at].question = Some(Question { refusal, again });
        self.look_ups.push_back((at, None));
    }

    /// Nothing is sent until a probe comes through.
    fn pause(&mut self, at: usize, cause: Cause, refusal: Refusal, now: Instant) {
        self.try_again(at);
        self.trouble_since(now, cause, refusal);
        // Of one flight of requests, the first to be refused sets the wait.
        if matches!(self.mode, Mode::Paused(_)) && self.creating > 0 {
            return;
        }
        let wait = if cause == Cause::Expired { CREDENTIALS } else { self.backoff.next() };
        let probe_at = now + wait;
        let since = match &self.mode {
            Mode::Paused(pause) => pause.since,
            Mode::Open => now,
        };
        self.mode = Mode::Paused(Pause { since, probe_at });
        self.events.push(Event::Paused { cause, probe_at });
    }

    fn trouble_since(&mut self, now: Instant, cause: Cause, refusal: Refusal) {
        match &mut self.trouble {
            Some(trouble) => (trouble.1, trouble.2) = (cause, refusal),
            None => self.trouble = Some((now, cause, refusal)),
        }
    }

    fn patience_ends(&self) -> Option<Instant> {
        self.trouble.as_ref().map(|(since, ..)| *since + self.options.patience)
    }

    fn out_of_patience(&mut self, now: Instant) {
        if self.end.is_none()
            && self.patience_ends().is_some_and(|ends| now >= ends)
            && let Some((_, cause, refusal)) = &self.trouble
        {
            self.end = Some(End::OutOfPatience { cause: *cause, refusal: refusal.clone() });
        }
    }

    /// The target takes requests: it took the one for the entry at this place.
    fn went_through(&mut self, at: usize, now: Instant) {
        self.succeeded = true;
        self.trouble = None;
        self.backoff.reset();
        let sent = self.records[at].sent.unwrap_or(now);
        let from = self.options.pace.rate();
        if let Some(to) = self.options.pace.accepted(sent, now) {
            self.events.push(Event::RateChanged { from, to, throttled: false });
        }
        if let Mode::Paused(pause) = &self.mode {
            self.events.push(Event::Reopened { after: now.saturating_duration_since(pause.since) });
            self.mode = Mode::Open;
            // A slow start: what was refused together must not come back together.
            self.window = 1;
        } else {
            self.window = (self.window + 1).min(self.options.concurrency);
        }
    }

    /// The target has answered a look-up.
    pub(super) fn looked_up(&mut self, at: usize, answer: Answer<Page>, now: Instant) {
        self.looking_up -= 1;
        let Some(question) = self.records[at].question.clone() else { return };
        let asked = self.records[at].asked.unwrap_or(now);
        let page = match answer {
            Ok(page) => {
                self.options.look_up_pace.accepted(asked, now);
                page
            }
            Err(refusal) => {
                self.look_up_failed(at, &refusal, &question, now);
                return;
            }
        };
        self.trouble = self.trouble.take().filter(|(_, cause, _)| *cause == Cause::Limit);
        let record = &self.records[at];
        match verdict(&record.job.artifact, &page.found, record.intent) {
            Verdict::Nothing => match page.next {
                Some(token) => self.look_ups.push_front((at, Some(token))),
                None => self.nothing_there(at, question, now),
            },
            Verdict::Ours { arn } if question.refusal.class != Class::Rejected => {
                let request_id = question.refusal.request_id;
                self.settle(at, Outcome::Recovered, Some(arn), request_id, None);
            }
            Verdict::Ours { arn } => {
                self.settle(at, Outcome::Existed, Some(arn), question.refusal.request_id, None);
            }
            Verdict::Same { arn, mut differences } => {
                let request_id = question.refusal.request_id;
                for field in &record.job.differences {
                    if !differences.contains(field) {
                        differences.push(field.clone());
                    }
                }
                let (outcome, error) = match differences.as_slice() {
                    [] => (Outcome::Existed, None),
                    fields => (Outcome::Differs, Some(Refusal::differs(fields))),
                };
                self.settle(at, outcome, Some(arn), request_id, error);
            }
        }
    }

    fn nothing_there(&mut self, at: usize, question: Question, now: Instant) {
        let Question { refusal, again } = question;
        if again && self.records[at].job.open_since.is_some() {
            // It never took effect.
            self.settle(at, Outcome::Pending, None, None, None);
        } else if refusal.class == Class::Rejected {
            self.reject(at, refusal);
        } else if !again {
            // It may still take effect.
            let until = match (refusal.class, self.records[at].sent) {
                (Class::Lost, Some(sent)) => sent + self.options.settle,
                // Of an earlier run: its clock is not ours.
                (Class::Lost, None) => now + self.options.settle,
                _ => now + self.backoff.moment(),
            };
            self.records[at].question = Some(Question { refusal, again: true });
            self.parked.insert((until.max(now), at), ());
        } else if self.records[at].attempts < ATTEMPTS {
            self.records[at].question = None;
            self.ready.push_back(at);
        } else {
            self.settle(at, Outcome::Unresolved, None, refusal.request_id.clone(), Some(refusal));
        }
    }

    fn look_up_failed(&mut self, at: usize, refusal: &Refusal, question: &Question, now: Instant) {
        let record = &mut self.records[at];
        record.look_ups += 1;
        let give_up = match refusal.class {
            Class::Throttled => {
                let asked = record.asked.unwrap_or(now);
                self.options.look_up_pace.throttled(asked, now);
                self.trouble_since(now, Cause::Throttled, refusal.clone());
                false
            }
            Class::NotSent => {
                self.trouble_since(now, Cause::Unreachable, refusal.clone());
                false
            }
            Class::Expired => {
                self.trouble_since(now, Cause::Expired, refusal.clone());
                false
            }
            Class::Denied | Class::Rejected => true,
            Class::Limit | Class::Ambiguous | Class::Lost => record.look_ups >= LOOK_UPS,
        };
        if !give_up {
            let wait = if refusal.class == Class::Throttled {
                Duration::ZERO
            } else {
                self.backoff.moment()
            };
            self.parked.insert((now + wait, at), ());
            return;
        }
        if question.refusal.class == Class::Rejected {
            self.reject(at, question.refusal.clone());
        } else {
            let mut error = question.refusal.clone();
            error.message = format!("{}; and it could not be looked up: {refusal}", error.message);
            self.settle(at, Outcome::Unresolved, None, error.request_id.clone(), Some(error));
        }
    }

    fn reject(&mut self, at: usize, refusal: Refusal) {
        let request_id = refusal.request_id.clone();
        self.settle(at, Outcome::Rejected, None, request_id, Some(refusal));
    }

    fn settle(
        &mut self,
        at: usize,
        outcome: Outcome,
        arn: Option<String>,
        request_id: Option<String>,
        error: Option<Refusal>,
    ) {
        let record = &mut self.records[at];
        record.question = None;
        self.events.push(Event::Settled(Settled {
            entry: record.job.entry,
            outcome,
            arn,
            attempts: record.attempts,
            request_id,
            error,
        }));
    }
}

/// Whether a refusal may mean that the artifact is there: the service says so with the same code as
/// for a request that it does not understand.
fn may_exist(refusal: &Refusal) -> bool {
    matches!(
        refusal.code.as_deref(),
        Some(
            "ValidationException"
                | "ConflictException"
                | "ResourceInUse"
                | "ResourceExistsException"
        )
    )
}
