//! Findings for programs: one JSON document, its shape fixed by `version`.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::FindingsReport;
use crate::check::Summary;
use crate::diagnostic::{Diagnostic, Edit, Fix};
use crate::source::{Position, Region, SourceStore};
use crate::text::is_printable;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<usize>,
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
            write_value(&mut self.out, &finding)?;
        }
        Ok(())
    }

    fn finish(&mut self, summary: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        self.begin()?;
        let Summary { files, artifacts, valid, errors, warnings, hidden } = *summary;
        let counts = Counts { files, artifacts, valid, errors, warnings, hidden };
        write!(self.out, "{}],\"summary\":", if self.written == 0 { "" } else { "\n" })?;
        write_value(&mut self.out, &counts)?;
        writeln!(self.out, "}}")?;
        self.out.flush()
    }
}

/// Writes `value` with everything escaped that may not be printed: a program reads the same text, and
/// a terminal does nothing.
///
/// # Errors
/// If the writer fails.
pub(super) fn write_value(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Printable))?;
    Ok(())
}

struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut written = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| !is_printable(*c)) {
            out.write_all(&fragment.as_bytes()[written..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            written = at + c.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[written..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_printed_is_escaped_and_read_back() {
        let text = "é\u{9b}\u{202e}\u{1b}\"\u{e0041}\u{1F600}";
        let mut out = Vec::new();
        write_value(&mut out, &text).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written, "\"é\\u009b\\u202e\\u001b\\\"\\udb40\\udc41\u{1F600}\"");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
