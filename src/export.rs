//! The export of a target's artifacts as manifests, or as templates of CloudFormation.
//!
//! In: an [`Asker`], and a selection of artifacts. Out: the artifacts, in the order of their files
//! ([`Layout`]), and those files ([`Snapshot`]). The target is listed first, keeping little more
//! than the ARN of each artifact; then each is read, and only those in flight are in memory. It
//! changes nothing at the target and prints nothing.

mod arns;
mod cloudformation;
mod layout;
mod snapshot;

use std::ops::ControlFlow;

use futures::StreamExt as _;
use futures::stream::FuturesOrdered;

pub use layout::{Catalogue, Form, Layout};
pub use snapshot::{Counts, DirectoryError, Snapshot, WriteError, make, vacant};

use crate::artifact::{Artifact, Rewrites, Stamp};
use crate::model::is_reserved_tag;
use crate::run::{Asker, End, Unanswered};
use crate::service::{Filter, Found, Service};
use crate::submission::{Class, Operation, Refusal};

const LIST: &str = "sagemaker:ListArtifacts";
const DESCRIBE: &str = "sagemaker:DescribeArtifact";
const TAGS: &str = "sagemaker:ListTags";

/// The selection of artifacts; by default all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of one of these types.
    pub types: Vec<String>,
    /// With a `SourceUri` that begins with one of these.
    pub prefixes: Vec<String>,
}

impl Selection {
    /// Returns the part of the filter that the service supports: one type, and no prefixes.
    fn filter(&self) -> Filter {
        let artifact_type = match self.types.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        Filter { uri: None, artifact_type }
    }

    fn takes(&self, found: &Found) -> bool {
        let artifact_type = found.artifact_type.as_deref().unwrap_or_default();
        (self.types.is_empty() || self.types.iter().any(|one| one == artifact_type))
            && (self.prefixes.is_empty()
                || self.prefixes.iter().any(|prefix| found.uri.starts_with(prefix.as_str())))
    }
}

/// The reason why an export stopped early.
#[derive(Debug)]
pub enum Stopped {
    /// The caller may not ask this.
    Denied {
        /// The action that is missing, as IAM names it.
        action: &'static str,
        /// The error.
        refusal: Refusal,
    },
    /// The target gives no list.
    NoList(Refusal),
    /// Nothing more is asked.
    Ended(End),
    /// A file could not be written.
    Unwritten(WriteError),
}

impl From<WriteError> for Stopped {
    fn from(error: WriteError) -> Self {
        Self::Unwritten(error)
    }
}

/// The result of reading a listed artifact.
#[derive(Debug)]
pub enum Fetched {
    /// The whole of it.
    There {
        /// Without the tags that no manifest may have.
        artifact: Artifact,
        /// The number of those tags: their keys begin with `aws:`.
        reserved_tags: usize,
    },
    /// It was deleted since it was listed.
    Gone,
    /// The target does not say.
    Refused(Refusal),
}

/// Lists the selected artifacts, over all pages, each with its `SourceUri` as `rewrites` make it. `counts`
/// gets the number of artifacts listed so far.
///
/// # Errors
/// If the target gives no list.
pub async fn list<S: Service>(
    asker: &Asker<S>,
    selection: &Selection,
    rewrites: &Rewrites,
    mut counts: impl FnMut(usize),
) -> Result<Catalogue, Stopped> {
    let mut catalogue = Catalogue::default();
    let mut listed = 0;
    let take = |page: Vec<Found>| {
        listed += page.len();
        counts(listed);
        for mut found in page {
            if selection.takes(&found) {
                if let Some(uri) = rewrites.apply(&found.uri) {
                    found.uri = uri;
                }
                catalogue.add(&found);
            } else {
                catalogue.leave_out();
            }
        }
        ControlFlow::Continue(())
    };
    match asker.each_page(&selection.filter(), take).await {
        Ok(_) => Ok(catalogue),
        Err(unanswered) => Err(stopped(unanswered, LIST).unwrap_or_else(Stopped::NoList)),
    }
}

impl Fetched {
    /// Returns it with its `SourceUri` as `rewrites` make it, and with the fields of `stamp`.
    #[must_use]
    pub fn changed(mut self, rewrites: &Rewrites, stamp: &Stamp) -> Self {
        if let Self::There { artifact, .. } = &mut self {
            if let Some(uri) = rewrites.apply(&artifact.source.uri) {
                artifact.source.uri = uri;
            }
            if !stamp.is_empty() {
                *artifact = stamp.on(artifact);
                artifact.tags.sort();
            }
        }
        self
    }
}

/// The maximum number of artifacts that are read at once: finished ones are written soon.
const AT_ONCE: usize = 64;

/// Reads every artifact of `layout`, at most `most` at once, and passes each to `take`, with its
/// number, in order.
///
/// # Errors
/// If the target no longer answers, or `take` fails.
pub async fn fetch<S: Service>(
    asker: &Asker<S>,
    layout: &Layout,
    most: usize,
    mut take: impl FnMut(usize, Fetched) -> Result<(), WriteError>,
) -> Result<(), Stopped> {
    let mut under_way = FuturesOrdered::new();
    let mut asked = 0;
    let mut taken = 0;
    loop {
        while asked < layout.len()
            && under_way.len() < asker.window(Operation::Describe, most.min(AT_ONCE))
        {
            under_way.push_back(whole(asker, layout.arn(asked)));
            asked += 1;
        }
        let Some(fetched) = under_way.next().await else { return Ok(()) };
        take(taken, fetched?)?;
        taken += 1;
    }
}

async fn whole<S: Service>(asker: &Asker<S>, arn: String) -> Result<Fetched, Stopped> {
    let arn = arn.as_str();
    let mut artifact = match asker.describe(arn).await {
        Ok(described) => described.artifact,
        Err(unanswered) => return not_there(unanswered, DESCRIBE),
    };
    match asker.tags(arn).await {
        Ok(tags) => artifact.tags = tags,
        // ListTags has no error of its own for an artifact that does not exist.
        Err(Unanswered::Refused(refusal)) if refusal.class == Class::Rejected => {
            return match asker.describe(arn).await {
                Ok(_) => Ok(Fetched::Refused(refusal)),
                Err(unanswered) => not_there(unanswered, DESCRIBE),
            };
        }
        Err(unanswered) => return not_there(unanswered, TAGS),
    }
    let all = artifact.tags.len();
    artifact.tags.retain(|tag| !is_reserved_tag(&tag.key));
    // AWS returns tags in an undocumented order.
    artifact.tags.sort();
    let reserved_tags = all - artifact.tags.len();
    Ok(Fetched::There { artifact, reserved_tags })
}

fn not_there(unanswered: Unanswered, action: &'static str) -> Result<Fetched, Stopped> {
    let refusal = stopped(unanswered, action).map_or_else(Ok, Err)?;
    let gone = refusal.code.as_ref().is_some_and(|code| code.starts_with("ResourceNotFound"));
    Ok(if gone { Fetched::Gone } else { Fetched::Refused(refusal) })
}

/// Returns why everything stops; or the refusal, if it concerns this request alone.
fn stopped(unanswered: Unanswered, action: &'static str) -> Result<Stopped, Refusal> {
    match unanswered {
        Unanswered::Ended(end) => Ok(Stopped::Ended(end)),
        Unanswered::Refused(refusal) if refusal.class == Class::Denied => {
            Ok(Stopped::Denied { action, refusal })
        }
        Unanswered::Refused(refusal) => Err(refusal),
    }
}

#[cfg(test)]
mod tests;
