//! The thread that writes intents and outcomes, in group commits.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;

use super::notes::Book;
use super::{Journal, StagedEntry, entries};
use crate::event::Settled;
use crate::submission::EntryId;

/// The most notes of one transaction.
const BATCH: usize = 512;

/// The time for which readers may see an earlier state.
const SHOWN: Duration = Duration::from_secs(1);

/// The number of commits after which that ends at once: each adds two or three pages to the WAL.
const COMMITS: u32 = 2000;

/// The reason why a record is not in the journal: the request must not be sent, or has been and
/// will be looked up by the next run.
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

fn closed() -> WriteError {
    WriteError { reason: "the journal is closed".to_owned() }
}

impl Outcomes {
    /// Records that an attempt is about to be made. It may be sent once this has returned.
    ///
    /// # Errors
    /// If the journal cannot be written: then the attempt must not be made.
    pub async fn intend(&self, entry: EntryId, at: SystemTime) -> Result<(), WriteError> {
        let (durable, committed) = oneshot::channel();
        self.notes.send(Note::Intent { entry, at, durable }).map_err(|_| closed())?;
        committed.await.map_err(|_| closed())?
    }

    /// Returns entries of the run that are still to be done, as [`Journal::next`] does.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub async fn next(
        &self,
        after: Option<EntryId>,
        most: usize,
    ) -> Result<Vec<StagedEntry>, WriteError> {
        let (reply, read) = oneshot::channel();
        self.notes.send(Note::Next { after, most, reply }).map_err(|_| closed())?;
        read.await.map_err(|_| closed())?
    }

    /// Notes that nothing was done for an entry, and that nothing is open.
    pub fn withdrawn(&self, entry: EntryId) {
        let _ = self.notes.send(Note::Withdrawn(entry));
    }

    /// Notes what became of an entry.
    pub fn settled(&self, settled: Settled) {
        // A writer that has ended has already reported why; the next run looks the entry up.
        let _ = self.notes.send(Note::Settled(Box::new(settled)));
    }
}

impl Writer {
    pub(super) fn start(journal: Journal, book: Book) -> std::io::Result<Self> {
        let (notes, queue) = channel();
        let thread = thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let mut writing = Writing { journal, book, failed: None, behind: None, commits: 0 };
            writing.write(&queue);
            (writing.journal, writing.failed)
        })?;
        Ok(Self { outcomes: Outcomes { notes }, thread })
    }

    /// Returns where notes are taken.
    #[must_use]
    pub fn outcomes(&self) -> Outcomes {
        self.outcomes.clone()
    }

    /// Records how the run ended and its last rate, waits until everything is written, and returns
    /// the journal, with the error that kept something from being written. The clones of
    /// [`Writer::outcomes`] must be dropped before.
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

/// The state of the writer thread.
struct Writing {
    journal: Journal,
    book: Book,
    /// The first failure: after it nothing is written, and every intent fails.
    failed: Option<WriteError>,
    /// The time since which there are records that no reader can see, and their number of commits.
    behind: Option<Instant>,
    commits: u32,
}

impl Writing {
    /// Writes notes until nobody can send any more.
    fn write(&mut self, queue: &Receiver<Note>) {
        loop {
            let received = match self.behind {
                Some(since) => {
                    queue.recv_timeout((since + SHOWN).saturating_duration_since(Instant::now()))
                }
                None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok(first) => {
                    let mut notes = vec![first];
                    notes.extend(queue.try_iter().take(BATCH - 1));
                    self.take(notes);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let is_over = |since: Instant| since.elapsed() >= SHOWN || self.commits >= COMMITS;
            if self.behind.is_some_and(is_over) {
                self.show();
            }
        }
    }

    fn take(&mut self, notes: Vec<Note>) {
        if self.failed.is_none() && notes.iter().any(|note| !matches!(note, Note::Next { .. })) {
            self.failed = self.commit(&notes).err();
            self.behind.get_or_insert_with(Instant::now);
            self.commits += 1;
        }
        for note in notes {
            // Who asked may have given up meanwhile.
            match note {
                Note::Intent { durable, .. } => {
                    let _ = durable.send(self.failed.clone().map_or(Ok(()), Err));
                }
                Note::Next { after, most, reply } => {
                    let _ = reply.send(self.next(after, most));
                }
                Note::Settled(_) | Note::Withdrawn(_) | Note::Ended { .. } => {}
            }
        }
    }

    fn commit(&mut self, notes: &[Note]) -> Result<(), WriteError> {
        let unwritten = |error: &dyn std::fmt::Display| WriteError { reason: error.to_string() };
        self.journal.check().map_err(|error| unwritten(&error))?;
        let connection = &self.journal.connection;
        let book = &mut self.book;
        let mut write = || {
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for note in notes {
                match note {
                    Note::Intent { entry, at, .. } => book.intend(connection, *entry, *at)?,
                    Note::Settled(settled) => book.settle(connection, settled)?,
                    Note::Withdrawn(entry) => book.withdraw(connection, *entry)?,
                    Note::Ended { ending, rate } => book.end(connection, ending, *rate)?,
                    Note::Next { .. } => {}
                }
            }
            connection.prepare_cached("COMMIT")?.execute([]).map(drop)
        };
        if let Err(error) = write() {
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
            return Err(unwritten(&self.journal.failed(&error)));
        }
        // Nothing is sent if the file with its record may be lost.
        self.journal.written().map_err(|error| unwritten(&error))
    }

    fn next(&self, after: Option<EntryId>, most: usize) -> Jobs {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        entries::next(&self.journal.connection, self.book.run(), after, most)
            .map_err(|error| WriteError { reason: self.journal.failed(&error).to_string() })
    }

    /// Lets readers see what was written.
    fn show(&mut self) {
        (self.behind, self.commits) = (None, 0);
        if self.failed.is_some() {
            return;
        }
        let shown = self.journal.check().and_then(|()| {
            self.journal.checkpoint("PASSIVE").map_err(|error| self.journal.failed(&error))
        });
        self.failed = shown.err().map(|error| WriteError { reason: error.to_string() });
    }
}
