//! Tags of artifacts.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::StoreError;
use crate::limits::TAGS_MAX;

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
    let artifact = artifact(connection, arn)?;
    let mut keys: Vec<_> = of(connection, artifact)?.into_iter().map(|(key, _)| key).collect();
    keys.extend(new.iter().map(|(key, _)| key.clone()));
    keys.sort();
    keys.dedup();
    if keys.len() > TAGS_MAX {
        return Err(StoreError::TooMany { what: "Tags", limit: TAGS_MAX });
    }
    insert(connection, artifact, new)?;
    of(connection, artifact)
}

pub(super) fn delete(
    connection: &Connection,
    arn: &str,
    keys: &[String],
) -> Result<(), StoreError> {
    let artifact = artifact(connection, arn)?;
    let mut delete =
        connection.prepare_cached("DELETE FROM tags WHERE artifact = ?1 AND key = ?2")?;
    for key in keys {
        delete.execute(params![artifact, key])?;
    }
    Ok(())
}

pub(super) fn list(
    connection: &Connection,
    arn: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    of(connection, artifact(connection, arn)?)
}

fn artifact(connection: &Connection, arn: &str) -> Result<i64, StoreError> {
    let row = connection
        .prepare_cached("SELECT row FROM artifacts WHERE arn = ?1")?
        .query_row([arn], |row| row.get(0))
        .optional()?;
    row.ok_or(StoreError::NotFound)
}

fn of(connection: &Connection, artifact: i64) -> Result<Vec<(String, String)>, StoreError> {
    let mut select = connection
        .prepare_cached("SELECT key, value FROM tags WHERE artifact = ?1 ORDER BY key")?;
    let rows = select.query_map([artifact], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect::<rusqlite::Result<_>>().map_err(StoreError::from)
}
