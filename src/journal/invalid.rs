//! Entries whose manifests were invalid, and so were never submitted.

use rusqlite::OptionalExtension as _;

use super::{JournalError, Status, schema};

/// An artifact that could not be sent, since its manifest has errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidEntry {
    /// Its file, as it is shown.
    pub file: String,
    /// The line it begins on, from 1.
    pub line: u32,
}

impl Status {
    /// Returns the invalid entries of `run`, in their order.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn invalid(&self, run: &str) -> Result<Vec<InvalidEntry>, JournalError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT file, line FROM entry
                 WHERE run = (SELECT id FROM run WHERE uuid = ?1) AND outcome = 'invalid'
                 ORDER BY id",
            )?;
            let rows = statement.query_map([run], |row| {
                Ok(InvalidEntry { file: row.get(0)?, line: row.get(1)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| schema::failure(&self.path, &error))
    }

    /// Returns the directory that the paths of `run` are relative to, if it is known.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn folder(&self, run: &str) -> Result<Option<std::path::PathBuf>, JournalError> {
        let folder = "SELECT folder FROM run WHERE uuid = ?1";
        let folder = self.connection.query_row(folder, [run], |row| row.get(0)).optional();
        let folder: Option<Option<String>> =
            folder.map_err(|error| schema::failure(&self.path, &error))?;
        Ok(folder.flatten().map(Into::into))
    }
}
