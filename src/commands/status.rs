//! `lineload status`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use super::Failure;
use crate::cli::{self, Global};
use crate::diagnostic::words::{counted, escaped};
use crate::exit::Exit;
use crate::journal::{JournalError, Status};
use crate::manifest::write;
use crate::report::output::Output;
use crate::report::status;
use crate::walk::reason;

/// Failed entries of a run that are listed.
const LISTED: u32 = 10;

pub(super) fn run(global: &Global, args: &cli::Status) -> Result<Exit, Failure> {
    if !args.journal.exists() {
        return Err(Failure::usage(format!("there is no journal {}", args.journal.display()))
            .help("`lineload import` makes one; `--journal FILE` names another"));
    }
    let journal = Status::open(&args.journal).map_err(|error| failure(&error))?;
    let runs = journal.runs(args.runs).map_err(|error| failure(&error))?;
    let mut out = Output::stdout(global.color.into());
    if let Some(folder) = &args.failed_manifests {
        return write_failed(&journal, folder, out);
    }
    for run in &runs {
        let failed = journal.failed(&run.run, LISTED).map_err(|error| failure(&error))?;
        status::write(&mut out, run, &failed)?;
    }
    status::finish(&mut out, runs.len())?;
    Ok(Exit::Success)
}

/// Writes what failed in the latest run to `folder`, a file for each that it was read from.
fn write_failed(journal: &Status, folder: &Path, mut out: impl io::Write) -> Result<Exit, Failure> {
    let unwritten = |path: &Path, error: &io::Error| {
        let path = escaped(&path.display().to_string());
        Failure::usage(format!("`{path}` cannot be written: {}", reason(error)))
    };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let folder = escaped(&folder.display().to_string());
                return Err(Failure::usage(format!("the folder `{folder}` is not empty"))
                    .help("name a new one"));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unwritten(folder, &error)),
    }
    let Some(run) = journal.runs(1).map_err(|error| failure(&error))?.into_iter().next() else {
        return Err(Failure::usage("no run yet"));
    };
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
            let mut file = File::options().append(true).create(true).open(&path)?;
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
        let folder = escaped(&folder.display().to_string());
        writeln!(out, "{artifacts} in {files}: mend them, then `lineload import {folder}`")?;
    }
    out.flush()?;
    Ok(Exit::Success)
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
        JournalError::Network { .. } => failure.help("name a file on a local disk: `--journal FILE`"),
        JournalError::Newer { .. } => failure.help("use that lineload, or another `--journal FILE`"),
        JournalError::Older { .. } => failure.help("the next import brings it up to date"),
        JournalError::NotAJournal { .. } => failure.help(
            "name another with `--journal FILE`: what is at the target already is then found by asking",
        ),
        JournalError::Unusable { .. } => failure.help("name another with `--journal FILE`"),
    }
}
