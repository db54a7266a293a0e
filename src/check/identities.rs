//! The names and sources that fixes would make, across manifests.
//!
//! A fix that would give an artifact the name or the source of another one is not offered. Such
//! conflicts are known only once all manifests have been read, so they are read again when the first
//! such fix is found.

use std::collections::{BTreeSet, HashMap};

use super::claims::Claims;
use super::index::{First, Index};
use super::part::Batch;
use crate::artifact::Key;
use crate::diagnostic::{Becomes, Diagnostic, Related, Unique};
use crate::source::{FileId, SourceStore, Span};
use crate::text::{quoted, redacted};

/// The names and sources that are known while an artifact is checked.
pub(super) trait Uses {
    /// Adds the next artifact, which is in `file`. Returns the first artifact with its name, and
    /// the first with its source, unless it is the first itself.
    fn add(&mut self, file: FileId, claims: &Claims) -> (Option<First>, Option<First>);

    /// Adds names and sources that artifacts of `file` would get by fixes.
    fn add_becoming(&mut self, file: FileId, becoming: &[Becomes]);

    /// Returns what is known of those that artifacts of `file` would get.
    fn identities(&self, file: FileId) -> Identities;
}

/// The artifacts of one run so far.
pub(super) struct Walked<'r> {
    index: Index,
    /// Reads everything for its names and sources.
    again: &'r dyn Fn() -> Identities,
}

impl<'r> Walked<'r> {
    pub(super) fn new(again: &'r dyn Fn() -> Identities) -> Self {
        Self { index: Index::default(), again }
    }
}

impl Uses for Walked<'_> {
    fn add(&mut self, file: FileId, claims: &Claims) -> (Option<First>, Option<First>) {
        self.index.add(file, claims)
    }

    fn add_becoming(&mut self, _: FileId, _: &[Becomes]) {}

    fn identities(&self, _: FileId) -> Identities {
        (self.again)()
    }
}

/// The names and sources that fixes would give to artifacts, and who else has or would get them.
#[derive(Debug, Default)]
pub struct Identities(pub(super) HashMap<(Unique, Key), Class>);

/// A name or a source that fixes would make.
#[derive(Debug)]
pub(super) struct Class {
    /// The first artifact that has it already.
    pub(super) used: Option<Place>,
    /// The first artifact that would get it, by what it has now.
    pub(super) first: (Key, Place),
    /// The first that would get it and has something else now.
    pub(super) other: Option<Place>,
    /// The files of those that would get it.
    files: BTreeSet<FileId>,
}

impl Class {
    /// Creates one that an artifact at `used` has already, and that the artifacts of `wanted` would
    /// get, by what they have now, in the order of the tree. Returns `None` if there are none.
    pub(super) fn new(
        used: Option<Place>,
        wanted: impl IntoIterator<Item = (Key, Place)>,
    ) -> Option<Self> {
        let mut wanted = wanted.into_iter();
        let first = wanted.next()?;
        let (mut other, mut files) = (None, BTreeSet::from([first.1.0]));
        for (from, place) in wanted {
            files.insert(place.0);
            if first.0 != from && other.is_none() {
                other = Some(place);
            }
        }
        Some(Self { used, first, other, files })
    }
}

pub(super) type Place = (FileId, Span);

/// The reason why a fix must not be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Conflict {
    /// An artifact there has what the fix would make.
    Used(Place),
    /// An artifact there would get the same.
    Wanted(Place),
    /// Nothing is known about it.
    Unknown,
}

/// Collects what artifacts have, and what they would get.
#[derive(Debug, Default)]
pub(super) struct Collector {
    index: Index,
    wanted: Vec<(Unique, Key, Key, Place)>,
}

impl Collector {
    /// Takes the artifacts of a part of `file`.
    pub(super) fn take(&mut self, file: FileId, batch: &Batch) {
        for entry in &batch.entries {
            self.index.add(file, &entry.claims);
        }
        self.wanted.extend(batch.becoming.iter().map(
            |Becomes { what, from, to, span, .. }| (*what, Key(*from), Key(*to), (file, *span)),
        ));
    }

    /// Returns what is known once all is read.
    pub(super) fn identities(self) -> Identities {
        let mut wanted: HashMap<(Unique, Key), Vec<(Key, Place)>> = HashMap::new();
        for (what, from, to, place) in self.wanted {
            wanted.entry((what, to)).or_default().push((from, place));
        }
        let class = |((what, to), wanted)| {
            let used = self.index.find(what, to).map(|first| (first.file, first.span));
            Some(((what, to), Class::new(used, wanted)?))
        };
        Identities(wanted.into_iter().filter_map(class).collect())
    }
}

impl Identities {
    /// Returns whether the fix of `finding` leaves names and sources unique that are unique now.
    #[must_use]
    pub fn allow(&self, finding: &Diagnostic) -> bool {
        let becomes = finding.fix.as_ref().and_then(|fix| fix.becomes.as_ref());
        becomes.is_none_or(|becomes| self.conflict(finding.file, becomes).is_none())
    }

    fn conflict(&self, file: FileId, becomes: &Becomes) -> Option<Conflict> {
        let Some(class) = self.0.get(&(becomes.what, Key(becomes.to))) else {
            return Some(Conflict::Unknown);
        };
        // One that is halfway there has something else now than when all was read.
        let is_halfway = class.other.is_none() && class.files.contains(&file);
        let is_first = class.first.0 == Key(becomes.from) || is_halfway;
        let wanted = if is_first { class.other } else { Some(class.first.1) };
        class.used.map(Conflict::Used).or(wanted.map(Conflict::Wanted))
    }

    /// Takes the fix of a finding away if it must not be applied, and says why in its help.
    pub(super) fn restrict(&self, finding: &mut Diagnostic, store: &SourceStore) {
        let Some(becomes) = finding.fix.as_ref().and_then(|fix| fix.becomes.clone()) else {
            return;
        };
        let Some(conflict) = self.conflict(finding.file, &becomes) else { return };
        finding.fix = None;
        let text = quoted(&redacted(&becomes.text));
        let (state, place, label) = match conflict {
            Conflict::Used(place) => ("is already used", place, "already used here"),
            Conflict::Wanted(place) => ("would be used twice", place, "this would become the same"),
            Conflict::Unknown => return,
        };
        finding.help = Some(match becomes.what {
            Unique::Name => format!(
                "choose another name of ASCII letters and digits, with hyphens between them: \
                 {text} {state}"
            ),
            Unique::Source => format!(
                "remove one of the two artifacts, or give them different `SourceTypes`: {text} \
                 {state}"
            ),
        });
        let (file, span) = place;
        finding.related.push(Related {
            message: label.to_owned(),
            file,
            region: store.get(file).map(|source| source.region(span)),
        });
    }
}
