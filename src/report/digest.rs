//! The findings of a command that does more than check: all of a few, and of many a count and an
//! example for each code.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use super::FindingsReport;
use super::human::{self, closing_line};
use crate::check::Summary;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::SourceStore;
use crate::text::{counted, grouped};

/// Beyond so many findings, each code has one example.
const MANY: usize = 20;

/// Findings for people who came for something else.
#[derive(Debug)]
pub struct Digest<W> {
    out: W,
    options: human::Options,
    closing: Closing,
    /// The first findings, and the first of each code.
    kept: Vec<Diagnostic>,
    total: usize,
    codes: BTreeMap<Code, Count>,
}

/// When there is a closing line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Always.
    Always,
    /// Where there are findings.
    WithFindings,
}

#[derive(Debug, Default)]
struct Count {
    findings: usize,
    has_errors: bool,
}

impl<W: Write> Digest<W> {
    /// Shows findings on `out`.
    pub const fn new(out: W, options: human::Options, closing: Closing) -> Self {
        Self { out, options, closing, kept: Vec::new(), total: 0, codes: BTreeMap::new() }
    }

    fn table(&mut self) -> io::Result<()> {
        let mut codes: Vec<_> = self.codes.iter().collect();
        codes.sort_by_key(|(code, count)| (std::cmp::Reverse(count.findings), **code));
        let widest = codes.iter().map(|(code, _)| code.as_str().len()).max().unwrap_or_default();
        writeln!(self.out, "  {:<widest$}  findings  what", "code")?;
        for (code, count) in codes {
            let colour = if count.has_errors { "\x1b[31m" } else { "\x1b[33m" };
            let number = grouped(count.findings as u64);
            let (name, what) = (code.as_str(), code.summary());
            writeln!(self.out, "  {colour}{name:<widest$}\x1b[0m  {number:>8}  {what}")?;
        }
        writeln!(
            self.out,
            "\nrun `{}` to see all {}\n",
            self.options.command,
            counted(self.total, "finding")
        )
    }
}

impl<W: Write> FindingsReport for Digest<W> {
    fn file(&mut self, findings: &[Diagnostic], _: &SourceStore) -> io::Result<()> {
        for finding in findings {
            self.total += 1;
            let count = self.codes.entry(finding.code).or_default();
            count.findings += 1;
            count.has_errors |= finding.is_error();
            if self.total <= MANY || count.findings == 1 {
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
        let many = self.total > MANY;
        let mut seen = std::collections::BTreeSet::new();
        for finding in std::mem::take(&mut self.kept) {
            if seen.insert(finding.code) || !many {
                writeln!(self.out, "{}", human::render(&finding, sources, &self.options))?;
            }
        }
        if many {
            self.table()?;
        }
        if self.closing == Closing::Always || self.total > 0 {
            writeln!(self.out, "{}", closing_line(summary, took))?;
        }
        self.out.flush()
    }
}
