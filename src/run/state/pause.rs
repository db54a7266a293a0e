//! Pauses while no request succeeds: one probe per backoff, until the patience is used up.
//!
//! Writes and reads are tracked separately, so that a response to one does not hide that the other
//! gets none.

use std::time::{Duration, Instant};

use super::State;
use crate::event::{Cause, Event};
use crate::run::End;
use crate::run::answers::{self, CREDENTIALS};
use crate::run::entry::Sent;
use crate::run::retry::LEAST;
use crate::submission::{Class, EntryId, Operation, Refusal};

/// The number of consecutive ambiguous responses after which the service is considered down.
const OUTAGE: u32 = 5;
/// The number of consecutive responses without a code after which they count as throttling:
/// SageMaker's throttle has been seen as a 400 with `{"message": null}`.
const NO_CODE: u32 = 3;

/// The time before the end of the patience at which the last probe is sent: enough for a response.
const LAST_PROBE: Duration = Duration::from_secs(1);

/// The mode of sending: everything, or only probes.
#[derive(Debug)]
pub(super) enum Mode {
    Open,
    Paused(Pause),
}

#[derive(Debug)]
pub(super) struct Pause {
    since: Instant,
    /// The time when the next probe goes out.
    probe_at: Instant,
    /// The entry of the one that is out.
    probe: Option<EntryId>,
}

/// The reason why no request succeeds, and the time since when.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) since: Instant,
    cause: Cause,
    refusal: Refusal,
}

impl State {
    /// Pauses after a temporary refusal: nothing is sent until a probe succeeds.
    pub(super) fn pause(&mut self, id: EntryId, cause: Cause, refusal: Refusal, now: Instant) {
        self.send_again(id);
        self.hold(Some(id), cause, refusal, now);
    }

    /// Counts an ambiguous response. After many of them in a row only probes are sent.
    pub(super) fn in_doubt(
        &mut self,
        write: Option<(EntryId, Operation, Sent)>,
        refusal: &Refusal,
        now: Instant,
    ) {
        if write.is_some() {
            self.writes_in_doubt += 1;
        } else {
            self.reads_in_doubt += 1;
        }
        let no_code = refusal.class == Class::Ambiguous && refusal.code.is_none();
        if let Some((_, operation, sent)) = write
            && no_code
            && self.writes_in_doubt >= NO_CODE
        {
            self.slow_down(operation, sent, now);
        }
        let since = *self.in_doubt_since.get_or_insert(now);
        // A small run has few writes: its reads show as well that there are no responses.
        let in_doubt = self.writes_in_doubt + self.reads_in_doubt;
        if self.writes_in_doubt > 0 && in_doubt >= OUTAGE {
            trouble(&mut self.trouble, since, Cause::Failing, refusal.clone());
            self.hold(write.map(|(id, ..)| id), Cause::Failing, refusal.clone(), now);
        } else if self.reads_in_doubt >= OUTAGE {
            trouble(&mut self.read_trouble, since, Cause::Failing, refusal.clone());
        }
    }

    fn hold(&mut self, id: Option<EntryId>, cause: Cause, refusal: Refusal, now: Instant) {
        trouble(&mut self.trouble, now, cause, refusal.clone());
        let probe_at = match &mut self.mode {
            Mode::Open => {
                let probe_at = now + self.wait(cause);
                let probe_at = self.within_patience(probe_at, now);
                self.mode = Mode::Paused(Pause { since: now, probe_at, probe: None });
                probe_at
            }
            // The probe's own backoff began when it was sent. Of the requests in flight before the
            // pause, the first refusal has set the backoff.
            Mode::Paused(pause) => {
                if pause.probe.is_none() || pause.probe != id {
                    return;
                }
                pause.probe = None;
                pause.probe_at = pause.probe_at.max(now + LEAST);
                pause.probe_at
            }
        };
        self.events.push(Event::Paused { cause, probe_at, refusal });
    }

    /// Returns when the next probe may be sent, if only probes are sent.
    pub(super) const fn probe_at(&self) -> Option<Instant> {
        match &self.mode {
            Mode::Open => None,
            Mode::Paused(pause) => Some(pause.probe_at),
        }
    }

    /// Notes that a probe is sent for an entry. The next one follows after the backoff, whatever
    /// its result.
    pub(super) fn probe(&mut self, id: EntryId, now: Instant) {
        let cause = self.trouble.as_ref().map_or(Cause::Limit, |trouble| trouble.cause);
        let next = now + self.wait(cause);
        let next = self.within_patience(next, now);
        if let Mode::Paused(pause) = &mut self.mode {
            pause.probe = Some(id);
            pause.probe_at = next;
            self.events.push(Event::Probed);
        }
    }

    /// Returns when a probe is sent that is due at `probe_at`: the last one goes out before the
    /// patience ends, not after it.
    fn within_patience(&self, probe_at: Instant, now: Instant) -> Instant {
        let Some(end) = self.patience_ends().filter(|end| probe_at > *end) else { return probe_at };
        match end.checked_sub(LAST_PROBE) {
            Some(last) if last > now + LEAST => last,
            _ => end,
        }
    }

    fn wait(&mut self, cause: Cause) -> Duration {
        if cause == Cause::Expired { CREDENTIALS } else { self.retry.next() }
    }

    /// Handles a throttled write: it had no effect, and is retried at a lower rate.
    pub(super) fn throttled(
        &mut self,
        id: EntryId,
        operation: Operation,
        refusal: Refusal,
        sent: Sent,
        now: Instant,
    ) {
        self.events.push(Event::Throttled);
        self.send_again(id);
        self.slow_down(operation, sent, now);
        // A pause has its own cause, and its own patience.
        if matches!(self.mode, Mode::Open) {
            trouble(&mut self.trouble, now, Cause::Throttled, refusal);
        }
    }

    fn slow_down(&mut self, operation: Operation, sent: Sent, now: Instant) {
        let from = self.options.paces.rate(operation);
        // The rate that is reported is that of creates, or of deletes.
        if let Some(to) = self.pace(operation).throttled(sent.permitted, now)
            && operation.is_recorded()
        {
            let throttled = from.is_none_or(|from| to < from);
            self.events.push(Event::RateChanged { from, to, throttled });
        }
    }

    /// Notes that a write was not throttled, whatever its result.
    pub(super) fn not_throttled(&mut self) {
        if matches!(self.mode, Mode::Paused(_)) {
            return;
        }
        self.trouble = self.trouble.take().filter(|trouble| trouble.cause != Cause::Throttled);
    }

    /// Notes an ambiguous response to a write, so the service has received it.
    pub(super) fn not_held_up(&mut self) {
        if matches!(self.mode, Mode::Paused(_)) {
            return;
        }
        self.trouble = self.trouble.take().filter(|trouble| trouble.cause == Cause::Failing);
    }

    /// Handles a failed read, if its reason concerns all reads. That the service is down is
    /// detected by consecutive failures: some may succeed.
    pub(super) fn read_trouble_since(&mut self, now: Instant, refusal: &Refusal) {
        match answers::trouble(refusal.class) {
            None | Some(Cause::Failing) => {}
            Some(cause) => trouble(&mut self.read_trouble, now, cause, refusal.clone()),
        }
    }

    /// Returns whether reads are sent one at a time, since there are no responses.
    pub(super) fn reads_are_probes(&self) -> bool {
        let down = |trouble: &Trouble| {
            matches!(trouble.cause, Cause::Unreachable | Cause::Expired | Cause::Failing)
        };
        [&self.trouble, &self.read_trouble].into_iter().flatten().any(down)
    }

    pub(super) fn patience_ends(&self) -> Option<Instant> {
        let troubles = [&self.trouble, &self.read_trouble];
        let since = troubles.into_iter().flatten().map(|trouble| trouble.since).min()?;
        Some(since + self.options.patience)
    }

    pub(super) fn out_of_patience(&mut self, now: Instant) {
        let over = |trouble: &&Trouble| now >= trouble.since + self.options.patience;
        let troubles = [&self.trouble, &self.read_trouble];
        let over = troubles.into_iter().flatten().find(over);
        if self.end.is_none()
            && let Some(Trouble { cause, refusal, .. }) = over
        {
            self.end = Some(End::OutOfPatience { cause: *cause, refusal: refusal.clone() });
        }
    }

    /// Notes that the target accepts requests.
    pub(super) fn went_through(&mut self, operation: Operation, sent: Sent, now: Instant) {
        self.succeeded = true;
        let held_up_since = self.trouble.take();
        self.writes_in_doubt = 0;
        self.in_doubt_since = None;
        self.retry.reset();
        // The refusals were about those entries, not about the caller.
        self.release_denied();
        let from = self.options.paces.rate(operation);
        if let Some(to) = self.pace(operation).accepted(sent.permitted, now)
            && operation.is_recorded()
        {
            self.events.push(Event::RateChanged { from, to, throttled: false });
        }
        // Requests sent before the pause say nothing about the present.
        let since = match &self.mode {
            Mode::Open => None,
            Mode::Paused(pause) => Some(pause.since),
        };
        match since {
            Some(since) if sent.permitted < since => self.trouble = held_up_since,
            Some(_) => drop(self.reopen(now)),
            None => self.window = (self.window + 1).min(self.options.concurrency),
        }
    }

    /// Notes a response to a read: the target can be reached and is no longer down, unless only
    /// creates fail.
    pub(super) fn answers_again(&mut self, now: Instant) {
        self.reads_in_doubt = 0;
        if self.writes_in_doubt >= OUTAGE {
            // With no write left to send, only responses to reads are waited for.
            if self.creates.is_empty()
                && self.changes.is_empty()
                && self.writing() == 0
                && let Some(trouble) = &mut self.trouble
            {
                trouble.since = now;
            }
            return;
        }
        self.in_doubt_since = None;
        let down = |trouble: &Trouble| {
            matches!(trouble.cause, Cause::Unreachable | Cause::Expired | Cause::Failing)
        };
        if self.trouble.as_ref().is_some_and(down) {
            self.trouble = None;
            self.retry.reset();
            self.reopen(now);
        }
    }

    /// Notes that the artifact of an ambiguous attempt exists: writes take effect, whatever their
    /// responses.
    pub(super) fn writes_arrive(&mut self, id: EntryId, now: Instant) {
        let of_this_run = self
            .entries
            .get(&id)
            .and_then(|entry| entry.job.known.attempt)
            .is_some_and(|attempt| !attempt.of_earlier_run);
        if !of_this_run || self.trouble.as_ref().is_some_and(|one| one.cause != Cause::Failing) {
            return;
        }
        self.trouble = None;
        self.writes_in_doubt = 0;
        self.in_doubt_since = None;
        self.reopen(now);
    }

    /// Ends a pause. Returns whether there was one.
    fn reopen(&mut self, now: Instant) -> bool {
        let Mode::Paused(pause) = &self.mode else { return false };
        self.events.push(Event::Reopened { after: now.saturating_duration_since(pause.since) });
        self.mode = Mode::Open;
        // A slow start: requests that were refused together must not be retried together.
        self.window = 1;
        true
    }
}

fn trouble(slot: &mut Option<Trouble>, now: Instant, cause: Cause, refusal: Refusal) {
    let since = slot.as_ref().map_or(now, |trouble| trouble.since);
    *slot = Some(Trouble { since, cause, refusal });
}
