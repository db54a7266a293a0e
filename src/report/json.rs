//! Findings for programs: one JSON document, its shape fixed by `version`.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::FindingsReport;
use crate::check::Summary;
use crate::diagnostic::{Diagnostic, Edit, Fix};
use crate::source::{Position, Region, SourceStore};

/// The version of the shape.
const VERSION: u32 = 1;

/// Findings as JSON. They are written as they come, so that a million of them need no memory; the
/// summary follows.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    written: usize,
}

#[derive(Serialize)]
struct Finding<'f> {
    code: &'f str,
    severity: &'f str,
    message: &'f str,
    help: Option<&'f str>,
    file: &'f str,
    artifact: Option<u32>,
    path: &'f str,
    span: Option<Span>,
    related: Vec<RelatedFinding<'f>>,
    fix: Option<FindingFix<'f>>,
}

#[derive(Serialize)]
struct FindingFix<'f> {
    safety: &'f str,
    edits: Vec<FindingEdit<'f>>,
}

#[derive(Serialize)]
struct FindingEdit<'f> {
    start: u32,
    end: u32,
    text: &'f str,
}

impl<'f> From<&'f Fix> for FindingFix<'f> {
    fn from(fix: &'f Fix) -> Self {
        let edit = |edit: &'f Edit| FindingEdit {
            start: edit.span.start,
            end: edit.span.end,
            text: &edit.text,
        };
        Self { safety: fix.safety.as_str(), edits: fix.edits.iter().map(edit).collect() }
    }
}

#[derive(Serialize)]
struct RelatedFinding<'f> {
    message: &'f str,
    file: String,
    span: Option<Span>,
}

#[derive(Serialize)]
struct Span {
    start: Place,
    end: Place,
}

#[derive(Serialize)]
struct Place {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct Counts {
    files: usize,
    artifacts: usize,
    valid: usize,
    errors: usize,
    warnings: usize,
}

impl From<Region> for Span {
    fn from(region: Region) -> Self {
        let place = |Position { line, column, offset }| Place { line, column, offset };
        Self { start: place(region.start), end: place(region.end) }
    }
}

impl<W: Write> Json<W> {
    /// Writes findings to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, written: 0 }
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.written == 0 {
            write!(self.out, "{{\"version\":{VERSION},\"diagnostics\":[")?;
        }
        Ok(())
    }
}

impl<W: Write> FindingsReport for Json<W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        for finding in findings {
            self.begin()?;
            self.out.write_all(if self.written == 0 { b"\n" } else { b",\n" })?;
            self.written += 1;
            let related = finding.related.iter().map(|related| RelatedFinding {
                message: &related.message,
                file: sources.name(related.file).to_string(),
                span: related.region.map(Span::from),
            });
            let finding = Finding {
                code: finding.code.as_str(),
                severity: finding.severity.as_str(),
                message: &finding.message,
                help: finding.help.as_deref(),
                file: &sources.name(finding.file),
                artifact: finding.artifact,
                path: &finding.path,
                span: finding.region.map(Span::from),
                related: related.collect(),
                fix: finding.fix.as_ref().map(FindingFix::from),
            };
            serde_json::to_writer(&mut self.out, &finding)?;
        }
        Ok(())
    }

    fn finish(&mut self, summary: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        self.begin()?;
        let Summary { files, artifacts, valid, errors, warnings } = *summary;
        let counts = Counts { files, artifacts, valid, errors, warnings };
        write!(self.out, "{}],\"summary\":", if self.written == 0 { "" } else { "\n" })?;
        serde_json::to_writer(&mut self.out, &counts)?;
        writeln!(self.out, "}}")?;
        self.out.flush()
    }
}
