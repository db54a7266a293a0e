//! What is taken for allowed after a flight of requests met the limit.
//!
//! In: what the flight tells (`own`), what that and the time before tell together (`range`), and what
//! was known. Out: requests a second.

use super::adaptive::MARGIN;
use super::evidence::{Counts, Flight, Range};

/// By how much the rate is raised at once: more carefully where something is known.
pub(super) const fn growth(known: bool) -> f64 {
    if known { 1.5 } else { 2.0 }
}

/// After the rate was raised from `known`, or from nothing, until it was too high.
pub(super) fn raised(known: Option<f64>, flight: Flight, own: Range, range: Range) -> f64 {
    if own.requests >= 6.0 {
        return range.nearest(own.middle());
    }
    // Between what was accepted in all and the rate before it was raised last.
    let high = flight.rate / growth(known.is_some());
    let low = range.low.max(known.filter(|known| *known <= own.high).unwrap_or(0.5));
    range.nearest((low * high.max(low)).sqrt())
}

/// After `found` turned out to be too much.
pub(super) fn lowered(found: f64, counts: Counts, own: Range, range: Range) -> f64 {
    let share = counts.rejected_share();
    if counts.rejected >= 4.0 && share >= 0.1 {
        return range.nearest(own.middle());
    }
    range.nearest(found * (1.0 - (share * 0.75).min(0.07)))
}

/// A climb from what was found until the limit was met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Climb {
    pub(super) found: f64,
    /// What was surely accepted before.
    pub(super) held: Option<f64>,
    /// Whether the bucket holds a single token.
    pub(super) shallow: bool,
    /// Whether more room is left to others than the margin.
    pub(super) leaves_room: bool,
}

/// After a climb met the limit.
pub(super) fn climbed(climb: Climb, flight: Flight, own: Range, range: Range) -> f64 {
    let Climb { found, held, shallow, leaves_room } = climb;
    if shallow {
        // No bucket hides how high the rate is: it is the limit that was met.
        return flight.rate * (1.0 - MARGIN);
    }
    if let Some(held) = held.filter(|held| range.high < *held) {
        // So little cannot be, with what was accepted before: it may be jitter at the limit.
        return held + (flight.rate - held).max(0.0) * 0.3;
    }
    let found = range.nearest(found).max(held.unwrap_or(0.0));
    if leaves_room {
        // The rate stays so low that an error on the high side would not be met again.
        return found.min(range.low * 1.05).min(own.high);
    }
    // A little more, or an error on the low side would never be found out.
    (found + (flight.rate - found).max(0.0) * 0.08).min(own.high)
}
