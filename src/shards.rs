//! Indexes of shards: the names and sources of the artifacts that each shard of a tree has.
//!
//! In: what checks of shards pass on, each for itself. Out: a file for each, and from all of them the
//! duplicates that no shard sees alone, in the order of one tree. An index is an SQLite database whose
//! rows are sorted, so that any number of artifacts are merged in little memory.

mod merge;
mod write;

use std::path::PathBuf;

pub use merge::{Merged, Placed, merge};
pub use write::IndexWriter;

use crate::exit::Fatal;
use crate::text::{counted, escaped, reason};

/// The application id of an index, which distinguishes it from other databases: `LLIX`.
const APPLICATION_ID: i64 = 0x4C4C_4958;
/// The version of its tables.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE shard (
    number INTEGER NOT NULL,
    shards INTEGER NOT NULL,
    files INTEGER NOT NULL,
    artifacts INTEGER NOT NULL,
    -- How many rows `claim` has.
    claims INTEGER NOT NULL
) STRICT;
CREATE TABLE file (
    -- In the order of the walk.
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;
CREATE TABLE claim (
    -- 0: a name, 1: a source.
    what INTEGER NOT NULL,
    key BLOB NOT NULL,
    file INTEGER NOT NULL,
    artifact INTEGER NOT NULL,
    -- How it is shown, and its place: bytes, line and column of its start and its end.
    text TEXT,
    start_byte INTEGER, start_line INTEGER, start_column INTEGER,
    end_byte INTEGER, end_line INTEGER, end_column INTEGER,
    -- 1: a warning, 2: an error; NULL where nothing is reported.
    severity INTEGER,
    PRIMARY KEY (what, key, file, artifact)
) STRICT, WITHOUT ROWID;
";

/// The reason why an index cannot be written, or indexes cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A file cannot be read or written.
    #[error("cannot use the index `{}`: {reason}", escaped(&path.display().to_string()))]
    File {
        /// The file.
        path: PathBuf,
        /// The reason, for people.
        reason: String,
    },
    /// A file is no index, or of another version.
    #[error("`{}` is not an index of this version of lineload", escaped(&.0.display().to_string()))]
    NotAnIndex(PathBuf),
    /// A file that is to be written has other content.
    #[error("`{}` is not an index and would be overwritten", escaped(&.0.display().to_string()))]
    Another(PathBuf),
    /// The indexes are of trees that were divided differently.
    #[error("the indexes are of {} and of {}", counted(*.0, "shard"), counted(*.1, "shard"))]
    Different(usize, usize),
    /// Two are of one shard.
    #[error("two indexes are of shard {0}/{1}")]
    Twice(u32, usize),
    /// A file is named twice.
    #[error("`{}` is named twice", escaped(&.0.display().to_string()))]
    Same(PathBuf),
    /// The content of a file is not as it was written.
    #[error("the index `{}` is corrupt", escaped(&.0.display().to_string()))]
    Corrupt(PathBuf),
    /// Some are missing.
    #[error("no index is of shard {0}/{1}")]
    Missing(u32, usize),
}

impl Fatal for IndexError {
    fn help(&self) -> Vec<String> {
        let help = match self {
            Self::File { .. } => return Vec::new(),
            Self::Another(_) => "use another file",
            Self::NotAnIndex(_) => "`lineload lint --index FILE` writes one",
            Self::Different(..) => {
                "merge the indexes of one tree, each written with the same number of shards"
            }
            Self::Corrupt(_) => "lint that shard again with `--index FILE`",
            Self::Same(_) | Self::Twice(..) => "pass the index of each shard once",
            Self::Missing(..) => "lint that shard with `--index FILE`, and pass its file too",
        };
        vec![help.to_owned()]
    }
}

impl IndexError {
    fn of(path: &std::path::Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::NotAnIndex(path),
            _ => Self::File { path, reason: error.to_string() },
        }
    }

    fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::File { path: path.to_owned(), reason: reason(error) }
    }
}
