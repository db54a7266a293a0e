//! Entries that exist according to the service, though nothing is at their source: perhaps another
//! artifact uses their name. No request finds an artifact by its name, so the target is listed once
//! for all of them, at the end.

use std::collections::BTreeMap;
use std::time::Instant;

use super::State;
use crate::run::entry::{Entry, Failing, Phase, Request};
use crate::run::key_of;
use crate::run::pages::Pages;
use crate::service::{Filter, Found, Page};
use crate::submission::{EntryId, Outcome, Refusal};

/// The number of pages after which the search is given up: a hundred thousand artifacts.
const PAGES: u32 = 1000;

/// The names that are looked for.
#[derive(Debug, Default)]
pub(super) struct Names {
    wanted: BTreeMap<String, Vec<EntryId>>,
    pages: Pages,
    pub(super) failing: Failing,
}

impl State {
    /// Looks for the name of an entry that exists according to the service.
    pub(super) fn find_by_name(&mut self, id: EntryId, refusal: Refusal) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        match entry.job.artifact.name.clone() {
            Some(name) => {
                entry.phase = Phase::Name(refusal);
                self.names.wanted.entry(name).or_default().push(id);
            }
            None => self.exists_by_word(id, &refusal),
        }
    }

    /// Lists the target, from this page on. Returns whether there is a name to look for.
    pub(super) fn ask_for_names(&mut self, token: Option<String>) -> bool {
        let Some(id) = self.names.wanted.values().flatten().next().copied() else { return false };
        self.ask(id, Request::List(Filter::default(), token));
        true
    }

    /// Takes a page of the target's artifacts.
    pub(super) fn names_listed(&mut self, page: Page, now: Instant) {
        let listed = page.found.len();
        for found in page.found {
            let Some(ids) = found.name.as_ref().and_then(|name| self.names.wanted.remove(name))
            else {
                continue;
            };
            for id in ids {
                let Some(entry) = self.entries.get(&id) else { continue };
                if key_of(&found) == entry.job.artifact.key() {
                    // It exists after all: its look-up was too early.
                    self.seen(id, &found, now);
                } else {
                    self.namesake(id, &found);
                }
            }
        }
        let goes_on = self.names.pages.turn(listed, page.next.as_deref()) == Ok(true);
        let asked = goes_on && self.names.pages.count() < PAGES && self.ask_for_names(page.next);
        if !asked {
            self.names_unknown();
        }
    }

    /// Of the names that are left, no other source is known.
    pub(super) fn names_unknown(&mut self) {
        self.names.pages = Pages::default();
        for id in std::mem::take(&mut self.names.wanted).into_values().flatten() {
            let Some(entry) = self.entries.get(&id) else { continue };
            let Phase::Name(refusal) = &entry.phase else { continue };
            let refusal = refusal.clone();
            self.exists_by_word(id, &refusal);
        }
    }

    /// Settles an entry whose name belongs to `other`.
    fn namesake(&mut self, id: EntryId, other: &Found) {
        self.prove();
        if let Some(Entry { phase: Phase::Name(refusal), .. }) =
            self.entries.get(&id).filter(|entry| entry.maybe_made())
        {
            // The next run finds out whether the service refused it for another reason, or an
            // attempt of this run made it and no listing shows it yet.
            let refusal = refusal.clone();
            return self.fail(id, Outcome::Unresolved, None, refusal);
        }
        let name = other.name.as_deref().unwrap_or_default();
        let message = format!("the name `{name}` is already used by {} ({})", other.uri, other.arn);
        self.fail(id, Outcome::Conflict, None, Refusal::by_lineload(message));
    }
}
