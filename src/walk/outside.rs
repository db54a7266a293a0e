//! Detection of symlinks that lead out of the given directories.

use std::path::{Path, PathBuf};

/// The canonical paths of the command line's paths.
pub(super) struct Roots(Vec<PathBuf>);

impl Roots {
    pub(super) fn new(paths: &[PathBuf]) -> Self {
        Self(paths.iter().filter_map(|path| std::fs::canonicalize(path).ok()).collect())
    }

    /// Returns the target of the symlink at `path`, if it is in none of the given directories. A
    /// dangling symlink is reported when it is read.
    pub(super) fn leads_out(&self, path: &Path) -> Option<PathBuf> {
        let target = std::fs::canonicalize(path).ok()?;
        let inside = self.0.iter().any(|root| target.starts_with(root));
        (!inside).then_some(target)
    }
}
