//! The events of the engine, in the past tense. Reports listen; the engine does not know them.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::artifact::Difference;
use crate::submission::{EntryId, Operation, Outcome, Refusal};

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// An entry came to its end.
    Settled(Settled),
    /// The run has ended, and nothing was done for this entry at the target: its attempts were
    /// refused, and it would have been retried.
    Withdrawn(EntryId),
    /// Somebody else created the artifact of this entry, since this run began.
    MadeByAnother(EntryId),
    /// A create was throttled. It had no effect, and is retried.
    Throttled,
    /// The allowed rate changed.
    RateChanged {
        /// Requests a second before; `None` where there was no bound.
        from: Option<f64>,
        /// Requests a second now.
        to: f64,
        /// True if the service asked for it.
        throttled: bool,
    },
    /// Nothing is sent or in flight: all that is left are entries of which nobody knows yet whether
    /// they were created, and which are looked up again.
    AwaitingLookUps {
        /// The number of entries.
        entries: usize,
        /// The time when the first of them is looked up.
        at: Instant,
    },
    /// Nothing is sent until a probe succeeds.
    Paused {
        /// The reason.
        cause: Cause,
        /// The time when the next probe goes out.
        probe_at: Instant,
        /// The error.
        refusal: Refusal,
    },
    /// A probe went out.
    Probed,
    /// The service takes requests again.
    Reopened {
        /// The time without success.
        after: Duration,
    },
}

/// A request, and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'e> {
    /// The operation.
    pub operation: Operation,
    /// The entry that it was made for; `None` if it was made for all.
    pub entry: Option<EntryId>,
    /// The number of creates that were sent for the entry, this one included; of a read for all, the
    /// number of times that it was sent.
    pub attempt: u32,
    /// The time from the request to its answer.
    pub took: Duration,
    /// The service's name for the request, where it is known.
    pub request_id: Option<&'e str>,
    /// The refusal, if it was refused.
    pub refusal: Option<&'e Refusal>,
    /// The time until it is sent again, where that is known.
    pub wait: Option<Duration>,
}

impl Exchange<'_> {
    /// Returns a request that was answered after `took`, of which nothing else is known.
    #[must_use]
    pub const fn new(operation: Operation, took: Duration) -> Self {
        let (entry, request_id, refusal, wait) = (None, None, None, None);
        Self { operation, entry, attempt: 1, took, request_id, refusal, wait }
    }
}

type Sees = dyn Fn(&Exchange<'_>) + Send + Sync;

/// Sees each request of a run when it is answered. By default nobody does.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Sees>>);

impl Observer {
    /// Returns one that passes each request to `sees`, from any thread.
    #[must_use]
    pub fn new(sees: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sees)))
    }

    /// Passes on a request.
    pub fn see(&self, exchange: &Exchange<'_>) {
        if let Some(sees) = &self.0 {
            sees(exchange);
        }
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

/// The settled result of an entry.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Which.
    pub entry: EntryId,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its ARN, where it has one.
    pub arn: Option<String>,
    /// The number of creates that were sent for it.
    pub attempts: u32,
    /// The service's name for the last of them.
    pub request_id: Option<String>,
    /// The error of the service, if it refused.
    pub error: Option<Refusal>,
    /// True if the existing artifact is known in every field: it was made so, or compared.
    pub compared: bool,
    /// The time when it was changed last, by the target's clock, if that was seen and it is as the
    /// manifest says.
    pub modified: Option<SystemTime>,
    /// True if this is from the journal: no request was made.
    pub by_journal: bool,
    /// The fields in which the existing artifact differs, if they were seen.
    pub differences: Vec<Difference>,
    /// The fields that an update made equal.
    pub changed: Vec<Difference>,
}

impl Settled {
    /// Returns an entry that came to `outcome`, of which nothing else is known.
    #[must_use]
    pub const fn new(entry: EntryId, outcome: Outcome) -> Self {
        Self {
            entry,
            outcome,
            arn: None,
            attempts: 0,
            request_id: None,
            error: None,
            compared: false,
            modified: None,
            by_journal: false,
            differences: Vec::new(),
            changed: Vec::new(),
        }
    }
}

/// The names of a cause: as it happens, at the end of a run, and afterwards.
struct Names {
    now: &'static str,
    stopped: &'static str,
    lasting: &'static str,
    happened: &'static str,
}

/// The reason for a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// `ResourceLimitExceeded`.
    Limit,
    /// The target cannot be reached.
    Unreachable,
    /// The credentials have expired.
    Expired,
    /// Every request is throttled.
    Throttled,
    /// The service responds, but without a verdict: failures and unreadable responses.
    Failing,
}

impl Cause {
    /// Returns it in a word or two, for progress.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.names().now
    }

    /// Returns how a run ended that lost its patience with it, in a word or two.
    #[must_use]
    pub const fn stopped(self) -> &'static str {
        self.names().stopped
    }

    /// Returns what lasted too long, as in `stopped: no connection for 2m`.
    #[must_use]
    pub const fn lasting(self) -> &'static str {
        self.names().lasting
    }

    /// Returns what happened, as a sentence of a report.
    #[must_use]
    pub const fn happened(self) -> &'static str {
        self.names().happened
    }

    /// Returns what it is called, everywhere.
    const fn names(self) -> Names {
        match self {
            Self::Limit => Names {
                now: "limit",
                stopped: "stopped: limit",
                lasting: "at a limit",
                happened: "a limit of the service was reached",
            },
            Self::Unreachable => Names {
                now: "no connection",
                stopped: "stopped: no connection",
                lasting: "no connection",
                happened: "the target could not be reached",
            },
            Self::Expired => Names {
                now: "credentials expired",
                stopped: "stopped: credentials expired",
                lasting: "no valid credentials",
                happened: "the credentials had expired",
            },
            Self::Throttled => Names {
                now: "throttled",
                stopped: "stopped: throttled",
                lasting: "throttled",
                happened: "every request was throttled",
            },
            Self::Failing => Names {
                now: "service errors",
                stopped: "stopped: service errors",
                lasting: "service errors",
                happened: "the service failed",
            },
        }
    }
}
