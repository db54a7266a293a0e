//! Names and sources that several rows have.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::artifact::Key;
use crate::source::{FileId, Position};

/// The row that had a name or a source first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    /// The file of the inventory.
    pub(super) file: FileId,
    /// The start of the row.
    pub(super) place: Position,
}

/// The names and sources in use.
#[derive(Debug, Default)]
pub(super) struct Used {
    names: HashMap<Key, First>,
    sources: HashMap<Key, First>,
}

impl Used {
    /// The rows that have used `name` and `source` before, if any. What nobody has used is now used
    /// by `row`, unless the other of the two is used: then the row makes no artifact.
    pub(super) fn take(
        &mut self,
        name: Option<Key>,
        source: Option<Key>,
        row: First,
    ) -> (Option<First>, Option<First>) {
        let before = |used: &HashMap<Key, First>, key: Option<Key>| {
            key.and_then(|key| used.get(&key).copied())
        };
        let found = (before(&self.names, name), before(&self.sources, source));
        if found == (None, None) {
            for (used, key) in [(&mut self.names, name), (&mut self.sources, source)] {
                if let Some(Entry::Vacant(entry)) = key.map(|key| used.entry(key)) {
                    entry.insert(row);
                }
            }
        }
        found
    }
}
