//! A plan of an import: the manifests are compared with the target, and nothing is changed.
//!
//! In: entries, what the journal knows, an [`Asker`]. Out: a [`Plan`]: the outcome of each entry,
//! and the number of requests. It lists the target, and then rehearses the import on the listing:
//! the same run, with a service that changes nothing (`rehearsal`). It prints nothing.

mod rehearsal;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::{Duration, Instant, SystemTime};

use rehearsal::Rehearsal;
use tokio::sync::watch;

use crate::artifact::{Difference, Digest, Key};
use crate::event::{Event, Settled};
use crate::journal;
use crate::pace::{Pace, Paces, Rate};
use crate::run::change::Change;
use crate::run::{
    self, Asker, Job, Known, Listed, Policy, Record, Resolved, Stop, Unanswered, key_of,
};
use crate::service::{Filter, Found, Service};
use crate::submission::{EntryId, Operation, Outcome, Refusal};

/// The default number of reads of single artifacts in flight.
pub const AT_ONCE: usize = 32;
/// The time that the rehearsed import waits before it looks up a second time: the listing is fixed,
/// so there is nothing to wait for, but the request is counted.
const SETTLE: Duration = Duration::from_millis(1);
/// The asker has its own patience; that of the rehearsal is never used up.
const PATIENCE: Duration = Duration::from_secs(u32::MAX as u64);

/// The planned outcome of an entry.
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
        /// The changes that an import would make; `None` if it would leave them.
        change: Option<Change>,
    },
    /// It could not be compared.
    Unknown {
        /// The reason.
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
    /// Its planned outcome.
    pub fate: Fate,
    /// True if the journal has it as done, so that only an import with `--recheck` would notice
    /// that it is not.
    pub unseen: bool,
    /// True if it fails because it exists, as with `--on-exists fail`.
    pub refused: bool,
    /// The URI of another source whose artifact has its name too: a target that wants names to be
    /// unique refuses the create.
    pub name_also_at: Option<String>,
}

/// An artifact that a run of this journal created, that still exists, and that no manifest
/// describes any more. An import leaves it.
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

/// The minimum number of requests that an import would make.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// `CreateArtifact`.
    pub create: usize,
    /// `UpdateArtifact`, `AddTags` and `DeleteTags`.
    pub update: usize,
    /// `ListArtifacts`, `DescribeArtifact` and `ListTags`.
    pub ask: usize,
}

/// The progress of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The target is being listed.
    Listed(Listed),
    /// So many entries of all have been compared with what was listed.
    Compared {
        /// Those that have been.
        done: usize,
        /// All of them.
        total: usize,
    },
}

/// The plan of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every valid entry, in the order of the walk.
    pub items: Vec<Item>,
    /// Artifacts that no manifest describes any more.
    pub gone: Vec<Gone>,
    /// The number of requests that the import would need.
    pub calls: Calls,
    /// Artifacts that the target has.
    pub there: usize,
    /// Requests that the plan itself took.
    pub asked: u64,
    /// The time that they took.
    pub asking: Duration,
}

impl Plan {
    /// Returns whether an import would change something at the target.
    #[must_use]
    pub const fn changes(&self) -> bool {
        self.calls.create + self.calls.update > 0
    }

    /// Returns the requests a second that the target answered; `None` if there were too few to tell.
    #[must_use]
    pub fn answered_a_second(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.asked as f64 / self.asking.as_secs_f64();
        (self.asked >= SAMPLE && !self.asking.is_zero()).then_some(rate)
    }
}

/// Fewer requests tell nothing about the rate.
const SAMPLE: u64 = 20;

/// The options of a plan.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Options<'o> {
    /// The policy of the import for artifacts that already exist.
    pub policy: &'o Policy,
    /// The maximum lag of reads behind writes.
    pub read_lag: Duration,
    /// Looks up a source at the target in the journal.
    pub known: &'o dyn Fn(Key) -> Option<journal::Known>,
    /// True if an artifact of this file can have been removed from the manifests: they were all
    /// read, and nothing in that file is invalid.
    pub within: &'o dyn Fn(&str) -> bool,
    /// The maximum number of reads in flight.
    pub at_once: usize,
}

/// Plans the import of `entries`. `open` are the attempts that earlier runs left open, as jobs that
/// are only settled; `progress` gets its progress.
///
/// # Errors
/// If the target does not answer.
pub async fn plan<S: Service>(
    asker: &Asker<S>,
    entries: Vec<Job>,
    open: Vec<Job>,
    options: &Options<'_>,
    progress: impl FnMut(Progress),
) -> Result<Plan, Unanswered> {
    let attempted: HashMap<Key, Digest> =
        open.iter().map(|job| (job.artifact.identity().key(), job.artifact.digest())).collect();
    let known = |job: &Job, resolved: &Resolved| {
        let key = job.artifact.identity().key();
        let (known, earlier) = ((options.known)(key), resolved.get(&key));
        let mut known = run::known(&job.artifact, known.as_ref(), earlier, options.policy);
        // The import finds this in the journal, once the attempt is settled.
        let settled = earlier.is_some_and(|one| one.compared && one.outcome != Outcome::Differs);
        if settled
            && attempted.get(&key) == Some(&job.artifact.digest())
            && let Some(there) = &mut known.there
        {
            (there.equal, there.differences) = (true, Some(Vec::new()));
        }
        known
    };
    plan_knowing(asker, entries, open, options, &known, progress).await
}

/// Plans with what `known` returns for each entry once the open attempts are settled.
async fn plan_knowing<S: Service>(
    asker: &Asker<S>,
    entries: Vec<Job>,
    open: Vec<Job>,
    options: &Options<'_>,
    known: &dyn Fn(&Job, &Resolved) -> Known,
    mut progress: impl FnMut(Progress),
) -> Result<Plan, Unanswered> {
    let began = tokio::time::Instant::now();
    let mut pages = Vec::new();
    let mut there = 0;
    let take = |page: Vec<Found>| {
        there += page.len();
        progress(Progress::Listed(Listed { artifacts: there, requests_left: None }));
        pages.push(page);
        ControlFlow::Continue(())
    };
    asker.each_page(&Filter::default(), take).await?;
    let rehearsal = Rehearsal::new(asker.clone(), pages);
    let mut plan = Plan { there, ..Plan::default() };
    plan.gone = gone(&rehearsal, &entries, options);

    let skip = Policy { stamp: options.policy.stamp.clone(), ..Policy::of_open() };
    let sources: HashMap<EntryId, Key> =
        open.iter().map(|job| (job.entry, job.artifact.identity().key())).collect();
    let settled = rehearse(&rehearsal, open, &skip, options, |_| ()).await?;
    let by_source = |settled: Settled| Some((*sources.get(&settled.entry)?, settled));
    let mut resolved = Resolved::new();
    for (source, settled) in settled.into_iter().filter_map(by_source) {
        let earlier = resolved.entry(source).or_insert_with(|| settled.clone());
        if matches!(earlier.outcome, Outcome::Pending | Outcome::Unresolved) {
            *earlier = settled;
        }
    }

    let mut jobs = entries;
    for job in &mut jobs {
        job.known = known(job, &resolved);
    }
    survey(&rehearsal, &mut jobs, options).await?;
    let order: Vec<EntryId> = jobs.iter().map(|job| job.entry).collect();
    let wanted: HashMap<EntryId, Job> = jobs.iter().map(|job| (job.entry, job.clone())).collect();
    let total = jobs.len();
    let compared = |done| progress(Progress::Compared { done, total });
    let settled = rehearse(&rehearsal, jobs, options.policy, options, compared).await?;
    let calls = rehearsal.calls();
    plan.calls = Calls {
        create: calls.of(Operation::Create),
        update: calls.of(Operation::Update)
            + calls.of(Operation::AddTags)
            + calls.of(Operation::DeleteTags),
        ask: calls.of(Operation::List)
            + calls.of(Operation::Describe)
            + calls.of(Operation::ListTags),
    };
    let mut by_entry: HashMap<EntryId, Settled> =
        settled.into_iter().map(|settled| (settled.entry, settled)).collect();
    for entry in order {
        let (Some(settled), Some(job)) = (by_entry.remove(&entry), wanted.get(&entry)) else {
            continue;
        };
        plan.items.push(item(asker, &rehearsal, job, settled, options).await?);
    }
    (plan.asked, plan.asking) = (asker.calls(), began.elapsed());
    Ok(plan)
}

/// Runs the import on the listing, and hands the number of settled entries to `progress`. Returns
/// the outcome of each entry.
async fn rehearse<S: Service>(
    rehearsal: &Rehearsal<S>,
    jobs: Vec<Job>,
    policy: &Policy,
    options: &Options<'_>,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Settled>, Unanswered> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let now = Instant::now();
    let options = run::Options {
        // Reads that are really sent use the pace of the asker.
        paces: Paces::new(|_| Pace::new(Rate::Unlimited, None, now)),
        concurrency: options.at_once,
        patience: PATIENCE,
        settle: SETTLE,
        read_lag: options.read_lag,
        seed: 0,
        policy: policy.clone(),
        max_errors: Some(usize::MAX),
        until: None,
        began: SystemTime::now(),
    };
    let (_keep, stop) = watch::channel(Stop::No);
    let mut settled = Vec::new();
    let report = |event: Event| {
        if let Event::Settled(one) = event {
            settled.push(one);
            progress(settled.len());
        }
    };
    let service = rehearsal.clone();
    let end = run::run(service, jobs.into_iter(), Record::nothing(), options, stop, report).await;
    match (rehearsal.ended(), end) {
        (Some(ended), _) => Err(ended),
        (None, run::End::Done) => Ok(settled),
        (None, run::End::Denied { refusal, .. } | run::End::Unable { refusal }) => {
            Err(Unanswered::Refused(refusal))
        }
        (None, end) => Err(Unanswered::Ended(end)),
    }
}

/// Surveys the target as the import would.
async fn survey<S: Service>(
    rehearsal: &Rehearsal<S>,
    jobs: &mut [Job],
    options: &Options<'_>,
) -> Result<(), Unanswered> {
    let unknown: HashMap<Key, EntryId> = jobs
        .iter()
        .filter(|job| run::is_unknown(&job.artifact, &job.known, options.policy))
        .map(|job| (job.artifact.identity().key(), job.entry))
        .collect();
    if !run::survey_pays(unknown.len()) {
        return Ok(());
    }
    let (_keep, stop) = watch::channel(Stop::No);
    let now = Instant::now();
    let paces = Paces::new(|_| Pace::new(Rate::Unlimited, None, now));
    let asker = Asker::new(rehearsal.clone(), paces, PATIENCE, 0, stop);
    let mut hits: HashMap<EntryId, Found> = HashMap::new();
    let take = |entry, found| drop(hits.insert(entry, found));
    run::survey(&asker, &unknown, take, |_| ()).await?;
    for job in jobs {
        job.listed = hits.remove(&job.entry).map(Box::new);
    }
    Ok(())
}

/// Returns the artifacts of this journal's runs that no manifest describes any more.
fn gone<S: Service>(rehearsal: &Rehearsal<S>, entries: &[Job], options: &Options<'_>) -> Vec<Gone> {
    let wanted: std::collections::HashSet<Key> =
        entries.iter().map(|job| job.artifact.identity().key()).collect();
    let mut gone = Vec::new();
    for found in rehearsal.all() {
        let key = key_of(found);
        if wanted.contains(&key) {
            continue;
        }
        let known = (options.known)(key).filter(|known| known.made);
        if let Some(known) = known.filter(|known| (options.within)(&known.file)) {
            gone.push(Gone {
                file: known.file,
                line: known.line,
                name: found.name.clone(),
                uri: found.uri.clone(),
                arn: found.arn.clone(),
            });
        }
    }
    gone.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    gone
}

/// Returns the planned outcome of an entry.
async fn item<S: Service>(
    asker: &Asker<S>,
    rehearsal: &Rehearsal<S>,
    job: &Job,
    settled: Settled,
    options: &Options<'_>,
) -> Result<Item, Unanswered> {
    let mut item = Item {
        entry: settled.entry,
        arn: settled.arn.clone().filter(|arn| !arn.is_empty()),
        fate: Fate::Exists,
        unseen: false,
        refused: false,
        name_also_at: None,
    };
    match settled.outcome {
        Outcome::Created => {
            item.fate = Fate::Create;
            item.arn = None;
            item.name_also_at = rehearsal.name_also_at(&job.artifact);
        }
        Outcome::Existed | Outcome::Recovered => {}
        Outcome::Rejected => item.refused = true,
        Outcome::Differs | Outcome::Updated => {
            let changes = !settled.changed.is_empty();
            let change = Change {
                ends: settled.changed.clone(),
                stay: settled.differences.clone(),
                ..Change::default()
            };
            let mut differences = settled.changed;
            differences.extend(settled.differences);
            let updates = matches!(options.policy.on_exists, run::change::OnExists::Update { .. });
            let change = (changes || updates).then_some(change);
            item.fate = Fate::Differs { differences, change };
        }
        _ => {
            let reason = settled.error.unwrap_or_else(|| {
                Refusal::ours(
                    "the service gave no \
                                                                        conclusive response",
                )
            });
            item.fate = Fate::Unknown { reason };
        }
    }
    if settled.by_journal {
        look_behind_the_journal(asker, rehearsal, job, options, &mut item).await?;
    }
    Ok(item)
}

/// Checks an entry that the journal has as done: an import sends no request for it; the listing may
/// show that it is not done.
async fn look_behind_the_journal<S: Service>(
    asker: &Asker<S>,
    rehearsal: &Rehearsal<S>,
    job: &Job,
    options: &Options<'_>,
    item: &mut Item,
) -> Result<(), Unanswered> {
    let Some(found) = rehearsal.at(&job.artifact) else {
        (item.fate, item.unseen, item.arn) = (Fate::Create, true, None);
        return Ok(());
    };
    item.arn = Some(found.arn.clone());
    let known: &Known = &job.known;
    if known.there.as_ref().is_some_and(|there| run::is_unchanged(there, found)) {
        return Ok(());
    }
    let there = match asker.whole(&found.arn).await {
        Ok(there) => there,
        Err(Unanswered::Refused(reason)) => {
            item.fate = Fate::Unknown { reason };
            return Ok(());
        }
        Err(ended) => return Err(ended),
    };
    let stamp = &options.policy.stamp;
    let differences = run::change::differences(&job.artifact, &there, stamp);
    if !differences.is_empty() {
        item.fate = Fate::Differs { differences, change: None };
        item.unseen = true;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
