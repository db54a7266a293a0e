//! The entries of which nothing is known, by source.

use super::Resolved;
use crate::artifact::Key;
use crate::submission::{EntryId, Outcome};

/// Entries of one run by their source, in 20 bytes each. If two have the same source, it is that of
/// the later one.
#[derive(Debug, Default)]
pub struct Unknown {
    /// The entry that the others are counted from.
    first: i64,
    /// The distance of each entry from the first, sorted by source.
    entries: Vec<(Key, u32)>,
}

/// Collects the entries of an [`Unknown`].
#[derive(Debug, Default)]
pub(super) struct Gathered {
    first: Option<i64>,
    entries: Vec<(Key, u32)>,
}

impl Gathered {
    /// Adds an entry. It must not be before the first one of its run that was added.
    pub(super) fn add(&mut self, source: Key, entry: EntryId) {
        let first = *self.first.get_or_insert(entry.0);
        // No run has so many entries that one is further away.
        if let Ok(distance) = u32::try_from(entry.0 - first) {
            self.entries.push((source, distance));
        }
    }

    /// Returns those of the entries that `keep` returns true for.
    #[must_use]
    pub(super) fn finish(self, keep: impl Fn(EntryId) -> bool) -> Unknown {
        let Self { first, mut entries } = self;
        let first = first.unwrap_or_default();
        entries.retain(|(_, distance)| keep(entry(first, *distance)));
        // The last of those with the same source comes first, and stays.
        entries.sort_unstable_by(|(source, entry), (other, another)| {
            source.cmp(other).then(another.cmp(entry))
        });
        entries.dedup_by_key(|(source, _)| *source);
        Unknown { first, entries }
    }
}

impl FromIterator<(Key, EntryId)> for Unknown {
    fn from_iter<I: IntoIterator<Item = (Key, EntryId)>>(entries: I) -> Self {
        let mut gathered = Gathered::default();
        entries.into_iter().for_each(|(source, entry)| gathered.add(source, entry));
        gathered.finish(|_| true)
    }
}

impl Unknown {
    /// Returns the number of sources.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there is no source.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the entry with the source `source`, and its place among all of them.
    #[must_use]
    pub fn get(&self, source: Key) -> Option<(usize, EntryId)> {
        let at = self.entries.binary_search_by_key(&source, |(source, _)| *source).ok()?;
        let (_, distance) = self.entries.get(at)?;
        Some((at, entry(self.first, *distance)))
    }

    /// Returns those that are still unknown once the attempts that earlier runs left open are
    /// settled, and how many of the others were recovered. An attempt that had no effect leaves its
    /// entry unknown.
    #[must_use]
    pub fn still(mut self, resolved: &Resolved) -> (Self, usize) {
        let mut recovered = 0;
        if !resolved.is_empty() {
            self.entries.retain(|(source, _)| {
                let outcome = resolved.get(source).map_or(Outcome::Pending, |one| one.outcome);
                recovered += usize::from(outcome == Outcome::Recovered);
                outcome == Outcome::Pending
            });
        }
        (self, recovered)
    }
}

fn entry(first: i64, distance: u32) -> EntryId {
    EntryId(first + i64::from(distance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_leads_to_the_last_entry_that_has_it_and_was_kept() {
        let key = |name: &str| Key::of_name(name);
        let mut gathered = Gathered::default();
        for (name, entry) in [("a", 100), ("b", 101), ("a", 102), ("c", 103), ("b", 104)] {
            gathered.add(key(name), EntryId(entry));
        }
        let unknown = gathered.finish(|entry| entry != EntryId(104) && entry != EntryId(103));
        let entry = |name| unknown.get(key(name)).map(|(_, entry)| entry.0);
        assert_eq!((entry("a"), entry("b"), entry("c")), (Some(102), Some(101), None));
        assert_eq!(unknown.len(), 2);
        let places = ["a", "b"].map(|name| unknown.get(key(name)).unwrap().0);
        assert!(places == [0, 1] || places == [1, 0], "{places:?}");
    }

    /// A million of them must not take more than 20 MB.
    #[test]
    fn an_entry_takes_20_bytes() {
        assert_eq!(size_of::<(Key, u32)>(), 20);
    }
}
