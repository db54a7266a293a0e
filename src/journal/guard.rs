//! Detects that another process removed, replaced or changed the files of a journal in use.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::file::beside;

/// The state of a journal's files, as this process left them.
#[derive(Debug)]
pub(super) struct Guard {
    /// The path as the user gave it: a symlink may be changed to lead elsewhere.
    path: PathBuf,
    log: PathBuf,
    /// True if times of changes are exact; those that a client of a network file system shows are
    /// not.
    exact: bool,
    /// The database and its WAL.
    left: Option<(Stamp, Stamp)>,
}

/// The identity, size and times of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    /// Device and inode.
    file: (u64, u64),
    links: u64,
    size: u64,
    /// The time when its content was changed, in seconds and nanoseconds.
    changed: (i64, i64),
}

impl Stamp {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            file: (metadata.dev(), metadata.ino()),
            links: metadata.nlink(),
            size: metadata.size(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        let changed = metadata.modified().ok();
        let since = changed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let since = since.unwrap_or_default();
        Self {
            file: (0, 0),
            links: 1,
            size: metadata.len(),
            changed: (
                i64::try_from(since.as_secs()).unwrap_or_default(),
                since.subsec_nanos().into(),
            ),
        }
    }

    fn read(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|metadata| Self::of(&metadata))
    }
}

impl Guard {
    /// `file` is the journal itself, and `path` what the user calls it.
    pub(super) fn new(path: &Path, file: &Path, exact: bool) -> Self {
        Self { path: path.to_owned(), log: beside(file, "-wal"), exact, left: None }
    }

    /// Checks that the files are as they were left. What is wrong with them otherwise.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let Some((main, log)) = &self.left else { return Ok(()) };
        self.same(&self.path, main)?;
        self.same(&self.log, log)
    }

    fn same(&self, path: &Path, left: &Stamp) -> Result<(), &'static str> {
        let now = Stamp::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "it was removed during the run",
            _ => "it can no longer be read",
        })?;
        if now.file != left.file {
            return Err("it was replaced by another file during the run");
        }
        if now.links != 1 {
            return Err("a hard link to it was created during the run");
        }
        if now.size < left.size || (self.exact && now != *left) {
            return Err("it was changed by another program during the run");
        }
        Ok(())
    }

    /// Records the state of the files after a write of this process.
    pub(super) fn note(&mut self) -> Result<(), &'static str> {
        let (Ok(main), Ok(log)) = (Stamp::read(&self.path), Stamp::read(&self.log)) else {
            return Err("it was removed during the run");
        };
        if let Some((left, left_log)) = &self.left
            && (left.file != main.file || left_log.file != log.file)
        {
            return Err("it was replaced by another file during the run");
        }
        self.left = Some((main, log));
        Ok(())
    }
}
