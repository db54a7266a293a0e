//! A plan for people.

use std::io::{self, Write};

use super::{Group, Report, Shown, called};
use crate::plan::{Fate, Item};
use crate::report::run::row::shown_target;
use crate::run::change::OnExists;
use crate::text::{escaped, grouped, quoted, redacted};

/// Artifacts of a group that are listed.
const LISTED: usize = 20;

/// Writes the plan.
///
/// # Errors
/// If the writer fails.
pub fn write(report: &Report<'_>, mut out: impl Write) -> io::Result<()> {
    if let Some(target) = &report.log.target {
        writeln!(out, "\x1b[1m{}\x1b[0m", escaped(&shown_target(target).to_string()))?;
    }
    writeln!(out, "{}\n", report.cost())?;
    for group in Group::ALL {
        let count = report.count(group);
        if count > 0 {
            let (colour, end) = (colour(group), "\x1b[0m");
            writeln!(out, "{colour}{:>9}{end}  {}", grouped(count as u64), group.label())?;
        }
    }
    if report.on_exists == OnExists::Fail && report.count(Group::Exists) > 0 {
        writeln!(
            out,
            "with `--on-exists fail`, what already exists is a failure, except what this journal's \
             runs created"
        )?;
    }
    writeln!(out)?;
    let listed = [Group::Conflict, Group::Unknown, Group::Differs, Group::Create];
    for group in listed {
        list(report, group, &mut out)?;
    }
    gone(report, &mut out)?;
    out.flush()
}

const fn colour(group: Group) -> &'static str {
    match group {
        Group::Create => "\x1b[32m",
        Group::Exists => "\x1b[2m",
        Group::Differs | Group::Gone => "\x1b[33m",
        Group::Conflict | Group::Unknown | Group::Invalid => "\x1b[31m",
    }
}

fn list(report: &Report<'_>, group: Group, out: &mut impl Write) -> io::Result<()> {
    let count = report.count(group);
    if count == 0 {
        return Ok(());
    }
    let name = group.label();
    writeln!(out, "{}{name}\x1b[0m{}", colour(group), explained(report, group))?;
    let most = if report.all { usize::MAX } else { LISTED };
    for item in report.items(group).take(most) {
        one(report, item, out)?;
        if group == Group::Conflict
            && let Some(uri) = &item.name_also_at
        {
            writeln!(out, "      the name is also that of {}", escaped(&redacted(uri)))?;
        }
    }
    more(count, most, out)
}

/// Returns what is to be known of a group.
const fn explained(report: &Report<'_>, group: Group) -> &'static str {
    match (group, report.on_exists) {
        (Group::Differs, OnExists::Update { .. }) => ": an import updates it where it can",
        (Group::Differs, OnExists::Fail) => ": a failure, with `--on-exists fail`",
        (Group::Differs, OnExists::Skip) => {
            ": an import leaves it; `--on-exists update` changes name, properties and tags"
        }
        (Group::Conflict, _) => {
            ": another source has the name too; created unless the service refuses that"
        }
        (Group::Unknown, _) => ": already exists, and could not be compared",
        _ => "",
    }
}

fn one(report: &Report<'_>, item: &Item, out: &mut impl Write) -> io::Result<()> {
    let Some(entry) = report.entry(item) else { return Ok(()) };
    let name = escaped(&called(entry.name.as_deref(), entry.source_uri.as_deref()));
    let place = format!("{}:{}", escaped(&entry.file), entry.line);
    let colour = colour(Group::of(&item.fate));
    let sign = match &item.fate {
        Fate::Create => "+",
        Fate::Differs { .. } => "~",
        Fate::Exists => "=",
        Fate::Unknown { .. } => "!",
    };
    let unseen = if item.unseen {
        "  (settled according to the journal; `import --recheck` asks)"
    } else {
        ""
    };
    write!(out, "  {colour}{sign}\x1b[0m {name}  \x1b[2m{place}\x1b[0m{unseen}")?;
    match &item.fate {
        Fate::Unknown { reason } => {
            writeln!(out, "\n      {}", escaped(&redacted(&reason.to_string())))
        }
        Fate::Differs { differences, change } => {
            writeln!(out)?;
            for one in differences {
                let there = Shown::of(one, one.there.as_ref()).in_words(quoted);
                let here = Shown::of(one, one.here.as_ref()).in_words(quoted);
                let stays = change.as_ref().is_some_and(|change| change.stay.contains(one));
                writeln!(
                    out,
                    "      {}: {there} -> {here}{}",
                    escaped(&one.field.to_string()),
                    if stays { "  (no update changes it)" } else { "" }
                )?;
            }
            Ok(())
        }
        Fate::Create | Fate::Exists => writeln!(out),
    }
}

fn gone(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let gone = &report.plan.gone;
    if gone.is_empty() {
        return Ok(());
    }
    let colour = colour(Group::Gone);
    writeln!(
        out,
        "{colour}gone\x1b[0m from the manifests, created by earlier imports; an import leaves them"
    )?;
    let most = if report.all { usize::MAX } else { LISTED };
    for one in gone.iter().take(most) {
        let name = escaped(&called(one.name.as_deref(), Some(&one.uri)));
        let place = format!("{}:{}", escaped(&one.file), one.line);
        writeln!(out, "  {colour}-\x1b[0m {name}  \x1b[2m{place}, {}\x1b[0m", escaped(&one.arn))?;
    }
    more(gone.len(), most, out)
}

fn more(count: usize, most: usize, out: &mut impl Write) -> io::Result<()> {
    if count > most {
        let more = grouped((count - most) as u64);
        writeln!(out, "  and {more} more; `--all` lists them")?;
    }
    writeln!(out)
}
