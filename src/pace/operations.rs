//! One pace for each operation of the service.
//!
//! The service limits each operation by itself: a listing that is throttled says nothing about
//! creates. So each operation has a [`Pace`] that learns from the answers to that operation alone.

use std::time::Instant;

use super::Pace;
use crate::submission::Operation;

/// The paces of all operations.
#[derive(Debug)]
pub struct Paces {
    each: [Pace; Operation::ALL.len()],
}

impl Paces {
    /// Makes a pace for each operation with `make`.
    #[must_use]
    pub fn new(make: impl FnMut(Operation) -> Pace) -> Self {
        Self { each: Operation::ALL.map(make) }
    }

    /// Takes a permit for `operation` at `now`.
    ///
    /// # Errors
    /// Returns when to ask again.
    pub fn acquire(&mut self, operation: Operation, now: Instant) -> Result<(), Instant> {
        self.of_mut(operation).acquire(now)
    }

    /// Records that the request that left at `sent` was accepted. Returns the operation's new rate,
    /// if it changed by enough to be reported.
    pub fn accepted(&mut self, operation: Operation, sent: Instant, now: Instant) -> Option<f64> {
        self.of_mut(operation).accepted(sent, now)
    }

    /// Records that the request that left at `sent` was throttled. Returns the operation's new rate,
    /// if this changed it.
    pub fn throttled(&mut self, operation: Operation, sent: Instant, now: Instant) -> Option<f64> {
        self.of_mut(operation).throttled(sent, now)
    }

    /// Returns how many requests of `operation` may be in flight at once.
    #[must_use]
    pub fn window(&self, operation: Operation) -> usize {
        self.of(operation).window()
    }

    /// Returns the requests of `operation` that may leave in a second; `None` where nothing bounds
    /// them.
    #[must_use]
    pub fn rate(&self, operation: Operation) -> Option<f64> {
        self.of(operation).rate()
    }

    /// Returns the pace of `operation`.
    #[must_use]
    pub const fn of(&self, operation: Operation) -> &Pace {
        &self.each[operation as usize]
    }

    /// Returns the pace of `operation`, to change it.
    pub const fn of_mut(&mut self, operation: Operation) -> &mut Pace {
        &mut self.each[operation as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pace::{Limits, Rate};

    #[test]
    fn a_throttled_list_never_slows_creates() {
        let start = Instant::now();
        let mut paces = Paces::new(|operation| match operation {
            Operation::Create => Pace::new(Rate::Fixed(10.0), None, start),
            _ => Pace::auto(Limits::default(), None, start),
        });
        let (mut created, mut listed) = (0, 0);
        for millis in 0..20_000 {
            let now = start + Duration::from_millis(millis);
            if paces.acquire(Operation::Create, now).is_ok() {
                created += 1;
                paces.accepted(Operation::Create, now, now);
            }
            if paces.acquire(Operation::List, now).is_ok() {
                listed += 1;
                paces.throttled(Operation::List, now, now);
            }
        }
        assert!((200..=201).contains(&created), "{created}");
        assert_eq!(paces.rate(Operation::Create), Some(10.0));
        assert!(paces.rate(Operation::List).is_some_and(|rate| rate < 0.5), "{paces:?}");
        assert!(listed < 20, "{listed}");
        assert_eq!(paces.rate(Operation::Describe), Some(2.0));
        assert!(paces.window(Operation::Create) == usize::MAX);
    }
}
