//! The thread that writes intents and outcomes, as many in one commit as have come meanwhile.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::SystemTime;

use rusqlite::params;
use tokio::sync::oneshot;

use super::{Journal, RunId, StagedEntry, entries, millis, schema};
use crate::event::Settled;
use crate::submission::{EntryId, Outcome};

/// The most notes of one transaction.
const BATCH: usize = 512;

/// Why a note is not in the journal: what it is about must not be sent, or has been and will be
/// looked up by the next run.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct WriteError {
    reason: String,
}

type Jobs = Result<Vec<StagedEntry>, WriteError>;

enum Note {
    Intent { entry: EntryId, at: SystemTime, durable: oneshot::Sender<Result<(), WriteError>> },
    Settled(Box<Settled>),
    Withdrawn(EntryId),
    Ended { ending: String, rate: Option<f64> },
    Next { after: Option<EntryId>, most: usize, reply: oneshot::Sender<Jobs> },
}

/// Writes the notes of one run.
#[derive(Debug)]
pub struct Writer {
    outcomes: Outcomes,
    thread: thread::JoinHandle<(Journal, Option<WriteError>)>,
}

/// Takes notes, from any task.
#[derive(Debug, Clone)]
pub struct Outcomes {
    notes: Sender<Note>,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Note")
    }
}

impl Outcomes {
    /// Notes that an attempt is about to be made. It may leave once this has come back.
    ///
    /// # Errors
    /// Where the journal cannot be written: then the attempt must not be made.
    pub async fn intend(&self, entry: EntryId, at: SystemTime) -> Result<(), WriteError> {
        let (durable, committed) = oneshot::channel();
        let gone = || WriteError { reason: "the journal is closed".to_owned() };
        self.notes.send(Note::Intent { entry, at, durable }).map_err(|_| gone())?;
        committed.await.map_err(|_| gone())?
    }

    /// Returns entries of the run that are still to be done, as [`Journal::next`] does.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub async fn next(
        &self,
        after: Option<EntryId>,
        most: usize,
    ) -> Result<Vec<StagedEntry>, WriteError> {
        let (reply, read) = oneshot::channel();
        let gone = || WriteError { reason: "the journal is closed".to_owned() };
        self.notes.send(Note::Next { after, most, reply }).map_err(|_| gone())?;
        read.await.map_err(|_| gone())?
    }

    /// Notes that nothing was done for an entry, and that nothing is open.
    pub fn withdrawn(&self, entry: EntryId) {
        let _ = self.notes.send(Note::Withdrawn(entry));
    }

    /// Notes what became of an entry.
    pub fn settled(&self, settled: Settled) {
        // A writer that is gone has told why already; the next run looks the entry up.
        let _ = self.notes.send(Note::Settled(Box::new(settled)));
    }
}

impl Writer {
    pub(super) fn start(journal: Journal, run: RunId) -> std::io::Result<Self> {
        let (notes, queue) = channel();
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let mut journal = journal;
            let failed = write(&mut journal, run, &queue);
            (journal, failed)
        })?;
        Ok(Self { outcomes: Outcomes { notes }, thread })
    }

    /// Where notes are taken.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        self.outcomes.clone()
    }

    /// Notes how the run ended and at which rate, waits until everything is written, and gives the
    /// journal back, with what kept something from being written. The clones of [`Writer::outcomes`]
    /// must be gone.
    #[must_use]
    pub fn finish(self, ending: Option<&str>, rate: Option<f64>) -> (Journal, Option<WriteError>) {
        if let Some(ending) = ending {
            let ended = Note::Ended { ending: ending.to_owned(), rate };
            let _ = self.outcomes.notes.send(ended);
        }
        drop(self.outcomes);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Writes notes until nobody can send any more. The first failure, if there was one: after it nothing
/// is written, and every intent is refused.
fn write(journal: &mut Journal, run: RunId, queue: &Receiver<Note>) -> Option<WriteError> {
    let mut failed: Option<WriteError> = None;
    while let Ok(first) = queue.recv() {
        let mut notes = vec![first];
        notes.extend(queue.try_iter().take(BATCH - 1));
        if failed.is_none()
            && let Err(error) = commit(journal, run, &notes)
        {
            let reason = schema::failure(&journal.path, &error).to_string();
            failed = Some(WriteError { reason });
        }
        for note in notes {
            // Who asked may have given up meanwhile.
            match note {
                Note::Intent { durable, .. } => {
                    let _ = durable.send(failed.clone().map_or(Ok(()), Err));
                }
                Note::Next { after, most, reply } => {
                    let jobs = match &failed {
                        Some(failed) => Err(failed.clone()),
                        None => {
                            entries::next(&journal.connection, run, after, most).map_err(|error| {
                                let reason = schema::failure(&journal.path, &error).to_string();
                                WriteError { reason }
                            })
                        }
                    };
                    let _ = reply.send(jobs);
                }
                Note::Settled(_) | Note::Withdrawn(_) | Note::Ended { .. } => {}
            }
        }
    }
    failed
}

fn commit(journal: &mut Journal, run: RunId, notes: &[Note]) -> rusqlite::Result<()> {
    let transaction = journal.connection.transaction()?;
    for note in notes {
        match note {
            Note::Intent { entry, at, .. } => {
                let mut intend = transaction.prepare_cached(
                    "UPDATE entry SET intent_ms = ?2, attempts = attempts + 1 WHERE id = ?1",
                )?;
                let noted = intend.execute(params![entry.0, millis(*at)])?;
                if noted == 0 {
                    // Somebody took the row away: what is not noted must not be sent.
                    return Err(rusqlite::Error::QueryReturnedNoRows);
                }
            }
            Note::Settled(settled) => {
                settle(&transaction, settled.entry.0, settled)?;
            }
            Note::Withdrawn(entry) => {
                let mut withdraw = transaction
                    .prepare_cached("UPDATE entry SET intent_ms = NULL WHERE id = ?1")?;
                withdraw.execute([entry.0])?;
            }
            Note::Next { .. } => {}
            Note::Ended { ending, rate } => {
                transaction.execute(
                    "UPDATE run SET ended_ms = ?2, ending = ?3, rate = ?4 WHERE id = ?1",
                    params![run.0, millis(SystemTime::now()), ending, rate],
                )?;
            }
        }
    }
    transaction.commit()
}

fn settle(connection: &rusqlite::Connection, row: i64, settled: &Settled) -> rusqlite::Result<()> {
    // Of an attempt that came to nothing, nothing is open any more, and the entry may be staged anew.
    let outcome = (settled.outcome != Outcome::Pending).then(|| settled.outcome.as_str());
    let error = settled.error.as_ref();
    connection
        .prepare_cached(
            "UPDATE entry SET outcome = ?2, arn = ?3, request_id = ?4, error_code = ?5,
             error_message = ?6, settled_ms = ?7, intent_ms = iif(?2 IS NULL, NULL, intent_ms), found = NULL
             WHERE id = ?1",
        )?
        .execute(params![
            row,
            outcome,
            settled.arn,
            settled.request_id,
            error.and_then(|error| error.code.as_deref()),
            error.map(|error| error.message.as_str()),
            millis(SystemTime::now()),
        ])?;
    know(connection, row, settled)
}

/// Notes what is known to be there from now on. What merely existed may differ in what a listing does
/// not show, so only what was made or compared is known.
fn know(connection: &rusqlite::Connection, row: i64, settled: &Settled) -> rusqlite::Result<()> {
    if !settled.compared {
        return Ok(());
    }
    let made = matches!(settled.outcome, Outcome::Created | Outcome::Recovered);
    // Of what differs it is known that it is there, and not what it is like.
    let differs = settled.outcome == Outcome::Differs;
    connection
        .prepare_cached(
            "INSERT INTO known (target, source, digest, request, arn, entry, modified_ms, made)
             SELECT run.target, source, iif(?5, x'', digest), request, ?2, entry.id, ?3, ?4
             FROM entry JOIN run ON run.id = entry.run WHERE entry.id = ?1
             ON CONFLICT (target, source) DO UPDATE SET digest = excluded.digest,
             request = excluded.request, arn = excluded.arn, entry = excluded.entry,
             modified_ms = excluded.modified_ms, made = max(made, excluded.made)",
        )?
        .execute(params![row, settled.arn, settled.modified.map(millis), made, differs])?;
    Ok(())
}
