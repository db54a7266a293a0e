//! Where reports take the entries of a run from.

use std::io;
use std::ops::ControlFlow;

use super::{LoggedEntry, RunLog};

/// What takes the entries of a run, one after another; it may end them early.
pub type Take<'t> = dyn FnMut(&LoggedEntry) -> io::Result<ControlFlow<()>> + 't;

/// The entries of a run, in the order of the walk. No report needs them all in memory, so they may
/// come from a journal as well as from a [`RunLog`].
pub trait Rows {
    /// Hands each entry to `take`.
    ///
    /// # Errors
    /// Where `take` fails, or the entries cannot be read.
    fn for_each(&self, take: &mut Take<'_>) -> io::Result<()>;

    /// Hands each entry that failed to `take`.
    ///
    /// # Errors
    /// As [`Rows::for_each`].
    fn for_each_failed(&self, take: &mut Take<'_>) -> io::Result<()> {
        self.for_each(&mut |entry| {
            if entry.failed() { take(entry) } else { Ok(ControlFlow::Continue(())) }
        })
    }
}

impl Rows for RunLog {
    fn for_each(&self, take: &mut Take<'_>) -> io::Result<()> {
        for entry in &self.entries {
            if take(entry)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
