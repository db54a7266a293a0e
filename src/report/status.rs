//! What a journal holds, for people.

use std::io::{self, Write};

use crate::diagnostic::secret::masked;
use crate::diagnostic::words::{escaped, grouped};
use crate::journal::{FailedEntry, RunStatus};

/// Writes a run, and what failed in it.
///
/// # Errors
/// Where the writer fails.
pub fn write(out: &mut impl Write, run: &RunStatus, failed: &[FailedEntry]) -> io::Result<()> {
    let ended = match (&run.ended, &run.ending) {
        (Some(ended), Some(ending)) => format!("{} {}", escaped(ending), escaped(ended)),
        _ => "\x1b[33mrunning, or killed\x1b[0m".to_owned(),
    };
    writeln!(out, "\x1b[1m{}\x1b[0m  {}", escaped(&run.started), escaped(&masked(&run.target)))?;
    writeln!(out, "  run {}", escaped(&run.run))?;
    writeln!(out, "  {ended}")?;
    let counts: Vec<_> = run
        .counts
        .iter()
        .map(|(outcome, count)| format!("{} {}", escaped(outcome), grouped(*count)))
        .collect();
    if !counts.is_empty() {
        writeln!(out, "  {}", counts.join(", "))?;
    }
    for entry in failed {
        let error = entry.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        writeln!(
            out,
            "  \x1b[31m{}\x1b[0m {}:{}: {}{}",
            escaped(&entry.outcome),
            escaped(&entry.file),
            entry.line,
            escaped(&masked(&entry.name)),
            escaped(&masked(&error))
        )?;
    }
    let is_failed = |(outcome, _): &&(String, u64)| {
        matches!(outcome.as_str(), "differs" | "conflict" | "rejected" | "unresolved")
    };
    let all: u64 = run.counts.iter().filter(is_failed).map(|(_, count)| *count).sum();
    let more = all.saturating_sub(failed.len() as u64);
    if more > 0 {
        let more = grouped(more);
        writeln!(out, "  and {more} more; of the latest run `--failed-manifests DIR` writes all")?;
    }
    let left = |(outcome, count): &(String, u64)| {
        matches!(outcome.as_str(), "pending" | "open" | "unresolved") && *count > 0
    };
    if run.counts.iter().any(left) {
        writeln!(out, "  to go on: {}", escaped(&masked(&run.command)))?;
    }
    writeln!(out)
}

/// Ends the list of so many runs.
///
/// # Errors
/// Where the writer fails.
pub fn finish(out: &mut impl Write, runs: usize) -> io::Result<()> {
    if runs == 0 {
        writeln!(out, "no run yet")?;
    }
    out.flush()
}
