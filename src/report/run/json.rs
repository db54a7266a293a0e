//! The report of a run as JSON, its shape fixed by `version`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::RunLog;
use super::row::{Row, shown_target};
use crate::report::json::write_value;
use crate::submission::{Outcome, Target};

/// The version of the shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Head<'r> {
    version: u32,
    run: &'r str,
    target: Option<Target>,
    started: String,
    ended: String,
    counts: Map<String, Value>,
}

/// Writes the report.
///
/// # Errors
/// Where the writer fails.
pub fn write(log: &RunLog, mut out: impl Write) -> io::Result<()> {
    let counts = log.counts();
    let valid = counts.total() - counts.of(Outcome::Invalid);
    let mut counted = Map::new();
    counted.insert("valid".to_owned(), valid.into());
    for outcome in Outcome::ALL {
        counted.insert(outcome.to_string(), counts.of(outcome).into());
    }
    let head = Head {
        version: VERSION,
        run: &log.run,
        target: log.target.as_ref().map(shown_target),
        started: log.started.to_string(),
        ended: log.ended.to_string(),
        counts: counted,
    };
    let mut text = Vec::new();
    write_value(&mut text, &head)?;
    out.write_all(text.strip_suffix(b"}").unwrap_or(&text))?;
    out.write_all(b",\"entries\":[")?;
    for (at, entry) in log.entries.iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        write_value(&mut out, &Row::of(entry))?;
    }
    writeln!(out, "{}]}}", if log.entries.is_empty() { "" } else { "\n" })?;
    out.flush()
}
