//! A staged run, submitted: its entries come out of the journal as they are needed, and what
//! becomes of them goes back into it.

use std::sync::Arc;

use tokio::sync::watch;

use super::drive::run;
use super::record::{Record, StagedJobs, open_job};
use super::stop::Stop;
use super::{End, Options, Resolved};
use crate::artifact::Key;
use crate::event::Event;
use crate::journal::{Journal, JournalError, OpenIntent, RunId, Writer};
use crate::service::Service;
use crate::submission::{EntryId, Outcome};

/// The result of submitting.
#[derive(Debug)]
pub struct Submitted {
    /// The way it ended.
    pub end: End,
    /// The journal, with everything in it that could be written.
    pub journal: Journal,
}

/// Submits what is left of `run`. Every event goes to `report`, once the journal has it.
///
/// # Errors
/// If the journal cannot be written at all; then nothing was submitted.
pub async fn submit<S: Service>(
    service: S,
    journal: Journal,
    run_id: RunId,
    resolved: Resolved,
    options: Options,
    stop: watch::Receiver<Stop>,
    mut report: impl FnMut(Event),
) -> Result<Submitted, JournalError> {
    let writer = journal.into_writer(run_id)?;
    let jobs = StagedJobs::new(writer.outcomes(), options.policy.clone(), Arc::new(resolved));
    let record = Record::new(writer.outcomes());
    let mut rate = None;
    let listen = |event: Event| {
        if let Event::RateChanged { to, .. } = &event {
            rate = Some(*to);
        }
        report(event);
    };
    let end = run(service, jobs, record, options, stop, listen).await;
    Ok(close(writer, end, Some(rate)))
}

/// Settles the attempts that earlier runs left open, and returns what became of each source.
/// Attempts without a conclusive response stay open.
///
/// # Errors
/// As [`submit`].
pub async fn settle_open<S: Service>(
    service: S,
    journal: Journal,
    run_id: RunId,
    intents: Vec<OpenIntent>,
    options: Options,
    stop: watch::Receiver<Stop>,
) -> Result<(Submitted, Resolved), JournalError> {
    let sources: std::collections::HashMap<EntryId, Key> =
        intents.iter().map(|intent| (intent.entry, intent.artifact.key())).collect();
    let jobs: Vec<_> = intents
        .into_iter()
        .map(|intent| open_job(intent.entry, intent.artifact, intent.first))
        .collect();
    let writer = journal.into_writer(run_id)?;
    let record = Record::of_open(writer.outcomes());
    let mut resolved = Resolved::new();
    let listen = |event: Event| {
        if let Event::Settled(settled) = event
            && let Some(source) = sources.get(&settled.entry)
        {
            // If several attempts at one source are open, the most conclusive one counts.
            let earlier = resolved.entry(*source).or_insert_with(|| settled.clone());
            if matches!(earlier.outcome, Outcome::Pending | Outcome::Unresolved) {
                *earlier = settled;
            }
        }
    };
    let end = run(service, jobs.into_iter(), record, options, stop, listen).await;
    Ok((close(writer, end, None), resolved))
}

/// Waits until everything is in the journal. If something cannot be written, that is how the run
/// ended, unless a signal ended it.
fn close(writer: Writer, mut end: End, rate: Option<Option<f64>>) -> Submitted {
    let ending = rate.is_some().then(|| end.words());
    let finish = || writer.finish(ending, rate.flatten());
    let (journal, failed) = tokio::task::block_in_place(finish);
    if let Some(error) = failed {
        if matches!(end, End::Interrupted { .. }) {
            tracing::error!("not every outcome could be written to the journal: {error}");
        } else {
            end = End::NotRecorded { reason: error.to_string() };
        }
    }
    Submitted { end, journal }
}
