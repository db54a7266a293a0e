//! The misbehaviour in force, and the form in which the admin endpoint reads and writes it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::faults::{Fault, FaultKind, LAG_MAX, Misbehaviour, Quota, TokenBucket};
use super::names::named;

/// Holds the misbehaviour of a registry, and changes it as a whole.
#[derive(Debug)]
pub(super) struct Control {
    active: RwLock<Arc<Active>>,
}

/// A misbehaviour with the buckets that hold its rates.
#[derive(Debug)]
pub(super) struct Active {
    misbehaviour: Misbehaviour,
    buckets: Vec<(Quota, Arc<TokenBucket>)>,
}

impl Control {
    pub(super) fn new(misbehaviour: Misbehaviour) -> Self {
        Self { active: RwLock::new(Arc::new(Active::after(misbehaviour, &[]))) }
    }

    /// Returns the misbehaviour in force for a request that begins now.
    pub(super) fn now(&self) -> Arc<Active> {
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets the misbehaviour. A rate that stays the same keeps its bucket, so that setting it again
    /// does not refill it.
    pub(super) fn set(&self, misbehaviour: Misbehaviour) {
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        *active = Arc::new(Active::after(misbehaviour, &active.buckets));
    }
}

impl Active {
    fn after(misbehaviour: Misbehaviour, old: &[(Quota, Arc<TokenBucket>)]) -> Self {
        let bucket = |quota: &Quota| {
            let kept = old.iter().find(|(before, _)| before == quota);
            let new = || Arc::new(TokenBucket::new(quota.per_second));
            (*quota, kept.map_or_else(new, |(_, bucket)| Arc::clone(bucket)))
        };
        let buckets = misbehaviour.tps.iter().map(bucket).collect();
        Self { misbehaviour, buckets }
    }

    pub(super) const fn misbehaviour(&self) -> &Misbehaviour {
        &self.misbehaviour
    }

    /// Returns whether the rate of the operation lets a request through.
    pub(super) fn admits(&self, operation: &str, now: Instant) -> bool {
        // The last word on an operation counts.
        let bucket = self.buckets.iter().rev().find(|(quota, _)| quota.operation == operation);
        bucket.is_none_or(|(_, bucket)| bucket.take(now))
    }

    /// Returns the fault of this request for the operation, if it has one.
    pub(super) fn fault(&self, operation: &str) -> Option<FaultKind> {
        let concerns = |fault: &&Fault| fault.operation.is_none_or(|name| name == operation);
        let mut faults = self.misbehaviour.faults.iter().filter(concerns);
        faults.find(|fault| fastrand::f64() < fault.probability).map(|fault| fault.kind)
    }
}

/// A misbehaviour as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Requests a second by operation.
    tps: BTreeMap<String, f64>,
    max_artifacts: Option<u64>,
    latency_ms: u64,
    list_lag_ms: u64,
    tag_lag_ms: u64,
    unique_names: bool,
    unique_sources: bool,
    faults: Vec<FaultSetting>,
}

impl Default for Settings {
    fn default() -> Self {
        Self::from(&Misbehaviour::default())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultSetting {
    kind: String,
    probability: f64,
    /// Every operation where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
}

impl From<&Misbehaviour> for Settings {
    fn from(misbehaviour: &Misbehaviour) -> Self {
        let quota = |quota: &Quota| (quota.operation.to_owned(), quota.per_second);
        let fault = |fault: &Fault| FaultSetting {
            kind: fault.kind.name().to_owned(),
            probability: fault.probability,
            operation: fault.operation.map(str::to_owned),
        };
        Self {
            tps: misbehaviour.tps.iter().map(quota).collect(),
            max_artifacts: misbehaviour.max_artifacts,
            latency_ms: millis(misbehaviour.latency),
            list_lag_ms: millis(misbehaviour.list_lag),
            tag_lag_ms: millis(misbehaviour.tag_lag),
            unique_names: misbehaviour.unique_names,
            unique_sources: misbehaviour.unique_sources,
            faults: misbehaviour.faults.iter().map(fault).collect(),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl TryFrom<Settings> for Misbehaviour {
    type Error = String;

    fn try_from(settings: Settings) -> Result<Self, String> {
        let delay = |name: &str, millis: u64| {
            let delay = Duration::from_millis(millis);
            let most = LAG_MAX.as_millis();
            if delay > LAG_MAX { Err(format!("`{name}` is at most {most}")) } else { Ok(delay) }
        };
        let quota = |(name, per_second): (&String, &f64)| Quota::new(name, *per_second);
        let fault = |fault: &FaultSetting| {
            let operation = fault.operation.as_deref().map(named).transpose()?;
            Fault::new(operation, &fault.kind, fault.probability)
        };
        Ok(Self {
            tps: settings.tps.iter().map(quota).collect::<Result<_, _>>()?,
            max_artifacts: settings.max_artifacts,
            latency: delay("latency_ms", settings.latency_ms)?,
            list_lag: delay("list_lag_ms", settings.list_lag_ms)?,
            tag_lag: delay("tag_lag_ms", settings.tag_lag_ms)?,
            unique_names: settings.unique_names,
            unique_sources: settings.unique_sources,
            faults: settings.faults.iter().map(fault).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Misbehaviour, String> {
        serde_json::from_str::<Settings>(json).map_err(|error| error.to_string())?.try_into()
    }

    #[test]
    fn what_is_read_is_written_the_same() {
        let json = r#"{"tps":{"CreateArtifact":2.5},"max_artifacts":7,"latency_ms":20,"list_lag_ms":9000,"tag_lag_ms":5,"unique_names":false,"unique_sources":true,"faults":[{"kind":"hang","probability":0.5,"operation":"AddTags"},{"kind":"garbage","probability":1.0}]}"#;
        let misbehaviour = read(json).unwrap();
        assert_eq!(serde_json::to_string(&Settings::from(&misbehaviour)).unwrap(), json);
        assert_eq!(Settings::from(&read("{}").unwrap()), Settings::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for json in [
            r#"{"tsp":{}}"#,
            r#"{"tps":{"Create":1}}"#,
            r#"{"tps":{"CreateArtifact":0}}"#,
            r#"{"faults":[{"kind":"explode","probability":1}]}"#,
            r#"{"faults":[{"kind":"hang","probability":1.5}]}"#,
            r#"{"faults":[{"kind":"hang","probability":1,"operation":"x"}]}"#,
            r#"{"latency_ms":99999999}"#,
            r#"{"list_lag_ms":3600001}"#,
            r#"{"tag_lag_ms":-1}"#,
            r#"{"unique_names":"off"}"#,
            r#"{"max_artifacts":-1}"#,
            "[1]",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_rate_that_is_set_again_is_not_refilled() {
        let quota = |rate: &str| Misbehaviour {
            tps: vec![rate.parse().unwrap()],
            ..Misbehaviour::default()
        };
        let control = Control::new(quota("2"));
        let now = Instant::now();
        let taken = |control: &Control| {
            (0..9).filter(|_| control.now().admits("CreateArtifact", now)).count()
        };
        assert_eq!(taken(&control), 2);
        control.set(quota("2"));
        assert_eq!(taken(&control), 0);
        control.set(quota("3"));
        assert_eq!(taken(&control), 3);
        control.set(Misbehaviour::default());
        assert_eq!(taken(&control), 9);
    }
}
