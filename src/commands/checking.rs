//! The check as every command runs it: each finding is filtered, counted and shown.

mod rows;

use std::io;
use std::time::{Duration, Instant};

use super::baseline::KnownFindings;
use super::failure::Failure;
use super::filter::Filter;
use super::manifests::ManifestSet;
use super::settings::Settings;
use super::terminal::progress;
use crate::check::{self, Claimed, Entries, Entry, EntryIndex, Sink, Summary};
use crate::cli::{Global, Manifests};
use crate::diagnostic::{Diagnostic, Unlisted};
use crate::report::FindingsReport;
use crate::report::output::OutputError;
use crate::report::progress::CheckProgress;
use crate::shards::IndexWriter;
use crate::source::{FileId, SourceStore};

/// The consumer of a check: passes entries on and counts progress.
pub(super) struct Checking<'c> {
    pub(super) sources: &'c SourceStore,
    pub(super) report: &'c mut dyn FindingsReport,
    pub(super) progress: CheckProgress,
    pub(super) failed: Option<io::Error>,
    pub(super) entries: Option<&'c mut (dyn Entries + 'c)>,
    filter: &'c Filter,
    /// The summary of the findings that are reported.
    reported: Summary,
    /// The findings that are left out.
    known: Option<&'c mut KnownFindings>,
    index: Option<&'c mut IndexWriter>,
    /// The number of findings in lists, reported or not.
    listed: Unlisted,
}

impl Sink for Checking<'_> {
    fn entry(&mut self, entry: Entry) {
        if let Some(entries) = &mut self.entries {
            entries.entry(entry);
        }
    }

    fn withdraw(&mut self, entry: EntryIndex) {
        if let Some(entries) = &mut self.entries {
            entries.withdraw(entry);
        }
    }

    fn file(&mut self, file: FileId, findings: Vec<Diagnostic>, artifacts: usize) {
        if let Some(entries) = &mut self.entries {
            entries.file(file, &findings);
        }
        self.show(file, findings, artifacts);
    }

    fn progress(&mut self, artifacts: usize) {
        self.progress.artifacts(artifacts);
    }

    fn takes_claims(&self) -> bool {
        self.index.is_some()
    }

    fn claim(&mut self, claimed: Claimed) {
        if let Some(index) = &mut self.index {
            index.add(&self.sources.name(claimed.file), &claimed);
        }
    }
}

impl Checking<'_> {
    /// Shows the findings of a file.
    fn show(&mut self, file: FileId, mut findings: Vec<Diagnostic>, artifacts: usize) {
        self.progress.file();
        if !self.filter.takes_all() {
            findings.retain(|finding| self.filter.keeps(finding));
            if !findings.is_empty() || self.filter.covers(file) {
                self.reported.add(&findings, artifacts);
            }
        }
        if let Some(known) = &mut self.known {
            findings.iter().for_each(|finding| self.listed.add(finding.severity));
            known.take(file, &mut findings, self.filter, self.sources);
        }
        if self.failed.is_none() && !findings.is_empty() {
            self.failed = self.report.file(&findings, self.sources).err();
        }
    }
}

/// Takes of a check besides its report what is asked for.
#[derive(Default)]
pub(super) struct Also<'c> {
    /// Takes the entries.
    pub(super) entries: Option<&'c mut (dyn Entries + 'c)>,
    /// Takes the findings that are left out.
    pub(super) known: Option<&'c mut KnownFindings>,
    /// Takes the names and sources.
    pub(super) index: Option<&'c mut IndexWriter>,
}

/// A check to run.
#[derive(Clone, Copy)]
pub(super) struct Check<'c> {
    pub(super) global: &'c Global,
    pub(super) settings: &'c Settings,
    pub(super) manifest: &'c ManifestSet,
    pub(super) manifests: &'c Manifests,
    pub(super) filter: &'c Filter,
}

/// Checks the manifests and shows what is found. The summary counts what is reported.
pub(super) fn check<'c>(
    check: Check<'c>,
    report: &'c mut dyn FindingsReport,
    also: Also<'c>,
) -> Result<Summary, Failure> {
    let Also { entries, known, index } = also;
    let begun = Instant::now();
    let Check { global, settings, manifest, manifests, filter } = check;
    let options = check::Options {
        rules: &settings.config.rules,
        allowances: settings.allowances,
        threads: manifests.threads.map(usize::from),
        entries: entries.is_some(),
        rewrites: manifest.rewrites.as_ref(),
    };
    let mut sink = Checking {
        sources: &manifest.sources,
        report,
        progress: CheckProgress::new(progress(global), manifest.walk.files()),
        failed: None,
        entries,
        filter,
        reported: Summary::default(),
        known,
        index,
        listed: Unlisted::default(),
    };
    let checked = match &manifest.rows {
        None => check::run(&manifest.walk, &manifest.sources, options, &mut sink)
            .map(|summary| (summary, None))
            .map_err(Failure::from),
        Some(rows) => rows::check(settings, manifests, rows, manifest, &mut sink),
    };
    sink.progress.finish();
    let (mut summary, failure) = checked?;
    if let Some(error) = sink.failed {
        return Err(OutputError(error).into());
    }
    let mut unlisted = Unlisted::default();
    if filter.takes_all() {
        unlisted.errors = summary.errors.saturating_sub(sink.listed.errors);
        unlisted.warnings = summary.warnings.saturating_sub(sink.listed.warnings);
    } else {
        summary = sink.reported;
    }
    if let Some(known) = &sink.known {
        known.subtract(&mut summary, unlisted);
    }
    let took: Duration = begun.elapsed();
    sink.report.finish(&summary, &manifest.sources, took).map_err(OutputError)?;
    failure.map_or(Ok(summary), Err)
}
