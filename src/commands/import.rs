//! `lineload import`

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::checking::{self, Filter, Manifest, shell_words};
use super::runtime::{Signals, block_on};
use super::settings::Settings;
use super::target::{self, Ready};
use super::{Failure, Notice};
use crate::check::{Entry, Summary};
use crate::cli::{Global, Import, Pace as PaceArgs};
use crate::config::Config;
use crate::diagnostic::words::{counted, escaped, grouped};
use crate::event::{Cause, Event};
use crate::exit::Exit;
use crate::import::{self, End, Job, Stop};
use crate::pace::{Pace, Rate};
use crate::report::output::Output;
use crate::report::run::progress::RunProgress;
use crate::report::run::{RunLog, json, summary};
use crate::submission::Outcome;

/// Creates a second where nothing is said: low single digits to tens have been reported.
const DEFAULT_RATE: f64 = 10.0;
/// Look-ups a second of anything but the local registry.
const LOOK_UP_RATE: f64 = 10.0;

pub(super) fn run(global: &Global, args: &Import) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    reports_can_be_written(&args.report)?;
    if args.dry_run {
        return dry_run(global, args, settings);
    }
    block_on(async {
        let signals = Signals::listen()?;
        // Before the check: a target that is not there is not worth waiting for.
        let ready = target::connect(&args.target, &settings.config, args.pace.timeout).await?;
        let exit = import(global, args, settings, &ready, signals).await;
        if let Some(registry) = ready.registry {
            registry.stop().await;
        }
        exit
    })
}

async fn import(
    global: &Global,
    args: &Import,
    settings: &Settings,
    ready: &Ready,
    signals: Signals,
) -> Result<Exit, Failure> {
    let (manifest, mut entries, checked) =
        tokio::task::block_in_place(|| check(global, args, settings))?;
    let mut log = RunLog::new(&entries, &manifest.sources);
    log.target = Some(ready.target.clone());
    let jobs = jobs(&mut entries);
    let refusal = refused_beforehand(args, &checked, jobs.len());
    if let Some(notice) = refusal {
        notice.show(global);
        log.finish(None);
        write_reports(&log, &args.report)?;
        return Ok(notice.exit);
    }
    if !jobs.is_empty() {
        let agreed =
            tokio::task::block_in_place(|| target::agreed(&ready.target, jobs.len(), args.yes))?;
        if !agreed {
            return Err(Failure::usage("nothing was written"));
        }
    }
    let began = Instant::now();
    let options = engine_options(&args.pace, &settings.config, ready.target.is_local());
    let end = submit(global, ready, jobs, options, &mut log, signals).await;
    log.finish(Some(began));
    write_reports(&log, &args.report)?;
    if !global.quiet {
        summary::write(&log, Output::stdout(global.color.into()))?;
    }
    Ok(finish(global, args, &log, &end))
}

/// Checks the manifests and shows what is found.
fn check(
    global: &Global,
    args: &Import,
    settings: &Settings,
) -> Result<(Manifest, Vec<Entry>, Summary), Failure> {
    let manifest = Manifest::find(&args.manifests, settings)?;
    let mut report = checking::human_report(global, &args.manifests);
    let mut entries = Vec::new();
    let check = checking::Check {
        global,
        settings,
        manifest: &manifest,
        threads: args.manifests.threads,
        filter: &Filter::default(),
    };
    let summary = checking::check(check, &mut *report, Some(&mut entries))?;
    match manifest.none_found(&args.manifests) {
        Some(failure) => Err(failure),
        None => Ok((manifest, entries, summary)),
    }
}

fn jobs(entries: &mut [Entry]) -> Vec<Job> {
    let job = |entry: &mut Entry| {
        let artifact = entry.artifact.take()?;
        Some(Job { entry: entry.id, artifact: Arc::new(artifact) })
    };
    entries.iter_mut().filter_map(job).collect()
}

/// Why nothing is sent, if nothing is to be.
fn refused_beforehand(args: &Import, checked: &Summary, creates: usize) -> Option<Notice> {
    if args.require_valid && checked.errors > 0 {
        let invalid = counted(checked.invalid(), "artifact");
        let what = if checked.invalid() > 0 {
            format!("{invalid} of {} invalid", grouped(checked.artifacts as u64))
        } else {
            counted(checked.errors, "error")
        };
        let message = format!("nothing was sent: {what}, and `--require-valid` is given");
        return Some(Notice { exit: Exit::Findings, message, help: Vec::new() });
    }
    let most = args.max_changes.filter(|most| creates > *most)?;
    let message = format!(
        "nothing was sent: it may be {}, and `--max-changes` allows {}",
        counted(creates, "create"),
        grouped(most as u64)
    );
    Some(Notice { exit: Exit::Usage, message, help: vec!["raise `--max-changes`".to_owned()] })
}

fn engine_options(args: &PaceArgs, config: &Config, local: bool) -> import::Options {
    let now = Instant::now();
    let default = if local { Rate::Unlimited } else { Rate::Fixed(DEFAULT_RATE) };
    let look_ups = if local { Rate::Unlimited } else { Rate::Fixed(LOOK_UP_RATE) };
    let asked = args.rate.unwrap_or(default);
    // The ceiling spares an account; nobody else waits for the embedded registry.
    let rate = match (config.max_rate.filter(|_| !local), asked) {
        (Some(most), Rate::Fixed(asked)) => Rate::Fixed(asked.min(most)),
        (Some(most), Rate::Unlimited) => Rate::Fixed(most),
        (None, asked) => asked,
    };
    import::Options {
        pace: Pace::new(rate, args.burst, now),
        look_up_pace: Pace::new(look_ups, None, now),
        concurrency: usize::from(args.concurrency),
        patience: args.limit_patience,
        settle: args.settle,
        seed: fastrand::u64(..),
    }
}

async fn submit(
    global: &Global,
    ready: &Ready,
    jobs: Vec<Job>,
    options: import::Options,
    log: &mut RunLog,
    mut signals: Signals,
) -> End {
    let (stop, stopped) = watch::channel(Stop::No);
    let listening = tokio::spawn(async move {
        let signal = signals.next().await;
        tracing::info!("signal {signal}: waiting for what is under way");
        let _ = stop.send(Stop::Drain { signal });
        let signal = signals.next().await;
        let _ = stop.send(Stop::Now { signal });
    });
    let mut progress = RunProgress::new(checking::progress(global), global.quiet, jobs.len());
    let (events, mut told) = tokio::sync::mpsc::unbounded_channel::<Event>();
    let service = ready.service.clone();
    let engine = tokio::spawn(import::run(service, jobs, options, stopped, move |event| {
        // Nobody listens any more only where this function was given up.
        let _ = events.send(event);
    }));
    let mut tick = tokio::time::interval(Duration::from_millis(200));
    loop {
        tokio::select! {
            event = told.recv() => match event {
                Some(event) => {
                    progress.event(&event);
                    if let Event::Settled(settled) = event {
                        log.settle(settled);
                    }
                }
                None => break,
            },
            _ = tick.tick() => progress.tick(),
        }
    }
    progress.finish();
    listening.abort();
    match engine.await {
        Ok(end) => end,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => End::Interrupted { signal: 15 },
        },
    }
}

/// Says why the run ended early, if it did, and how the process ends.
fn finish(global: &Global, args: &Import, log: &RunLog, end: &End) -> Exit {
    let counts = log.counts();
    let count = |outcome: Outcome| counts.of(outcome);
    let mut exit = Exit::Success;
    let failed = [Outcome::Invalid, Outcome::Rejected, Outcome::Conflict, Outcome::Differs];
    if failed.iter().any(|outcome| count(*outcome) > 0) {
        exit = Exit::Findings;
    }
    if count(Outcome::Unresolved) > 0 {
        exit = exit.and(Exit::Stopped);
    }
    if let Some(notice) = ended_early(args, end, count(Outcome::Pending)) {
        notice.show(global);
        exit = exit.and(notice.exit);
    }
    exit
}

fn ended_early(args: &Import, end: &End, pending: usize) -> Option<Notice> {
    let left = counted(pending, "artifact");
    let again = format!("{left} left; run it again to go on: `{}`", command(args));
    let (exit, message, mut help) = match end {
        End::Done => return None,
        End::Interrupted { signal } => (
            Exit::Signal(*signal),
            "interrupted: what was under way was waited for".to_owned(),
            vec![],
        ),
        End::OutOfPatience { cause, refusal } => {
            let patience = humane(args.pace.limit_patience);
            let said = escaped(&refusal.to_string());
            let message = match cause {
                Cause::Limit => {
                    format!("stopped at a limit that did not lift in {patience}: {said}")
                }
                Cause::Unreachable => format!("stopped: no connection in {patience}: {said}"),
                Cause::Expired => format!("stopped: no valid credentials in {patience}: {said}"),
                Cause::Throttled => {
                    format!("stopped: nothing but throttling in {patience}: {said}")
                }
            };
            let help = match cause {
                Cause::Limit => vec![
                    "raise the quota in Service Quotas, or remove artifacts; `--limit-patience` waits longer"
                        .to_owned(),
                ],
                Cause::Expired => vec!["log in again".to_owned()],
                _ => vec![],
            };
            (Exit::Stopped, message, help)
        }
        End::Denied { action, refusal } => {
            let message = format!("stopped: denied: {}", escaped(&refusal.to_string()));
            (Exit::Stopped, message, vec![format!("allow the caller the action {action}")])
        }
    };
    if pending > 0 {
        help.push(again);
    }
    Some(Notice { exit, message, help })
}

/// `2m`, as it was given.
fn humane(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |duration| format!("{duration:#}"))
}

/// The command that goes on.
fn command(args: &Import) -> String {
    let mut command = format!("lineload import{}", shell_words(&args.manifests));
    match (&args.target.local, &args.target.endpoint_url) {
        (Some(file), _) if file == Path::new(crate::cli::DEFAULT_REGISTRY) => {
            command.push_str(" --local");
        }
        (Some(file), _) => command.push_str(&format!(" --local={}", file.display())),
        (None, Some(url)) => command.push_str(&format!(" --endpoint-url {url}")),
        (None, None) => {}
    }
    for (name, value) in [("region", &args.target.region), ("profile", &args.target.profile)] {
        if let Some(value) = value {
            command.push_str(&format!(" --{name} {value}"));
        }
    }
    escaped(&command)
}

/// Checks, and says what would be sent.
fn dry_run(global: &Global, args: &Import, settings: &Settings) -> Result<Exit, Failure> {
    let (manifest, entries, checked) = check(global, args, settings)?;
    let valid: Vec<_> = entries.iter().filter_map(|entry| entry.artifact.as_ref()).collect();
    let mut out = Output::stdout(global.color.into());
    let nothing = args.require_valid && checked.errors > 0;
    if nothing {
        writeln!(
            out,
            "would send nothing: not every manifest is valid, and `--require-valid` is given"
        )?;
    } else {
        writeln!(out, "would create up to {}:", counted(valid.len(), "artifact"))?;
        let mut types: BTreeMap<&str, usize> = BTreeMap::new();
        for artifact in &valid {
            *types.entry(&artifact.artifact_type).or_default() += 1;
        }
        let mut types: Vec<_> = types.into_iter().collect();
        types.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        for (name, count) in types {
            writeln!(out, "  {:>8}  {}", grouped(count as u64), escaped(name))?;
        }
        if global.verbose > 0 {
            for artifact in &valid {
                let name = artifact.name.as_deref().unwrap_or("-");
                writeln!(out, "  {}  {}", escaped(name), escaped(&artifact.source.uri))?;
            }
        }
    }
    out.flush()?;
    let mut log = RunLog::new(&entries, &manifest.sources);
    log.finish(None);
    write_reports(&log, &args.report)?;
    Ok(if checked.errors > 0 { Exit::Findings } else { Exit::Success })
}

/// That every report can be written is found out before anything is sent.
fn reports_can_be_written(reports: &[std::path::PathBuf]) -> Result<(), Failure> {
    for path in reports {
        if path.extension().and_then(|ending| ending.to_str()) != Some("json") {
            let message = format!("no report can be written as `{}`", path.display());
            return Err(Failure::usage(message).help("name a file that ends in `.json`"));
        }
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.map_err(|error| report_failure(path, &error))?;
    }
    Ok(())
}

fn write_reports(log: &RunLog, reports: &[std::path::PathBuf]) -> Result<(), Failure> {
    for path in reports {
        let file = std::fs::File::create(path).map_err(|error| report_failure(path, &error))?;
        json::write(log, io::BufWriter::new(file)).map_err(|error| report_failure(path, &error))?;
    }
    Ok(())
}

fn report_failure(path: &Path, error: &io::Error) -> Failure {
    let reason = crate::walk::reason(error);
    Failure::usage(format!("the report `{}` cannot be written: {reason}", path.display()))
}
