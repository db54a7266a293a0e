//! Tells a stray rejection from an excess of the rate, by the share of the requests it befalls.
//!
//! In: answers. Out: whether there were too many rejections among the last of them. It is a running
//! score in the manner of CUSUM: a rejection adds one, an accepted request takes a little off, and
//! the score never falls below nothing. One rejection in a hundred is lived with; three in a hundred
//! add up, however slowly.

/// What an accepted request takes off: a share of rejections below this never adds up.
const SHARE: f64 = 0.022;
/// The same while the rate doubles, where an excess rejects a third of the requests or more.
const SHARE_AT_START: f64 = 0.15;

/// How much a rejection means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// The rate doubles: an excess comes soon, and plainly.
    Start,
    /// The rate is above what is known to be allowed: an excess is expected.
    Probe,
    /// The rate is one that was accepted before.
    Hold,
}

/// The score of an epoch.
#[derive(Debug, Default)]
pub(super) struct Excess {
    score: f64,
}

impl Excess {
    /// A request was accepted. Whether nothing is left of the suspicion.
    pub(super) fn accepted(&mut self, suspicion: Suspicion) -> bool {
        let share = if suspicion == Suspicion::Start { SHARE_AT_START } else { SHARE };
        self.score = (self.score - share).max(0.0);
        self.score == 0.0
    }

    /// A request was rejected while sending at `rate`. Whether that is too many.
    pub(super) fn rejected(&mut self, suspicion: Suspicion, rate: f64) -> bool {
        self.score += 1.0;
        self.score > enough(suspicion, rate) - 0.1
    }

    pub(super) fn reset(&mut self) {
        self.score = 0.0;
    }
}

/// Rejections close together that are an excess. At a high rate strays come often and so do more of
/// them by chance; at a low one there is no time to wait for more.
fn enough(suspicion: Suspicion, rate: f64) -> f64 {
    let some = ((rate / 4.0).log2() * 0.6).max(1.0);
    match suspicion {
        Suspicion::Start if rate < 20.0 => 2.0,
        Suspicion::Start if rate < 100.0 => 3.0,
        Suspicion::Start => 4.0,
        Suspicion::Probe => some,
        // Few requests as there are, two that are close are no strays.
        Suspicion::Hold if rate < 5.0 => some + 0.7,
        Suspicion::Hold => some + 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many requests of which every `every`th is rejected it says so, of ten thousand.
    fn after(every: u32, rate: f64) -> Option<u32> {
        let mut excess = Excess::default();
        (1..10_000).find(|at| {
            if at % every == 0 {
                return excess.rejected(Suspicion::Hold, rate);
            }
            excess.accepted(Suspicion::Hold);
            false
        })
    }

    #[test]
    fn one_in_a_hundred_is_lived_with_and_one_in_five_is_not() {
        for rate in [2.0, 10.0, 50.0, 500.0] {
            assert_eq!(after(100, rate), None, "{rate}");
            assert!(after(5, rate).is_some_and(|requests| requests < 40), "{rate}");
            assert!(after(2, rate).is_some_and(|requests| requests < 20), "{rate}");
        }
    }
}
