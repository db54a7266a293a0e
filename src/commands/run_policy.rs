//! What a run does about what exists, as the command line has it and the journal keeps it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::Stamp;
use crate::run::Policy;
use crate::run::change::{Drift, OnExists};

/// What a run does about what exists. It is kept in the journal, for `resume`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RunPolicy {
    pub(super) on_exists: OnExists,
    pub(super) drift: Drift,
    pub(super) stamp: Stamp,
    pub(super) profile: Option<String>,
}

impl RunPolicy {
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
    pub(super) fn kept(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
