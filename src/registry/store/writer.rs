//! The thread that writes.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;

/// The most jobs of one transaction: enough to make a commit cheap, few enough to keep waiting short.
const BATCH: usize = 256;

/// The number of turns that others have before a transaction is committed.
const YIELDS: usize = 3;

/// Does the work in a transaction if there is one, and gives back what sends the answer, given why
/// the transaction was not committed, if it was not.
type Job = Box<dyn FnOnce(Option<&Connection>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Option<&rusqlite::Error>)>;

/// Hands jobs to the thread.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for Writer {
    /// Waits for the thread, so that SQLite closes the file and leaves nothing beside it.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (jobs, queue) = channel();
        let thread = thread::Builder::new()
            .name("registry-writer".to_owned())
            .spawn(move || write(&connection, &queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `job` in a transaction. The answer comes when that is committed.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (send, receive) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.map_or(Err(StoreError::Gone), job);
            Box::new(move |failed| {
                let result = match failed {
                    Some(error) => Err(StoreError::Failed(error.to_string())),
                    None => result,
                };
                // Whoever asked may have gone away.
                drop(send.send(result));
            })
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Gone)?;
        jobs.send(job).map_err(|_| StoreError::Gone)?;
        receive.await.unwrap_or(Err(StoreError::Gone))
    }
}

fn write(connection: &Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let mut answers = Vec::new();
        let failed = transaction(connection, first, queue, &mut answers).err();
        if failed.is_some() && !connection.is_autocommit() {
            // Nothing of the batch may stay half done.
            let _ = connection.execute_batch("ROLLBACK");
        }
        answers.into_iter().for_each(|answer| answer(failed.as_ref()));
    }
}

fn transaction(
    connection: &Connection,
    first: Job,
    queue: &Receiver<Job>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        answers.push(first(None));
        return Err(error);
    }
    answers.push(first(Some(connection)));
    while answers.len() < BATCH {
        // A full disk makes SQLite roll back by itself; what ran then would be committed one by one.
        if connection.is_autocommit() {
            break;
        }
        let Some(job) = next(queue) else { break };
        answers.push(job(Some(connection)));
    }
    execute(connection, "COMMIT")
}

/// Returns the next job, if there is one by the time that others have had their turn on this core:
/// who is about to ask then shares the commit.
fn next(queue: &Receiver<Job>) -> Option<Job> {
    for _ in 0..YIELDS {
        if let Ok(job) = queue.try_recv() {
            return Some(job);
        }
        thread::yield_now();
    }
    queue.try_recv().ok()
}

/// Executes a statement that is prepared once.
fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}
