//! Migrations of the tables of older versions.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, params};

use super::{notes, request, runs, tables};
use crate::artifact::Artifact;

/// From version 1, which recorded only what it had created itself.
const FROM_1: &str = "
ALTER TABLE run ADD COLUMN folder TEXT;
ALTER TABLE run ADD COLUMN settings TEXT;
ALTER TABLE run ADD COLUMN rate REAL;
ALTER TABLE known ADD COLUMN modified_ms INTEGER;
ALTER TABLE known ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
UPDATE known SET made = 1;
CREATE TABLE file (
    run INTEGER NOT NULL REFERENCES run (id),
    path TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;
";

/// From version 3, in which no run deletes.
const FROM_3: &str = "
DROP VIEW runs;
DROP VIEW entries;
ALTER TABLE run ADD COLUMN deletes INTEGER NOT NULL DEFAULT 0;
";

/// Puts the tables of version 2 out of the way.
const RENAME_OLD: &str = "
DROP VIEW runs;
DROP VIEW entries;
DROP INDEX entry_by_run;
DROP INDEX entry_open;
ALTER TABLE target RENAME TO target_2;
ALTER TABLE run RENAME TO run_2;
ALTER TABLE entry RENAME TO entry_2;
ALTER TABLE known RENAME TO known_2;
ALTER TABLE file RENAME TO file_2;
";

/// The part that can be copied as it is. The numbers of a run's entries follow one another already;
/// those of two runs may overlap at the end, where the last entries of the earlier one were
/// discarded, and so they are taken from the existing rows.
const COPY: &str = "
INSERT INTO target (id, identity, description) SELECT id, identity, description FROM target_2;
INSERT INTO run (id, uuid, target, command, started_ms, process, ended_ms, ending, folder, settings,
    rate, ready, first, last, entries)
SELECT run_2.id, uuid, target, command, started_ms, process, ended_ms, ending, folder, settings,
    rate, 1, coalesce(min(entry_2.id), 0), coalesce(max(entry_2.id), -1), count(entry_2.id)
FROM run_2 LEFT JOIN entry_2 ON entry_2.run = run_2.id GROUP BY run_2.id;
INSERT INTO file (run, path, digest) SELECT run, path, digest FROM file_2;
INSERT INTO file (run, path, digest) SELECT DISTINCT run, file, zeroblob(32) FROM entry_2
WHERE NOT EXISTS (SELECT 1 FROM file_2 WHERE file_2.run = entry_2.run AND path = entry_2.file);
CREATE INDEX file_2_path ON file (run, path);
INSERT INTO open (entry, attempts, first_ms, intent_ms)
SELECT id, iif(outcome IS NULL, attempts, 0), intent_ms, intent_ms FROM entry_2
WHERE intent_ms IS NOT NULL AND (outcome IS NULL OR outcome = 'unresolved');
";

const DROP: &str = "
DROP INDEX file_2_path;
DROP TABLE known_2;
DROP TABLE file_2;
DROP TABLE entry_2;
DROP TABLE run_2;
DROP TABLE target_2;
";

/// Migrates the tables of `version` to the current schema.
pub(super) fn migrate(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    if version == 3 {
        connection.execute_batch(FROM_3)?;
        return connection.execute_batch(tables::VIEWS);
    }
    if version < 2 {
        connection.execute_batch(FROM_1)?;
    }
    connection.execute_batch(RENAME_OLD)?;
    connection.execute_batch(tables::TABLES)?;
    connection.execute_batch(COPY)?;
    entries(connection)?;
    connection.execute_batch(
        "INSERT INTO source (source, entry) SELECT source, id FROM entry ORDER BY source, id",
    )?;
    connection.execute_batch(DROP)?;
    connection.execute_batch(tables::VIEWS)?;
    let runs: Vec<i64> = connection
        .prepare("SELECT id FROM run")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    runs.into_iter().try_for_each(|run| runs::note_done(connection, run))
}

/// Copies entries and what became of them.
fn entries(connection: &Connection) -> rusqlite::Result<()> {
    let mut read = connection.prepare(
        "SELECT entry_2.id, entry_2.run, file.id, line, name, source_uri, entry_2.source,
         substr(entry_2.digest, 1, 16), entry_2.request, attempts, intent_ms, settled_ms, outcome,
         entry_2.arn, request_id, error_code, error_message, known_2.entry IS NOT NULL,
         known_2.digest != x'', modified_ms
         FROM entry_2 JOIN file ON file.run = entry_2.run AND path = entry_2.file
         LEFT JOIN run_2 ON run_2.id = entry_2.run
         LEFT JOIN known_2 ON known_2.target = run_2.target AND known_2.source = entry_2.source
         AND known_2.entry = entry_2.id ORDER BY entry_2.id",
    )?;
    let mut insert = connection.prepare(
        "INSERT INTO entry (id, run, file, line, name, source_uri, source, digest, request)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut result = connection.prepare(
        "INSERT INTO result (entry, attempts, intent_ms, settled_ms, outcome, prefix, arn, request_id,
         error_code, error_message, equal, modified_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let mut prefixes = notes::Prefixes::default();
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let artifact: Artifact =
            serde_json::from_str(row.get_ref(8)?.as_str()?).map_err(super::unreadable)?;
        insert.execute(params![
            id,
            column(row, 1)?,
            column(row, 2)?,
            column(row, 3)?,
            column(row, 4)?,
            column(row, 5)?,
            column(row, 6)?,
            column(row, 7)?,
            request::text(&artifact).map_err(super::unreadable)?,
        ])?;
        let (attempts, intent): (i64, Option<i64>) = (row.get(9)?, row.get(10)?);
        let outcome: Option<String> = row.get(12)?;
        // Attempts without a known response are in `open`.
        let attempts = if outcome.is_none() && intent.is_some() { 0 } else { attempts };
        if outcome.is_none() && attempts == 0 {
            continue;
        }
        let is_known: bool = row.get(17)?;
        let equal: Option<bool> = row.get(18)?;
        let (arn, request_id): (Option<String>, Option<String>) = (row.get(13)?, row.get(14)?);
        let (prefix, arn) = prefixes.kept(connection, arn.as_deref())?;
        result.execute(params![
            id,
            attempts,
            intent.filter(|_| outcome.is_some()),
            column(row, 11)?,
            outcome,
            prefix,
            arn,
            request_id.as_deref().map(notes::RequestId),
            column(row, 15)?,
            column(row, 16)?,
            equal.filter(|_| is_known),
            column(row, 19)?,
        ])?;
    }
    Ok(())
}

fn column<'r>(row: &'r rusqlite::Row<'_>, at: usize) -> rusqlite::Result<ToSqlOutput<'r>> {
    row.get_ref(at).map(ToSqlOutput::Borrowed)
}
