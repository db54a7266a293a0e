//! Checks of a target: which requests it allows, and whether it behaves as lineload assumes.
//!
//! In: a target that can be asked. Out: [`Check`]s, in the order in which they were made. Without
//! [`Doctor::writes`] nothing is changed at the target; with it, artifacts of its own are created, and
//! deleted again.

mod reads;
mod writes;

use std::time::Duration;

use tokio::sync::watch;
pub use writes::{ARTIFACTS, URI_PREFIX};

use crate::run::{Asker, End, Stop, Unanswered};
use crate::service::Service;
use crate::submission::{Class, Operation, Refusal};

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As lineload needs it.
    Ok,
    /// An import works, but differently from what its options assume.
    Warning,
    /// An import, or a part of what it offers, does not work.
    Error,
    /// It was not tried.
    Skipped,
}

/// The artifacts of an account and Region beside the quota, as far as reads show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct QuotaUse {
    /// Artifacts that were listed, those included that SageMaker created by itself, which do not count.
    pub artifacts: usize,
    /// False if there are more: the listing was given up.
    pub all: bool,
    /// The documented default quota. Which quota the account has, only Service Quotas knows.
    pub default: u64,
    /// The document that names it.
    pub source: &'static str,
}

/// A check, and what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The operation or the behaviour that was checked, as in `ListArtifacts` or `list-lag`.
    pub name: &'static str,
    /// The result.
    pub state: State,
    /// The finding, in words.
    pub found: String,
    /// The measured time, if time is what was checked.
    pub time: Option<Duration>,
    /// The service's error code, if it refused.
    pub code: Option<String>,
    /// The use of the quota, if that is what was checked.
    pub quota: Option<QuotaUse>,
    /// Requests a second, if a rate is what was checked.
    pub per_second: Option<f64>,
    /// Lines of help.
    pub help: Vec<String>,
}

impl Check {
    /// Returns a check without help.
    #[must_use]
    pub fn new(name: &'static str, state: State, found: impl Into<String>) -> Self {
        Self {
            name,
            state,
            found: found.into(),
            time: None,
            code: None,
            quota: None,
            per_second: None,
            help: Vec::new(),
        }
    }

    /// Returns the check of an operation that was refused.
    fn refused(operation: Operation, refusal: &Refusal) -> Self {
        let denied = if refusal.class == Class::Denied { "denied: " } else { "" };
        Self {
            code: refusal.code.clone(),
            help: refusal.help(operation.action()),
            ..Self::new(operation.name(), State::Error, format!("{denied}{refusal}"))
        }
    }

    fn taking(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// Makes checks of a target.
#[derive(Debug)]
pub struct Doctor<S> {
    service: S,
    asker: Asker<S>,
    stop: watch::Receiver<Stop>,
    /// The lag of reads that an import tolerates.
    settle: Duration,
    checks: Vec<Check>,
}

impl<S: Service> Doctor<S> {
    /// Returns one that makes reads through `asker` until `stop` is asked. `settle` is the lag of reads
    /// behind writes that an import tolerates.
    #[must_use]
    pub const fn new(
        service: S,
        asker: Asker<S>,
        stop: watch::Receiver<Stop>,
        settle: Duration,
    ) -> Self {
        Self { service, asker, stop, settle, checks: Vec::new() }
    }

    /// Adds a check that was made elsewhere.
    pub fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Returns all checks, in their order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Makes one read, and adds the check of its permission. Returns the answer, if there was one; a
    /// refusal that is not about permission proves that there is one.
    async fn permitted<T>(
        &mut self,
        operation: Operation,
        answer: Result<T, Unanswered>,
    ) -> Result<Option<T>, End> {
        let allowed = Check::new(operation.name(), State::Ok, "allowed");
        match answer {
            Ok(answer) => {
                self.add(allowed);
                Ok(Some(answer))
            }
            Err(Unanswered::Ended(end)) => Err(end),
            Err(Unanswered::Refused(refusal)) => {
                // There is no such artifact, which only a caller with the permission learns.
                let code = refusal.code.as_deref().unwrap_or_default();
                let known = code == "ValidationException" || code.starts_with("ResourceNotFound");
                let known = known && matches!(operation, Operation::Describe | Operation::ListTags);
                self.add(if known { allowed } else { Check::refused(operation, &refusal) });
                Ok(None)
            }
        }
    }

    /// Returns how the process is to end, if a signal came.
    fn stopped(&self) -> Result<(), End> {
        let end = self.stop.borrow().end();
        end.map_or(Ok(()), Err)
    }
}
