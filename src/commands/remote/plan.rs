//! `lineload plan`

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::checking::{check, human_report_on_stderr, plain};
use super::paced;
use super::run_policy::RunPolicy;
use super::session::{no_answer, shown};
use super::stopping::Stopping;
use super::target::{self, Ready};
use crate::check::{Entry, Summary};
use crate::cli::{Global, Plan, PlanFormat};
use crate::commands::failure::Failure;
use crate::commands::manifests::ManifestSet;
use crate::commands::runtime::block_on;
use crate::commands::settings::Settings;
use crate::commands::terminal;
use crate::exit::Exit;
use crate::journal::{JournalError, Status};
use crate::pace::Rate;
use crate::plan::{self, Calls, Fate};
use crate::report::output::{Output, OutputError};
use crate::report::plan::{self as report, CreateRate, Report};
use crate::report::run::RunLog;
use crate::report::run::progress::RunProgress;
use crate::run::change::Drift;
use crate::run::{Asker, End, Job, Policy, Unanswered, open_job};
use crate::submission::{EntryId, Outcome, Target};

/// The maximum lag of reads behind writes: the default of `--settle` in the import that is planned.
const SETTLE: Duration = Duration::from_secs(10);

pub(super) fn run(global: &Global, args: &Plan) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    let run_policy = RunPolicy::new(&args.existing, args.target.profile.as_deref())?;
    let policy = Policy {
        drift: if args.refresh { Drift::Always } else { run_policy.drift },
        ..run_policy.policy(false)
    };
    // Connecting creates the embedded registry if it does not exist, and a plan creates nothing.
    if let Some(file) = args.target.local.as_deref().filter(|file| !file.exists()) {
        let message = format!("local registry {} not found", file.display());
        return Err(Failure::usage(message).help("create one with `lineload import --local`"));
    }
    let timeout = args.reach.timeout;
    block_on(target::at(&args.target, &settings.config, timeout, async |ready, stopping| {
        Planning { global, args, settings, ready, policy: &policy }.go(stopping).await
    }))
}

struct Planning<'p> {
    global: &'p Global,
    args: &'p Plan,
    settings: &'p Settings,
    ready: &'p Ready,
    policy: &'p Policy,
}

impl Planning<'_> {
    async fn go(self, stopping: &Stopping) -> Result<Exit, Failure> {
        let Self { global, args, settings, ready, policy } = self;
        let faults = report::faults::Faults::default();
        let manifest = ManifestSet::find(&args.manifests, settings)?;
        let mut entries: Vec<Entry> = Vec::new();
        let checked = tokio::task::block_in_place(|| {
            // Standard output belongs to the plan, which scripts may read.
            let people = human_report_on_stderr(global, &args.manifests);
            let report = Box::new(crate::report::All(vec![people, Box::new(faults.clone())]));
            check(global, &args.manifests, settings, &manifest, report, &mut entries)
        })?;
        let journal = self.journal()?;
        let target = &ready.target;
        let in_journal = journal.as_ref().map(|journal| InJournal::read(journal, target));
        let InJournal { open, rate } = in_journal.transpose()?.unwrap_or_default();
        let at_target = journal.as_ref().map(|journal| journal.known(target));
        let at_target = at_target.transpose()?;
        let unreadable = RefCell::new(None);
        let known = |source| {
            let known = at_target.as_ref()?.at(source);
            known.unwrap_or_else(|error| {
                unreadable.borrow_mut().get_or_insert(error);
                None
            })
        };
        let mut log = RunLog::new(&entries, &manifest.sources);
        log.target = Some(ready.target.clone());
        let jobs = jobs(entries);
        let paths: Vec<PathBuf> = args.manifests.paths().iter().map(|path| plain(path)).collect();
        let invalid: HashSet<String> = log
            .entries
            .iter()
            .filter(|entry| entry.outcome == Outcome::Invalid)
            .map(|entry| entry.file.to_string())
            .collect();
        let walked: HashSet<&str> = manifest.walk.found.iter().map(|found| &*found.name).collect();
        let within = |file: &str| {
            // A file that exists and was not read may still have it.
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
        let mut progress = RunProgress::new(terminal::progress(global), global.quiet, 0);
        progress.connecting(&ready.target.to_string());
        let progress = Arc::new(Mutex::new(progress));
        let asker = asker.reporting(no_answer(&progress));
        let show = |so_far| match so_far {
            plan::Progress::Listed(listed) => shown(&progress).listing(listed),
            plan::Progress::Compared { done, total } => shown(&progress).comparing(done, total),
        };
        let planned = plan::plan(&asker, jobs, open, &options, show).await;
        shown(&progress).finish();
        if let Some(error) = unreadable.take() {
            return Err(error.into());
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
            (Some(Rate::Fixed(rate)), _) => CreateRate::Asked(rate),
            (Some(Rate::Unlimited), _) => CreateRate::Unlimited,
            _ if ready.target.is_local() => CreateRate::Unlimited,
            (_, Some(rate)) => CreateRate::Found(rate),
            (_, None) => CreateRate::Unknown,
        };
        let (all, faults, on_exists) = (args.all, &faults, policy.on_exists);
        let report = Report { plan: &plan, log: &log, rate, on_exists, all, faults };
        let out = Output::stdout(global.color.into());
        match args.format {
            PlanFormat::Human => report::human::write(&report, out),
            PlanFormat::Json => report::json::write(&report, out),
            PlanFormat::Markdown => report::markdown::write(&report, out),
        }
        .map_err(OutputError)?;
        Ok(exit(args, &checked, &plan))
    }

    /// Opens the journal to read. One that is not there knows nothing.
    fn journal(&self) -> Result<Option<Status>, Failure> {
        let journal = &self.args.journal;
        let open = journal.exists().then(|| Status::open(journal)).transpose();
        Ok(open?)
    }
}

/// The facts about the target in the journal, apart from the single sources.
#[derive(Default)]
struct InJournal {
    /// Attempts that earlier runs left open.
    open: Vec<Job>,
    /// The rate, in creates a second, that the service allowed at the end of the last run.
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

/// Returns the exit code: the import's, except that changes are not a failure.
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
fn unplanned(unanswered: Unanswered) -> Failure {
    let actions = "sagemaker:ListArtifacts, DescribeArtifact and ListTags";
    let (exit, message, help) = match unanswered {
        Unanswered::Refused(refusal) => {
            (Exit::Stopped, format!("no plan: {refusal}"), refusal.help(actions))
        }
        Unanswered::Ended(end) => {
            let exit = end.exit(false);
            match end {
                End::Unable { refusal } => {
                    (exit, format!("no plan: {refusal}"), refusal.help(actions))
                }
                End::Interrupted { .. } => {
                    (exit, "interrupted: no plan was made".to_owned(), Vec::new())
                }
                End::OutOfPatience { cause, refusal } => {
                    let message = format!("no plan: {}: {refusal}", cause.as_str());
                    (exit, message, refusal.help(actions))
                }
                _ => (exit, "there is no plan".to_owned(), Vec::new()),
            }
        }
    };
    Failure { exit, message, help }
}
