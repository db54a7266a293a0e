//! What an answer of the target means for the run.
//!
//! In: classified answers. Out: the state changed by them: an entry settled, looked up, parked, or
//! sent again, the pace lowered, the run paused or ended.

use std::time::{Duration, Instant};

use super::{ATTEMPTS, Doubt, LOOK_UPS, PAGES, Question, State, Told};
use crate::event::{Cause, Event};
use crate::run::lookup::{Verdict, verdict};
use crate::run::{CREDENTIALS, End};
use crate::service::{Answer, Created, Filter, Page};
use crate::submission::{Class, Outcome, Refusal};

impl State {
    /// The target has answered a create.
    pub(in crate::run) fn created(&mut self, at: usize, answer: Answer<Created>, now: Instant) {
        self.writing -= 1;
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
        let Some(refusal) = self.not_now(at, refusal, now) else { return };
        self.not_throttled();
        match refusal.class {
            Class::Denied if !self.succeeded => {
                self.try_again(at);
                self.stop(End::Denied { action: self.create_permission(at), refusal });
            }
            Class::Denied => self.denied(at, refusal),
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
                let record = &mut self.records[at];
                record.maybe_made = true;
                record.doubts += 1;
                self.in_doubt(at, &refusal, now);
                self.ask(at, refusal, false);
            }
            _ => self.reject(at, refusal),
        }
    }

    /// The action that a create needs, as IAM names it.
    pub(super) fn create_permission(&self, at: usize) -> &'static str {
        if self.request(at).tags.is_empty() {
            "sagemaker:CreateArtifact"
        } else {
            "sagemaker:CreateArtifact (and sagemaker:AddTags, for the tags)"
        }
    }

    /// Deals with a refusal that says nothing of the request, but that now is not the time for it:
    /// it goes out again. Any other comes back.
    pub(super) fn not_now(&mut self, at: usize, refusal: Refusal, now: Instant) -> Option<Refusal> {
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
                self.throttled_since(now, refusal);
            }
            Class::Limit => self.pause(at, Cause::Limit, refusal, now),
            Class::NotSent => self.pause(at, Cause::Unreachable, refusal, now),
            Class::Expired => self.pause(at, Cause::Expired, refusal, now),
            _ => return Some(refusal),
        }
        None
    }

    /// The entry goes out again, before those that never did. Nothing was done for it.
    pub(super) fn try_again(&mut self, at: usize) {
        if !self.records[at].maybe_made {
            self.records[at].intent = None;
        }
        self.ready.push_front(at);
    }

    fn ask(&mut self, at: usize, refusal: Refusal, again: bool) {
        self.records[at].doubt = Some(Doubt::Attempt { refusal, again });
        self.look_up(at, None);
    }

    /// The target has answered a question.
    pub(in crate::run) fn told(&mut self, at: usize, question: Question, told: Told, now: Instant) {
        if question.changes() {
            self.writing -= 1;
        } else {
            self.asking -= 1;
        }
        let failed = match told {
            Told::Changed(answer) => return self.changed(at, answer, now),
            Told::Listed(Ok(page)) => {
                self.answered(at, now);
                return match question {
                    Question::List(filter, _) if is_whole(&filter) => self.names_listed(page),
                    _ => self.looked_up(at, page, now),
                };
            }
            Told::Described(Ok(artifact)) => {
                self.answered(at, now);
                return self.described(at, artifact);
            }
            Told::Tags(Ok(page)) => {
                self.answered(at, now);
                return self.tags(at, page);
            }
            Told::Listed(Err(refusal))
            | Told::Described(Err(refusal))
            | Told::Tags(Err(refusal)) => refusal,
        };
        self.unanswered(at, question, failed, now);
    }

    fn answered(&mut self, at: usize, now: Instant) {
        let asked = self.records[at].asked.unwrap_or(now);
        self.options.look_up_pace.accepted(asked, now);
        self.records[at].unanswered = 0;
        self.question_trouble = None;
    }

    fn looked_up(&mut self, at: usize, page: Page, now: Instant) {
        let record = &mut self.records[at];
        record.pages += 1;
        let pages = record.pages;
        match verdict(&record.job.artifact, page.found, record.intent) {
            Verdict::Nothing => match page.next {
                Some(_) if pages >= PAGES => {
                    let question = self.question_at_source(at, None);
                    self.give_up(at, &question, Refusal::ours("its list of artifacts has no end"));
                }
                Some(token) => self.look_up(at, Some(token)),
                None => self.nothing_there(at, now),
            },
            Verdict::Ours(found) if record.maybe_made => {
                let request_id = record.doubt.as_ref().and_then(Doubt::request_id);
                self.settle(at, Outcome::Recovered, Some(found.arn), request_id, None);
            }
            // By clocks that differ a little it may be ours: what it is like tells.
            Verdict::OursPerhaps(found) if record.maybe_made => self.exists(at, &found, true),
            Verdict::Ours(found) | Verdict::OursPerhaps(found) | Verdict::Same(found) => {
                self.exists(at, &found, false);
            }
        }
    }

    fn nothing_there(&mut self, at: usize, now: Instant) {
        let record = &mut self.records[at];
        record.pages = 0;
        let Some(Doubt::Attempt { refusal, again }) = record.doubt.take() else {
            self.ready.push_back(at);
            return;
        };
        if again && record.settles_only {
            // It never took effect.
            self.settle(at, Outcome::Pending, None, None, None);
        } else if refusal.class == Class::Rejected {
            self.rejected_with_nothing_there(at, refusal);
        } else if !again {
            // It may still take effect.
            let until = match (refusal.class, record.sent) {
                (Class::Lost, Some(sent)) => sent + self.options.settle,
                // Of an earlier run: its clock is not ours.
                (Class::Lost, None) => now + self.options.settle,
                _ => now + self.backoff.moment(),
            };
            record.doubt = Some(Doubt::Attempt { refusal, again: true });
            let question = self.question_at_source(at, None);
            self.parked.insert((until.max(now), at), Some(question));
        } else if record.doubts < ATTEMPTS {
            self.ready.push_back(at);
        } else {
            self.settle(at, Outcome::Unresolved, None, refusal.request_id.clone(), Some(refusal));
        }
    }

    /// A question was not answered: it is asked again, or given up.
    fn unanswered(&mut self, at: usize, question: Question, refusal: Refusal, now: Instant) {
        self.unanswered_since(now, &refusal);
        let record = &mut self.records[at];
        record.unanswered += 1;
        let wait = match refusal.class {
            Class::Throttled => {
                let asked = record.asked.unwrap_or(now);
                self.options.look_up_pace.throttled(asked, now);
                Some(Duration::ZERO)
            }
            Class::Expired => Some(CREDENTIALS),
            Class::NotSent => Some(self.backoff.moment()),
            Class::Denied
            | Class::Rejected
            | Class::Unsendable
            | Class::ClockOff
            | Class::ExpiredForGood => None,
            Class::Limit | Class::Ambiguous | Class::Lost => {
                (record.unanswered < LOOK_UPS).then(|| self.backoff.moment())
            }
        };
        match wait {
            Some(wait) => {
                self.parked.insert((now + wait, at), Some(question));
            }
            None => self.give_up(at, &question, refusal),
        }
    }

    fn give_up(&mut self, at: usize, question: &Question, refusal: Refusal) {
        if matches!(question, Question::List(filter, _) if is_whole(filter)) {
            return self.names_unknown();
        }
        if self.records[at].existing.is_some() {
            return self.cannot_compare(at, question, refusal);
        }
        match self.records[at].doubt.take() {
            Some(Doubt::Attempt { refusal: first, .. }) if first.class == Class::Rejected => {
                self.reject(at, first);
            }
            Some(Doubt::Attempt { refusal: mut error, .. }) => {
                error.message =
                    format!("{}; and it could not be looked up: {refusal}", error.message);
                let request_id = error.request_id.clone();
                self.settle(at, Outcome::Unresolved, None, request_id, Some(error));
            }
            _ if refusal.class == Class::Denied => {
                self.stop(End::Denied { action: question.permission(), refusal });
            }
            _ => {
                let request_id = refusal.request_id.clone();
                self.settle(at, Outcome::Unresolved, None, request_id, Some(refusal));
            }
        }
    }

    pub(super) fn reject(&mut self, at: usize, refusal: Refusal) {
        let request_id = refusal.request_id.clone();
        self.settle(at, Outcome::Rejected, None, request_id, Some(refusal));
    }
}

/// Whether a listing is of everything, as for names.
fn is_whole(filter: &Filter) -> bool {
    *filter == Filter::default()
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
