//! A plan of an import: the manifests are compared with the target, and nothing is changed.
//!
//! In: entries as an import stages them, in a scratch journal; what the journal knows; an [`Asker`].
//! Out: the outcome of each entry, to a [`Sink`], and a [`Plan`]: the number of requests. It lists
//! the target into a temporary file, and then rehearses the import on the listing: the same run,
//! with a service that changes nothing (`rehearsal`). Like the import, it holds only some entries
//! in memory at a time. It prints nothing.

mod item;
mod rehearsal;

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use rehearsal::Rehearsal;

use crate::artifact::{Artifact, Difference, Digest, Key};
use crate::event::Settled;
use crate::journal::{self, Journal, JournalError, Listing, RunId, StagedEntry};
use crate::run::change::Change;
use crate::run::{self, Asker, Job, Known, Listed, Policy, Resolved, Staged, Unanswered, Unknown};
use crate::service::{Filter, Found, Service};
use crate::submission::{EntryId, Operation, Outcome, Refusal};

/// The default number of reads of single artifacts in flight.
pub const AT_ONCE: usize = 32;
/// The number of entries that are rehearsed together: so many that the wait for the last of them
/// does not matter.
const TOGETHER: usize = 4096;

/// The planned outcome of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It would be created.
    Create,
    /// It exists, and is equal.
    Exists,
    /// It exists, and differs.
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

/// The plan for an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub entry: EntryId,
    /// Its ARN, if it exists.
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

/// An entry of the manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned<'p> {
    /// Its file, as it is shown.
    pub file: &'p str,
    /// The line that it begins on, from 1.
    pub line: u32,
    /// Its name.
    pub name: Option<&'p str>,
    /// Its `SourceUri`.
    pub source_uri: Option<&'p str>,
    /// The artifact that its manifest describes; `None` if the manifest has an error.
    pub artifact: Option<&'p Artifact>,
    /// The plan for it; `None` if its manifest has an error.
    pub item: Option<&'p Item>,
}

/// An artifact that a run of this journal created, that still exists, and that no manifest
/// describes any more. An import leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The file that it was read from.
    pub file: Arc<str>,
    /// And the line.
    pub line: u32,
    /// Its name.
    pub name: Option<String>,
    /// Its `SourceUri`.
    pub uri: String,
    /// Its ARN.
    pub arn: String,
}

/// Takes what is planned, one by one.
pub trait Sink {
    /// Takes an entry, in the order of the walk.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn entry(&mut self, entry: &Planned<'_>) -> io::Result<()>;

    /// Takes an artifact that no manifest describes any more, by file and line. They come after all
    /// entries.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn gone(&mut self, gone: &Gone) -> io::Result<()>;
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

/// The plan of an import, apart from the entries, which a [`Sink`] took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Plan {
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

    /// Returns the requests a second that the target answered; `None` if there were too few to
    /// measure.
    #[must_use]
    pub fn answered_a_second(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.asked as f64 / self.asking.as_secs_f64();
        (self.asked >= SAMPLE && !self.asking.is_zero()).then_some(rate)
    }
}

/// The fewest requests from which a rate is measured.
const SAMPLE: u64 = 20;

/// The reason why there is no plan.
#[derive(Debug)]
pub enum Unplanned {
    /// The target does not answer.
    Unanswered(Unanswered),
    /// The journal cannot be read, or no temporary file written.
    Journal(JournalError),
    /// The sink failed.
    Output(io::Error),
}

impl From<Unanswered> for Unplanned {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

impl From<JournalError> for Unplanned {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<io::Error> for Unplanned {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Looks up a source at the target in the journal.
pub type Knows<'o> = dyn Fn(Key) -> Result<Option<journal::Known>, JournalError> + 'o;

/// The options of a plan.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a closure has none")]
pub struct Options<'o> {
    /// The policy of the import for artifacts that already exist.
    pub policy: &'o Policy,
    /// The maximum lag of reads behind writes.
    pub read_lag: Duration,
    /// The knowledge of the journal; `None` if there is no journal.
    pub known: Option<&'o Knows<'o>>,
    /// True if an artifact of this file can have been removed from the manifests: they were all
    /// read, and nothing in that file is invalid.
    pub within: &'o dyn Fn(&journal::Known) -> bool,
    /// The maximum number of reads in flight.
    pub at_once: usize,
}

/// The entries of a plan, as [`run::Stage::of_plan`] staged them.
#[derive(Debug)]
pub struct Entries<'j> {
    /// The scratch journal that has them.
    pub journal: &'j mut Journal,
    /// Their run.
    pub run: RunId,
    /// The number of those that are valid.
    pub valid: usize,
    /// Those of which nothing is known.
    pub unknown: Unknown,
}

impl<'j> Entries<'j> {
    /// Returns the entries that were staged into `journal`.
    #[must_use]
    pub fn new(journal: &'j mut Journal, staged: Staged) -> Self {
        Self { journal, run: staged.run, valid: staged.left, unknown: staged.unknown }
    }
}

/// Plans the import of `entries`, and hands what it finds to `sink`. `open` are the attempts that
/// earlier runs left open, as jobs that are only settled; `progress` gets its progress.
///
/// # Errors
/// If the target does not answer, a journal cannot be read, or the sink fails.
pub async fn plan<S: Service>(
    asker: &Asker<S>,
    entries: Entries<'_>,
    open: Vec<Job>,
    options: &Options<'_>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, Unplanned> {
    let attempted: HashMap<Key, Digest> =
        open.iter().map(|job| (job.artifact.key(), job.artifact.digest())).collect();
    let known = |wanted: &Artifact, resolved: &Resolved| {
        let key = wanted.key();
        let there = options.known.map(|known| known(key)).transpose()?.flatten();
        let earlier = resolved.get(&key);
        let mut known = run::known(wanted, there.as_ref(), earlier, options.policy);
        // The import finds this in the journal, once the attempt is settled.
        let settled = earlier.is_some_and(|one| one.compared && one.outcome != Outcome::Differs);
        if settled
            && attempted.get(&key) == Some(&wanted.digest())
            && let Some(there) = &mut known.there
        {
            (there.equal, there.differences) = (true, Some(Vec::new()));
        }
        Ok(known)
    };
    plan_knowing(asker, entries, open, options, &known, sink, progress).await
}

/// Returns the facts about the source of an artifact, once the open attempts are settled.
type KnowsResolved<'o> = dyn Fn(&Artifact, &Resolved) -> Result<Known, JournalError> + 'o;

/// Plans with what `known` returns for each entry.
async fn plan_knowing<S: Service>(
    asker: &Asker<S>,
    entries: Entries<'_>,
    open: Vec<Job>,
    options: &Options<'_>,
    known: &KnowsResolved<'_>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(Progress),
) -> Result<Plan, Unplanned> {
    let began = tokio::time::Instant::now();
    let Entries { journal, run, valid, unknown } = entries;
    let (listing, there) = list(asker, progress).await?;
    let rehearsal = Rehearsal::new(asker.clone(), listing);
    let resolved = settle(&rehearsal, open, options).await?;
    survey(&rehearsal, journal, unknown, &resolved).await?;

    let (mut after, mut done) = (None, 0);
    loop {
        let staged = journal.next(&run, after, TOGETHER)?;
        let is_last = staged.len() < TOGETHER;
        let last = staged.last().map(|entry| entry.id).or(after);
        let job = |staged: &StagedEntry| {
            let known = known(&staged.artifact, &resolved)?;
            Ok::<_, JournalError>(Job {
                known,
                ..run::job(staged.clone(), options.policy, &resolved)
            })
        };
        let jobs: Vec<Job> = staged.iter().map(job).collect::<Result<_, _>>()?;
        if options.known.is_some() {
            rehearsal.describe(&jobs)?;
        }
        let compared = |so_far| progress(Progress::Compared { done: done + so_far, total: valid });
        let settled = rehearsal.run(jobs.clone(), options.policy, options, compared).await?;
        done += jobs.len();
        let mut by_entry: HashMap<EntryId, Settled> =
            settled.into_iter().map(|settled| (settled.entry, settled)).collect();
        let mut items = Vec::with_capacity(jobs.len());
        for job in &jobs {
            if let Some(settled) = by_entry.remove(&job.entry) {
                items.push(item::item(asker, &rehearsal, job, settled, options).await?);
            }
        }
        let range = (after.unwrap_or(EntryId(0)), if is_last { None } else { last });
        hand_over(journal, &run, range, (&staged, &items), sink)?;
        after = last;
        if is_last {
            break;
        }
    }
    if let Some(known) = options.known {
        rehearsal.each_gone(known, options.within, &mut |gone| Ok(sink.gone(gone)?))?;
    }
    let calls = rehearsal.calls();
    let of = |operations: &[Operation]| operations.iter().map(|one| calls.of(*one)).sum();
    let calls = Calls {
        create: of(&[Operation::Create]),
        update: of(&[Operation::Update, Operation::AddTags, Operation::DeleteTags]),
        ask: of(&[Operation::List, Operation::Describe, Operation::ListTags]),
    };
    Ok(Plan { calls, there, asked: asker.calls(), asking: began.elapsed() })
}

/// Lists the target. Returns how many artifacts it has, too.
async fn list<S: Service>(
    asker: &Asker<S>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Listing, usize), Unplanned> {
    let (mut listing, mut there) = (Listing::new()?, 0);
    let mut kept = Ok(());
    let take = |page: Vec<Found>| {
        there += page.len();
        progress(Progress::Listed(Listed { artifacts: there, requests_left: None }));
        kept = listing.add(page.iter().map(rehearsal::to_list));
        if kept.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    asker.each_page(&Filter::default(), take).await?;
    kept?;
    listing.finish()?;
    Ok((listing, there))
}

/// Settles what earlier runs left `open`. Returns what becomes of it, by source.
async fn settle<S: Service>(
    rehearsal: &Rehearsal<S>,
    open: Vec<Job>,
    options: &Options<'_>,
) -> Result<Resolved, Unplanned> {
    let policy = Policy { stamp: options.policy.stamp.clone(), ..Policy::of_open() };
    let sources: HashMap<EntryId, Key> =
        open.iter().map(|job| (job.entry, job.artifact.key())).collect();
    let settled = rehearsal.run(open, &policy, options, |_| ()).await?;
    let by_source = |settled: Settled| Some((*sources.get(&settled.entry)?, settled));
    let mut resolved = Resolved::new();
    for (source, settled) in settled.into_iter().filter_map(by_source) {
        let earlier = resolved.entry(source).or_insert_with(|| settled.clone());
        if matches!(earlier.outcome, Outcome::Pending | Outcome::Unresolved) {
            *earlier = settled;
        }
    }
    Ok(resolved)
}

/// Surveys the target as the import would.
async fn survey<S: Service>(
    rehearsal: &Rehearsal<S>,
    journal: &mut Journal,
    unknown: Unknown,
    resolved: &Resolved,
) -> Result<(), Unplanned> {
    let (unknown, _) = unknown.still(resolved);
    if !run::survey_pays(unknown.len()) {
        return Ok(());
    }
    let (_, surveyed) = run::survey_into(journal, &rehearsal.asker(), &unknown, |_| ()).await?;
    match (rehearsal.ended(), surveyed) {
        (Some(ended), _) => Err(ended),
        (None, surveyed) => Ok(surveyed.map(drop)?),
    }
}

/// Hands entries to the sink, and the invalid ones between them: those after the first number of
/// the range up to the second, or all.
fn hand_over(
    journal: &Journal,
    run: &RunId,
    (after, last): (EntryId, Option<EntryId>),
    (staged, items): (&[StagedEntry], &[Item]),
    sink: &mut dyn Sink,
) -> Result<(), Unplanned> {
    let mut items = items.iter().peekable();
    let mut valid = staged
        .iter()
        .filter_map(|entry| Some((entry, items.next_if(|item| item.entry == entry.id)?)))
        .peekable();
    let hand = |sink: &mut dyn Sink, (entry, item): (&StagedEntry, &Item)| {
        sink.entry(&Planned {
            file: &entry.file,
            line: entry.line,
            name: entry.artifact.name.as_deref(),
            source_uri: Some(&entry.artifact.source.uri),
            artifact: Some(&entry.artifact),
            item: Some(item),
        })
    };
    let before = last.map_or(EntryId(i64::MAX), |last| EntryId(last.0 + 1));
    journal.each_invalid(run, (after, before), |invalid| {
        while let Some(one) = valid.next_if(|(entry, _)| entry.id < invalid.id) {
            hand(sink, one)?;
        }
        sink.entry(&Planned {
            file: &invalid.file,
            line: invalid.line,
            name: invalid.name.as_deref(),
            source_uri: invalid.source_uri.as_deref(),
            artifact: None,
            item: None,
        })?;
        Ok::<_, Unplanned>(())
    })?;
    for one in valid {
        hand(sink, one)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
