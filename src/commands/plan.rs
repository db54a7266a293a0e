//! `lineload plan`

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checking::{self, plain};
use super::import::{check, stamp};
use super::runtime::{Stopping, block_on};
use super::session::questions;
use super::settings::Settings;
use super::status;
use super::target::{self, Ready};
use super::{Failure, Notice};
use crate::artifact::{Key, Stamp};
use crate::check::{Entry, Summary};
use crate::cli::{Global, Plan, PlanFormat, WhenExists};
use crate::diagnostic::words::escaped;
use crate::exit::Exit;
use crate::journal::{Known, Status};
use crate::pace::Rate;
use crate::plan::{self, Calls, Fate};
use crate::report::output::Output;
use crate::report::plan::{self as report, CreateRate, Report};
use crate::report::run::RunLog;
use crate::report::run::progress::RunProgress;
use crate::run::change::Drift;
use crate::run::{Asker, End, Job, KnownThere, Start, Unanswered};
use crate::submission::Outcome;

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
        let (manifest, entries, checked) = tokio::task::block_in_place(|| {
            // Standard output belongs to the plan, which scripts may read.
            let people = checking::human_report_on_stderr(global, &args.manifests);
            let report = Box::new(crate::report::All(vec![people, Box::new(faults.clone())]));
            check(global, &args.manifests, settings, report)
        })?;
        let (known, rate) = self.journal()?;
        let on_exists = args.existing.on_exists();
        let drift = if args.refresh { Drift::Always } else { args.existing.drift() };
        let mut log = RunLog::new(&entries, &manifest.sources);
        log.target = Some(ready.target.clone());
        let jobs = jobs(entries, &known, stamp);
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
        let options = plan::Options { on_exists, drift, stamp, known: &known, within: &within };
        let asker = Asker::new(
            ready.service.clone(),
            questions(&settings.config, ready.target.is_local()),
            args.reach.limit_patience,
            fastrand::u64(..),
            stopping.stopped.clone(),
        );
        let mut progress = RunProgress::new(checking::progress(global), global.quiet, 0);
        let at_once = args.reach.concurrency.map_or(plan::AT_ONCE, usize::from);
        let listing = |listed| progress.listing(listed);
        let planned = plan::plan(&asker, &jobs, &options, at_once, listing).await;
        progress.finish();
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
        let (all, faults) = (args.all, &faults);
        let report = Report { plan: &plan, log: &log, rate, on_exists, all, faults };
        let out = Output::stdout(global.color.into());
        match args.format {
            PlanFormat::Human => report::human::write(&report, out)?,
            PlanFormat::Json => report::json::write(&report, out)?,
            PlanFormat::Markdown => report::markdown::write(&report, out)?,
        }
        let made: HashSet<_> = jobs
            .iter()
            .filter(|job| job.known.as_ref().is_some_and(|known| known.made))
            .map(|job| job.entry)
            .collect();
        Ok(exit(args, &checked, &plan, &|item| made.contains(&item.entry)))
    }

    /// What the journal knows, and the rate of its last run at the target. A journal that is not there
    /// knows nothing.
    fn journal(&self) -> Result<(HashMap<Key, Known>, Option<f64>), Failure> {
        if !self.args.journal.exists() {
            return Ok((HashMap::new(), None));
        }
        let read = || {
            let journal = Status::open(&self.args.journal)?;
            Ok((journal.known(&self.ready.target)?, journal.rate(&self.ready.target)?))
        };
        read().map_err(|error| status::failure(&error))
    }
}

fn jobs(entries: Vec<Entry>, known: &HashMap<Key, Known>, stamp: &Stamp) -> Vec<Job> {
    let job = |entry: Entry| {
        let artifact = entry.artifact?;
        let known = known.get(&artifact.identity().key());
        let known = known.and_then(|known| KnownThere::by_journal(known, &artifact, stamp));
        Some(Job { entry: entry.id, artifact: Arc::new(artifact), known, start: Start::Create })
    };
    entries.into_iter().filter_map(job).collect()
}

/// How the process ends: as the import would, but that changes are none of its faults.
fn exit(
    args: &Plan,
    checked: &Summary,
    plan: &plan::Plan,
    made: &dyn Fn(&plan::Item) -> bool,
) -> Exit {
    let fails = |item: &plan::Item| match &item.fate {
        Fate::Create => item.unseen,
        Fate::Exists => args.existing.on_exists == WhenExists::Fail && !made(item),
        Fate::Differs { change, .. } => {
            item.unseen || change.as_ref().is_none_or(|one| !one.stay.is_empty())
        }
        Fate::Conflict { .. } => true,
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

/// Why there is no plan.
fn unplanned(unanswered: Unanswered) -> Notice {
    let (exit, message) = match unanswered {
        Unanswered::Refused(refusal) => {
            (Exit::Stopped, format!("no plan: {}", escaped(&refusal.to_string())))
        }
        Unanswered::Ended(End::Interrupted { signal, .. }) => {
            (Exit::Signal(signal), "interrupted: there is no plan".to_owned())
        }
        Unanswered::Ended(End::OutOfPatience { cause, refusal }) => {
            let said = escaped(&refusal.to_string());
            (Exit::Stopped, format!("no plan: {}: {said}", cause.as_str()))
        }
        Unanswered::Ended(_) => (Exit::Stopped, "there is no plan".to_owned()),
    };
    let help =
        vec!["a plan needs sagemaker:ListArtifacts, DescribeArtifact and ListTags".to_owned()];
    Notice { exit, message, help }
}
