//! Paths as CI systems want them.
//!
//! In: a file as findings name it, from the working directory. Out: where it is from the root of
//! the repository, since that is what GitHub, GitLab and a SARIF viewer hold a path against, and
//! since a fingerprint must not depend on the working directory.

use std::fmt::Write as _;
use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};

use crate::source::{FileId, SourceStore};

/// The default name of standard input.
const STDIN: &str = "<stdin>";

/// The directory that paths start from.
#[derive(Debug, Clone)]
pub struct Root {
    folder: PathBuf,
    working: PathBuf,
}

impl Root {
    /// Returns the root of the git repository of `working`, or `working` itself if it is in none.
    #[must_use]
    pub fn of(working: &Path) -> Self {
        let folder = working.ancestors().find(|above| above.join(".git").exists());
        Self { folder: folder.unwrap_or(working).to_owned(), working: working.to_owned() }
    }

    /// Returns the directory of `file`, a path from `working`.
    #[must_use]
    pub fn beside(file: &Path, working: &Path) -> Self {
        let file = lexical(&working.join(file));
        let folder = file.parent().unwrap_or(working).to_owned();
        Self { folder, working: working.to_owned() }
    }

    /// Returns the path of `name`, one from the working directory, from this directory on, with `..` if it
    /// is not below it. It stays the same wherever both are moved to together.
    pub(super) fn relative(&self, name: &str) -> String {
        let path = lexical(&self.working.join(name));
        let shared = self.folder.components().zip(path.components());
        let shared = shared.take_while(|(one, other)| one == other).count();
        if shared == 0 {
            return slashed(&path);
        }
        let up = self.folder.components().skip(shared).map(|_| Component::ParentDir);
        let down = path.components().skip(shared);
        let relative: PathBuf = up.chain(down).collect();
        if relative.as_os_str().is_empty() { ".".to_owned() } else { slashed(&relative) }
    }

    /// Returns the path that [`relative`](Self::relative) has shortened.
    pub(super) fn resolve(&self, relative: &str) -> PathBuf {
        self.folder.join(relative)
    }

    /// Returns the place of the file `id`.
    pub(super) fn place(&self, id: FileId, sources: &SourceStore) -> Place {
        let name = sources.name(id);
        if &*name == STDIN && !sources.can_read_again(id) {
            return Place::Stdin;
        }
        let path = lexical(&self.working.join(&*name));
        match path.strip_prefix(&self.folder) {
            Ok(below) if below.as_os_str().is_empty() => Place::Below(".".to_owned()),
            Ok(below) => Place::Below(slashed(below)),
            Err(_) => Place::Outside(slashed(&path)),
        }
    }
}

/// The place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Below the root: the path from there, with `/`.
    Below(String),
    /// Anywhere else: the whole path, with `/`.
    Outside(String),
    /// Standard input, and nobody says what it would be called.
    Stdin,
}

impl Place {
    /// Returns the place as a path.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Below(path) | Self::Outside(path) => path,
            Self::Stdin => STDIN,
        }
    }

    /// Returns the place as a URI reference (RFC 3986), relative to the root if it is below that.
    pub(super) fn uri(&self) -> String {
        match self {
            // Without an escape, a colon in the first name would end a scheme.
            Self::Below(path) => percent_encoded(path, b"/"),
            Self::Stdin => percent_encoded(STDIN, b""),
            Self::Outside(path) => {
                let slash = if path.starts_with('/') { "" } else { "/" };
                format!("file://{slash}{}", percent_encoded(path, b"/:"))
            }
        }
    }
}

/// Returns `path` without `.` and `..`, as far as that can be done without the file system.
fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

fn slashed(path: &Path) -> String {
    let path = path.to_string_lossy();
    if MAIN_SEPARATOR == '/' { path.into_owned() } else { path.replace(MAIN_SEPARATOR, "/") }
}

/// Returns `text` with every byte escaped but for letters, digits, `-._~` and those in `plain`.
fn percent_encoded(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn place(root: &str, working: &str, name: &str) -> Place {
        let root = Root { folder: root.into(), working: working.into() };
        let sources = SourceStore::new(vec![(Arc::from(name), None)]);
        root.place(FileId(0), &sources)
    }

    #[test]
    fn paths_start_from_the_root_in_any_working_directory() {
        let below = |path: &str| Place::Below(path.to_owned());
        assert_eq!(place("/r", "/r", "m/a.yaml"), below("m/a.yaml"));
        assert_eq!(place("/r", "/r/sub", "a.yaml"), below("sub/a.yaml"));
        assert_eq!(place("/r", "/r/sub", "../m/./a.yaml"), below("m/a.yaml"));
        assert_eq!(place("/r", "/r", "/r/m/a.yaml"), below("m/a.yaml"));
        assert_eq!(place("/r", "/r", "."), below("."));
        assert_eq!(place("", "", "m/a.yaml"), below("m/a.yaml"));
        assert_eq!(place("/r", "/r", "../a.yaml"), Place::Outside("/a.yaml".to_owned()));
        assert_eq!(place("/r", "/r", "<stdin>"), Place::Stdin);
    }

    #[test]
    fn a_path_from_a_file_does_not_depend_on_the_place_of_both() {
        let relative = |file: &str, working: &str, name: &str| {
            Root::beside(Path::new(file), Path::new(working)).relative(name)
        };
        assert_eq!(relative("known.txt", "/r", "m/a.yaml"), "m/a.yaml");
        assert_eq!(relative("../known.txt", "/r/m", "a.yaml"), "m/a.yaml");
        assert_eq!(relative("/r/known.txt", "/elsewhere", "/r/m/./a.yaml"), "m/a.yaml");
        assert_eq!(relative("ci/known.txt", "/r", "m/a.yaml"), "../m/a.yaml");
        assert_eq!(relative("ci/known.txt", "/other/place", "m/a.yaml"), "../m/a.yaml");
        assert_eq!(relative("m/known.txt", "/r", "m"), ".");
    }

    #[test]
    fn uris_hold_nothing_that_must_be_escaped() {
        let below = |path: &str| Place::Below(path.to_owned()).uri();
        assert_eq!(below("m/a b#1?.yaml"), "m/a%20b%231%3F.yaml");
        assert_eq!(below("c:x/é%.yaml"), "c%3Ax/%C3%A9%25.yaml");
        assert_eq!(Place::Outside("/t/a b".to_owned()).uri(), "file:///t/a%20b");
        assert_eq!(Place::Outside("C:/t".to_owned()).uri(), "file:///C:/t");
        assert_eq!(Place::Stdin.uri(), "%3Cstdin%3E");
    }
}
