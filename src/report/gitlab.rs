//! Findings for GitLab: a Code Quality report, one JSON list.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::json::write_value;
use super::root::Root;
use super::{FindingsReport, fingerprint};
use crate::check::Summary;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::SourceStore;
use crate::text::escaped;

/// Findings as GitLab's Code Quality has them. They are written as they come.
#[derive(Debug)]
pub struct Gitlab<W> {
    out: W,
    root: Root,
    written: usize,
}

#[derive(Serialize)]
struct Issue<'f> {
    description: String,
    check_name: &'static str,
    fingerprint: &'f str,
    severity: &'static str,
    location: Location<'f>,
    /// GitLab passes over it; other readers of Code Climate's format show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content>,
}

#[derive(Serialize)]
struct Location<'f> {
    path: &'f str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

#[derive(Serialize)]
struct Content {
    body: String,
}

impl<W: Write> Gitlab<W> {
    /// Writes findings to `out`, their paths from `root`.
    pub const fn new(out: W, root: Root) -> Self {
        Self { out, root, written: 0 }
    }
}

impl<W: Write> FindingsReport for Gitlab<W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        let Some(first) = findings.first() else { return Ok(()) };
        let place = self.root.place(first.file, sources);
        let fingerprints = fingerprint::of_file(findings, &place, sources);
        for (finding, fingerprint) in findings.iter().zip(&fingerprints) {
            self.out.write_all(if self.written == 0 { b"[\n" } else { b",\n" })?;
            self.written += 1;
            let issue = Issue {
                description: escaped(&finding.message),
                check_name: finding.code.as_str(),
                fingerprint,
                severity: match finding.severity {
                    Severity::Error => "major",
                    Severity::Warning => "minor",
                },
                location: Location {
                    path: place.path(),
                    lines: Lines { begin: finding.region.map_or(1, |region| region.start.line) },
                },
                content: finding.help.as_deref().map(|help| Content { body: escaped(help) }),
            };
            write_value(&mut self.out, &issue)?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        self.out.write_all(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
        self.out.flush()
    }
}
