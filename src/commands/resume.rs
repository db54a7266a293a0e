//! `lineload resume`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::Failure;
use super::ending::{Stops, as_typed, conclude, reports_can_be_written};
use super::import::{refuse, too_many};
use super::manner::Manner;
use super::runtime::{Stopping, block_on};
use super::session::Session;
use super::settings::Settings;
use super::staging::fingerprint;
use super::status;
use super::target::{self, Ready};
use crate::check::EntryId;
use crate::cli::{self, Global, Resume};
use crate::diagnostic::words::{counted, escaped};
use crate::event::Settled;
use crate::exit::Exit;
use crate::journal::{Journal, StagedEntry, StagedRun};
use crate::report::run::RunLog;
use crate::run::{Job, KnownThere, Start};
use crate::submission::{Outcome, Target};

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
    unchanged(&run, args.as_staged)?;
    block_on(async {
        let stopping = Stopping::listen()?;
        let manner: Manner = serde_json::from_str(&run.settings).unwrap_or_default();
        let target = target_of(&run, args, &manner);
        let ready = target::connect(&target, &settings.config, args.pace.reach.timeout);
        let ready = stopping.unless_stopped(ready).await?;
        let exit = match same_target(&run, &ready) {
            Ok(()) => {
                go_on(global, args, settings, &run, &manner, &ready, journal, &stopping).await
            }
            Err(failure) => Err(failure),
        };
        if let Some(registry) = ready.registry {
            registry.stop().await;
        }
        exit
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
fn target_of(run: &StagedRun, args: &Resume, manner: &Manner) -> cli::Target {
    let profile = args.profile.clone().or_else(|| manner.profile.clone());
    let none = cli::Target {
        local: None,
        region: None,
        profile,
        endpoint_url: None,
        expect_account: None,
        expect_region: None,
    };
    match &run.target {
        Target::Aws { region, account, .. } => cli::Target {
            region: Some(region.clone()),
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

#[expect(clippy::too_many_arguments, reason = "what a run has at hand")]
async fn go_on(
    global: &Global,
    args: &Resume,
    settings: &Settings,
    run: &StagedRun,
    manner: &Manner,
    ready: &Ready,
    journal: Journal,
    stopping: &Stopping,
) -> Result<Exit, Failure> {
    let command = as_typed(Some(&run.id).filter(|_| args.id.is_none()).map(String::as_str));
    let stops = Stops {
        command: &command,
        patience: args.pace.reach.limit_patience,
        max_duration: args.run.max_duration,
        findings: false,
    };
    let asked = (&args.run, &args.pace);
    let mut session = Session::new(global, asked, &settings.config, ready, manner, stopping);
    let began = Instant::now();
    let read = |journal: &Journal| journal.entries(run).map_err(|error| status::failure(&error));
    let before = read(&journal)?;
    let (mut journal, resolved) = match session.settle_open(journal).await? {
        Ok(settled) => settled,
        Err(end) => {
            let mut log = RunLog::resumed(run, &before);
            log.finish(Some(began));
            return Ok(conclude(global, &stops, log, &end, &args.run.report));
        }
    };
    let entries = read(&journal)?;
    let mut log = RunLog::resumed(run, &entries);
    let is_left = |entry: &StagedEntry| match entry.outcome.as_deref() {
        None => true,
        // Of what was attempted the look-up above has told all that can be told.
        Some(outcome) => outcome == Outcome::Unresolved.as_str() && !entry.is_open,
    };
    let left: Vec<_> = (0..).map(EntryId).zip(&entries).filter(|(_, one)| is_left(one)).collect();
    let mut jobs = Vec::new();
    for (id, entry) in &left {
        let earlier = resolved.get(&entry.artifact.identity().key());
        if let Some(settled) = earlier.filter(|one| one.outcome == Outcome::Unresolved) {
            // Nobody knows whether it is there: it must not be created again.
            log.settle(Settled { entry: *id, ..settled.clone() });
            continue;
        }
        jobs.push(job(&journal, ready, manner, *id, entry)?);
    }
    let jobs = match session.survey(jobs, &mut log).await {
        Ok(jobs) => jobs,
        Err(end) => {
            log.finish(Some(began));
            return Ok(conclude(global, &stops, log, &end, &args.run.report));
        }
    };
    if let Some(notice) = too_many(&args.run, session.changes(&jobs)) {
        return refuse(global, &args.run, log, &notice);
    }
    if !global.quiet {
        let done = entries.len() - left.len();
        let left = counted(left.len(), "artifact");
        let mut err = anstream::stderr().lock();
        // Nobody may be there to read it.
        let _ = std::io::Write::write_fmt(
            &mut err,
            format_args!("going on with run {}: {done} done, {left} left\n", run.id),
        );
    }
    session.agree(&jobs, &log).await?;
    let staged = journal.go_on(run, left.into_iter());
    let staged = staged.map_err(|error| status::failure(&error))?;
    let end = session.send(journal, staged, jobs, &mut log).await?;
    log.finish(Some(began));
    Ok(conclude(global, &stops, log, &end, &args.run.report))
}

fn job(
    journal: &Journal,
    ready: &Ready,
    manner: &Manner,
    id: EntryId,
    entry: &StagedEntry,
) -> Result<Job, Failure> {
    let artifact = &entry.artifact;
    let known = journal.known(&ready.target).and_then(|known| known.at(artifact.identity().key()));
    let known = known.map_err(|error| status::failure(&error))?;
    let start = match &known {
        Some(known) => known.arn.clone().map_or(Start::Ask, Start::There),
        None => Start::Create,
    };
    let known = known.and_then(|known| KnownThere::by_journal(&known, artifact, &manner.stamp));
    Ok(Job { entry: id, artifact: Arc::new(artifact.clone()), known, start })
}
