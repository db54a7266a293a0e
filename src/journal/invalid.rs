//! Manifests that were invalid, and so were never staged.

use rusqlite::{OptionalExtension as _, params};

use super::{Journal, JournalError, Status, schema};

/// An artifact that could not be sent, since its manifest has errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidEntry {
    /// Its file, as it is shown.
    pub file: String,
    /// The line it begins on, from 1.
    pub line: u32,
    /// How many different rules it breaks, if that is known.
    pub code_count: u32,
}

impl Journal {
    /// Notes the invalid entries of the run with this id.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn note_invalid(
        &mut self,
        run: &str,
        entries: impl IntoIterator<Item = InvalidEntry>,
    ) -> Result<(), JournalError> {
        let write = || {
            let transaction = self.connection.transaction()?;
            {
                let mut insert = transaction.prepare(
                    "INSERT INTO invalid (run, file, line, code_count)
                     SELECT id, ?2, ?3, ?4 FROM run WHERE uuid = ?1",
                )?;
                for one in entries {
                    insert.execute(params![run, one.file, one.line, one.code_count])?;
                }
            }
            transaction.commit()
        };
        write().map_err(|error| schema::failure(&self.path, &error))
    }
}

impl Status {
    /// Returns the invalid entries of `run`, in their order; `None` where the journal does not keep
    /// them, being of an earlier lineload.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn invalid(&self, run: &str) -> Result<Option<Vec<InvalidEntry>>, JournalError> {
        let read = || {
            let keeps = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'invalid'";
            if self.connection.query_row(keeps, [], |_| Ok(())).optional()?.is_none() {
                return Ok(None);
            }
            let mut statement = self.connection.prepare(
                "SELECT file, line, code_count FROM invalid
                 WHERE run = (SELECT id FROM run WHERE uuid = ?1) ORDER BY rowid",
            )?;
            let rows = statement.query_map([run], |row| {
                Ok(InvalidEntry { file: row.get(0)?, line: row.get(1)?, code_count: row.get(2)? })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>().map(Some)
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
