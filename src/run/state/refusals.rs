//! Refusals that concern one entry, and those that concern the caller.
//!
//! A single refusal does not say which it is. If requests are denied before any success, or many
//! times in a row, it is the caller; if the first entries are all rejected with the same error, it
//! is the API, the partition or the clock. Until that is clear the entries are held.

use std::time::Instant;

use super::State;
use crate::run::End;
use crate::run::answers::{Reaction, may_mean_exists, reaction, says_exists};
use crate::run::entry::{Phase, Request, Sent, Why};
use crate::submission::{EntryId, Operation, Outcome, Refusal, Shape};

/// The number of first entries that are all rejected with the same error, after which the run
/// stops.
const ALIKE: usize = 20;
/// The number of consecutive denied writes after which the caller is considered denied.
const DENIED: usize = 8;

/// Refusals that may concern the entry or the caller.
#[derive(Debug)]
pub(super) struct Refusals {
    /// True if the first entries are watched.
    watching: bool,
    /// The shape of the first of the held refusals.
    shape: Option<Shape>,
    alike: Vec<EntryId>,
    /// Denied since the last that was not.
    denied: Vec<EntryId>,
}

impl Refusals {
    pub(super) const fn new(watching: bool) -> Self {
        Self { watching, shape: None, alike: Vec::new(), denied: Vec::new() }
    }
}

impl State {
    /// Handles a refusal of the target, or a missing response.
    pub(super) fn refused(
        &mut self,
        id: EntryId,
        request: &Request,
        refusal: Refusal,
        sent: Sent,
        now: Instant,
    ) {
        let operation = request.operation();
        if !operation.is_write() {
            return self.unanswered(id, request, refusal, sent, now);
        }
        if operation.is_recorded()
            && let Some(entry) = self.entries.get_mut(&id)
        {
            entry.request_id.clone_from(&refusal.request_id);
        }
        let reaction = reaction(refusal.class, operation);
        match reaction {
            Reaction::SlowDown => {}
            // It came past whatever held requests up.
            Reaction::LookUp | Reaction::Repeat => self.not_held_up(),
            _ => self.not_throttled(),
        }
        match reaction {
            Reaction::SlowDown => self.throttled(id, operation, refusal, sent, now),
            Reaction::Pause(cause) => self.pause(id, cause, refusal, now),
            Reaction::Stop => {
                if operation == Operation::Create && refusal.is_from_elsewhere() {
                    // Done, but not where it was meant to be.
                    self.fail(id, Outcome::Unresolved, None, refusal.clone());
                } else {
                    self.send_again(id);
                }
                self.stop(End::Unable { refusal });
            }
            Reaction::Deny => self.denied(id, request, refusal),
            Reaction::Refuse => {
                // The service is reachable and takes requests.
                self.went_through(operation, sent, now);
                match operation {
                    Operation::Create => self.create_refused(id, refusal, now),
                    Operation::Delete => self.delete_refused(id, refusal),
                    _ => self.not_changed(id, refusal, now),
                }
            }
            Reaction::LookUp => {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.may_be_made();
                    entry.no_verdicts += 1;
                }
                self.in_doubt(Some((id, operation, sent)), &refusal, now);
                // It may take effect until there is a response: by then it has been sent.
                let conclusive_from = now.max(sent.left) + self.options.settle;
                self.look_up(id, Why::NoVerdict(refusal), conclusive_from);
            }
            Reaction::Repeat => {
                self.in_doubt(Some((id, operation, sent)), &refusal, now);
                if operation == Operation::Delete {
                    self.not_deleted(id, refusal, now);
                } else {
                    self.not_changed(id, refusal, now);
                }
            }
        }
    }

    fn create_refused(&mut self, id: EntryId, refusal: Refusal, now: Instant) {
        let Some(entry) = self.entries.get(&id) else { return };
        if says_exists(&refusal) {
            let conclusive_from = now + self.options.read_lag;
            self.look_up(id, Why::Exists(refusal), conclusive_from);
        } else if may_mean_exists(&refusal) {
            let made = entry.maybe_made();
            let conclusive_from = if made { now + self.options.settle } else { now };
            self.look_up(id, Why::Refused(refusal), conclusive_from);
        } else {
            self.reject(id, refusal);
        }
    }

    /// Handles a rejection of an entry.
    pub(super) fn reject(&mut self, id: EntryId, refusal: Refusal) {
        if !self.refusals.watching {
            return self.fail(id, Outcome::Rejected, None, refusal);
        }
        let Some(entry) = self.entries.get(&id) else { return };
        let shape = refusal.shape(&entry.job.artifact);
        if self.refusals.shape.as_ref().is_some_and(|first| !first.is_like(&shape)) {
            self.prove();
            return self.fail(id, Outcome::Rejected, None, refusal);
        }
        self.refusals.shape.get_or_insert(shape);
        self.refusals.alike.push(id);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.phase = Phase::Held(refusal.clone());
        }
        let count = self.refusals.alike.len();
        if count >= ALIKE {
            self.stop(End::RefusedAlike { count, refusal });
        }
    }

    /// Notes that the target accepted an entry or a read: refusals concern the entry.
    pub(super) fn prove(&mut self) {
        self.refusals.watching = false;
        self.release_alike();
    }

    /// Nothing else will show whom the refusals concern.
    pub(super) fn release_held(&mut self) {
        self.release_alike();
        self.release_denied();
    }

    fn release_alike(&mut self) {
        let alike = std::mem::take(&mut self.refusals.alike);
        self.release(alike);
    }

    pub(super) fn release_denied(&mut self) {
        let denied = std::mem::take(&mut self.refusals.denied);
        self.release(denied);
    }

    fn release(&mut self, held: Vec<EntryId>) {
        for id in held {
            let Some(entry) = self.entries.get(&id) else { continue };
            let Phase::Held(refusal) = &entry.phase else { continue };
            let refusal = refusal.clone();
            self.fail(id, Outcome::Rejected, None, refusal);
        }
    }

    /// Handles a denied write: before any success the caller is denied; later it may be about the
    /// entry.
    fn denied(&mut self, id: EntryId, request: &Request, refusal: Refusal) {
        let end = End::Denied { action: request.actions(), refusal: refusal.clone() };
        if !self.succeeded {
            self.send_again(id);
            return self.stop(end);
        }
        self.refusals.denied.push(id);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.phase = Phase::Held(refusal);
        }
        if self.refusals.denied.len() < DENIED {
            return;
        }
        for id in std::mem::take(&mut self.refusals.denied) {
            self.send_again(id);
        }
        self.stop(end);
    }
}
