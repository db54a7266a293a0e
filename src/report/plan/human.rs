//! A plan for people.

use std::io::{self, Write};

use super::spool::Spool;
use super::{Counts, Form, Group, Groups, Heading, Shown, called};
use crate::plan::{Fate, Gone, Item, Planned};
use crate::report::run::row::shown_target;
use crate::run::change::OnExists;
use crate::text::{escaped, grouped, quoted, redacted};

/// Artifacts of a group that are listed.
const LISTED: usize = 20;

/// The groups whose artifacts are listed, in this order, before those that are gone.
const SECTIONS: [Group; 4] = [Group::Conflict, Group::Unknown, Group::Differs, Group::Create];

/// The lists of a plan, as they grow.
#[derive(Debug)]
pub(super) struct Human {
    /// The most artifacts of a group that are listed.
    most: usize,
    /// By the order of `SECTIONS`.
    sections: [Section; SECTIONS.len()],
    gone: Section,
}

/// The artifacts of a group.
#[derive(Debug, Default)]
struct Section {
    listed: usize,
    text: Spool,
}

impl Human {
    pub(super) fn new(all: bool) -> Self {
        let most = if all { usize::MAX } else { LISTED };
        Self { most, sections: Default::default(), gone: Section::default() }
    }
}

impl Section {
    /// Returns where the next artifact is written, unless enough are listed.
    fn next(&mut self, most: usize) -> Option<&mut Spool> {
        let free = self.listed < most;
        self.listed += usize::from(free);
        free.then_some(&mut self.text)
    }
}

impl Form for Human {
    fn entry(&mut self, groups: Groups, entry: &Planned<'_>) -> io::Result<()> {
        let Some(item) = entry.item else { return Ok(()) };
        for group in groups.iter() {
            let section = SECTIONS.iter().position(|one| *one == group);
            let section = section.map(|at| &mut self.sections[at]);
            let Some(out) = section.and_then(|section| section.next(self.most)) else { continue };
            one(entry, item, out)?;
            if group == Group::Conflict
                && let Some(uri) = &item.name_also_at
            {
                writeln!(out, "      the name is also that of {}", escaped(&redacted(uri)))?;
            }
        }
        Ok(())
    }

    fn gone(&mut self, gone: &Gone) -> io::Result<()> {
        let Some(out) = self.gone.next(self.most) else { return Ok(()) };
        let colour = colour(Group::Gone);
        let name = escaped(&called(gone.name.as_deref(), Some(&gone.uri)));
        let place = format!("{}:{}", escaped(&gone.file), gone.line);
        writeln!(out, "  {colour}-\x1b[0m {name}  \x1b[2m{place}, {}\x1b[0m", escaped(&gone.arn))
    }

    fn write(
        self: Box<Self>,
        heading: &Heading<'_>,
        counts: &Counts,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let target = shown_target(heading.target).to_string();
        writeln!(out, "\x1b[1m{}\x1b[0m", escaped(&target))?;
        writeln!(out, "{}\n", heading.cost())?;
        for group in Group::ALL {
            let count = counts.of(group);
            if count > 0 {
                let (colour, end) = (colour(group), "\x1b[0m");
                writeln!(out, "{colour}{:>9}{end}  {}", grouped(count as u64), group.label())?;
            }
        }
        if heading.on_exists == OnExists::Fail && counts.of(Group::Exists) > 0 {
            writeln!(
                out,
                "with `--on-exists fail`, what already exists is a failure, except what this \
                 journal's runs created"
            )?;
        }
        writeln!(out)?;
        for (group, section) in SECTIONS.into_iter().zip(self.sections) {
            let title = format!("{}\x1b[0m{}", group.label(), explained(group, heading.on_exists));
            list(group, &title, section, counts.of(group), out)?;
        }
        let title = "gone\x1b[0m from the manifests, created by earlier imports; `lineload delete \
                     --gone` deletes them";
        list(Group::Gone, title, self.gone, counts.of(Group::Gone), out)
    }
}

const fn colour(group: Group) -> &'static str {
    match group {
        Group::Create => "\x1b[32m",
        Group::Exists => "\x1b[2m",
        Group::Differs | Group::Gone => "\x1b[33m",
        Group::Conflict | Group::Unknown | Group::Invalid => "\x1b[31m",
    }
}

/// Lists a group of `count` artifacts.
fn list(
    group: Group,
    title: &str,
    section: Section,
    count: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "{}{title}", colour(group))?;
    let listed = section.listed;
    section.text.copy(out)?;
    if count > listed {
        let more = grouped((count - listed) as u64);
        writeln!(out, "  and {more} more; `--all` lists them")?;
    }
    writeln!(out)
}

/// Returns what is to be known of a group.
const fn explained(group: Group, on_exists: OnExists) -> &'static str {
    match (group, on_exists) {
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

fn one(entry: &Planned<'_>, item: &Item, out: &mut impl Write) -> io::Result<()> {
    let name = escaped(&called(entry.name, entry.source_uri));
    let place = format!("{}:{}", escaped(entry.file), entry.line);
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
