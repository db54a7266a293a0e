//! `lineload lint --fix` and `--diff`

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::baseline::retain_unknown;
use super::failure::Failure;
use super::filter::Filter;
use super::manifests::ManifestSet;
use super::settings::Settings;
use crate::check;
use crate::cli::{Global, Lint};
use crate::diagnostic::Diagnostic;
use crate::exit::Exit;
use crate::fix;
use crate::report::baseline::Baseline;
use crate::report::output::{Output, OutputError};
use crate::report::patch;
use crate::source::{FileId, MAX_FILE_BYTES, SourceFile};
use crate::text::{counted, escaped, reason};
use crate::walk::Origin;

/// The number of files that are fixed before their patches are written, so that memory stays
/// bounded.
const AT_ONCE: usize = 256;

/// The maximum number of files that are named if they could not be replaced.
const SHOWN: usize = 10;

/// The result of `--fix`.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    asked: bool,
    findings: usize,
    files: usize,
    failed: Vec<String>,
}

impl Fixed {
    /// Returns whether a file that should have been replaced could not be.
    pub(super) const fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Reports it on standard error.
    pub(super) fn report(&self, global: &Global) {
        let mut err = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
        for failed in self.failed.iter().take(SHOWN) {
            let _ = writeln!(err, "\x1b[1;31mnot fixed:\x1b[0m {failed}");
        }
        if self.failed.len() > SHOWN {
            let more = counted(self.failed.len() - SHOWN, "more file");
            let _ = writeln!(err, "\x1b[1;31mnot fixed:\x1b[0m {more}");
        }
        if self.asked && !global.quiet {
            let findings = counted(self.findings, "finding");
            let files = counted(self.files, "file");
            let _ = writeln!(err, "fixed {findings} in {files}");
        }
    }
}

/// A file with its text before and after.
struct Change {
    source: SourceFile,
    fixed: fix::Fixed,
}

/// The fixes to apply.
#[derive(Clone, Copy)]
pub(super) struct Fixes<'f> {
    pub(super) args: &'f Lint,
    pub(super) settings: &'f Settings,
    pub(super) manifest: &'f ManifestSet,
    pub(super) filter: &'f Filter,
    /// Known findings are not fixed.
    pub(super) baseline: Option<&'f Baseline>,
}

/// Fixes every file, and replaces each that changes.
pub(super) fn fix(fixes: Fixes<'_>) -> Result<Fixed, Failure> {
    let mut done = Fixed { asked: true, ..Fixed::default() };
    each(fixes, |change, origin| {
        match origin {
            Origin::Path(path) => {
                if let Err(error) = replace(path, &change) {
                    let name = escaped(change.source.name());
                    done.failed.push(format!("{name}: {}", reason(&error)));
                    return Ok(());
                }
            }
            // Refused beforehand.
            Origin::Stdin => {}
        }
        done.findings += change.fixed.findings;
        done.files += 1;
        Ok(())
    })?;
    Ok(done)
}

/// Shows what [`fix()`] would change.
pub(super) fn diff(global: &Global, fixes: Fixes<'_>) -> Result<Exit, Failure> {
    let mut out = Output::stdout(global.color.into());
    let (mut findings, mut files, mut left_out) = (0, 0, 0);
    each(fixes, |change, _| {
        findings += change.fixed.findings;
        files += 1;
        let hidden = check::hidden(&change.source, fixes.settings.check_options());
        let written = patch::write(&mut out, &change.source, &change.fixed.text, &hidden);
        left_out += written.map_err(OutputError)?;
        Ok(())
    })?;
    out.flush().map_err(OutputError)?;
    if let Some(failure) = fixes.manifest.none_found(&fixes.args.manifests) {
        return Err(failure);
    }
    let mut err = io::stderr().lock();
    if left_out > 0 {
        let changes = counted(left_out, "change");
        let (hold, stand, them) = match left_out {
            1 => ("it holds", "stands", "it"),
            _ => ("they hold", "stand", "them"),
        };
        let _ = writeln!(
            err,
            "{changes} not shown, since {hold} a secret or a control character, or {stand} right \
             before one; `--fix` makes {them} too"
        );
    }
    if !global.quiet {
        let (findings, count) = (counted(findings, "finding"), counted(files, "file"));
        let _ = writeln!(err, "would fix {findings} in {count}");
    }
    Ok(if files > 0 { Exit::Findings } else { Exit::Success })
}

fn each(
    fixes: Fixes<'_>,
    mut take: impl FnMut(Change, &Origin) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Fixes { args, settings, manifest, filter, baseline } = fixes;
    let options = settings.check_options();
    let found: Vec<_> = (0..).map(FileId).zip(&manifest.walk.found).collect();
    let reads_stdin = |found: &crate::walk::Found| matches!(found.what, Ok(Origin::Stdin));
    if args.fixes.fix && found.iter().any(|(_, found)| reads_stdin(found)) {
        return Err(Failure::usage("`--fix` cannot write to standard input")
            .help("`--diff` shows what it would change, for `git apply` or `patch`"));
    }
    for some in found.chunks(AT_ONCE) {
        let changes: Vec<_> = some
            .par_iter()
            .filter_map(|(id, found)| {
                let origin = found.what.as_ref().ok()?;
                let source = match origin {
                    // It can be read once, and has been.
                    Origin::Stdin => {
                        let source = manifest.sources.get(*id)?;
                        let bytes = source.text().as_bytes().to_vec();
                        SourceFile::new(*id, Arc::clone(&found.name), bytes)
                    }
                    Origin::Path(path) => {
                        SourceFile::new(*id, Arc::clone(&found.name), read(path)?)
                    }
                };
                let retain = |source: &SourceFile, findings: &mut Vec<Diagnostic>| {
                    findings.retain(|finding| filter.keeps(finding));
                    if let Some(baseline) = baseline {
                        retain_unknown(baseline, source, findings, options);
                    }
                    findings.retain(|finding| filter.allows_fix(finding));
                };
                let fixed = fix::fixed_of(&source, options, args.fixes.unsafe_fixes, retain)?;
                Some((Change { source, fixed }, origin))
            })
            .collect();
        for (change, origin) in changes {
            take(change, origin)?;
        }
    }
    Ok(())
}

/// Returns the bytes of a file. The check reports what cannot be read.
fn read(path: &Path) -> Option<Vec<u8>> {
    let length = std::fs::metadata(path).ok()?.len();
    (length <= MAX_FILE_BYTES).then(|| std::fs::read(path).ok()).flatten()
}

/// Replaces the old text in one step, keeping its permissions and, if allowed, its owner.
fn replace(path: &Path, change: &Change) -> io::Result<()> {
    // A symlink stays one.
    let path = std::fs::canonicalize(path)?;
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    let metadata = std::fs::metadata(&path)?;
    if metadata.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    let mut new = tempfile::Builder::new().prefix(".lineload-").tempfile_in(directory)?;
    new.write_all(change.fixed.text.as_bytes())?;
    new.as_file().set_permissions(metadata.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // Only root may change the owner; for others it is the same already.
        let _ =
            std::os::unix::fs::fchown(new.as_file(), Some(metadata.uid()), Some(metadata.gid()));
        new.as_file().set_permissions(metadata.permissions())?;
    }
    new.as_file().sync_all()?;
    // Somebody else may have written to it since it was read.
    if std::fs::read(&path)? != change.source.text().as_bytes() {
        return Err(io::Error::other("it changed in the meantime"));
    }
    new.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
