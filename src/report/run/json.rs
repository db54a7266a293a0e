//! The report of a run as JSON, its shape fixed by `version`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{LoggedEntry, RunLog};
use crate::submission::{Outcome, Target};

/// The version of the shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Head<'r> {
    version: u32,
    run: &'r str,
    target: Option<&'r Target>,
    started: String,
    ended: String,
    counts: Map<String, Value>,
}

#[derive(Serialize)]
struct Row<'r> {
    file: &'r str,
    line: u32,
    name: Option<&'r str>,
    source_uri: Option<&'r str>,
    outcome: Outcome,
    arn: Option<&'r str>,
    attempts: u32,
    request_id: Option<&'r str>,
    error: Option<Error<'r>>,
}

#[derive(Serialize)]
struct Error<'r> {
    code: Option<&'r str>,
    message: &'r str,
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
        target: log.target.as_ref(),
        started: log.started.to_string(),
        ended: log.ended.to_string(),
        counts: counted,
    };
    let head = serde_json::to_string(&head)?;
    write!(out, "{},\"entries\":[", head.strip_suffix('}').unwrap_or(&head))?;
    for (at, entry) in log.entries.iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut out, &row(entry))?;
    }
    writeln!(out, "{}]}}", if log.entries.is_empty() { "" } else { "\n" })?;
    out.flush()
}

fn row(entry: &LoggedEntry) -> Row<'_> {
    Row {
        file: &entry.file,
        line: entry.line,
        name: entry.name.as_deref(),
        source_uri: entry.source_uri.as_deref(),
        outcome: entry.outcome,
        arn: entry.arn.as_deref(),
        attempts: entry.attempts,
        request_id: entry.request_id.as_deref(),
        error: entry
            .error
            .as_ref()
            .map(|refusal| Error { code: refusal.code.as_deref(), message: &refusal.message }),
    }
}
