//! The artifacts that the target already has, listed page by page where that takes fewer requests
//! than finding out by refusals.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::{Asker, Unanswered};
use crate::artifact::{Identity, Key};
use crate::service::{Filter, Found, Service};
use crate::submission::EntryId;

/// Entries to be created for each page that may be listed without a single hit: so a target full of
/// other artifacts costs one request in a hundred more.
const ENTRIES_PER_PAGE: usize = 100;
/// Requests that a hit saves: a create that is refused, and a look-up.
const SAVED: usize = 2;

/// The result of a survey.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Survey {
    /// Artifacts that were listed.
    pub listed: usize,
    /// Entries among them.
    pub there: usize,
    /// True if every artifact of the target was listed.
    pub complete: bool,
}

/// The progress of a listing of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Artifacts that were listed.
    pub artifacts: usize,
    /// Requests that it takes at most from here on; `None` if that is not known.
    pub requests_left: Option<usize>,
}

/// Returns whether a survey may pay for so many entries of which nothing is known: fewer are asked
/// about one by one.
#[must_use]
pub const fn survey_pays(unknown: usize) -> bool {
    unknown >= ENTRIES_PER_PAGE
}

/// Lists the target for as long as it pays, and hands what is at the source of an entry to `take`.
/// `unknown` are the entries of which nothing is known, by source; `progress` gets its progress.
///
/// # Errors
/// If the target does not answer. What was found until then is.
pub async fn survey<S: Service>(
    asker: &Asker<S>,
    unknown: &HashMap<Key, EntryId>,
    mut take: impl FnMut(EntryId, Found),
    mut progress: impl FnMut(Listed),
) -> Result<Survey, Unanswered> {
    let mut survey = Survey::default();
    let mut pages = 0;
    let mut budget = unknown.len() / ENTRIES_PER_PAGE;
    let page = |found: Vec<Found>| {
        pages += 1;
        survey.listed += found.len();
        for found in found {
            if let Some(entry) = unknown.get(&key_of(&found)) {
                survey.there += 1;
                budget += SAVED;
                take(*entry, found);
            }
        }
        let requests_left = Some(budget.saturating_sub(pages));
        progress(Listed { artifacts: survey.listed, requests_left });
        if pages >= budget { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    survey.complete = asker.each_page(&Filter::default(), page).await?;
    Ok(survey)
}

/// Returns the key of what a listing shows.
#[must_use]
pub fn key_of(found: &Found) -> Key {
    Identity::new(&found.uri, &found.types).key()
}
