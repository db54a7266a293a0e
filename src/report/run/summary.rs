//! The end of a run, for people.

use std::io::{self, Write};

use super::{LoggedEntry, RunLog};
use crate::diagnostic::words::{counted, escaped, grouped};
use crate::submission::Outcome;

/// Entries that failed and are listed.
const LISTED: usize = 10;

/// Writes what became of the entries.
///
/// # Errors
/// Where the writer fails.
pub fn write(log: &RunLog, mut out: impl Write) -> io::Result<()> {
    let counts = log.counts();
    failures(log, &mut out)?;
    let mut parts = Vec::new();
    for outcome in Outcome::ALL {
        let count = counts.of(outcome);
        let always = outcome == Outcome::Created;
        if count > 0 || always {
            let colour = match outcome {
                Outcome::Created | Outcome::Recovered | Outcome::Updated if count > 0 => "\x1b[32m",
                Outcome::Existed | Outcome::Created | Outcome::Recovered | Outcome::Updated => "",
                Outcome::Pending | Outcome::Differs => "\x1b[33m",
                _ => "\x1b[31m",
            };
            let end = if colour.is_empty() { "" } else { "\x1b[0m" };
            parts.push(format!("{colour}{outcome} {}{end}", grouped(count as u64)));
        }
    }
    let total = counted(counts.total(), "artifact");
    writeln!(out, "{total}: {}", parts.join(", "))?;
    if log.known > 0 {
        let known = grouped(log.known as u64);
        writeln!(out, "{known} by the journal, without a request; `--recheck` asks the target")?;
    }
    let made = counts.of(Outcome::Created);
    if let Some(target) = &log.target {
        let seconds = log.sending.as_secs_f64();
        let rate = if made > 0 && seconds > 0.0 {
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let rate = made as f64 / seconds;
            format!(", {rate:.1} created a second")
        } else {
            String::new()
        };
        writeln!(out, "{} ({seconds:.2} s{rate})", escaped(&target.to_string()))?;
    }
    out.flush()
}

fn failures(log: &RunLog, out: &mut impl Write) -> io::Result<()> {
    let failed = |entry: &&LoggedEntry| {
        use Outcome as O;
        matches!(entry.outcome, O::Rejected | O::Conflict | O::Unresolved | O::Differs)
    };
    let count = log.entries.iter().filter(failed).count();
    for entry in log.entries.iter().filter(failed).take(LISTED) {
        let name = entry.name.as_deref().or(entry.source_uri.as_deref()).unwrap_or_default();
        let error = entry.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        writeln!(
            out,
            "\x1b[31m{}\x1b[0m {}:{}: {}{}",
            entry.outcome,
            escaped(&entry.file),
            entry.line,
            escaped(name),
            escaped(&error)
        )?;
    }
    if count > LISTED {
        writeln!(
            out,
            "and {} more; `--report FILE.json` lists them all",
            grouped((count - LISTED) as u64)
        )?;
    }
    if count > 0 {
        writeln!(out)?;
    }
    Ok(())
}
