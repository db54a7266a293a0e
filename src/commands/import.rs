//! `lineload import`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use super::checking::{self, Filter, Manifest};
use super::ending::{Stops, as_typed, conclude, reports_can_be_written, write_reports};
use super::manner::Manner;
use super::runtime::{Stopping, block_on};
use super::session::Session;
use super::settings::Settings;
use super::staging::Staging;
use super::status;
use super::target::{self, Ready};
use super::{Failure, Notice};
use crate::artifact::Stamp;
use crate::check::{Entry, Summary};
use crate::cli::{Global, Import, Manifests, Run};
use crate::diagnostic::secret;
use crate::diagnostic::words::{counted, escaped, grouped};
use crate::exit::Exit;
use crate::journal::Journal;
use crate::report::output::Output;
use crate::report::run::RunLog;
use crate::run::Job;

pub(super) fn run(global: &Global, args: &Import) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    let manner = manner(args)?;
    checking::none_is_read(&args.run.report, global, &args.manifests, settings)?;
    reports_can_be_written(&args.run.report)?;
    if args.dry_run {
        return dry_run(global, args, settings);
    }
    block_on(async {
        let stopping = Stopping::listen()?;
        // Before the check: a target that is not there is not worth waiting for.
        let timeout = args.pace.reach.timeout;
        let ready = target::connect(&args.target, &settings.config, timeout);
        let ready = stopping.unless_stopped(ready).await?;
        // A journal that cannot be written must be known of before anything is sent.
        let journal = Journal::open(&args.run.journal).map_err(|error| status::failure(&error));
        let exit = match journal {
            Ok(journal) => {
                let run = Importing { global, args, settings, ready: &ready, manner };
                run.go(journal, &stopping).await
            }
            Err(failure) => Err(failure),
        };
        if let Some(registry) = ready.registry {
            registry.stop().await;
        }
        exit
    })
}

/// How the run is to go about what exists.
pub(super) fn manner(args: &Import) -> Result<Manner, Failure> {
    let existing = &args.existing;
    if existing.prune && existing.on_exists != crate::cli::WhenExists::Update {
        return Err(Failure::usage("`--prune` removes nothing without `--on-exists update`"));
    }
    Ok(Manner {
        on_exists: existing.on_exists(),
        drift: existing.drift(),
        stamp: Arc::new(stamp(&existing.set)?),
        profile: args.target.profile.clone(),
    })
}

/// What `--set` sets.
pub(super) fn stamp(fields: &[String]) -> Result<Stamp, Failure> {
    let mut stamp = Stamp::default();
    for field in fields {
        let name = escaped(field.split('=').next().unwrap_or_default());
        if let Some((_, value)) = field.split_once('=')
            && secret::find(value).is_some()
        {
            let message = format!("the value of `--set {name}` looks like a credential");
            return Err(Failure::usage(message).help("keep it out of what everybody can read"));
        }
        let set = stamp.set(field);
        set.map_err(|error| Failure::usage(format!("`--set {name}`: {error}")))?;
    }
    Ok(stamp)
}

/// An import on its way.
struct Importing<'i> {
    global: &'i Global,
    args: &'i Import,
    settings: &'i Settings,
    ready: &'i Ready,
    manner: Manner,
}

impl Importing<'_> {
    async fn go(self, journal: Journal, stopping: &Stopping) -> Result<Exit, Failure> {
        let Self { global, args, settings, ready, ref manner } = self;

        let (manifest, mut entries, checked) = tokio::task::block_in_place(|| {
            check(
                global,
                &args.manifests,
                settings,
                checking::human_report(global, &args.manifests),
            )
        })?;
        // A check is not cut short, and nothing follows it.
        stopping.unless_stopped(async { Ok(()) }).await?;
        let mut log = RunLog::new(&entries, &manifest.sources);
        log.target = Some(ready.target.clone());
        if args.require_valid
            && let Some(notice) = invalid(&checked)
        {
            return refuse(global, &args.run, log, &notice);
        }
        let command = as_typed(None);
        let stops = Stops {
            command: &command,
            patience: args.pace.reach.limit_patience,
            max_duration: args.run.max_duration,
            findings: checked.errors > 0,
        };
        let asked = (&args.run, &args.pace);
        let config = &settings.config;
        let mut session = Session::new(global, asked, config, ready, manner, stopping);
        let began = Instant::now();
        let (journal, resolved) = match session.settle_open(journal).await? {
            Ok(settled) => settled,
            Err(end) => {
                log.finish(Some(began));
                return Ok(conclude(global, &stops, log, &end, &args.run.report));
            }
        };
        let jobs = session.jobs(&journal, &mut entries, &resolved, args.recheck, &mut log)?;
        if let Some(notice) = overstamped(&jobs, &log, &manner.stamp) {
            return refuse(global, &args.run, log, &notice);
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
        session.agree(&jobs, &log).await?;
        let staging = Staging { command: &command, manifest: &manifest, paths: &args.manifests };
        let began = Instant::now();
        let end = session.submit(journal, jobs, &staging, &mut log).await?;
        log.finish(Some(began));
        Ok(conclude(global, &stops, log, &end, &args.run.report))
    }
}

pub(super) fn refuse(
    global: &Global,
    args: &Run,
    mut log: RunLog,
    notice: &Notice,
) -> Result<Exit, Failure> {
    notice.show(global);
    log.finish(None);
    write_reports(&log, &args.report)?;
    Ok(notice.exit)
}

/// Checks the manifests and shows what is found.
pub(super) fn check(
    global: &Global,
    manifests: &Manifests,
    settings: &Settings,
    mut report: Box<dyn crate::report::FindingsReport>,
) -> Result<(Manifest, Vec<Entry>, Summary), Failure> {
    let manifest = Manifest::find(manifests, settings)?;
    let mut entries = Vec::new();
    let check = checking::Check {
        global,
        settings,
        manifest: &manifest,
        threads: manifests.threads,
        filter: &Filter::default(),
    };
    let summary = checking::check(check, &mut *report, Some(&mut entries))?;
    match manifest.none_found(manifests) {
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
pub(super) fn too_many(args: &Run, changes: usize) -> Option<Notice> {
    let most = args.max_changes.filter(|most| changes > *most)?;
    let message = format!(
        "nothing was sent: it may be {}, and `--max-changes` allows {}",
        counted(changes, "change"),
        grouped(most as u64)
    );
    Some(Notice { exit: Exit::Usage, message, help: vec!["raise `--max-changes`".to_owned()] })
}

/// Why nothing is sent where what `--set` adds is more than the service takes.
fn overstamped(jobs: &[Job], log: &RunLog, stamp: &Stamp) -> Option<Notice> {
    let much = |job: &Job| Some((job.entry, stamp.too_much_for(&job.artifact)?));
    let mut too_much = jobs.iter().filter_map(much);
    let (entry, reason) = too_much.next()?;
    let count = too_much.count() + 1;
    let first = log.entries.get(entry.0 as usize)?;
    let message = format!(
        "nothing was sent: with `--set` {} too much, as {}:{}: {reason}",
        if count == 1 {
            "1 artifact has".to_owned()
        } else {
            format!("{} have", counted(count, "artifact"))
        },
        escaped(&first.file),
        first.line
    );
    Some(Notice { exit: Exit::Usage, message, help: vec!["set fewer fields".to_owned()] })
}

/// Checks, and says what would be sent.
fn dry_run(global: &Global, args: &Import, settings: &Settings) -> Result<Exit, Failure> {
    let report = checking::human_report(global, &args.manifests);
    let (manifest, entries, checked) = check(global, &args.manifests, settings, report)?;
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
    write_reports(&log, &args.run.report)?;
    Ok(if checked.errors > 0 { Exit::Findings } else { Exit::Success })
}
