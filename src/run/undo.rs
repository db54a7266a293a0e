//! Deletes that earlier runs left open: the ARN of each is looked up, and nothing is deleted.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::End;
use super::answers::says_absent;
use super::asker::{Asker, Unanswered};
use crate::journal::OpenDeletion;
use crate::service::Service;
use crate::submission::{Class, EntryId, Operation};

/// The number of look-ups in flight.
const AT_ONCE: usize = 32;

/// Finds out which of the `open` deletes took effect. That an artifact exists is conclusive only once
/// `settle` has passed: its delete may still be on its way. `waiting` gets the number of artifacts that are
/// waited for. One that cannot be looked up is left out, and stays open.
///
/// # Errors
/// If the target does not answer, the caller is denied, or a signal came.
pub async fn settle_deletions<S: Service>(
    asker: &Asker<S>,
    open: Vec<OpenDeletion>,
    settle: Duration,
    waiting: impl FnOnce(usize),
) -> Result<Vec<(EntryId, bool)>, End> {
    let mut settled = Vec::with_capacity(open.len());
    let mut left = Vec::new();
    for (one, is_gone) in look_up(asker, open).await? {
        if is_gone || settle.is_zero() {
            settled.push((one.entry, is_gone));
        } else {
            left.push(one);
        }
    }
    if !left.is_empty() {
        waiting(left.len());
        asker.pause(settle).await?;
        let again = look_up(asker, left).await?.into_iter();
        settled.extend(again.map(|(one, is_gone)| (one.entry, is_gone)));
    }
    Ok(settled)
}

/// Returns for each delete whether its artifact is gone, apart from those that cannot be looked up.
async fn look_up<S: Service>(
    asker: &Asker<S>,
    open: Vec<OpenDeletion>,
) -> Result<Vec<(OpenDeletion, bool)>, End> {
    let look_up = async |one: OpenDeletion| match asker.describe(&one.arn).await {
        Ok(_) => Ok(Some((one, false))),
        Err(Unanswered::Ended(end)) => Err(end),
        Err(Unanswered::Refused(refusal)) if refusal.class == Class::Denied => {
            Err(End::Denied { action: Operation::Describe.action(), refusal })
        }
        Err(Unanswered::Refused(refusal)) if says_absent(&refusal) => Ok(Some((one, true))),
        Err(Unanswered::Refused(refusal)) => {
            tracing::warn!("cannot look up {}: {refusal}", one.arn);
            Ok(None)
        }
    };
    let answers = stream::iter(open).map(look_up).buffer_unordered(AT_ONCE);
    answers.try_filter_map(async |answer| Ok(answer)).try_collect().await
}
