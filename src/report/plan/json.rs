//! A plan as JSON, its shape fixed by `version`.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::spool::Spool;
use super::{Counts, Form, Group, Groups, Heading, Shown};
use crate::artifact::Difference;
use crate::plan::{Fate, Gone, Planned};
use crate::report::run::row::shown_target;
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

/// The lists of a plan, as they grow.
#[derive(Debug, Default)]
pub(super) struct Json {
    gone: Values,
    entries: Values,
}

/// The values of an array.
#[derive(Debug, Default)]
struct Values {
    text: Spool,
    any: bool,
}

impl Values {
    /// Adds a value, with `space` in front of it.
    fn add(&mut self, space: &str, value: &impl Serialize) -> io::Result<()> {
        if std::mem::replace(&mut self.any, true) {
            self.text.write_all(b",")?;
        }
        self.text.write_all(space.as_bytes())?;
        serde_json::to_writer(&mut self.text, value).map_err(io::Error::from)
    }
}

impl Form for Json {
    fn entry(&mut self, groups: Groups, entry: &Planned<'_>) -> io::Result<()> {
        let mut row = Row {
            action: groups.main.as_str(),
            file: entry.file,
            line: entry.line,
            name: entry.name.map(redacted),
            source_uri: entry.source_uri.map(redacted),
            arn: None,
            differences: Vec::new(),
            conflict: None,
            error: None,
            needs_recheck: false,
        };
        if let Some(item) = entry.item {
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
        self.entries.add("\n", &row)
    }

    fn gone(&mut self, gone: &Gone) -> io::Result<()> {
        let row = json!({
            "file": &*gone.file,
            "line": gone.line,
            "name": gone.name.as_deref().map(redacted),
            "source_uri": redacted(&gone.uri),
            "arn": gone.arn,
        });
        self.gone.add("", &row)
    }

    fn write(
        self: Box<Self>,
        heading: &Heading<'_>,
        counts: &Counts,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let count = |group: Group| (group.as_str().to_owned(), counts.of(group).into());
        let calls = heading.plan.calls;
        let numbers = json!({
            "calls": { "create": calls.create, "update": calls.update, "ask": calls.ask },
            "counts": Map::from_iter(Group::ALL.map(count)),
        });
        let rest = json!({
            "seconds": heading.time().map(|time| time.as_secs_f64().ceil()),
            "target": shown_target(heading.target),
            "version": VERSION,
        });
        let (numbers, rest) = (numbers.to_string(), rest.to_string());
        write!(out, "{},\"gone\":[", numbers.strip_suffix('}').unwrap_or(&numbers))?;
        self.gone.text.copy(out)?;
        let rest = rest.strip_prefix('{').unwrap_or(&rest);
        write!(out, "],{},\"entries\":[", rest.strip_suffix('}').unwrap_or(rest))?;
        self.entries.text.copy(out)?;
        writeln!(out, "{}]}}", if self.entries.any { "\n" } else { "" })
    }
}

/// `updates` is true if an import changes it.
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
