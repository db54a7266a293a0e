//! `lineload plan`

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::checking::{check, human_report_on_stderr, may_have_lost, none_is_read};
use super::paced;
use super::plan_file::{self, Options, PlanFile, Recorder};
use super::refusal::reads_ended;
use super::run_policy::RunPolicy;
use super::session::{no_answer, shown};
use super::stopping::Stopping;
use super::target::{self, Missing, Ready};
use crate::check::Summary;
use crate::cli::{self, Global, PlanFormat};
use crate::commands::failure::Failure;
use crate::commands::manifests::ManifestSet;
use crate::commands::runtime::block_on;
use crate::commands::settings::Settings;
use crate::commands::terminal;
use crate::destination;
use crate::exit::Exit;
use crate::journal::{Journal, JournalError, Known, NewRun, Status};
use crate::pace::Rate;
use crate::plan::{self, Fate, Gone, Item, Planned, Unplanned};
use crate::report;
use crate::report::output::{Output, OutputError};
use crate::report::plan::faults::Faults;
use crate::report::plan::{CreateRate, Heading, Report};
use crate::report::run::progress::RunProgress;
use crate::run::change::Drift;
use crate::run::{Asker, Job, Ledger, Policy, Stage, Unanswered, open_job};
use crate::submission::{Outcome, Target};

/// The maximum lag of reads behind writes: the default of `--settle` in the import that is planned.
const SETTLE: Duration = Duration::from_secs(10);

pub(super) fn run(global: &Global, args: &cli::Plan) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    let policy = policy(args)?;
    if let Some(out) = &args.out {
        none_is_read(std::slice::from_ref(out), global, &args.manifests, settings)?;
        let kept = [Some(args.journal.clone()), args.target.local.clone()];
        destination::check_all([out.as_path()], kept.into_iter().flatten())?;
    }
    let timeout = args.reach.timeout;
    // A plan creates nothing, and before the first import the registry is empty.
    let (missing, config) = (Missing::Empty, &settings.config);
    block_on(target::at_or(missing, &args.target, config, timeout, async |ready, stopping| {
        Planning { global, args, settings, ready, policy: &policy }.go(stopping).await
    }))
}

/// Returns the policy of the import that is planned.
fn policy(args: &cli::Plan) -> Result<Policy, Failure> {
    let run_policy = RunPolicy::new(&args.existing, args.target.profile.as_deref())?;
    Ok(Policy {
        drift: if args.refresh { Drift::Always } else { run_policy.drift },
        ..run_policy.policy(false)
    })
}

/// Makes the plan of an import again, and checks that it is `planned`.
///
/// # Errors
/// If it is not, or no plan can be made.
pub(super) async fn verify(
    planned: &PlanFile,
    global: &Global,
    args: &cli::Import,
    settings: &Settings,
    ready: &Ready,
    stopping: &Stopping,
) -> Result<(), Failure> {
    let args = &cli::Plan {
        manifests: args.manifests.clone(),
        format: PlanFormat::Human,
        out: None,
        detailed_exitcode: false,
        refresh: false,
        all: false,
        journal: args.run.journal.clone(),
        existing: args.existing.clone(),
        target: args.target.clone(),
        rate: None,
        reach: args.pace.reach.clone(),
    };
    let policy = &policy(args)?;
    let planning = Planning { global, args, settings, ready, policy };
    let mut recorder = Recorder::new(None, &args.existing.set);
    let made = planning.make(stopping, false, &mut recorder).await?;
    let new = args.target.local.as_deref();
    let new = new.filter(|file| planned.is_for_new(&ready.target, file));
    let target = plan_file::target_name(&ready.target, new);
    let options = Options::of(&args.existing, &args.manifests.rewrite_uri);
    planned.check(&recorder.finish("nothing was submitted", target, options, made.files)?)
}

struct Planning<'p> {
    global: &'p Global,
    args: &'p cli::Plan,
    settings: &'p Settings,
    ready: &'p Ready,
    policy: &'p Policy,
}

impl Planning<'_> {
    async fn go(self, stopping: &Stopping) -> Result<Exit, Failure> {
        let Self { global, args, ready, policy, .. } = self;
        let report = match args.format {
            PlanFormat::Human => Report::human(args.all),
            PlanFormat::Json => Report::json(),
            PlanFormat::Markdown => Report::markdown(),
        };
        let new = args.target.local.as_deref().filter(|file| !file.exists());
        let mut found = Found { report, fails: false, is_unknown: false };
        let mut recorder = Recorder::new(Some(&mut found), &args.existing.set);
        let Made { plan, checked, faults, rate, files } =
            self.make(stopping, true, &mut recorder).await?;
        let written = match &args.out {
            Some(out) => {
                let target = plan_file::target_name(&ready.target, new);
                let options = Options::of(&args.existing, &args.manifests.rewrite_uri);
                let file = recorder.finish("no plan file", target, options, files);
                file.and_then(|file| file.write(out))
            }
            None => Ok(()),
        };
        let rate = match (args.rate, rate) {
            (Some(Rate::Fixed(rate)), _) => CreateRate::Asked(rate),
            (Some(Rate::Unlimited), _) => CreateRate::Unlimited,
            _ if ready.target.is_local() => CreateRate::Unlimited,
            (_, Some(rate)) => CreateRate::Found(rate),
            (_, None) => CreateRate::Unknown,
        };
        let (target, on_exists) = (&ready.target, policy.on_exists);
        let exit = found.exit(args, &checked, &plan);
        let heading = Heading { plan: &plan, target, rate, on_exists, faults: &faults };
        let out = Output::stdout(global.color.into());
        found.report.write(&heading, out).map_err(OutputError)?;
        written.map(|()| exit)
    }

    /// Makes the plan, and passes what is planned to `sink`. `shown_findings`: whether findings are shown.
    async fn make(
        &self,
        stopping: &Stopping,
        shown_findings: bool,
        sink: &mut dyn plan::Sink,
    ) -> Result<Made, Failure> {
        let Self { global, args, settings, ready, policy } = *self;
        let faults = Faults::default();
        let manifest = ManifestSet::find(&args.manifests, settings)?;
        let journal = self.journal()?;
        let at_target = journal.as_ref().map(|journal| journal.known(&ready.target)).transpose()?;
        let mut scratch = Journal::scratch()?;
        let (staged, checked) = tokio::task::block_in_place(|| {
            // Standard output belongs to the plan, which scripts may read.
            let mut reports: Vec<Box<dyn report::FindingsReport>> = vec![Box::new(faults.clone())];
            if shown_findings {
                reports.insert(0, human_report_on_stderr(global, &args.manifests));
            }
            let report = Box::new(report::All(reports));
            let run = NewRun { id: "plan", command: "", folder: "", settings: "" };
            let staging = scratch.begin(&run, &ready.target)?;
            let mut stage = Stage::of_plan(staging, at_target.as_ref(), &manifest.sources, policy);
            let checked = check(global, &args.manifests, settings, &manifest, report, &mut stage)?;
            Ok::<_, Failure>((stage.finish()?, checked))
        })?;
        let in_journal = journal.as_ref().map(|journal| InJournal::read(journal, &ready.target));
        let InJournal { open, rate } = in_journal.transpose()?.unwrap_or_default();
        let files = if args.out.is_some() || !shown_findings {
            plan_file::files(&manifest)
        } else {
            BTreeMap::new()
        };
        let within = self.within(&manifest, &staged.ledger);
        let known = |source| match &at_target {
            Some(known) => known.at(source),
            None => Ok(None),
        };
        let read_lag = if ready.target.is_local() { Duration::ZERO } else { SETTLE };
        let at_once = args.reach.concurrency.map_or(plan::AT_ONCE, usize::from);
        let known: Option<&plan::Knows<'_>> = journal.is_some().then_some(&known);
        let options = plan::Options { policy, read_lag, known, within: &within, at_once };
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
        let mut show = |so_far| match so_far {
            plan::Progress::Listed(listed) => shown(&progress).listing(listed),
            plan::Progress::Compared { done, total } => shown(&progress).comparing(done, total),
        };
        let entries = plan::Entries::new(&mut scratch, staged);
        let planned = plan::plan(&asker, entries, open, &options, sink, &mut show).await;
        shown(&progress).finish();
        let plan = match planned {
            Ok(plan) => plan,
            Err(Unplanned::Journal(error)) => return Err(error.into()),
            Err(Unplanned::Output(error)) => return Err(OutputError(error).into()),
            Err(Unplanned::Unanswered(unanswered)) => return Err(unplanned(unanswered)),
        };
        Ok(Made { plan, checked, faults, rate, files })
    }

    /// Returns whether an artifact of a file can have been removed from the manifests.
    fn within<'m>(
        &self,
        manifest: &'m ManifestSet,
        ledger: &Ledger,
    ) -> impl Fn(&Known) -> bool + use<'m> {
        let invalid = ledger.files_with(Outcome::Invalid);
        let invalid: HashSet<Arc<str>> = invalid.map(|file| manifest.sources.name(file)).collect();
        let may_have_lost = may_have_lost(manifest, &self.args.manifests);
        // With other rewrites, the manifests describe other sources.
        let rewrites = plan_file::rewrites_of(&self.args.manifests.rewrite_uri);
        move |known| {
            known.rewrites == rewrites
                && may_have_lost(&known.file)
                && !invalid.contains(&*known.file)
        }
    }

    /// Opens the journal to read. One that is not there knows nothing.
    fn journal(&self) -> Result<Option<Status>, Failure> {
        let journal = &self.args.journal;
        let open = journal.exists().then(|| Status::open(journal)).transpose();
        Ok(open?)
    }
}

/// A plan that was made.
struct Made {
    plan: plan::Plan,
    checked: Summary,
    faults: Faults,
    /// The rate, in creates a second, that the journal knows.
    rate: Option<f64>,
    /// SHA-256 of the manifests, if it is needed.
    files: BTreeMap<String, String>,
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

/// Passes what is planned to the report, and notes what the exit code depends on.
struct Found {
    report: Report,
    /// True if an entry would be a failure of the import.
    fails: bool,
    /// True if an entry could not be compared.
    is_unknown: bool,
}

impl plan::Sink for Found {
    fn entry(&mut self, entry: &Planned<'_>) -> io::Result<()> {
        if let Some(item) = entry.item {
            self.fails |= fails(item);
            self.is_unknown |= matches!(item.fate, Fate::Unknown { .. });
        }
        self.report.entry(entry)
    }

    fn gone(&mut self, gone: &Gone) -> io::Result<()> {
        self.report.gone(gone)
    }
}

fn fails(item: &Item) -> bool {
    match &item.fate {
        Fate::Create => item.unseen,
        Fate::Exists => item.refused,
        Fate::Differs { change, .. } => {
            item.unseen || change.as_ref().is_none_or(|one| !one.stay.is_empty())
        }
        Fate::Unknown { .. } => false,
    }
}

impl Found {
    /// Returns the exit code: the import's, except that changes are not a failure.
    fn exit(&self, args: &cli::Plan, checked: &Summary, plan: &plan::Plan) -> Exit {
        let mut exit = Exit::Success;
        if args.detailed_exitcode && plan.changes() {
            exit = Exit::Changes;
        }
        if checked.errors > 0 || self.fails {
            exit = exit.and(Exit::Findings);
        }
        if self.is_unknown {
            exit = exit.and(Exit::Stopped);
        }
        exit
    }
}

/// Returns why there is no plan.
fn unplanned(unanswered: Unanswered) -> Failure {
    let actions = "sagemaker:ListArtifacts, DescribeArtifact and ListTags";
    match unanswered {
        Unanswered::Refused(refusal) => Failure {
            exit: Exit::Stopped,
            message: format!("no plan: {refusal}"),
            help: refusal.help(actions),
        },
        Unanswered::Ended(end) => reads_ended(&end, "no plan", actions, false),
    }
}
