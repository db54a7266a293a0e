//! Findings for `grep` and editors: one line each.

use std::io::{self, Write};
use std::time::Duration;

use super::FindingsReport;
use crate::check::Summary;
use crate::diagnostic::Diagnostic;
use crate::source::SourceStore;
use crate::text::escaped;

/// `path:line:column: error[code]: message`
#[derive(Debug)]
pub struct Short<W> {
    out: W,
}

impl<W: Write> Short<W> {
    /// Shows findings on `out`.
    pub const fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> FindingsReport for Short<W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        for finding in findings {
            let name = sources.name(finding.file);
            let Diagnostic { code, severity, message, .. } = finding;
            let place = finding.region.map_or_else(String::new, |region| {
                format!("{}:{}:", region.start.line, region.start.column)
            });
            writeln!(
                self.out,
                "{}:{place} {severity}[{code}]: {}",
                escaped(&name),
                escaped(message)
            )?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        self.out.flush()
    }
}
