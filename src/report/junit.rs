//! Findings for whatever reads JUnit's XML: a test suite a file, a test case a finding.
//!
//! An error is a failed test. A warning is a test that passes with its text as output, unless warnings
//! end the run with exit code 1: a report must not fail where the command does not.
//!
//! A reader follows a case from run to run by its name, and keeps one case a name. So a name says
//! what is wrong and not on which line, and equal ones of a file are numbered.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use super::FindingsReport;
use super::bounded::Bounded;
use crate::check::Summary;
use crate::diagnostic::{Diagnostic, Severity};
use crate::markup::escaped as xml;
use crate::source::{Region, SourceStore};
use crate::text::counted;

/// The most test cases of a report. GitLab reads a file of up to 30 MB and 250,000 XML objects, of
/// which a case is up to eight, and refuses a larger one as a whole; a case is rarely over a
/// kilobyte.
const MOST: usize = 25_000;

/// Findings as JUnit's XML. They are written when the check is done, so that each suite can count its
/// cases, and the most important ones are in it.
#[derive(Debug)]
pub struct Junit<W> {
    out: W,
    warnings_fail: bool,
    cases: Bounded<Case>,
    names: HashMap<String, u32>,
    present: Option<Arc<str>>,
}

#[derive(Debug)]
struct Case {
    file: Arc<str>,
    fails: bool,
    text: String,
}

impl<W: Write> Junit<W> {
    /// Writes findings to `out`. With `warnings_fail`, warnings are failures too.
    pub fn new(out: W, warnings_fail: bool) -> Self {
        let (cases, names) = (Bounded::new(MOST), HashMap::new());
        Self { out, warnings_fail, cases, names, present: None }
    }

    fn case(&mut self, file: &Arc<str>, finding: &Diagnostic) -> Case {
        let Diagnostic { code, severity, message, help, region, .. } = finding;
        let title = format!("{code}: {message}");
        let number = self.names.entry(title.clone()).or_default();
        *number += 1;
        let title = if *number == 1 { title } else { format!("{title} ({number})") };
        let place = region.map_or_else(String::new, |Region { start, .. }| {
            format!("{}:{}:", start.line, start.column)
        });
        let name = xml(file);
        let help =
            help.as_deref().map_or_else(String::new, |help| format!("\nhelp: {}", xml(help)));
        let (title, message) = (xml(&title), xml(message));
        let body = format!("{name}:{place} {severity}[{code}]: {message}{help}");
        let mut text = format!("    <testcase name=\"{title}\" classname=\"{name}\">\n");
        let fails = self.warnings_fail || *severity == Severity::Error;
        // Writing to a string does not fail.
        let _ = if fails {
            writeln!(
                text,
                "      <failure message=\"{message}\" type=\"{severity}[{code}]\">{body}</failure>"
            )
        } else {
            writeln!(text, "      <system-out>{body}</system-out>")
        };
        text.push_str("    </testcase>\n");
        Case { file: Arc::clone(file), fails, text }
    }

    fn suite(&mut self, cases: &[Case]) -> io::Result<()> {
        let Some(first) = cases.first() else { return Ok(()) };
        let failures = cases.iter().filter(|case| case.fails).count();
        writeln!(
            self.out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" \
             skipped=\"0\">",
            xml(&first.file),
            cases.len()
        )?;
        cases.iter().try_for_each(|case| self.out.write_all(case.text.as_bytes()))?;
        writeln!(self.out, "  </testsuite>")
    }

    /// Writes a suite of one case that passes.
    fn remark(&mut self, name: &str, text: &str) -> io::Result<()> {
        writeln!(
            self.out,
            "  <testsuite name=\"lineload\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\">\n    \
             <testcase name=\"{name}\" classname=\"lineload\">\n      \
             <system-out>{text}</system-out>\n    </testcase>\n  </testsuite>"
        )
    }
}

impl<W: Write> FindingsReport for Junit<W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        let Some(first) = findings.first() else { return Ok(()) };
        let file = sources.name(first.file);
        if self.present.as_ref() != Some(&file) {
            self.names.clear();
            self.present = Some(Arc::clone(&file));
        }
        for finding in findings {
            if self.cases.is_full_for(finding.severity) {
                self.cases.leave_out(finding.severity);
            } else {
                let case = self.case(&file, finding);
                self.cases.push(finding.severity, case);
            }
        }
        Ok(())
    }

    fn finish(&mut self, summary: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        self.out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        self.out.write_all(b"<testsuites name=\"lineload\">\n")?;
        let (cases, left_out) = self.cases.take();
        for suite in cases.chunk_by(|a, b| a.file == b.file) {
            self.suite(suite)?;
        }
        // A reader takes a report without tests for a mistake. Where no file was read, it is one.
        if cases.is_empty() && summary.files > 0 {
            let (files, artifacts) =
                (counted(summary.files, "file"), counted(summary.artifacts, "artifact"));
            self.remark("nothing found", &format!("{files}, {artifacts}"))?;
        }
        if left_out.total() > 0 {
            let more = counted(left_out.total(), "more finding");
            self.remark(
                "findings omitted",
                &format!("{more} omitted: JUnit readers reject larger reports"),
            )?;
        }
        writeln!(self.out, "</testsuites>")?;
        self.out.flush()
    }
}
