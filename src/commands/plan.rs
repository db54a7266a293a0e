//! `lineload plan`

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::checking::{self, Manifest, plain};
use super::import::{check, stamp};
use super::paced;
use super::runtime::{Stopping, block_on};
use super::session::{no_answer, shown};
use super::settings::Settings;
use super::status;
use super::target::{self, Ready};
use super::{Failure, Notice};
use crate::artifact::Stamp;
use crate::check::{Entry, Summary};
use crate::cli::{Global, Plan, PlanFormat, WhenExists};
use crate::exit::Exit;
use crate::journal::{JournalError, Status};
use crate::pace::Rate;
use crate::plan::{self, Calls, Fate};
use crate::report::output::Output;
use crate::report::plan::{self as report, CreateRate, Report};
use crate::report::run::RunLog;
use crate::report::run::progress::RunProgress;
use crate::run::change::Drift;
use crate::run::{Asker, End, Job, Policy, Unanswered, open_job};
use crate::submission::{Class, EntryId, Outcome, Refusal, Target};
use crate::text::escaped;

/// How far reads lag behind writes at most: `--settle` of the import that is planned, by default.
const SETTLE: Duration = Duration::from_secs(10);

pub(super) fn run(global: &Global, args: &Plan) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    let stamp = &stamp(&args.existing.set)?;
    if args.existing.prune && args.existing.on_exists != WhenExists::Update {
        return Err(Failure::usage("`--prune` removes nothing without `--on-exists update`"));
    }
    // The embedded registry is made where it is not there, and a plan makes nothing.
    if let Some(file) = args.target.local.as_deref().filter(|file| !file.exists()) {
        let message =
            format!("there is no local registry {}", escaped(&file.display().to_string()));
        return Err(Failure::usage(message).help("`lineload import --local` makes one"));
    }
    block_on(async {
        let stopping = Stopping::listen()?;
        let ready = target::connect(&args.target, &settings.config, args.reach.timeout);
        let ready = stopping.unless_stopped(ready).await?;
        let exit = Planning { global, args, settings, ready: &ready, stamp }.go(&stopping).await;
        if let Some(registry) = ready.registry {
            registry.stop().await;
        }
        exit
    })
}

struct Planning<'p> {
    global: &'p Global,
    args: &'p Plan,
    settings: &'p Settings,
    ready: &'p Ready,
    stamp: &'p Stamp,
}

impl Planning<'_> {
    async fn go(self, stopping: &Stopping) -> Result<Exit, Failure> {
        let Self { global, args, settings, ready, stamp } = self;
        let faults = report::faults::Faults::default();
        let manifest = Manifest::find(&args.manifests, settings)?;
        let mut entries: Vec<Entry> = Vec::new();
        let checked = tokio::task::block_in_place(|| {
            // Standard output belongs to the plan, which scripts may read.
            let people = checking::human_report_on_stderr(global, &args.manifests);
            let report = Box::new(crate::report::All(vec![people, Box::new(faults.clone())]));
            check(global, &args.manifests, settings, &manifest, report, &mut entries)
        })?;
        let failed = |error: JournalError| status::failure(&error);
        let journal = self.journal()?;
        let target = &ready.target;
        let in_journal = journal.as_ref().map(|journal| InJournal::read(journal, target));
        let InJournal { open, rate } = in_journal.transpose().map_err(failed)?.unwrap_or_default();
        let at_target = journal.as_ref().map(|journal| journal.known(target));
        let at_target = at_target.transpose().map_err(failed)?;
        let unreadable = RefCell::new(None);
        let known = |source| {
            let known = at_target.as_ref()?.at(source);
            known.unwrap_or_else(|error| {
                unreadable.borrow_mut().get_or_insert(error);
                None
            })
        };
        let policy = &Policy {
            on_exists: args.existing.on_exists(),
            drift: if args.refresh { Drift::Always } else { args.existing.drift() },
            recheck: false,
            stamp: Arc::new(stamp.clone()),
        };
        let mut log = RunLog::new(&entries, &manifest.sources);
        log.target = Some(ready.target.clone());
        let jobs = jobs(entries);
        let paths: Vec<PathBuf> = args.manifests.paths.iter().map(|path| plain(path)).collect();
        let invalid: HashSet<String> = log
            .entries
            .iter()
            .filter(|entry| entry.outcome == Outcome::Invalid)
            .map(|entry| entry.file.to_string())
            .collect();
        let walked: HashSet<&str> = manifest.walk.found.iter().map(|found| &*found.name).collect();
        let within = |file: &str| {
            // One that is there and was not read may have it still.
            let read = walked.contains(file) || !Path::new(file).exists();
            let named = paths.iter().any(|path| plain(Path::new(file)).starts_with(path));
            read && named && !invalid.contains(file)
        };
        let read_lag = if ready.target.is_local() { Duration::ZERO } else { SETTLE };
        let at_once = args.reach.concurrency.map_or(plan::AT_ONCE, usize::from);
        let options = plan::Options { policy, read_lag, known: &known, within: &within, at_once };
        let unlimited = args.rate == Some(Rate::Unlimited);
        let asker = Asker::new(
            ready.service.clone(),
            paced::reading(&settings.config, &ready.target, unlimited),
            args.reach.limit_patience,
            fastrand::u64(..),
            stopping.stopped.clone(),
        );
        let mut progress = RunProgress::new(checking::progress(global), global.quiet, 0);
        progress.connecting(&ready.target.to_string());
        let progress = Arc::new(Mutex::new(progress));
        let asker = asker.reporting(no_answer(&progress));
        let listing = |listed| shown(&progress).listing(listed);
        let planned = plan::plan(&asker, jobs, open, &options, listing).await;
        shown(&progress).finish();
        if let Some(error) = unreadable.take() {
            return Err(failed(error));
        }
        let plan = match planned {
            Ok(plan) => plan,
            Err(unanswered) => {
                let notice = unplanned(unanswered);
                notice.show(global);
                return Ok(notice.exit);
            }
        };
        let rate = match (args.rate, rate) {
            (Some(Rate::Fixed(rate)), _) => CreateRate::PerSecond(rate),
            (Some(Rate::Unlimited), _) => CreateRate::Unlimited,
            _ if ready.target.is_local() => CreateRate::Unlimited,
            (_, Some(rate)) => CreateRate::PerSecond(rate),
            (_, None) => CreateRate::Unknown,
        };
        let (all, faults, on_exists) = (args.all, &faults, policy.on_exists);
        let report = Report { plan: &plan, log: &log, rate, on_exists, all, faults };
        let out = Output::stdout(global.color.into());
        match args.format {
            PlanFormat::Human => report::human::write(&report, out)?,
            PlanFormat::Json => report::json::write(&report, out)?,
            PlanFormat::Markdown => report::markdown::write(&report, out)?,
        }
        Ok(exit(args, &checked, &plan))
    }

    /// Opens the journal to read. One that is not there knows nothing.
    fn journal(&self) -> Result<Option<Status>, Failure> {
        let journal = &self.args.journal;
        let open = journal.exists().then(|| Status::open(journal)).transpose();
        open.map_err(|error| status::failure(&error))
    }
}

/// What the journal knows at the target beside the single sources.
#[derive(Default)]
struct InJournal {
    /// Attempts that earlier runs left open.
    open: Vec<Job>,
    /// Creates a second that the service allowed at the end of the last run.
    rate: Option<f64>,
}

impl InJournal {
    fn read(journal: &Status, target: &Target) -> Result<Self, JournalError> {
        let open = journal.open_intents(target)?.into_iter();
        let open = open.map(|intent| open_job(intent.entry, intent.artifact, intent.first));
        Ok(Self { open: open.collect(), rate: journal.rate(target)? })
    }
}

fn jobs(entries: Vec<Entry>) -> Vec<Job> {
    let job = |entry: Entry| {
        let artifact = Arc::new(entry.artifact?);
        let known = crate::run::Known::default();
        Some(Job { entry: EntryId(entry.id.0.into()), artifact, known, listed: None })
    };
    entries.into_iter().filter_map(job).collect()
}

/// How the process ends: as the import would, but that changes are none of its faults.
fn exit(args: &Plan, checked: &Summary, plan: &plan::Plan) -> Exit {
    let fails = |item: &plan::Item| match &item.fate {
        Fate::Create => item.unseen,
        Fate::Exists => item.refused,
        Fate::Differs { change, .. } => {
            item.unseen || change.as_ref().is_none_or(|one| !one.stay.is_empty())
        }
        Fate::Unknown { .. } => false,
    };
    let mut exit = Exit::Success;
    let Calls { create, update, .. } = plan.calls;
    if args.detailed_exitcode && create + update > 0 {
        exit = Exit::Changes;
    }
    if checked.errors > 0 || plan.items.iter().any(fails) {
        exit = exit.and(Exit::Findings);
    }
    if plan.items.iter().any(|item| matches!(item.fate, Fate::Unknown { .. })) {
        exit = exit.and(Exit::Stopped);
    }
    exit
}

/// Returns why there is no plan.
fn unplanned(unanswered: Unanswered) -> Notice {
    let advice = |refusal: &Refusal| {
        let help = refusal.help("sagemaker:ListArtifacts, DescribeArtifact and ListTags");
        help.iter().map(|help| escaped(help)).collect::<Vec<_>>()
    };
    let (exit, message, help) = match unanswered {
        Unanswered::Refused(refusal) => {
            let message = format!("no plan: {}", escaped(&refusal.to_string()));
            (Exit::Stopped, message, advice(&refusal))
        }
        Unanswered::Ended(End::Unable { refusal }) => {
            let unsendable = refusal.class == Class::Unsendable;
            let exit = if unsendable { Exit::Usage } else { Exit::Stopped };
            let message = format!("no plan: {}", escaped(&refusal.to_string()));
            (exit, message, advice(&refusal))
        }
        Unanswered::Ended(End::Interrupted { signal, .. }) => {
            (Exit::Signal(signal), "interrupted: there is no plan".to_owned(), Vec::new())
        }
        Unanswered::Ended(End::OutOfPatience { cause, refusal }) => {
            let said = escaped(&refusal.to_string());
            (Exit::Stopped, format!("no plan: {}: {said}", cause.as_str()), advice(&refusal))
        }
        Unanswered::Ended(_) => (Exit::Stopped, "there is no plan".to_owned(), Vec::new()),
    };
    Notice { exit, message, help }
}
