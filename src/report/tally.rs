//! The end of a report for people: a table of the findings by code, and the closing line.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use crate::check::Summary;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::FileId;
use crate::text::{counted, grouped};

/// Counts findings by code.
#[derive(Debug, Default)]
pub(super) struct Tally {
    codes: BTreeMap<Code, Count>,
    total: usize,
}

#[derive(Debug, Default, Clone, Copy)]
struct Count {
    findings: usize,
    files: usize,
    last_file: Option<FileId>,
    has_errors: bool,
}

impl Tally {
    pub(super) const fn new() -> Self {
        Self { codes: BTreeMap::new(), total: 0 }
    }

    /// Counts a finding, and returns how many of its code there are now.
    pub(super) fn add(&mut self, finding: &Diagnostic) -> usize {
        self.total += 1;
        let count = self.codes.entry(finding.code).or_default();
        count.findings += 1;
        count.has_errors |= finding.is_error();
        if count.last_file != Some(finding.file) {
            count.files += 1;
            count.last_file = Some(finding.file);
        }
        count.findings
    }

    /// Returns the number of findings.
    pub(super) const fn total(&self) -> usize {
        self.total
    }

    /// Writes a line for each code, the most frequent first.
    pub(super) fn write(&self, out: &mut impl Write, with_files: bool) -> io::Result<()> {
        let mut codes: Vec<_> = self.codes.iter().collect();
        codes.sort_by_key(|(code, count)| (std::cmp::Reverse(count.findings), **code));
        let widest = codes.iter().map(|(code, _)| code.as_str().len()).max().unwrap_or_default();
        let files = if with_files { "   files" } else { "" };
        writeln!(out, "  {:<widest$}  findings{files}  what", "code")?;
        for (code, count) in codes {
            let colour = if count.has_errors { "\x1b[31m" } else { "\x1b[33m" };
            let findings = grouped(count.findings as u64);
            let files = match with_files {
                true => format!("  {:>6}", grouped(count.files as u64)),
                false => String::new(),
            };
            let (name, what) = (code.as_str(), code.summary());
            writeln!(out, "  {colour}{name:<widest$}\x1b[0m  {findings:>8}{files}  {what}")?;
        }
        writeln!(out)
    }
}

/// Returns the closing line: `3 files, 12 artifacts: 10 valid, 2 invalid; 4 errors, 1 warning (0.02 s)`
pub(super) fn closing_line(summary: &Summary, took: Duration) -> String {
    let findings = match (summary.errors, summary.warnings) {
        (0, 0) if summary.hidden > Some(0) => "\x1b[32mnothing new found\x1b[0m".to_owned(),
        (0, 0) => "\x1b[32mnothing found\x1b[0m".to_owned(),
        (errors, 0) => format!("\x1b[31m{}\x1b[0m", counted(errors, "error")),
        (0, warnings) => format!("\x1b[33m{}\x1b[0m", counted(warnings, "warning")),
        (errors, warnings) => format!(
            "\x1b[31m{}\x1b[0m, \x1b[33m{}\x1b[0m",
            counted(errors, "error"),
            counted(warnings, "warning")
        ),
    };
    let artifacts = if summary.invalid() == 0 {
        counted(summary.artifacts, "artifact")
    } else {
        format!(
            "{}, {} valid, {} invalid",
            counted(summary.artifacts, "artifact"),
            grouped(summary.valid as u64),
            grouped(summary.invalid() as u64)
        )
    };
    format!(
        "{}, {artifacts}: {findings} ({:.2} s)",
        counted(summary.files, "file"),
        took.as_secs_f64()
    )
}
