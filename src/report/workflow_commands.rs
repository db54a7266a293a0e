//! A report for people in the log of a GitHub Actions job.
//!
//! The runner takes `##[command]` anywhere in a line, and `::command` where one begins, for a command
//! of its own, and a report shows lines of manifests. So a command makes the runner take none until
//! a word that nobody can guess.

use std::io::{self, Write};
use std::time::Duration;

use super::FindingsReport;
use crate::check::Summary;
use crate::diagnostic::Diagnostic;
use crate::source::SourceStore;

/// A report between the commands that stop and resume the runner's search for commands. One that
/// shows nothing of a manifest is written without them.
pub struct Stopped<R, W> {
    report: R,
    out: W,
    word: String,
    begun: bool,
}

impl<R: FindingsReport, W: Write> Stopped<R, W> {
    /// Wraps `report`, which writes to where `out` writes. `word` must not be guessed.
    pub const fn new(report: R, out: W, word: String) -> Self {
        Self { report, out, word, begun: false }
    }
}

impl<R: FindingsReport, W: Write> FindingsReport for Stopped<R, W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        if !self.begun {
            writeln!(self.out, "::stop-commands::{}", self.word)?;
            self.begun = true;
        }
        self.report.file(findings, sources)
    }

    fn finish(
        &mut self,
        summary: &Summary,
        sources: &SourceStore,
        took: Duration,
    ) -> io::Result<()> {
        self.report.finish(summary, sources, took)?;
        if self.begun {
            writeln!(self.out, "::{}::", self.word)?;
            self.out.flush()?;
        }
        Ok(())
    }
}
