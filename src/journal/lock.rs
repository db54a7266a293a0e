//! The lock by which one run at a time writes to a journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::JournalError;
use super::file::{Network, beside, private};
use super::holder::{self, Holder};
use super::lease::{self, Lease};
use crate::text::reason;

/// Returns who has the journal `file`, as its lock file names it.
pub(super) fn holder(file: &Path) -> Option<Holder> {
    let mut text = String::new();
    File::open(beside(file, ".lock")).ok()?.take(1024).read_to_string(&mut text).ok()?;
    Holder::parse(&text)
}

/// The lock of a journal, released when it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
    /// The lease, if other machines may use the journal too.
    lease: Option<Lease>,
}

impl Lock {
    /// Takes the lock of the journal `file`, in a file beside it that names the holder. `path` is
    /// what the user calls it.
    pub(super) fn take(
        file: &Path,
        path: &Path,
        network: Option<Network>,
    ) -> Result<Self, JournalError> {
        let unusable = |error: &io::Error| match network {
            Some(Network { kind, .. }) => JournalError::Network { path: path.to_owned(), kind },
            None => JournalError::Unusable { path: path.to_owned(), reason: reason(error) },
        };
        let lock = beside(file, ".lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let opened = private(&mut options).open(&lock);
        let mut file = opened.map_err(|error| JournalError::Unusable {
            path: path.to_owned(),
            reason: reason(&error),
        })?;
        let tried = file.try_lock();
        let mut text = String::new();
        let _ = (&file).take(1024).read_to_string(&mut text);
        let found = Holder::parse(&text);
        let locked = |holder: Option<&Holder>| JournalError::Locked {
            path: path.to_owned(),
            holder: holder.map_or_else(|| "another lineload process".to_owned(), Holder::to_string),
        };
        match tried {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(found.as_ref())),
            Err(TryLockError::Error(error)) => return Err(unusable(&error)),
        }
        let this = Holder::this();
        if network.is_some()
            && let Some(found) = &found
        {
            // The lock may be one of this machine alone.
            let age = lease::age(&file, &lock).map_err(|error| unusable(&error))?;
            if !lease::is_over(found, &this.machine, age, holder::started) {
                return Err(locked(Some(found)));
            }
        }
        let text = this.text();
        // Durable writes must be known to work before anything is sent.
        let written = file
            .set_len(0)
            .and_then(|()| io::Seek::rewind(&mut file))
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_all());
        written.map_err(|error| unusable(&error))?;
        let lease = match network {
            Some(_) => {
                let lease = Lease::begin(&file, &lock, text, found.is_some());
                let Some(lease) = lease.map_err(|error| unusable(&error))? else {
                    return Err(locked(holder(path).as_ref()));
                };
                Some(lease)
            }
            None => None,
        };
        Ok(Self { file, path: lock, lease })
    }

    /// Checks that the lock file is the one that this process holds, and names it still.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let gone = "its lock file was removed during the run";
        if let Some(lease) = &self.lease {
            return if lease.holds() { Ok(()) } else { Err("another run took its lock") };
        }
        let now = std::fs::metadata(&self.path).map_err(|_| gone)?;
        let ours = self.file.metadata().map_err(|_| gone)?;
        if same_file(&now, &ours) { Ok(()) } else { Err(gone) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A lock that another process holds must not be truncated.
        let ours = self.check().is_ok();
        self.lease = None;
        if ours {
            let _ = self.file.set_len(0);
        }
    }
}

#[cfg(unix)]
fn same_file(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
const fn same_file(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}
