//! Keeps checkpoints and readers apart.
//!
//! A run locks the journal exclusively, so SQLite allows no other reader. The database file changes
//! only when a checkpoint copies the WAL into it, and is consistent in between. So `lineload
//! status` reads that file alone, without SQLite's locks, while it holds the gate; and the run
//! makes a checkpoint every second, unless somebody holds it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::file::{beside, private};

/// The time to wait for a reader when the journal is closed.
const READER: Duration = Duration::from_secs(2);

/// The gate of a journal, for the process that writes to it.
#[derive(Debug)]
pub(super) struct Gate {
    file: File,
}

/// A gate that is held, until it is dropped.
#[derive(Debug)]
pub(super) struct Held<'g> {
    file: &'g File,
}

impl Gate {
    pub(super) fn open(journal: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        Ok(Self { file: private(&mut options).open(beside(journal, ".readers"))? })
    }

    /// Keeps readers out, if none is in.
    pub(super) fn close(&self) -> Option<Held<'_>> {
        self.file.try_lock().ok().map(|()| Held { file: &self.file })
    }

    /// Locks readers out, after waiting briefly for current ones.
    pub(super) fn close_soon(&self) -> Option<Held<'_>> {
        let until = Instant::now() + READER;
        loop {
            let held = self.close();
            if held.is_some() || Instant::now() >= until {
                return held;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Holds the gate open for a reader of `journal`, until the file is dropped. `None` where no
    /// run with this version has ever used it.
    pub(super) fn hold_open(journal: &Path) -> io::Result<Option<File>> {
        match File::open(beside(journal, ".readers")) {
            Ok(file) => file.lock_shared().map(|()| Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}
