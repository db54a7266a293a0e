//! Signals as the wish to end a run.

use std::future::Future;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::commands::failure::Failure;
use crate::commands::runtime::Signals;
use crate::exit::Exit;
use crate::run::{Stop, stop};

/// The time within which a signal must take effect before the process is ended.
const SIGNAL_GRACE: Duration = Duration::from_millis(500);

/// The stop signal of a run, from the moment it began.
#[derive(Debug)]
pub(super) struct Stopping {
    pub(super) stopped: watch::Receiver<Stop>,
    /// The time when the command began.
    pub(super) began: Instant,
    sending: Arc<AtomicBool>,
    listening: JoinHandle<()>,
}

impl Drop for Stopping {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Stopping {
    /// Listens to signals from now on.
    pub(super) fn listen() -> Result<Self, Failure> {
        let sending = Arc::new(AtomicBool::new(false));
        let (stopped, listening) = into_stop(Signals::listen()?, Arc::clone(&sending));
        Ok(Self { stopped, began: Instant::now(), sending, listening })
    }

    /// Notes that from now on there are requests in flight to wait for.
    pub(super) fn sends(&self) {
        self.sending.store(true, Ordering::Relaxed);
    }

    /// Returns what comes of `work`, unless a signal ends it before anything is sent.
    pub(super) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            end = stop::asked(self.stopped.clone()) => Err(Failure {
                exit: end.exit(false),
                message: "interrupted: nothing was submitted".to_owned(),
                help: Vec::new(),
            }),
            done = work => done,
        }
    }
}

/// Turns the first signal into a request to drain and the second into one to stop, for as long as
/// the task lasts. If nothing has been sent yet, a signal that has no effect, because a read
/// blocks, ends the process.
pub(super) fn into_stop(
    mut signals: Signals,
    sending: Arc<AtomicBool>,
) -> (watch::Receiver<Stop>, JoinHandle<()>) {
    let (stop, stopped) = watch::channel(Stop::No);
    let listening = tokio::spawn(async move {
        let signal = signals.next().await;
        tracing::info!("signal {signal}: waiting for requests in flight");
        let _ = stop.send(Stop::Drain { signal });
        let hard = async {
            tokio::time::sleep(SIGNAL_GRACE).await;
            if !sending.load(Ordering::Relaxed) {
                end_now(signal);
            }
            std::future::pending::<()>().await;
        };
        let signal = tokio::select! {
            signal = signals.next() => signal,
            () = hard => signal,
        };
        let _ = stop.send(Stop::Now { signal });
        // The channel must stay open while there are receivers.
        std::future::pending::<()>().await;
    });
    (stopped, listening)
}

#[expect(clippy::exit, reason = "a blocking call cannot be cancelled, and nothing was submitted")]
fn end_now(signal: u8) {
    // Standard error may be closed.
    let _ = anstream::stderr().write_all(b"interrupted: nothing was submitted\n");
    std::process::exit(i32::from(Exit::Signal(signal).code()));
}
