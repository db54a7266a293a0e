//! `lineload status`

use std::io::{self, Write as _};
use std::path::Path;

use super::failure::Failure;
use crate::cli::{self, Global, StatusFormat};
use crate::exit::Exit;
use crate::journal::{RunStatus, Status};
use crate::report::output::{Output, OutputError};
use crate::report::status::manifests::{self, Failed, Invalid};
use crate::report::status::{self, RunReport};
use crate::submission::RunKind;
use crate::text::{counted, escaped, shell_word};

/// The number of runs among which the latest import is looked for.
const RUNS: u32 = 100;

pub(super) fn run(global: &Global, args: &cli::Status) -> Result<Exit, Failure> {
    if let Some(missing) = args.journal.iter().find(|journal| !journal.exists()) {
        return Err(no_journal(missing));
    }
    let directories = [&args.failed_manifests, &args.invalid_manifests].map(Option::as_deref);
    directories.iter().flatten().try_for_each(|directory| manifests::vacant(directory))?;
    if directories[0].is_some() && directories[0] == directories[1] {
        return Err(Failure::usage(
            "`--failed-manifests` and `--invalid-manifests` are the same directory",
        )
        .help("use a different directory for each"));
    }
    let mut out = Output::stdout(global.color.into());
    if directories.iter().any(Option::is_some) {
        let [journal] = args.journal.as_slice() else {
            let message = "`--failed-manifests` and `--invalid-manifests` are about one journal";
            return Err(Failure::usage(message).help("write those of each journal on its own"));
        };
        let journal = Status::open(journal)?;
        // What could not be deleted is no manifest to fix.
        let run = journal.runs(RUNS)?.into_iter().find(|run| run.kind == RunKind::Import);
        let Some(run) = run else { return Err(Failure::usage("no imports yet")) };
        if let Some(directory) = directories[0] {
            let failed = manifests::failed(&journal, &run, directory)?;
            show_failed(&mut out, &run, failed, directory).map_err(OutputError)?;
        }
        if let Some(directory) = directories[1] {
            let invalid = manifests::invalid(&journal, &run, directory)?;
            show_invalid(&mut out, &run, &invalid, directory).map_err(OutputError)?;
        }
        out.flush().map_err(OutputError)?;
        return Ok(Exit::Success);
    }
    let mut reports = Vec::new();
    for file in &args.journal {
        let journal = Status::open(file)?;
        for run in journal.runs(args.runs)? {
            reports.push(RunReport::read(&journal, run)?);
        }
    }
    let adds_up = args.journal.len() > 1;
    match args.format {
        StatusFormat::Human => reports
            .iter()
            .try_for_each(|report| status::write(&mut out, report))
            .and_then(|()| status::finish(&mut out, &reports, adds_up)),
        StatusFormat::Json => status::write_json(&mut out, &reports, adds_up),
    }
    .map_err(OutputError)?;
    Ok(Exit::Success)
}

/// Returns that there is no journal where one is named.
pub(super) fn no_journal(journal: &Path) -> Failure {
    Failure::usage(format!("journal `{}` not found", journal.display()))
        .help("`lineload import` creates one; choose another with `--journal FILE`")
}

fn show_failed(
    mut out: impl io::Write,
    run: &RunStatus,
    failed: Failed,
    directory: &Path,
) -> io::Result<()> {
    if failed.artifacts == 0 {
        return writeln!(out, "nothing failed in the latest run ({})", escaped(&run.started));
    }
    let (artifacts, files) = (counted(failed.artifacts, "artifact"), counted(failed.files, "file"));
    let directory = shell_word(&directory.display().to_string());
    writeln!(out, "{artifacts} in {files}: fix them, then run `lineload import {directory}`")
}

fn show_invalid(
    mut out: impl io::Write,
    run: &RunStatus,
    invalid: &Invalid,
    directory: &Path,
) -> io::Result<()> {
    if invalid.artifacts == 0 {
        return writeln!(out, "nothing was invalid in the latest run ({})", escaped(&run.started));
    }
    let artifacts = counted(invalid.artifacts, "invalid artifact");
    let files = counted(invalid.copied, "file");
    let directory = shell_word(&directory.display().to_string());
    writeln!(
        out,
        "{artifacts}, {files} copied: fix them (`lineload lint {directory}`), then run `lineload \
         import {directory}`"
    )?;
    invalid.lost.iter().try_for_each(|lost| writeln!(out, "not copied: {lost}"))
}
