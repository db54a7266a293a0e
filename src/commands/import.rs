//! `lineload import`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Instant, SystemTime};

use super::checking::{self, Filter, Manifest};
use super::ending::{Ending, as_typed, reports_can_be_written, write_reports};
use super::run_policy::RunPolicy;
use super::runtime::{Stopping, block_on};
use super::session::{Progress, Session};
use super::settings::Settings;
use super::staging::fingerprints;
use super::status;
use super::target::{self, Ready};
use super::{Failure, Notice};
use crate::artifact::Stamp;
use crate::check::{Entries, Entry, Summary};
use crate::cli::{Global, Import, Manifests, Run};
use crate::exit::Exit;
use crate::journal::{Journal, JournalError, NewRun, RunId};
use crate::report::output::Output;
use crate::report::run::RunLog;
use crate::report::run::rows::JournalRows;
use crate::run::{End, Ledger, Place, Stage, Staged};
use crate::submission::Outcome;
use crate::text::{counted, escaped, grouped, secret};

pub(super) fn run(global: &Global, args: &Import) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    let run_policy = run_policy(args)?;
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
                let run = Importing { global, args, settings, ready: &ready, run_policy };
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

/// Returns what the run does about what exists.
fn run_policy(args: &Import) -> Result<RunPolicy, Failure> {
    let existing = &args.existing;
    if existing.prune && existing.on_exists != crate::cli::WhenExists::Update {
        return Err(Failure::usage("`--prune` removes nothing without `--on-exists update`"));
    }
    Ok(RunPolicy {
        on_exists: existing.on_exists(),
        drift: existing.drift(),
        stamp: stamp(&existing.set)?,
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
    run_policy: RunPolicy,
}

impl Importing<'_> {
    async fn go(self, mut journal: Journal, stopping: &Stopping) -> Result<Exit, Failure> {
        let Self { global, args, settings, ready, ref run_policy } = self;
        let policy = &run_policy.policy(args.recheck);
        status::show_note(global, &journal);
        let command = as_typed(None);
        let began = SystemTime::now();
        let id = uuid::Uuid::now_v7().to_string();
        let folder = std::env::current_dir().unwrap_or_default();
        let run = NewRun {
            id: &id,
            command: &command,
            folder: &folder.to_string_lossy(),
            settings: &run_policy.kept(),
        };
        let manifest = Manifest::find(&args.manifests, settings)?;
        let (staged, checked) = tokio::task::block_in_place(|| {
            let report = checking::human_report(global, &args.manifests);
            let staging = journal.begin(&run, &ready.target).map_err(|e| status::failure(&e))?;
            let mut stage = Stage::new(staging, &manifest.sources, policy);
            let checked = check(global, &args.manifests, settings, &manifest, report, &mut stage)?;
            let staged = stage.finish().map_err(|error| status::failure(&error))?;
            Ok::<_, Failure>((staged, checked))
        })?;
        // A check is not cut short, and nothing follows it.
        stopping.unless_stopped(async { Ok(()) }).await?;
        let Staged { run, mut ledger, unknown, left, .. } = staged;
        let mut log = RunLog::counted(ledger.outcomes());
        log.run = id;
        log.begun_at(began);
        log.target = Some(ready.target.clone());
        log.known = staged.known;
        let refuse = |journal: Journal, log, ledger: &Ledger, notice: &Notice| {
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
        let session =
            Session { global, args: args_run, pace, config, ready, policy, stopping, began };
        let ending = Ending::new(global, args_run, pace, &command, &folder, checked.errors > 0);
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
        if let Some(notice) = too_many(args_run, changes) {
            return refuse(journal, log, &ledger, &notice);
        }
        session.agree(changes, &log).await?;
        // What other paths had left is theirs to resume.
        let covers = |file: &str| manifest.cover(&args.manifests, file);
        if left == 0 {
            let invalid = log.counts().of(Outcome::Invalid) > 0;
            let exit = ending.conclude(log, &ledger, &journal, &End::Done, None);
            keep_or_replace(journal, run, invalid, &covers)
                .map_err(|error| status::failure(&error))?;
            return Ok(exit);
        }
        let files = fingerprints(&ledger, &manifest);
        journal.make_ready(&run, &covers, &files).map_err(|error| status::failure(&error))?;
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
        tracing::warn!("the journal does not have the end of this run: {error}");
    }
    Ok(())
}

/// Ends a run that submits nothing.
pub(super) fn refuse(
    global: &Global,
    args: &Run,
    mut journal: Journal,
    run: RunId,
    mut log: RunLog,
    ledger: &Ledger,
    notice: &Notice,
) -> Result<Exit, Failure> {
    notice.show(global);
    log.finish(None);
    write_reports(&log, &JournalRows { ledger, journal: Some(&journal) }, &args.report)?;
    journal.discard(&run).map_err(|error| status::failure(&error))?;
    Ok(notice.exit)
}

/// Checks the manifests and shows what is found.
pub(super) fn check(
    global: &Global,
    manifests: &Manifests,
    settings: &Settings,
    manifest: &Manifest,
    mut report: Box<dyn crate::report::FindingsReport>,
    entries: &mut dyn Entries,
) -> Result<Summary, Failure> {
    let check = checking::Check {
        global,
        settings,
        manifest,
        threads: manifests.threads,
        filter: &Filter::default(),
    };
    let summary = checking::check(check, &mut *report, Some(entries))?;
    match manifest.none_found(manifests) {
        Some(failure) => Err(failure),
        None => Ok(summary),
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

/// Returns why nothing is sent where what `--set` adds is more than the service takes.
fn too_much((count, first, reason): &(usize, Place, String)) -> Notice {
    let message = format!(
        "nothing was sent: with `--set` {} too much, as {}:{}: {reason}",
        if *count == 1 {
            "1 artifact has".to_owned()
        } else {
            format!("{} have", counted(*count, "artifact"))
        },
        escaped(&first.file),
        first.line
    );
    Notice { exit: Exit::Usage, message, help: vec!["set fewer fields".to_owned()] }
}

/// Checks, and says what would be sent.
fn dry_run(global: &Global, args: &Import, settings: &Settings) -> Result<Exit, Failure> {
    let report = checking::human_report(global, &args.manifests);
    let manifest = Manifest::find(&args.manifests, settings)?;
    let mut entries: Vec<Entry> = Vec::new();
    let checked = check(global, &args.manifests, settings, &manifest, report, &mut entries)?;
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
    write_reports(&log, &log, &args.run.report)?;
    Ok(if checked.errors > 0 { Exit::Findings } else { Exit::Success })
}
