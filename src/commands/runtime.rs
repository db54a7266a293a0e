//! The async runtime, which only the commands that need a network start, and signals.

use std::future::Future;
#[cfg(unix)]
use std::task::Poll;

#[cfg(feature = "aws")]
use std::sync::Arc;
#[cfg(feature = "aws")]
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(feature = "aws")]
use tokio::sync::watch;

use super::Failure;
#[cfg(feature = "aws")]
use crate::run::Stop;

/// Runs `work` on a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    enough_to_start().map_err(|error| {
        let reason = crate::text::reason(&error);
        Failure::usage(format!("cannot start: {reason}"))
            .help("the limits of the shell may be too low: `ulimit -a`")
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::usage(format!("cannot start: {error}")))?;
    let result = runtime.block_on(work);
    // A blocked look-up of a host name must not hold the process up.
    runtime.shutdown_background();
    result
}

/// That a few threads and open files can be had: the runtime panics where they cannot.
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

/// Signals that ask the process to end, by number.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    signals: Vec<(tokio::signal::unix::Signal, u8)>,
    /// Caught, a file that grows beyond `ulimit -f` is an error of the write, as a full disk is.
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
            signal(kind).map(|signal| (signal, number)).map_err(Failure::from)
        };
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        // A run under `nohup` is to outlive its terminal.
        let heeded = kinds.into_iter().filter(|kind| !Self::is_ignored(kind.as_raw_value()));
        Ok(Self {
            signals: heeded.map(listen).collect::<Result<_, _>>()?,
            #[cfg(target_os = "linux")]
            _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ))?,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Turns the first signal into a wish to drain and the second into one to end, for as long as the
    /// task lasts. Where nothing is sent yet, a signal that nobody heeds, since a file or an answer is
    /// being read, ends the process.
    #[cfg(feature = "aws")]
    pub(super) fn into_stop(
        mut self,
        sending: Arc<AtomicBool>,
    ) -> (watch::Receiver<Stop>, tokio::task::JoinHandle<()>) {
        let (stop, stopped) = watch::channel(Stop::No);
        let listening = tokio::spawn(async move {
            let signal = self.next().await;
            tracing::info!("signal {signal}: waiting for what is under way");
            let _ = stop.send(Stop::Drain { signal });
            let hard = async {
                tokio::time::sleep(HEEDED).await;
                if !sending.load(Ordering::Relaxed) {
                    end_now(signal);
                }
                std::future::pending::<()>().await;
            };
            let signal = tokio::select! {
                signal = self.next() => signal,
                () = hard => signal,
            };
            let _ = stop.send(Stop::Now { signal });
            // The channel must not close while somebody listens.
            std::future::pending::<()>().await;
        });
        (stopped, listening)
    }

    /// Whether somebody, as `nohup` does, has asked for a signal to be ignored.
    #[cfg(unix)]
    fn is_ignored(number: i32) -> bool {
        let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
    }

    /// The next signal's number.
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

/// How long a signal has to be heeded before the process ends without more ado.
#[cfg(feature = "aws")]
const HEEDED: std::time::Duration = std::time::Duration::from_millis(500);

#[cfg(feature = "aws")]
#[expect(clippy::exit, reason = "something blocks that cannot be called off, and nothing was sent")]
fn end_now(signal: u8) {
    let mut err = anstream::stderr();
    // Nobody may be there to read it.
    let _ = std::io::Write::write_all(&mut err, b"interrupted: nothing was sent\n");
    std::process::exit(i32::from(crate::exit::Exit::Signal(signal).code()));
}

/// Whether the run is to end, from the moment it began.
#[cfg(feature = "aws")]
#[derive(Debug)]
pub(super) struct Stopping {
    pub(super) stopped: watch::Receiver<Stop>,
    /// When the command began.
    pub(super) began: std::time::Instant,
    sending: Arc<AtomicBool>,
    listening: tokio::task::JoinHandle<()>,
}

#[cfg(feature = "aws")]
impl Drop for Stopping {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

#[cfg(feature = "aws")]
impl Stopping {
    /// Listens to signals from now on.
    pub(super) fn listen() -> Result<Self, Failure> {
        let sending = Arc::new(AtomicBool::new(false));
        let (stopped, listening) = Signals::listen()?.into_stop(Arc::clone(&sending));
        Ok(Self { stopped, began: std::time::Instant::now(), sending, listening })
    }

    /// From now on requests are under way that are worth waiting for.
    pub(super) fn sends(&self) {
        self.sending.store(true, Ordering::Relaxed);
    }

    /// What comes of `work`, unless a signal ends it before anything is sent.
    pub(super) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            biased;
            Ok(stop) = stopped.wait_for(|stop| *stop != Stop::No) => {
                let signal = match *stop {
                    Stop::Drain { signal } | Stop::Now { signal } => signal,
                    Stop::No => 0,
                };
                Err(Failure {
                    exit: crate::exit::Exit::Signal(signal),
                    message: "interrupted: nothing was sent".to_owned(),
                    help: Vec::new(),
                })
            }
            done = work => done,
        }
    }
}
