//! Entries that were refused though nothing is at their source: perhaps because their name belongs to
//! another. No request finds an artifact by its name, so the target is listed once for all of them,
//! at the end.

use std::collections::BTreeMap;

use super::{Question, State};
use crate::run::key_of;
use crate::service::{Filter, Found, Page};
use crate::submission::{Outcome, Refusal};

/// Pages after which a name is given up: a hundred thousand artifacts.
const PAGES: u32 = 1000;

/// The names that are to be found.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By name: the entry, and what was said of it.
    wanted: BTreeMap<String, (usize, Refusal)>,
    /// Pages that were asked for.
    pages: u32,
}

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }
}

impl State {
    /// The service refused the entry as it refuses one that exists, and nothing is at its source.
    pub(super) fn rejected_with_nothing_there(&mut self, at: usize, refusal: Refusal) {
        match self.records[at].job.artifact.name.clone() {
            Some(name) => {
                self.failed(at);
                self.names.wanted.insert(name, (at, refusal));
            }
            None => self.reject(at, refusal),
        }
    }

    /// Lists the target, from this page on.
    pub(super) fn ask_for_names(&mut self, token: Option<String>) {
        let Some((at, _)) = self.names.wanted.values().next() else { return };
        self.names.pages += 1;
        self.questions.push_back((*at, Question::List(Filter::default(), token)));
    }

    /// A page of what the target has.
    pub(super) fn names_listed(&mut self, page: Page) {
        for found in page.found {
            let name = found.name.as_ref();
            let Some((at, _)) = name.and_then(|name| self.names.wanted.remove(name)) else {
                continue;
            };
            if key_of(&found) == self.records[at].job.artifact.identity().key() {
                // It is there after all: its look-up came too early.
                self.exists(at, &found, false);
            } else {
                self.conflict(at, &found);
            }
        }
        match page.next {
            Some(token) if self.names.pages < PAGES && !self.names.is_empty() => {
                self.ask_for_names(Some(token));
            }
            _ => self.names_unknown(),
        }
    }

    /// Of the names that are left, no other source is known.
    pub(super) fn names_unknown(&mut self) {
        self.names.pages = 0;
        for (_, (at, refusal)) in std::mem::take(&mut self.names.wanted) {
            self.reject(at, refusal);
        }
    }

    /// The name of an entry belongs to `other`.
    pub(super) fn conflict(&mut self, at: usize, other: &Found) {
        let name = other.name.as_deref().unwrap_or_default();
        let message = format!("the name `{name}` belongs to {} ({})", other.uri, other.arn);
        let refusal = Refusal::ours(message);
        self.settle(at, Outcome::Conflict, None, None, Some(refusal));
    }
}
