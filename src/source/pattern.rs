//! Globs that take paths.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use globset::{Glob, GlobMatcher};

/// A glob as in ignore files: with a `/` it is matched against the whole path as shown, without one
/// against the name of each file and directory on the way.
#[derive(Debug, Clone)]
pub struct Pattern {
    matcher: GlobMatcher,
    whole_path: bool,
    base: Option<Arc<Base>>,
}

/// The directories that patterns of a configuration are relative to.
#[derive(Debug)]
pub struct Base {
    /// The directory that paths, as they are shown, are relative to.
    pub working: PathBuf,
    /// The directory of the configuration.
    pub root: PathBuf,
}

/// A pattern that is no glob.
#[derive(Debug, thiserror::Error)]
#[error("invalid glob `{pattern}`: {reason}")]
pub struct PatternError {
    pattern: String,
    reason: String,
}

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(pattern: &str) -> Result<Self, PatternError> {
        let trimmed = pattern.strip_prefix("./").unwrap_or(pattern);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        let glob = Glob::new(trimmed).map_err(|error| PatternError {
            pattern: pattern.to_owned(),
            reason: error.kind().to_string(),
        })?;
        Ok(Self { matcher: glob.compile_matcher(), whole_path: trimmed.contains('/'), base: None })
    }
}

impl Pattern {
    /// Returns the glob, as it would be written on the command line.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.matcher.glob().glob()
    }

    /// Returns the same pattern, matched against paths relative to the root of `base`.
    #[must_use]
    pub fn relative_to(mut self, base: &Arc<Base>) -> Self {
        self.base = Some(Arc::clone(base));
        self
    }

    /// Returns whether it matches `path`, as it is shown, or one of its parent directories.
    #[must_use]
    pub fn matches(&self, path: &Path) -> bool {
        match &self.base {
            Some(base) => self.takes(&base.rebased(path)),
            None => self.takes(path),
        }
    }

    fn takes(&self, path: &Path) -> bool {
        if self.whole_path {
            return path.ancestors().any(|part| self.matcher.is_match(part));
        }
        path.components().any(|part| match part {
            Component::Normal(name) => self.matcher.is_match(Path::new(name)),
            _ => false,
        })
    }
}

impl Base {
    fn rebased<'p>(&self, path: &'p Path) -> Cow<'p, Path> {
        if self.working == self.root && path.is_relative() && !has_parent(path) {
            return Cow::Borrowed(path);
        }
        let mut whole = PathBuf::new();
        for part in self.working.join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    whole.pop();
                }
                part => whole.push(part),
            }
        }
        whole.strip_prefix(&self.root).map(Path::to_owned).unwrap_or(whole).into()
    }
}

fn has_parent(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_a_configuration_are_relative_to_it() {
        let base = |working: &str| {
            Arc::new(Base { working: PathBuf::from(working), root: PathBuf::from("/work/repo") })
        };
        let matches = |pattern: &str, working: &str, path: &str| {
            let pattern: Pattern = pattern.parse().unwrap();
            pattern.relative_to(&base(working)).matches(Path::new(path))
        };
        assert!(matches("legacy/**", "/work/repo", "legacy/a.yaml"));
        assert!(matches("data/legacy/**", "/work/repo/data", "legacy/a.yaml"));
        assert!(matches("legacy/*.yaml", "/work/repo/data", "../legacy/a.yaml"));
        assert!(!matches("legacy/**", "/work/repo/data", "legacy/a.yaml"));
        assert!(matches("legacy", "/work/repo/data", "legacy/a.yaml"));
        assert!(matches("legacy/**", "/elsewhere", "/work/repo/legacy/a.yaml"));
    }
}
