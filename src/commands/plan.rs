//! `lineload plan`

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::checking;
use super::import::{check, stamp};
use super::runtime::{Signals, block_on};
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
use crate::import::change::{self, Drift, OnExists};
use crate::import::{Asker, End, Job, KnownThere, Start, Unanswered};
use crate::journal::{Known, Status};
use crate::plan::{self, Calls, Fate};
use crate::report::output::Output;
use crate::report::plan::{self as report, Report};
use crate::report::run::RunLog;
use crate::report::run::progress::RunProgress;
use crate::walk::Origin;

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
        let signals = Signals::listen()?;
        let ready = target::connect(&args.target, &settings.config, args.reach.timeout).await?;
        let exit = Planning { global, args, settings, ready: &ready, stamp }.go(signals).await;
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
    async fn go(self, signals: Signals) -> Result<Exit, Failure> {
        let Self { global, args, settings, ready, stamp } = self;
        let (manifest, entries, checked) = tokio::task::block_in_place(|| {
            // Standard output belongs to the plan, which scripts may read.
            let report = checking::human_report_on_stderr(global, &args.manifests);
            check(global, &args.manifests, settings, report)
        })?;
        let (known, rate) = self.journal()?;
        let on_exists = args.existing.on_exists();
        let drift = if args.refresh { Drift::Always } else { args.existing.drift() };
        let mut log = RunLog::new(&entries, &manifest.sources);
        log.target = Some(ready.target.clone());
        let jobs = jobs(entries, &known, stamp);
        let paths: Vec<&Path> = args.manifests.paths.iter().map(AsRef::as_ref).collect();
        let within = |file: &str| paths.iter().any(|path| Path::new(file).starts_with(path));
        let walked = |file: &str| {
            let origin = |found: &crate::walk::Found| matches!(found.what, Ok(Origin::Path(_)));
            manifest.walk.found.iter().any(|found| origin(found) && *found.name == *file)
        };
        let within = |file: &str| within(file) || walked(file);
        let options = plan::Options { on_exists, drift, stamp, known: &known, within: &within };
        let (stopped, listening) = signals.into_stop();
        let asker = Asker::new(
            ready.service.clone(),
            questions(&settings.config, ready.target.is_local()),
            args.reach.limit_patience,
            fastrand::u64(..),
            stopped,
        );
        let progress = RunProgress::new(checking::progress(global), global.quiet, 0);
        let planned = plan::plan(&asker, &jobs, &options, |listed| progress.listing(listed)).await;
        progress.finish();
        listening.abort();
        let plan = match planned {
            Ok(plan) => plan,
            Err(unanswered) => {
                let notice = unplanned(unanswered);
                notice.show(global);
                return Ok(notice.exit);
            }
        };
        let rate = args.rate.or(rate).filter(|_| !ready.target.is_local());
        let updates = matches!(on_exists, OnExists::Update { .. });
        let report = Report { plan: &plan, log: &log, rate, updates, all: args.all };
        let out = Output::stdout(global.color.into());
        match args.format {
            PlanFormat::Human => report::human::write(&report, out)?,
            PlanFormat::Json => report::json::write(&report, out)?,
            PlanFormat::Markdown => report::markdown::write(&report, out)?,
        }
        Ok(exit(args, &checked, &plan))
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
        let known = known.get(&artifact.identity().key()).filter(|known| known.digest.is_some());
        let known = known.map(|known| KnownThere {
            differences: known
                .artifact()
                .map_or_else(Vec::new, |there| change::differences(&artifact, &there, stamp)),
            modified: known.modified,
            made: known.made,
        });
        Some(Job { entry: entry.id, artifact: Arc::new(artifact), known, start: Start::Create })
    };
    entries.into_iter().filter_map(job).collect()
}

/// How the process ends: as the import would, but that changes are none of its faults.
fn exit(args: &Plan, checked: &Summary, plan: &plan::Plan) -> Exit {
    let fails = |fate: &Fate| match fate {
        Fate::Create => false,
        Fate::Exists => args.existing.on_exists == WhenExists::Fail,
        Fate::Differs { change, .. } => change.as_ref().is_none_or(|one| !one.stay.is_empty()),
        Fate::Conflict { .. } | Fate::Unknown { .. } => true,
    };
    if checked.errors > 0 || plan.items.iter().any(|item| fails(&item.fate)) {
        return Exit::Findings;
    }
    let Calls { create, update, .. } = plan.calls;
    if args.detailed_exitcode && create + update > 0 { Exit::Changes } else { Exit::Success }
}

/// Why there is no plan.
fn unplanned(unanswered: Unanswered) -> Notice {
    let (exit, message) = match unanswered {
        Unanswered::Refused(refusal) => {
            (Exit::Stopped, format!("no plan: {}", escaped(&refusal.to_string())))
        }
        Unanswered::Ended(End::Interrupted { signal }) => {
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
