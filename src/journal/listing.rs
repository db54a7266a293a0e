//! The artifacts that a target listed, in a private temporary file: any number of them in little
//! memory.

use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{JournalError, file, schema};
use crate::artifact::Key;

/// The table of what was listed, in the order of the listing.
const TABLE: &str = "
CREATE TABLE listed (
    id INTEGER PRIMARY KEY,
    -- The keys of its URI, of its URI with its source types, and of its name.
    uri BLOB NOT NULL,
    source BLOB NOT NULL,
    name BLOB,
    -- The artifact as it was listed.
    text TEXT NOT NULL
) STRICT;
";

/// Made once everything is in: so each is sorted once.
const INDEXES: &str = "
CREATE INDEX listed_source ON listed (uri, source);
CREATE INDEX listed_name ON listed (name) WHERE name IS NOT NULL;
";

/// SQLite's cache, in KiB: the most of what the listing holds in memory.
const CACHE: i64 = 32 << 10;

/// The place of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// The key of its URI, as a name.
    pub uri: Key,
    /// The key of its identity.
    pub source: Key,
}

/// An artifact to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToList {
    /// Its place.
    pub site: Site,
    /// The key of its name, if it has one.
    pub name: Option<Key>,
    /// The artifact, as the run serialized it.
    pub text: String,
}

/// The listing of a target. It is gone when it is dropped.
#[derive(Debug)]
pub struct Listing {
    connection: Connection,
    /// The directory of the temporary file.
    path: PathBuf,
    /// The id of the last artifact of each page.
    pages: Vec<i64>,
    /// A bit for each artifact, by id: whether a manifest describes it.
    described: Vec<u64>,
}

impl Listing {
    /// Returns an empty listing.
    ///
    /// # Errors
    /// If no temporary file can be written.
    pub fn new() -> Result<Self, JournalError> {
        let path = std::env::temp_dir();
        let open = || {
            let connection = Connection::open("")?;
            schema::prepare_once(&connection)?;
            // It need not outlast this process, and is given up after any error.
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.pragma_update(None, "cache_size", -CACHE)?;
            connection.execute_batch(TABLE)?;
            connection.execute_batch("BEGIN")?;
            Ok(connection)
        };
        let connection = open().map_err(|error| file::temporary(&path, &error))?;
        Ok(Self { connection, path, pages: Vec::new(), described: Vec::new() })
    }

    fn failed(&self, error: &rusqlite::Error) -> JournalError {
        file::temporary(&self.path, error)
    }

    /// Adds a page.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, page: impl Iterator<Item = ToList>) -> Result<(), JournalError> {
        let mut last = self.pages.last().copied().unwrap_or_default();
        let add = || {
            let mut insert = self.connection.prepare_cached(
                "INSERT INTO listed (id, uri, source, name, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for ToList { site, name, text } in page {
                last += 1;
                let name = name.map(|key| key.0);
                insert.execute(params![last, site.uri.0, site.source.0, name, text])?;
            }
            Ok(())
        };
        add().map_err(|error| self.failed(&error))?;
        self.pages.push(last);
        Ok(())
    }

    /// Ends the listing: all pages are in. Nothing is found in it before.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(&mut self) -> Result<(), JournalError> {
        let finish = || {
            self.connection.execute_batch("COMMIT")?;
            self.connection.execute_batch(INDEXES)
        };
        finish().map_err(|error| self.failed(&error))?;
        let last = self.pages.last().copied().unwrap_or_default();
        self.described = vec![0; usize::try_from(last / 64 + 1).unwrap_or_default()];
        Ok(())
    }

    /// Returns the number of pages.
    #[must_use]
    pub const fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Returns the artifacts of a page.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn page(&self, number: usize) -> Result<Vec<String>, JournalError> {
        let Some(last) = self.pages.get(number) else { return Ok(Vec::new()) };
        let before = number.checked_sub(1).and_then(|before| self.pages.get(before));
        let page = (before.copied().unwrap_or_default(), *last);
        self.texts("SELECT text FROM listed WHERE id > ?1 AND id <= ?2 ORDER BY id", page)
    }

    /// Returns the artifacts at the URI with this key, in the order of the listing.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn at_uri(&self, uri: Key) -> Result<Vec<String>, JournalError> {
        self.texts("SELECT text FROM listed WHERE uri = ?1 ORDER BY id", [uri.0])
    }

    fn texts(
        &self,
        select: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<String>, JournalError> {
        let read = || {
            let mut select = self.connection.prepare_cached(select)?;
            let rows = select.query_map(values, |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Returns the first artifact that was listed at a site.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn at(&self, site: Site) -> Result<Option<String>, JournalError> {
        let read = || {
            let mut select = self.connection.prepare_cached(
                "SELECT text FROM listed WHERE uri = ?1 AND source = ?2 ORDER BY id LIMIT 1",
            )?;
            let values = params![site.uri.0, site.source.0];
            select.query_row(values, |row| row.get(0)).optional()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Returns whether something was listed at a site.
    ///
    /// # Errors
    /// If that cannot be read.
    pub fn has(&self, site: Site) -> Result<bool, JournalError> {
        let read = || {
            let select = "SELECT 1 FROM listed WHERE uri = ?1 AND source = ?2";
            self.connection.prepare_cached(select)?.exists(params![site.uri.0, site.source.0])
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Returns the first artifact that was listed with the name of this key, if it is at another
    /// source.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn named_elsewhere(&self, name: Key, source: Key) -> Result<Option<String>, JournalError> {
        let read = || {
            let mut select = self.connection.prepare_cached(
                "SELECT text, source = ?2 FROM listed WHERE name = ?1 ORDER BY id LIMIT 1",
            )?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let first: Option<(String, bool)> =
                select.query_row(params![name.0, source.0], read).optional()?;
            Ok(first.and_then(|(text, is_same)| (!is_same).then_some(text)))
        };
        read().map_err(|error: rusqlite::Error| self.failed(&error))
    }

    /// Notes that a manifest describes what is at a site.
    ///
    /// # Errors
    /// If it cannot be read what is there.
    pub fn describe(&mut self, site: Site) -> Result<(), JournalError> {
        let mut note = || {
            let mut select = self
                .connection
                .prepare_cached("SELECT id FROM listed WHERE uri = ?1 AND source = ?2")?;
            let mut rows = select.query(params![site.uri.0, site.source.0])?;
            while let Some(row) = rows.next()? {
                let id = usize::try_from(row.get::<_, i64>(0)?).unwrap_or_default();
                if let Some(bits) = self.described.get_mut(id / 64) {
                    *bits |= 1 << (id % 64);
                }
            }
            Ok(())
        };
        let noted = note();
        noted.map_err(|error| self.failed(&error))
    }

    /// Hands every artifact that no manifest describes to `take`: its number in the listing, and
    /// the key of its source.
    ///
    /// # Errors
    /// If they cannot be read, or `take` fails.
    pub fn each_undescribed(
        &self,
        take: &mut dyn FnMut(i64, Key) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let failure = |error: rusqlite::Error| self.failed(&error);
        let mut select = self
            .connection
            .prepare_cached("SELECT id, source FROM listed ORDER BY id")
            .map_err(failure)?;
        let mut rows = select.query([]).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            let number: i64 = row.get(0).map_err(failure)?;
            let id = usize::try_from(number).unwrap_or_default();
            if self.described.get(id / 64).is_none_or(|bits| bits >> (id % 64) & 1 == 0) {
                take(number, Key(row.get(1).map_err(failure)?))?;
            }
        }
        Ok(())
    }

    /// Returns the artifact with this number in the listing.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn text(&self, number: i64) -> Result<Option<String>, JournalError> {
        let read = || {
            let select = "SELECT text FROM listed WHERE id = ?1";
            self.connection.prepare_cached(select)?.query_row([number], |row| row.get(0)).optional()
        };
        read().map_err(|error| self.failed(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(uri: &str, version: &str) -> Site {
        let types = [("Custom", version)].into_iter();
        Site { uri: Key::of_name(uri), source: Key::of_identity(uri, types) }
    }

    fn listed(uri: &str, version: &str, name: Option<&str>) -> ToList {
        let text = format!("{uri} {version} {name:?}");
        ToList { site: site(uri, version), name: name.map(Key::of_name), text }
    }

    #[test]
    fn what_was_listed_is_found_by_page_place_and_name() {
        let mut listing = Listing::new().unwrap();
        let first = [listed("a", "1", Some("n")), listed("a", "2", None), listed("a", "1", None)];
        listing.add(first.into_iter()).unwrap();
        listing.add(std::iter::empty()).unwrap();
        listing.add([listed("b", "1", Some("n"))].into_iter()).unwrap();
        listing.finish().unwrap();
        assert_eq!(listing.pages(), 3);
        let all = ["a 1 Some(\"n\")", "a 2 None", "a 1 None"];
        assert_eq!(listing.page(0).unwrap(), all);
        assert_eq!(listing.page(1).unwrap(), [""; 0]);
        assert_eq!(listing.page(2).unwrap(), ["b 1 Some(\"n\")"]);
        assert_eq!(listing.page(3).unwrap(), [""; 0]);
        assert_eq!(listing.at_uri(Key::of_name("a")).unwrap(), all);
        assert_eq!(listing.at(site("a", "1")).unwrap().unwrap(), all[0], "the first");
        assert_eq!(listing.at(site("b", "2")).unwrap(), None);
        assert!(listing.has(site("a", "2")).unwrap() && !listing.has(site("c", "1")).unwrap());
        let name = Key::of_name("n");
        assert_eq!(listing.named_elsewhere(name, site("a", "1").source).unwrap(), None);
        let other = listing.named_elsewhere(name, site("b", "1").source).unwrap();
        assert_eq!(other.unwrap(), all[0]);

        listing.describe(site("a", "1")).unwrap();
        let mut left = Vec::new();
        let mut take = |number, source| {
            left.push((source, listing.text(number)?.unwrap()));
            Ok(())
        };
        listing.each_undescribed(&mut take).unwrap();
        let b = (site("b", "1").source, "b 1 Some(\"n\")".to_owned());
        assert_eq!(left, [(site("a", "2").source, all[1].to_owned()), b]);
    }
}
