//! `lineload import`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::checking::{self, Filter, Manifest, shell_words};
use super::runtime::{Signals, block_on};
use super::session::Session;
use super::settings::Settings;
use super::status;
use super::target::{self, Ready};
use super::{Failure, Notice};
use crate::check::{Entry, Summary};
use crate::cli::{Global, Import, Pace as PaceArgs};
use crate::config::Config;
use crate::diagnostic::words::{counted, escaped, grouped};
use crate::event::Cause;
use crate::exit::Exit;
use crate::import::{self, End};
use crate::journal::Journal;
use crate::pace::{Limits, Pace, Rate};
use crate::report::output::Output;
use crate::report::run::format::{self, ReportError};
use crate::report::run::{RunLog, summary};
use crate::submission::Outcome;

/// Look-ups a second of anything but the local registry.
const LOOK_UP_RATE: f64 = 10.0;
/// Requests under way at once where nothing bounds the rate.
const UNLIMITED_CONCURRENCY: u16 = 16;
/// And where the rate does.
const CONCURRENCY: u16 = 1000;

pub(super) fn run(global: &Global, args: &Import) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    // Before anything is sent.
    format::can_be_written(&args.report).map_err(|error| report_failure(&error))?;
    if args.dry_run {
        return dry_run(global, args, settings);
    }
    block_on(async {
        let signals = Signals::listen()?;
        // Before the check: a target that is not there is not worth waiting for.
        let ready = target::connect(&args.target, &settings.config, args.pace.timeout).await?;
        // A journal that cannot be written must be known of before anything is sent.
        let journal = Journal::open(&args.journal).map_err(|error| status::failure(&error));
        let exit = match journal {
            Ok(journal) => import(global, args, settings, &ready, journal, signals).await,
            Err(failure) => Err(failure),
        };
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
    journal: Journal,
    signals: Signals,
) -> Result<Exit, Failure> {
    let (manifest, mut entries, checked) =
        tokio::task::block_in_place(|| check(global, args, settings))?;
    let mut log = RunLog::new(&entries, &manifest.sources);
    log.target = Some(ready.target.clone());
    if args.require_valid
        && let Some(notice) = invalid(&checked)
    {
        return refuse(global, args, log, &notice);
    }
    let mut session = Session::new(global, args, settings, ready, signals);
    let began = Instant::now();
    let (journal, recovered) = match session.settle_open(journal).await? {
        (journal, Ok(recovered)) => (journal, recovered),
        (_, Err(end)) => {
            log.finish(Some(began));
            write_reports(&log, &args.report)?;
            return Ok(finish(global, args, &log, &end));
        }
    };
    let jobs = session.jobs(&journal, &mut entries, &recovered, &mut log)?;
    if let Some(notice) = too_many(args, jobs.len()) {
        return refuse(global, args, log, &notice);
    }
    if !jobs.is_empty() {
        let agreed =
            tokio::task::block_in_place(|| target::agreed(&ready.target, jobs.len(), args.yes))?;
        if !agreed {
            return Err(Failure::usage("nothing was written"));
        }
    }
    let began = Instant::now();
    let end = session.submit(journal, jobs, &mut log).await?;
    log.finish(Some(began));
    write_reports(&log, &args.report)?;
    if !global.quiet {
        summary::write(&log, Output::stdout(global.color.into()))?;
    }
    Ok(finish(global, args, &log, &end))
}

fn refuse(
    global: &Global,
    args: &Import,
    mut log: RunLog,
    notice: &Notice,
) -> Result<Exit, Failure> {
    notice.show(global);
    log.finish(None);
    write_reports(&log, &args.report)?;
    Ok(notice.exit)
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

/// Why nothing is sent where every manifest must be valid, if one is not.
fn invalid(checked: &Summary) -> Option<Notice> {
    if checked.errors == 0 {
        return None;
    }
    let invalid = counted(checked.invalid(), "artifact");
    let what = if checked.invalid() > 0 {
        format!("{invalid} of {} invalid", grouped(checked.artifacts as u64))
    } else {
        counted(checked.errors, "error")
    };
    let message = format!("nothing was sent: {what}, and `--require-valid` is given");
    Some(Notice { exit: Exit::Findings, message, help: Vec::new() })
}

/// Why nothing is sent where it would be too much.
fn too_many(args: &Import, creates: usize) -> Option<Notice> {
    let most = args.max_changes.filter(|most| creates > *most)?;
    let message = format!(
        "nothing was sent: it may be {}, and `--max-changes` allows {}",
        counted(creates, "create"),
        grouped(most as u64)
    );
    Some(Notice { exit: Exit::Usage, message, help: vec!["raise `--max-changes`".to_owned()] })
}

pub(super) fn engine_options(args: &PaceArgs, config: &Config, local: bool) -> import::Options {
    let now = Instant::now();
    let (default, look_ups) = if local {
        (Rate::Unlimited, Rate::Unlimited)
    } else {
        (Rate::Auto, Rate::Fixed(LOOK_UP_RATE))
    };
    // The ceiling spares an account; nobody else waits for the embedded registry.
    let most = config.max_rate.filter(|_| !local).unwrap_or(f64::INFINITY);
    let (pace, concurrency) = match args.rate.unwrap_or(default) {
        Rate::Auto => {
            let headroom = f64::from(args.headroom) / 100.0;
            let limits = Limits { max_rate: args.max_rate.min(most), headroom };
            (Pace::auto(limits, args.burst, now), CONCURRENCY)
        }
        Rate::Fixed(rate) => (Pace::new(Rate::Fixed(rate.min(most)), args.burst, now), CONCURRENCY),
        Rate::Unlimited if most.is_finite() => {
            (Pace::new(Rate::Fixed(most), args.burst, now), CONCURRENCY)
        }
        Rate::Unlimited => (Pace::new(Rate::Unlimited, None, now), UNLIMITED_CONCURRENCY),
    };
    import::Options {
        pace,
        look_up_pace: Pace::new(look_ups, None, now),
        concurrency: usize::from(args.concurrency.unwrap_or(concurrency)),
        patience: args.limit_patience,
        settle: args.settle,
        seed: fastrand::u64(..),
        journal: None,
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
        End::Unnoted { reason } => {
            let message = format!(
                "stopped: {}; what cannot be noted is not sent, and what was under way is looked up \
                 by the next run",
                escaped(reason)
            );
            (Exit::Stopped, message, vec![])
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
pub(super) fn command(args: &Import) -> String {
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
    if args.yes {
        command.push_str(" --yes");
    }
    if let Some(rate) = &args.pace.rate {
        let rate = match rate {
            Rate::Fixed(rate) => rate.to_string(),
            rate => rate.to_string(),
        };
        command.push_str(&format!(" --rate {rate}"));
    }
    if args.journal != Path::new(crate::journal::DEFAULT) {
        command.push_str(&format!(" --journal {}", args.journal.display()));
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

fn report_failure(error: &ReportError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error.help() {
        Some(help) => failure.help(help),
        None => failure,
    }
}

fn write_reports(log: &RunLog, reports: &[PathBuf]) -> Result<(), Failure> {
    format::write(log, reports).map_err(|error| report_failure(&error))
}
