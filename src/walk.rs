//! Paths to source files.
//!
//! In: the paths of the command line. Out: a [`Walk`]: every manifest in one order, and a finding
//! for every path that could not be used. It opens only directories.

mod outside;
mod shard;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outside::Roots;
use walkdir::{DirEntry, WalkDir};

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, MAX_FILE_BYTES, Pattern};
use crate::text::reason;
pub use shard::Shard;

/// The path that stands for standard input.
pub const STDIN: &str = "-";

/// The options of a walk.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Files, directories, or [`STDIN`].
    pub paths: Vec<PathBuf>,
    /// True if symlinks that lead out of the given directories are followed.
    pub follow_links: bool,
    /// The patterns to exclude, even if a path is given directly.
    pub exclude: Vec<Pattern>,
    /// The patterns to include from directories besides `*.yaml` and `*.yml`.
    pub include: Vec<Pattern>,
    /// The name of standard input in findings.
    pub stdin_name: Option<String>,
    /// The shard of the files to take, instead of all.
    pub shard: Option<Shard>,
}

/// The origin of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A path.
    Path(Arc<Path>),
    /// Standard input.
    Stdin,
}

/// One line of the walk.
#[derive(Debug, Clone)]
pub struct Found {
    /// The path as it is shown.
    pub name: Arc<str>,
    /// A file to read, or why it cannot be.
    pub what: Result<Origin, PathFault>,
}

/// The reason why a path was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathFault {
    /// It cannot be read.
    Unreadable(String),
    /// A symlink that leads to one of its parent directories, or to itself.
    LinkLoop,
    /// A link out of the given directories.
    LinkOutside(PathBuf),
    /// A socket, a pipe or a device.
    NotAFile(&'static str),
    /// A file of so many bytes.
    TooLarge(u64),
}

/// Every path of a run, in one order: by path, component by component.
#[derive(Debug, Default)]
pub struct Walk {
    /// The paths; [`FileId`]s count them.
    pub found: Vec<Found>,
    /// The number of files in other shards.
    pub elsewhere: usize,
}

impl Walk {
    /// Returns the number of files to read.
    #[must_use]
    pub fn files(&self) -> usize {
        self.found.iter().filter(|found| found.what.is_ok()).count()
    }
}

impl Options {
    /// Returns whether a walk would take a regular file at `path`, which need not exist: one of the
    /// paths is the file, or a directory that contains it.
    #[must_use]
    pub fn take(&self, path: &Path) -> bool {
        let inside = |root: &PathBuf| {
            path == root
                || path.strip_prefix(root).is_ok_and(|rest| {
                    let mut folders = rest.parent().into_iter().flat_map(Path::iter);
                    self.includes(path) && !folders.any(is_hidden)
                })
        };
        !self.excludes(path) && self.paths.iter().any(inside)
    }

    fn excludes(&self, path: &Path) -> bool {
        self.exclude.iter().any(|pattern| pattern.matches(shown(path)))
    }

    /// Returns whether a file of this name in a directory is a manifest.
    fn includes(&self, path: &Path) -> bool {
        let ending = path.extension().and_then(OsStr::to_str);
        matches!(ending, Some("yaml" | "yml"))
            || self.include.iter().any(|pattern| pattern.matches(shown(path)))
    }
}

/// Walks the paths of `options`.
#[must_use]
pub fn walk(options: &Options) -> Walk {
    let mut walker = Walker {
        options,
        roots: Roots::new(&options.paths),
        found: Vec::new(),
        // Only several paths, or symlinks, can reach a file twice.
        identify: options.paths.len() > 1,
        seen: HashSet::new(),
    };
    for path in &options.paths {
        walker.named(path);
    }
    let mut found = walker.found;
    // One directory is in this order already.
    found.sort_by(|(a, _), (b, _)| shown(a).cmp(shown(b)));
    if walker.identify {
        let mut seen = HashSet::new();
        found.retain(|(path, found)| {
            let real = match &found.what {
                Ok(Origin::Path(file)) => std::fs::canonicalize(file).ok(),
                _ => None,
            };
            seen.insert(real.unwrap_or_else(|| path.to_path_buf()))
        });
    }
    let mut elsewhere = 0;
    if let Some(shard) = options.shard {
        found.retain(|(path, found)| {
            // A path of the command line that cannot be read is at fault in every shard.
            let is_named = || options.paths.iter().any(|named| **named == **path);
            let is_here = shard.holds(&found.name) || (found.what.is_err() && is_named());
            elsewhere += usize::from(!is_here && found.what.is_ok());
            is_here
        });
    }
    Walk { found: found.into_iter().map(|(_, found)| found).collect(), elsewhere }
}

struct Walker<'o> {
    options: &'o Options,
    roots: Roots,
    found: Vec<(Arc<Path>, Found)>,
    identify: bool,
    seen: HashSet<PathBuf>,
}

impl Walker<'_> {
    fn named(&mut self, path: &Path) {
        if path == Path::new(STDIN) {
            let name = self.options.stdin_name.as_deref().unwrap_or("<stdin>");
            self.found
                .push((Arc::from(path), Found { name: Arc::from(name), what: Ok(Origin::Stdin) }));
            return;
        }
        if self.options.excludes(path) {
            return;
        }
        match std::fs::metadata(path) {
            Err(error) => self.fault(path, fault_of(&error)),
            Ok(metadata) if metadata.is_dir() => self.folder(path),
            Ok(metadata) => self.file(path, metadata.file_type()),
        }
    }

    fn folder(&mut self, root: &Path) {
        // Symlinks are followed here: walkdir would stat every file.
        let mut entries = WalkDir::new(root).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            match entry {
                Err(error) => self.walk_error(root, &error),
                Ok(entry) => {
                    if !self.entry(root, &entry) && entry.file_type().is_dir() {
                        entries.skip_current_dir();
                    }
                }
            }
        }
    }

    /// Takes an entry of a directory. Returns false for a directory that is not to be entered.
    fn entry(&mut self, root: &Path, entry: &DirEntry) -> bool {
        let path = entry.path();
        // The root was given, or has been checked as a symlink.
        if entry.depth() == 0 {
            return true;
        }
        if self.options.excludes(path) {
            return false;
        }
        let kind = entry.file_type();
        if kind.is_dir() {
            return !is_hidden(entry.file_name());
        }
        if kind.is_symlink() {
            self.link(root, path);
        } else if self.options.includes(path) {
            self.file(path, kind);
        }
        true
    }

    /// Takes a link in the directory `root`.
    fn link(&mut self, root: &Path, path: &Path) {
        let target = match std::fs::metadata(path) {
            Ok(target) => target,
            Err(error) => {
                // A dangling symlink that is not a manifest is ignored.
                if self.options.includes(path) || is_loop(&error) {
                    self.fault(path, fault_of(&error));
                }
                return;
            }
        };
        let hidden = path.file_name().is_some_and(is_hidden);
        if (target.is_dir() && hidden) || (!target.is_dir() && !self.options.includes(path)) {
            return;
        }
        self.identify = true;
        if !self.options.follow_links
            && let Some(target) = self.roots.leads_out(path)
        {
            self.fault(path, PathFault::LinkOutside(target));
            return;
        }
        if !target.is_dir() {
            self.file(path, target.file_type());
            return;
        }
        let Ok(real) = std::fs::canonicalize(path) else { return };
        let above = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
        if above
            .into_iter()
            .any(|folder| std::fs::canonicalize(folder).is_ok_and(|one| one == real))
        {
            self.fault(path, PathFault::LinkLoop);
        } else if self.seen.insert(real) {
            self.folder(path);
        }
    }

    fn walk_error(&mut self, root: &Path, error: &walkdir::Error) {
        let path = error.path().unwrap_or(root);
        if self.options.excludes(path) {
            return;
        }
        if let Some(error) = error.io_error() {
            self.fault(path, fault_of(error));
        }
    }

    fn file(&mut self, path: &Path, kind: FileType) {
        let path: Arc<Path> = Arc::from(path);
        let what = match kind_of(kind) {
            Some(kind) => Err(PathFault::NotAFile(kind)),
            None => Ok(Origin::Path(Arc::clone(&path))),
        };
        self.add(path, what);
    }

    fn fault(&mut self, path: &Path, fault: PathFault) {
        self.add(Arc::from(path), Err(fault));
    }

    fn add(&mut self, path: Arc<Path>, what: Result<Origin, PathFault>) {
        let name = Arc::from(shown(&path).to_string_lossy());
        self.found.push((path, Found { name, what }));
    }
}

/// `./a/b` is shown as `a/b`.
fn shown(path: &Path) -> &Path {
    path.strip_prefix(".").ok().filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

fn fault_of(error: &io::Error) -> PathFault {
    if is_loop(error) { PathFault::LinkLoop } else { PathFault::Unreadable(reason(error)) }
}

#[cfg(unix)]
fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

#[cfg(not(unix))]
const fn is_loop(_: &io::Error) -> bool {
    false
}

#[cfg(unix)]
fn kind_of(kind: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_file() {
        None
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else {
        Some("a device")
    }
}

#[cfg(not(unix))]
fn kind_of(kind: FileType) -> Option<&'static str> {
    (!kind.is_file()).then_some("not a regular file")
}

impl PathFault {
    /// Returns the finding against `file`.
    #[must_use]
    pub fn finding(&self, file: FileId) -> Diagnostic {
        match self {
            Self::Unreadable(reason) => {
                Diagnostic::of_file(Code::PathUnreadable, file, format!("cannot be read: {reason}"))
            }
            Self::LinkLoop => Diagnostic::of_file(Code::LinkLoop, file, "a loop of symlinks")
                .with_help("remove the symlink, or exclude it with `--exclude`"),
            Self::LinkOutside(target) => Diagnostic::of_file(
                Code::LinkOutside,
                file,
                format!(
                    "a symlink to `{}`, outside the given directories, is not followed",
                    target.display()
                ),
            )
            .with_help("pass its target too, or add `--follow-links`"),
            Self::NotAFile(kind) => {
                Diagnostic::of_file(Code::PathKind, file, format!("{kind}, not a file"))
                    .with_help("use `-` to read from standard input")
            }
            Self::TooLarge(bytes) => Diagnostic::of_file(
                Code::FileSize,
                file,
                format!("the file has {bytes} bytes; the limit is {MAX_FILE_BYTES}"),
            )
            .with_help("split the file"),
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
