//! The file of a journal, its directory, and the errors that come of them.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::JournalError;
use crate::destination;
use crate::text::reason;

/// The time to wait for a reader.
pub(super) const BUSY: Duration = Duration::from_secs(10);

/// A kind of file system that other machines may use too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    /// As in `NFS`.
    pub(super) kind: &'static str,
    /// True if it may as well be a disk of this machine alone.
    pub(super) perhaps: bool,
}

/// The location of a journal.
#[derive(Debug)]
pub(super) struct Place {
    /// The file itself: a link to it must not be another journal.
    pub(super) file: PathBuf,
    /// True if other machines may use it too.
    pub(super) network: Option<Network>,
}

fn unusable(path: &Path, error: &io::Error) -> JournalError {
    JournalError::Unusable { path: path.to_owned(), reason: reason(error) }
}

/// Creates the directory of the journal, with a `.gitignore`.
pub(super) fn prepare(path: &Path) -> Result<(), JournalError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Also where a run was killed between the two.
    let ours = !folder.exists() || folder.file_name().is_some_and(|name| name == ".lineload");
    std::fs::create_dir_all(folder).map_err(|error| JournalError::Unusable {
        path: path.to_owned(),
        reason: format!("cannot create its directory: {}", reason(&error)),
    })?;
    let ignore = folder.join(".gitignore");
    if !ours {
        return Ok(());
    }
    // Never through a symlink, also one that leads nowhere.
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(ignore);
    match created.and_then(|mut file| file.write_all(b"*\n")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unusable(path, &error)),
        _ => Ok(()),
    }
}

/// The endings of the files beside a journal, as SQLite and lineload name them.
const BESIDE: [&str; 5] = ["-wal", "-shm", "-journal", ".lock", ".readers"];

/// Checks that neither the journal nor a file beside it is a symlink: a checkout may hold one that
/// leads to a file of the user.
pub(super) fn no_symlink(path: &Path) -> Result<(), JournalError> {
    let mut files = [""].into_iter().chain(BESIDE).map(|ending| beside(path, ending));
    files.try_for_each(|file| destination::check(&file)).map_err(|error| JournalError::Unusable {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// Resolves the file, and creates it if it does not exist.
///
/// An existing file is not opened: closing it would release the locks that this process may have on
/// it.
pub(super) fn find(path: &Path) -> Result<Place, JournalError> {
    let mut file = std::fs::canonicalize(path);
    if file.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        create_private(path).map_err(|error| unusable(path, &error))?;
        file = std::fs::canonicalize(path);
    }
    let file = file.map_err(|error| unusable(path, &error))?;
    let metadata = std::fs::metadata(&file).map_err(|error| unusable(path, &error))?;
    #[cfg(unix)]
    if metadata.is_file() && std::os::unix::fs::MetadataExt::nlink(&metadata) > 1 {
        return Err(JournalError::Unusable {
            path: path.to_owned(),
            reason: "it has several hard links, and the lock covers only one of them".to_owned(),
        });
    }
    if !metadata.is_file() {
        let reason = "it is not a regular file".to_owned();
        return Err(JournalError::Unusable { path: path.to_owned(), reason });
    }
    let network = network(file.parent().unwrap_or(&file));
    Ok(Place { file, network })
}

/// Requests may contain data that is not for every user of the machine.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    private(&mut options);
    options.open(path).map(drop)
}

/// Makes a new file accessible to its owner only, and opens none through a symlink.
pub(super) fn private(options: &mut std::fs::OpenOptions) -> &mut std::fs::OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW);
    }
    options
}

/// Returns the path of a file beside `file`, whose name has `ending` behind it.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    file.with_file_name(name)
}

/// Returns the kind of network file system that `folder` is on, if it is on one.
#[cfg(target_os = "linux")]
fn network(folder: &Path) -> Option<Network> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type;
    // From linux/magic.h.
    let kind = match u32::try_from(kind & 0xFFFF_FFFF).ok()? {
        0x6969 => "NFS",
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB",
        0x5346_414F => "AFS",
        0x0102_1997 => "9p",
        0x00C3_6400 => "Ceph",
        0x0BD0_0BD0 => "Lustre",
        0x6573_5546 => return Some(Network { kind: "FUSE", perhaps: true }),
        _ => return None,
    };
    Some(Network { kind, perhaps: false })
}

#[cfg(not(target_os = "linux"))]
const fn network(_: &Path) -> Option<Network> {
    None
}

/// Returns what an error of SQLite means.
pub(super) fn failure(path: &Path, error: &rusqlite::Error) -> JournalError {
    use rusqlite::Error as E;
    let path = path.to_owned();
    if matches!(
        error,
        E::FromSqlConversionFailure(..)
            | E::InvalidColumnType(..)
            | E::IntegralValueOutOfRange(..)
            | E::Utf8Error(..)
    ) {
        return JournalError::NotAJournal { path, reason: error.to_string() };
    }
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            JournalError::NotAJournal { path, reason: error.to_string() }
        }
        Some(rusqlite::ErrorCode::DiskFull) => JournalError::Full { path },
        Some(rusqlite::ErrorCode::DatabaseBusy) => JournalError::Busy { path },
        _ => JournalError::Unusable { path, reason: error.to_string() },
    }
}

/// Returns what an error of SQLite means for files in `folder` that are gone with the process.
pub(super) fn temporary(folder: &Path, error: &rusqlite::Error) -> JournalError {
    let reason = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    JournalError::Temporary { folder: folder.to_owned(), reason }
}

/// Returns whether an error of SQLite says that the file system has no locks, or cannot make a
/// write durable.
pub(super) fn lacks_locks(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    let rusqlite::Error::SqliteFailure(error, _) = error else { return false };
    matches!(
        error.extended_code,
        ffi::SQLITE_IOERR_LOCK
            | ffi::SQLITE_IOERR_RDLOCK
            | ffi::SQLITE_IOERR_UNLOCK
            | ffi::SQLITE_IOERR_CHECKRESERVEDLOCK
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_DIR_FSYNC
            | ffi::SQLITE_PROTOCOL
    )
}
