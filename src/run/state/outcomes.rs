//! The effect of a response on an entry, and the end of an entry.

use std::time::{Instant, SystemTime};

use super::{Parked, READS, State, existing};
use crate::event::{Event, Settled};
use crate::run::End;
use crate::run::decide::{Decision, Observation, Verdict, decide};
use crate::run::entry::{Answered, Change, Compare, Failing, LookUp, Phase, Request, Sent, Why};
use crate::run::pages::Pages;
use crate::service::{Created, Found};
use crate::submission::{EntryId, Outcome, Refusal};

impl State {
    /// Takes in the answer to a request.
    pub(in crate::run) fn answered(
        &mut self,
        id: EntryId,
        request: &Request,
        answered: Answered,
        sent: Sent,
        now: Instant,
        wall: SystemTime,
    ) {
        let operation = request.operation();
        self.in_flight[operation as usize] -= 1;
        if operation.is_recorded()
            && let Some(entry) = self.entries.get_mut(&id)
        {
            entry.writing = false;
        }
        let refusal = match answered {
            Answered::Created(Ok(created)) => {
                self.went_through(operation, sent, now);
                self.prove();
                return self.created(id, created);
            }
            Answered::Changed(Ok(())) => {
                self.went_through(operation, sent, now);
                self.prove();
                return self.changed(id);
            }
            Answered::Deleted(Ok(())) => {
                self.went_through(operation, sent, now);
                self.prove();
                return self.deleted(id);
            }
            Answered::Listed(Ok(page)) => {
                self.note_response(id, operation, sent, now);
                return if request.lists_everything() {
                    self.names_listed(page, now);
                } else {
                    self.looked_up(id, page, now);
                };
            }
            Answered::Described(Ok(described)) => {
                self.note_response(id, operation, sent, now);
                return self.described(id, described);
            }
            Answered::Tags(Ok(page)) => {
                self.note_response(id, operation, sent, now);
                return self.tags_read(id, page, now, wall);
            }
            Answered::Created(Err(refusal))
            | Answered::Changed(Err(refusal))
            | Answered::Deleted(Err(refusal))
            | Answered::Listed(Err(refusal))
            | Answered::Described(Err(refusal))
            | Answered::Tags(Err(refusal)) => refusal,
        };
        self.refused(id, request, refusal, sent, now);
    }

    pub(super) fn created(&mut self, id: EntryId, created: Created) {
        let Created { arn, request_id } = created;
        let settled = Settled {
            arn: Some(arn),
            request_id,
            compared: true,
            ..Settled::new(id, Outcome::Created)
        };
        self.settle(settled);
    }

    /// Decides the next step of an entry, given this observation of its source.
    pub(super) fn decide(&mut self, id: EntryId, observation: Observation<'_>, now: Instant) {
        let Some(entry) = self.entries.get(&id) else { return };
        let decision =
            decide(&entry.job.artifact, &entry.job.known, observation, &self.options.policy);
        self.apply(id, decision, now);
    }

    /// Takes the artifact `found` that a listing shows at the source of an entry.
    pub(super) fn seen(&mut self, id: EntryId, found: &Found, now: Instant) {
        self.prove();
        self.writes_arrive(id, now);
        let Some(entry) = self.entries.get(&id) else { return };
        if !entry.maybe_made() && found.created.is_some_and(|at| at > self.options.began) {
            self.events.push(Event::MadeByAnother(id));
        }
        self.decide(id, Observation::Listed(found), now);
    }

    pub(super) fn apply(&mut self, id: EntryId, decision: Decision, now: Instant) {
        match decision {
            Decision::Create => self.create(id),
            // An artifact that the journal knows to exist may not be listed yet.
            Decision::LookUp => self.look_up(id, Why::Known, now + self.options.read_lag),
            Decision::Compare { arn, modified, perhaps_this_journal } => {
                let compare = Compare {
                    arn,
                    modified,
                    perhaps_this_journal,
                    described: None,
                    pages: Pages::default(),
                    failing: Failing::default(),
                    again: false,
                };
                self.compare(id, compare);
            }
            Decision::Change(change) => {
                let (change, verdict) = *change;
                let arn = verdict.arn.clone().unwrap_or_default();
                let Some(entry) = self.entries.get_mut(&id) else { return };
                entry.phase = Phase::Change(Change {
                    requests: existing::requests(&arn, &change),
                    ends: change.ends,
                    verdict,
                    failing: Failing::default(),
                });
                self.changes.push_back(id);
            }
            Decision::Settle(verdict) => self.conclude(id, *verdict),
        }
    }

    /// Queues the create or the delete of an entry: one that was attempted before goes first.
    pub(super) fn create(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.phase = Phase::Write;
        if entry.attempts > 0 {
            self.creates.push_front(id);
        } else {
            self.creates.push_back(id);
        }
    }

    /// Queues a request without effect again, before those that were never sent.
    pub(super) fn send_again(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        match entry.phase {
            Phase::Change(_) => self.changes.push_front(id),
            _ => {
                if !entry.maybe_made() {
                    entry.intent = None;
                }
                entry.phase = Phase::Write;
                self.creates.push_front(id);
            }
        }
    }

    pub(super) fn ask(&mut self, id: EntryId, request: Request) {
        let queue = READS.iter().position(|read| *read == request.operation());
        if let Some(queue) = queue {
            self.reads[queue].push_back((id, request));
        }
    }

    pub(super) fn park(&mut self, until: Instant, parked: Parked) {
        self.order += 1;
        self.parked.insert((until, self.order), parked);
    }

    pub(super) fn unpark(&mut self, now: Instant) {
        while let Some(first) = self.parked.first_entry() {
            if first.key().0 > now {
                break;
            }
            match first.remove() {
                Parked::Read(id, request) => self.ask(id, request),
                Parked::Change(id) => self.changes.push_back(id),
                Parked::Write(id) => self.creates.push_front(id),
            }
        }
    }

    /// Settles an entry as it was decided.
    pub(super) fn conclude(&mut self, id: EntryId, verdict: Verdict) {
        self.settle(Settled {
            arn: verdict.arn,
            error: verdict.error,
            compared: verdict.compared,
            modified: verdict.modified,
            by_journal: verdict.by_journal,
            differences: verdict.differences,
            ..Settled::new(id, verdict.outcome)
        });
    }

    /// Settles an entry with the error of the service.
    pub(super) fn fail(
        &mut self,
        id: EntryId,
        outcome: Outcome,
        arn: Option<String>,
        error: Refusal,
    ) {
        let request_id = error.request_id.clone();
        let settled = Settled { arn, request_id, error: Some(error), ..Settled::new(id, outcome) };
        self.settle(settled);
    }

    pub(super) fn settle(&mut self, mut settled: Settled) {
        let Some(entry) = self.entries.remove(&settled.entry) else { return };
        settled.attempts = entry.attempts;
        settled.arn = settled.arn.or(entry.job.deletes);
        settled.request_id = settled.request_id.or(entry.request_id);
        if settled.outcome.is_error() {
            self.errors += 1;
            let errors = self.errors;
            if self.options.max_errors.is_some_and(|most| errors >= most) {
                self.stop(End::TooManyErrors { errors });
            }
        }
        self.events.push(Event::Settled(settled));
    }

    /// Settles an entry at the end of the run. Requests that would be retried had no effect, so
    /// nothing is open; ambiguous attempts stay open for the next run.
    pub(in crate::run) fn withdraw(&mut self) {
        let alike = matches!(self.end, Some(End::RefusedAlike { .. }));
        let mut left: Vec<EntryId> = self.entries.keys().copied().collect();
        left.sort_unstable();
        for id in left {
            let Some(entry) = self.entries.get(&id) else { continue };
            if let (Phase::Held(refusal), false) = (&entry.phase, alike) {
                let refusal = refusal.clone();
                self.fail(id, Outcome::Rejected, None, refusal);
            } else if entry.attempts == 0 {
                // Nothing was submitted for it, or an earlier run did.
            } else if entry.maybe_made() || entry.writing {
                let refusal = match &entry.phase {
                    Phase::LookUp(LookUp { why: Why::NoVerdict(refusal), .. }) => refusal.clone(),
                    _ => Refusal::by_lineload("the run ended before the outcome was known"),
                };
                self.fail(id, Outcome::Unresolved, None, refusal);
            } else {
                self.events.push(Event::Withdrawn(id));
            }
        }
    }
}
