//! A plan as JSON, its shape fixed by `version`.

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::ControlFlow;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Group, Report, Shown};
use crate::artifact::Difference;
use crate::plan::{Fate, Gone};
use crate::report::run::row::shown_target;
use crate::report::run::rows::Rows as _;
use crate::submission::Outcome;
use crate::text::redacted;

/// The version of the shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Row<'r> {
    action: &'static str,
    file: &'r str,
    line: u32,
    name: Option<Cow<'r, str>>,
    source_uri: Option<Cow<'r, str>>,
    arn: Option<&'r str>,
    differences: Vec<Value>,
    /// The URI of the other source that has its name.
    conflict: Option<Cow<'r, str>>,
    error: Option<String>,
    /// Only an import with `--recheck` would see it.
    needs_recheck: bool,
}

/// Writes the plan.
///
/// # Errors
/// If the writer fails.
pub fn write(report: &Report<'_>, mut out: impl Write) -> io::Result<()> {
    let mut counts = Map::new();
    for group in Group::ALL {
        counts.insert(group.as_str().to_owned(), report.count(group).into());
    }
    let calls = report.plan.calls;
    let head = json!({
        "version": VERSION,
        "target": report.log.target.as_ref().map(shown_target),
        "calls": { "create": calls.create, "update": calls.update, "ask": calls.ask },
        "seconds": report.time().map(|time| time.as_secs_f64().ceil()),
        "counts": counts,
        "gone": report.plan.gone.iter().map(gone).collect::<Vec<_>>(),
    });
    let head = head.to_string();
    write!(out, "{},\"entries\":[", head.strip_suffix('}').unwrap_or(&head))?;
    let mut first = true;
    let mut write_row = |row: &Row<'_>| -> io::Result<()> {
        out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut out, row).map_err(io::Error::from)
    };
    let mut items = report.plan.items.iter().peekable();
    let mut at = 0;
    report.log.for_each(&mut |entry| {
        let number = at;
        at += 1;
        let mut row = Row {
            action: Group::Invalid.as_str(),
            file: &entry.file,
            line: entry.line,
            name: entry.name.as_deref().map(redacted),
            source_uri: entry.source_uri.as_deref().map(redacted),
            arn: None,
            differences: Vec::new(),
            conflict: None,
            error: None,
            needs_recheck: false,
        };
        if entry.outcome != Outcome::Invalid {
            let Some(item) = items.next_if(|item| item.entry.0 as usize == number) else {
                return Ok(ControlFlow::Continue(()));
            };
            row.action = Group::of(&item.fate).as_str();
            row.arn = item.arn.as_deref();
            row.needs_recheck = item.unseen;
            row.conflict = item.name_also_at.as_deref().map(redacted);
            match &item.fate {
                Fate::Unknown { reason } => {
                    row.error = Some(redacted(&reason.to_string()).into_owned());
                }
                Fate::Differs { differences, change } => {
                    let ends =
                        |one| change.as_ref().is_some_and(|change| change.ends.contains(one));
                    row.differences =
                        differences.iter().map(|one| difference(one, ends(one))).collect();
                }
                Fate::Create | Fate::Exists => {}
            }
        }
        write_row(&row)?;
        Ok(ControlFlow::Continue(()))
    })?;
    writeln!(out, "{}]}}", if first { "" } else { "\n" })?;
    out.flush()
}

/// `updates` tells whether an import changes it.
fn difference(one: &Difference, updates: bool) -> Value {
    let shown = |text: Option<&String>| match Shown::of(one, text) {
        Shown::Nothing => Value::Null,
        shown => Value::from(shown.in_words(str::to_owned)),
    };
    json!({
        "field": one.field.to_string(),
        "there": shown(one.there.as_ref()),
        "here": shown(one.here.as_ref()),
        "updates": updates,
    })
}

fn gone(one: &Gone) -> Value {
    json!({
        "file": one.file,
        "line": one.line,
        "name": one.name.as_deref().map(redacted),
        "source_uri": redacted(&one.uri),
        "arn": one.arn,
    })
}
