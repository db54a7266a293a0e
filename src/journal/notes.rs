//! Intents and outcomes, as rows.

use std::collections::HashMap;
use std::time::SystemTime;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};
use uuid::Uuid;

use super::{RunId, millis, runs};
use crate::event::Settled;
use crate::submission::{EntryId, Outcome};

/// The maximum length of a stored error message, in bytes.
const MAX_MESSAGE_BYTES: usize = 4096;

/// Writes notes for a run.
#[derive(Debug)]
pub(super) struct Book {
    run: RunId,
    /// The number of this process among those that wrote at the target.
    invocation: i64,
    /// True if the run deletes: then no entry loses the ARN that it was staged with.
    deletes: bool,
    prefixes: Prefixes,
}

/// The prefixes of ARNs that were used.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    rows: HashMap<String, i64>,
}

impl Book {
    /// Begins to write for `run`.
    pub(super) fn open(connection: &Connection, run: RunId) -> rusqlite::Result<Self> {
        let invocation = connection.query_row(
            "UPDATE target SET invocations = invocations + 1
             WHERE id = (SELECT target FROM run WHERE id = ?1) RETURNING invocations",
            [run.0],
            |row| row.get(0),
        )?;
        let deletes = "SELECT deletes FROM run WHERE id = ?1";
        let deletes = connection.query_row(deletes, [run.0], |row| row.get(0))?;
        Ok(Self { run, invocation, deletes, prefixes: Prefixes::default() })
    }

    pub(super) const fn run(&self) -> RunId {
        self.run
    }

    /// Notes that an attempt is about to be made.
    pub(super) fn intend(
        &self,
        connection: &Connection,
        entry: EntryId,
        at: SystemTime,
    ) -> rusqlite::Result<()> {
        let mut intend = connection.prepare_cached(
            "INSERT INTO open (entry, attempts, first_ms, intent_ms)
             SELECT id, 1, ?2, ?2 FROM entry WHERE id = ?1
             ON CONFLICT (entry) DO UPDATE SET attempts = attempts + 1, intent_ms = ?2",
        )?;
        if intend.execute(params![entry.0, millis(at)])? == 0 {
            // The row was removed: what is not recorded must not be sent.
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        Ok(())
    }

    /// Notes that the attempts came to nothing.
    pub(super) fn withdraw(&self, connection: &Connection, entry: EntryId) -> rusqlite::Result<()> {
        let Some((attempts, _)) = close(connection, entry)? else { return Ok(()) };
        connection
            .prepare_cached(
                "INSERT INTO result (entry, attempts, invocation) VALUES (?1, ?2, ?3)
                 ON CONFLICT (entry) DO UPDATE SET attempts = attempts + excluded.attempts",
            )?
            .execute(params![entry.0, attempts, self.invocation])
            .map(drop)
    }

    /// Notes what became of an entry.
    pub(super) fn settle(
        &mut self,
        connection: &Connection,
        settled: &Settled,
    ) -> rusqlite::Result<()> {
        let entry = settled.entry;
        // An attempt without effect is no longer open, and the entry may be sent again.
        let outcome = (settled.outcome != Outcome::Pending).then(|| settled.outcome.as_str());
        let open = match settled.outcome {
            // An ambiguous attempt must be looked up again.
            Outcome::Unresolved => attempted(connection, entry)?,
            _ => close(connection, entry)?,
        };
        let (attempts, intent) = open.unwrap_or_default();
        let (prefix, arn) = self.prefixes.kept(connection, settled.arn.as_deref())?;
        let error = settled.error.as_ref();
        // An artifact that merely existed may differ in fields that a listing does not show, so
        // equality is known only of created or compared ones.
        let equal = match settled.outcome {
            // A listing shows another name or type, even if it was equal before.
            Outcome::Differs if settled.arn.is_some() => Some(false),
            outcome => settled.compared.then_some(outcome != Outcome::Differs),
        };
        connection
            .prepare_cached(
                "INSERT INTO result (entry, attempts, intent_ms, settled_ms, invocation, outcome,
                 prefix, arn, request_id, error_code, error_message, equal, modified_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 ON CONFLICT (entry) DO UPDATE SET attempts = attempts + excluded.attempts,
                 intent_ms = excluded.intent_ms, settled_ms = excluded.settled_ms,
                 invocation = excluded.invocation, outcome = excluded.outcome,
                 prefix = iif(?14 AND excluded.arn IS NULL, result.prefix, excluded.prefix),
                 arn = iif(?14 AND excluded.arn IS NULL, result.arn, excluded.arn), request_id = excluded.request_id,
                 error_code = excluded.error_code, error_message = excluded.error_message,
                 equal = excluded.equal, modified_ms = excluded.modified_ms",
            )?
            .execute(params![
                entry.0,
                attempts,
                intent.filter(|_| outcome.is_some()),
                millis(SystemTime::now()),
                self.invocation,
                outcome,
                prefix,
                arn,
                settled.request_id.as_deref().map(RequestId),
                error.and_then(|error| error.code.as_deref()).map(cut),
                error.map(|error| cut(&error.message)),
                equal,
                settled.modified.map(millis),
                self.deletes,
            ])
            .map(drop)
    }

    /// Notes how the run ended.
    pub(super) fn end(
        &self,
        connection: &Connection,
        ending: &str,
        rate: Option<f64>,
    ) -> rusqlite::Result<()> {
        connection.execute(
            "UPDATE run SET ended_ms = ?2, ending = ?3, rate = coalesce(?4, rate) WHERE id = ?1",
            params![self.run.0, millis(SystemTime::now()), ending, rate],
        )?;
        runs::note_done(connection, self.run.0)
    }
}

impl Prefixes {
    /// Returns an ARN as it is kept: the row of the prefix that others have too, and the 16 bytes
    /// of its id, where it has the usual form; or else all of it.
    pub(super) fn kept(
        &mut self,
        connection: &Connection,
        arn: Option<&str>,
    ) -> rusqlite::Result<(Option<i64>, Value)> {
        let Some(arn) = arn else { return Ok((None, Value::Null)) };
        let Some((prefix, id)) = split(arn) else {
            return Ok((None, Value::Text(arn.to_owned())));
        };
        let id = Value::Blob(id.to_vec());
        if let Some(row) = self.rows.get(prefix) {
            return Ok((Some(*row), id));
        }
        connection.execute("INSERT OR IGNORE INTO prefix (text) VALUES (?1)", [prefix])?;
        let row = "SELECT id FROM prefix WHERE text = ?1";
        let row = connection.query_row(row, [prefix], |row| row.get(0))?;
        self.rows.insert(prefix.to_owned(), row);
        Ok((Some(row), id))
    }
}

/// Closes the open attempts of an entry, and returns their number and the time of the last.
fn close(connection: &Connection, entry: EntryId) -> rusqlite::Result<Option<(u32, Option<i64>)>> {
    connection
        .prepare_cached("DELETE FROM open WHERE entry = ?1 RETURNING attempts, intent_ms")?
        .query_row([entry.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Returns the same, without closing the attempts.
fn attempted(
    connection: &Connection,
    entry: EntryId,
) -> rusqlite::Result<Option<(u32, Option<i64>)>> {
    let read = "SELECT attempts, intent_ms FROM open WHERE entry = ?1";
    let open = connection
        .prepare_cached(read)?
        .query_row([entry.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    connection
        .prepare_cached("UPDATE open SET attempts = 0 WHERE entry = ?1")?
        .execute([entry.0])?;
    Ok(open)
}

/// Splits an ARN that ends in 32 hexadecimal digits, from which it can be written again.
fn split(arn: &str) -> Option<(&str, [u8; 16])> {
    let (at, _) = arn.char_indices().rev().nth(31)?;
    let (prefix, digits) = arn.split_at(at);
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !prefix.ends_with('/') || !digits.bytes().all(is_digit) {
        return None;
    }
    Some((prefix, u128::from_str_radix(digits, 16).ok()?.to_be_bytes()))
}

/// Returns as much of a text as is kept.
pub(super) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_MESSAGE_BYTES)).unwrap_or(text)
}

/// A request id: 16 bytes if it is a UUID in the usual form.
pub(super) struct RequestId<'r>(pub(super) &'r str);

impl ToSql for RequestId<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = self.0;
        let uuid = Uuid::try_parse(text)
            .ok()
            .filter(|uuid| text == uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
        Ok(match uuid {
            Some(uuid) => ToSqlOutput::Owned(Value::Blob(uuid.as_bytes().to_vec())),
            None => ToSqlOutput::Borrowed(ValueRef::Text(cut(text).as_bytes())),
        })
    }
}
