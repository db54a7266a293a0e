//! Checks across manifests: names and sources that are used twice.
//!
//! It uses 48 bytes for each artifact, 16 for each of the two keys and 8 for each of their places,
//! and two hash tables of five bytes a slot: a file of a million artifacts must not need more
//! memory than its size.

use hashbrown::HashTable;

use super::EntryIndex;
use super::claims::{Claim, Claims};
use crate::artifact::Key;
use crate::diagnostic::Unique;
use crate::source::{FileId, Span};

/// An earlier artifact with the same name or source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    /// Its number in the run; `None` where files are checked one by one.
    pub(super) entry: Option<EntryIndex>,
    pub(super) file: FileId,
    pub(super) span: Span,
}

/// The claims of the artifacts so far, in the order of the walk.
#[derive(Debug, Default)]
pub(super) struct Index {
    rows: Vec<Row>,
    /// The rows that were the first to claim a name, and a source.
    names: HashTable<u32>,
    sources: HashTable<u32>,
    /// The files, each with the number of its first artifact.
    files: Vec<(u32, FileId)>,
}

/// The claims of an artifact. What it does not claim is in neither hash table.
#[derive(Debug, Clone, Copy)]
struct Row {
    name: Key,
    source: Key,
    name_span: Span,
    source_span: Span,
}

impl Index {
    /// Adds the next artifact, which is in `file`. Returns the first artifact with its name, and
    /// the first with its source, unless it is the first itself.
    pub(super) fn add(&mut self, file: FileId, claims: &Claims) -> (Option<First>, Option<First>) {
        // What has no number is not compared.
        let Ok(at) = u32::try_from(self.rows.len()) else { return (None, None) };
        if self.files.last().is_none_or(|(_, last)| *last != file) {
            self.files.push((at, file));
        }
        let absent = Claim { key: Key([0; 16]), span: Span::empty(0) };
        let (name, source) = (claims.name.unwrap_or(absent), claims.source.unwrap_or(absent));
        self.rows.push(Row {
            name: name.key,
            source: source.key,
            name_span: name.span,
            source_span: source.span,
        });
        let rows = &self.rows;
        let name = claims.name.and_then(|_| first(&mut self.names, rows, at, |row| row.name));
        let source =
            claims.source.and_then(|_| first(&mut self.sources, rows, at, |row| row.source));
        let found = |at: u32, span: fn(&Row) -> Span| First {
            entry: Some(EntryIndex(at)),
            file: self.file(at),
            span: span(&self.rows[at as usize]),
        };
        (
            name.map(|at| found(at, |row| row.name_span)),
            source.map(|at| found(at, |row| row.source_span)),
        )
    }

    /// Returns the file of the artifact with the number `at`.
    fn file(&self, at: u32) -> FileId {
        let after = self.files.partition_point(|(first, _)| *first <= at);
        self.files[..after].last().map_or_else(FileId::default, |(_, file)| *file)
    }

    /// Returns the first artifact that has `key` as its name or source.
    pub(super) fn find(&self, what: Unique, key: Key) -> Option<First> {
        let row = |at: u32| {
            let row = &self.rows[at as usize];
            match what {
                Unique::Name => (row.name, row.name_span),
                Unique::Source => (row.source, row.source_span),
            }
        };
        let table = match what {
            Unique::Name => &self.names,
            Unique::Source => &self.sources,
        };
        let at = *table.find(key.head(), |at| row(*at).0 == key)?;
        Some(First { entry: Some(EntryIndex(at)), file: self.file(at), span: row(at).1 })
    }
}

/// Returns the first of `rows` with the key of the row `at`. If there is none, it is the first from
/// now on.
fn first(
    table: &mut HashTable<u32>,
    rows: &[Row],
    at: u32,
    key: impl Fn(&Row) -> Key,
) -> Option<u32> {
    let key = |at: u32| key(&rows[at as usize]);
    let wanted = key(at);
    let found = table.find(wanted.head(), |slot| key(*slot) == wanted).copied();
    if found.is_none() {
        table.insert_unique(wanted.head(), at, |slot| key(*slot).head());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, at: u32) -> Option<Claim> {
        Some(Claim { key: Key::of_name(name), span: Span::empty(at) })
    }

    #[test]
    fn the_first_is_named_and_never_replaced() {
        let mut index = Index::default();
        let mut at = 0;
        let mut add = |name: Option<&str>, source: Option<&str>| {
            let claims = Claims {
                name: name.and_then(|name| claim(name, at)),
                source: source.and_then(|source| claim(source, 10_000 + at)),
            };
            at += 1;
            let seen = |first: First| (first.entry.unwrap().0, first.file.0, first.span.start);
            // Ten in each file.
            let (name, source) = index.add(FileId((at - 1) / 10), &claims);
            (name.map(seen), source.map(seen))
        };
        for number in 0..1000 {
            let name = format!("a{number}");
            // A name is no source.
            assert_eq!(add(Some(&name), Some(&format!("a{}", number + 1))), (None, None));
        }
        assert_eq!(add(Some("a17"), Some("b")), (Some((17, 1, 17)), None));
        assert_eq!(add(Some("a17"), Some("a17")), (Some((17, 1, 17)), Some((16, 1, 10_016))));
        assert_eq!(add(None, None), (None, None));
        assert_eq!(add(None, Some("c")), (None, None));
        assert_eq!(add(Some("d"), Some("c")), (None, Some((1003, 100, 11_003))));
    }

    /// A million of them must not take more than 48 MB.
    #[test]
    fn an_artifact_takes_48_bytes() {
        assert_eq!(size_of::<Row>(), 48);
    }
}
