//! The plan for an entry, out of its outcome in the rehearsal.

use super::rehearsal::Rehearsal;
use super::{Fate, Item, Options, Unplanned};
use crate::event::Settled;
use crate::run::change::{self, Change, OnExists};
use crate::run::{self, Asker, Job, Unanswered};
use crate::service::Service;
use crate::submission::{Outcome, Refusal};

/// Returns the planned outcome of an entry.
pub(super) async fn item<S: Service>(
    asker: &Asker<S>,
    rehearsal: &Rehearsal<S>,
    job: &Job,
    settled: Settled,
    options: &Options<'_>,
) -> Result<Item, Unplanned> {
    let mut item = Item {
        entry: settled.entry,
        arn: settled.arn.clone().filter(|arn| !arn.is_empty()),
        fate: Fate::Exists,
        unseen: false,
        refused: false,
        name_also_at: None,
    };
    match settled.outcome {
        Outcome::Created => {
            item.fate = Fate::Create;
            item.arn = None;
            item.name_also_at = rehearsal.name_also_at(&job.artifact)?;
        }
        Outcome::Existed | Outcome::Recovered => {}
        Outcome::Rejected => item.refused = true,
        Outcome::Differs | Outcome::Updated => {
            let changes = !settled.changed.is_empty();
            let change = Change {
                ends: settled.changed.clone(),
                stay: settled.differences.clone(),
                ..Change::default()
            };
            let mut differences = settled.changed;
            differences.extend(settled.differences);
            let updates = matches!(options.policy.on_exists, OnExists::Update { .. });
            let change = (changes || updates).then_some(change);
            item.fate = Fate::Differs { differences, change };
        }
        _ => {
            let ours = || Refusal::by_lineload("the service gave no conclusive response");
            item.fate = Fate::Unknown { reason: settled.error.unwrap_or_else(ours) };
        }
    }
    if settled.by_journal {
        look_behind_the_journal(asker, rehearsal, job, options, &mut item).await?;
    }
    Ok(item)
}

/// Checks an entry that the journal has as done: an import sends no request for it; the listing may
/// show that it is not done.
async fn look_behind_the_journal<S: Service>(
    asker: &Asker<S>,
    rehearsal: &Rehearsal<S>,
    job: &Job,
    options: &Options<'_>,
    item: &mut Item,
) -> Result<(), Unplanned> {
    let Some(found) = rehearsal.at(&job.artifact)? else {
        (item.fate, item.unseen, item.arn) = (Fate::Create, true, None);
        return Ok(());
    };
    let known = &job.known;
    let unchanged = known.there.as_ref().is_some_and(|there| run::is_unchanged(there, &found));
    let arn = item.arn.insert(found.arn);
    if unchanged {
        return Ok(());
    }
    let there = match asker.whole(arn).await {
        Ok(there) => there,
        Err(Unanswered::Refused(reason)) => {
            item.fate = Fate::Unknown { reason };
            return Ok(());
        }
        Err(ended) => return Err(ended.into()),
    };
    let differences = change::differences(&job.artifact, &there, &options.policy.stamp);
    if !differences.is_empty() {
        item.fate = Fate::Differs { differences, change: None };
        item.unseen = true;
    }
    Ok(())
}
