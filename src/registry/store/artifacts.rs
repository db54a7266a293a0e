//! Artifacts: create, look up, list, change, remove.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use serde_json::{Value, json};

use super::clock::now;
use super::{Change, Filter, NewArtifact, Row, StoreError, Which, past, tags};
use crate::model::{PROPERTIES_MAX, SOURCE_TYPE};
use crate::registry::pairs::items;

pub(super) const COLUMNS: &str =
    "row, arn, name, type, uri, source_types, properties, metadata, created, modified";

/// The account that the registry plays.
const ACCOUNT: &str = "000000000000";

/// The texts of a new artifact that are made of others.
#[derive(Debug)]
pub(super) struct Keys {
    /// The set of source types, which distinguishes two sources.
    types_key: String,
    source_types: String,
}

impl Keys {
    pub(super) fn of(new: &NewArtifact) -> Self {
        if new.source_types.is_empty() {
            return Self { types_key: "[]".to_owned(), source_types: "[]".to_owned() };
        }
        let source_types = items(&new.source_types, &SOURCE_TYPE).to_string();
        Self { types_key: types_key(&new.source_types), source_types }
    }
}

pub(super) fn create(
    connection: &Connection,
    new: &NewArtifact,
    keys: &Keys,
) -> Result<String, StoreError> {
    // The service looks for what exists first: that costs no quota.
    taken(connection, new, &keys.types_key)?;
    if let Some(limit) = new.max_artifacts {
        let used = count(connection)?;
        if used >= limit {
            return Err(StoreError::Limit { limit, used });
        }
    }
    let now = now();
    let arn = new_arn(&new.region, now);
    connection
        .prepare_cached(
            "INSERT INTO artifacts (arn, name, type, uri, types_key, source_types, properties, \
             metadata, created, modified) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
        )?
        .execute(params![
            arn,
            new.name,
            new.artifact_type,
            new.uri,
            keys.types_key,
            keys.source_types,
            new.properties,
            new.texts,
            now,
        ])?;
    if !new.tags.is_empty() {
        tags::insert(connection, connection.last_insert_rowid(), &new.tags)?;
    }
    Ok(arn)
}

/// Returns an ARN that no other artifact has. They are in the order of time, so that new ones fall at
/// the end of their index.
fn new_arn(region: &str, now: i64) -> String {
    static NUMBER: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(fastrand::u64(..)));
    let mut counter = [0; 10];
    // The first two bits make room for the variant of the UUID.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed) & (u64::MAX >> 2);
    counter[2..].copy_from_slice(&number.to_be_bytes());
    let millis = u64::try_from(now).unwrap_or_default();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &counter).into_uuid();
    format!("arn:aws:sagemaker:{region}:{ACCOUNT}:artifact/{}", id.simple())
}

/// Fails if another artifact has the source or the name, where these are to be unique.
fn taken(connection: &Connection, new: &NewArtifact, types_key: &str) -> Result<(), StoreError> {
    if new.unique.sources
        && let Some(arn) = of_source(connection, &new.uri, types_key)?
    {
        return Err(StoreError::SourceTaken { arn });
    }
    match &new.name {
        Some(name) if new.unique.names => name_taken(connection, name),
        _ => Ok(()),
    }
}

/// Returns the oldest artifact of this source.
fn of_source(
    connection: &Connection,
    uri: &str,
    types_key: &str,
) -> Result<Option<String>, StoreError> {
    let arn = connection
        .prepare_cached(
            "SELECT arn FROM artifacts WHERE uri = ?1 AND types_key = ?2 ORDER BY row LIMIT 1",
        )?
        .query_row([uri, types_key], |row| row.get(0))
        .optional()?;
    Ok(arn)
}

fn name_taken(connection: &Connection, name: &str) -> Result<(), StoreError> {
    let holder: Option<String> = connection
        .prepare_cached("SELECT arn FROM artifacts WHERE name = ?1 LIMIT 1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    holder.map_or(Ok(()), |arn| Err(StoreError::NameTaken { arn }))
}

/// Returns how many artifacts there are: those that were ever made without those that are gone.
pub(super) fn count(connection: &Connection) -> Result<u64, StoreError> {
    let count: i64 = connection
        .prepare_cached(
            "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'artifacts'), 0) - value \
             FROM meta WHERE key = 'removed'",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Notes that so many artifacts are deleted.
pub(super) fn note_removed(connection: &Connection, removed: u64) -> Result<(), StoreError> {
    let removed = i64::try_from(removed).unwrap_or(i64::MAX);
    connection
        .prepare_cached("UPDATE meta SET value = value + ?1 WHERE key = 'removed'")?
        .execute([removed])?;
    Ok(())
}

pub(super) fn by_arn(connection: &Connection, arn: &str) -> Result<Row, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM artifacts WHERE arn = ?1");
    let row = connection.prepare_cached(&sql)?.query_row([arn], read).optional()?;
    row.ok_or(StoreError::NotFound)
}

pub(super) fn list(connection: &Connection, filter: &Filter) -> Result<Vec<Row>, StoreError> {
    let (sql, values) = list_query(filter);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), read)?;
    rows.collect::<rusqlite::Result<_>>().map_err(StoreError::from)
}

/// Every filter has an index that ends in the order of the list, so that a page costs the same
/// wherever it is.
pub(super) fn list_query(filter: &Filter) -> (String, Vec<Sql>) {
    let mut terms = Vec::new();
    let mut values: Vec<Sql> = Vec::new();
    let mut term = |sql: &str, value: Sql| {
        values.push(value);
        terms.push(sql.replace('?', &format!("?{}", values.len())));
    };
    if let Some(uri) = &filter.uri {
        term("uri = ?", uri.clone().into());
    }
    if let Some(artifact_type) = &filter.artifact_type {
        // A URI has few artifacts and a type may have all of them, but SQLite would take the index
        // of the type. The plus keeps it from that.
        let column = if filter.uri.is_some() { "+type = ?" } else { "type = ?" };
        term(column, artifact_type.clone().into());
    }
    // What is seen of a moment is no younger than it.
    let created_before = filter.created_before.into_iter().chain(filter.as_of).min();
    // One bound a side: of two, SQLite may seek to the one that is pages away.
    let page = filter.after.map(|token| token.created);
    let (from, to) = if filter.ascending {
        (filter.created_after.max(page), created_before)
    } else {
        let to = created_before.into_iter().chain(page).min();
        (filter.created_after, to)
    };
    if let Some(from) = from {
        term("created >= ?", from.into());
    }
    if let Some(to) = to {
        term("created <= ?", to.into());
    }
    let (compare, order) = if filter.ascending { (">", "ASC") } else { ("<", "DESC") };
    if let Some(token) = filter.after {
        // The first rows of the page's first millisecond may be on the page before it. Not as
        // `(created, row) > (…)`: that is a second bound.
        term(&format!("(+created {compare} ? OR row {compare} "), token.created.into());
        values.push(token.row.into());
        if let Some(last) = terms.last_mut() {
            last.push_str(&format!("?{})", values.len()));
        }
    }
    let condition = if terms.is_empty() { "1".to_owned() } else { terms.join(" AND ") };
    values.push(i64::try_from(filter.limit).unwrap_or(i64::MAX).into());
    let limit = values.len();
    let from = match filter.as_of {
        None => format!("artifacts WHERE {condition}"),
        Some(as_of) => {
            values.push(as_of.into());
            let moment = values.len();
            format!(
                "artifacts WHERE {condition} AND modified <= ?{moment} UNION ALL SELECT {COLUMNS} \
                 FROM past WHERE {condition} AND modified <= ?{moment} AND until > ?{moment}"
            )
        }
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM {from} ORDER BY created {order}, row {order} LIMIT ?{limit}"
    );
    (sql, values)
}

pub(super) fn update(connection: &Connection, change: &Change) -> Result<String, StoreError> {
    let old = by_arn(connection, &change.arn)?;
    let new_name = change.name.as_deref().filter(|name| Some(*name) != old.name.as_deref());
    if let Some(name) = new_name.filter(|_| change.unique_names) {
        name_taken(connection, name)?;
    }
    let mut properties = old.properties;
    if let Value::Object(properties) = &mut properties {
        change.remove.iter().for_each(|key| drop(properties.remove(key)));
    }
    put(&mut properties, &change.properties);
    if properties.as_object().is_some_and(|properties| properties.len() > PROPERTIES_MAX) {
        return Err(StoreError::TooMany { what: "Properties", limit: PROPERTIES_MAX });
    }
    let mut texts = old.texts;
    put(&mut texts, &change.texts);
    let name = change.name.clone().or(old.name);
    let now = now();
    past::keep_artifact(connection, &old.arn, now)?;
    connection
        .prepare_cached(
            "UPDATE artifacts SET name = ?1, properties = ?2, metadata = ?3, modified = ?4 \
             WHERE row = ?5",
        )?
        .execute(params![name, properties.to_string(), texts.to_string(), now, old.row])?;
    Ok(old.arn)
}

/// Puts `texts` into an object.
fn put(object: &mut Value, texts: &[(String, String)]) {
    if let Value::Object(object) = object {
        object.extend(texts.iter().map(|(key, text)| (key.clone(), Value::from(text.as_str()))));
    }
}

pub(super) fn delete(connection: &Connection, which: &Which) -> Result<String, StoreError> {
    let arn: Option<String> = match which {
        Which::Arn(arn) => Some(arn.clone()),
        Which::Source { uri, types } => of_source(connection, uri, &types_key(types))?,
    };
    let arn = arn.ok_or(StoreError::NotFound)?;
    if past::keep_artifact(connection, &arn, now())? == 0 {
        return Err(StoreError::NotFound);
    }
    connection.prepare_cached("DELETE FROM artifacts WHERE arn = ?1")?.execute([&arn])?;
    note_removed(connection, 1)?;
    Ok(arn)
}

/// Returns the set of source types as one text.
fn types_key(types: &[(String, String)]) -> String {
    let mut types: Vec<_> = types.iter().collect();
    types.sort();
    types.dedup();
    json!(types).to_string()
}

pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Row {
        row: row.get(0)?,
        arn: row.get(1)?,
        name: row.get(2)?,
        artifact_type: row.get(3)?,
        uri: row.get(4)?,
        source_types: json(row.get(5)?),
        properties: json(row.get(6)?),
        texts: json(row.get(7)?),
        created: row.get(8)?,
        modified: row.get(9)?,
    })
}
