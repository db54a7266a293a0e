//! Findings for GitHub Actions: workflow commands, which become annotations of a pull request.
//!
//! GitHub shows ten errors and ten warnings of a step and drops the others without a word. So the
//! first ten of each kind are annotations, and the rest is a table in the summary of the step.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use super::FindingsReport;
use super::root::{Place, Root};
use crate::check::Summary;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Region, SourceStore};
use crate::text::{counted, escaped, grouped};

/// Annotations of each kind that GitHub shows of a step.
const SHOWN: usize = 10;
/// A longer summary is refused as a whole.
const LONGEST_SUMMARY: usize = 1 << 20;
/// Kept of it for what stands round the table.
const FRAME: usize = 2 << 10;

/// The summary of the step, which the file in `GITHUB_STEP_SUMMARY` becomes.
pub struct StepSummary {
    out: Box<dyn Write>,
    taken: usize,
}

impl StepSummary {
    /// Appends to `out`, in which `taken` bytes stand already.
    #[must_use]
    pub fn new(out: Box<dyn Write>, taken: usize) -> Self {
        Self { out, taken }
    }

    /// Bytes that a table may still take.
    const fn room(&self) -> usize {
        LONGEST_SUMMARY.saturating_sub(self.taken).saturating_sub(FRAME)
    }
}

/// Findings as annotations. They are written when the check is done, behind what is written as the
/// findings come; no more of them is kept than GitHub takes.
pub struct Github<W> {
    out: W,
    root: Root,
    summary: Option<StepSummary>,
    annotations: Vec<String>,
    errors: usize,
    warnings: usize,
    table: Table,
}

/// The findings that are no annotations.
#[derive(Default)]
struct Table {
    rows: String,
    findings: usize,
    left_out: usize,
}

impl<W: Write> Github<W> {
    /// Writes findings to `out`, their paths from `root`, and what GitHub would drop to `summary`.
    pub fn new(out: W, root: Root, summary: Option<StepSummary>) -> Self {
        let (annotations, table) = (Vec::new(), Table::default());
        Self { out, root, summary, annotations, errors: 0, warnings: 0, table }
    }

    fn add(&mut self, finding: &Diagnostic, place: &Place) {
        let count = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= SHOWN {
            self.annotations.push(Annotation { finding, place }.to_string());
            return;
        }
        self.table.findings += 1;
        let room = self.summary.as_ref().map_or(0, StepSummary::room);
        let room = room.saturating_sub(self.table.rows.len());
        let row = row(finding, place);
        // With the first that finds no room the table ends: it is the findings in order.
        if self.table.left_out > 0 || row.len() > room {
            self.table.left_out += 1;
        } else {
            self.table.rows.push_str(&row);
        }
    }

    fn annotated(&self) -> String {
        let (errors, warnings) = (self.errors.min(SHOWN), self.warnings.min(SHOWN));
        match (errors, warnings) {
            (errors, 0) => counted(errors, "error"),
            (0, warnings) => counted(warnings, "warning"),
            (errors, warnings) => {
                format!("{} and {}", counted(errors, "error"), counted(warnings, "warning"))
            }
        }
    }

    /// Writes what GitHub would drop to the job summary, or at least how much it is.
    fn rest(&mut self, counts: &Summary) -> io::Result<()> {
        let annotated = self.annotated();
        let Table { rows, findings, left_out } = &self.table;
        let summary = self.summary.as_mut().filter(|summary| summary.room() > 0);
        let Some(StepSummary { out, taken }) = summary else {
            let rest = counted(*findings, "more finding");
            let message = format!(
                "{rest}: GitHub shows {SHOWN} errors and {SHOWN} warnings per step, and there is no \
                 step summary to write the rest to"
            );
            return writeln!(self.out, "::notice title=lineload::{}", data(&message));
        };
        let (errors, warnings) =
            (counted(counts.errors, "error"), counted(counts.warnings, "warning"));
        if *taken > 0 {
            writeln!(out)?;
        }
        writeln!(out, "### lineload: {errors}, {warnings}\n")?;
        writeln!(
            out,
            "{annotated} became annotations: GitHub shows {SHOWN} of a kind a step. The other {}:\n",
            grouped(*findings as u64)
        )?;
        writeln!(out, "| | rule | where | what |\n|---|---|---|---|")?;
        out.write_all(rows.as_bytes())?;
        if *left_out > 0 {
            let more = counted(*left_out, "more finding");
            writeln!(
                out,
                "\n{more}: GitHub takes no longer summary; `lineload lint --all` shows them."
            )?;
        }
        out.flush()
    }
}

impl<W: Write> FindingsReport for Github<W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        if let Some(first) = findings.first() {
            let place = self.root.place(first.file, sources);
            findings.iter().for_each(|finding| self.add(finding, &place));
        }
        Ok(())
    }

    fn finish(&mut self, summary: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        for annotation in &self.annotations {
            writeln!(self.out, "{annotation}")?;
        }
        if self.table.findings > 0 {
            self.rest(summary)?;
        }
        self.out.flush()
    }
}

/// A finding as a workflow command.
struct Annotation<'f> {
    finding: &'f Diagnostic,
    place: &'f Place,
}

impl fmt::Display for Annotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { code, severity, message, help, region, .. } = self.finding;
        write!(f, "::{severity} file={}", property(self.place.path()))?;
        if let Some(region) = region {
            lines(region, f)?;
        }
        write!(f, ",title={}::{}", property(&format!("lineload: {code}")), data(message))?;
        match help {
            // lineload adds this line break, and GitHub shows it.
            Some(help) => write!(f, "%0Ahelp: {}", data(help)),
            None => Ok(()),
        }
    }
}

fn lines(Region { start, end }: &Region, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, ",line={}", start.line)?;
    if end.line == start.line {
        // GitHub does not say whether an end is exclusive; where it begins is what it shows.
        return write!(f, ",endLine={},col={},endColumn={}", end.line, start.column, end.column);
    }
    // A break at the end belongs to the line that it ends. Columns are refused over several lines.
    let last = if end.column == 1 { end.line - 1 } else { end.line };
    write!(f, ",endLine={last}")
}

/// Returns `text` as the message of a workflow command.
fn data(text: &str) -> String {
    escaped(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Returns `text` as the value of a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns a finding as a row of a Markdown table.
fn row(finding: &Diagnostic, place: &Place) -> String {
    let Diagnostic { code, severity, message, region, .. } = finding;
    let at = region.map_or_else(String::new, |Region { start, .. }| {
        format!(":{}:{}", start.line, start.column)
    });
    let path = markdown(place.path());
    format!("| {severity} | {code} | {path}{at} | {} |\n", markdown(message))
}

/// Returns `text` as Markdown in which nothing is markup, HTML or the end of a cell.
fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in escaped(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '~' | '|' | '[' | ']' | '!' | '#' | '$' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Position;

    #[test]
    fn commands_are_escaped_as_github_unescapes_them() {
        assert_eq!(data("100%:\r\n,\u{1b}"), "100%25:\\r\\n,\\u{1b}");
        assert_eq!(property("C:\\a,b%0A"), "C%3A\\a%2Cb%250A");
    }

    #[test]
    fn columns_stand_only_where_start_and_end_are_on_one_line() {
        let shown = |start: (u32, u32), end: (u32, u32)| {
            let place = |(line, column)| Position { offset: 0, line, column };
            struct Lines(Region);
            impl fmt::Display for Lines {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    lines(&self.0, f)
                }
            }
            Lines(Region { start: place(start), end: place(end) }).to_string()
        };
        assert_eq!(shown((2, 3), (2, 9)), ",line=2,endLine=2,col=3,endColumn=9");
        assert_eq!(shown((2, 3), (4, 2)), ",line=2,endLine=4");
        assert_eq!(shown((2, 3), (3, 1)), ",line=2,endLine=2");
    }

    #[test]
    fn nothing_in_a_cell_is_markup() {
        let cell = markdown("`a|b` <img src=x> *c* [d](e) &lt; @f\n");
        assert_eq!(cell, "\\`a\\|b\\` &lt;img src=x&gt; \\*c\\* \\[d\\](e) &amp;lt; \\@f\\\\n");
    }
}
