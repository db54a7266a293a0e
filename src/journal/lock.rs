//! That one run at a time writes to a journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::JournalError;
use crate::walk::reason;

/// The lock of a journal, let go when it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the journal `file`, in a file beside it that names the holder. `path` is what
    /// the user calls it.
    pub(super) fn take(file: &Path, path: &Path) -> Result<Self, JournalError> {
        let unusable = |error: &std::io::Error| JournalError::Unusable {
            path: path.to_owned(),
            reason: reason(error),
        };
        let beside = beside(file);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&beside).map_err(|error| unusable(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.take(1024).read_to_string(&mut holder);
                let holder = match holder.trim() {
                    "" => "another lineload".to_owned(),
                    holder => crate::diagnostic::words::escaped(holder),
                };
                return Err(JournalError::Locked { path: path.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(&error)),
        }
        let since = jiff::Timestamp::now();
        let holder = format!("process {}, since {since:.0}", std::process::id());
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()));
        written.map_err(|error| unusable(&error))?;
        Ok(Self { _file: file })
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    path.with_file_name(name)
}
