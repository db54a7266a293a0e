//! Look-ups of sources in the order in which they were staged.
//!
//! A tree that is imported again comes in the order of the last time. Once some sources were found
//! one behind the other, those that follow are read many at a time and compared with what comes: a
//! fraction of the cost of a look-up of each in the index of sources.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use rusqlite::{Connection, params};

use crate::artifact::Key;

/// The number of entries that are read at a time.
const BLOCK: u32 = 512;
/// The number of sources, found one behind the other, after which those that follow are read.
const STREAK: u32 = 64;
/// Of the entries of a journal, the part that must be found first before all sources are read to
/// find those with several entries: so the small import of a large journal reads only its own.
const PART: i64 = 32;
/// The maximum number of sources with several entries that are held, 16 bytes each. With more, each
/// source is looked up.
const MOST_REPEATED: usize = 1 << 18;

/// The place of the last source that was found, and the entries that follow it.
#[derive(Debug)]
pub(super) struct Sequence {
    target: i64,
    /// The last entry that was found.
    last: i64,
    /// The number of those found before it, each behind the one before.
    streak: u32,
    /// The entries that follow, if they are being read.
    rows: VecDeque<Row>,
    repeated: Repeated,
}

/// The sources with more than one entry at the target. What is known of such a source depends on all of
/// them, so that it is looked up.
#[derive(Debug)]
enum Repeated {
    /// They have not been read yet.
    Unread,
    Read(HashSet<Key>, Runs),
    /// There are too many.
    TooMany,
}

/// The ranges of entries of all runs, in order, and whether each is at the target.
type Runs = Vec<(Range<i64>, bool)>;

/// An entry that follows.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) entry: i64,
    key: Key,
    /// The stored part of its digest.
    pub(super) digest: [u8; 16],
    /// True if what exists equals it.
    pub(super) is_equal: bool,
    /// True if a run with this journal created it.
    pub(super) made: bool,
}

impl Sequence {
    /// Starts with nothing found at the `target`.
    pub(super) const fn new(target: i64) -> Self {
        let repeated = Repeated::Unread;
        Self { target, last: 0, streak: 0, rows: VecDeque::new(), repeated }
    }

    /// Returns the only entry of the source `key`, if that is the one that follows; otherwise the source
    /// must be looked up.
    pub(super) fn next(
        &mut self,
        connection: &Connection,
        key: Key,
    ) -> rusqlite::Result<Option<Row>> {
        if self.rows.front().is_none_or(|row| row.key != key) || self.is_repeated(key) {
            return Ok(None);
        }
        let Some(row) = self.rows.pop_front() else { return Ok(None) };
        self.last = row.entry;
        if self.rows.is_empty() {
            self.read(connection)?;
        }
        Ok(Some(row))
    }

    /// Notes that `entry` was found by a look-up.
    pub(super) fn found(&mut self, connection: &Connection, entry: i64) -> rusqlite::Result<()> {
        // Entries that are not valid stand between them.
        let follows = (1..=8).contains(&(entry - self.last));
        self.streak = if follows { self.streak.saturating_add(1) } else { 0 };
        self.last = entry;
        let is_within = self.rows.front().is_some_and(|row| row.entry <= entry)
            && self.rows.back().is_some_and(|row| entry <= row.entry);
        if is_within {
            self.rows.retain(|row| entry < row.entry);
        } else {
            self.rows.clear();
        }
        if self.rows.is_empty() && STREAK <= self.streak {
            self.read(connection)?;
        }
        Ok(())
    }

    fn is_repeated(&self, key: Key) -> bool {
        matches!(&self.repeated, Repeated::Read(repeated, _) if repeated.contains(&key))
    }

    /// Reads the entries that follow the last one, of the same run.
    fn read(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if let Repeated::Unread = self.repeated {
            let runs = runs(connection, self.target)?;
            let entries = runs.last().map_or(0, |(range, _)| range.end);
            if i64::from(self.streak) < entries / PART {
                return Ok(());
            }
            self.repeated = repeated(connection, runs)?;
        }
        let Repeated::Read(_, runs) = &self.repeated else { return Ok(()) };
        let Some((range, true)) = run_of(runs, self.last) else { return Ok(()) };
        let mut statement = connection.prepare_cached(
            "SELECT entry.id, source, digest, equal, outcome IN ('created', 'recovered')
             FROM entry LEFT JOIN result ON result.entry = entry.id AND outcome IS NOT NULL
             WHERE ?1 < entry.id AND entry.id < ?2 AND source IS NOT NULL
             ORDER BY entry.id LIMIT ?3",
        )?;
        let rows = statement.query_map(params![self.last, range.end, BLOCK], |row| {
            Ok(Row {
                entry: row.get(0)?,
                key: Key(row.get(1)?),
                digest: row.get(2)?,
                is_equal: row.get::<_, Option<bool>>(3)?.unwrap_or(false),
                made: row.get::<_, Option<bool>>(4)?.unwrap_or(false),
            })
        })?;
        for row in rows {
            self.rows.push_back(row?);
        }
        Ok(())
    }
}

/// Returns the runs whose entries can be found.
fn runs(connection: &Connection, target: i64) -> rusqlite::Result<Runs> {
    let mut statement = connection
        .prepare("SELECT first, last, target = ?1 FROM run WHERE ready ORDER BY first")?;
    let rows = statement.query_map([target], |row| {
        let last: i64 = row.get(1)?;
        Ok((row.get(0)?..last + 1, row.get(2)?))
    })?;
    rows.collect()
}

/// Returns the run of an entry.
fn run_of(runs: &Runs, entry: i64) -> Option<&(Range<i64>, bool)> {
    let behind = runs.partition_point(|(range, _)| range.start <= entry);
    runs[..behind].last().filter(|(range, _)| range.contains(&entry))
}

/// Reads which sources have more than one entry at the target.
fn repeated(connection: &Connection, runs: Runs) -> rusqlite::Result<Repeated> {
    let mut statement =
        connection.prepare("SELECT source, entry FROM source ORDER BY source, entry")?;
    let mut rows = statement.query([])?;
    let (mut found, mut last) = (HashSet::new(), None);
    while let Some(row) = rows.next()? {
        let key = Key(row.get(0)?);
        if !matches!(run_of(&runs, row.get(1)?), Some((_, true))) {
            continue;
        }
        if last == Some(key) {
            found.insert(key);
            if MOST_REPEATED < found.len() {
                return Ok(Repeated::TooMany);
            }
        }
        last = Some(key);
    }
    Ok(Repeated::Read(found, runs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;

    /// Keys by number: the first 16 bytes of nothing else.
    fn key(number: u32) -> Key {
        let mut key = [7; 16];
        // Not in the order of the numbers, as real ones are not.
        key[..4].copy_from_slice(&number.swap_bytes().rotate_left(9).to_le_bytes());
        Key(key)
    }

    fn digest(number: u32) -> [u8; 16] {
        let mut digest = [9; 16];
        digest[..4].copy_from_slice(&number.to_le_bytes());
        digest
    }

    /// A journal of a run of `count` sources at the target 1, which exist: of each ninth the request
    /// differs, each tenth was created.
    fn journal(count: u32) -> Connection {
        let connection = schema::scratch().unwrap();
        connection
            .execute_batch("INSERT INTO target VALUES (1, 'here', '{}', 1), (2, 'there', '{}', 1);")
            .unwrap();
        add(&connection, 1, 1, 1, 0..count);
        connection
    }

    /// Adds the run `run` at `target`, whose entries begin with `first`.
    fn add(connection: &Connection, run: i64, target: i64, first: i64, numbers: Range<u32>) {
        let last = first + i64::from(numbers.end - numbers.start) - 1;
        connection
            .execute(
                "INSERT INTO run (id, uuid, target, command, started_ms, process, first, last, ready)
                 VALUES (?1, ?1, ?2, '', 0, 0, ?3, ?4, 1)",
                params![run, target, first, last],
            )
            .unwrap();
        connection
            .execute("INSERT INTO file (id, run, path, digest) VALUES (?1, ?1, '', x'00')", [run])
            .unwrap();
        for (entry, number) in (first..).zip(numbers) {
            connection
                .execute(
                    "INSERT INTO entry (id, run, file, line, source, digest)
                     VALUES (?1, ?2, ?2, 1, ?3, ?4)",
                    params![entry, run, key(number).0, digest(number)],
                )
                .unwrap();
            connection
                .execute("INSERT INTO source VALUES (?1, ?2)", params![key(number).0, entry])
                .unwrap();
            let outcome = if number % 10 == 0 { "created" } else { "existed" };
            connection
                .execute(
                    "INSERT INTO result (entry, outcome, equal) VALUES (?1, ?2, ?3)",
                    params![entry, outcome, number % 9 != 0],
                )
                .unwrap();
        }
    }

    /// Asks for sources by number. Returns how many were answered without a look-up.
    fn ask(
        connection: &Connection,
        sequence: &mut Sequence,
        numbers: impl Iterator<Item = u32>,
        expected: impl Fn(u32) -> Known,
    ) -> usize {
        let mut read = 0;
        for number in numbers {
            let key = key(number);
            if let Some(row) = sequence.next(connection, key).unwrap() {
                read += 1;
                let answer = (row.entry, row.digest, row.is_equal, row.made);
                assert_eq!(answer, expected(number), "{number}");
                continue;
            }
            let entry = connection.query_row(
                "SELECT max(entry) FROM source JOIN entry ON entry.id = source.entry
                 JOIN run ON run.id = entry.run WHERE source.source = ?1 AND target = 1",
                [key.0],
                |row| row.get::<_, Option<i64>>(0),
            );
            if let Some(entry) = entry.unwrap() {
                sequence.found(connection, entry).unwrap();
            }
        }
        read
    }

    /// The entry, its digest, whether what exists equals it, and whether it was created.
    type Known = (i64, [u8; 16], bool, bool);

    /// Returns what is expected of a number in a run whose entries begin with `first`, without a
    /// look-up.
    fn known(number: u32, first: i64) -> Known {
        let entry = first + i64::from(number);
        (entry, digest(number), !number.is_multiple_of(9), number.is_multiple_of(10))
    }

    #[test]
    fn what_follows_is_read_and_what_does_not_is_looked_up() {
        let connection = journal(3000);
        let in_order = |sequence: &mut Sequence, numbers| {
            ask(&connection, sequence, numbers, |number| known(number, 1))
        };
        let mut sequence = Sequence::new(1);
        let read = in_order(&mut sequence, 0..3000);
        assert!((2800..3000).contains(&read), "{read}");
        // From the start again, some left out, new ones between.
        for number in 0..3000 {
            in_order(&mut sequence, 5000 + number..5001 + number);
            if number % 50 > 3 {
                in_order(&mut sequence, number..number + 1);
            }
        }
        assert!(in_order(&mut sequence, 1..2) == 0 && in_order(&mut sequence, 2..2000) > 1500);
        // In no order: nothing is read in vain.
        let mut sequence = Sequence::new(1);
        let shuffled = (0..3000).map(|number| number * 1009 % 3000);
        assert_eq!(ask(&connection, &mut sequence, shuffled, |number| known(number, 1)), 0);
        assert!(sequence.rows.is_empty());
    }

    #[test]
    fn sources_with_several_entries_are_looked_up_those_of_other_targets_left_out() {
        let connection = journal(3000);
        add(&connection, 2, 2, 3001, 0..3000);
        add(&connection, 3, 1, 6001, 1000..1100);
        let mut sequence = Sequence::new(1);
        let asked = |numbers: Range<u32>, sequence: &mut Sequence| {
            ask(&connection, sequence, numbers, |number| {
                assert!(!(1000..1100).contains(&number));
                known(number, 1)
            })
        };
        assert!(asked(0..1000, &mut sequence) > 700);
        assert_eq!(asked(1000..1100, &mut sequence), 0);
        assert!(asked(1100..3000, &mut sequence) > 1700);
    }

    #[test]
    fn a_small_import_of_a_large_journal_does_not_read_all_of_it() {
        let connection = journal(10_000);
        let mut sequence = Sequence::new(1);
        assert_eq!(ask(&connection, &mut sequence, 0..300, |number| known(number, 1)), 0);
        assert!(matches!(sequence.repeated, Repeated::Unread));
        assert!(ask(&connection, &mut sequence, 300..1000, |number| known(number, 1)) > 600);
    }
}
