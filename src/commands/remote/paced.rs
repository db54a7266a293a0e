//! The pace that the command line asks for.

use std::time::Instant;

use crate::config::Config;
use crate::pace::{Limits, Pace, Paces, Rate};
use crate::submission::{Operation, Target};

/// The maximum rate of reads of one kind, per second.
const QUESTIONS: f64 = 50.0;
/// The number of requests in flight if the rate is unlimited.
const UNLIMITED_CONCURRENCY: u16 = 64;
/// And where the rate does.
const CONCURRENCY: u16 = 1000;

/// The requested pace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) rate: Option<Rate>,
    pub(super) max_rate: f64,
    pub(super) headroom: u8,
    pub(super) burst: Option<u32>,
}

/// Returns the rate of each operation, and how many requests may be in flight at once by default.
/// `known` is the rate of creates that an earlier run found.
pub(super) fn paces(
    asked: &Asked,
    config: &Config,
    target: &Target,
    known: Option<f64>,
) -> (Paces, u16) {
    let (writes, concurrency) = writes(asked, config, target.is_local(), known);
    let unlimited = asked.rate == Some(Rate::Unlimited);
    let reads = questions(config, target, unlimited);
    let now = Instant::now();
    let pace = |operation: Operation| if operation.is_write() { writes(now) } else { reads(now) };
    (Paces::new(pace), concurrency)
}

/// Returns the rate of each operation for a command that only asks.
pub(super) fn reading(config: &Config, target: &Target, unlimited: bool) -> Paces {
    let reads = questions(config, target, unlimited);
    let now = Instant::now();
    Paces::new(|_| reads(now))
}

/// Returns the rate of each operation for a command whose options of pace are about questions, and
/// how many may be in flight at once by default.
pub(super) fn exporting(asked: &Asked, config: &Config, target: &Target) -> (Paces, u16) {
    let (pace, concurrency) = writes(asked, config, target.is_local(), None);
    let now = Instant::now();
    (Paces::new(|_| pace(now)), concurrency)
}

/// A function that makes a pace that starts at a time.
type Maker = Box<dyn Fn(Instant) -> Pace>;

/// Returns how creates and changes are paced, and how many may be in flight at once by default.
fn writes(asked: &Asked, config: &Config, local: bool, known: Option<f64>) -> (Maker, u16) {
    let default = if local { Rate::Unlimited } else { Rate::Auto };
    // The ceiling protects an account; the embedded registry has no other users.
    let most = config.max_rate.filter(|_| !local).unwrap_or(f64::INFINITY);
    let burst = asked.burst;
    let fixed =
        move |rate: f64| -> Maker { Box::new(move |now| Pace::new(Rate::Fixed(rate), burst, now)) };
    match asked.rate.unwrap_or(default) {
        Rate::Auto => {
            let headroom = f64::from(asked.headroom) / 100.0;
            let limits = Limits { max_rate: asked.max_rate.min(most), headroom };
            let auto = move |now| match known {
                Some(known) => Pace::auto_from(limits, burst, known, now),
                None => Pace::auto(limits, burst, now),
            };
            (Box::new(auto), CONCURRENCY)
        }
        Rate::Fixed(rate) => (fixed(rate.min(most)), CONCURRENCY),
        Rate::Unlimited if most.is_finite() => (fixed(most), CONCURRENCY),
        Rate::Unlimited => {
            (Box::new(|now| Pace::new(Rate::Unlimited, None, now)), UNLIMITED_CONCURRENCY)
        }
    }
}

/// Returns how questions are paced: each operation finds out what it is allowed.
fn questions(config: &Config, target: &Target, unlimited: bool) -> Maker {
    if target.is_local() || target.is_loopback() || unlimited {
        return Box::new(|now| Pace::new(Rate::Unlimited, None, now));
    }
    let max_rate = config.max_rate.unwrap_or(QUESTIONS).min(QUESTIONS);
    let limits = Limits { max_rate, ..Limits::default() };
    Box::new(move |now| Pace::auto(limits, None, now))
}
