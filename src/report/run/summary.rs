//! The end of a run, for people.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::places::Places;
use super::row::{Row, shown_target};
use super::rows::Rows;
use super::{Counts, RunLog, words};
use crate::submission::{Outcome, RunKind};
use crate::text::{self, counted, duration, escaped, grouped};

/// Entries that failed and are listed.
const LISTED: usize = 10;

/// Writes what became of the entries that `log` holds.
///
/// # Errors
/// If the writer fails.
pub fn write(log: &RunLog, out: impl Write) -> io::Result<()> {
    write_rows(log, log, None, out)
}

/// Writes what became of the entries `rows`, with what the service says about a field at its place in
/// the manifest, where `places` finds it.
///
/// # Errors
/// If the writer fails, or the rows cannot be read.
pub fn write_rows(
    log: &RunLog,
    rows: &dyn Rows,
    places: Option<&Places>,
    mut out: impl Write,
) -> io::Result<()> {
    failures(log, rows, places, &mut out)?;
    counts(log, &mut out)?;
    notes(log, &mut out)?;
    if let Some(target) = &log.target {
        let (rate, done) = (log.done_a_second(), log.kind.outcome());
        let rate = rate.map(|rate| format!(", {done} {}/s on average", text::rate(rate)));
        let started = log.earlier.and_then(|earlier| earlier.started);
        let started = started.map(|started| format!("; the run began {}", words::moment(started)));
        writeln!(
            out,
            "{} (took {}{}{})",
            escaped(&shown_target(target).to_string()),
            duration(log.took()),
            rate.unwrap_or_default(),
            started.unwrap_or_default()
        )?;
    }
    out.flush()
}

/// Writes the counts alone, for somebody who wants to read no more than that.
///
/// # Errors
/// If the writer fails.
pub fn brief(log: &RunLog, mut out: impl Write) -> io::Result<()> {
    counts(log, &mut out)?;
    out.flush()
}

/// Writes how many entries came to which end; of a run that was resumed, now and in all.
fn counts(log: &RunLog, out: &mut impl Write) -> io::Result<()> {
    let total = counted(log.counts().total(), "artifact");
    if log.earlier.is_none() {
        return writeln!(out, "{total}: {}", outcomes(log.kind, &log.counts()));
    }
    let now = log.counts_now();
    writeln!(out, "now: {}", outcomes(log.kind, &now.without(Outcome::Pending)))?;
    writeln!(out, "in all {total}: {}", outcomes(log.kind, &log.counts()))
}

fn outcomes(kind: RunKind, counts: &Counts) -> String {
    let mut parts = Vec::new();
    for outcome in Outcome::ALL {
        let count = counts.of(outcome);
        let always = outcome == kind.outcome();
        if count > 0 || always {
            let colour = match outcome {
                one if one.is_written() && count > 0 => "\x1b[32m",
                one if one.is_written() || one == Outcome::Existed => "",
                Outcome::Pending | Outcome::Differs => "\x1b[33m",
                _ => "\x1b[31m",
            };
            let end = if colour.is_empty() { "" } else { "\x1b[0m" };
            parts.push(format!("{colour}{outcome} {}{end}", grouped(count as u64)));
        }
    }
    parts.join(", ")
}

fn notes(log: &RunLog, out: &mut impl Write) -> io::Result<()> {
    if log.known > 0 {
        let known = grouped(log.known as u64);
        writeln!(
            out,
            "{known} already existed according to the journal; `--recheck` asks the target"
        )?;
    }
    if log.unseen > 0 {
        let unseen = grouped(log.unseen as u64);
        writeln!(
            out,
            "{unseen} compared by name and type only; without `--check-drift=never` every field is \
             compared"
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
    Ok(())
}

fn failures(
    log: &RunLog,
    rows: &dyn Rows,
    places: Option<&Places>,
    out: &mut impl Write,
) -> io::Result<()> {
    let count = log.counts().failed();
    if count == 0 {
        return Ok(());
    }
    let mut listed = 0;
    rows.for_each_failed(&mut |entry| {
        if listed == LISTED {
            return Ok(ControlFlow::Break(()));
        }
        listed += 1;
        let row = Row::of(entry);
        if let Some(text) = places.and_then(|places| places.show(entry, &row)) {
            writeln!(out, "{text}")?;
            return Ok(ControlFlow::Continue(()));
        }
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
        Ok(ControlFlow::Continue(()))
    })?;
    if count > listed {
        writeln!(
            out,
            "and {} more; `--report FILE.json` lists them all",
            grouped((count - listed) as u64)
        )?;
    }
    writeln!(out)
}
