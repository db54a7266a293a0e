//! The target: requests in, classified answers out.
//!
//! In: artifacts and questions. Out: [`Answer`]s. What an error means is decided here and nowhere
//! else; [`sagemaker`] is the only client module that names the AWS SDK. It retries nothing: every
//! attempt goes through the engine's limiter.

mod classify;
#[cfg(feature = "aws")]
pub mod sagemaker;

use std::future::Future;
use std::time::SystemTime;

pub use classify::{Seen, classify};

use crate::artifact::{Artifact, SourceType};
use crate::submission::Refusal;

/// What a target says.
pub type Answer<T> = Result<T, Refusal>;

/// A target.
pub trait Service: Clone + Send + Sync + 'static {
    /// Asks for an artifact to be created.
    fn create(&self, artifact: &Artifact) -> impl Future<Output = Answer<Created>> + Send;

    /// Asks for a page of the artifacts at a URI; for the first where there is no token.
    fn look_up(
        &self,
        uri: &str,
        token: Option<String>,
    ) -> impl Future<Output = Answer<Page>> + Send;
}

/// The target has created an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its ARN.
    pub arn: String,
    /// The target's name for the request.
    pub request_id: Option<String>,
}

/// Artifacts that the target has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Some of them.
    pub found: Vec<Found>,
    /// How to ask for the next; `None` at the end.
    pub next: Option<String>,
}

/// An artifact that the target has, as far as its list tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: Option<String>,
    /// Its type.
    pub artifact_type: Option<String>,
    /// Its `SourceUri`.
    pub uri: String,
    /// Its source types.
    pub types: Vec<SourceType>,
    /// When it was created, by the target's clock.
    pub created: Option<SystemTime>,
}
