//! The failed entries of a run, as manifests to fix and import again.
//!
//! In: a run of the journal, and a directory that is empty or not there. Out: what the target refused,
//! as manifests, and the files that held invalid artifacts. Whatever the journal calls a file, nothing
//! is written outside of the directory.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::destination::{self, DestinationError};
use crate::exit::Fatal;
use crate::journal::{JournalError, RunStatus, Status};
use crate::manifest::write;
use crate::text::{escaped, reason};

/// An error that keeps manifests from being written to a directory.
#[derive(Debug, thiserror::Error)]
pub enum ManifestsError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The directory must not be written.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// There is something in the directory.
    #[error("the directory `{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The directory, or a file in it, cannot be written.
    #[error("cannot write `{}`: {}", .0.display(), reason(.1))]
    Unwritten(PathBuf, #[source] io::Error),
}

impl Fatal for ManifestsError {
    fn help(&self) -> Vec<String> {
        match self {
            Self::Journal(error) => error.help(),
            Self::Destination(error) => error.help(),
            Self::NotEmpty(_) => vec!["choose a new one".to_owned()],
            Self::Unwritten(..) => Vec::new(),
        }
    }
}

/// The manifests that were written of the failed entries of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failed {
    /// Artifacts in the files.
    pub artifacts: usize,
    /// Files.
    pub files: usize,
}

/// The manifests that were copied for the invalid entries of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invalid {
    /// Invalid artifacts of the run.
    pub artifacts: usize,
    /// Files that were copied.
    pub copied: usize,
    /// Files that could not be read any more, each with the reason, escaped.
    pub lost: Vec<String>,
}

/// Checks that manifests may be written to `directory`.
///
/// # Errors
/// If it is not empty, leads through a symlink or cannot be read.
pub fn vacant(directory: &Path) -> Result<(), ManifestsError> {
    destination::check(directory)?;
    match fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(ManifestsError::NotEmpty(directory.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(ManifestsError::Unwritten(directory.to_owned(), error)),
    }
}

/// Writes what failed in `run` to `directory`, a file for each that it was read from.
///
/// # Errors
/// If the journal cannot be read or a file cannot be written.
pub fn failed(
    journal: &Status,
    run: &RunStatus,
    directory: &Path,
) -> Result<Failed, ManifestsError> {
    let mut files: BTreeSet<PathBuf> = BTreeSet::new();
    let mut artifacts = 0;
    journal.each_failed(&run.run, |entry, artifact| {
        let path = directory.join(inside(&entry.file));
        let error = entry.error.as_deref().unwrap_or("no details are known");
        let comment = format!("{}:{}: {}: {error}", entry.file, entry.line, entry.outcome);
        let start = if files.insert(path.clone()) { "" } else { "---\n" };
        let text = format!("{start}{}", write::commented(&artifact, &comment));
        artifacts += 1;
        with_parent(&path)
            .and_then(|()| destination::append(&path)?.write_all(text.as_bytes()))
            .map_err(|error| ManifestsError::Unwritten(path, error))
    })?;
    Ok(Failed { artifacts, files: files.len() })
}

/// Copies the files of `run` that had invalid artifacts to `directory`, as they are now.
///
/// # Errors
/// If the journal cannot be read or a file cannot be written.
pub fn invalid(
    journal: &Status,
    run: &RunStatus,
    directory: &Path,
) -> Result<Invalid, ManifestsError> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut invalid = Invalid::default();
    journal.each_invalid(&run.run, |entry| {
        invalid.artifacts += 1;
        names.insert(entry.file);
        Ok::<_, JournalError>(())
    })?;
    let working = journal.folder(&run.run)?.unwrap_or_default();
    for name in &names {
        let path = directory.join(inside(name));
        match fs::read(working.join(name)) {
            Ok(text) => {
                with_parent(&path)
                    .and_then(|()| destination::create(&path)?.write_all(&text))
                    .map_err(|error| ManifestsError::Unwritten(path, error))?;
                invalid.copied += 1;
            }
            // Standard input, and what was removed since.
            Err(error) => invalid.lost.push(format!("{}: {}", escaped(name), reason(&error))),
        }
    }
    Ok(invalid)
}

fn with_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Returns `file` as a path that stays within the directory it is put into.
fn inside(file: &str) -> PathBuf {
    // Two files stay two: `../a.yaml` and `a.yaml` must not become the same.
    let normal = |component| match component {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("parent")),
        Component::RootDir => Some(OsStr::new("root")),
        Component::Prefix(_) | Component::CurDir => None,
    };
    let mut path: PathBuf = Path::new(file).components().filter_map(normal).collect();
    let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    if !is_yaml {
        path.as_mut_os_string().push(".yaml");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_file_leads_out_of_the_directory() {
        let cases = [
            ("a/b.yaml", "a/b.yaml"),
            ("../../etc/passwd", "parent/parent/etc/passwd.yaml"),
            ("/home/x.yml", "root/home/x.yml"),
            ("<stdin>", "<stdin>.yaml"),
            ("./m.json", "m.json.yaml"),
        ];
        for (file, expected) in cases {
            assert_eq!(inside(file), Path::new(expected), "{file}");
        }
    }
}
