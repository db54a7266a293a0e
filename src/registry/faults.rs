//! The misbehaviour of a registry on request: limits, latency and faults.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::names::named;

/// Everything that a registry does wrong, or otherwise than the service's pages say.
#[derive(Debug, Clone, PartialEq)]
pub struct Misbehaviour {
    /// Requests a second that an operation takes, out of a bucket that holds a second's worth;
    /// beyond that, `ThrottlingException`.
    pub tps: Vec<Quota>,
    /// Artifacts that fit; beyond that, `ResourceLimitExceeded`.
    pub max_artifacts: Option<u64>,
    /// Time that every answer takes.
    pub latency: Duration,
    /// Time by which `ListArtifacts` lags behind creates, updates and deletes.
    pub list_lag: Duration,
    /// Time by which `ListTags` lags behind everything that changes tags.
    pub tag_lag: Duration,
    /// Refuse a name that another artifact has.
    pub unique_names: bool,
    /// Refuse a SourceUri with the set of SourceTypes that another artifact has.
    pub unique_sources: bool,
    /// The faults.
    pub faults: Vec<Fault>,
}

impl Default for Misbehaviour {
    /// Returns the behaviour that the service's pages describe.
    fn default() -> Self {
        Self {
            tps: Vec::new(),
            max_artifacts: None,
            latency: Duration::ZERO,
            list_lag: Duration::ZERO,
            tag_lag: Duration::ZERO,
            unique_names: true,
            unique_sources: true,
            faults: Vec::new(),
        }
    }
}

impl Misbehaviour {
    /// Returns whether the registry behaves as the service's pages describe.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The longest lag that can be asked for, and the longest latency.
pub const LAG_MAX: Duration = Duration::from_secs(3600);

/// `N`, or `OPERATION=N`: requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// The operation; `CreateArtifact` where none is named.
    pub operation: &'static str,
    /// Requests a second.
    pub per_second: f64,
}

impl Quota {
    pub(super) fn new(operation: &str, per_second: f64) -> Result<Self, String> {
        if !per_second.is_finite() || per_second <= 0.0 {
            return Err("the number of requests a second must be above 0".to_owned());
        }
        Ok(Self { operation: named(operation)?, per_second })
    }
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (operation, number) = text.split_once('=').unwrap_or(("CreateArtifact", text));
        let per_second = number
            .parse()
            .map_err(|_| format!("`{number}` is not a number of requests per second"))?;
        Self::new(operation, per_second)
    }
}

/// `KIND=PROBABILITY`, or `OPERATION:KIND=PROBABILITY`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// The operation that fails; `None` for every operation.
    pub operation: Option<&'static str>,
    /// The kind of fault.
    pub kind: FaultKind,
    /// The probability, from 0 to 1.
    pub probability: f64,
}

/// A kind of fault: what the client gets, and whether the request has taken effect by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultKind {
    pub(super) answer: Answer,
    pub(super) when: When,
}

/// The reply that the client gets instead of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The connection closes.
    Drop,
    /// A 500.
    Error500,
    /// Nothing, and the connection stays open.
    Hang,
    /// A 200 with a body that is not JSON.
    Garbage,
}

/// The moment at which a fault occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Before the request has any effect.
    BeforeCommit,
    /// After the effect of the request is committed.
    AfterCommit,
    /// Before it or after it, with equal chances.
    Either,
}

impl FaultKind {
    const NAMES: [(&'static str, Self); 9] = [
        ("drop-before-commit", Self::new(Answer::Drop, When::BeforeCommit)),
        ("drop-after-commit", Self::new(Answer::Drop, When::AfterCommit)),
        ("error-500", Self::new(Answer::Error500, When::Either)),
        ("error-500-before-commit", Self::new(Answer::Error500, When::BeforeCommit)),
        ("error-500-after-commit", Self::new(Answer::Error500, When::AfterCommit)),
        ("hang", Self::new(Answer::Hang, When::Either)),
        ("hang-before-commit", Self::new(Answer::Hang, When::BeforeCommit)),
        ("hang-after-commit", Self::new(Answer::Hang, When::AfterCommit)),
        ("garbage", Self::new(Answer::Garbage, When::AfterCommit)),
    ];

    const fn new(answer: Answer, when: When) -> Self {
        Self { answer, when }
    }

    /// Returns the kind's name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl Fault {
    pub(super) fn new(
        operation: Option<&'static str>,
        kind: &str,
        probability: f64,
    ) -> Result<Self, String> {
        let names = FaultKind::NAMES.map(|(name, _)| name).join(", ");
        let (_, kind) = FaultKind::NAMES
            .into_iter()
            .find(|(name, _)| *name == kind)
            .ok_or_else(|| format!("unknown fault `{kind}`; expected one of {names}"))?;
        if !(0.0..=1.0).contains(&probability) {
            return Err("a probability is from 0 to 1".to_owned());
        }
        Ok(Self { operation, kind, probability })
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, number) = text.split_once('=').ok_or("write it as KIND=PROBABILITY")?;
        let (operation, kind) = match kind.split_once(':') {
            Some((operation, kind)) => (Some(named(operation)?), kind),
            None => (None, kind),
        };
        let probability = number.parse().map_err(|_| {
            format!("invalid probability `{number}`; expected a number from 0 to 1")
        })?;
        Self::new(operation, kind, probability)
    }
}

/// A token bucket that holds a second's worth, and at least one request.
#[derive(Debug)]
pub(super) struct TokenBucket {
    per_second: f64,
    state: Mutex<(f64, Instant)>,
}

impl TokenBucket {
    pub(super) fn new(per_second: f64) -> Self {
        Self { per_second, state: Mutex::new((per_second.max(1.0), Instant::now())) }
    }

    /// Takes a token at `now`, if there is one.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, then) = *state;
        let elapsed = now.saturating_duration_since(then).as_secs_f64();
        let tokens = (tokens + elapsed * self.per_second).min(self.per_second.max(1.0));
        let taken = tokens >= 1.0;
        *state = (if taken { tokens - 1.0 } else { tokens }, now.max(then));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_a_seconds_worth() {
        let bucket = TokenBucket::new(5.0);
        let start = Instant::now();
        let taken = (0..20).filter(|_| bucket.take(start)).count();
        assert_eq!(taken, 5);
        let later = start + Duration::from_secs(60);
        let taken = (0..20).filter(|_| bucket.take(later)).count();
        assert_eq!(taken, 5);
    }

    #[test]
    fn less_than_one_a_second_is_held_over_time() {
        let bucket = TokenBucket::new(0.5);
        let start = Instant::now();
        let taken =
            (0..100).filter(|tenth| bucket.take(start + Duration::from_millis(tenth * 100)));
        assert_eq!(taken.count(), 5);
    }

    #[test]
    fn quotas_and_faults_are_read() {
        assert_eq!("7".parse::<Quota>().unwrap().operation, "CreateArtifact");
        assert_eq!("ListArtifacts=0.5".parse::<Quota>().unwrap().per_second, 0.5);
        assert!("Nothing=1".parse::<Quota>().is_err());
        assert!("0".parse::<Quota>().is_err());
        assert_eq!(
            "hang=0.25".parse::<Fault>().unwrap().kind,
            FaultKind::new(Answer::Hang, When::Either)
        );
        assert!("hang=2".parse::<Fault>().is_err());
        assert!("explode=1".parse::<Fault>().is_err());
        assert_eq!("hang=1".parse::<Fault>().unwrap().operation, None);
        let one: Fault = "AddTags:error-500=0.5".parse().unwrap();
        assert_eq!((one.operation, one.kind.name()), (Some("AddTags"), "error-500"));
        assert!("Nothing:hang=1".parse::<Fault>().is_err());
    }
}
