//! The state of an entry in progress, and the requests for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::decide::{Attempt, Known, Verdict};
use super::pages::Pages;
use crate::artifact::{Artifact, Difference, Tag};
use crate::service::{Answer, Created, Described, Filter, Found, Page, TagPage, Update};
use crate::submission::{EntryId, Operation, Refusal};

/// An entry to submit.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number in the journal.
    pub entry: EntryId,
    /// The artifact that the manifest describes.
    pub artifact: Arc<Artifact>,
    /// The facts about its source that are known without a request.
    pub known: Known,
    /// The artifact that a listing, made before anything was submitted, showed at its source.
    pub listed: Option<Box<Found>>,
    /// The ARN of the artifact that is to be deleted, instead of one created.
    pub deletes: Option<String>,
}

/// A request to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    Create(Arc<Artifact>),
    /// A page of what the target has.
    List(Filter, Option<String>),
    Describe(String),
    /// A page of an artifact's tags.
    Tags(String, Option<String>),
    Update(String, Update),
    /// Tags that replace those with the same keys.
    AddTags(String, Vec<Tag>),
    DeleteTags(String, Vec<String>),
    Delete(String),
}

impl Request {
    pub(super) const fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::Create,
            Self::List(..) => Operation::List,
            Self::Describe(_) => Operation::Describe,
            Self::Tags(..) => Operation::ListTags,
            Self::Update(..) => Operation::Update,
            Self::AddTags(..) => Operation::AddTags,
            Self::DeleteTags(..) => Operation::DeleteTags,
            Self::Delete(_) => Operation::Delete,
        }
    }

    /// Returns the IAM actions that it needs.
    pub(super) fn actions(&self) -> &'static str {
        match self {
            Self::Create(artifact) if !artifact.tags.is_empty() => {
                "sagemaker:CreateArtifact (and sagemaker:AddTags, for the tags)"
            }
            other => other.operation().action(),
        }
    }

    /// Returns whether it lists the whole target, as for names.
    pub(super) fn lists_everything(&self) -> bool {
        matches!(self, Self::List(filter, _) if *filter == Filter::default())
    }
}

/// The answer to a [`Request`].
#[derive(Debug)]
pub(super) enum Answered {
    Created(Answer<Created>),
    Listed(Answer<Page>),
    Described(Answer<Described>),
    Tags(Answer<TagPage>),
    Changed(Answer<()>),
    Deleted(Answer<()>),
}

impl Answered {
    /// Returns the refusal, if it is one.
    pub(super) const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Created(Err(refusal))
            | Self::Listed(Err(refusal))
            | Self::Described(Err(refusal))
            | Self::Tags(Err(refusal))
            | Self::Changed(Err(refusal))
            | Self::Deleted(Err(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// Returns the service's name for the request, where it is known.
    pub(super) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Created(Ok(created)) => created.request_id.as_deref(),
            _ => self.refusal()?.request_id.as_deref(),
        }
    }
}

/// The time at which a request was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// The time when it got its permit, which the pace uses.
    pub(super) permitted: Instant,
    /// The time when it was sent, after its intent was durable; `--settle` counts from it.
    pub(super) left: Instant,
}

/// The state of an entry in progress.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    /// Creates or deletes that were sent for it.
    pub(super) attempts: u32,
    /// The number of them that came back without a verdict.
    pub(super) no_verdicts: u32,
    /// The number of times it was listed, but could not be described.
    pub(super) vanished: u32,
    /// The time when the current attempt was made, by this machine's clock.
    pub(super) intent: Option<SystemTime>,
    /// The service's name for the last attempt.
    pub(super) request_id: Option<String>,
    /// True if a create or a delete of it is in flight.
    pub(super) writing: bool,
    pub(super) phase: Phase,
}

/// The phase of an entry.
#[derive(Debug)]
pub(super) enum Phase {
    /// To be created or deleted, in the queue or in flight.
    Write,
    /// Its source is looked up.
    LookUp(LookUp),
    /// The artifact that exists at its source is being read in every field.
    Compare(Compare),
    /// The existing artifact is being changed.
    Change(Change),
    /// The service reports that it exists, but nothing is at its source: its name is looked up.
    Name(Refusal),
    /// The service says that what is to be deleted does not exist: its ARN is looked up.
    Confirm(Refusal, Failing),
    /// The service rejected it. It is not settled before it is clear that the cause is the entry,
    /// not the caller.
    Held(Refusal),
}

/// A look-up of what is at the source of an entry.
#[derive(Debug)]
pub(super) struct LookUp {
    pub(super) why: Why,
    /// The time from which a look-up that finds nothing is conclusive: reads lag behind writes.
    pub(super) conclusive_from: Instant,
    /// The time when the first page of this one was asked for.
    pub(super) began: Option<Instant>,
    pub(super) pages: Pages,
    pub(super) failing: Failing,
}

/// The reason for a look-up.
#[derive(Debug, Clone)]
pub(super) enum Why {
    /// The journal knows that an artifact exists, but not its fields.
    Known,
    /// An attempt came back without a verdict.
    NoVerdict(Refusal),
    /// The service says that it already exists.
    Exists(Refusal),
    /// The service refused it with a code that may mean that it exists.
    Refused(Refusal),
}

/// The number of consecutive reads without a response.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Failing {
    pub(super) tries: u32,
    pub(super) since: Option<Instant>,
}

/// The existing artifact, as far as it has been read.
#[derive(Debug)]
pub(super) struct Compare {
    pub(super) arn: String,
    /// The time when it was changed last, by the target's clock.
    pub(super) modified: Option<SystemTime>,
    pub(super) perhaps_this_journal: bool,
    /// The description, and the tags so far.
    pub(super) described: Option<Described>,
    pub(super) pages: Pages,
    pub(super) failing: Failing,
    /// True if it was read again because it was young.
    pub(super) again: bool,
}

/// The changes that are still to be made.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) requests: VecDeque<Request>,
    /// The fields that they make equal.
    pub(super) ends: Vec<Difference>,
    /// The verdict once they are made.
    pub(super) verdict: Verdict,
    pub(super) failing: Failing,
}

impl Entry {
    pub(super) const fn new(job: Job) -> Self {
        Self {
            job,
            attempts: 0,
            no_verdicts: 0,
            vanished: 0,
            intent: None,
            request_id: None,
            writing: false,
            phase: Phase::Write,
        }
    }

    /// Returns whether an attempt may have created or deleted it without a response that says so.
    pub(super) const fn maybe_made(&self) -> bool {
        self.job.known.attempt.is_some()
    }

    /// Notes that the attempt in flight may have created or deleted it.
    pub(super) fn may_be_made(&mut self) {
        let Some(intent) = self.intent else { return };
        self.job.known.attempt.get_or_insert(Attempt { intent, of_earlier_run: false });
    }

    /// Returns whether it is an attempt of an earlier run, which is settled and never repeated.
    pub(super) fn of_earlier_run(&self) -> bool {
        self.job.known.attempt.is_some_and(|attempt| attempt.of_earlier_run)
    }

    /// Returns the failures in a row of what is asked for it now.
    pub(super) const fn failing(&mut self) -> Option<&mut Failing> {
        match &mut self.phase {
            Phase::LookUp(look_up) => Some(&mut look_up.failing),
            Phase::Compare(compare) => Some(&mut compare.failing),
            Phase::Change(change) => Some(&mut change.failing),
            Phase::Confirm(_, failing) => Some(failing),
            Phase::Write | Phase::Name(_) | Phase::Held(_) => None,
        }
    }
}
