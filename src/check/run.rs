//! The consumer of a check: numbers, orders and counts what the workers pass on.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::duplicate::{Claimed, Duplicate, Written};
use super::identities::{Collector, Identities, Uses, Walked};
use super::index::First;
use super::part::{self, Batch, PartEntry};
use super::pipeline::{self, Message, NoThreads};
use super::register::Register;
use super::{Entry, EntryIndex, Options, Sink, Summary};
use crate::artifact::Rewrites;
use crate::diagnostic::{self, Code, Diagnostic, MAX_PER_FILE, Severity, Unique, Unlisted};
use crate::manifest;
use crate::source::{FileId, SourceFile, SourceStore, Span};
use crate::text::counted;
use crate::walk::{Origin, Walk};

/// Returns the store of the files of `walk`, for [`run`] and for showing its findings.
#[must_use]
pub fn sources(walk: &Walk) -> SourceStore {
    let path = |origin: &Origin| -> Option<Arc<Path>> {
        match origin {
            Origin::Path(path) => Some(Arc::clone(path)),
            Origin::Stdin => None,
        }
    };
    let files = walk.found.iter().map(|found| {
        let path = found.what.as_ref().ok().and_then(path);
        (Arc::clone(&found.name), path)
    });
    SourceStore::new(files.collect())
}

/// Returns all findings of `source` on its own, including duplicates within it, in order. `store`
/// must contain it.
#[must_use]
pub fn whole(source: &SourceFile, store: &SourceStore, options: Options<'_>) -> Vec<Diagnostic> {
    let file = source.id();
    let again = || {
        let mut collector = Collector::default();
        for part in manifest::parts(source.text(), false) {
            part::check(source, &part, options, &mut |batch| collector.take(file, &batch));
        }
        collector.identities()
    };
    let mut kept = Kept(Vec::new());
    let mut consumer = Consumer::new(store, options, &mut kept, Walked::new(&again), 1);
    let parts = manifest::parts(source.text(), false);
    let last = parts.len();
    for (number, part) in (1..).zip(parts) {
        part::check(source, &part, options, &mut |batch| {
            consumer.take(Message::Batch(file, batch));
        });
        consumer.take(Message::PartEnd { file, last: number == last });
    }
    kept.0
}

/// The findings of one file.
struct Kept(Vec<Diagnostic>);

impl Sink for Kept {
    fn entry(&mut self, _: Entry) {}
    fn withdraw(&mut self, _: EntryIndex) {}
    fn file(&mut self, _: FileId, findings: Vec<Diagnostic>, _: usize) {
        self.0 = findings;
    }
    fn progress(&mut self, _: usize) {}
}

/// Returns all findings of `source` in order, including names and sources that it shares with the
/// other files of `register`, which takes over those of `source`. `store` must contain it. Parts of a
/// long file are checked in parallel; `None`, and nothing has changed, as soon as `stop` returns true.
#[must_use]
pub fn among(
    source: &SourceFile,
    store: &SourceStore,
    options: Options<'_>,
    register: &mut Register,
    stop: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<Diagnostic>> {
    let check = |part: manifest::Part| {
        let mut batches = Vec::new();
        if !stop() {
            part::check(source, &part, options, &mut |batch| batches.push(batch));
        }
        batches
    };
    let parts = manifest::parts(source.text(), true);
    let checked: Vec<Vec<Batch>> = match parts.len() {
        0 | 1 => parts.into_iter().map(check).collect(),
        _ => parts.into_par_iter().map(check).collect(),
    };
    if stop() {
        return None;
    }
    let file = source.id();
    register.forget(file);
    let mut kept = Kept(Vec::new());
    let mut consumer = Consumer::new(store, options, &mut kept, register, 1);
    let last = checked.len();
    for (number, batches) in (1..).zip(checked) {
        for batch in batches {
            consumer.take(Message::Batch(file, batch));
        }
        consumer.take(Message::PartEnd { file, last: number == last });
    }
    Some(kept.0)
}

/// Checks every file of `walk` and passes the findings to `sink`.
///
/// # Errors
/// If no thread can be started. Nothing was checked.
pub fn run(
    walk: &Walk,
    store: &SourceStore,
    options: Options<'_>,
    sink: &mut impl Sink,
) -> Result<Summary, NoThreads> {
    // Without another thread, no such fix is offered.
    let again = || identities(walk, store, options).unwrap_or_default();
    let mut consumer = Consumer::new(store, options, sink, Walked::new(&again), walk.files());
    pipeline::run(walk, store, options, |message| consumer.take(message))?;
    Ok(consumer.summary)
}

/// Reads every file of `walk` for the names and sources that artifacts have and would get by fixes.
///
/// # Errors
/// If no thread can be started.
pub fn identities(
    walk: &Walk,
    store: &SourceStore,
    options: Options<'_>,
) -> Result<Identities, NoThreads> {
    let mut collector = Collector::default();
    batches(walk, store, options, |file, batch| collector.take(file, batch))?;
    Ok(collector.identities())
}

/// Reads every file of `walk` for its names and sources.
///
/// # Errors
/// If no thread can be started.
pub fn registered(
    walk: &Walk,
    store: &SourceStore,
    options: Options<'_>,
) -> Result<Register, NoThreads> {
    let mut register = Register::default();
    batches(walk, store, options, |file, batch| register.take(file, batch))?;
    Ok(register)
}

/// Checks every file of `walk` without making artifacts, and passes on what is in each.
fn batches(
    walk: &Walk,
    store: &SourceStore,
    options: Options<'_>,
    mut take: impl FnMut(FileId, &Batch),
) -> Result<(), NoThreads> {
    pipeline::run(walk, store, Options { entries: false, ..options }, |message| {
        if let Message::Batch(file, batch) = message {
            take(file, &batch);
        }
    })
}

/// Sorts the findings of a file and keeps those that are listed; the others are counted in `unlisted`, and
/// a finding says how many they are.
pub fn limit(file: FileId, findings: &mut Vec<Diagnostic>, unlisted: &mut Unlisted) {
    diagnostic::sort(findings);
    for finding in findings.drain(MAX_PER_FILE.min(findings.len())..) {
        unlisted.add(finding.severity);
    }
    if unlisted.total() > 0 {
        let what = counted(unlisted.total(), "finding");
        let message = format!("{what} more in this file are not shown");
        findings.push(
            Diagnostic::of_file(Code::FindingsLimit, file, message)
                .with_help("fix the findings shown, then check again"),
        );
    }
}

struct Consumer<'r, S, U> {
    store: &'r SourceStore,
    uses: U,
    /// The names and sources that fixes would make, once one would.
    identities: Option<Identities>,
    options: Options<'r>,
    sink: &'r mut S,
    summary: Summary,
    /// By number of the entry.
    valid: Vec<bool>,
    /// The number of the current part's first entry.
    part_start: usize,
    /// The number of the current file's first entry.
    file_start: usize,
    /// Of the current file.
    findings: Vec<Diagnostic>,
    /// The number of findings of the current file that were not kept.
    unlisted: Unlisted,
}

impl<'r, S: Sink, U: Uses> Consumer<'r, S, U> {
    fn new(
        store: &'r SourceStore,
        options: Options<'r>,
        sink: &'r mut S,
        uses: U,
        files: usize,
    ) -> Self {
        Self {
            store,
            uses,
            identities: None,
            options,
            sink,
            summary: Summary { files, ..Summary::default() },
            valid: Vec::new(),
            part_start: 0,
            file_start: 0,
            findings: Vec::new(),
            unlisted: Unlisted::default(),
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Batch(file, batch) => self.batch(file, batch),
            Message::PartEnd { file, last } => {
                self.part_start = self.valid.len();
                if last {
                    self.end_file(file);
                }
            }
            Message::Unreadable(mut finding) => {
                let file = finding.file;
                let levels = self.options.rules.levels(&self.store.name(file));
                if let Some(severity) = levels.severity(finding.code) {
                    finding.severity = severity;
                    self.findings.push(finding);
                }
                self.end_file(file);
            }
        }
    }

    fn batch(&mut self, file: FileId, batch: Batch) {
        // Workers count artifacts from the start of their part.
        let offset = self.part_start - self.file_start;
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.store.hide(file, &batch.hidden);
        self.unlisted.errors += batch.unlisted.errors;
        self.unlisted.warnings += batch.unlisted.warnings;
        for mut finding in batch.findings {
            finding.artifact = finding.artifact.map(|number| number.saturating_add(offset));
            self.keep(finding);
        }
        if let Some(from) = batch.broken_from {
            for number in self.part_start + from as usize..self.valid.len() {
                self.withdraw(number);
            }
        }
        self.uses.add_becoming(file, &batch.becoming);
        for entry in batch.entries {
            self.entry(file, entry);
        }
        self.sink.progress(self.valid.len());
    }

    fn entry(&mut self, file: FileId, entry: PartEntry) {
        let number = self.valid.len();
        let id = EntryIndex(u32::try_from(number).unwrap_or(u32::MAX));
        let (same_name, same_source) = self.uses.add(file, &entry.claims);
        let places = [
            (Unique::Name, same_name.filter(|_| !entry.shares_name), entry.claims.name),
            (Unique::Source, same_source, entry.claims.source),
        ];
        let found = places.map(|(what, first, claim)| {
            let severity = first.and_then(|_| self.severity(what, file))?;
            Some((what, severity, first?, claim?))
        });
        if self.sink.takes_claims() {
            self.pass_claims(file, &entry);
        }
        let duplicate =
            found.iter().flatten().any(|(_, severity, ..)| *severity == Severity::Error);
        let valid = entry.valid && !duplicate;
        self.valid.push(valid);
        self.summary.artifacts += 1;
        self.summary.valid += usize::from(valid);
        for (what, severity, first, claim) in found.into_iter().flatten() {
            if severity == Severity::Error
                && let Some(entry) = first.entry
            {
                self.withdraw(entry.0 as usize);
            }
            self.duplicate(what, severity, file, claim.span, &first);
        }
        if self.options.entries {
            self.sink.entry(Entry {
                id,
                file,
                line: entry.line,
                name: entry.name,
                source_uri: entry.source_uri,
                artifact: entry.artifact.filter(|_| valid),
            });
        }
    }

    /// Passes on the name and the source of the last entry.
    fn pass_claims(&mut self, file: FileId, entry: &PartEntry) {
        let artifact = u32::try_from(self.valid.len() - self.file_start).unwrap_or(u32::MAX);
        let source = self.store.get(file);
        let claims = [(Unique::Name, entry.claims.name), (Unique::Source, entry.claims.source)];
        for (what, claim) in claims {
            let Some(claim) = claim else { continue };
            let shares = what == Unique::Name && entry.shares_name;
            self.sink.claim(Claimed {
                what,
                key: claim.key,
                file,
                artifact,
                written: source
                    .as_ref()
                    .map(|source| Written::at(source, claim.span, self.rewrites_of(what))),
                severity: self.severity(what, file).filter(|_| !shares),
            });
        }
    }

    /// Returns the rewrites of what is shown: sources have them.
    fn rewrites_of(&self, what: Unique) -> Option<&'r Rewrites> {
        self.options.rewrites.filter(|_| what == Unique::Source)
    }

    /// Returns the severity of a duplicate in `file`; `None` if the rule is off.
    fn severity(&self, what: Unique, file: FileId) -> Option<Severity> {
        let code = match what {
            Unique::Name => Code::DuplicateName,
            Unique::Source => Code::DuplicateSource,
        };
        self.options.rules.levels(&self.store.name(file)).severity(code)
    }

    fn withdraw(&mut self, number: usize) {
        if let Some(valid) = self.valid.get_mut(number)
            && *valid
        {
            *valid = false;
            self.summary.valid -= 1;
            self.sink.withdraw(EntryIndex(u32::try_from(number).unwrap_or(u32::MAX)));
        }
    }

    fn duplicate(
        &mut self,
        what: Unique,
        severity: Severity,
        file: FileId,
        span: Span,
        first: &First,
    ) {
        let artifact = u32::try_from(self.valid.len() - 1 - self.file_start).ok();
        if self.is_full() {
            self.unlisted.add(severity);
            return;
        }
        let source = self.store.get(file);
        let first_region = || self.store.get(first.file).map(|source| source.region(first.span));
        let finding = Duplicate {
            what,
            file,
            artifact,
            written: source.map(|source| Written::at(&source, span, self.rewrites_of(what))),
            severity,
            first: (first.file, first_region()),
        }
        .finding();
        self.keep(finding);
    }

    fn keep(&mut self, finding: Diagnostic) {
        if self.is_full() {
            self.unlisted.add(finding.severity);
        } else {
            self.findings.push(finding);
        }
    }

    /// More findings are kept than listed, so that the cut depends on their place and not on
    /// timing.
    const fn is_full(&self) -> bool {
        self.findings.len() >= 2 * MAX_PER_FILE
    }

    fn end_file(&mut self, file: FileId) {
        let mut findings = std::mem::take(&mut self.findings);
        let mut unlisted = std::mem::take(&mut self.unlisted);
        limit(file, &mut findings, &mut unlisted);
        self.summary.errors += unlisted.errors;
        self.summary.warnings += unlisted.warnings;
        for finding in &findings {
            match finding.severity {
                Severity::Error => self.summary.errors += 1,
                Severity::Warning => self.summary.warnings += 1,
            }
        }
        let changes = |finding: &&mut Diagnostic| {
            finding.fix.as_ref().is_some_and(|fix| fix.becomes.is_some())
        };
        for finding in findings.iter_mut().filter(changes) {
            let uses = &self.uses;
            let identities = self.identities.get_or_insert_with(|| uses.identities(file));
            identities.restrict(finding, self.store);
        }
        let artifacts = self.valid.len() - self.file_start;
        self.file_start = self.valid.len();
        self.part_start = self.valid.len();
        self.sink.file(file, findings, artifacts);
    }
}
