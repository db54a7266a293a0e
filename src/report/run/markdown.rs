//! The report of an import as Markdown, for a comment, an issue or the summary of a job.
//!
//! Every text that is not lineload's own stands in a code span: there nothing is markup, a link, a
//! mention or the number of an issue, and no escape is needed. Such texts are in lists, since a table
//! has rules of its own for what it finds in a code span.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::row::{Row, shown_target};
use super::rows::Rows;
use super::{LoggedEntry, RunLog, words};
use crate::report::markdown::code;
use crate::submission::{Outcome, RunKind};
use crate::text::{self, counted, duration, grouped};

/// GitHub takes no longer comment than 65,536 characters. Bytes, which are at least as many.
const LONGEST: usize = 65_000;
/// Kept of it for the last line.
const LAST: usize = 200;

/// Writes the report.
///
/// # Errors
/// If the writer fails, or the rows cannot be read.
pub fn write(log: &RunLog, rows: &dyn Rows, mut out: impl Write) -> io::Result<()> {
    let mut text = head(log);
    let failed = log.counts().failed();
    if failed > 0 {
        text.push_str(&format!("\n#### {} failed\n\n", grouped(failed as u64)));
    }
    let mut listed = 0;
    rows.for_each_failed(&mut |entry| {
        let item = item(entry);
        if text.len() + item.len() > LONGEST - LAST {
            return Ok(ControlFlow::Break(()));
        }
        text.push_str(&item);
        listed += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    if failed > listed {
        let more = grouped((failed - listed) as u64);
        text.push_str(&format!("\nand {more} more; `--report FILE.json` lists them all\n"));
    }
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn head(log: &RunLog) -> String {
    let counts = log.counts();
    let total = counted(counts.total(), "artifact");
    let mut text = format!("### lineload {}: {total}\n\n", log.kind.as_str());
    if let Some(target) = &log.target {
        let to = if log.kind == RunKind::Delete { "At" } else { "To" };
        text.push_str(&format!("{to} {}. ", code(&shown_target(target).to_string())));
    }
    let took = duration(log.took());
    text.push_str(&format!("Started {}, took {took}.", words::moment(log.started)));
    if let Some(rate) = log.done_a_second() {
        let done = if log.kind == RunKind::Delete { "Deleted" } else { "Created" };
        text.push_str(&format!(" {done} {}/s on average.", text::rate(rate)));
    }
    let now = log.earlier.map(|_| log.counts_now());
    text.push_str(match now {
        Some(_) => "\n\n| outcome | now | in all |\n|---|---:|---:|\n",
        None => "\n\n| outcome | artifacts |\n|---|---:|\n",
    });
    for outcome in Outcome::ALL {
        let count = counts.of(outcome);
        if count == 0 && outcome != log.kind.outcome() {
            continue;
        }
        let now = now.map(|now| format!("{} | ", grouped(now.of(outcome) as u64)));
        let now = now.unwrap_or_default();
        text.push_str(&format!("| {outcome} | {now}{} |\n", grouped(count as u64)));
    }
    let notes = words::notes(log);
    if !notes.is_empty() {
        text.push('\n');
    }
    for note in notes {
        text.push_str(&format!("- {note}\n"));
    }
    text
}

fn item(entry: &LoggedEntry) -> String {
    let row = Row::of(entry);
    let place = code(&format!("{}:{}", row.file, row.line));
    let mut item = format!("- {place} {} **{}**", code(row.title()), row.outcome);
    let said = row.said();
    if !said.is_empty() {
        item.push_str(&format!(": {}", code(&said)));
    }
    item.push('\n');
    item
}
