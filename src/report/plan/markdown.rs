//! A plan as Markdown, for a comment on a pull request.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::faults::Fault;
use super::{Counts, Form, Group, Groups, Heading, Shown, called};
use crate::plan::{Fate, Gone, Item, Planned};
use crate::report::markdown::code;
use crate::report::run::row::shown_target;
use crate::text::{grouped, redacted};

/// The most characters of the whole: a comment on GitHub takes 65,536.
const MOST: usize = 65_000;
/// Of these, what is kept for the line that says how many are left out.
const TAIL: usize = 200;

/// The groups whose artifacts are listed, in this order.
const SECTIONS: [Group; 6] =
    [Group::Conflict, Group::Unknown, Group::Differs, Group::Gone, Group::Invalid, Group::Create];

/// The lists of a plan, as they grow.
#[derive(Debug, Default)]
pub(super) struct Markdown {
    /// By the order of `SECTIONS`.
    sections: [Section; SECTIONS.len()],
}

/// As many artifacts of a group as there is room for.
#[derive(Debug, Default)]
struct Section {
    lines: Vec<String>,
    chars: usize,
}

impl Markdown {
    fn section(&mut self, group: Group) -> Option<&mut Section> {
        let at = SECTIONS.iter().position(|one| *one == group)?;
        self.sections.get_mut(at)
    }

    fn add(&mut self, group: Group, line: impl FnOnce() -> String) {
        let Some(section) = self.section(group) else { return };
        if section.chars <= MOST {
            let line = line();
            section.chars += line.chars().count();
            section.lines.push(line);
        }
    }
}

impl Form for Markdown {
    fn entry(&mut self, groups: Groups, entry: &Planned<'_>) -> io::Result<()> {
        let Some(item) = entry.item else { return Ok(()) };
        for group in groups.iter() {
            self.add(group, || line(entry, item));
        }
        Ok(())
    }

    fn gone(&mut self, gone: &Gone) -> io::Result<()> {
        self.add(Group::Gone, || {
            let name = code(&called(gone.name.as_deref(), Some(&gone.uri)));
            let place = code(&format!("{}:{}", gone.file, gone.line));
            format!("- {name} ({place}), {}\n", code(&gone.arn))
        });
        Ok(())
    }

    fn write(
        mut self: Box<Self>,
        heading: &Heading<'_>,
        counts: &Counts,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut text = String::from("### lineload plan\n\n");
        let _ = writeln!(text, "{}\n", code(&shown_target(heading.target).to_string()));
        let _ = writeln!(text, "{}\n\n| | artifacts |\n|---|---:|", sentence(&heading.cost()));
        for group in Group::ALL {
            let count = counts.of(group);
            if count > 0 {
                let _ = writeln!(text, "| {} | {} |", group.label(), grouped(count as u64));
            }
        }
        if let Some(invalid) = self.section(Group::Invalid) {
            invalid.lines = heading.faults.first().iter().map(fault).collect();
        }
        let mut length = text.chars().count();
        for (group, Section { lines, .. }) in SECTIONS.into_iter().zip(self.sections) {
            if lines.is_empty() {
                continue;
            }
            let title = format!("\n<details><summary>{}</summary>\n\n", group.label());
            let close = "\n</details>\n";
            if length + title.len() + close.len() + TAIL > MOST {
                break;
            }
            text.push_str(&title);
            length += title.len() + close.len();
            let all = if group == Group::Invalid { heading.faults.all() } else { counts.of(group) };
            let mut listed = 0;
            for line in &lines {
                let chars = line.chars().count();
                if length + chars + TAIL > MOST {
                    length = MOST;
                    break;
                }
                text.push_str(line);
                length += chars;
                listed += 1;
            }
            if all > listed {
                let _ = writeln!(text, "- and {} more", grouped((all - listed) as u64));
            }
            text.push_str(close);
        }
        out.write_all(text.as_bytes())
    }
}

/// Returns `text` with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
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

fn line(entry: &Planned<'_>, item: &Item) -> String {
    let name = code(&called(entry.name, entry.source_uri));
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
    line
}
