//! Detection of listings that never end.

use std::collections::HashSet;

/// The number of consecutive empty pages after which a listing is considered endless.
const EMPTY: u32 = 100;

/// Detects a listing that repeats itself: a token that was seen before, or nothing but empty pages.
#[derive(Debug, Default)]
pub(super) struct Pages {
    seen: HashSet<String>,
    empty: u32,
    count: u32,
}

/// A listing that has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endless;

impl Endless {
    /// A message that says what is wrong.
    pub(super) const WORDS: &'static str =
        "the listing does not end: a page repeats, or pages stay empty";
}

impl Pages {
    /// Takes a page with `found` artifacts and the token `next`, and returns whether there are more
    /// pages.
    ///
    /// # Errors
    /// If the listing repeats itself.
    pub(super) fn turn(&mut self, found: usize, next: Option<&str>) -> Result<bool, Endless> {
        self.count += 1;
        self.empty = if found == 0 { self.empty + 1 } else { 0 };
        let Some(next) = next else { return Ok(false) };
        if self.empty >= EMPTY || !self.seen.insert(next.to_owned()) {
            return Err(Endless);
        }
        Ok(true)
    }

    /// Returns how many pages there were.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_noticed_and_long_lists_are_none() {
        let mut pages = Pages::default();
        for at in 0..5000 {
            assert_eq!(pages.turn(100, Some(&at.to_string())), Ok(true));
        }
        assert_eq!(pages.turn(1, None), Ok(false));
        assert_eq!(pages.count(), 5001);

        let mut circle = Pages::default();
        for token in ["a", "b", "c"] {
            assert_eq!(circle.turn(1, Some(token)), Ok(true));
        }
        assert_eq!(circle.turn(1, Some("b")), Err(Endless));

        let mut empty = Pages::default();
        let turns = (0..1000).map(|at| empty.turn(0, Some(&at.to_string())));
        assert_eq!(turns.take_while(Result::is_ok).count(), 99);
    }
}
