//! `lineload import`

use std::time::{Instant, SystemTime};

use super::checking::{self, check, covers};
use super::dry_run::dry_run;
use super::ending::{Ending, as_typed, reports_can_be_written};
use super::plan::verify;
use super::plan_file::PlanFile;
use super::refusal::{invalid, refuse, too_many, too_much};
use super::run_policy::RunPolicy;
use super::session::{Progress, Session, show_note};
use super::staging::fingerprints;
use super::stopping::Stopping;
use super::target::{self, Ready};
use super::watch::Watch;
use crate::cli::{Global, Import};
use crate::commands::failure::Failure;
use crate::commands::manifests::ManifestSet;
use crate::commands::runtime::block_on;
use crate::commands::settings::Settings;
use crate::destination;
use crate::exit::Exit;
use crate::journal::{Journal, JournalError, NewRun, RunId};
use crate::report::run::RunLog;
use crate::run::{End, Ledger, Stage, Staged};
use crate::submission::{Outcome, RunKind};

pub(super) fn run(global: &Global, args: &Import) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    let run_policy = RunPolicy::new(&args.existing, args.target.profile.as_deref())?
        .with_rewrites(&args.manifests.rewrite_uri);
    let planned = args.plan.as_deref().map(PlanFile::read).transpose()?;
    let outputs = args.run.outputs();
    let kept = checking::kept(&args.run.journal, args.target.local.as_deref());
    destination::check_few(&outputs, kept.into_iter().chain(args.plan.clone()))?;
    checking::none_is_read(&outputs, global, &args.manifests, settings)?;
    reports_can_be_written(&args.run.report)?;
    if args.dry_run {
        return dry_run(global, args, settings, &run_policy.policy(args.recheck));
    }
    let id = uuid::Uuid::now_v7().to_string();
    let watch = Watch::begin(args.run.metrics.as_deref(), "import", RunKind::Import, &id)?;
    let watching = &watch;
    let timeout = args.pace.reach.timeout;
    // The target comes before the check, so that a missing one is reported at once.
    let at = target::at(&args.target, &settings.config, timeout, async |ready, stopping| {
        watching.target(&ready.target);
        if let Some(planned) = &planned {
            verify(planned, global, args, settings, ready, stopping).await?;
        }
        // An unwritable journal must be detected before anything is sent.
        let journal = Journal::open(&args.run.journal)?;
        let importing =
            Importing { global, args, settings, ready, run_policy, id, watch: watching };
        importing.go(journal, stopping).await
    });
    let result = block_on(at);
    watch.end(global, result)
}

/// An import on its way.
struct Importing<'i> {
    global: &'i Global,
    args: &'i Import,
    settings: &'i Settings,
    ready: &'i Ready,
    run_policy: RunPolicy,
    id: String,
    watch: &'i Watch,
}

impl Importing<'_> {
    async fn go(self, mut journal: Journal, stopping: &Stopping) -> Result<Exit, Failure> {
        let Self { global, args, settings, ready, ref run_policy, id, watch } = self;
        let policy = &run_policy.policy(args.recheck);
        show_note(global, &journal);
        let command = as_typed(None);
        let began = SystemTime::now();
        let folder = std::env::current_dir().unwrap_or_default();
        let run = NewRun {
            id: &id,
            command: &command,
            folder: &folder.to_string_lossy(),
            settings: &run_policy.kept()?,
        };
        let manifest = ManifestSet::find(&args.manifests, settings)?;
        let (staged, checked) = tokio::task::block_in_place(|| {
            let report = checking::human_report(global, &args.manifests);
            let staging = journal.begin(&run, &ready.target)?;
            let mut stage = Stage::new(staging, &manifest.sources, policy);
            let checked = check(global, &args.manifests, settings, &manifest, report, &mut stage)?;
            let staged = stage.finish()?;
            Ok::<_, Failure>((staged, checked))
        })?;
        // A check is not interrupted, and nothing follows it.
        stopping.unless_stopped(async { Ok(()) }).await?;
        let Staged { run, mut ledger, unknown, left, .. } = staged;
        let mut log = RunLog::counted(ledger.outcomes());
        log.run = id;
        log.begun_at(began);
        log.target = Some(ready.target.clone());
        log.known = staged.known;
        watch.counts(&log);
        let refuse = |journal: Journal, log, ledger: &Ledger, notice: &Failure| {
            refuse(global, &args.run, journal, run, log, ledger, notice)
        };
        if args.require_valid
            && let Some(notice) = invalid(&checked)
        {
            return refuse(journal, log, &ledger, &notice);
        }
        if let Some(overstamped) = &staged.overstamped {
            return refuse(journal, log, &ledger, &too_much(overstamped));
        }
        let pace = &args.pace;
        let config = &settings.config;
        let args_run = &args.run;
        let kind = RunKind::Import;
        let session = Session {
            global,
            args: args_run,
            pace,
            config,
            ready,
            policy,
            kind,
            stopping,
            began,
            watch,
        };
        let ending = Ending::new(
            global,
            args_run,
            pace,
            kind,
            &command,
            (Some(&folder), !policy.stamp.is_empty()),
            checked.errors > 0,
        );
        let (mut journal, settled) = session.settle_open(journal, run).await?;
        let resolved = match settled {
            Ok(resolved) => resolved,
            Err(end) => return Ok(ending.conclude(log, &ledger, &journal, &end, None)),
        };
        let spared = match session.survey(&mut journal, unknown, &resolved, &mut log).await? {
            Ok(spared) => spared,
            Err(end) => return Ok(ending.conclude(log, &ledger, &journal, &end, None)),
        };
        let changes = left.saturating_sub(spared);
        if let Some(notice) = too_many(args_run, kind, changes) {
            return refuse(journal, log, &ledger, &notice);
        }
        session.agree(changes, &log).await?;
        // Pending entries of other paths stay resumable.
        let covered = |file: &str| covers(&manifest, &args.manifests, file);
        if left == 0 {
            let invalid = log.counts().of(Outcome::Invalid) > 0;
            let exit = ending.conclude(log, &ledger, &journal, &End::Done, None);
            keep_or_replace(journal, run, invalid, &covered)?;
            return Ok(exit);
        }
        let files = fingerprints(&ledger, &manifest);
        journal.make_ready(&run, &covered, &files)?;
        let sending = Instant::now();
        let progress = Progress { log: &mut log, ledger: &mut ledger };
        let (journal, end) = session.submit(journal, run, left, resolved, progress).await?;
        Ok(ending.conclude(log, &ledger, &journal, &end, Some(sending)))
    }
}

/// Ends a run that has nothing to submit. With `invalid` entries the journal keeps it for them.
fn keep_or_replace(
    mut journal: Journal,
    run: RunId,
    invalid: bool,
    covers: &dyn Fn(&str) -> bool,
) -> Result<(), JournalError> {
    if !invalid {
        return journal.replace(&run, covers);
    }
    journal.make_ready(&run, covers, &[])?;
    let (_, unwritten) = journal.into_writer(run)?.finish(Some(End::Done.words()), None);
    if let Some(error) = unwritten {
        tracing::warn!("cannot record the end of this run in the journal: {error}");
    }
    Ok(())
}
