//! Values that would be there twice after fixes.

use std::collections::HashMap;
use std::hash::Hash;

/// The most values that are compared one by one.
const COMPARED: usize = 16;

/// Values that occur more than once among those of one field.
pub(super) struct Repeated<T>(HashMap<T, usize>, Vec<T>);

impl<T: Hash + Eq> Repeated<T> {
    /// Counts `values`.
    pub(super) fn new(values: impl Iterator<Item = T>) -> Self {
        let mut few: Vec<T> = Vec::new();
        let mut many = HashMap::new();
        for value in values {
            if few.len() < COMPARED {
                few.push(value);
            } else {
                *many.entry(value).or_default() += 1;
            }
        }
        Self(many, few)
    }

    /// Returns whether `value` is among them more than once.
    pub(super) fn has(&self, value: &T) -> bool {
        let few = self.1.iter().filter(|one| *one == value).count();
        few + self.0.get(value).copied().unwrap_or(0) > 1
    }
}
