//! What a run does while it runs, as somebody beside it sees it.

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use rusqlite::params;

use super::{JournalError, Status, from_millis, millis, schema};
use crate::diagnostic::words::escaped;

/// Time over which settled entries are looked at.
const LATELY: Duration = Duration::from_secs(60);
/// Entries that were settled within so many milliseconds are told together.
const TOGETHER: i64 = 20;

/// Whether the process of a run that did not end is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunProcess {
    /// It is, and names itself so: `process 4711, since …`.
    Running(String),
    /// It is gone.
    Gone,
    /// It is gone, and another process holds the journal.
    Other(String),
}

impl Status {
    /// Returns whether the process of `run`, which did not end, is still there. To find that out, the
    /// lock of the journal is taken for a moment, if nobody has it.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn process(&self, run: &str) -> Result<RunProcess, JournalError> {
        let process = "SELECT process FROM run WHERE uuid = ?1";
        let process: i64 = self
            .connection
            .query_row(process, [run], |row| row.get(0))
            .map_err(|error| schema::failure(&self.path, &error))?;
        Ok(match self.holder() {
            None => RunProcess::Gone,
            Some(holder) if names(&holder, process) => RunProcess::Running(holder),
            Some(holder) => RunProcess::Other(holder),
        })
    }

    /// Returns the process that holds the lock of the journal, as it names itself.
    fn holder(&self) -> Option<String> {
        let file = std::fs::canonicalize(&self.path).ok()?;
        let mut name = file.file_name()?.to_owned();
        name.push(".lock");
        let lock = File::open(file.with_file_name(name)).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            Ok(()) | Err(TryLockError::Error(_)) => return None,
        }
        let mut holder = String::new();
        // It may not have written its name yet.
        let _ = lock.take(1024).read_to_string(&mut holder);
        Some(match holder.trim() {
            "" => "another lineload".to_owned(),
            holder => escaped(holder),
        })
    }

    /// Returns when entries of `run` were settled during the minute before `now`, and how many each
    /// time, in order.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn settled_lately(
        &self,
        run: &str,
        now: SystemTime,
    ) -> Result<Vec<(SystemTime, u64)>, JournalError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT max(settled_ms), count(*) FROM entry
                 WHERE run = (SELECT id FROM run WHERE uuid = ?1) AND settled_ms > ?2
                 GROUP BY settled_ms / ?3 ORDER BY 1",
            )?;
            let since = millis(now - LATELY);
            let rows = statement.query_map(params![run, since, TOGETHER], |row| {
                let many = u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
                Ok((from_millis(row.get(0)?), many))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| schema::failure(&self.path, &error))
    }
}

/// Whether `holder` is the process with this number, or does not say which it is.
fn names(holder: &str, process: i64) -> bool {
    let number = holder.split_once("process ").map(|(_, rest)| rest);
    let number =
        number.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    number.is_none_or(|number| number == process.to_string())
}
