//! Times when nothing gets through: one probe a wait, and patience.
//!
//! Creates and questions have troubles of their own, so that an answer to one does not hide that the
//! other gets none.

use std::time::Instant;

use super::{Mode, Pause, State, Trouble};
use crate::event::{Cause, Event};
use crate::run::backoff::LEAST;
use crate::run::{CREDENTIALS, End};
use crate::submission::{Class, Refusal};

/// Creates in a row that tell nothing, after which the service is taken to be down: every one of them
/// has to be looked up.
const DOUBTS: u32 = 16;
/// Creates in a row that are denied, after which the caller may do nothing any more.
const DENIED: usize = 8;

impl State {
    /// The entry was refused for now, and nothing is sent until a probe comes through.
    pub(super) fn pause(&mut self, at: usize, cause: Cause, refusal: Refusal, now: Instant) {
        self.try_again(at);
        self.hold(Some(at), cause, refusal, now);
    }

    /// A create told nothing. With many of them in a row nothing more is sent but probes.
    pub(super) fn in_doubt(&mut self, at: usize, refusal: &Refusal, now: Instant) {
        self.doubts_in_a_row += 1;
        if self.doubts_in_a_row >= DOUBTS {
            self.hold(Some(at), Cause::Failing, refusal.clone(), now);
        }
    }

    /// A create was denied, though others were not.
    pub(super) fn denied(&mut self, at: usize, refusal: Refusal) {
        self.denied.push((at, refusal.clone()));
        if self.denied.len() < DENIED {
            return;
        }
        for (at, _) in std::mem::take(&mut self.denied) {
            self.try_again(at);
        }
        self.stop(End::Denied { action: self.create_permission(at), refusal });
    }

    fn hold(&mut self, at: Option<usize>, cause: Cause, refusal: Refusal, now: Instant) {
        trouble(&mut self.trouble, now, cause, refusal.clone());
        let probe_at = match &mut self.mode {
            Mode::Open => {
                let probe_at = now + self.wait(cause);
                self.mode = Mode::Paused(Pause { since: now, probe_at, probe: None });
                probe_at
            }
            // The probe's own wait began when it left. Of the flight from before the pause, the
            // first to be refused has set the wait.
            Mode::Paused(pause) => {
                if pause.probe.is_none() || pause.probe != at {
                    return;
                }
                pause.probe = None;
                pause.probe_at = pause.probe_at.max(now + LEAST);
                pause.probe_at
            }
        };
        self.events.push(Event::Paused { cause, probe_at, refusal });
    }

    /// A probe leaves for the entry at this place. The next one is so much later, whatever comes of it.
    pub(super) fn probe(&mut self, at: usize, now: Instant) {
        let cause = self.trouble.as_ref().map_or(Cause::Limit, |trouble| trouble.cause);
        let next = now + self.wait(cause);
        if let Mode::Paused(pause) = &mut self.mode {
            pause.probe = Some(at);
            pause.probe_at = next;
            self.events.push(Event::Probed);
        }
    }

    fn wait(&mut self, cause: Cause) -> std::time::Duration {
        if cause == Cause::Expired { CREDENTIALS } else { self.backoff.next() }
    }

    /// Creates are throttled.
    pub(super) fn throttled_since(&mut self, now: Instant, refusal: Refusal) {
        trouble(&mut self.trouble, now, Cause::Throttled, refusal);
    }

    /// Whatever else came of a create, it was not throttled.
    pub(super) fn not_throttled(&mut self) {
        self.trouble = self.trouble.take().filter(|trouble| trouble.cause != Cause::Throttled);
    }

    /// A question was not answered, if that is for a reason that passes.
    pub(super) fn unanswered_since(&mut self, now: Instant, refusal: &Refusal) {
        let cause = match refusal.class {
            Class::Throttled => Cause::Throttled,
            Class::NotSent => Cause::Unreachable,
            Class::Expired => Cause::Expired,
            _ => return,
        };
        trouble(&mut self.question_trouble, now, cause, refusal.clone());
    }

    pub(super) fn patience_ends(&self) -> Option<Instant> {
        let troubles = [&self.trouble, &self.question_trouble];
        let since = troubles.into_iter().flatten().map(|trouble| trouble.since).min()?;
        Some(since + self.options.patience)
    }

    pub(super) fn out_of_patience(&mut self, now: Instant) {
        let over = |trouble: &&Trouble| now >= trouble.since + self.options.patience;
        let troubles = [&self.trouble, &self.question_trouble];
        let over = troubles.into_iter().flatten().find(over);
        if self.end.is_none()
            && let Some(Trouble { cause, refusal, .. }) = over
        {
            self.end = Some(End::OutOfPatience { cause: *cause, refusal: refusal.clone() });
        }
    }

    /// The target takes requests: it took the one for the entry at this place.
    pub(super) fn went_through(&mut self, at: usize, now: Instant) {
        self.succeeded = true;
        self.trouble = None;
        self.doubts_in_a_row = 0;
        self.backoff.reset();
        // It was not the caller who was refused, but those entries.
        for (at, refusal) in std::mem::take(&mut self.denied) {
            self.reject(at, refusal);
        }
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
}

fn trouble(slot: &mut Option<Trouble>, now: Instant, cause: Cause, refusal: Refusal) {
    let since = slot.as_ref().map_or(now, |trouble| trouble.since);
    *slot = Some(Trouble { since, cause, refusal });
}
