//! The names that artifacts have, and would get by fixes.

use std::collections::{HashMap, HashSet};

use super::manifests::ManifestSet;
use crate::check::{self, Entry, EntryIndex, NoThreads, Sink};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::FileId;

/// The names of all artifacts, and the names that fixes would give to invalid ones. A name that
/// another artifact has or would get is not a fix.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    /// The first old name by new name; `None` if there are two.
    wanted: HashMap<String, Option<String>>,
}

impl Names {
    /// Reads all manifests for their names.
    pub(super) fn of(
        manifest: &ManifestSet,
        options: check::Options<'_>,
    ) -> Result<Self, NoThreads> {
        let mut names = Self::default();
        let options = check::Options { entries: true, ..options };
        check::run(&manifest.walk, &manifest.sources, options, &mut names)?;
        manifest.forget();
        Ok(names)
    }

    /// Returns whether the fix of a finding, if it is about a name, gives a name that nothing else
    /// has.
    pub(super) fn allow(&self, finding: &Diagnostic) -> bool {
        if !matches!(finding.code, Code::NamePattern | Code::NameLength) {
            return true;
        }
        let edit = finding.fix.as_ref().and_then(|fix| fix.edits.first());
        edit.is_none_or(|edit| {
            let name = edit.text.trim_matches(['"', '\'']);
            !self.taken.contains(name) && self.wanted.get(name).is_none_or(Option::is_some)
        })
    }
}

impl Sink for Names {
    fn entry(&mut self, entry: Entry) {
        let Some(name) = entry.name else { return };
        if let Some(near) = check::near_name(&name).filter(|near| *near != name) {
            self.wanted
                .entry(near)
                .and_modify(|first| {
                    if first.as_ref() != Some(&name) {
                        *first = None;
                    }
                })
                .or_insert_with(|| Some(name.clone()));
        }
        self.taken.insert(name);
    }

    fn withdraw(&mut self, _: EntryIndex) {}
    fn file(&mut self, _: FileId, _: Vec<Diagnostic>, _: usize) {}
    fn progress(&mut self, _: usize) {}
}
