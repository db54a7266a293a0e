//! The check before an import or a plan: everything is checked, and the findings are a digest.

use std::collections::HashSet;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::check::{Entries, Summary};
use crate::cli::{Global, Manifests};
use crate::commands::checking::{self, Also, Check};
use crate::commands::command_line::lint_command;
use crate::commands::failure::Failure;
use crate::commands::filter::Filter;
use crate::commands::manifests::ManifestSet;
use crate::commands::reports::{People, Reports, inputs};
use crate::commands::settings::Settings;
use crate::commands::terminal::{human_options, shown_on_stderr};
use crate::config::Format;
use crate::destination;
use crate::report::digest::{Closing, Digest};
use crate::report::{FindingsReport, human};

/// Returns the databases of a run, the journal and the local registry, with the files that SQLite keeps
/// beside them.
pub(super) fn kept(journal: &Path, registry: Option<&Path>) -> Vec<PathBuf> {
    let beside = |file: &Path| {
        ["", "-wal", "-shm", "-journal"].map(|ending| {
            let mut name = file.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        })
    };
    [Some(journal), registry].into_iter().flatten().flat_map(beside).collect()
}

/// Checks that none of `destinations` is a file that a check of `manifests` reads.
pub(super) fn none_is_read(
    destinations: &[PathBuf],
    global: &Global,
    manifests: &Manifests,
    settings: &Settings,
) -> Result<(), Failure> {
    let destinations = || destinations.iter().map(PathBuf::as_path);
    if !destination::any_is_there(destinations()) {
        return Ok(());
    }
    if let Some(inventory) = &manifests.rows.inventory {
        // It may be a pipe, which cannot be opened twice.
        let inputs = [Some(inventory.clone()), manifests.rows.made.template.clone()];
        return Ok(destination::check_all(destinations(), inputs.into_iter().flatten())?);
    }
    let manifest = ManifestSet::find(manifests, settings)?;
    Ok(destination::check_all(destinations(), inputs(global, &manifest.walk))?)
}

/// Returns the findings of a command that does more than check, for people.
pub(super) fn human_report(global: &Global, manifests: &Manifests) -> Box<dyn FindingsReport> {
    let human = human_options(global, false, lint_command(global, manifests, None), manifests);
    let digest: People = |out, options| Box::new(Digest::new(out, options, Closing::Always));
    let mut reports = Reports::new(human, digest, false);
    reports.on_stdout(global, Format::Human, false);
    reports.finish()
}

/// Returns the same on standard error, where standard output belongs to something else.
pub(super) fn human_report_on_stderr(
    global: &Global,
    manifests: &Manifests,
) -> Box<dyn FindingsReport> {
    let out = anstream::AutoStream::new(io::stderr(), global.color.into());
    let options = human::Options {
        command: lint_command(global, manifests, None),
        all: false,
        quiet: true,
        ..shown_on_stderr()
    };
    Box::new(Digest::new(out, options, Closing::WithFindings))
}

/// `path` as it is shown: without `./` in front, and the working directory as nothing.
pub(super) fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// Returns whether an artifact of a file can have been removed from `manifests`, which were all read: the
/// file was read too, or does not exist any more.
pub(super) fn may_have_lost<'m>(
    manifests: &'m ManifestSet,
    args: &Manifests,
) -> impl Fn(&str) -> bool + use<'m> {
    let walked: HashSet<&str> = manifests.walk.found.iter().map(|found| &*found.name).collect();
    let is_below = is_below(manifests, args);
    move |file| {
        // A file that exists and was not read may still have it.
        let read = walked.contains(file) || !Path::new(file).exists();
        read && is_below(file)
    }
}

/// Returns whether a file is, or was, one of `manifests` or below a path of the command line.
pub(super) fn is_below<'m>(
    manifests: &'m ManifestSet,
    args: &Manifests,
) -> impl Fn(&str) -> bool + use<'m> {
    let paths: Vec<PathBuf> = args.paths().iter().map(|path| plain(path)).collect();
    let walked: HashSet<&str> = manifests.walk.found.iter().map(|found| &*found.name).collect();
    // An inventory is no path of the command line.
    move |file| {
        walked.contains(file) || paths.iter().any(|path| plain(Path::new(file)).starts_with(path))
    }
}

/// Returns whether `file` is one of `manifests`, or would be if it were there, as a path of the command
/// line has it.
pub(super) fn covers(manifests: &ManifestSet, args: &Manifests, file: &str) -> bool {
    let file_path = plain(Path::new(file));
    let named = args.paths().iter().any(|path| file_path.starts_with(plain(path)));
    let named = named && args.shard.is_none_or(|shard| shard.holds(file));
    named || manifests.walk.found.iter().any(|found| *found.name == *file)
}

/// Checks the manifests and shows what is found.
pub(super) fn check(
    global: &Global,
    manifests: &Manifests,
    settings: &Settings,
    manifest: &ManifestSet,
    mut report: Box<dyn FindingsReport>,
    entries: &mut dyn Entries,
) -> Result<Summary, Failure> {
    let check = Check { global, settings, manifest, manifests, filter: &Filter::default() };
    let also = Also { entries: Some(entries), ..Also::default() };
    let summary = checking::check(check, &mut *report, also)?;
    manifest.warn_of_unused_rewrites(global);
    match manifest.none_found(manifests) {
        Some(failure) => Err(failure),
        None => Ok(summary),
    }
}
