//! Entries whose source is looked up: the attempt was ambiguous, or the service reports that they
//! exist.
//!
//! Reads lag behind writes, so a look-up that finds nothing is conclusive only if it begins late
//! enough: `--settle` after the attempt was sent, or after the service refused it as existing. An
//! entry is never created again before that.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{Parked, State};
use crate::run::End;
use crate::run::answers::{self, Reaction, reaction};
use crate::run::decide::Observation;
use crate::run::entry::{Failing, LookUp, Phase, Request, Sent, Why};
use crate::run::pages::{Endless, Pages};
use crate::service::{Filter, Page};
use crate::submission::{Class, EntryId, Operation, Outcome, Refusal};

/// The number of ambiguous attempts after which an entry stays unresolved.
const ATTEMPTS: u32 = 5;

impl State {
    /// Looks up what is at the source of an entry. Nothing found is conclusive only if the look-up
    /// begins at `conclusive_from` or later.
    pub(super) fn look_up(&mut self, id: EntryId, why: Why, conclusive_from: Instant) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.phase = Phase::LookUp(LookUp {
            why,
            conclusive_from,
            began: None,
            pages: Pages::default(),
            failing: Failing::default(),
        });
        self.ask_at_source(id, None);
    }

    fn ask_at_source(&mut self, id: EntryId, token: Option<String>) {
        if let Some(request) = self.question_at_source(id, token) {
            self.ask(id, request);
        }
    }

    fn question_at_source(&self, id: EntryId, token: Option<String>) -> Option<Request> {
        let entry = self.entries.get(&id)?;
        Some(Request::List(Filter::at(&entry.job.artifact.source.uri), token))
    }

    /// Takes a page of the artifacts at the URI of an entry.
    pub(super) fn looked_up(&mut self, id: EntryId, page: Page, now: Instant) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Phase::LookUp(look_up) = &mut entry.phase else { return };
        let source = &entry.job.artifact.source;
        let wanted: BTreeSet<_> = source.types.iter().collect();
        let listed = page.found.len();
        // A service may list other artifacts than requested.
        let same = page.found.into_iter().find(|one| {
            one.uri == source.uri && one.types.iter().collect::<BTreeSet<_>>() == wanted
        });
        if let Some(found) = same {
            return self.seen(id, &found, now);
        }
        match look_up.pages.turn(listed, page.next.as_deref()) {
            Ok(true) => self.ask_at_source(id, page.next),
            Ok(false) => self.nothing_found(id, now),
            Err(Endless) => {
                let Some(request) = self.question_at_source(id, None) else { return };
                self.give_up(id, &request, Refusal::by_lineload(Endless::WORDS), now);
            }
        }
    }

    fn nothing_found(&mut self, id: EntryId, now: Instant) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Phase::LookUp(look_up) = &mut entry.phase else { return };
        let conclusive_from = look_up.conclusive_from;
        if look_up.began.is_none_or(|began| began < conclusive_from) {
            look_up.began = None;
            look_up.pages = Pages::default();
            if let Some(request) = self.question_at_source(id, None) {
                self.park(conclusive_from.max(now), Parked::Read(id, request));
            }
            return;
        }
        let why = look_up.why.clone();
        let no_verdicts = entry.no_verdicts;
        let (maybe_made, earlier) = (entry.maybe_made(), entry.of_earlier_run());
        match why {
            Why::Known => self.decide(id, Observation::Nothing, now),
            // It never took effect.
            Why::NoVerdict(_) if earlier || no_verdicts < ATTEMPTS => {
                self.decide(id, Observation::Nothing, now);
            }
            Why::NoVerdict(refusal) => self.fail(id, Outcome::Unresolved, None, refusal),
            Why::Exists(refusal) => self.find_by_name(id, refusal),
            Why::Refused(refusal) if maybe_made => {
                self.fail(id, Outcome::Unresolved, None, refusal);
            }
            Why::Refused(refusal) => self.reject(id, refusal),
        }
    }

    /// Settles an entry that exists according to the service, though no listing shows it.
    pub(super) fn exists_by_word(&mut self, id: EntryId, refusal: &Refusal) {
        let Some(entry) = self.entries.get(&id) else { return };
        if entry.maybe_made() {
            // An attempt of this run may have made it, and no other maker is known.
            let outcome = Outcome::Recovered;
            let settled = crate::event::Settled {
                request_id: refusal.request_id.clone(),
                ..crate::event::Settled::new(id, outcome)
            };
            return self.settle(settled);
        }
        self.prove();
        let message = format!(
            "already exists, not compared: the listing lags behind; the next import compares it ({})",
            refusal.message
        );
        let refusal = Refusal { message, ..refusal.clone() };
        self.fail(id, Outcome::Differs, None, refusal);
    }

    /// Notes a response to a read.
    pub(super) fn note_response(
        &mut self,
        id: EntryId,
        operation: Operation,
        sent: Sent,
        now: Instant,
    ) {
        self.pace(operation).accepted(sent.permitted, now);
        self.read_trouble = None;
        self.answers_again(now);
        if let Some(failing) = self.entries.get_mut(&id).and_then(|entry| entry.failing()) {
            *failing = Failing::default();
        }
        self.names.failing = Failing::default();
    }

    /// Handles a failed read: it is retried or given up.
    pub(super) fn unanswered(
        &mut self,
        id: EntryId,
        request: &Request,
        refusal: Refusal,
        sent: Sent,
        now: Instant,
    ) {
        let operation = request.operation();
        match reaction(refusal.class, operation) {
            Reaction::Stop => return self.stop(End::Unable { refusal }),
            Reaction::Refuse | Reaction::Deny => return self.give_up(id, request, refusal, now),
            Reaction::SlowDown => {
                self.pace(operation).throttled(sent.permitted, now);
            }
            Reaction::Pause(_) | Reaction::LookUp | Reaction::Repeat => {}
        }
        self.read_trouble_since(now, &refusal);
        if matches!(refusal.class, Class::Ambiguous | Class::NoResponse) {
            self.in_doubt(None, &refusal, now);
        }
        let patience = self.options.patience;
        let of_names = request.lists_everything();
        let failing = if of_names {
            Some(&mut self.names.failing)
        } else {
            self.entries.get_mut(&id).and_then(|entry| entry.failing())
        };
        let Some(failing) = failing else { return };
        failing.tries += 1;
        let (tries, mut since) = (failing.tries, *failing.since.get_or_insert(now));
        // A throttle concerns no entry in particular: its turn comes while other reads are answered.
        if refusal.class == Class::Throttled {
            since = self.read_trouble.as_ref().map_or(now, |trouble| since.max(trouble.since));
        }
        // While no request at all succeeds, the run's patience applies.
        if self.trouble.is_none() && now.saturating_duration_since(since) >= patience {
            return self.give_up(id, request, refusal, now);
        }
        let wait = answers::wait(refusal.class, tries, &mut self.retry);
        self.park(now + wait, Parked::Read(id, request.clone()));
    }

    /// Gives up on a request for an entry.
    fn give_up(&mut self, id: EntryId, request: &Request, refusal: Refusal, now: Instant) {
        if request.lists_everything() {
            return self.names_unknown();
        }
        let Some(entry) = self.entries.get(&id) else { return };
        let maybe_made = entry.maybe_made();
        let why = match &entry.phase {
            Phase::Compare(_) => return self.cannot_compare(id, request, refusal, now),
            Phase::LookUp(look_up) => look_up.why.clone(),
            Phase::Confirm(..) => return self.not_confirmed(id, request, refusal),
            _ => return,
        };
        let unresolved = |mut first: Refusal| {
            first.message = format!("{}; looking it up failed too: {refusal}", first.message);
            first
        };
        match why {
            Why::NoVerdict(first) => {
                self.fail(id, Outcome::Unresolved, None, unresolved(first));
            }
            Why::Exists(first) if maybe_made => {
                self.fail(id, Outcome::Unresolved, None, unresolved(first));
            }
            Why::Exists(first) => {
                self.prove();
                self.fail(id, Outcome::Differs, None, unresolved(first));
            }
            Why::Refused(first) if maybe_made => {
                self.fail(id, Outcome::Unresolved, None, unresolved(first));
            }
            Why::Refused(first) => self.reject(id, first),
            Why::Known if refusal.class == Class::Denied => {
                self.stop(End::Denied { action: request.actions(), refusal });
            }
            Why::Known => self.fail(id, Outcome::Unresolved, None, refusal),
        }
    }
}
