//! Entries that are deleted. A delete is idempotent, and an ARN belongs to one creation: an ambiguous one
//! is sent again until there is a verdict.

use std::time::Instant;

use super::{Parked, State};
use crate::event::Settled;
use crate::run::End;
use crate::run::answers::says_absent;
use crate::run::entry::{Failing, Phase, Request};
use crate::submission::{Class, EntryId, Outcome, Refusal};

/// The number of ambiguous deletes after which an entry stays unresolved.
const ATTEMPTS: u32 = 5;

impl State {
    /// Settles an entry whose artifact is gone.
    pub(super) fn deleted(&mut self, id: EntryId) {
        let arn = self.entries.get(&id).and_then(|entry| entry.job.deletes.clone());
        self.settle(Settled { arn, ..Settled::new(id, Outcome::Deleted) });
    }

    /// Handles a rejected delete. That there is no such artifact is what was wanted, once its ARN
    /// confirms it.
    pub(super) fn delete_refused(&mut self, id: EntryId, refusal: Refusal) {
        if !says_absent(&refusal) {
            return self.reject(id, refusal);
        }
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Some(arn) = entry.job.deletes.clone() else { return };
        entry.phase = Phase::Confirm(refusal, Failing::default());
        self.ask(id, Request::Describe(arn));
    }

    /// Handles an ambiguous delete.
    pub(super) fn not_deleted(&mut self, id: EntryId, refusal: Refusal, now: Instant) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.may_be_made();
        entry.no_verdicts += 1;
        let tries = entry.no_verdicts;
        if tries >= ATTEMPTS {
            let arn = entry.job.deletes.clone();
            return self.fail(id, Outcome::Unresolved, arn, refusal);
        }
        let wait = self.retry.of_one(tries);
        self.park(now + wait, Parked::Write(id));
    }

    /// Settles an entry whose artifact exists, though the service said otherwise.
    pub(super) fn not_absent(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get(&id) else { return };
        let Phase::Confirm(refusal, _) = &entry.phase else { return };
        let refusal = refusal.clone();
        self.reject(id, refusal);
    }

    /// Settles an entry whose ARN cannot be described.
    pub(super) fn not_confirmed(&mut self, id: EntryId, request: &Request, refusal: Refusal) {
        if refusal.class == Class::Denied {
            return self.stop(End::Denied { action: request.actions(), refusal });
        }
        if says_absent(&refusal) {
            return self.deleted(id);
        }
        let Some(entry) = self.entries.get(&id) else { return };
        let Phase::Confirm(first, _) = &entry.phase else { return };
        let mut first = first.clone();
        first.message = format!("{}; looking it up failed too: {refusal}", first.message);
        let arn = entry.job.deletes.clone();
        self.fail(id, Outcome::Unresolved, arn, first);
    }
}
