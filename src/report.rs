//! The only module that renders.
//!
//! In: findings, summaries and events. Out: text on writers that the commands hand in. Nothing from
//! a manifest is written raw: control characters are shown escaped, long lines are cut to a window.

pub mod baseline;
mod bounded;
pub mod deletions;
pub mod digest;
pub mod doctor;
mod excerpt;
pub mod export;
mod fingerprint;
pub mod generate;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
mod link;
pub mod junit;
mod markdown;
pub mod metrics;
pub mod output;
pub mod patch;
pub mod plan;
pub mod progress;
mod redact;
pub mod root;
pub mod rules;
pub mod run;
pub mod sarif;
pub mod short;
pub mod status;
mod tally;
pub mod workflow_commands;

use std::io;
use std::time::Duration;

use crate::check::Summary;
use crate::diagnostic::Diagnostic;
use crate::source::SourceStore;

/// Several reports of one check.
pub struct All(pub Vec<Box<dyn FindingsReport>>);

impl FindingsReport for All {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|report| report.file(findings, sources))
    }

    fn finish(
        &mut self,
        summary: &Summary,
        sources: &SourceStore,
        took: Duration,
    ) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|report| report.finish(summary, sources, took))
    }
}

/// Shows the findings of a check, in one format.
pub trait FindingsReport {
    /// Takes the findings of one file, in order. Files come in the order of the walk.
    ///
    /// # Errors
    /// If the writer fails.
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()>;

    /// Ends the report when the check is done.
    ///
    /// # Errors
    /// If the writer fails.
    fn finish(
        &mut self,
        summary: &Summary,
        sources: &SourceStore,
        took: Duration,
    ) -> io::Result<()>;
}

impl FindingsReport for Box<dyn FindingsReport> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        (**self).file(findings, sources)
    }

    fn finish(
        &mut self,
        summary: &Summary,
        sources: &SourceStore,
        took: Duration,
    ) -> io::Result<()> {
        (**self).finish(summary, sources, took)
    }
}
