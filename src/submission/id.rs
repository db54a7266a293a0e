//! The number of an entry.

/// The number of an entry in its journal: the row that it was staged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub i64);
