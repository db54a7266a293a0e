//! The lease of a journal that other machines may use too.
//!
//! On a network file system, a lock may be local to one machine, and may outlive the machine that
//! took it. So the holder renews its lock file every few seconds. A lock that has not been renewed
//! for a minute, by the clock of the file system, is free; one of a process of this machine that
//! has ended is free at once.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use super::file::{beside, private};
use super::holder::Holder;

/// The interval at which the lock file is renewed.
const RENEWED: Duration = Duration::from_secs(10);

/// The time after the last renewal at which the lock is free.
const OVER: Duration = Duration::from_secs(60);

/// The time that another holder's expired lock is watched before it is taken over.
const WATCHED: Duration = Duration::from_secs(1);

/// A lock file that is renewed until this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    text: Arc<Text>,
    stop: Option<Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// The content of the lock file.
#[derive(Debug)]
struct Text {
    file: File,
    path: PathBuf,
    text: String,
    written: Mutex<SystemTime>,
}

impl Lease {
    /// Starts renewing the lock `file` at `path`, which contains `text`. `watched` is true if it
    /// had another holder before, since two processes may take it over at the same moment.
    pub(super) fn begin(
        file: &File,
        path: &Path,
        text: String,
        watched: bool,
    ) -> io::Result<Option<Self>> {
        let written = Mutex::new(SystemTime::now());
        let text = Text { file: file.try_clone()?, path: path.to_owned(), text, written };
        if watched {
            thread::sleep(WATCHED);
            if !text.is_there() {
                return Ok(None);
            }
        }
        let (text, (stop, stopped)) = (Arc::new(text), channel());
        let writes = Arc::clone(&text);
        let renew = move || {
            while stopped.recv_timeout(RENEWED) == Err(RecvTimeoutError::Timeout) {
                // If it cannot be written, others see it expire.
                writes.renew();
            }
        };
        let thread = thread::Builder::new().name("lease".to_owned()).spawn(renew)?;
        Ok(Some(Self { text, stop: Some(stop), thread: Some(thread) }))
    }

    /// Returns whether the lock file names this process still, for long enough.
    pub(super) fn holds(&self) -> bool {
        // The machine may have been asleep.
        let aged = self.text.written().elapsed().is_ok_and(|age| age < OVER / 2);
        self.text.is_there() && (aged || self.text.renew())
    }
}

impl Text {
    /// Opening a file makes a network file system fetch its current state.
    fn is_there(&self) -> bool {
        let mut text = String::new();
        let read =
            File::open(&self.path).and_then(|file| file.take(1024).read_to_string(&mut text));
        read.is_ok() && text == self.text
    }

    fn written(&self) -> SystemTime {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the text again, unless the file belongs to another process now. Returns whether it
    /// was written.
    fn renew(&self) -> bool {
        if !self.is_there() {
            return false;
        }
        let began = SystemTime::now();
        let renewed = write_again(&self.file, &self.text).is_ok();
        if renewed {
            *self.written.lock().unwrap_or_else(PoisonError::into_inner) = began;
        }
        renewed && self.is_there()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(unix)]
fn write_again(file: &File, text: &str) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, text.as_bytes(), 0)?;
    file.sync_all()
}

#[cfg(not(unix))]
fn write_again(mut file: &File, text: &str) -> io::Result<()> {
    io::Seek::rewind(&mut file)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Returns how long ago the lock file was written, by the clock of the file system: that of this
/// machine may be another.
pub(super) fn age(file: &File, path: &Path) -> io::Result<Duration> {
    let written = file.metadata()?.modified()?;
    let probe = beside(path, &format!(".{}", std::process::id()));
    let now = {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = private(&mut options).open(&probe)?;
        file.write_all(b"?")
            .and_then(|()| file.sync_all())
            .and_then(|()| file.metadata()?.modified())
    };
    let _ = std::fs::remove_file(&probe);
    Ok(now?.duration_since(written).unwrap_or_default())
}

/// Returns whether a lock is free that `holder` took and wrote so long ago. `started` returns when
/// a process of this machine was started.
pub(super) fn is_over(
    holder: &Holder,
    machine: &str,
    age: Duration,
    started: impl Fn(u32) -> Option<u64>,
) -> bool {
    if holder.machine == machine && !machine.is_empty() {
        // Another process may have the same id by now.
        return holder.started.is_some() && started(holder.process) != holder.started;
    }
    age >= OVER
}
