//! The checks of a target, for people and as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::run::row::shown_target;
use crate::doctor::{Check, QuotaUse, State};
use crate::submission::Target;
use crate::text::{counted, escaped, redacted};

/// The operations that only `--write` tries.
const WRITES: &str = "CreateArtifact, UpdateArtifact, AddTags, DeleteTags and DeleteArtifact";

/// Writes `checks` of `target` for people. `wrote` says whether changes were tried.
///
/// # Errors
/// If `out` cannot be written.
pub fn human(
    mut out: impl Write,
    target: &Target,
    checks: &[Check],
    wrote: bool,
) -> io::Result<()> {
    writeln!(out, "{}", shown(&target.to_string()))?;
    if let Target::Aws { caller, .. } = target {
        let caller = if caller.is_empty() { "unknown" } else { caller };
        writeln!(out, "caller: {}", shown(caller))?;
    }
    writeln!(out)?;
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in checks {
        let (colour, state) = match check.state {
            State::Ok => ("32", "ok"),
            State::Warning => ("33", "warning"),
            State::Error => ("31", "error"),
            State::Skipped => ("2", "skipped"),
        };
        let (name, found) = (check.name, shown(&check.found));
        writeln!(out, "\x1b[1;{colour}m{state:<7}\x1b[0m  {name:<width$}  {found}")?;
        for help in &check.help {
            writeln!(out, "{:9}\x1b[36mhelp:\x1b[0m {}", "", shown(help))?;
        }
    }
    let number = |state| checks.iter().filter(|check| check.state == state).count();
    writeln!(
        out,
        "\n{} ok, {}, {}",
        number(State::Ok),
        counted(number(State::Warning), "warning"),
        counted(number(State::Error), "error"),
    )?;
    if !wrote {
        writeln!(out, "not tried: {WRITES}, and what the target refuses; add `--write`")?;
    }
    out.flush()
}

#[derive(Serialize)]
struct Document<'d> {
    version: u8,
    lineload: &'static str,
    target: Target,
    wrote: bool,
    checks: Vec<Line<'d>>,
}

#[derive(Serialize)]
struct Line<'d> {
    name: &'static str,
    state: State,
    found: String,
    /// The measured time.
    seconds: Option<f64>,
    code: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaUse>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_second: Option<f64>,
    help: Vec<String>,
}

/// Writes `checks` of `target` as JSON.
///
/// # Errors
/// If `out` cannot be written.
pub fn json(mut out: impl Write, target: &Target, checks: &[Check], wrote: bool) -> io::Result<()> {
    let mut lines = Vec::new();
    for check in checks {
        lines.push(Line {
            name: check.name,
            state: check.state,
            found: redacted(&check.found).into_owned(),
            seconds: check.time.map(|time| time.as_secs_f64()),
            code: check.code.as_deref(),
            quota: check.quota,
            per_second: check.per_second,
            help: check.help.iter().map(|help| redacted(help).into_owned()).collect(),
        });
    }
    let document = Document {
        version: 1,
        lineload: env!("CARGO_PKG_VERSION"),
        target: shown_target(target),
        wrote,
        checks: lines,
    };
    serde_json::to_writer_pretty(&mut out, &document)?;
    writeln!(out)?;
    out.flush()
}

fn shown(text: &str) -> String {
    escaped(&redacted(text))
}
