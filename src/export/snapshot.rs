//! The files of an export.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::{Fetched, Form, Layout, cloudformation};
use crate::artifact::Artifact;
use crate::check;
use crate::config::Rules;
use crate::destination;
use crate::diagnostic::Code;
use crate::exit::Fatal;
use crate::manifest::write;
use crate::model::CLOUDFORMATION_BYTES_MAX;
use crate::source::{FileId, SourceFile};
use crate::submission::Refusal;
use crate::text::reason;

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`: {}", path.display(), reason(source))]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// The reason why an export cannot be written to a directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is something else.
    #[error("`{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// There is something in it.
    #[error("the directory `{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// It cannot be looked into, or nothing can be written to it.
    #[error(transparent)]
    Unusable(#[from] WriteError),
}

impl Fatal for WriteError {}

impl Fatal for DirectoryError {
    fn help(&self) -> Vec<String> {
        let help = match self {
            Self::NotEmpty(_) => {
                "choose a new directory, or add `--force` to replace files of the same name; other \
                 files are left alone"
            }
            Self::NotADirectory(_) | Self::Unusable(_) => "choose another directory",
        };
        vec![help.to_owned()]
    }
}

/// Files as they come to be.
#[derive(Debug)]
pub struct Snapshot<'s> {
    folder: &'s Path,
    layout: &'s Layout,
    rules: &'s Rules,
    open: Option<Open>,
    counts: Counts,
}

#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    artifacts: usize,
    bytes: usize,
    /// The logical ids of a template.
    ids: HashSet<String>,
}

/// The counts of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Artifacts in the files.
    pub artifacts: usize,
    /// Files that were written.
    pub files: usize,
    /// Artifacts that were deleted since they were listed.
    pub gone: usize,
    /// Artifacts without a `SourceUri`, which every manifest requires.
    pub without_source: usize,
    /// Artifacts that the target refused to describe.
    pub refused: usize,
    /// The refusal of the first of them.
    pub refusal: Option<Refusal>,
    /// Tags that no manifest may have.
    pub reserved_tags: usize,
    /// Artifacts in the files that `lint` refuses.
    pub invalid: usize,
    /// The number of invalid artifacts by rule.
    pub errors: BTreeMap<Code, usize>,
    /// Artifacts in the files that `lint` warns of.
    pub suspicious: usize,
    /// Artifacts of which CloudFormation reads a value as a function.
    pub misread: usize,
    /// Templates that are larger than CloudFormation accepts.
    pub too_large: usize,
}

/// Returns whether `folder` can take an export: where it exists, there must be nothing in it, or
/// `force` says that files in it may be replaced. It makes nothing.
///
/// # Errors
/// If it cannot.
pub fn vacant(folder: &Path, force: bool) -> Result<(), DirectoryError> {
    let unusable = |error: io::Error| WriteError { path: folder.to_owned(), source: error };
    match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Err(DirectoryError::NotADirectory(folder.to_owned())),
        Ok(_) if force => Ok(()),
        Ok(_) => match fs::read_dir(folder).map_err(unusable)?.next() {
            Some(_) => Err(DirectoryError::NotEmpty(folder.to_owned())),
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(error).into()),
    }
}

/// Creates `folder`, and checks that files can be written to it.
///
/// # Errors
/// If they cannot.
pub fn make(folder: &Path) -> Result<(), WriteError> {
    let made = fs::create_dir_all(folder).and_then(|()| new_file(folder));
    made.map(drop).map_err(|source| WriteError { path: folder.to_owned(), source })
}

impl<'s> Snapshot<'s> {
    /// Writes the files of `layout` to `folder`. By `rules` it counts what a check finds in them.
    #[must_use]
    pub fn new(folder: &'s Path, layout: &'s Layout, rules: &'s Rules) -> Self {
        Self { folder, layout, rules, open: None, counts: Counts::default() }
    }

    /// Returns the counts so far.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes the result for the artifact with the number `at`. They come in order.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn take(&mut self, at: usize, fetched: Fetched) -> Result<(), WriteError> {
        match fetched {
            Fetched::There { artifact, .. } if artifact.source.uri.is_empty() => {
                self.counts.without_source += 1;
            }
            Fetched::There { artifact, reserved_tags } => {
                self.counts.reserved_tags += reserved_tags;
                let path = self.folder.join(self.layout.file(at));
                let text = write::artifact(&artifact);
                self.check(&path, &text);
                let is_template = self.layout.form() == Form::CloudFormation;
                self.counts.misread +=
                    usize::from(is_template && cloudformation::is_misread(&artifact, &text));
                self.write(&path, &artifact, &text)
                    .map_err(|source| WriteError { path, source })?;
            }
            Fetched::Gone => self.counts.gone += 1,
            Fetched::Refused(refusal) => {
                self.counts.refused += 1;
                self.counts.refusal.get_or_insert(refusal);
            }
        }
        if self.layout.ends_file(at) { self.close() } else { Ok(()) }
    }

    /// Notes what `lint` will report of a document. Invalid artifacts are exported too.
    fn check(&mut self, path: &Path, text: &str) {
        let name = Arc::from(path.to_string_lossy());
        let source = SourceFile::new(FileId(0), name, text.as_bytes().to_vec());
        let options = check::Options {
            rules: self.rules,
            allowances: false,
            threads: None,
            entries: false,
            rewrites: None,
        };
        let findings = check::source(&source, options);
        let errors: BTreeSet<_> =
            findings.iter().filter(|one| one.is_error()).map(|one| one.code).collect();
        self.counts.invalid += usize::from(!errors.is_empty());
        self.counts.suspicious += usize::from(errors.is_empty() && !findings.is_empty());
        for code in errors {
            *self.counts.errors.entry(code).or_default() += 1;
        }
    }

    fn write(&mut self, path: &Path, artifact: &Artifact, document: &str) -> io::Result<()> {
        let form = self.layout.form();
        let open = match &mut self.open {
            Some(open) => {
                if form == Form::Manifests {
                    open.write("---\n")?;
                }
                open
            }
            none => {
                let folder = path.parent().unwrap_or(self.folder);
                // With `--force` there may be one that leads elsewhere.
                destination::check(folder).map_err(io::Error::other)?;
                fs::create_dir_all(folder)?;
                let file = BufWriter::new(new_file(folder)?);
                let path = path.to_owned();
                let open =
                    none.insert(Open { path, file, artifacts: 0, bytes: 0, ids: HashSet::new() });
                if form == Form::CloudFormation {
                    open.write(cloudformation::HEAD)?;
                }
                open
            }
        };
        open.artifacts += 1;
        match form {
            Form::Manifests => open.write(document),
            Form::CloudFormation => {
                let resource = cloudformation::resource(artifact, &mut open.ids);
                open.write(&resource)
            }
        }
    }

    /// Moves the file into place, in one step. There is no fsync: after a loss of power a snapshot
    /// is taken again.
    fn close(&mut self) -> Result<(), WriteError> {
        let Some(Open { path, file, artifacts, bytes, .. }) = self.open.take() else {
            return Ok(());
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        let placed = file.and_then(|file| file.persist(&path).map_err(|error| error.error));
        match placed {
            Ok(_) => {
                self.counts.files += 1;
                self.counts.artifacts += artifacts;
                let is_template = self.layout.form() == Form::CloudFormation;
                self.counts.too_large +=
                    usize::from(is_template && bytes > CLOUDFORMATION_BYTES_MAX);
                Ok(())
            }
            Err(source) => Err(WriteError { path, source }),
        }
    }
}

impl Open {
    fn write(&mut self, text: &str) -> io::Result<()> {
        self.bytes += text.len();
        self.file.write_all(text.as_bytes())
    }
}

/// Creates a file with a temporary name until it is complete. Its permissions are those of any new
/// file of this user.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lineload-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
