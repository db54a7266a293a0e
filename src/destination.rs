//! Paths of options that lineload writes to.
//!
//! In: such a path, and the inputs of the run. Out: the reason why it must not be written, or the
//! open file. A checkout can hold a symlink under the name that a CI job gives its report, and an
//! option can name a file that the run is about to read: both are refused before anything is
//! truncated.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Component, Path, PathBuf};

use crate::exit::Fatal;
use crate::text::escaped;

/// The reason why a path must not be written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// It is a symlink, or leads through one.
    #[error(
        "`{}` is a symlink to `{}`, and lineload does not write through symlinks",
        shown(link),
        shown(to)
    )]
    Symlink {
        /// The path up to the symlink.
        link: PathBuf,
        /// The target of the symlink.
        to: PathBuf,
    },
    /// The same run reads it.
    #[error("`{}` is an input of this run and would be overwritten", shown(.0))]
    Input(PathBuf),
    /// It holds something else than what is to be written.
    #[error("`{}` is not {what} and would be overwritten", shown(path))]
    Foreign {
        /// The path.
        path: PathBuf,
        /// The kind of file that it would have to be.
        what: &'static str,
    },
    /// It is a directory, or waits for somebody who reads it.
    #[error("`{}` is not a regular file", shown(.0))]
    Special(PathBuf),
    /// It is to be written twice.
    #[error("`{}` would be written twice", shown(.0))]
    Twice(PathBuf),
}

impl Fatal for DestinationError {
    fn help(&self) -> Vec<String> {
        let help = match self {
            Self::Symlink { .. } => "use the file itself, or another file",
            Self::Input(_) | Self::Special(_) => "use another file",
            Self::Foreign { .. } => "use another file, or remove it",
            Self::Twice(_) => "use a different file for each",
        };
        vec![help.to_owned()]
    }
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}

/// Checks that `path` is not a symlink, and does not lead through one that a checkout may hold: one
/// below the working directory, or on a relative path.
///
/// # Errors
/// For the first symlink on the way.
pub fn check(path: &Path) -> Result<(), DestinationError> {
    let working = std::env::current_dir().unwrap_or_default();
    check_from(&working, path)
}

fn check_from(working: &Path, path: &Path) -> Result<(), DestinationError> {
    let below = path.strip_prefix(working).ok();
    let (mut walked, rest) = match below {
        Some(below) => (working.to_owned(), below),
        None if path.is_absolute() => {
            // Symlinks of the administrator, such as `/tmp` on some machines, are accepted; the
            // files of devices and of processes are symlinks by design.
            return if is_systems(path) { Ok(()) } else { no_symlink(path, path) };
        }
        None => (working.to_owned(), path),
    };
    let mut typed = if below.is_some() { working.to_owned() } else { PathBuf::new() };
    for component in rest.components() {
        walked.push(component);
        typed.push(component);
        if matches!(component, Component::Normal(_)) {
            no_symlink(&walked, &typed)?;
        }
    }
    Ok(())
}

/// `typed` is how the user calls `path`.
fn no_symlink(path: &Path, typed: &Path) -> Result<(), DestinationError> {
    match fs::read_link(path) {
        Ok(to) => Err(DestinationError::Symlink { link: typed.to_owned(), to }),
        // What is no symlink, or not there.
        Err(_) => Ok(()),
    }
}

/// Checks that each of `destinations` may be written ([`check`]), none of them twice, and that none
/// is among `inputs`, by whatever name. The inputs are compared only if a destination already
/// exists.
///
/// # Errors
/// For the first that must not be written.
pub fn check_all<'p>(
    destinations: impl IntoIterator<Item = &'p Path>,
    inputs: impl IntoIterator<Item = PathBuf>,
) -> Result<(), DestinationError> {
    let mut there = HashMap::new();
    let mut names = HashSet::new();
    for path in destinations {
        check(path)?;
        // A device or another special file accepts any number of reports.
        let identity = Identity::of(path);
        let again = match identity {
            Some((identity, true)) => there.insert(identity, path).is_some(),
            Some((_, false)) => false,
            None => !names.insert(plain(path)),
        };
        if again {
            return Err(DestinationError::Twice(path.to_owned()));
        }
    }
    if there.is_empty() {
        return Ok(());
    }
    let identity = |input: PathBuf| Identity::of(&input).map(|(identity, _)| identity);
    match inputs.into_iter().filter_map(identity).find_map(|one| there.get(&one)) {
        Some(path) => Err(DestinationError::Input((*path).to_owned())),
        None => Ok(()),
    }
}

/// Checks the same for a few inputs, which may not exist yet.
///
/// # Errors
/// For the first that must not be written.
pub fn check_few(
    destinations: &[PathBuf],
    inputs: impl IntoIterator<Item = PathBuf>,
) -> Result<(), DestinationError> {
    let inputs: Vec<PathBuf> = inputs.into_iter().collect();
    let names: HashSet<PathBuf> = inputs.iter().map(|input| plain(input)).collect();
    check_all(destinations.iter().map(PathBuf::as_path), inputs)?;
    match destinations.iter().find(|path| names.contains(&plain(path))) {
        Some(path) => Err(DestinationError::Input(path.clone())),
        None => Ok(()),
    }
}

/// Checks that `path` may be replaced by a text that begins with `begin` and is `what`: that it is one
/// already, is empty, or does not exist. It may also be a device, which has no content to lose, or a
/// stream of this process.
///
/// # Errors
/// If it is something else.
pub fn is_ours(path: &Path, begin: &str, what: &'static str) -> Result<(), DestinationError> {
    // What is not there, or out of reach, cannot be lost.
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if !metadata.is_file() {
        let takes_text = takes_text(path, &metadata);
        return takes_text.then_some(()).ok_or_else(|| DestinationError::Special(path.to_owned()));
    }
    let mut head = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(begin.len() as u64).read_to_end(&mut head))
        .is_ok();
    if read && (head.is_empty() || head == begin.as_bytes()) {
        return Ok(());
    }
    Err(DestinationError::Foreign { path: path.to_owned(), what })
}

/// Returns whether `path`, which is no regular file, takes a text at once: a named pipe waits for a reader.
#[cfg(unix)]
fn takes_text(path: &Path, metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = metadata.file_type();
    kind.is_char_device() || (is_systems(path) && kind.is_fifo())
}

#[cfg(not(unix))]
fn takes_text(_: &Path, metadata: &fs::Metadata) -> bool {
    !metadata.is_dir()
}

/// Checks that somebody reads `path`, if it is a pipe, without waiting for that.
///
/// # Errors
/// If nobody does.
pub fn has_reader(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
        if fs::metadata(path).is_ok_and(|file| file.file_type().is_fifo()) {
            OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Returns whether `path` is of the files of devices and of processes, which are symlinks by design.
fn is_systems(path: &Path) -> bool {
    path.starts_with("/dev") || path.starts_with("/proc")
}

/// Returns whether one of `destinations` already exists, so that inputs have to be compared.
pub fn any_is_there<'p>(destinations: impl IntoIterator<Item = &'p Path>) -> bool {
    destinations.into_iter().any(|path| path.exists())
}

/// `path` without `./`.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

/// The identity of a file, which is the same under another name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    #[cfg(not(unix))]
    path: PathBuf,
}

impl Identity {
    /// Returns the identity of the file at `path`, and whether it is a regular file.
    fn of(path: &Path) -> Option<(Self, bool)> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt as _;
            Self { device_and_inode: (metadata.dev(), metadata.ino()) }
        };
        #[cfg(not(unix))]
        let identity = Self { path: fs::canonicalize(path).ok()? };
        Some((identity, metadata.is_file()))
    }
}

/// Opens `path` to be written anew, if it is no symlink.
///
/// # Errors
/// If it cannot be written, or is a symlink.
pub fn create(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().write(true).create(true).truncate(true))
}

/// Opens `path` to be written at its end, if it is no symlink.
///
/// # Errors
/// If it cannot be written, or is a symlink.
pub fn append(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().append(true).create(true))
}

/// Replaces `path` in one step by what `write` writes: a reader sees the old content or the new, and so
/// does whoever comes after a crash. A device or another special file is written to directly.
///
/// # Errors
/// If it cannot be written, or is a symlink.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    check(path).map_err(io::Error::other)?;
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        let mut out = BufWriter::new(OpenOptions::new().write(true).open(path)?);
        write(&mut out)?;
        return out.flush();
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lineload-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(directory(path))?;
    let mut out = BufWriter::new(&mut file);
    write(&mut out)?;
    out.flush()?;
    drop(out);
    if let Some(old) = old {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Returns the directory of `path`.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    check(path).map_err(io::Error::other)?;
    // It may have become a symlink in the meantime. The system's symlinks are accepted here too.
    #[cfg(unix)]
    if !is_systems(path) {
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW);
    }
    options.open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_symlink_on_a_path_that_a_checkout_may_hold_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("checkout/real")).unwrap();
        fs::write(at("victim"), "precious").unwrap();
        symlink("../victim", at("checkout/import.json")).unwrap();
        symlink("nowhere", at("checkout/dangling.json")).unwrap();
        symlink("..", at("checkout/out")).unwrap();
        symlink("checkout/real", at("system")).unwrap();
        let working = at("checkout");
        let check = |path: &str| check_from(&working, Path::new(path));
        let link = |link: &str, to: &str| {
            Err(DestinationError::Symlink { link: link.into(), to: to.into() })
        };
        assert_eq!(check("import.json"), link("import.json", "../victim"));
        assert_eq!(check("./import.json"), link("./import.json", "../victim"));
        assert_eq!(check("dangling.json"), link("dangling.json", "nowhere"));
        assert_eq!(check("out/r.json"), link("out", ".."));
        assert_eq!(check("real/../out/r.json"), link("real/../out", ".."));
        let absolute = at("checkout/out/r.json");
        assert_eq!(
            check_from(&working, &absolute),
            Err(DestinationError::Symlink { link: at("checkout/out"), to: "..".into() })
        );
        // Outside of it, only what would be written itself.
        assert_eq!(check_from(&working, &at("system/r.json")), Ok(()));
        assert!(check_from(&working, &at("system")).is_err());
        for fine in ["real/r.json", "new.json", "/dev/stdout", "/dev/fd/1", "real/../new.json"] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
        assert!(create(&at("checkout/import.json")).is_err());
        assert!(append(&at("checkout/dangling.json")).is_err());
        assert_eq!(fs::read_to_string(at("victim")).unwrap(), "precious");
        assert!(!at("checkout/nowhere").exists());
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.txt"), "old").unwrap();
        fs::set_permissions(at("a.txt"), fs::Permissions::from_mode(0o640)).unwrap();
        let failed = replace(&at("a.txt"), |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read_to_string(at("a.txt")).unwrap(), "old");
        replace(&at("a.txt"), |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(at("a.txt")).unwrap(), "new");
        assert_eq!(fs::metadata(at("a.txt")).unwrap().permissions().mode() & 0o777, 0o640);
        symlink("a.txt", at("link.txt")).unwrap();
        assert!(replace(&at("link.txt"), |out| out.write_all(b"x")).is_err());
        assert!(replace(&at("missing/b.txt"), |out| out.write_all(b"x")).is_err());
        replace(Path::new("/dev/null"), |out| out.write_all(b"x")).unwrap();
        // No temporary file is left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn only_what_was_written_before_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let is_ours = |path: &Path| is_ours(path, "# HELP x_", "a file of x");
        fs::write(at("old.prom"), "# HELP x_a A.\n").unwrap();
        fs::write(at("empty.prom"), "").unwrap();
        fs::write(at("short.prom"), "# HELP").unwrap();
        fs::write(at("registry.sqlite3"), "SQLite format 3\0").unwrap();
        fs::write(at("other.prom"), "# HELP node_a A.\n").unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        for fine in ["old.prom", "empty.prom", "missing.prom"].map(at) {
            assert_eq!(is_ours(&fine), Ok(()), "{}", fine.display());
        }
        assert_eq!(is_ours(Path::new("/dev/null")), Ok(()));
        for foreign in ["short.prom", "registry.sqlite3", "other.prom"].map(at) {
            let error = is_ours(&foreign).unwrap_err().to_string();
            let shown = foreign.display();
            assert_eq!(error, format!("`{shown}` is not a file of x and would be overwritten"));
        }
        let special = |path: PathBuf| (is_ours(&path), Err(DestinationError::Special(path)));
        for (found, expected) in [special(at("pipe")), special(folder.path().to_owned())] {
            assert_eq!(found, expected);
        }
        // It does not wait for a reader.
        assert!(has_reader(&at("pipe")).is_err());
        let _reader = OpenOptions::new().read(true).write(true).open(at("pipe")).unwrap();
        assert!(has_reader(&at("pipe")).is_ok() && has_reader(&at("old.prom")).is_ok());
    }

    #[test]
    fn what_is_about_to_be_made_is_not_written_either() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("journal"), "").unwrap();
        let read = |name: &str| Err(DestinationError::Input(at(name)));
        let check = |name: &str, input: &str| check_few(&[at(name)], [at(input)]);
        assert_eq!(check("journal", "journal"), read("journal"));
        assert_eq!(check("new", "./new"), read("new"));
        assert_eq!(check("new", "journal"), Ok(()));
    }

    #[test]
    fn what_is_read_is_not_written_whatever_it_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.json"), "{}").unwrap();
        fs::write(at("b.json"), "{}").unwrap();
        fs::hard_link(at("a.json"), at("same.json")).unwrap();
        let check = |destinations: &[&Path], inputs: &[&Path]| {
            let inputs = inputs.iter().map(|path| path.to_path_buf());
            check_all(destinations.iter().copied(), inputs)
        };
        let files = ["a.json", "b.json", "same.json", "new.json"].map(at);
        let [a, b, same, new] = files.each_ref().map(PathBuf::as_path);
        assert_eq!(check(&[b, new], &[a]), Ok(()));
        let read = |path: &Path| Err(DestinationError::Input(path.to_owned()));
        assert_eq!(check(&[a], &[b, a]), read(a));
        assert_eq!(check(&[same], &[a]), read(same));
        let twice = |path: &Path| Err(DestinationError::Twice(path.to_owned()));
        assert_eq!(check(&[a, same], &[]), twice(same));
        assert_eq!(check(&[new, new], &[]), twice(new));
        let null = Path::new("/dev/null");
        assert_eq!(check(&[null, null], &[]), Ok(()));
        assert!(any_is_there([a]) && !any_is_there([new]));
    }
}
