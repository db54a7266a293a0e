//! `lineload resume`

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::Failure;
use super::checking::misdirected;
use super::ending::{Ending, as_typed, reports_can_be_written, write_reports};
use super::import::too_many;
use super::run_policy::RunPolicy;
use super::runtime::{Stopping, block_on};
use super::session::{Progress, Session};
use super::settings::Settings;
use super::staging::fingerprint;
use super::status;
use super::target::{self, Ready};
use crate::artifact::Key;
use crate::cli::{self, Global, Resume};
use crate::destination;
use crate::exit::Exit;
use crate::journal::{Journal, RunId, StagedRun};
use crate::report::run::RunLog;
use crate::report::run::rows::JournalRows;
use crate::run::{Ledger, Line, Policy, Resolved, is_unknown};
use crate::submission::{EntryId, Outcome, Target};
use crate::text::{counted, escaped, grouped};

/// Changed files that are named.
const NAMED: usize = 5;

pub(super) fn run(global: &Global, args: &Resume) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    reports_can_be_written(&args.run.report)?;
    if !args.run.journal.exists() {
        let journal = args.run.journal.display();
        return Err(Failure::usage(format!("there is no journal {journal}"))
            .help("`lineload import` makes one; `--journal FILE` names another"));
    }
    let journal = Journal::open(&args.run.journal).map_err(|error| status::failure(&error))?;
    if let Some(id) = &args.id
        && journal.runs_like(id).map_err(|error| status::failure(&error))? > 1
    {
        return Err(Failure::usage(format!("several runs begin with `{}`", escaped(id)))
            .help("`lineload status` lists them"));
    }
    let run = journal.staged_run(args.id.as_deref()).map_err(|error| status::failure(&error))?;
    let Some(run) = run else {
        return match &args.id {
            Some(id) => Err(Failure::usage(format!("no run begins with `{}`", escaped(id)))
                .help("`lineload status` lists them")),
            None => Err(Failure::usage("nothing is left of any run")
                .help("`lineload import` checks the manifests again and sends what is new")),
        };
    };
    let inputs = run.files.iter().map(|(file, _)| run.folder.join(file));
    destination::check_all(args.run.report.iter().map(PathBuf::as_path), inputs)
        .map_err(|error| misdirected(&error))?;
    unchanged(&run, args.as_staged)?;
    let run_policy = kept(&run)?;
    block_on(async {
        let stopping = Stopping::listen()?;
        let target = target_of(&run, args, &run_policy);
        let ready = target::connect(&target, &settings.config, args.pace.reach.timeout);
        let ready = stopping.unless_stopped(ready).await?;
        let exit = match same_target(&run, &ready) {
            Ok(()) => {
                let policy = run_policy.policy(false);
                let (run, ready) = (&run, &ready);
                let resuming = Resuming { global, args, settings, run, policy, ready };
                resuming.go(journal, &stopping).await
            }
            Err(failure) => Err(failure),
        };
        if let Some(registry) = ready.registry {
            registry.stop().await;
        }
        exit
    })
}

/// Returns what the run was told to do about what exists. Without that nothing is sent: a field that
/// was set would be missing.
fn kept(run: &StagedRun) -> Result<RunPolicy, Failure> {
    if run.settings.is_empty() {
        return Ok(RunPolicy::default());
    }
    serde_json::from_str(&run.settings).map_err(|error| {
        Failure::usage(format!("the options of run {} cannot be read: {error}", run.id))
            .help(format!("import the manifests again: `{}`", run.command))
    })
}

/// That the manifests are as they were when the run was staged.
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
    let named = escaped(&named.join(", "));
    Err(Failure::usage(format!("{files} changed since the run was staged: {named}{more}"))
        .help(format!("import them as they are now: `{}`", run.command))
        .help(format!("or send what was staged: `{} --as-staged`", as_typed(None))))
}

/// The target of the run, as a command line would name it.
fn target_of(run: &StagedRun, args: &Resume, run_policy: &RunPolicy) -> cli::Target {
    let profile = args.profile.clone().or_else(|| run_policy.profile.clone());
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
            // STS was not asked then, and may not be reached now.
            account: caller.is_empty().then(|| account.clone()),
            expect_account: Some(account.clone()),
            ..none
        },
        Target::Local { file, .. } => {
            cli::Target { local: Some(run.folder.join(file)), profile: None, ..none }
        }
        Target::Endpoint { url, region } => {
            cli::Target { region: Some(region.clone()), endpoint_url: Some(url.clone()), ..none }
        }
    }
}

fn same_target(run: &StagedRun, ready: &Ready) -> Result<(), Failure> {
    if ready.target.identity() == run.target.identity() {
        return Ok(());
    }
    let message = format!("the run was staged for {}, and this is another", run.target);
    Err(Failure::usage(escaped(&message)))
}

/// A run that is resumed.
struct Resuming<'r> {
    global: &'r Global,
    args: &'r Resume,
    settings: &'r Settings,
    run: &'r StagedRun,
    policy: Policy,
    ready: &'r Ready,
}

impl Resuming<'_> {
    async fn go(self, journal: Journal, stopping: &Stopping) -> Result<Exit, Failure> {
        let Self { global, args, settings, run, ref policy, ready } = self;
        status::show_note(global, &journal);
        let command = as_typed(Some(&run.id).filter(|_| args.id.is_none()).map(String::as_str));
        let (pace, config) = (&args.pace, &settings.config);
        let began = SystemTime::now();
        let args_run = &args.run;
        let session =
            Session { global, args: args_run, pace, config, ready, policy, stopping, began };
        let ending = Ending::new(global, args_run, pace, &command, &run.folder, false);
        let id = run.run;
        let before = ledger(&journal, run)?;
        let mut log = RunLog::resumed(run, before.outcomes());
        log.begun_at(began);
        let (mut journal, settled) = session.settle_open(journal, id).await?;
        let resolved = match settled {
            Ok(resolved) => resolved,
            Err(end) => return Ok(ending.conclude(log, &before, &journal, &end, None)),
        };
        // What was open has come to an end, or is known to be left.
        let mut ledger = ledger(&journal, run)?;
        log.recount(ledger.outcomes());
        let (unknown, left) = unknown(&journal, id, policy, &resolved)?;
        let spared = match session.survey(&mut journal, unknown, &resolved, &mut log).await? {
            Ok(spared) => spared,
            Err(end) => return Ok(ending.conclude(log, &ledger, &journal, &end, None)),
        };
        let changes = left.saturating_sub(spared);
        if let Some(notice) = too_many(args_run, changes) {
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
            // Nobody may be there to read it.
            let _ = std::io::Write::write_fmt(
                &mut err,
                format_args!("resuming run {}: {done} done, {left} left\n", run.id),
            );
        }
        session.agree(changes, &log).await?;
        journal.reopen(&id).map_err(|error| status::failure(&error))?;
        let sending = Instant::now();
        let progress = Progress { log: &mut log, ledger: &mut ledger };
        let (journal, end) = session.submit(journal, id, left, resolved, progress).await?;
        Ok(ending.conclude(log, &ledger, &journal, &end, Some(sending)))
    }
}

/// Returns the entries of a run as the journal has them.
fn ledger(journal: &Journal, run: &StagedRun) -> Result<Ledger, Failure> {
    let mut ledger = Ledger::default();
    let mut file: Arc<str> = Arc::from("");
    let each = journal.each(&run.run, &mut |stored| {
        if *stored.file != *file {
            file = stored.file.into();
        }
        let outcome = stored.outcome.as_deref().and_then(Outcome::from_name);
        let outcome = match outcome {
            Some(outcome) => outcome,
            // An attempt may have created it.
            None if stored.is_open => Outcome::Unresolved,
            None => Outcome::Pending,
        };
        let line = Line::new(stored.id, stored.line, outcome, false);
        ledger.add((Arc::clone(&file), None), line);
        Ok(())
    });
    each.map(|()| ledger).map_err(|error| status::failure(&error))
}

/// Returns the entries of which nothing is known, by source, and how many are left in all.
fn unknown(
    journal: &Journal,
    run: RunId,
    policy: &Policy,
    resolved: &Resolved,
) -> Result<(HashMap<Key, EntryId>, usize), Failure> {
    /// Entries that are read at once.
    const MANY: usize = 1024;
    let (mut unknown, mut left, mut after) = (HashMap::new(), 0, None);
    loop {
        let next = journal.next(&run, after, MANY).map_err(|error| status::failure(&error))?;
        after = next.last().map(|entry| entry.id).or(after);
        left += next.len();
        for entry in &next {
            let key = entry.artifact.identity().key();
            let earlier = resolved.get(&key);
            let known = crate::run::known(&entry.artifact, entry.known.as_ref(), earlier, policy);
            if is_unknown(&entry.artifact, &known, policy) {
                unknown.insert(key, entry.id);
            }
        }
        if next.len() < MANY {
            return Ok((unknown, left));
        }
    }
}
