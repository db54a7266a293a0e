//! The pace that the command line asks for.

use std::time::Instant;

use crate::config::Config;
use crate::pace::{Limits, Pace, Rate};

/// Requests under way at once where nothing bounds the rate.
const UNLIMITED_CONCURRENCY: u16 = 16;
/// And where the rate does.
const CONCURRENCY: u16 = 1000;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) rate: Option<Rate>,
    pub(super) max_rate: f64,
    pub(super) headroom: u8,
    pub(super) burst: Option<u32>,
}

/// The pace, and how many requests may be under way at once where nothing is said.
pub(super) fn pace(asked: &Asked, config: &Config, local: bool) -> (Pace, u16) {
    let now = Instant::now();
    let default = if local { Rate::Unlimited } else { Rate::Auto };
    // The ceiling spares an account; nobody else waits for the embedded registry.
    let most = config.max_rate.filter(|_| !local).unwrap_or(f64::INFINITY);
    match asked.rate.unwrap_or(default) {
        Rate::Auto => {
            let headroom = f64::from(asked.headroom) / 100.0;
            let limits = Limits { max_rate: asked.max_rate.min(most), headroom };
            (Pace::auto(limits, asked.burst, now), CONCURRENCY)
        }
        Rate::Fixed(rate) => {
            (Pace::new(Rate::Fixed(rate.min(most)), asked.burst, now), CONCURRENCY)
        }
        Rate::Unlimited if most.is_finite() => {
            (Pace::new(Rate::Fixed(most), asked.burst, now), CONCURRENCY)
        }
        Rate::Unlimited => (Pace::new(Rate::Unlimited, None, now), UNLIMITED_CONCURRENCY),
    }
}
