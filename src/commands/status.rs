//! `lineload status`

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use super::Failure;
use super::checking::{misdirected, shell_word};
use crate::cli::{self, Global, StatusFormat};
use crate::destination;
use crate::exit::Exit;
use crate::journal::{JournalError, RunStatus, Status};
use crate::manifest::write;
use crate::report::output::Output;
use crate::report::status::{self, RunProcess, RunReport};
use crate::text::{counted, escaped, reason};

/// Failed entries of a run that are listed.
const LISTED: u32 = 10;

pub(super) fn run(global: &Global, args: &cli::Status) -> Result<Exit, Failure> {
    if !args.journal.exists() {
        let path = escaped(&args.journal.display().to_string());
        return Err(Failure::usage(format!("there is no journal `{path}`"))
            .help("`lineload import` makes one; `--journal FILE` names another"));
    }
    let folders = [&args.failed_manifests, &args.invalid_manifests].map(Option::as_deref);
    for folder in folders.iter().flatten() {
        destination::check(folder).map_err(|error| misdirected(&error))?;
        empty(folder)?;
    }
    if folders[0].is_some() && folders[0] == folders[1] {
        return Err(Failure::usage(
            "`--failed-manifests` and `--invalid-manifests` name one directory",
        )
        .help("name a directory for each"));
    }
    let journal = Status::open(&args.journal).map_err(|error| failure(&error))?;
    let mut out = Output::stdout(global.color.into());
    if folders.iter().any(Option::is_some) {
        let run = journal.runs(1).map_err(|error| failure(&error))?.into_iter().next();
        let Some(run) = run else { return Err(Failure::usage("no run yet")) };
        if let Some(folder) = folders[0] {
            write_failed(&journal, &run, folder, &mut out)?;
        }
        if let Some(folder) = folders[1] {
            write_invalid(&journal, &run, folder, &mut out)?;
        }
        out.flush()?;
        return Ok(Exit::Success);
    }
    let runs = journal.runs(args.runs).map_err(|error| failure(&error))?;
    let mut reports = Vec::new();
    for run in runs {
        reports.push(report(&journal, run).map_err(|error| failure(&error))?);
    }
    match args.format {
        StatusFormat::Human => {
            reports.iter().try_for_each(|report| status::write(&mut out, report))?;
            status::finish(&mut out, reports.len())?;
        }
        StatusFormat::Json => status::write_json(&mut out, &reports)?,
    }
    Ok(Exit::Success)
}

fn report(journal: &Status, run: RunStatus) -> Result<RunReport, JournalError> {
    let failed = journal.failed(&run.run, LISTED)?;
    let process = match (&run.ended, &run.holder, journal.holder()) {
        (Some(_), ..) => None,
        (None, Some(holder), _) => Some(RunProcess::Running(holder.to_string())),
        (None, None, Some(other)) => Some(RunProcess::Other(other.to_string())),
        (None, None, None) => Some(RunProcess::Gone),
    };
    let rate = run.settled_per_second;
    Ok(RunReport { run, failed, process, rate })
}

/// Says once what is to be known of where the journal is.
#[cfg(feature = "aws")]
pub(super) fn show_note(global: &Global, journal: &crate::journal::Journal) {
    let Some(note) = journal.note().filter(|_| !global.quiet) else { return };
    let mut err = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
    // Nobody may be there to read it.
    let _ = writeln!(err, "\x1b[33mnote:\x1b[0m {}", escaped(&note));
}

/// Checks that `folder` is empty, or not there.
fn empty(folder: &Path) -> Result<(), Failure> {
    let is_empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(unwritten(folder, &error)),
    };
    if is_empty {
        return Ok(());
    }
    let folder = escaped(&folder.display().to_string());
    Err(Failure::usage(format!("the directory `{folder}` is not empty")).help("name a new one"))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let path = escaped(&path.display().to_string());
    Failure::usage(format!("`{path}` cannot be written: {}", reason(error)))
}

/// Writes what failed in `run` to `folder`, a file for each that it was read from.
fn write_failed(
    journal: &Status,
    run: &RunStatus,
    folder: &Path,
    mut out: impl io::Write,
) -> Result<(), Failure> {
    let mut files: BTreeSet<PathBuf> = BTreeSet::new();
    let mut count = 0;
    journal.each_failed(&run.run, |entry, artifact| {
        let path = folder.join(inside(&entry.file));
        let error = entry.error.as_deref().unwrap_or("no more is known");
        let comment = format!("{}:{}: {}: {error}", entry.file, entry.line, entry.outcome);
        let mut write = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let mut file = destination::append(&path)?;
            let start = if files.insert(path.clone()) { "" } else { "---\n" };
            file.write_all(format!("{start}{}", write::commented(&artifact, &comment)).as_bytes())
        };
        count += 1;
        write().map_err(|error| unwritten(&path, &error))
    })?;
    if count == 0 {
        writeln!(out, "nothing failed in the latest run, of {}", escaped(&run.started))?;
    } else {
        let (artifacts, files) = (counted(count, "artifact"), counted(files.len(), "file"));
        let folder = shell_word(&folder.display().to_string());
        writeln!(out, "{artifacts} in {files}: fix them, then run `lineload import {folder}`")?;
    }
    Ok(())
}

/// Copies the files of `run` that had invalid artifacts to `folder`, as they are now.
fn write_invalid(
    journal: &Status,
    run: &RunStatus,
    folder: &Path,
    mut out: impl io::Write,
) -> Result<(), Failure> {
    let mut invalid = Vec::new();
    let each = journal.each_invalid(&run.run, |entry| {
        invalid.push(entry);
        Ok::<_, JournalError>(())
    });
    each.map_err(|error| failure(&error))?;
    let working = journal.folder(&run.run).map_err(|error| failure(&error))?.unwrap_or_default();
    let names: BTreeSet<&str> = invalid.iter().map(|entry| entry.file.as_str()).collect();
    let (mut copied, mut lost) = (0, Vec::new());
    for name in &names {
        let path = folder.join(inside(name));
        let copy = |text: &[u8]| {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            destination::create(&path)?.write_all(text)
        };
        match std::fs::read(working.join(name)) {
            Ok(text) => {
                copy(&text).map_err(|error| unwritten(&path, &error))?;
                copied += 1;
            }
            // Standard input, and what was removed since.
            Err(error) => lost.push(format!("{}: {}", escaped(name), reason(&error))),
        }
    }
    if names.is_empty() {
        writeln!(out, "nothing was invalid in the latest run, of {}", escaped(&run.started))?;
        return Ok(());
    }
    let (artifacts, files) = (counted(invalid.len(), "invalid artifact"), counted(copied, "file"));
    let folder = shell_word(&folder.display().to_string());
    writeln!(
        out,
        "{artifacts}, {files} copied: fix them (`lineload lint {folder}`), then run `lineload import {folder}`"
    )?;
    for lost in lost {
        writeln!(out, "not copied: {lost}")?;
    }
    Ok(())
}

/// `file` as a path that stays within the folder it is put into.
fn inside(file: &str) -> PathBuf {
    let normal = |component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    };
    let mut path: PathBuf = Path::new(file).components().filter_map(normal).collect();
    let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    if !is_yaml {
        path.as_mut_os_string().push(".yaml");
    }
    path
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        failure(&error)
    }
}

/// What a journal that cannot be used means for a command.
pub(super) fn failure(error: &JournalError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        JournalError::Locked { .. } => {
            failure.help("wait for it to end, or name another with `--journal FILE`")
        }
        JournalError::Network { .. } => failure.help("name a file on a local disk: `--journal /tmp/journal.sqlite3`"),
        JournalError::Newer { .. } => failure.help("use that lineload, or another `--journal FILE`"),
        JournalError::Older { .. } => failure.help("the next import brings it up to date"),
        JournalError::NotAJournal { .. } => failure.help(
            "name another with `--journal FILE`: what is at the target already is then found by asking",
        ),
        JournalError::Unusable { .. } => failure.help("name another with `--journal FILE`"),
    }
}
