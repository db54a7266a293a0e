//! The target: requests in, classified responses out.
//!
//! In: artifacts and reads. Out: [`Answer`]s. Errors are classified here and nowhere else;
//! `sagemaker` is the only client module that names the AWS SDK. It retries nothing: every attempt
//! goes through the engine's limiter.

mod classify;
#[cfg(feature = "aws")]
pub mod sagemaker;

use std::collections::BTreeMap;
use std::future::Future;
use std::time::SystemTime;

pub use classify::{Seen, classify};

use crate::artifact::{Artifact, SourceType, Tag, Texts};
use crate::submission::Refusal;

/// The response of a target.
pub type Answer<T> = Result<T, Refusal>;

/// A target.
pub trait Service: Clone + Send + Sync + 'static {
    /// Asks for an artifact to be created.
    fn create(&self, artifact: &Artifact) -> impl Future<Output = Answer<Created>> + Send;

    /// Lists a page of the artifacts that match `filter`; the first page without a token.
    fn list(
        &self,
        filter: &Filter,
        token: Option<String>,
    ) -> impl Future<Output = Answer<Page>> + Send;

    /// Describes an artifact in every field except its tags.
    fn describe(&self, arn: &str) -> impl Future<Output = Answer<Described>> + Send;

    /// Lists a page of the tags of an artifact; the first page without a token.
    fn tags(
        &self,
        arn: &str,
        token: Option<String>,
    ) -> impl Future<Output = Answer<TagPage>> + Send;

    /// Updates an artifact. This is idempotent, as are the changes of tags.
    fn update(&self, arn: &str, update: &Update) -> impl Future<Output = Answer<()>> + Send;

    /// Adds tags, replacing those with the same key.
    fn add_tags(&self, arn: &str, tags: &[Tag]) -> impl Future<Output = Answer<()>> + Send;

    /// Removes the tags with these keys.
    fn remove_tags(&self, arn: &str, keys: &[String]) -> impl Future<Output = Answer<()>> + Send;

    /// Deletes an artifact. This is idempotent: that there is none is a success.
    fn delete(&self, arn: &str) -> impl Future<Output = Answer<()>> + Send;
}

/// The filter of a listing; by default all artifacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those with this `SourceUri`.
    pub uri: Option<String>,
    /// Those of this type.
    pub artifact_type: Option<String>,
}

impl Filter {
    /// Returns the filter for artifacts at `uri`.
    #[must_use]
    pub fn at(uri: &str) -> Self {
        Self { uri: Some(uri.to_owned()), artifact_type: None }
    }
}

/// An update of an artifact. Its type, source and metadata cannot be updated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Update {
    /// Its name from now on.
    pub name: Option<String>,
    /// Its other texts from now on that are to be changed.
    pub texts: Texts,
    /// All its properties from now on, but for those to be removed. The API page says that they
    /// overwrite those there are, so none may be left out that is to stay. Empty where they are not
    /// touched.
    pub properties: BTreeMap<String, String>,
    /// Keys of properties to be removed.
    pub remove: Vec<String>,
}

/// An artifact of the target, without its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// All of it but the tags.
    pub artifact: Artifact,
    /// The time when it was created, by the target's clock.
    pub created: Option<SystemTime>,
    /// The time when it was changed last, by the same clock.
    pub modified: Option<SystemTime>,
}

/// Tags of an artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagPage {
    /// Some of them.
    pub tags: Vec<Tag>,
    /// The token of the next page; `None` at the end.
    pub next: Option<String>,
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
    /// The token of the next page; `None` at the end.
    pub next: Option<String>,
}

/// An artifact of the target, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// The time when it was created, by the target's clock.
    pub created: Option<SystemTime>,
    /// The time when it was changed last, by the same clock.
    pub modified: Option<SystemTime>,
}
