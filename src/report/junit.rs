//! Findings for whatever reads JUnit's XML: a test suite a file, a failed test a finding.
//!
//! A warning is a failure too, told apart by its type, `warning[code]` beside `error[code]`: most
//! readers list failures alone, and whoever asks for this report wants to see what was found.
//! Whether the run passes is the exit code's to say.

use std::io::{self, Write};
use std::time::Duration;

use super::FindingsReport;
use super::markup::xml;
use crate::check::Summary;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::words::counted;
use crate::source::{Region, SourceStore};

/// Findings as JUnit's XML. A file's are written as they come, so the root has no counts: they would
/// stand in front of everything, and every reader takes those of the suites.
#[derive(Debug)]
pub struct Junit<W> {
    out: W,
    written: usize,
}

impl<W: Write> Junit<W> {
    /// Writes findings to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, written: 0 }
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.written == 0 {
            self.out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
            self.out.write_all(b"<testsuites name=\"lineload\">\n")?;
        }
        Ok(())
    }
}

impl<W: Write> FindingsReport for Junit<W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        let Some(first) = findings.first() else { return Ok(()) };
        self.begin()?;
        self.written += findings.len();
        let name = sources.name(first.file);
        let (file, count) = (xml(&name), findings.len());
        writeln!(
            self.out,
            "  <testsuite name=\"{file}\" tests=\"{count}\" failures=\"{count}\" errors=\"0\" \
             skipped=\"0\">"
        )?;
        for finding in findings {
            let Diagnostic { code, severity, message, help, region, .. } = finding;
            let place =
                region.map(|Region { start, .. }| format!("{}:{}", start.line, start.column));
            // Code, place and message together are a finding's own; a reader keeps one test a name.
            let (title, place) = match place {
                Some(place) => (format!("{code} at {place}: {message}"), format!("{place}:")),
                None => (format!("{code}: {message}"), String::new()),
            };
            let help = help.as_deref().map(|help| format!("\nhelp: {}", xml(help)));
            let (title, message) = (xml(&title), xml(message));
            writeln!(
                self.out,
                "    <testcase name=\"{title}\" classname=\"{file}\">\n      \
                 <failure message=\"{message}\" type=\"{severity}[{code}]\">\
                 {file}:{place} {severity}[{code}]: {message}{}</failure>\n    </testcase>",
                help.unwrap_or_default(),
            )?;
        }
        writeln!(self.out, "  </testsuite>")
    }

    fn finish(&mut self, summary: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        self.begin()?;
        // A reader takes a report without tests for a mistake. Where no file was read, it is one.
        if self.written == 0 && summary.files > 0 {
            let (files, artifacts) =
                (counted(summary.files, "file"), counted(summary.artifacts, "artifact"));
            writeln!(
                self.out,
                "  <testsuite name=\"lineload\" tests=\"1\" failures=\"0\" errors=\"0\" \
                 skipped=\"0\">\n    <testcase name=\"nothing found\" classname=\"lineload\">\n      \
                 <system-out>{files}, {artifacts}</system-out>\n    </testcase>\n  </testsuite>"
            )?;
        }
        writeln!(self.out, "</testsuites>")?;
        self.out.flush()
    }
}
