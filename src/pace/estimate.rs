//! What is taken for allowed after a flight of requests met the limit.
//!
//! In: what the flight tells (`own`), what that and the time before tell together (`range`), and what
//! was known. Out: requests a second.

use super::evidence::{Counts, Flight, Range};

/// By how much the rate is raised at once: more carefully where something is known, and most so where
/// few requests make a second.
pub(super) fn growth(known: Option<f64>) -> f64 {
    match known {
        Some(known) if known < 4.0 => 1.25,
        Some(_) => 1.5,
        None => 2.0,
    }
}

/// After the rate was raised from `known`, or from nothing, until it was too high.
pub(super) fn raised(known: Option<f64>, flight: Flight, own: Range, range: Range) -> f64 {
    if own.requests >= 6.0 {
        return range.nearest(own.middle());
    }
    // Between what was accepted in all and the rate before it was raised last.
    let high = flight.rate / growth(known);
    let low = range.low.max(known.filter(|known| *known <= own.high).unwrap_or(0.5));
    range.nearest((low * high.max(low)).sqrt())
}

/// After `found` turned out to be too much.
pub(super) fn lowered(found: f64, counts: Counts, own: Range, range: Range) -> f64 {
    let share = counts.rejected_share();
    if counts.rejected >= 4.0 && share >= 0.1 {
        return range.nearest(own.middle());
    }
    let most = if found < 5.0 { 0.12 } else { 0.07 };
    range.nearest(found * (1.0 - (share * 0.75).min(most)))
}

/// A climb from what was found until the limit was met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Climb {
    pub(super) found: f64,
    /// What was surely accepted before.
    pub(super) held: Option<f64>,
    /// Whether more room is left to others than the margin.
    pub(super) leaves_room: bool,
}

/// After a climb met the limit.
pub(super) fn climbed(climb: Climb, flight: Flight, own: Range, range: Range) -> f64 {
    let Climb { found, held, leaves_room } = climb;
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
