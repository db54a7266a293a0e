//! Checks across manifests: names and sources that are used twice.
//!
//! It uses 52 bytes for each artifact and two hash tables of five: a file of a million artifacts
//! must not need more memory than its size.

use hashbrown::HashTable;

use super::EntryIndex;
use crate::artifact::Key;
use crate::source::{FileId, Span};

/// The keys of an artifact that must be unique.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Claims {
    pub(super) name: Option<Claim>,
    pub(super) source: Option<Claim>,
}

/// A name or a source, and where it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) key: Key,
    pub(super) span: Span,
}

/// An earlier artifact with the same name or source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    pub(super) entry: EntryIndex,
    pub(super) file: FileId,
    pub(super) span: Span,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    names: Table,
    sources: Table,
}

#[derive(Debug, Default)]
struct Table {
    slots: HashTable<u32>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    key: Key,
    entry: EntryIndex,
    file: FileId,
    span: Span,
}

impl Index {
    /// Adds an artifact. Returns the first artifact with its name, and the first with its source,
    /// unless it is the first itself.
    pub(super) fn add(
        &mut self,
        entry: EntryIndex,
        file: FileId,
        claims: &Claims,
    ) -> (Option<First>, Option<First>) {
        let add = |table: &mut Table, claim: Option<Claim>| {
            let Claim { key, span } = claim?;
            table.add(Row { key, entry, file, span })
        };
        (add(&mut self.names, claims.name), add(&mut self.sources, claims.source))
    }
}

impl Table {
    fn add(&mut self, row: Row) -> Option<First> {
        let rows = &self.rows;
        let hash = hash(row.key);
        let same = |slot: &u32| rows[*slot as usize].key == row.key;
        if let Some(slot) = self.slots.find(hash, same) {
            let Row { entry, file, span, .. } = rows[*slot as usize];
            return Some(First { entry, file, span });
        }
        let slot = u32::try_from(rows.len()).ok()?;
        self.slots.insert_unique(hash, slot, |slot| self::hash(rows[*slot as usize].key));
        self.rows.push(row);
        None
    }
}

/// Keys are hashes already.
fn hash(key: Key) -> u64 {
    let mut head = [0; 8];
    head.copy_from_slice(&key.0[..8]);
    u64::from_le_bytes(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_named_and_never_replaced() {
        let mut index = Index::default();
        let claim = |name: &str, at| Some(Claim { key: Key::of_name(name), span: Span::empty(at) });
        let mut add = |entry: u32, name: &str| {
            let claims = Claims { name: claim(name, entry), source: None };
            index.add(EntryIndex(entry), FileId(entry), &claims).0.map(|first| first.entry.0)
        };
        for entry in 0..1000 {
            assert_eq!(add(entry, &format!("a{entry}")), None);
        }
        assert_eq!(add(1000, "a7"), Some(7));
        assert_eq!(add(1001, "a7"), Some(7));
        assert_eq!(add(1002, "b"), None);
    }
}
