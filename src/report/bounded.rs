//! Items that a report keeps until the check is done, no more of them than its reader takes.
//!
//! A reader that has a limit refuses the whole report beyond it. So errors go before warnings, and
//! what is left out is counted.

use crate::diagnostic::Severity;

/// Items in the order that they came, a limited number of them.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    limit: usize,
    items: Vec<Option<T>>,
    /// The indices of the items that are warnings, the last one at the end.
    warnings: Vec<usize>,
    kept: usize,
    left_out: LeftOut,
}

/// The numbers of items that were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) errors: usize,
    pub(super) warnings: usize,
}

impl LeftOut {
    pub(super) const fn total(self) -> usize {
        self.errors + self.warnings
    }

    const fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
    }
}

impl<T> Bounded<T> {
    /// Keeps at most `limit` items.
    pub(super) const fn new(limit: usize) -> Self {
        let left_out = LeftOut { errors: 0, warnings: 0 };
        Self { limit, items: Vec::new(), warnings: Vec::new(), kept: 0, left_out }
    }

    /// Takes an item in. Beyond the limit an error takes the place of the last warning, if there is
    /// one.
    pub(super) fn push(&mut self, severity: Severity, item: T) {
        if self.kept >= self.limit {
            let last = (severity == Severity::Error).then(|| self.warnings.pop()).flatten();
            let Some(last) = last else {
                self.left_out.add(severity);
                return;
            };
            if let Some(place) = self.items.get_mut(last) {
                *place = None;
            }
            self.left_out.add(Severity::Warning);
            self.kept -= 1;
        }
        if severity == Severity::Warning {
            self.warnings.push(self.items.len());
        }
        self.items.push(Some(item));
        self.kept += 1;
    }

    /// Returns whether an item of this severity would be left out.
    pub(super) const fn is_full_for(&self, severity: Severity) -> bool {
        let full = self.kept >= self.limit;
        full && (matches!(severity, Severity::Warning) || self.warnings.is_empty())
    }

    /// Counts an item that is left out without being made.
    pub(super) const fn leave_out(&mut self, severity: Severity) {
        self.left_out.add(severity);
    }

    /// Returns the items that were kept, in order, and the numbers of those that were not.
    pub(super) fn take(&mut self) -> (Vec<T>, LeftOut) {
        let items = std::mem::take(&mut self.items).into_iter().flatten().collect();
        self.warnings.clear();
        self.kept = 0;
        (items, std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_take_the_place_of_the_last_warnings_and_the_order_stays() {
        use Severity::{Error, Warning};
        let mut bounded = Bounded::new(3);
        for (at, severity) in
            [Warning, Error, Warning, Error, Warning, Error, Error].iter().enumerate()
        {
            bounded.push(*severity, at);
        }
        assert_eq!(bounded.take(), (vec![1, 3, 5], LeftOut { errors: 1, warnings: 3 }));
        bounded.push(Warning, 9);
        assert_eq!(bounded.take(), (vec![9], LeftOut::default()));
    }
}
