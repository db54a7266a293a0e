//! The SQLite file of a registry.
//!
//! One thread writes, many requests a transaction, so that a thousand clients cost one commit; an
//! answer goes out after the commit that holds it. Readers have connections of their own.

mod artifacts;
mod clock;
mod past;
mod schema;
mod search;
mod tags;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rusqlite::Connection;
use serde_json::Value;

use super::page_token::PageToken;
pub(super) use clock::now;
pub(super) use search::{Found, Search};
use writer::Writer;

/// Readers at a time.
const READERS: usize = 4;

/// A registry file, open.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// Another one after a reset.
    id: RwLock<Arc<str>>,
    readers: Mutex<Vec<Connection>>,
    writer: Writer,
}

/// The file of a registry that is kept in memory, as SQLite has it.
pub const MEMORY: &str = ":memory:";

fn is_memory(path: &Path) -> bool {
    path.as_os_str() == MEMORY
}

/// An error that keeps a registry's file from being used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or the file cannot be created or read.
    #[error("cannot use the registry file `{path}`: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The directory that the file is to be in does not exist.
    #[error("the directory `{directory}` does not exist")]
    NoDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// It is something else.
    #[error("`{path}` is not a lineload registry")]
    NotARegistry {
        /// The file.
        path: PathBuf,
    },
    /// A later lineload wrote it.
    #[error("the registry file `{path}` has version {found}, and this lineload knows {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// SQLite says no.
    #[error("cannot use the registry file `{path}`: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The thread that opens it ended early.
    #[error("the registry did not start: {0}")]
    Panicked(String),
}

impl OpenError {
    pub(super) fn panicked(error: &tokio::task::JoinError) -> Self {
        Self::Panicked(error.to_string())
    }
}

/// An error of the store.
#[derive(Debug)]
pub(super) enum StoreError {
    /// The name belongs to another artifact.
    NameTaken { arn: String },
    /// The source, with the same set of source types, belongs to another artifact.
    SourceTaken { arn: String },
    /// The quota is used up.
    Limit { limit: u64, used: u64 },
    /// There is no such artifact.
    NotFound,
    /// More properties, or more tags, than an artifact can have.
    TooMany { what: &'static str, limit: usize },
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// The transaction was not committed.
    Failed(String),
    /// The writer is gone.
    Gone,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A new artifact.
#[derive(Debug, Clone)]
pub(super) struct NewArtifact {
    pub(super) name: Option<String>,
    pub(super) artifact_type: String,
    pub(super) uri: String,
    /// The source types in the order of the request.
    pub(super) source_types: Vec<(String, String)>,
    /// A JSON object.
    pub(super) properties: String,
    /// Its other texts by the names of their fields: a JSON object.
    pub(super) texts: String,
    pub(super) tags: Vec<(String, String)>,
    pub(super) region: String,
    pub(super) unique: Unique,
    /// Artifacts that fit, if the quota is to be enforced.
    pub(super) max_artifacts: Option<u64>,
}

/// The properties that no two artifacts may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unique {
    pub(super) names: bool,
    pub(super) sources: bool,
}

/// An artifact as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) row: i64,
    pub(super) arn: String,
    pub(super) name: Option<String>,
    pub(super) artifact_type: String,
    pub(super) uri: String,
    pub(super) source_types: Value,
    pub(super) properties: Value,
    /// Its other texts by the names of their fields.
    pub(super) texts: Value,
    /// Milliseconds since 1970.
    pub(super) created: i64,
    /// Milliseconds since 1970.
    pub(super) modified: i64,
}

/// The filter of a listing.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) uri: Option<String>,
    pub(super) artifact_type: Option<String>,
    /// Milliseconds since 1970.
    pub(super) created_after: Option<i64>,
    /// Milliseconds since 1970.
    pub(super) created_before: Option<i64>,
    pub(super) ascending: bool,
    pub(super) after: Option<PageToken>,
    pub(super) limit: usize,
    /// The moment of which the list is; without one it is of now. Milliseconds since 1970.
    pub(super) as_of: Option<i64>,
}

/// A change of an artifact.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) arn: String,
    pub(super) name: Option<String>,
    pub(super) properties: Vec<(String, String)>,
    /// Other texts by the names of their fields.
    pub(super) texts: Vec<(String, String)>,
    pub(super) remove: Vec<String>,
    /// Refuse the name of another artifact.
    pub(super) unique_names: bool,
}

/// The artifact that an operation is about.
#[derive(Debug, Clone)]
pub(super) enum Which {
    Arn(String),
    Source { uri: String, types: Vec<(String, String)> },
}

impl Store {
    /// Opens the file and creates it if it does not exist. `:memory:` opens a registry that ends
    /// with this store.
    ///
    /// # Errors
    /// Fails if the file cannot be used, or is something else.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = schema::open(path)?;
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let id: String = connection
            .query_row("SELECT value FROM meta WHERE key = 'id'", [], |row| row.get(0))
            .map_err(sqlite)?;
        let writer = Writer::start(connection)
            .map_err(|error| OpenError::Io { path: path.to_owned(), reason: error.to_string() })?;
        let id = RwLock::new(Arc::from(id));
        let shared = Shared { path: path.to_owned(), id, readers: Mutex::default(), writer };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns the random id of what the registry holds.
    #[must_use]
    pub fn id(&self) -> Arc<str> {
        Arc::clone(&self.shared.id.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Removes every artifact. What the registry holds then has another id: nobody may take what
    /// they know of the old one for the present content.
    pub(super) async fn reset(&self) -> Result<u64, StoreError> {
        let id = schema::new_id();
        let new = id.clone();
        let removed = self.write(move |connection| schema::empty(connection, &new)).await?;
        *self.shared.id.write().unwrap_or_else(PoisonError::into_inner) = id.into();
        Ok(removed)
    }

    /// Makes an artifact; its ARN.
    pub(super) async fn create(&self, new: NewArtifact) -> Result<String, StoreError> {
        // What can be done before is not done by the one thread that writes.
        let keys = artifacts::Keys::of(&new);
        self.write(move |connection| artifacts::create(connection, &new, &keys)).await
    }

    /// Changes an artifact; its ARN.
    pub(super) async fn update(&self, change: Change) -> Result<String, StoreError> {
        self.write(move |connection| artifacts::update(connection, &change)).await
    }

    /// Removes an artifact; its ARN.
    pub(super) async fn delete(&self, which: Which) -> Result<String, StoreError> {
        self.write(move |connection| artifacts::delete(connection, &which)).await
    }

    /// Returns an artifact.
    pub(super) async fn describe(&self, arn: String) -> Result<Row, StoreError> {
        self.read(move |connection| artifacts::by_arn(connection, &arn)).await
    }

    /// Returns a page of artifacts.
    pub(super) async fn list(&self, filter: Filter) -> Result<Vec<Row>, StoreError> {
        self.read(move |connection| artifacts::list(connection, &filter)).await
    }

    /// Returns a page of artifacts that contain a text.
    pub(super) async fn search(&self, search: Search) -> Result<Found, StoreError> {
        self.read(move |connection| search::search(connection, &search)).await
    }

    /// Returns the number of artifacts.
    pub(super) async fn count(&self) -> Result<u64, StoreError> {
        self.read(artifacts::count).await
    }

    /// Adds tags, and overwrites those with the same keys; all of its tags then.
    pub(super) async fn add_tags(
        &self,
        arn: String,
        new: Vec<(String, String)>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        self.write(move |connection| tags::add(connection, &arn, &new)).await
    }

    /// Removes tags.
    pub(super) async fn delete_tags(
        &self,
        arn: String,
        keys: Vec<String>,
    ) -> Result<(), StoreError> {
        self.write(move |connection| tags::delete(connection, &arn, &keys)).await
    }

    /// Returns the tags of an artifact by key, of a moment if one is given.
    pub(super) async fn tags(
        &self,
        arn: String,
        as_of: Option<i64>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        self.read(move |connection| tags::list(connection, &arn, as_of)).await
    }

    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.shared.writer.run(job).await
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if is_memory(&self.shared.path) {
            // There is one connection to it.
            return self.write(job).await;
        }
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || {
            let connection = match shared.readers().pop() {
                Some(connection) => connection,
                None => schema::reader(&shared.path)?,
            };
            let result = job(&connection);
            let mut readers = shared.readers();
            if readers.len() < READERS {
                readers.push(connection);
            }
            result
        });
        done.await.unwrap_or(Err(StoreError::Gone))
    }
}

impl Shared {
    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
