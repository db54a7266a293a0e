//! The manifests that the paths of a command line lead to.

use super::failure::Failure;
use super::settings::Settings;
use crate::check;
use crate::cli::Manifests;
use crate::source::SourceStore;
use crate::text::either;
use crate::walk::{self, Walk};

/// The manifests of a run.
pub(super) struct ManifestSet {
    pub(super) walk: Walk,
    pub(super) sources: SourceStore,
}

impl ManifestSet {
    /// Walks the paths of the command line. Finding no manifest is a failure, not a success.
    pub(super) fn find(args: &Manifests, settings: &Settings) -> Result<Self, Failure> {
        let mut options = args.walk_options();
        options.exclude.extend(settings.config.exclude.iter().cloned());
        let walk = walk::walk(&options);
        let sources = check::sources(&walk);
        Ok(Self { walk, sources })
    }

    /// Drops the cached content of the files, which have changed.
    pub(super) fn forget(&self) {
        self.sources.forget();
    }

    /// Returns the failure of finding no manifests, if none were found.
    pub(super) fn none_found(&self, args: &Manifests) -> Option<Failure> {
        if self.walk.files() > 0 {
            return None;
        }
        let paths: Vec<_> = args.paths.iter().map(|path| path.display().to_string()).collect();
        let paths = either(paths.iter().map(String::as_str));
        let failure = Failure::usage(format!("no manifests found in {paths}"));
        Some(failure.help(
            "pass a file, or a directory that contains `*.yaml` or `*.yml`; `-` reads standard \
             input",
        ))
    }
}
