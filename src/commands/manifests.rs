//! The manifests that the paths of a command line lead to, or the inventory in their place.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::failure::Failure;
use super::inventory::{Asked, Inventory};
use super::settings::Settings;
use crate::artifact::{Ambiguous, Rewrites, UriRewrite};
use crate::check;
use crate::cli::{Global, Manifests};
use crate::source::{SourceFile, SourceStore};
use crate::text::{either, escaped, redacted};
use crate::walk::{self, Found, Origin, Walk};

/// The manifests of a run.
pub(super) struct ManifestSet {
    pub(super) walk: Walk,
    pub(super) sources: SourceStore,
    /// The inventory that is read in the place of files.
    pub(super) rows: Option<RowSet>,
    /// The rewrites of each `SourceUri`.
    pub(super) rewrites: Option<Rewrites>,
}

/// Returns the rewrites that options ask for; `None` if there are none.
pub(super) fn rewrites(asked: &[UriRewrite]) -> Result<Option<Rewrites>, Failure> {
    let rewrites = Rewrites::new(asked).map_err(|Ambiguous(old)| {
        Failure::usage(format!("`--rewrite-uri` has two replacements for `{old}`"))
    })?;
    Ok((!rewrites.is_empty()).then_some(rewrites))
}

/// Warns of those that were applied to no `SourceUri`.
pub(super) fn warn_of_unused(rewrites: &Rewrites, global: &Global) {
    let mut err = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
    for UriRewrite { old, .. } in rewrites.unused() {
        let old = escaped(&redacted(old));
        // Standard error may be closed.
        let _ = writeln!(
            err,
            "\x1b[1;33mwarning:\x1b[0m `--rewrite-uri`: no `SourceUri` begins with `{old}`"
        );
    }
}

/// The inventory of a run, and its template.
pub(super) struct RowSet {
    /// Until it is read.
    inventory: Mutex<Option<Inventory>>,
    pub(super) template: Arc<SourceFile>,
}

impl RowSet {
    /// Takes the inventory, which can be read once.
    pub(super) fn take(&self) -> Option<Inventory> {
        self.inventory.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ManifestSet {
    /// Walks the paths of the command line. Finding no manifest is a failure, not a success.
    pub(super) fn find(args: &Manifests, settings: &Settings) -> Result<Self, Failure> {
        let rewrites = rewrites(&args.rewrite_uri)?;
        if let Some(asked) = Asked::of(args) {
            return Ok(Self { rewrites, ..Self::of_rows(asked)? });
        }
        let mut options = args.walk_options();
        options.exclude.extend(settings.config.exclude.iter().cloned());
        let walk = walk::walk(&options);
        let sources = check::sources(&walk);
        Ok(Self { walk, sources, rows: None, rewrites })
    }

    /// Opens an inventory. Its files are those of the run, the template being the second.
    fn of_rows(asked: Asked<'_>) -> Result<Self, Failure> {
        let inventory = Inventory::open(asked)?;
        let template = Arc::new(inventory.template(asked)?);
        let found = |name: &Arc<str>, path: Option<&Path>| Found {
            name: Arc::clone(name),
            what: Ok(path.map_or(Origin::Stdin, |path| Origin::Path(Arc::from(path)))),
        };
        let mut files: Vec<Found> = inventory
            .names
            .iter()
            .map(|name| found(name, Some(Path::new(&**name)).filter(|path| path.exists())))
            .collect();
        let of_template = found(template.name(), asked.made.template.as_deref());
        files.insert(1.min(files.len()), of_template);
        let walk = Walk { found: files, elsewhere: 0 };
        let sources = check::sources(&walk);
        let rows = RowSet { inventory: Mutex::new(Some(inventory)), template };
        Ok(Self { walk, sources, rows: Some(rows), rewrites: None })
    }

    /// Warns of rewrites that no `SourceUri` needed: their beginnings are probably misspelt.
    pub(super) fn warn_of_unused_rewrites(&self, global: &Global) {
        if let Some(rewrites) = &self.rewrites {
            warn_of_unused(rewrites, global);
        }
    }

    /// Drops the cached content of the files, which have changed.
    pub(super) fn forget(&self) {
        self.sources.forget();
    }

    /// Returns the failure of finding no manifests, if none were found.
    pub(super) fn none_found(&self, args: &Manifests) -> Option<Failure> {
        // A shard without a file has nothing to do.
        if self.walk.files() + self.walk.elsewhere > 0 {
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
