//! The end of a run, for people.

use std::io::{self, Write};

use super::row::{Row, shown_target};
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
    if log.unseen > 0 {
        let unseen = grouped(log.unseen as u64);
        writeln!(
            out,
            "{unseen} compared by name and type only; without `--check-drift=never` every field is"
        )?;
    }
    if log.others > 0 {
        let others = counted(log.others, "artifact");
        writeln!(
            out,
            "\x1b[33m{others} created by somebody else since this run began: is another import \
             running?\x1b[0m"
        )?;
    }
    if let Some(target) = &log.target {
        let seconds = log.sending.as_secs_f64();
        let rate = log.created_a_second();
        let rate = rate.map(|rate| format!(", {rate:.1} created a second")).unwrap_or_default();
        writeln!(out, "{} ({seconds:.2} s{rate})", escaped(&shown_target(target).to_string()))?;
    }
    out.flush()
}

fn failures(log: &RunLog, out: &mut impl Write) -> io::Result<()> {
    let failed = |entry: &&LoggedEntry| entry.failed();
    let count = log.entries.iter().filter(failed).count();
    for entry in log.entries.iter().filter(failed).take(LISTED) {
        let row = Row::of(entry);
        let said = row.said();
        let colon = if said.is_empty() { "" } else { ": " };
        writeln!(
            out,
            "\x1b[31m{}\x1b[0m {}:{}: {}{colon}{}",
            row.outcome,
            escaped(row.file),
            row.line,
            escaped(row.title()),
            escaped(&said)
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
