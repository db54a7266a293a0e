//! The async runtime, which only the commands that need a network start, and signals.

use std::future::Future;
#[cfg(unix)]
use std::task::Poll;

use super::failure::Failure;
use crate::text::reason;

/// Runs `work` on a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    enough_to_start().map_err(|error| {
        Failure::usage(format!("cannot start: {}", reason(&error)))
            .help("the resource limits of the shell may be too low: check `ulimit -a`")
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::usage(format!("cannot start: {error}")))?;
    let result = runtime.block_on(work);
    // A blocked look-up of a host name must not keep the process alive.
    runtime.shutdown_background();
    result
}

/// Checks that a few threads and files can be opened: the runtime panics if they cannot.
fn enough_to_start() -> std::io::Result<()> {
    /// More than the runtime and its signals open.
    const FILES: usize = 16;
    let null = if cfg!(windows) { "NUL" } else { "/dev/null" };
    let files: Vec<_> = (0..FILES).map(|_| std::fs::File::open(null)).collect();
    files.into_iter().collect::<std::io::Result<Vec<_>>>()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let spawn = |_| std::thread::Builder::new().spawn(|| ());
    let threads: std::io::Result<Vec<_>> = (0..threads).map(spawn).collect();
    threads?.into_iter().for_each(|thread| drop(thread.join()));
    Ok(())
}

/// Returns why signals cannot be listened to.
fn deaf(error: &std::io::Error) -> Failure {
    Failure::usage(format!("cannot start: cannot handle signals: {}", reason(error)))
}

/// The signals that end the process, by number.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    signals: Vec<(tokio::signal::unix::Signal, u8)>,
    /// If this is caught, a file that grows beyond `ulimit -f` is a write error, as a full disk is.
    #[cfg(target_os = "linux")]
    _file_size: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from now on.
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind: SignalKind| {
            let number = u8::try_from(kind.as_raw_value()).unwrap_or_default();
            signal(kind).map(|signal| (signal, number)).map_err(|error| deaf(&error))
        };
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        // A run under `nohup` must outlive its terminal.
        let heeded = kinds.into_iter().filter(|kind| !Self::is_ignored(kind.as_raw_value()));
        Ok(Self {
            signals: heeded.map(listen).collect::<Result<_, _>>()?,
            #[cfg(target_os = "linux")]
            _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ))
                .map_err(|error| deaf(&error))?,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Returns whether somebody, as `nohup` does, has asked for a signal to be ignored.
    #[cfg(unix)]
    fn is_ignored(number: i32) -> bool {
        let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
    }

    /// Returns the next signal's number.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> u8 {
        std::future::poll_fn(|cx| {
            let came = self
                .signals
                .iter_mut()
                .find_map(|(signal, number)| signal.poll_recv(cx).is_ready().then_some(*number));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> u8 {
        let _ = tokio::signal::ctrl_c().await;
        2
    }
}
