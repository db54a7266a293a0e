//! Earlier states of artifacts and their tags, for reads that lag behind writes.
//!
//! In: every change and every deletion, noted in the transaction that makes it. Out: the state of a
//! moment, as far back as the longest lag. A creation needs no note: an artifact of a later moment is
//! not seen.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::StoreError;
use crate::registry::faults::LAG_MAX;

/// Keeps what an artifact is until now; returns 0 if there is no such artifact.
pub(super) fn keep_artifact(
    connection: &Connection,
    arn: &str,
    now: i64,
) -> Result<usize, StoreError> {
    connection
        .prepare_cached("DELETE FROM past WHERE until < ?1")?
        .execute([now.saturating_sub(longest())])?;
    let kept = connection
        .prepare_cached(
            "INSERT INTO past (row, arn, name, type, uri, source_types, properties, metadata, \
             created, modified, until) SELECT row, arn, name, type, uri, source_types, properties, \
             metadata, created, modified, ?2 FROM artifacts WHERE arn = ?1",
        )?
        .execute(params![arn, now])?;
    Ok(kept)
}

/// Keeps what the tags of an artifact are until now.
pub(super) fn keep_tags(
    connection: &Connection,
    artifact: i64,
    tags: &[(String, String)],
    now: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM past_tags WHERE until < ?1")?
        .execute([now.saturating_sub(longest())])?;
    let tags = serde_json::json!(tags).to_string();
    connection
        .prepare_cached("INSERT INTO past_tags (artifact, tags, until) VALUES (?1, ?2, ?3)")?
        .execute(params![artifact, tags, now])?;
    Ok(())
}

/// Returns the tags that an artifact had at a moment, if they were changed after it.
pub(super) fn tags(
    connection: &Connection,
    artifact: i64,
    as_of: i64,
) -> Result<Option<Vec<(String, String)>>, StoreError> {
    let tags: Option<String> = connection
        .prepare_cached(
            "SELECT tags FROM past_tags WHERE artifact = ?1 AND until > ?2 \
             ORDER BY until, version LIMIT 1",
        )?
        .query_row(params![artifact, as_of], |row| row.get(0))
        .optional()?;
    Ok(tags.map(|tags| serde_json::from_str(&tags).unwrap_or_default()))
}

fn longest() -> i64 {
    i64::try_from(LAG_MAX.as_millis()).unwrap_or(i64::MAX)
}
