//! Sources of a run's entries.

use std::future::Future;

use super::Job;
use crate::journal::WriteError;

/// The source of a run's entries.
pub trait Jobs: Send + 'static {
    /// Returns the next entries, at most `most`, and whether they are the last.
    fn next(
        &mut self,
        most: usize,
    ) -> impl Future<Output = Result<(Vec<Job>, bool), WriteError>> + Send;
}

impl Jobs for std::vec::IntoIter<Job> {
    async fn next(&mut self, most: usize) -> Result<(Vec<Job>, bool), WriteError> {
        let jobs: Vec<_> = self.take(most).collect();
        let dry = self.len() == 0;
        Ok((jobs, dry))
    }
}
