//! Which links lead out of the named folders.

use std::path::{Path, PathBuf};

/// Where the named paths really are.
pub(super) struct Roots(Vec<PathBuf>);

impl Roots {
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        Self(paths.iter().filter_map(|path| std::fs::canonicalize(path).ok()).collect())
    }

    /// Where the link at `path` leads, if that is in none of the named folders. A link that leads
    /// nowhere is told when it is read.
    pub(super) fn leads_out(&self, path: &Path) -> Option<PathBuf> {
        let target = std::fs::canonicalize(path).ok()?;
        let inside = self.0.iter().any(|root| target.starts_with(root));
        (!inside).then_some(target)
    }
}
