//! The wish to end a run early.

use tokio::sync::watch;

use super::End;

/// The request to end a run early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    /// It is not.
    #[default]
    No,
    /// Requests in flight are completed first.
    Drain {
        /// The signal that asked.
        signal: u8,
    },
    /// Nothing is waited for.
    Now {
        /// The signal that asked.
        signal: u8,
    },
}

impl Stop {
    /// Returns how a run ends after this request to stop; `None` if it continues.
    #[must_use]
    pub const fn end(self) -> Option<End> {
        match self {
            Self::No => None,
            Self::Drain { signal } => Some(End::Interrupted { signal, drained: true }),
            Self::Now { signal } => Some(End::Interrupted { signal, drained: false }),
        }
    }
}

/// Waits until a run is asked to end, and returns how it ends then. It waits for ever where nobody
/// is left who could ask.
pub async fn asked(stop: watch::Receiver<Stop>) -> End {
    first(stop, Stop::end).await
}

/// Waits until a run is asked to end at once, and returns how it ends then.
pub async fn asked_twice(stop: watch::Receiver<Stop>) -> End {
    first(stop, |stop| stop.end().filter(|_| matches!(stop, Stop::Now { .. }))).await
}

async fn first(mut stop: watch::Receiver<Stop>, end: impl Fn(Stop) -> Option<End>) -> End {
    loop {
        let asked = *stop.borrow_and_update();
        if let Some(end) = end(asked) {
            return end;
        }
        if stop.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}
