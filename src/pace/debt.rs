//! What is owed for rejections, in requests that are accepted: until it is paid the rate does not climb,
//! so rejections stay a small share.

use std::time::Instant;

/// Requests that pay for one rejection.
const PRICE: f64 = 100.0;
/// Seconds of requests that pay for one at a low rate, so that an increase is found within them.
const QUICK: f64 = 25.0;
/// And the requests that pay for it at least.
pub(super) const LEAST_PRICE: f64 = 56.0;
/// Seconds' worth of requests that can be owed at most.
const CREDIT: f64 = 60.0;
/// What of that is left, in seconds, where the service allows much less than before.
const FORGIVEN: f64 = 10.0;

#[derive(Debug)]
pub(super) struct Debt {
    owed: f64,
    /// Nothing is owed for requests that were sent until then: it was not known what is allowed.
    free: Instant,
}

impl Debt {
    pub(super) const fn new(start: Instant) -> Self {
        Self { owed: 0.0, free: start }
    }

    /// So many rejections are to be paid for, at `rate` requests a second.
    pub(super) fn owe(&mut self, rejections: f64, rate: f64) {
        let price = (QUICK * rate).clamp(LEAST_PRICE, PRICE);
        self.owed = (self.owed + rejections * price).min(most(rate));
    }

    /// The same for a request that left at `sent`.
    pub(super) fn owe_for(&mut self, sent: Instant, rejections: f64, rate: f64) {
        if sent > self.free {
            self.owe(rejections, rate);
        }
    }

    /// A request was accepted.
    pub(super) fn pay(&mut self) {
        self.owed = (self.owed - 1.0).max(0.0);
    }

    pub(super) fn is_paid(&self) -> bool {
        self.owed <= 0.0
    }

    /// Whether as much is owed as can be; half of it is taken off then.
    pub(super) fn is_too_much(&mut self, rate: f64) -> bool {
        let too_much = self.owed >= most(rate);
        if too_much {
            self.owed /= 2.0;
        }
        too_much
    }

    /// It was the service's doing, or had to be found out: little is owed for it.
    pub(super) fn forgive(&mut self, rate: f64) {
        self.owed = self.owed.min(FORGIVEN * rate);
    }

    /// Nothing is owed for what was sent until `now`.
    pub(super) fn forget(&mut self, now: Instant) {
        *self = Self::new(now);
    }
}

fn most(rate: f64) -> f64 {
    (CREDIT * rate).max(6.0 * PRICE)
}
