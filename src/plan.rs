//! What an import would do: the manifests compared with the target, and nothing changed.
//!
//! In: entries, what the journal knows, an [`Asker`]. Out: a [`Plan`]: what would become of each, and
//! the requests that it takes. It prints nothing.

use std::collections::HashMap;
use std::ops::ControlFlow;

use futures::StreamExt as _;

use crate::artifact::{Artifact, Difference, Key};
use crate::check::EntryId;
use crate::journal::Known;
use crate::limits::LIST_PAGE_MAX;
use crate::run::change::{Change, Drift, OnExists, change, differences};
use crate::run::{
    Asker, Job, KnownThere, Unanswered, is_unchanged, key_of, seen_differences, survey_pays,
};
use crate::service::{Filter, Found, Service};
use crate::submission::Refusal;

/// Questions about single artifacts that may be under way at once, where nothing else is said.
pub const AT_ONCE: usize = 32;

/// What would become of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It would be created.
    Create,
    /// It is there, and equal.
    Exists,
    /// It is there, and differs.
    Differs {
        /// In these fields.
        differences: Vec<Difference>,
        /// What an import would make of them; `None` where it would leave them.
        change: Option<Change>,
    },
    /// Its name belongs to another source.
    Conflict {
        /// The URI of that.
        uri: String,
    },
    /// It could not be compared.
    Unknown {
        /// Why.
        reason: Refusal,
    },
}

/// An entry of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub entry: EntryId,
    /// Its ARN, where it is there.
    pub arn: Option<String>,
    /// What would become of it.
    pub fate: Fate,
    /// Whether the journal takes it for done, so that only an import with `--recheck` would see that
    /// it is not.
    pub unseen: bool,
}

/// An artifact that this journal's runs created, that is still there, and that no manifest has any
/// more. An import leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The file that it was read from.
    pub file: String,
    /// And the line.
    pub line: u32,
    /// Its name.
    pub name: Option<String>,
    /// Its `SourceUri`.
    pub uri: String,
    /// Its ARN.
    pub arn: String,
}

/// Requests that an import would make, at least.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// `CreateArtifact`.
    pub create: usize,
    /// `UpdateArtifact`, `AddTags` and `DeleteTags`.
    pub update: usize,
    /// `ListArtifacts`, `DescribeArtifact` and `ListTags`.
    pub ask: usize,
}

/// What an import would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every valid entry, in the order of the walk.
    pub items: Vec<Item>,
    /// What no manifest has any more.
    pub gone: Vec<Gone>,
    /// What it would take.
    pub calls: Calls,
    /// Artifacts that the target has.
    pub there: usize,
    /// Requests that the plan itself took.
    pub asked: u64,
}

impl Plan {
    /// Whether an import would change something at the target.
    #[must_use]
    pub const fn changes(&self) -> bool {
        self.calls.create + self.calls.update > 0
    }
}

/// How a plan is made.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Options<'o> {
    /// What an import would make of what exists.
    pub on_exists: OnExists,
    /// What is compared in every field.
    pub drift: Drift,
    /// What `--set` sets.
    pub stamp: &'o crate::artifact::Stamp,
    /// What the journal knows at the target.
    pub known: &'o HashMap<Key, Known>,
    /// Whether what was read from this file can be gone from the manifests: they were all read, and
    /// nothing in that file is invalid.
    pub within: &'o (dyn Fn(&str) -> bool + Sync),
}

/// Compares `jobs` with what the target has, with at most `at_once` questions under way. `listed` is told how many artifacts have been listed.
///
/// # Errors
/// Where the target does not answer.
pub async fn plan<S: Service>(
    asker: &Asker<S>,
    jobs: &[Job],
    options: &Options<'_>,
    at_once: usize,
    listed: impl FnMut(usize),
) -> Result<Plan, Unanswered> {
    let there = look(asker, jobs, options, listed).await?;
    let window = asker.window(at_once);
    let whole = |at: usize| {
        let there = &there;
        async move { (at, asker.whole(&there.sources[&at].arn).await) }
    };
    let mut asked: Vec<usize> = there.sources.keys().copied().collect();
    asked.retain(|at| asks(&jobs[*at], &there.sources[at], options));
    asked.sort_unstable();
    let mut compared: HashMap<usize, Result<Artifact, Refusal>> = HashMap::new();
    let mut answers = futures::stream::iter(asked).map(whole).buffer_unordered(window);
    while let Some((at, answer)) = answers.next().await {
        let answer = match answer {
            Ok(artifact) if artifact.identity() != jobs[at].artifact.identity() => {
                Err(Refusal::ours("what the target describes under its ARN is another artifact"))
            }
            Ok(artifact) => Ok(artifact),
            Err(Unanswered::Refused(refusal)) => Err(refusal),
            Err(ended) => return Err(ended),
        };
        compared.insert(at, answer);
    }
    drop(answers);
    let mut plan = Plan { there: there.listed, ..Plan::default() };
    plan.calls.ask = questions(jobs, &there, options);
    plan.gone = there.gone;
    for (at, job) in jobs.iter().enumerate() {
        let (arn, fate) = match (there.sources.get(&at), there.names.get(&at)) {
            (Some(found), _) => {
                let fate = fate(job, found, compared.remove(&at), options);
                (Some(found.arn.clone()), fate)
            }
            (None, Some(uri)) => (None, Fate::Conflict { uri: uri.clone() }),
            (None, None) => (None, Fate::Create),
        };
        let done = options.drift != Drift::Always
            && job.known.as_ref().is_some_and(|known| known.differences.is_empty());
        let unseen = done && fate != Fate::Exists;
        match &fate {
            _ if unseen => {}
            Fate::Create => plan.calls.create += 1,
            Fate::Differs { change: Some(change), .. } => plan.calls.update += change.requests(),
            _ => {}
        }
        plan.items.push(Item { entry: job.entry, arn, fate, unseen });
    }
    plan.asked = asker.calls();
    Ok(plan)
}

/// What the target has, as far as it concerns the plan.
#[derive(Default)]
struct There {
    listed: usize,
    /// By place of the job.
    sources: HashMap<usize, Found>,
    /// By place of the job: the URI that its name belongs to.
    names: HashMap<usize, String>,
    gone: Vec<Gone>,
}

/// Requests that change nothing, of an import of `jobs`: it lists the target first where that pays,
/// and asks about what is there and is not known to the journal.
fn questions(jobs: &[Job], there: &There, options: &Options<'_>) -> usize {
    let always = options.drift == Drift::Always;
    let compares = usize::from(options.drift != Drift::Never);
    let (mut unknown, mut hits, mut questions) = (0, 0, 0);
    for (at, job) in jobs.iter().enumerate() {
        let is_there = there.sources.contains_key(&at);
        let in_journal = options.known.contains_key(&job.artifact.identity().key());
        match &job.known {
            Some(known) if !always && known.differences.is_empty() => {}
            // It is asked for by its ARN.
            _ if in_journal && !always => questions += 2,
            _ => {
                unknown += 1;
                hits += usize::from(is_there || there.names.contains_key(&at));
                questions += 2 * compares * usize::from(is_there);
            }
        }
    }
    if survey_pays(unknown) {
        let pages = there.listed.div_ceil(LIST_PAGE_MAX).max(1);
        questions + pages.min(unknown / LIST_PAGE_MAX + 2 * hits)
    } else {
        // A create that is refused, and a look-up.
        questions + 2 * hits
    }
}

async fn look<S: Service>(
    asker: &Asker<S>,
    jobs: &[Job],
    options: &Options<'_>,
    mut listed: impl FnMut(usize),
) -> Result<There, Unanswered> {
    let keys: HashMap<Key, usize> =
        jobs.iter().enumerate().map(|(at, job)| (job.artifact.identity().key(), at)).collect();
    let names: HashMap<&str, usize> = jobs
        .iter()
        .enumerate()
        .filter_map(|(at, job)| Some((job.artifact.name.as_deref()?, at)))
        .collect();
    let mut there = There::default();
    let take = |page: Vec<Found>| {
        there.listed += page.len();
        listed(there.listed);
        for found in page {
            let key = key_of(&found);
            let at = keys.get(&key);
            // With updates, names may change hands on the way.
            let named = found.name.as_deref().and_then(|name| names.get(name));
            if let Some(other) = named.filter(|other| at != Some(other))
                && !(at.is_some() && matches!(options.on_exists, OnExists::Update { .. }))
            {
                there.names.insert(*other, found.uri.clone());
            }
            let Some(at) = at else {
                let ours = options.known.get(&key).filter(|known| known.made);
                if let Some(known) = ours.filter(|known| (options.within)(&known.file)) {
                    there.gone.push(Gone {
                        file: known.file.clone(),
                        line: known.line,
                        name: found.name,
                        uri: found.uri,
                        arn: found.arn,
                    });
                }
                continue;
            };
            there.sources.insert(*at, found);
        }
        ControlFlow::Continue(())
    };
    asker.each_page(&Filter::default(), take).await?;
    there.gone.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    Ok(there)
}

/// Whether an entry that is there is to be compared in every field.
fn asks(job: &Job, found: &Found, options: &Options<'_>) -> bool {
    let unchanged = job.known.as_ref().is_some_and(|known: &KnownThere| is_unchanged(known, found));
    match options.drift {
        Drift::Always => true,
        Drift::Unknown => !unchanged,
        Drift::Never => !unchanged && matches!(options.on_exists, OnExists::Update { .. }),
    }
}

fn fate(
    job: &Job,
    found: &Found,
    whole: Option<Result<Artifact, Refusal>>,
    options: &Options<'_>,
) -> Fate {
    let there = match whole {
        Some(Ok(there)) => there,
        Some(Err(reason)) => return Fate::Unknown { reason },
        None => {
            let mut differences = seen_differences(&job.artifact, found);
            for known in job.known.iter().flat_map(|known| &known.differences) {
                if !differences.iter().any(|seen| seen.field == known.field) {
                    differences.push(known.clone());
                }
            }
            return if differences.is_empty() {
                Fate::Exists
            } else {
                Fate::Differs { differences, change: None }
            };
        }
    };
    if let OnExists::Update { prune } = options.on_exists {
        let change = change(&job.artifact, &there, prune, options.stamp);
        let differences: Vec<_> = change.ends.iter().chain(&change.stay).cloned().collect();
        if differences.is_empty() {
            return Fate::Exists;
        }
        return Fate::Differs { differences, change: Some(change) };
    }
    let differences = differences(&job.artifact, &there, options.stamp);
    if differences.is_empty() { Fate::Exists } else { Fate::Differs { differences, change: None } }
}
