//! What an answer of the target means for the run.
//!
//! In: classified answers. Out: the state changed by them: an entry settled, looked up, parked, or
//! sent again, the pace lowered, the run paused or ended.

use std::time::{Duration, Instant};

use super::{ATTEMPTS, CREDENTIALS, LOOK_UPS, Mode, Pause, Question, State};
use crate::event::{Cause, Event, Settled};
use crate::import::End;
use crate::import::lookup::{Verdict, verdict};
use crate::service::{Answer, Created, Page};
use crate::submission::{Class, Outcome, Refusal};

impl State {
    /// The target has answered a create.
    pub(in crate::import) fn created(&mut self, at: usize, answer: Answer<Created>, now: Instant) {
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
                self.events.push(Event::Throttled);
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
    pub(super) fn try_again(&mut self, at: usize) {
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

    pub(super) fn patience_ends(&self) -> Option<Instant> {
        self.trouble.as_ref().map(|(since, ..)| *since + self.options.patience)
    }

    pub(super) fn out_of_patience(&mut self, now: Instant) {
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
    pub(in crate::import) fn looked_up(&mut self, at: usize, answer: Answer<Page>, now: Instant) {
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
