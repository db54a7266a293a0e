//! `lineload resume`

use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use super::checking;
use super::ending::{Ending, as_typed, reports_can_be_written, write_reports};
use super::refusal::too_many;
use super::run_policy::RunPolicy;
use super::session::{Progress, Session, show_note};
use super::staging::fingerprint;
use super::stopping::Stopping;
use super::target::{self, Ready};
use super::watch::Watch;
use crate::cli::{self, Global, Resume};
use crate::commands::failure::Failure;
use crate::commands::runtime::block_on;
use crate::commands::settings::Settings;
use crate::commands::status::no_journal;
use crate::destination;
use crate::exit::Exit;
use crate::journal::{Journal, StagedRun};
use crate::report::run::RunLog;
use crate::report::run::rows::JournalRows;
use crate::run::{self, Ledger, Policy, Unknown};
use crate::submission::{REPLACED, RunKind, Target};
use crate::text::{counted, grouped};

/// Changed files that are named.
const NAMED: usize = 5;

pub(super) fn run(global: &Global, args: &Resume) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    reports_can_be_written(&args.run.report)?;
    if !args.run.journal.exists() {
        return Err(no_journal(&args.run.journal));
    }
    let journal = Journal::open(&args.run.journal)?;
    let run = match &args.id {
        Some(id) => run_of(&journal, id)?,
        None => journal.staged_run(None)?.ok_or_else(|| {
            Failure::usage("no unfinished run")
                .help("`lineload import` checks the manifests again and submits what is new")
        })?,
    };
    let inputs = run.files.iter().map(|(file, _)| run.folder.join(file));
    let run_policy = RunPolicy::of(&run)?;
    let profile = args.profile.clone().or_else(|| run_policy.profile.clone());
    let target = target_of(&run, profile);
    let kept = checking::kept(&args.run.journal, target.local.as_deref());
    destination::check_few(&args.run.outputs(), kept.into_iter().chain(inputs))?;
    unchanged(&run, args.as_staged)?;
    let watch = Watch::begin(args.run.metrics.as_deref(), "resume", run.kind, &run.id)?;
    let watching = &watch;
    let timeout = args.pace.reach.timeout;
    let at = target::at(&target, &settings.config, timeout, async |ready, stopping| {
        watching.target(&ready.target);
        same_target(&run, ready)?;
        let policy = run_policy.policy(false);
        let resuming =
            Resuming { global, args, settings, run: &run, policy, ready, watch: watching };
        resuming.go(journal, stopping).await
    });
    let result = block_on(at);
    watch.end(global, result)
}

/// Returns the run whose id begins with `id`.
pub(super) fn run_of(journal: &Journal, id: &str) -> Result<StagedRun, Failure> {
    let help = "`lineload status` lists them";
    if journal.runs_like(id)? > 1 {
        return Err(Failure::usage(format!("several run ids begin with `{id}`")).help(help));
    }
    let run = journal.staged_run(Some(id))?;
    run.ok_or_else(|| Failure::usage(format!("no run id begins with `{id}`")).help(help))
}

/// Checks that the manifests are as they were when the run was staged.
fn unchanged(run: &StagedRun, as_staged: bool) -> Result<(), Failure> {
    if as_staged {
        return Ok(());
    }
    let changed = |(path, digest): &&(PathBuf, [u8; 32])| {
        fingerprint(&run.folder.join(path)).as_ref() != Some(digest)
    };
    let changed: Vec<_> = run.files.iter().filter(changed).map(|(path, _)| path).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = changed.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    let more = if changed.len() > NAMED { ", …" } else { "" };
    let files =
        if changed.len() == 1 { "1 file has" } else { &format!("{} files have", changed.len()) };
    let named = named.join(", ");
    Err(Failure::usage(format!("{files} changed since the run was staged: {named}{more}"))
        .help(format!("import them as they are now: `{}`", run.command))
        .help(format!("or submit what was staged: `{} --as-staged`", as_typed(None))))
}

/// Returns the target of the run, as command line options.
pub(super) fn target_of(run: &StagedRun, profile: Option<String>) -> cli::Target {
    let none = cli::Target {
        local: None,
        region: None,
        profile,
        endpoint_url: None,
        account: None,
        expect_account: None,
        expect_region: None,
    };
    match &run.target {
        Target::Aws { region, account, caller, .. } => cli::Target {
            region: Some(region.clone()),
            // STS was not asked then, and may be unreachable now.
            account: caller.is_empty().then(|| account.clone()),
            expect_account: Some(account.clone()),
            ..none
        },
        Target::Local { file, .. } => {
            cli::Target { local: Some(run.folder.join(file)), profile: None, ..none }
        }
        Target::Endpoint { url, region, .. } => {
            cli::Target { region: Some(region.clone()), endpoint_url: Some(url.clone()), ..none }
        }
    }
}

pub(super) fn same_target(run: &StagedRun, ready: &Ready) -> Result<(), Failure> {
    if ready.target.identity() == run.target.identity() {
        return Ok(());
    }
    if let (
        Target::Endpoint { url, registry: before, .. },
        Target::Endpoint { url: there, registry: now, .. },
    ) = (&run.target, &ready.target)
        && url == there
    {
        return Err(match (before, now) {
            (Some(_), None) => Failure::usage(format!("no registry responds at {url}"))
                .help("start `lineload serve` with the registry that the run was staged for"),
            _ => Failure::usage(format!("{REPLACED}, and the run was staged before that"))
                .help(format!("import into that one: `{}`", run.command)),
        });
    }
    let message = format!("the run was staged for {}, and this is another target", run.target);
    Err(Failure::usage(message))
}

/// A run that is resumed.
struct Resuming<'r> {
    global: &'r Global,
    args: &'r Resume,
    settings: &'r Settings,
    run: &'r StagedRun,
    policy: Policy,
    ready: &'r Ready,
    watch: &'r Watch,
}

impl Resuming<'_> {
    async fn go(self, journal: Journal, stopping: &Stopping) -> Result<Exit, Failure> {
        let Self { global, args, settings, run, ref policy, ready, watch } = self;
        show_note(global, &journal);
        let command = as_typed(Some(&run.id).filter(|_| args.id.is_none()).map(String::as_str));
        let (pace, config) = (&args.pace, &settings.config);
        let began = SystemTime::now();
        let args_run = &args.run;
        let kind = run.kind;
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
        let unchanged = (!args.as_staged).then_some(run.folder.as_path());
        let manifests = (unchanged, !policy.stamp.is_empty());
        let ending = Ending::new(global, args_run, pace, kind, &command, manifests, false);
        let id = run.run;
        let before = Ledger::read(&journal, &run.run)?;
        let mut log = RunLog::resumed(run, before.outcomes());
        log.begun_at(began);
        let (mut journal, settled) = session.settle_open(journal, id).await?;
        let resolved = match settled {
            Ok(resolved) => resolved,
            Err(end) => return Ok(ending.conclude(log, &before, &journal, &end, None)),
        };
        // Open attempts have been settled, or are known to be pending.
        let mut ledger = Ledger::read(&journal, &run.run)?;
        log.recount(ledger.outcomes());
        let (unknown, left) = match kind {
            RunKind::Import => run::unknown(&journal, id, policy, &resolved)?,
            // What is deleted is known by its ARN.
            RunKind::Delete => {
                let left = usize::try_from(journal.left(&id)?).unwrap_or(usize::MAX);
                (Unknown::default(), left)
            }
        };
        let spared = match session.survey(&mut journal, unknown, &resolved, &mut log).await? {
            Ok(spared) => spared,
            Err(end) => return Ok(ending.conclude(log, &ledger, &journal, &end, None)),
        };
        let changes = left.saturating_sub(spared);
        if let Some(notice) = too_many(args_run, kind, changes) {
            notice.show(global);
            log.finish(None);
            let rows = JournalRows { ledger: &ledger, journal: Some(&journal) };
            write_reports(&log, &rows, &args_run.report)?;
            return Ok(notice.exit);
        }
        if !global.quiet {
            let done = grouped(ledger.len().saturating_sub(left) as u64);
            let left = counted(left, "artifact");
            let mut err = anstream::stderr().lock();
            // Standard error may be closed.
            let run_name = if kind == RunKind::Delete { "delete run" } else { "run" };
            let _ = writeln!(err, "resuming {run_name} {}: {done} done, {left} left", run.id);
        }
        session.agree(changes, &log).await?;
        journal.reopen(&id, &command)?;
        let sending = Instant::now();
        let progress = Progress { log: &mut log, ledger: &mut ledger };
        let (journal, end) = session.submit(journal, id, left, resolved, progress).await?;
        Ok(ending.conclude(log, &ledger, &journal, &end, Some(sending)))
    }
}
