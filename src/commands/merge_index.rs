//! `lineload merge-index`

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::failure::Failure;
use super::reports::{self, Asked};
use super::settings::Settings;
use super::terminal::human_options;
use crate::check::{self, Duplicate, Summary};
use crate::cli::{Global, Manifests, MergeIndex};
use crate::config::FailOn;
use crate::destination;
use crate::diagnostic::{Diagnostic, MAX_PER_FILE, Severity, Unlisted};
use crate::exit::Exit;
use crate::report::output::OutputError;
use crate::report::{FindingsReport, human};
use crate::shards::{self, IndexError};
use crate::source::{FileId, SourceStore};
use crate::text::shell_word;

pub(super) fn run(global: &Global, args: &MergeIndex) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let settings = Settings::load(global)?;
    let outputs = args.output.iter().map(|output| output.file.as_path());
    destination::check_all(outputs, args.indexes.iter().cloned())?;
    let fail_on = args.fail_on.or(settings.config.fail_on).unwrap_or(FailOn::Error);
    let merged = shards::merge(&args.indexes)?;
    let words = args.indexes.iter().map(|index| shell_word(&index.display().to_string()));
    let command = format!("lineload merge-index {}", words.collect::<Vec<_>>().join(" "));
    let options = human_options(global, args.all, command, &Manifests::none());
    let report = reports::findings_report(
        global,
        &settings,
        Asked {
            format: args.format,
            outputs: &args.output,
            human: human::Options { can_fix: false, ..options },
            warnings_fail: fail_on == FailOn::Warning,
        },
    )?;
    let mut showing = Showing::new(report);
    merged.each(|placed| showing.add(placed).map_err(Failed::Output))?;
    showing.show().map_err(OutputError)?;
    let Showing { mut report, store, errors, warnings, .. } = showing;
    let (files, artifacts) = (merged.files, merged.artifacts);
    // Whether they are valid otherwise, each shard has said.
    let summary =
        Summary { files, artifacts, valid: artifacts, errors, warnings, ..Summary::default() };
    report.finish(&summary, &store, begun.elapsed()).map_err(OutputError)?;
    let found = match fail_on {
        FailOn::Error => errors,
        FailOn::Warning => errors + warnings,
        FailOn::Never => 0,
    };
    Ok(if found > 0 { Exit::Findings } else { Exit::Success })
}

/// The reason why findings were not shown.
enum Failed {
    Index(IndexError),
    Output(std::io::Error),
}

impl From<IndexError> for Failed {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Index(error) => error.into(),
            Failed::Output(error) => OutputError(error).into(),
        }
    }
}

/// Findings on their way to a report, file by file.
struct Showing {
    report: Box<dyn FindingsReport>,
    /// The names of files with findings, and of those that they lead to. Their text is not shown: it may
    /// be on another machine.
    store: SourceStore,
    ids: HashMap<Arc<str>, FileId>,
    findings: Vec<Diagnostic>,
    /// The number of findings of the same file that were not kept.
    unlisted: Unlisted,
    errors: usize,
    warnings: usize,
}

impl Showing {
    fn new(report: Box<dyn FindingsReport>) -> Self {
        let (store, ids) = (SourceStore::default(), HashMap::new());
        let (findings, unlisted) = (Vec::new(), Unlisted::default());
        Self { report, store, ids, findings, unlisted, errors: 0, warnings: 0 }
    }

    fn add(&mut self, placed: shards::Placed) -> std::io::Result<()> {
        let file = self.id(&placed.file);
        if self.findings.last().is_some_and(|last| last.file != file) {
            self.show()?;
        }
        let (first, region) = placed.first;
        match placed.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.findings.len() >= 2 * MAX_PER_FILE {
            self.unlisted.add(placed.severity);
            return Ok(());
        }
        let duplicate = Duplicate {
            what: placed.what,
            file,
            artifact: Some(placed.artifact),
            written: placed.written,
            severity: placed.severity,
            first: (self.id(&first), region),
        };
        self.findings.push(duplicate.finding());
        Ok(())
    }

    fn id(&mut self, name: &str) -> FileId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let name: Arc<str> = Arc::from(name);
        let id = self.store.add(Arc::clone(&name), None);
        self.ids.insert(name, id);
        id
    }

    /// Shows the findings of the last file.
    fn show(&mut self) -> std::io::Result<()> {
        let mut findings = std::mem::take(&mut self.findings);
        let mut unlisted = std::mem::take(&mut self.unlisted);
        let Some(file) = findings.first().map(|finding| finding.file) else { return Ok(()) };
        check::limit(file, &mut findings, &mut unlisted);
        self.report.file(&findings, &self.store)
    }
}
