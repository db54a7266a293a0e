//! The connections of a server: how many there may be, and which give way when there are more.
//!
//! In: connections as they are accepted and end, and word of requests that begin and end. Out: the
//! connections that are closed so that others can be served. Only one that waits for its client gives
//! way, never one whose request may have taken effect: what is done is answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::task::{AbortHandle, Id};

/// Connections at a time.
const MOST: usize = 2_000;
/// Connections at a time that have not sent a whole request yet. A process has 1,024 files by
/// default, and SQLite needs some of them.
const MOST_SILENT: usize = 256;

/// A request is being answered.
const BUSY: u64 = 0;
/// The connection has given way.
const CLOSED: u64 = u64::MAX;

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// [`BUSY`], [`CLOSED`], or the turn from which on it has waited for its client.
    state: AtomicU64,
    /// It has not sent a whole request yet.
    silent: AtomicBool,
    turns: Arc<AtomicU64>,
}

impl Connection {
    /// Notes that a whole request has come. Returns whether it is to be answered: if not, the
    /// connection has given way meanwhile.
    pub(super) fn begin(&self) -> bool {
        let begun = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            (state != CLOSED).then_some(BUSY)
        });
        self.silent.store(false, Ordering::Release);
        begun.is_ok()
    }

    /// Notes that the request is answered.
    pub(super) fn end(&self) {
        self.state.store(self.turns.fetch_add(1, Ordering::Relaxed), Ordering::Release);
    }

    fn waits_since(&self) -> Option<u64> {
        let state = self.state.load(Ordering::Acquire);
        (state != BUSY && state != CLOSED).then_some(state)
    }

    fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Acquire)
    }

    /// Closes it unless its client has sent a request meanwhile.
    fn give_way(&self, since: u64) -> bool {
        self.state.compare_exchange(since, CLOSED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The connections that are open.
#[derive(Debug)]
pub(super) struct Connections {
    open: HashMap<Id, (Arc<Connection>, AbortHandle)>,
    turns: Arc<AtomicU64>,
}

impl Connections {
    pub(super) fn new() -> Self {
        Self { open: HashMap::new(), turns: Arc::new(AtomicU64::new(BUSY + 1)) }
    }

    /// Returns the state of a connection that is accepted now.
    pub(super) fn connection(&self) -> Arc<Connection> {
        let connection = Connection {
            state: AtomicU64::new(self.turns.fetch_add(1, Ordering::Relaxed)),
            silent: AtomicBool::new(true),
            turns: Arc::clone(&self.turns),
        };
        Arc::new(connection)
    }

    /// Takes note of the task that serves a connection.
    pub(super) fn add(&mut self, connection: Arc<Connection>, task: AbortHandle) {
        self.open.insert(task.id(), (connection, task));
        if self.open.values().filter(|(one, _)| one.is_silent()).count() > MOST_SILENT {
            self.close_oldest(Connection::is_silent);
        }
    }

    /// Takes note of a task that has ended.
    pub(super) fn remove(&mut self, task: Id) {
        self.open.remove(&task);
    }

    /// Returns whether another connection can be accepted, after one has given way if need be.
    pub(super) fn make_room(&mut self) -> bool {
        self.open.len() < MOST || self.close_one()
    }

    /// Closes the connection that has waited longest for its client; returns whether there is one.
    pub(super) fn close_one(&mut self) -> bool {
        self.close_oldest(|_| true)
    }

    fn close_oldest(&mut self, which: impl Fn(&Connection) -> bool) -> bool {
        loop {
            let waiting = self.open.iter().filter(|(_, (one, _))| which(one));
            let oldest = waiting
                .filter_map(|(id, (one, _))| Some((one.waits_since()?, *id)))
                .min_by_key(|(since, _)| *since);
            let Some((since, id)) = oldest else { return false };
            let closed = self.open.get(&id).is_some_and(|(one, _)| one.give_way(since));
            if closed && let Some((_, task)) = self.open.remove(&id) {
                task.abort();
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(connections: &mut Connections) -> Arc<Connection> {
        let connection = connections.connection();
        let task = tokio::spawn(std::future::pending::<()>());
        connections.add(Arc::clone(&connection), task.abort_handle());
        connection
    }

    fn is_closed(connection: &Connection) -> bool {
        connection.state.load(Ordering::Acquire) == CLOSED
    }

    #[tokio::test]
    async fn the_oldest_of_too_many_silent_ones_gives_way() {
        let mut connections = Connections::new();
        let first = open(&mut connections);
        let asking = open(&mut connections);
        assert!(asking.begin());
        let rest: Vec<_> = (1..MOST_SILENT).map(|_| open(&mut connections)).collect();
        assert!(!is_closed(&first));
        let last = open(&mut connections);
        assert!(is_closed(&first) && !first.begin());
        asking.end();
        for _ in 0..10 * MOST_SILENT {
            open(&mut connections);
        }
        assert!(is_closed(&last) && rest.iter().all(|one| is_closed(one)));
        assert!(!is_closed(&asking));
        assert_eq!(connections.open.len(), MOST_SILENT + 1);
    }

    #[tokio::test]
    async fn at_the_most_the_one_that_waits_longest_gives_way_and_never_a_busy_one() {
        let mut connections = Connections::new();
        let all: Vec<_> = (0..MOST)
            .map(|_| {
                let one = open(&mut connections);
                assert!(one.begin());
                one
            })
            .collect();
        assert!(!connections.make_room());
        all[7].end();
        all[3].end();
        assert!(connections.make_room() && is_closed(&all[7]) && !is_closed(&all[3]));
        open(&mut connections);
        assert!(connections.make_room() && is_closed(&all[3]));
        assert_eq!(all.iter().filter(|one| is_closed(one)).count(), 2);
    }
}
