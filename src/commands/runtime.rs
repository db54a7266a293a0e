//! The async runtime, which only the commands that need a network start, and signals.

use std::future::Future;

use super::Failure;

/// Runs `work` on a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::usage(format!("cannot start: {error}")))?;
    let result = runtime.block_on(work);
    // A blocked look-up of a host name must not hold the process up.
    runtime.shutdown_background();
    result
}

/// Signals that ask the process to end, by number.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    signals: [(tokio::signal::unix::Signal, u8); 3],
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
        let [interrupt, terminate, hangup] = kinds.map(listen);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// The next signal's number.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> u8 {
        let [(interrupt, int), (terminate, term), (hangup, hup)] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => *int,
            _ = terminate.recv() => *term,
            _ = hangup.recv() => *hup,
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> u8 {
        let _ = tokio::signal::ctrl_c().await;
        2
    }
}
