//! The selection of findings that are reported and fixed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::git;
use super::manifests::ManifestSet;
use crate::check::Identities;
use crate::cli::Narrow;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::FileId;
use crate::walk::{self, Origin};

/// The selection of findings that are reported. It does not change what is valid.
#[derive(Debug, Default)]
pub(super) struct Filter {
    select: HashSet<Code>,
    ignore: HashSet<Code>,
    changed: Option<HashSet<FileId>>,
    identities: Option<Identities>,
}

impl Filter {
    pub(super) fn new(args: &Narrow, manifest: &ManifestSet) -> Result<Self, Failure> {
        let changed = args.changed_since.as_deref().map(git::changed_since).transpose()?;
        let is_changed = |found: &walk::Found, changed: &HashSet<PathBuf>| match &found.what {
            Ok(Origin::Path(path)) => {
                std::fs::canonicalize(path).is_ok_and(|path| changed.contains(&path))
            }
            Ok(Origin::Stdin) => true,
            Err(_) => changed.contains(Path::new(&*found.name)),
        };
        let files = |changed: HashSet<PathBuf>| {
            let found = (0..).map(FileId).zip(&manifest.walk.found);
            found.filter(|(_, found)| is_changed(found, &changed)).map(|(id, _)| id).collect()
        };
        Ok(Self {
            select: args.select.iter().copied().collect(),
            ignore: args.ignore.iter().copied().collect(),
            changed: changed.map(files),
            identities: None,
        })
    }

    /// Rejects fixes that give an artifact the name or the source of another one.
    pub(super) fn with_identities(mut self, identities: Option<Identities>) -> Self {
        self.identities = identities;
        self
    }

    /// Returns whether the fix of a finding may be applied.
    pub(super) fn allows_fix(&self, finding: &Diagnostic) -> bool {
        self.identities.as_ref().is_none_or(|identities| identities.allow(finding))
    }

    /// Returns whether a file is reported on, with or without findings.
    pub(super) fn covers(&self, file: FileId) -> bool {
        self.changed.as_ref().is_none_or(|changed| changed.contains(&file))
    }

    /// Returns whether findings of a rule, by its name, can be reported.
    pub(super) fn takes_rule(&self, rule: &str) -> bool {
        let is = |code: &Code| code.as_str() == rule;
        (self.select.is_empty() || self.select.iter().any(is)) && !self.ignore.iter().any(is)
    }

    /// Returns whether every finding is reported.
    pub(super) fn takes_all(&self) -> bool {
        self.select.is_empty() && self.ignore.is_empty() && self.changed.is_none()
    }

    /// Returns whether a finding is reported.
    pub(super) fn keeps(&self, finding: &Diagnostic) -> bool {
        (self.select.is_empty() || self.select.contains(&finding.code))
            && !self.ignore.contains(&finding.code)
            && self.changed.as_ref().is_none_or(|changed| {
                let related = finding.related.iter().map(|related| related.file);
                std::iter::once(finding.file).chain(related).any(|file| changed.contains(&file))
            })
    }
}
