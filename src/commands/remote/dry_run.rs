//! `lineload import --dry-run`

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::SystemTime;

use super::checking::{check, human_report};
use super::ending::write_reports;
use crate::check::{Entries, Entry, EntryIndex};
use crate::cli::{Global, Import};
use crate::commands::failure::Failure;
use crate::commands::manifests::ManifestSet;
use crate::commands::settings::Settings;
use crate::diagnostic::Diagnostic;
use crate::exit::Exit;
use crate::journal::{Journal, NewRun};
use crate::report::output::{Output, OutputError};
use crate::report::run::RunLog;
use crate::report::run::rows::{JournalRows, Rows};
use crate::run::{Policy, Stage};
use crate::source::FileId;
use crate::submission::{Outcome, Target};
use crate::text::{counted, escaped, grouped};

/// Checks, and shows what would be submitted. Like a plan it stages the entries into a scratch
/// journal, if they are to be shown one by one.
pub(super) fn dry_run(
    global: &Global,
    args: &Import,
    settings: &Settings,
    policy: &Policy,
) -> Result<Exit, Failure> {
    let began = SystemTime::now();
    let report = human_report(global, &args.manifests);
    let manifest = ManifestSet::find(&args.manifests, settings)?;
    let each = global.verbose > 0;
    let mut scratch = (each || !args.run.report.is_empty()).then(Journal::scratch).transpose()?;
    let (types, ledger, checked) = {
        let stage = match &mut scratch {
            Some(journal) => {
                let run = NewRun { id: "dry run", command: "", folder: "", settings: "" };
                // Nothing is known of a target, and none is asked.
                let nowhere = Target::Local { registry: String::new(), file: String::new() };
                let staging = journal.begin(&run, &nowhere)?;
                Some(Stage::of_plan(staging, None, &manifest.sources, policy))
            }
            None => None,
        };
        let mut entries = Counting { types: Types::default(), stage };
        let checked = check(global, &args.manifests, settings, &manifest, report, &mut entries)?;
        let staged = entries.stage.map(Stage::finish).transpose()?;
        (entries.types, staged.map(|staged| staged.ledger).unwrap_or_default(), checked)
    };
    let rows = JournalRows { ledger: &ledger, journal: scratch.as_ref() };
    let out = Output::stdout(global.color.into());
    let nothing = args.require_valid && checked.errors > 0;
    let each: Option<&dyn Rows> = if each { Some(&rows) } else { None };
    show(out, &types, nothing, each).map_err(OutputError)?;
    let mut log = RunLog::counted(ledger.outcomes());
    log.begun_at(began);
    log.finish(None);
    write_reports(&log, &rows, &args.run.report)?;
    Ok(if checked.errors > 0 { Exit::Findings } else { Exit::Success })
}

/// Counts valid entries by their type, and passes all entries on, where they are staged.
struct Counting<'s, 'j> {
    types: Types,
    stage: Option<Stage<'s, 'j>>,
}

impl Entries for Counting<'_, '_> {
    fn entry(&mut self, entry: Entry) {
        self.types.add(entry.artifact.as_ref().map(|valid| &*valid.artifact.artifact_type));
        if let Some(stage) = &mut self.stage {
            stage.entry(entry);
        }
    }

    fn withdraw(&mut self, entry: EntryIndex) {
        self.types.withdraw(entry);
        if let Some(stage) = &mut self.stage {
            stage.withdraw(entry);
        }
    }

    fn file(&mut self, file: FileId, findings: &[Diagnostic]) {
        if let Some(stage) = &mut self.stage {
            stage.file(file, findings);
        }
    }
}

/// The types of valid entries, in four bytes an entry.
#[derive(Default)]
struct Types {
    /// The number of each type, from 0.
    numbers: HashMap<String, u32>,
    /// The number of valid entries of each.
    counts: Vec<usize>,
    /// The type of each entry, which may be withdrawn later; [`Types::INVALID`] if it is not valid.
    of: Vec<u32>,
}

impl Types {
    const INVALID: u32 = u32::MAX;

    /// Adds an entry with its type; `None` if it is not valid.
    fn add(&mut self, name: Option<&str>) {
        let number = name.map_or(Self::INVALID, |name| match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.counts.len()).unwrap_or(Self::INVALID);
                self.numbers.insert(name.to_owned(), number);
                self.counts.push(0);
                number
            }
        });
        if let Some(count) = self.counts.get_mut(number as usize) {
            *count += 1;
        }
        self.of.push(number);
    }

    /// Takes back an entry that looked valid.
    fn withdraw(&mut self, entry: EntryIndex) {
        let Some(number) = self.of.get_mut(entry.0 as usize) else { return };
        let number = std::mem::replace(number, Self::INVALID);
        if let Some(count) = self.counts.get_mut(number as usize) {
            *count -= 1;
        }
    }

    /// Returns each type with its number of valid entries, the most frequent first.
    fn by_count(&self) -> Vec<(&str, usize)> {
        let count = |number: u32| self.counts.get(number as usize).copied().unwrap_or_default();
        let types = self.numbers.iter().map(|(name, number)| (name.as_str(), count(*number)));
        let mut types: Vec<_> = types.filter(|(_, count)| *count > 0).collect();
        types.sort_unstable_by_key(|(name, count)| (Reverse(*count), *name));
        types
    }
}

/// Writes what would be created, by type, and with the rows of `each` also one by one.
fn show(
    mut out: impl Write,
    types: &Types,
    nothing: bool,
    each: Option<&dyn Rows>,
) -> io::Result<()> {
    if nothing {
        writeln!(
            out,
            "would send nothing: not every manifest is valid, and `--require-valid` is set"
        )?;
        return out.flush();
    }
    let types = types.by_count();
    let valid = types.iter().map(|(_, count)| count).sum();
    writeln!(out, "would create up to {}:", counted(valid, "artifact"))?;
    for (name, count) in types {
        writeln!(out, "  {:>8}  {}", grouped(count as u64), escaped(name))?;
    }
    if let Some(rows) = each {
        rows.for_each(&mut |entry| {
            if entry.outcome != Outcome::Invalid {
                let name = entry.name.as_deref().unwrap_or("-");
                let uri = entry.source_uri.as_deref().unwrap_or_default();
                writeln!(out, "  {}  {}", escaped(name), escaped(uri))?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withdrawn_entries_are_of_no_type() {
        let mut types = Types::default();
        for name in [Some("b"), Some("c"), None, Some("a"), Some("c"), Some("d"), Some("b")] {
            types.add(name);
        }
        for withdrawn in [0, 5, 5, 2, 99] {
            types.withdraw(EntryIndex(withdrawn));
        }
        assert_eq!(types.by_count(), [("c", 2), ("a", 1), ("b", 1)]);
    }
}
