//! An entry on its way, and what is asked for it.

use std::time::{Instant, SystemTime};

use super::existing::Existing;
use crate::artifact::{Artifact, Tag};
use crate::run::Job;
use crate::service::{Answer, Filter, Page, TagPage, Update};
use crate::submission::{Class, Refusal};

/// A request that is no create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::run) enum Question {
    /// A page of what the target has.
    List(Filter, Option<String>),
    /// What the artifact is like.
    Describe(String),
    /// A page of its tags.
    Tags(String, Option<String>),
    /// A change of its name and properties.
    Update(String, Update),
    /// Tags in the place of those with the same keys.
    AddTags(String, Vec<Tag>),
    /// Tags to go.
    RemoveTags(String, Vec<String>),
}

impl Question {
    /// Whether it changes something, so that it goes by the pace of creates.
    pub(super) const fn changes(&self) -> bool {
        matches!(self, Self::Update(..) | Self::AddTags(..) | Self::RemoveTags(..))
    }

    /// The action that the caller needs for it, as IAM names it.
    pub(super) const fn permission(&self) -> &'static str {
        match self {
            Self::List(..) => "sagemaker:ListArtifacts",
            Self::Describe(_) => "sagemaker:DescribeArtifact",
            Self::Tags(..) => "sagemaker:ListTags",
            Self::Update(..) => "sagemaker:UpdateArtifact",
            Self::AddTags(..) => "sagemaker:AddTags",
            Self::RemoveTags(..) => "sagemaker:DeleteTags",
        }
    }
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub(in crate::run) enum Told {
    Listed(Answer<Page>),
    Described(Answer<Artifact>),
    Tags(Answer<TagPage>),
    Changed(Answer<()>),
}

/// An entry on its way.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) job: Job,
    pub(super) attempts: u32,
    /// How many of them told nothing.
    pub(super) doubts: u32,
    /// Pages of the present look-up.
    pub(super) pages: u32,
    /// How often it was listed, and then not there.
    pub(super) vanished: u32,
    /// Questions in a row that were not answered.
    pub(super) unanswered: u32,
    /// When the last attempt was made, by this machine's clock.
    pub(super) intent: Option<SystemTime>,
    /// And by the clock of the run.
    pub(super) sent: Option<Instant>,
    /// When something else was asked last.
    pub(super) asked: Option<Instant>,
    /// Why it is looked up.
    pub(super) doubt: Option<Doubt>,
    /// Whether an attempt of this run may have made it, though nobody said so.
    pub(super) maybe_made: bool,
    /// Whether it is of an earlier run, and so not created.
    pub(super) settles_only: bool,
    /// Whether it is counted as failed.
    pub(super) failed: bool,
    /// What is there already.
    pub(super) existing: Option<Box<Existing>>,
}

/// Why an entry is looked up.
#[derive(Debug, Clone)]
pub(super) enum Doubt {
    /// Nobody knows what is there.
    Unknown,
    /// An attempt ended like this.
    Attempt {
        refusal: Refusal,
        /// Whether it has been looked up before with nothing found.
        again: bool,
    },
}

impl Doubt {
    pub(super) fn of_an_earlier_run() -> Self {
        let message = "an earlier run ended before the answer came".to_owned();
        let refusal = Refusal { class: Class::Lost, code: None, message, request_id: None };
        Self::Attempt { refusal, again: false }
    }

    /// The service's name for the attempt.
    pub(super) fn request_id(&self) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Attempt { refusal, .. } => refusal.request_id.clone(),
        }
    }
}
