//! Artifacts that hold a text, for the page.

use rusqlite::{Connection, params};

use super::artifacts::{COLUMNS, read};
use super::{Row, StoreError};
use crate::registry::page_token::PageToken;

/// A search.
#[derive(Debug, Clone, Default)]
pub(in crate::registry) struct Search {
    /// The text that name, type, URI or ARN must contain, in either case. Everything contains the
    /// empty text.
    pub(in crate::registry) text: String,
    pub(in crate::registry) after: Option<PageToken>,
    pub(in crate::registry) limit: usize,
    /// The largest number of artifacts to look at. The next page continues from there.
    pub(in crate::registry) effort: usize,
}

/// The result of a search, the newest artifact first.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Found {
    pub(in crate::registry) rows: Vec<Row>,
    /// The token of the next page, if there is more to look at.
    pub(in crate::registry) next: Option<PageToken>,
    /// There may be more matches, but it has looked at as many rows as it may.
    pub(in crate::registry) gave_up: bool,
}

pub(super) fn search(connection: &Connection, search: &Search) -> Result<Found, StoreError> {
    let wanted = search.text.to_lowercase();
    let from = search.after.unwrap_or(PageToken { created: i64::MAX, row: i64::MAX });
    let sql = format!(
        "SELECT {COLUMNS} FROM artifacts WHERE created <= ?1 AND (+created < ?1 OR row < ?2) \
         ORDER BY created DESC, row DESC"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![from.created, from.row])?;
    let mut found = Found { rows: Vec::new(), next: None, gave_up: false };
    let mut looked_at = 0;
    let mut last = None;
    while let Some(row) = rows.next()? {
        if found.rows.len() == search.limit || looked_at == search.effort {
            found.next = last;
            found.gave_up = found.rows.len() < search.limit;
            break;
        }
        looked_at += 1;
        last = Some(PageToken { created: row.get("created")?, row: row.get("row")? });
        let holds = |column: &str| -> rusqlite::Result<bool> {
            let text = row.get_ref(column)?.as_str_or_null()?.unwrap_or_default();
            Ok(text.to_lowercase().contains(&wanted))
        };
        if wanted.is_empty() || holds("name")? || holds("uri")? || holds("type")? || holds("arn")? {
            found.rows.push(read(row)?);
        }
    }
    Ok(found)
}
