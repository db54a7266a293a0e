//! Entries whose artifact already exists: read in every field, compared, and updated to match the
//! manifest.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use super::{Parked, State};
use crate::event::Settled;
use crate::run::End;
use crate::run::change;
use crate::run::decide::{Decision, Observation, decide};
use crate::run::entry::{Compare, Failing, Phase, Request, Why};
use crate::run::pages::Pages;
use crate::service::{Described, TagPage, Update};
use crate::submission::{Class, EntryId, Outcome, Refusal, listed};

/// The maximum number of pages of tags of one artifact: there are 50 tags, and AWS adds a few.
const TAG_PAGES: u32 = 20;
/// The number of times that an artifact may be listed and then not be found.
const VANISHED: u32 = 3;
/// The number of ambiguous updates after which an entry stays unresolved.
const CHANGES: u32 = 5;

impl State {
    /// Reads what exists in every field.
    pub(super) fn compare(&mut self, id: EntryId, compare: Compare) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let request = Request::Describe(compare.arn.clone());
        entry.phase = Phase::Compare(compare);
        self.ask(id, request);
    }

    pub(super) fn described(&mut self, id: EntryId, described: Described) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if matches!(entry.phase, Phase::Confirm(..)) {
            return self.not_absent(id);
        }
        let Phase::Compare(compare) = &mut entry.phase else { return };
        compare.modified = described.modified.or(compare.modified);
        compare.described = Some(described);
        let request = Request::Tags(compare.arn.clone(), None);
        self.ask(id, request);
    }

    pub(super) fn tags_read(&mut self, id: EntryId, page: TagPage, now: Instant, wall: SystemTime) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Phase::Compare(compare) = &mut entry.phase else { return };
        let Some(described) = &mut compare.described else { return };
        described.artifact.tags.extend(page.tags);
        // No artifact has so many tags that this is not the last page, whatever it says.
        let goes_on = compare.pages.turn(1, page.next.as_deref()) == Ok(true);
        if goes_on && compare.pages.count() < TAG_PAGES {
            let request = Request::Tags(compare.arn.clone(), page.next);
            return self.ask(id, request);
        }
        self.compared(id, now, wall);
    }

    fn compared(&mut self, id: EntryId, now: Instant, wall: SystemTime) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Phase::Compare(compare) = &mut entry.phase else { return };
        let Some(described) = &compare.described else { return };
        let observation = Observation::Whole {
            arn: &compare.arn,
            artifact: &described.artifact,
            modified: compare.modified,
            perhaps_this_journal: compare.perhaps_this_journal,
        };
        let job = &entry.job;
        let decision = decide(&job.artifact, &job.known, observation, &self.options.policy);
        let young = youth(described, wall, self.options.read_lag);
        if differs(&decision)
            && !compare.again
            && let Some(wait) = young
        {
            // Its tags may not be readable yet.
            compare.again = true;
            compare.described = None;
            compare.pages = Pages::default();
            let request = Request::Describe(compare.arn.clone());
            return self.park(now + wait, Parked::Read(id, request));
        }
        self.apply(id, decision, now);
    }

    /// Notes that the target has made a change.
    pub(super) fn changed(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Phase::Change(change) = &mut entry.phase else { return };
        change.failing = Failing::default();
        change.requests.pop_front();
        if !change.requests.is_empty() {
            self.changes.push_front(id);
            return;
        }
        let verdict = change.verdict.clone();
        let changed = std::mem::take(&mut change.ends);
        let arn = verdict.arn.as_deref().unwrap_or_default();
        tracing::info!("updated {arn}: {}", listed(&changed));
        self.settle(Settled {
            arn: verdict.arn,
            error: verdict.error,
            compared: verdict.compared,
            differences: verdict.differences,
            changed,
            ..Settled::new(id, verdict.outcome)
        });
    }

    /// Handles a refused or ambiguous update: updates are idempotent.
    pub(super) fn not_changed(&mut self, id: EntryId, refusal: Refusal, now: Instant) {
        let conflict = refusal.code.as_deref() == Some("ConflictException");
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Phase::Change(change) = &mut entry.phase else { return };
        let arn = change.verdict.arn.clone();
        if refusal.class == Class::Rejected && !conflict {
            return self.fail(id, Outcome::Rejected, arn, refusal);
        }
        change.failing.tries += 1;
        let tries = change.failing.tries;
        if tries < CHANGES {
            let wait = self.retry.of_one(1);
            return self.park(now + wait, Parked::Change(id));
        }
        // Renamed to what belongs to another source.
        let first = change.requests.front();
        let renames = matches!(first, Some(Request::Update(_, Update { name: Some(_), .. })));
        let outcome = if conflict && renames { Outcome::Conflict } else { Outcome::Unresolved };
        self.fail(id, outcome, arn, refusal);
    }

    /// Settles an entry whose existing artifact could not be read completely.
    pub(super) fn cannot_compare(
        &mut self,
        id: EntryId,
        request: &Request,
        refusal: Refusal,
        now: Instant,
    ) {
        if refusal.class == Class::Denied {
            return self.stop(End::Denied { action: request.actions(), refusal });
        }
        let gone = refusal.code.as_deref().is_some_and(|code| code.starts_with("ResourceNotFound"));
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Phase::Compare(compare) = &mut entry.phase else { return };
        let arn = compare.arn.clone();
        if gone && entry.vanished < VANISHED {
            // It has been deleted since, or the listing lags.
            entry.vanished += 1;
            return self.look_up(id, Why::Known, now + self.options.read_lag);
        }
        let mut error = refusal;
        error.message = format!("it exists, but could not be compared: {}", error.message);
        self.fail(id, Outcome::Unresolved, Some(arn), error);
    }
}

/// Returns whether the decision depends on a difference of the existing artifact.
fn differs(decision: &Decision) -> bool {
    match decision {
        Decision::Change(_) => true,
        Decision::Settle(verdict) => verdict.outcome == Outcome::Differs,
        _ => false,
    }
}

/// Returns how long it takes until a description is certain to be up to date; `None` if it is old
/// enough.
fn youth(described: &Described, wall: SystemTime, lag: Duration) -> Option<Duration> {
    let touched = described.created.max(described.modified)?;
    // If this machine's clock is behind the target's, the time is in the future.
    let age = wall.duration_since(touched).unwrap_or_default();
    lag.checked_sub(age).filter(|left| !left.is_zero())
}

/// Returns the requests that make a change.
pub(super) fn requests(arn: &str, change: &change::Change) -> VecDeque<Request> {
    let arn = || arn.to_owned();
    let mut requests = VecDeque::new();
    if let Some(update) = &change.update {
        requests.push_back(Request::Update(arn(), update.clone()));
    }
    if !change.add_tags.is_empty() {
        requests.push_back(Request::AddTags(arn(), change.add_tags.clone()));
    }
    if !change.remove_tags.is_empty() {
        requests.push_back(Request::DeleteTags(arn(), change.remove_tags.clone()));
    }
    requests
}
