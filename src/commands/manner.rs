//! How a run goes about what exists, as the command line has it and the journal keeps it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::Stamp;
use crate::run::change::{Drift, OnExists};

/// How a run goes about what exists. It is kept in the journal, for `resume`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Manner {
    pub(super) on_exists: OnExists,
    pub(super) drift: Drift,
    #[serde(with = "stamps")]
    pub(super) stamp: Arc<Stamp>,
    pub(super) profile: Option<String>,
}

/// A shared [`Stamp`] as what it holds.
mod stamps {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::artifact::Stamp;

    pub(super) fn serialize<S: Serializer>(stamp: &Arc<Stamp>, to: S) -> Result<S::Ok, S::Error> {
        (**stamp).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Stamp>, D::Error> {
        Stamp::deserialize(from).map(Arc::new)
    }
}
