//! What the target has already, found out page by page where that takes fewer requests than finding
//! out by refusals.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::{Asker, Job, Start, Unanswered};
use crate::artifact::{Identity, Key};
use crate::service::{Filter, Found, Service};

/// Entries to be created for each page that may be listed without a single hit: so a target full of
/// other artifacts costs one request in a hundred more.
const ENTRIES_PER_PAGE: usize = 100;
/// Requests that a hit saves: a create that is refused, and a look-up.
const SAVED: usize = 2;

/// What a survey found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Survey {
    /// Artifacts that were listed.
    pub listed: usize,
    /// Entries among them.
    pub there: usize,
    /// Entries whose name belongs to another source.
    pub taken: usize,
    /// Whether every artifact of the target was listed.
    pub complete: bool,
}

/// Whether a survey may pay for so many entries: fewer are asked about one by one.
#[must_use]
pub fn worth_it(jobs: &[Job]) -> bool {
    survey_pays(jobs.iter().filter(|job| unknown(job)).count())
}

/// The same, for so many of which nothing is known.
#[must_use]
pub const fn survey_pays(unknown: usize) -> bool {
    unknown >= ENTRIES_PER_PAGE
}

fn unknown(job: &Job) -> bool {
    matches!(job.start, Start::Create | Start::Ask)
}

/// Lists the target for as long as it pays, and notes in `jobs` what is there already. `listed` is
/// told how many artifacts have been listed.
///
/// # Errors
/// Where the target does not answer. Then `jobs` are as they were, or know more.
pub async fn survey<S: Service>(
    asker: &Asker<S>,
    jobs: &mut [Job],
    mut listed: impl FnMut(usize),
) -> Result<Survey, Unanswered> {
    let mut survey = Survey::default();
    let mut sources: HashMap<Key, usize> = HashMap::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    for (at, job) in jobs.iter().enumerate().filter(|(_, job)| unknown(job)) {
        sources.insert(job.artifact.identity().key(), at);
        if let Some(name) = &job.artifact.name {
            names.insert(name.clone(), at);
        }
    }
    let mut pages = 0;
    let mut budget = sources.len() / ENTRIES_PER_PAGE;
    let take = |page: Vec<Found>| {
        pages += 1;
        survey.listed += page.len();
        listed(survey.listed);
        for found in page {
            let named = found.name.as_ref().and_then(|name| names.get(name));
            match (sources.get(&key_of(&found)), named) {
                // A server may show one twice.
                (Some(at), _) if unknown(&jobs[*at]) => {
                    survey.there += 1;
                    budget += SAVED;
                    jobs[*at].start = Start::Listed(Box::new(found));
                }
                (None, Some(at)) if unknown(&jobs[*at]) => {
                    survey.taken += 1;
                    budget += SAVED;
                    jobs[*at].start = Start::Taken(Box::new(found));
                }
                _ => {}
            }
        }
        if pages >= budget { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let complete = asker.each_page(&Filter::default(), take).await?;
    survey.complete = complete;
    if complete {
        let asked = |job: &&mut Job| job.start == Start::Ask;
        jobs.iter_mut().filter(asked).for_each(|job| job.start = Start::Create);
    }
    Ok(survey)
}

/// The key of what a listing shows.
#[must_use]
pub fn key_of(found: &Found) -> Key {
    Identity::new(&found.uri, &found.types).key()
}
