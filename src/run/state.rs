//! What to do next.
//!
//! It is told what time it is and what was answered, and never waits itself, so a simulated clock
//! and a scripted service can take it anywhere.

mod answers;
mod existing;
mod names;
mod pause;
mod record;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Instant, SystemTime};

use super::backoff::Backoff;
use super::{End, Job, Options, Start};
use crate::artifact::Artifact;
use crate::event::{Cause, Event};
use crate::journal::{Outcomes, WriteError};
use crate::service::{Filter, Found};
use crate::submission::{Outcome, Refusal};
use existing::Existing;
use names::Names;
use record::{Doubt, Record};
pub(super) use record::{Question, Told};

/// Attempts without a verdict after which an entry stays unresolved.
const ATTEMPTS: u32 = 5;
/// Pages of artifacts at one URI: nobody has so many.
const PAGES: u32 = 1000;
/// Times that a look-up may fail before an entry stays as it is.
const LOOK_UPS: u32 = 5;

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Ask for the entry at this place to be created.
    Create(usize),
    /// Ask something else for it.
    Ask(usize, Question),
    /// Wait for an answer, or until then.
    Wait(Option<Instant>),
    /// The run has ended.
    End,
}

#[derive(Debug)]
enum Mode {
    Open,
    Paused(Pause),
}

#[derive(Debug)]
struct Pause {
    since: Instant,
    /// When the next probe goes out.
    probe_at: Instant,
    /// The entry of the one that is out.
    probe: Option<usize>,
}

/// Why nothing gets through, and since when.
#[derive(Debug)]
struct Trouble {
    since: Instant,
    cause: Cause,
    refusal: Refusal,
}

pub(super) struct State {
    options: Options,
    records: Vec<Record>,
    /// To be created or changed, the next first.
    ready: VecDeque<usize>,
    /// To be asked now.
    questions: VecDeque<(usize, Question)>,
    /// When the next of them may be, if not now.
    question_at: Option<Instant>,
    /// To be asked later; `None` is to be ready later.
    parked: BTreeMap<(Instant, usize), Option<Question>>,
    names: Names,
    writing: usize,
    asking: usize,
    errors: usize,
    mode: Mode,
    /// How many creates may be under way as far as pauses go: small after one, then growing. The
    /// pace has a window of its own.
    window: usize,
    /// Since when no create has come through.
    trouble: Option<Trouble>,
    /// Since when no question has been answered.
    question_trouble: Option<Trouble>,
    /// Creates in a row that told nothing.
    doubts_in_a_row: u32,
    /// Creates that were denied since the last that was not.
    denied: Vec<(usize, Refusal)>,
    /// Whether anything has come through in this run.
    succeeded: bool,
    backoff: Backoff,
    end: Option<End>,
    events: Vec<Event>,
}

impl State {
    pub(super) fn new(jobs: Vec<Job>, options: Options) -> Self {
        let mut state = Self {
            window: options.concurrency,
            backoff: Backoff::new(options.seed),
            options,
            records: Vec::with_capacity(jobs.len()),
            ready: VecDeque::new(),
            questions: VecDeque::new(),
            question_at: None,
            parked: BTreeMap::new(),
            names: Names::default(),
            writing: 0,
            asking: 0,
            errors: 0,
            mode: Mode::Open,
            trouble: None,
            question_trouble: None,
            doubts_in_a_row: 0,
            denied: Vec::new(),
            succeeded: false,
            end: None,
            events: Vec::new(),
        };
        jobs.into_iter().for_each(|job| state.begin(job));
        state
    }

    fn begin(&mut self, mut job: Job) {
        let at = self.records.len();
        let start = std::mem::replace(&mut job.start, Start::Create);
        let mut record = Record {
            job,
            attempts: 0,
            doubts: 0,
            pages: 0,
            vanished: 0,
            unanswered: 0,
            intent: None,
            sent: None,
            asked: None,
            doubt: None,
            maybe_made: false,
            settles_only: false,
            failed: false,
            existing: None,
        };
        match &start {
            Start::Create => self.ready.push_back(at),
            Start::Ask => record.doubt = Some(Doubt::Unknown),
            Start::Open(since) => {
                record.intent = Some(*since);
                record.maybe_made = true;
                record.settles_only = true;
                record.doubt = Some(Doubt::of_an_earlier_run());
            }
            _ => {}
        }
        let asks = record.doubt.is_some();
        self.records.push(record);
        match start {
            Start::There(arn) => self.is_there(at, arn),
            Start::Listed(found) => self.exists(at, &found, false),
            Start::Taken(found) => self.conflict(at, &found),
            _ if asks => self.look_up(at, None),
            _ => {}
        }
    }

    /// Where attempts are noted.
    pub(super) fn journal(&self) -> Option<Outcomes> {
        self.options.journal.clone()
    }

    /// What is sent to create the entry at a place.
    pub(super) fn request(&self, at: usize) -> std::sync::Arc<Artifact> {
        let artifact = &self.records[at].job.artifact;
        let stamp = &self.options.stamp;
        if stamp.is_empty() {
            std::sync::Arc::clone(artifact)
        } else {
            std::sync::Arc::new(stamp.on(artifact))
        }
    }

    /// An attempt could not be noted, and was not made.
    pub(super) fn unnoted(&mut self, at: usize, error: &WriteError) {
        self.writing -= 1;
        self.records[at].attempts -= 1;
        self.try_again(at);
        self.stop(End::Unnoted { reason: error.to_string() });
    }

    /// The run has ended. Of what waits to go out again nothing was done at the target, so nothing is
    /// open.
    pub(super) fn withdraw(&mut self) {
        self.names_unknown();
        for (at, refusal) in std::mem::take(&mut self.denied) {
            self.reject(at, refusal);
        }
        let waiting = std::mem::take(&mut self.ready);
        for at in waiting {
            let record = &self.records[at];
            if record.attempts > 0 && !record.maybe_made {
                self.events.push(Event::Withdrawn(record.job.entry));
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

    /// Nothing is waited for any more.
    pub(super) fn stop_now(&mut self, signal: u8) {
        self.end = Some(End::Interrupted { signal, drained: false });
    }

    const fn under_way(&self) -> usize {
        self.writing + self.asking
    }

    /// What to do at `now`, which this machine's clock calls `wall`.
    pub(super) fn next(&mut self, now: Instant, wall: SystemTime) -> Action {
        self.out_of_patience(now);
        if self.options.until.is_some_and(|until| now >= until) && !self.is_done() {
            self.stop(End::OutOfTime);
        }
        if self.end.is_some() {
            return if self.under_way() == 0 { Action::End } else { Action::Wait(None) };
        }
        self.unpark(now);
        if let Some(action) = self.next_question(now) {
            return action;
        }
        let wake = match &self.mode {
            Mode::Open => {
                if self.writing < self.window.min(self.options.pace.window())
                    && let Some(at) = self.ready.front().copied()
                {
                    match self.options.pace.acquire(now) {
                        Ok(()) => return self.write(at, now, wall),
                        Err(next) => Some(next),
                    }
                } else {
                    None
                }
            }
            Mode::Paused(pause) => {
                let probe_at = pause.probe_at;
                // One probe at a time, and not while answers from before the pause are out.
                match self.ready.front().copied().filter(|_| self.writing == 0) {
                    None => None,
                    Some(_) if now < probe_at => Some(probe_at),
                    Some(at) => match self.options.pace.acquire(now) {
                        Ok(()) => {
                            self.probe(at, now);
                            return self.write(at, now, wall);
                        }
                        Err(next) => Some(next),
                    },
                }
            }
        };
        self.idle(wake, now)
    }

    fn is_done(&self) -> bool {
        self.ready.is_empty()
            && self.denied.is_empty()
            && self.questions.is_empty()
            && self.parked.is_empty()
            && self.names.is_empty()
            && self.under_way() == 0
    }

    fn idle(&mut self, wake: Option<Instant>, now: Instant) -> Action {
        if self.is_done() {
            self.end = Some(End::Done);
            return Action::End;
        }
        let rest = self.ready.is_empty() && self.questions.is_empty() && self.parked.is_empty();
        if rest && self.under_way() == 0 {
            for (at, refusal) in std::mem::take(&mut self.denied) {
                self.reject(at, refusal);
            }
            self.ask_for_names(None);
            if let Some(action) = self.next_question(now) {
                return action;
            }
            if self.is_done() {
                self.end = Some(End::Done);
                return Action::End;
            }
        }
        let parked = self.parked.keys().next().map(|(until, _)| *until);
        let patience = self.patience_ends();
        let wakes = [wake, self.question_at, parked, patience, self.options.until];
        Action::Wait(wakes.into_iter().flatten().min())
    }

    /// Sends the next request for an entry that changes something.
    fn write(&mut self, at: usize, now: Instant, wall: SystemTime) -> Action {
        self.ready.pop_front();
        self.writing += 1;
        let record = &mut self.records[at];
        record.sent = Some(now);
        if let Some(change) = record.existing.as_ref().and_then(|existing| existing.next_change()) {
            return Action::Ask(at, change);
        }
        record.attempts += 1;
        record.intent = Some(wall);
        Action::Create(at)
    }

    fn next_question(&mut self, now: Instant) -> Option<Action> {
        self.question_at = None;
        let window = self.options.concurrency.min(self.options.look_up_pace.window());
        if self.asking >= window {
            return None;
        }
        self.questions.front()?;
        if let Err(next) = self.options.look_up_pace.acquire(now) {
            // Creates need not wait for questions.
            self.question_at = Some(next);
            return None;
        }
        let (at, question) = self.questions.pop_front()?;
        self.records[at].asked = Some(now);
        self.asking += 1;
        Some(Action::Ask(at, question))
    }

    /// Asks what is at the source of an entry, from this page on.
    fn look_up(&mut self, at: usize, token: Option<String>) {
        let question = self.question_at_source(at, token);
        self.questions.push_back((at, question));
    }

    fn question_at_source(&self, at: usize, token: Option<String>) -> Question {
        Question::List(Filter::at(&self.records[at].job.artifact.source.uri), token)
    }

    fn unpark(&mut self, now: Instant) {
        while let Some(parked) = self.parked.first_entry() {
            let (until, at) = *parked.key();
            if until > now {
                break;
            }
            match parked.remove() {
                Some(question) => self.questions.push_back((at, question)),
                None => self.ready.push_back(at),
            }
        }
    }

    fn settle(
        &mut self,
        at: usize,
        outcome: Outcome,
        arn: Option<String>,
        request_id: Option<String>,
        error: Option<Refusal>,
    ) {
        let failed = [Outcome::Rejected, Outcome::Conflict, Outcome::Unresolved];
        if failed.contains(&outcome) {
            self.failed(at);
        }
        let record = &mut self.records[at];
        record.doubt = None;
        let existing = record.existing.take();
        let of_existing = |known: fn(&Existing) -> bool| existing.as_deref().is_some_and(known);
        let compared = match outcome {
            Outcome::Created => true,
            Outcome::Recovered => existing.is_none() || of_existing(Existing::is_compared),
            Outcome::Existed | Outcome::Updated => of_existing(Existing::is_compared),
            Outcome::Differs => of_existing(Existing::is_described),
            _ => false,
        };
        let modified =
            existing.filter(|_| outcome == Outcome::Existed).and_then(|one| one.modified);
        self.events.push(Event::Settled(crate::event::Settled {
            entry: record.job.entry,
            outcome,
            arn,
            attempts: record.attempts,
            request_id,
            error,
            compared,
            modified,
        }));
    }

    /// An entry failed, whatever it will be called.
    fn failed(&mut self, at: usize) {
        if std::mem::replace(&mut self.records[at].failed, true) {
            return;
        }
        self.errors += 1;
        let errors = self.errors;
        if self.options.max_errors.is_some_and(|most| errors >= most) {
            self.stop(End::TooManyErrors { errors });
        }
    }

    /// Whether somebody else made what is there while this run has been going on.
    fn is_anothers(&self, found: &Found) -> bool {
        found.created.is_some_and(|created| created > self.options.began)
    }
}
