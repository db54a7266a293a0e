//! Tags of artifacts.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{StoreError, now, past};
use crate::model::TAGS_MAX;

pub(super) fn insert(
    connection: &Connection,
    artifact: i64,
    tags: &[(String, String)],
) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached("INSERT OR REPLACE INTO tags (artifact, key, value) VALUES (?1, ?2, ?3)")?;
    for (key, value) in tags {
        insert.execute(params![artifact, key, value])?;
    }
    Ok(())
}

pub(super) fn add(
    connection: &Connection,
    arn: &str,
    new: &[(String, String)],
) -> Result<Vec<(String, String)>, StoreError> {
    let (artifact, _) = artifact(connection, arn)?;
    let old = of(connection, artifact)?;
    let mut keys: Vec<_> = old.iter().chain(new).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    if keys.len() > TAGS_MAX {
        return Err(StoreError::TooMany { what: "Tags", limit: TAGS_MAX });
    }
    past::keep_tags(connection, artifact, &old, now())?;
    insert(connection, artifact, new)?;
    of(connection, artifact)
}

pub(super) fn delete(
    connection: &Connection,
    arn: &str,
    keys: &[String],
) -> Result<(), StoreError> {
    let (artifact, _) = artifact(connection, arn)?;
    past::keep_tags(connection, artifact, &of(connection, artifact)?, now())?;
    let mut delete =
        connection.prepare_cached("DELETE FROM tags WHERE artifact = ?1 AND key = ?2")?;
    for key in keys {
        delete.execute(params![artifact, key])?;
    }
    Ok(())
}

/// Returns the tags of an artifact, or those that it had at a moment.
pub(super) fn list(
    connection: &Connection,
    arn: &str,
    as_of: Option<i64>,
) -> Result<Vec<(String, String)>, StoreError> {
    let (artifact, created) = artifact(connection, arn)?;
    let Some(as_of) = as_of else { return of(connection, artifact) };
    if created > as_of {
        return Ok(Vec::new());
    }
    match past::tags(connection, artifact, as_of)? {
        Some(tags) => Ok(tags),
        None => of(connection, artifact),
    }
}

/// Returns the row of an artifact and when it was created.
fn artifact(connection: &Connection, arn: &str) -> Result<(i64, i64), StoreError> {
    let row = connection
        .prepare_cached("SELECT row, created FROM artifacts WHERE arn = ?1")?
        .query_row([arn], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.ok_or(StoreError::NotFound)
}

fn of(connection: &Connection, artifact: i64) -> Result<Vec<(String, String)>, StoreError> {
    let mut select = connection
        .prepare_cached("SELECT key, value FROM tags WHERE artifact = ?1 ORDER BY key")?;
    let rows = select.query_map([artifact], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect::<rusqlite::Result<_>>().map_err(StoreError::from)
}
