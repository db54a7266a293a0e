//! The bound on what workers have found and the consumer has not taken yet.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Artifacts that may wait for the consumer. One with its request takes some hundred bytes.
pub(super) const ENTRIES_AHEAD: usize = 8 * 1024;

/// Counts the artifacts that wait for the consumer. A worker waits where there are too many of them,
/// unless it works on the unit that the consumer is at: so the consumer never waits for a worker that
/// waits for it.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: usize,
    /// The unit that the consumer is at.
    unit: usize,
    /// True if the consumer takes nothing any more.
    closed: bool,
}

impl Ahead {
    /// Waits until `entries` more of a unit may wait for the consumer, and counts them.
    pub(super) fn add(&self, unit: usize, entries: usize) {
        let mut state = self.state();
        while !state.closed && state.unit != unit && state.entries + entries > ENTRIES_AHEAD {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.entries += entries;
    }

    /// Notes that the consumer has taken `entries`.
    pub(super) fn taken(&self, entries: usize) {
        if entries > 0 {
            let mut state = self.state();
            state.entries = state.entries.saturating_sub(entries);
            drop(state);
            self.room.notify_all();
        }
    }

    /// Notes that the consumer has come to a unit.
    pub(super) fn reached(&self, unit: usize) {
        self.state().unit = unit;
        self.room.notify_all();
    }

    /// Returns a guard for the consumer: once it is gone, no worker waits any more.
    pub(super) const fn consumer(&self) -> Consumer<'_> {
        Consumer(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The consumer of what workers find, as long as it takes anything.
pub(super) struct Consumer<'a>(&'a Ahead);

impl Drop for Consumer<'_> {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.room.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_unit_that_the_consumer_is_at_may_go_beyond_the_bound() {
        let ahead = Ahead::default();
        ahead.add(1, ENTRIES_AHEAD);
        // The consumer waits for this one.
        ahead.add(0, 10 * ENTRIES_AHEAD);
        let added = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                ahead.add(2, 1);
                added.store(true, SeqCst);
            });
            std::thread::sleep(Duration::from_millis(50));
            assert!(!added.load(SeqCst));
            ahead.taken(10 * ENTRIES_AHEAD);
            std::thread::sleep(Duration::from_millis(50));
            assert!(!added.load(SeqCst));
            ahead.reached(2);
        });
        assert!(added.load(SeqCst));
    }

    #[test]
    fn nobody_waits_for_a_consumer_that_is_gone() {
        let ahead = Ahead::default();
        ahead.add(1, ENTRIES_AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(|| ahead.add(2, 1));
            drop(ahead.consumer());
        });
    }
}
