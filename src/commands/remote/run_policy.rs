//! The policy of a run for existing artifacts, as the command line has it and the journal keeps it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::plan_file;
use crate::artifact::{Stamp, UriRewrite};
use crate::cli::{Existing, WhenExists};
use crate::commands::failure::Failure;
use crate::journal::StagedRun;
use crate::run::Policy;
use crate::run::change::{Drift, OnExists};
use crate::text::secret;

/// The policy of a run for existing artifacts. It is kept in the journal, for `resume`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct RunPolicy {
    pub(super) on_exists: OnExists,
    pub(super) drift: Drift,
    pub(super) stamp: Stamp,
    pub(super) profile: Option<String>,
    /// The digest of `--rewrite-uri`, for `delete --gone`: with another one, manifests describe other
    /// sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rewrites: Option<String>,
}

impl RunPolicy {
    /// Returns what the command line says of it.
    pub(super) fn new(existing: &Existing, profile: Option<&str>) -> Result<Self, Failure> {
        if existing.prune && existing.on_exists != WhenExists::Update {
            return Err(Failure::usage("`--prune` requires `--on-exists update`"));
        }
        Ok(Self {
            on_exists: existing.on_exists(),
            drift: existing.drift(),
            stamp: stamp(&existing.set)?,
            profile: profile.map(str::to_owned),
            rewrites: None,
        })
    }

    /// Returns the same, with these rewrites.
    pub(super) fn with_rewrites(self, rewrites: &[UriRewrite]) -> Self {
        Self { rewrites: plan_file::rewrites_of(rewrites), ..self }
    }

    /// Returns the same, with this profile.
    pub(super) fn with_profile(self, profile: Option<&str>) -> Self {
        Self { profile: profile.map(str::to_owned), ..self }
    }

    /// Returns what `run` was staged with. Without that nothing is submitted: a field that was set
    /// would be missing.
    pub(super) fn of(run: &StagedRun) -> Result<Self, Failure> {
        if run.settings.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(&run.settings).map_err(|error| {
            Failure::usage(format!("cannot read the options of run {}: {error}", run.id))
                .help(format!("import the manifests again: `{}`", run.command))
        })
    }

    /// Returns it as the run takes it. `recheck` asks the target also where the journal knows.
    pub(super) fn policy(&self, recheck: bool) -> Policy {
        Policy {
            on_exists: self.on_exists,
            drift: self.drift,
            recheck,
            stamp: Arc::new(self.stamp.clone()),
        }
    }

    /// Returns it as the journal keeps it.
    pub(super) fn kept(&self) -> Result<String, Failure> {
        serde_json::to_string(self)
            .map_err(|error| Failure::usage(format!("cannot record the options: {error}")))
    }
}

/// Parses `--set`.
pub(super) fn stamp(fields: &[String]) -> Result<Stamp, Failure> {
    let mut stamp = Stamp::default();
    for field in fields {
        let name = field.split('=').next().unwrap_or_default();
        if let Some((_, value)) = field.split_once('=')
            && secret::find(value).is_some()
        {
            let message = format!("the value of `--set {name}` looks like a credential");
            return Err(Failure::usage(message).help(
                "remove it: anyone who can list artifacts \
                                                     could read it",
            ));
        }
        let set = stamp.set(field);
        set.map_err(|error| Failure::usage(format!("`--set {name}`: {error}")))?;
    }
    Ok(stamp)
}
