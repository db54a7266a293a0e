//! `lineload export`

use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::watch;

use super::paced;
use super::refusal::reads_ended;
use super::run_policy::stamp;
use super::target::{self, Ready};
use crate::cli::{Export, Global, To};
use crate::commands::failure::Failure;
use crate::commands::manifests::{rewrites, warn_of_unused};
use crate::commands::runtime::block_on;
use crate::commands::settings::Settings;
use crate::commands::terminal;
use crate::destination;
use crate::exit::Exit;
use crate::export::{self, Counts, Form, Selection, Snapshot, Stopped};
use crate::model::CLOUDFORMATION_RESOURCES_MAX;
use crate::pace::Paces;
use crate::report::export::{ExportProgress, closing, notes};
use crate::report::output::{Output, OutputError};
use crate::run::{Asker, Stop, stop};
use crate::submission::Target;
use crate::text::{counted, escaped};

pub(super) fn run(global: &Global, args: &Export) -> Result<Exit, Failure> {
    let settings = &Settings::load(global)?;
    destination::check(&args.output)?;
    export::vacant(&args.output, args.force)?;
    if let Some(file) = args.target.local.as_ref().filter(|file| !file.exists()) {
        return Err(Failure::usage(format!("local registry `{}` not found", file.display())).help(
            "choose another with `--local=FILE`, or create one with `lineload import \
                   --local`",
        ));
    }
    per_file(args)?;
    rewrites(&args.rewrite_uri)?;
    stamp(&args.set)?;
    let timeout = args.pace.reach.timeout;
    block_on(target::at(&args.target, &settings.config, timeout, async |ready, stopping| {
        stopping.sends();
        let stopped = stopping.stopped.clone();
        // The first signal waits for requests in flight, the second abandons them.
        tokio::select! {
            exit = export(global, args, settings, ready, stopped.clone()) => exit,
            end = stop::asked_twice(stopped) => Ok(end.exit(false)),
        }
    }))
}

async fn export(
    global: &Global,
    args: &Export,
    settings: &Settings,
    ready: &Ready,
    stopped: watch::Receiver<Stop>,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    // Before the list, which may take long.
    export::make(&args.output)?;
    let progress =
        Arc::new(Mutex::new(ExportProgress::new(terminal::progress(global), global.quiet)));
    let (paces, concurrency) = paces(args, settings, &ready.target);
    let patience = args.pace.reach.limit_patience;
    let asker = Asker::new(ready.service.clone(), paces, patience, fastrand::u64(..), stopped);
    let waiting = Arc::clone(&progress);
    let asker = asker.reporting(move |refusal, until| shown(&waiting).no_answer(refusal, until));
    let mut types = args.types.clone();
    types.sort_unstable();
    types.dedup();
    let selection = Selection { types, prefixes: args.prefixes.clone() };
    let rewrites = rewrites(&args.rewrite_uri)?.unwrap_or_default();
    let stamp = stamp(&args.set)?;
    let listed = |listed| shown(&progress).listed(listed);
    let catalogue = export::list(&asker, &selection, &rewrites, listed).await;
    let catalogue = match catalogue {
        Ok(catalogue) => catalogue,
        Err(stopped) => {
            shown(&progress).finish();
            return Ok(report_stop(global, &stopped, &Counts::default()));
        }
    };
    let form = match args.to {
        To::Manifests => Form::Manifests,
        To::Cloudformation => Form::CloudFormation,
    };
    let layout = catalogue.into_layout(per_file(args)?, form);
    shown(&progress).fetching(layout.len());
    let mut snapshot = Snapshot::new(&args.output, &layout, &settings.config.rules);
    let end = export::fetch(&asker, &layout, concurrency, |at, fetched| {
        shown(&progress).fetched(at + 1);
        snapshot.take(at, fetched.changed(&rewrites, &stamp))
    })
    .await;
    shown(&progress).finish();
    let counts = snapshot.counts();
    warn(global, &notes(counts, &layout));
    if layout.is_empty() && end.is_ok() {
        warn(global, &["no artifact at the target matches".to_owned()]);
    }
    if end.is_ok() {
        warn_of_unused(&rewrites, global);
    }
    let manifests = if form == Form::Manifests { counts.files } else { 0 };
    let others = if args.force { others(&args.output, manifests) } else { 0 };
    if others > 0 {
        let others = counted(others, "other manifest");
        let folder = escaped(&args.output.display().to_string());
        warn(global, &[format!("{others} in `{folder}`: `lint` and `import` will read them too")]);
    }
    let exit = match &end {
        Err(stopped) => report_stop(global, stopped, counts),
        Ok(()) if counts.refused + counts.without_source > 0 => Exit::Findings,
        Ok(()) => Exit::Success,
    };
    if global.quiet {
        return Ok(exit);
    }
    let mut out = Output::stdout(global.color.into());
    let closed = writeln!(out, "{}", closing(counts, &layout, &args.output, began.elapsed()));
    match closed.and_then(|()| out.flush()) {
        Ok(()) => Ok(exit),
        // What was written stays written.
        Err(error) => {
            let failure = Failure { exit: Exit::Stopped, ..OutputError(error).into() };
            failure.show(global);
            Ok(exit.and(failure.exit))
        }
    }
}

/// Returns the number of artifacts in a file.
fn per_file(args: &Export) -> Result<usize, Failure> {
    let most = CLOUDFORMATION_RESOURCES_MAX;
    let number = match (args.to, args.per_file) {
        (To::Manifests, number) => number.unwrap_or(1),
        (To::Cloudformation, None) => most,
        (To::Cloudformation, Some(number)) if (1..=most).contains(&number) => number,
        (To::Cloudformation, Some(_)) => {
            let message = format!("a CloudFormation template has at most {most} resources");
            return Err(Failure::usage(message).help(format!("set `--per-file` to 1 to {most}")));
        }
    };
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

/// Returns the progress, which the asker shares.
fn shown(progress: &Mutex<ExportProgress>) -> MutexGuard<'_, ExportProgress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the number of manifests in `folder` besides the `written` ones.
fn others(folder: &std::path::Path, written: usize) -> usize {
    let is_manifest = |entry: &walkdir::DirEntry| {
        let ending = entry.path().extension().and_then(|ending| ending.to_str());
        entry.file_type().is_file() && matches!(ending, Some("yaml" | "yml"))
    };
    let all = walkdir::WalkDir::new(folder).into_iter().flatten().filter(is_manifest).count();
    all.saturating_sub(written)
}

fn paces(args: &Export, settings: &Settings, target: &Target) -> (Paces, usize) {
    let asked = paced::Asked {
        rate: args.pace.rate,
        max_rate: args.pace.max_rate,
        headroom: args.pace.headroom,
        burst: None,
    };
    let (paces, concurrency) = paced::exporting(&asked, &settings.config, target);
    (paces, usize::from(args.pace.reach.concurrency.unwrap_or(concurrency)))
}

fn warn(global: &Global, notes: &[String]) {
    let mut err = anstream::AutoStream::new(std::io::stderr().lock(), global.color.into());
    for note in notes {
        // Standard error may be closed.
        let _ = writeln!(err, "\x1b[1;33mwarning:\x1b[0m {note}");
    }
}

/// Says why the export ended early, and how the process ends.
fn report_stop(global: &Global, stopped: &Stopped, counts: &Counts) -> Exit {
    let notice = notice(stopped, counts);
    notice.show(global);
    notice.exit
}

fn notice(stopped: &Stopped, counts: &Counts) -> Failure {
    let mut exit = Exit::Stopped;
    let mut help = Vec::new();
    let message = match stopped {
        Stopped::Denied { action, refusal } => {
            help.push(format!("allow the caller {action} in an IAM policy"));
            format!("stopped: denied: {refusal}")
        }
        Stopped::NoList(refusal) => format!("stopped: cannot list the artifacts: {refusal}"),
        Stopped::Unwritten(error) => {
            if counts.files == 0 {
                exit = Exit::Usage;
            }
            format!("stopped: {error}")
        }
        Stopped::Ended(end) => {
            let ended = reads_ended(end, "stopped", "sagemaker:ListArtifacts", counts.files > 0);
            (exit, help) = (ended.exit, ended.help);
            ended.message
        }
    };
    if counts.files > 0 {
        help.push(format!(
            "{} written, each complete; run it again with `--force` to export the rest",
            counted(counts.files, "file")
        ));
    }
    Failure { exit, message, help }
}
