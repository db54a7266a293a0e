//! The report of a run as JSON, its shape fixed by `version`.

use std::io::{self, Write};
use std::ops::ControlFlow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::row::{Row, shown_target};
use super::rows::Rows;
use super::{Counts, RunLog};
use crate::report::json::write_value;
use crate::submission::{Outcome, RunKind, Target};

/// The version of the shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Head<'r> {
    version: u32,
    run: &'r str,
    kind: &'static str,
    target: Option<Target>,
    started: String,
    ended: String,
    counts: Map<String, Value>,
    invocation: Invocation,
}

/// The present invocation, which is a part of a run that was resumed.
#[derive(Serialize)]
struct Invocation {
    started: String,
    seconds: f64,
    counts: Map<String, Value>,
}

/// Writes the report.
///
/// # Errors
/// If the writer fails, or the rows cannot be read.
pub fn write(log: &RunLog, rows: &dyn Rows, mut out: impl Write) -> io::Result<()> {
    let head = Head {
        version: VERSION,
        run: &log.run,
        kind: log.kind.as_str(),
        target: log.target.as_ref().map(shown_target),
        started: log.run_started().to_string(),
        ended: log.ended.to_string(),
        counts: counted(log.kind, &log.counts()),
        invocation: Invocation {
            started: log.started.to_string(),
            seconds: log.took().as_secs_f64(),
            counts: counted(log.kind, &log.counts_now()),
        },
    };
    let mut text = Vec::new();
    write_value(&mut text, &head)?;
    out.write_all(text.strip_suffix(b"}").unwrap_or(&text))?;
    out.write_all(b",\"entries\":[")?;
    let mut first = true;
    rows.for_each(&mut |entry| {
        out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
        write_value(&mut out, &Row::of(entry))?;
        Ok(ControlFlow::Continue(()))
    })?;
    writeln!(out, "{}]}}", if first { "" } else { "\n" })?;
    out.flush()
}

/// Returns the counts by outcome. An import has no `deleted`.
fn counted(kind: RunKind, counts: &Counts) -> Map<String, Value> {
    let valid = counts.total() - counts.of(Outcome::Invalid);
    let valid = std::iter::once(("valid".to_owned(), valid.into()));
    let is_shown = |one: &Outcome| *one != Outcome::Deleted || kind == RunKind::Delete;
    let outcomes = Outcome::ALL.into_iter().filter(is_shown);
    valid.chain(outcomes.map(|one| (one.to_string(), counts.of(one).into()))).collect()
}
