//! `lineload lint --fix` and `--diff`

use std::io::{self, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::Failure;
use super::checking::{Filter, Manifest};
use super::settings::Settings;
use crate::check;
use crate::cli::{Global, Lint};
use crate::diagnostic::words::{counted, escaped};
use crate::exit::Exit;
use crate::fix;
use crate::report::output::Output;
use crate::report::patch;
use crate::source::{FileId, MAX_FILE_BYTES, SourceFile};
use crate::walk::{Origin, reason};

/// Files that are mended before their patches are written, so that memory stays bounded.
const AT_ONCE: usize = 256;

/// Files that could not be replaced, of which each is named.
const SHOWN: usize = 10;

/// What `--fix` did.
#[derive(Debug, Default)]
pub(super) struct Mended {
    asked: bool,
    findings: usize,
    files: usize,
    failed: Vec<String>,
}

impl Mended {
    /// Whether a file that should have been replaced could not be.
    pub(super) const fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Says it on standard error.
    pub(super) fn tell(&self, global: &Global) {
        let mut err = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
        for failed in self.failed.iter().take(SHOWN) {
            let _ = writeln!(err, "\x1b[1;31mnot mended:\x1b[0m {failed}");
        }
        if self.failed.len() > SHOWN {
            let more = counted(self.failed.len() - SHOWN, "file");
            let _ = writeln!(err, "\x1b[1;31mnot mended:\x1b[0m {more} more");
        }
        if self.asked && !global.quiet {
            let findings = counted(self.findings, "finding");
            let files = counted(self.files, "file");
            let _ = writeln!(err, "mended {findings} in {files}");
        }
    }
}

/// A file with its text before and after.
struct Change {
    source: SourceFile,
    mended: fix::Mended,
}

/// Mends every file, and replaces each that changes.
pub(super) fn fix(
    args: &Lint,
    settings: &Settings,
    manifest: &Manifest,
    filter: &Filter,
) -> Result<Mended, Failure> {
    let mut told = Mended { asked: true, ..Mended::default() };
    each(args, settings, manifest, filter, |change, origin| {
        match origin {
            Origin::Path(path) => {
                if let Err(error) = replace(path, &change) {
                    let name = escaped(change.source.name());
                    told.failed.push(format!("{name}: {}", reason(&error)));
                    return Ok(());
                }
            }
            // Refused beforehand.
            Origin::Stdin => {}
        }
        told.findings += change.mended.findings;
        told.files += 1;
        Ok(())
    })?;
    Ok(told)
}

/// Shows what [`fix()`] would change.
pub(super) fn diff(
    global: &Global,
    args: &Lint,
    settings: &Settings,
    manifest: &Manifest,
    filter: &Filter,
) -> Result<Exit, Failure> {
    let mut out = Output::stdout(global.color.into());
    let mut told = (0, 0);
    each(args, settings, manifest, filter, |change, _| {
        told = (told.0 + change.mended.findings, told.1 + 1);
        patch::write(&mut out, change.source.name(), change.source.text(), &change.mended.text)
    })?;
    out.flush()?;
    if let Some(failure) = manifest.none_found(&args.manifests) {
        return Err(failure);
    }
    if !global.quiet {
        let (findings, files) = (counted(told.0, "finding"), counted(told.1, "file"));
        let mut err = io::stderr().lock();
        let _ = writeln!(err, "would mend {findings} in {files}");
    }
    Ok(if told.1 > 0 { Exit::Findings } else { Exit::Success })
}

fn each(
    args: &Lint,
    settings: &Settings,
    manifest: &Manifest,
    filter: &Filter,
    mut take: impl FnMut(Change, &Origin) -> io::Result<()>,
) -> Result<(), Failure> {
    let options = check::Options {
        rules: &settings.config.rules,
        allowances: settings.allowances,
        threads: None,
        entries: false,
    };
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
                let source = SourceFile::new(*id, Arc::clone(&found.name), read(origin)?);
                let wanted = |finding: &crate::diagnostic::Diagnostic| filter.keeps(finding);
                let mended = fix::mend(&source, options, args.fixes.unsafe_fixes, wanted)?;
                Some((Change { source, mended }, origin))
            })
            .collect();
        for (change, origin) in changes {
            take(change, origin)?;
        }
    }
    Ok(())
}

/// The bytes of a file. What cannot be read is told by the check.
fn read(origin: &Origin) -> Option<Vec<u8>> {
    match origin {
        Origin::Path(path) => {
            let length = std::fs::metadata(path).ok()?.len();
            (length <= MAX_FILE_BYTES).then(|| std::fs::read(path).ok()).flatten()
        }
        Origin::Stdin => {
            let mut bytes = Vec::new();
            io::stdin().lock().take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
            Some(bytes)
        }
    }
}

/// Puts the new text in the place of the old in one step, with the permissions and, where this is
/// allowed, the owner of the old.
fn replace(path: &Path, change: &Change) -> io::Result<()> {
    // A link stays one.
    let path = std::fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let metadata = std::fs::metadata(&path)?;
    if metadata.permissions().readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only"));
    }
    let mut new = tempfile::Builder::new().prefix(".lineload-").tempfile_in(folder)?;
    new.write_all(change.mended.text.as_bytes())?;
    new.as_file().set_permissions(metadata.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // Only root may give files away; for anybody else the owner is the same already.
        let _ =
            std::os::unix::fs::fchown(new.as_file(), Some(metadata.uid()), Some(metadata.gid()));
        new.as_file().set_permissions(metadata.permissions())?;
    }
    new.as_file().sync_all()?;
    // Somebody else may have written to it since it was read.
    if std::fs::read(&path)? != change.source.text().as_bytes() {
        return Err(io::Error::other("it changed meanwhile"));
    }
    new.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
