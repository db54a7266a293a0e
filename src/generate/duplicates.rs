//! Names and sources that several rows have.
//!
//! It uses 48 bytes for each artifact and two hash tables of 5 to 10: a million rows must not need more
//! memory than the inventory has bytes.

use hashbrown::HashTable;

use crate::artifact::Key;
use crate::source::{FileId, Position};

/// Rows that are allocated at a time: nothing is copied when there are more.
const CHUNK: usize = 4096;

/// The row that had a name or a source first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    /// The file of the inventory.
    pub(super) file: FileId,
    /// The start of the row.
    pub(super) place: Position,
    /// The number of its entry.
    pub(super) entry: u32,
}

/// The names and sources in use.
#[derive(Debug, Default)]
pub(super) struct Used {
    names: HashTable<u32>,
    sources: HashTable<u32>,
    rows: Vec<Vec<Row>>,
    /// The files, and the number of the first row of each.
    files: Vec<(u32, FileId)>,
}

/// The keys of an artifact, and the start of its row.
#[derive(Debug, Clone, Copy)]
struct Row {
    keys: [Key; 2],
    place: Position,
    entry: u32,
}

/// The key of what an artifact does not have. No hash is zero.
const NONE: Key = Key([0; 16]);

impl Used {
    /// The rows that have used `name` and `source` before, if any. What nobody has used is now used
    /// by `row`; without `all` only if both are new, since the row makes no artifact otherwise.
    pub(super) fn take(
        &mut self,
        name: Option<Key>,
        source: Option<Key>,
        row: First,
        all: bool,
    ) -> (Option<First>, Option<First>) {
        let keys = [name.unwrap_or(NONE), source.unwrap_or(NONE)];
        let found = (self.first(&self.names, keys, 0), self.first(&self.sources, keys, 1));
        let is_new = [found.0.is_none(), found.1.is_none()];
        if is_new == [true, true] || all && is_new != [false, false] {
            self.add(keys, is_new, row);
        }
        found
    }

    fn first(&self, table: &HashTable<u32>, keys: [Key; 2], which: usize) -> Option<First> {
        let key = keys[which];
        if key == NONE {
            return None;
        }
        let number = *table.find(key.head(), |number| self.row(*number).keys[which] == key)?;
        let behind = self.files.partition_point(|(first, _)| *first <= number);
        let (_, file) = self.files.get(behind.checked_sub(1)?)?;
        let Row { place, entry, .. } = *self.row(number);
        Some(First { file: *file, place, entry })
    }

    fn add(&mut self, keys: [Key; 2], is_new: [bool; 2], First { file, place, entry }: First) {
        if keys == [NONE, NONE] {
            return;
        }
        if self.rows.last().is_none_or(|rows| rows.len() == CHUNK) {
            self.rows.push(Vec::with_capacity(CHUNK));
        }
        let chunks = self.rows.len() - 1;
        let Some(rows) = self.rows.last_mut() else { return };
        let Ok(number) = u32::try_from(chunks * CHUNK + rows.len()) else { return };
        rows.push(Row { keys, place, entry });
        if self.files.last().is_none_or(|(_, last)| *last != file) {
            self.files.push((number, file));
        }
        for (which, table) in [&mut self.names, &mut self.sources].into_iter().enumerate() {
            if is_new[which] && keys[which] != NONE {
                let rows = &self.rows;
                let hash_of = |number: &u32| row(rows, *number).keys[which].head();
                table.insert_unique(keys[which].head(), number, hash_of);
            }
        }
    }

    fn row(&self, number: u32) -> &Row {
        row(&self.rows, number)
    }
}

fn row(rows: &[Vec<Row>], number: u32) -> &Row {
    &rows[number as usize / CHUNK][number as usize % CHUNK]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<Key> {
        Some(Key::of_name(text))
    }

    fn at(number: u32) -> First {
        First {
            file: FileId(number / 6000),
            place: Position { offset: number * 10, line: number + 2, column: 1 },
            entry: number,
        }
    }

    #[test]
    fn the_first_row_is_named_with_its_file_and_a_row_that_repeats_uses_nothing() {
        let mut used = Used::default();
        for number in 0..10_000 {
            let name = format!("n{number}");
            let source = format!("s{number}");
            assert_eq!(used.take(key(&name), key(&source), at(number), false), (None, None));
        }
        let mut take = |name, source, number| used.take(name, source, at(number), false);
        assert_eq!(take(key("n7"), key("s9999"), 10_000), (Some(at(7)), Some(at(9999))));
        assert_eq!(take(key("n7"), key("new"), 10_001), (Some(at(7)), None));
        assert_eq!(take(key("other"), key("new"), 10_002), (None, None));
        assert_eq!(take(None, key("new"), 10_003), (None, Some(at(10_002))));
        assert_eq!(take(None, None, 10_004), (None, None));
        assert_eq!(take(key("s1"), None, 10_005), (None, None), "a name is no source");
    }

    #[test]
    fn where_all_is_used_the_third_of_a_chain_repeats_the_second() {
        let mut used = Used::default();
        let mut take = |name, source, number| used.take(key(name), key(source), at(number), true);
        assert_eq!(take("a", "x", 0), (None, None));
        assert_eq!(take("a", "y", 1), (Some(at(0)), None));
        assert_eq!(take("b", "y", 2), (None, Some(at(1))));
        assert_eq!(take("b", "x", 3), (Some(at(2)), Some(at(0))));
    }
}
