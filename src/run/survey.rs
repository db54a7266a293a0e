//! The artifacts that the target already has, listed page by page where that takes fewer requests
//! than finding out by refusals.

use std::ops::ControlFlow;

use super::{Asker, Unanswered, Unknown};
use crate::artifact::{Identity, Key};
use crate::journal::{Journal, JournalError};
use crate::service::{Filter, Found, Service};
use crate::submission::EntryId;

/// The number of listed artifacts that are written to the journal at once.
const FOUND_BATCH: usize = 1000;

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

/// Surveys the target, and records in the journal which artifacts exist at the sources of `unknown`
/// entries. Returns the number of entries that have one, and the result of the survey.
///
/// # Errors
/// If the journal cannot be written.
pub async fn survey_into<S: Service>(
    journal: &mut Journal,
    asker: &Asker<S>,
    unknown: &Unknown,
    progress: impl FnMut(Listed),
) -> Result<(usize, Result<Survey, Unanswered>), JournalError> {
    // By the place of the entry: a source may be listed more than once.
    let mut seen = vec![false; unknown.len()];
    let mut entries = 0;
    let mut found = Vec::new();
    let mut recorded = Ok(());
    let record = |journal: &mut Journal, found: &mut Vec<(EntryId, Found)>| {
        let text = |(entry, seen)| (entry, serde_json::to_string(&seen).unwrap_or_default());
        journal.note_found(&mut found.drain(..).map(text))
    };
    let take = |(place, entry): (usize, EntryId), artifact| {
        if let Some(seen) = seen.get_mut(place) {
            entries += usize::from(!std::mem::replace(seen, true));
        }
        found.push((entry, artifact));
        if found.len() >= FOUND_BATCH && recorded.is_ok() {
            recorded = record(journal, &mut found);
        }
    };
    let surveyed = survey(asker, unknown, take, progress).await;
    recorded.and_then(|()| record(journal, &mut found))?;
    Ok((entries, surveyed))
}

/// Lists the target for as long as it pays, and hands what is at the source of an entry to `take`,
/// with the entry and its place in `unknown`. `progress` gets its progress.
///
/// # Errors
/// If the target does not answer. What was found until then is.
pub async fn survey<S: Service>(
    asker: &Asker<S>,
    unknown: &Unknown,
    mut take: impl FnMut((usize, EntryId), Found),
    mut progress: impl FnMut(Listed),
) -> Result<Survey, Unanswered> {
    let mut survey = Survey::default();
    let mut pages = 0;
    let mut budget = unknown.len() / ENTRIES_PER_PAGE;
    let page = |found: Vec<Found>| {
        pages += 1;
        survey.listed += found.len();
        for found in found {
            if let Some(entry) = unknown.get(key_of(&found)) {
                survey.there += 1;
                budget += SAVED;
                take(entry, found);
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
