//! The findings of a command that does more than check: a few are shown in full, of many there is a
//! table with the number of each code, and one example of each.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use super::FindingsReport;
use super::human;
use super::tally::{Tally, closing_line};
use crate::check::Summary;
use crate::diagnostic::Diagnostic;
use crate::source::SourceStore;
use crate::text::counted;

/// From more findings than this on, only the first of each code is shown in full.
const MANY: usize = 20;

/// A report of the findings of a command that does more than check.
#[derive(Debug)]
pub struct Digest<W> {
    out: W,
    options: human::Options,
    closing: Closing,
    /// The first findings, and the first of each code.
    kept: Vec<Diagnostic>,
    tally: Tally,
}

/// The condition for a closing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Always.
    Always,
    /// Only if there are findings.
    WithFindings,
}

impl<W: Write> Digest<W> {
    /// Returns a report that is written to `out`.
    pub const fn new(out: W, options: human::Options, closing: Closing) -> Self {
        Self { out, options, closing, kept: Vec::new(), tally: Tally::new() }
    }

    fn table(&mut self) -> io::Result<()> {
        self.tally.write(&mut self.out, false)?;
        writeln!(
            self.out,
            "run `{}` to see all {}\n",
            self.options.command,
            counted(self.tally.total(), "finding")
        )
    }
}

impl<W: Write> FindingsReport for Digest<W> {
    fn file(&mut self, findings: &[Diagnostic], _: &SourceStore) -> io::Result<()> {
        for finding in findings {
            let of_code = self.tally.add(finding);
            if self.tally.total() <= MANY || of_code == 1 {
                self.kept.push(finding.clone());
            }
        }
        Ok(())
    }

    fn finish(
        &mut self,
        summary: &Summary,
        sources: &SourceStore,
        took: Duration,
    ) -> io::Result<()> {
        let many = self.tally.total() > MANY;
        let mut seen = BTreeSet::new();
        for finding in std::mem::take(&mut self.kept) {
            if seen.insert(finding.code) || !many {
                writeln!(self.out, "{}", human::render(&finding, sources, &self.options))?;
            }
        }
        if many {
            self.table()?;
        }
        if self.closing == Closing::Always || self.tally.total() > 0 {
            writeln!(self.out, "{}", closing_line(summary, took))?;
        }
        self.out.flush()
    }
}
