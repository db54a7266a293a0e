//! A plan as Markdown, for a comment on a pull request.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::faults::Fault;
use super::{Group, Report, Shown, called};
use crate::plan::{Fate, Item};
use crate::report::markdown::code;
use crate::report::run::row::shown_target;
use crate::text::{grouped, redacted};

/// The most characters of the whole: a comment on GitHub takes 65,536.
const MOST: usize = 65_000;
/// Of these, what is kept for the line that says how many are left out.
const TAIL: usize = 200;

/// Writes the plan.
///
/// # Errors
/// If the writer fails.
pub fn write(report: &Report<'_>, mut out: impl Write) -> io::Result<()> {
    let mut text = String::from("### lineload plan\n\n");
    if let Some(target) = &report.log.target {
        let _ = writeln!(text, "{}\n", code(&shown_target(target).to_string()));
    }
    let _ = writeln!(text, "{}\n\n| | artifacts |\n|---|---:|", sentence(&report.cost()));
    for group in Group::ALL {
        let count = report.count(group);
        if count > 0 {
            let _ = writeln!(text, "| {} | {} |", group.label(), grouped(count as u64));
        }
    }
    let mut length = text.chars().count();
    let groups = [
        Group::Conflict,
        Group::Unknown,
        Group::Differs,
        Group::Gone,
        Group::Invalid,
        Group::Create,
    ];
    for group in groups {
        let (lines, all) = lines(report, group);
        if lines.is_empty() {
            continue;
        }
        let heading = format!("\n<details><summary>{}</summary>\n\n", group.label());
        let close = "\n</details>\n";
        if length + heading.len() + close.len() + TAIL > MOST {
            break;
        }
        text.push_str(&heading);
        length += heading.len() + close.len();
        for (at, line) in lines.iter().enumerate() {
            let chars = line.chars().count();
            if length + chars + TAIL > MOST {
                let _ = writeln!(text, "- and {} more", grouped((all - at) as u64));
                length = MOST;
                break;
            }
            text.push_str(line);
            length += chars;
        }
        if length < MOST && all > lines.len() {
            let _ = writeln!(text, "- and {} more", grouped((all - lines.len()) as u64));
        }
        text.push_str(close);
    }
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Returns `text` with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// Returns the lines of a group, and how many there would be of all that is in it.
fn lines(report: &Report<'_>, group: Group) -> (Vec<String>, usize) {
    let lines: Vec<String> = match group {
        Group::Invalid => {
            let lines: Vec<_> = report.faults.first().iter().map(fault).collect();
            return (lines, report.faults.all());
        }
        Group::Gone => gone(report),
        group => report.items(group).filter_map(|item| line(report, item)).collect(),
    };
    let all = lines.len();
    (lines, all)
}

fn fault(fault: &Fault) -> String {
    let line = fault.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!(
        "- **{}** {}: {}\n",
        fault.code,
        code(&format!("{}{line}", fault.file)),
        code(&redacted(&fault.message))
    )
}

fn gone(report: &Report<'_>) -> Vec<String> {
    let line = |one: &crate::plan::Gone| {
        let name = code(&called(one.name.as_deref(), Some(&one.uri)));
        let place = code(&format!("{}:{}", one.file, one.line));
        format!("- {name} ({place}), {}\n", code(&one.arn))
    };
    report.plan.gone.iter().map(line).collect()
}

fn line(report: &Report<'_>, item: &Item) -> Option<String> {
    let entry = report.entry(item)?;
    let name = code(&called(entry.name.as_deref(), entry.source_uri.as_deref()));
    let mut line = format!("- {name} ({})", code(&format!("{}:{}", entry.file, entry.line)));
    match &item.fate {
        Fate::Unknown { reason } => {
            let _ = write!(line, ": {}", code(&redacted(&reason.to_string())));
        }
        Fate::Differs { differences, .. } => {
            for one in differences {
                let there = Shown::of(one, one.there.as_ref()).in_words(code);
                let here = Shown::of(one, one.here.as_ref()).in_words(code);
                let _ = write!(line, "\n  - {}: {there} → {here}", code(&one.field.to_string()));
            }
        }
        Fate::Create | Fate::Exists => {}
    }
    if let Some(uri) = &item.name_also_at {
        let _ = write!(line, "\n  - the name is also that of {}", code(&redacted(uri)));
    }
    if item.unseen {
        line.push_str("\n  - settled according to the journal; `import --recheck` asks");
    }
    line.push('\n');
    Some(line)
}
