//! The names and sources of a tree of manifests, which can be replaced file by file.
//!
//! A check of the whole tree fills it. Afterwards each file can be checked alone, and has the same
//! duplicates as in a check of the whole tree, and the same fixes.

use std::collections::{BTreeSet, HashMap};

use super::claims::{Claim, Claims};
use super::identities::{Class, Identities, Uses};
use super::index::First;
use super::part::Batch;
use crate::artifact::Key;
use crate::diagnostic::{Becomes, Unique};
use crate::source::{FileId, Span};

/// The most other places of a name or source that are returned.
const MAX_PLACES: usize = 100;

/// The names and sources of many files. Files come in the order of their ids, as in a walk.
#[derive(Debug, Default)]
pub struct Register {
    files: HashMap<FileId, Content>,
    /// The places of each name and of each source: the first in the order of the tree, then the others
    /// in any order.
    places: HashMap<(Unique, Key), Vec<Place>>,
    /// The artifacts that would get each of these by a fix, in any order.
    wanted: HashMap<(Unique, Key), Vec<Wanted>>,
}

/// The names and sources of one file.
#[derive(Debug, Default)]
struct Content {
    claims: Vec<(Unique, Claim)>,
    /// The keys that artifacts would get by fixes.
    wanted: Vec<(Unique, Key)>,
}

/// A place where a name or a source is used, in the order of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: FileId,
    /// The number of the claim in its file.
    number: u32,
    span: Span,
}

/// An artifact that would get a name or a source by a fix.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// The key of what it has now.
    from: Key,
    place: Place,
}

impl Register {
    /// Takes the artifacts of a part of `file`.
    pub(super) fn take(&mut self, file: FileId, batch: &Batch) {
        self.add_becoming(file, &batch.becoming);
        for entry in &batch.entries {
            self.add(file, &entry.claims);
        }
    }

    /// Removes the names and sources of `file`.
    pub fn forget(&mut self, file: FileId) {
        let Some(content) = self.files.remove(&file) else { return };
        for key in content.keys() {
            if let Some(places) = self.places.get_mut(&key) {
                places.retain(|place| place.file != file);
                let first = (0..places.len()).min_by_key(|at| places[*at]);
                match first {
                    Some(first) => places.swap(0, first),
                    None => drop(self.places.remove(&key)),
                }
            }
            if let Some(wanted) = self.wanted.get_mut(&key) {
                wanted.retain(|one| one.place.file != file);
                if wanted.is_empty() {
                    self.wanted.remove(&key);
                }
            }
        }
    }

    /// Returns the other files that have, or would get by fixes, a name or a source that `file` has or
    /// would get.
    #[must_use]
    pub fn sharing_with(&self, file: FileId) -> BTreeSet<FileId> {
        let mut files = BTreeSet::new();
        let Some(content) = self.files.get(&file) else { return files };
        for key in content.keys() {
            let places = self.places.get(&key).into_iter().flatten();
            let wanted = self.wanted.get(&key).into_iter().flatten();
            files.extend(places.map(|place| place.file).filter(|other| *other != file));
            files.extend(wanted.map(|one| one.place.file).filter(|other| *other != file));
        }
        files
    }

    /// Returns the other places of the name or the source that is written at the byte `offset` of
    /// `file`, in the order of the tree: the first hundred.
    #[must_use]
    pub fn elsewhere(&self, file: FileId, offset: u32) -> Vec<(FileId, Span)> {
        let claims = self.files.get(&file).into_iter().flat_map(|content| &content.claims);
        let keys: BTreeSet<_> = claims
            .filter(|(_, claim)| claim.span.touches(offset))
            .map(|(what, claim)| (*what, claim.key))
            .collect();
        let mut found: Vec<Place> = keys
            .iter()
            .filter_map(|key| self.places.get(key))
            .flatten()
            .filter(|place| place.file != file || !place.span.touches(offset))
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup_by_key(|place| (place.file, place.span));
        found.into_iter().take(MAX_PLACES).map(|place| (place.file, place.span)).collect()
    }

    fn use_of(&mut self, what: Unique, file: FileId, claim: Option<Claim>) -> Option<First> {
        let claim = claim?;
        let claims = &mut self.files.entry(file).or_default().claims;
        let number = u32::try_from(claims.len()).unwrap_or(u32::MAX);
        claims.push((what, claim));
        let place = Place { file, number, span: claim.span };
        let places = self.places.entry((what, claim.key)).or_insert_with(|| Vec::with_capacity(1));
        let first = places.first().copied();
        places.push(place);
        if first.is_some_and(|first| place < first) {
            let last = places.len() - 1;
            places.swap(0, last);
            return None;
        }
        let Place { file, span, .. } = first?;
        Some(First { entry: None, file, span })
    }

    fn class(&self, key: (Unique, Key)) -> Option<Class> {
        let at = |place: Place| (place.file, place.span);
        let used = self.places.get(&key).and_then(|places| places.first());
        let mut wanted = self.wanted.get(&key)?.clone();
        wanted.sort_unstable_by_key(|one| one.place);
        let wanted = wanted.into_iter().map(|one| (one.from, at(one.place)));
        Class::new(used.copied().map(at), wanted)
    }

    /// Returns what is known of the names and sources that artifacts of `file` would get by fixes.
    #[must_use]
    pub fn identities(&self, file: FileId) -> Identities {
        let wanted = self.files.get(&file).into_iter().flat_map(|content| &content.wanted);
        let keys: BTreeSet<_> = wanted.copied().collect();
        Identities(keys.into_iter().filter_map(|key| Some((key, self.class(key)?))).collect())
    }
}

impl Content {
    /// Returns all keys, each once.
    fn keys(&self) -> BTreeSet<(Unique, Key)> {
        let claims = self.claims.iter().map(|(what, claim)| (*what, claim.key));
        claims.chain(self.wanted.iter().copied()).collect()
    }
}

impl Uses for &mut Register {
    fn add(&mut self, file: FileId, claims: &Claims) -> (Option<First>, Option<First>) {
        (**self).add(file, claims)
    }

    fn add_becoming(&mut self, file: FileId, becoming: &[Becomes]) {
        (**self).add_becoming(file, becoming);
    }

    fn identities(&self, file: FileId) -> Identities {
        Register::identities(self, file)
    }
}

impl Register {
    /// Adds the next artifact of `file`, as [`Uses::add`] does.
    fn add(&mut self, file: FileId, claims: &Claims) -> (Option<First>, Option<First>) {
        let name = self.use_of(Unique::Name, file, claims.name);
        (name, self.use_of(Unique::Source, file, claims.source))
    }

    fn add_becoming(&mut self, file: FileId, becoming: &[Becomes]) {
        for Becomes { what, from, to, span, .. } in becoming {
            let key = (*what, Key(*to));
            let content = self.files.entry(file).or_default();
            let number = u32::try_from(content.wanted.len()).unwrap_or(u32::MAX);
            content.wanted.push(key);
            let place = Place { file, number, span: *span };
            self.wanted.entry(key).or_default().push(Wanted { from: Key(*from), place });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(name: &str, at: u32) -> Claims {
        let span = Span { start: at, end: at + 1 };
        Claims { name: Some(Claim { key: Key::of_name(name), span }), source: None }
    }

    fn add(register: &mut Register, file: u32, name: &str, at: u32) -> Option<(u32, u32)> {
        let (first, _) = register.add(FileId(file), &claims(name, at));
        first.map(|first| (first.file.0, first.span.start))
    }

    fn becomes(from: &str, to: &str) -> Becomes {
        Becomes {
            what: Unique::Name,
            from: Key::of_name(from).0,
            to: Key::of_name(to).0,
            text: to.into(),
            span: Span { start: 1, end: 2 },
        }
    }

    #[test]
    fn the_first_is_that_of_the_tree_in_whatever_order_files_are_replaced() {
        let mut register = Register::default();
        assert_eq!(add(&mut register, 1, "a", 5), None);
        assert_eq!(add(&mut register, 2, "a", 7), Some((1, 5)));
        assert_eq!(add(&mut register, 2, "a", 9), Some((1, 5)));
        // The first file is checked again: it stays the first.
        register.forget(FileId(1));
        assert_eq!(add(&mut register, 1, "a", 6), None);
        assert_eq!(register.sharing_with(FileId(2)), BTreeSet::from([FileId(1)]));
        assert_eq!(
            register.elsewhere(FileId(2), 7),
            [(FileId(1), Span { start: 6, end: 7 }), (FileId(2), Span { start: 9, end: 10 })]
        );
        // It is not in the first file any more.
        register.forget(FileId(1));
        register.forget(FileId(2));
        assert_eq!(add(&mut register, 2, "a", 7), None);
        assert_eq!(add(&mut register, 2, "a", 9), Some((2, 7)));
    }

    #[test]
    fn what_fixes_would_make_is_known_across_files_and_forgotten_with_each() {
        let mut register = Register::default();
        let key = (Unique::Name, Key::of_name("a-b"));
        register.add_becoming(FileId(2), &[becomes("a_b", "a-b")]);
        let class = register.class(key).unwrap();
        assert_eq!((class.used, class.other), (None, None));
        register.add_becoming(FileId(1), &[becomes("a b", "a-b")]);
        let class = register.class(key).unwrap();
        assert_eq!(class.first.1.0, FileId(1));
        assert_eq!(class.other.unwrap().0, FileId(2));
        assert_eq!(register.sharing_with(FileId(2)), BTreeSet::from([FileId(1)]));
        add(&mut register, 3, "a-b", 4);
        assert_eq!(register.class(key).unwrap().used.unwrap().0, FileId(3));
        assert_eq!(register.sharing_with(FileId(3)), BTreeSet::from([FileId(1), FileId(2)]));
        register.forget(FileId(1));
        register.forget(FileId(3));
        let class = register.class(key).unwrap();
        assert_eq!((class.used, class.first.1.0, class.other), (None, FileId(2), None));
    }
}
