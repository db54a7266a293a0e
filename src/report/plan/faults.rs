//! The errors of a check, kept for a report of the plan that is made after it.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::check::Summary;
use crate::diagnostic::Diagnostic;
use crate::report::FindingsReport;
use crate::source::SourceStore;

/// Errors that are kept at most: a comment has no room for more.
const MOST: usize = 1_000;

/// An error that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code of its rule.
    pub code: &'static str,
    /// Its file, as it is shown.
    pub file: Arc<str>,
    /// The line, from 1, if it has one.
    pub line: Option<u32>,
    /// The message of the finding.
    pub message: String,
}

/// The errors of a check: the first of them, and how many there are. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Rc<RefCell<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    first: Vec<Fault>,
    all: usize,
}

impl Faults {
    /// Returns the first errors, in the order of the walk.
    #[must_use]
    pub fn first(&self) -> Vec<Fault> {
        self.0.borrow().first.clone()
    }

    /// Returns how many there are.
    #[must_use]
    pub fn all(&self) -> usize {
        self.0.borrow().all
    }
}

impl FindingsReport for Faults {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        let mut kept = self.0.borrow_mut();
        for finding in findings.iter().filter(|finding| finding.is_error()) {
            kept.all += 1;
            if kept.first.len() < MOST {
                kept.first.push(Fault {
                    code: finding.code.as_str(),
                    file: sources.name(finding.file),
                    line: finding.region.map(|region| region.start.line),
                    message: finding.message.clone(),
                });
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        Ok(())
    }
}
