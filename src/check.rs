//! Checks raw artifacts: returns valid artifacts and findings.
//!
//! In: a walk. Out: calls of [`Sink`] in the order of the walk, whatever the threads did: every
//! artifact, valid or not, and every file's findings. The rules are in [`rules`], one file for each
//! group; checks across manifests are in `index`, those of files that change in `register`, the threads
//! in `pipeline`. It sends nothing and
//! prints nothing.

mod ahead;
mod claims;
mod defaults;
mod duplicate;
mod identities;
mod index;
mod part;
mod pipeline;
mod register;
pub mod rules;
mod run;

use defaults::Defaults;
pub use duplicate::{Claimed, Duplicate, Written, path_of};
pub use identities::Identities;
pub use pipeline::NoThreads;
pub use register::Register;
pub use rules::near_name;
pub use run::{among, identities, limit, registered, run, sources, whole};

use crate::artifact::{Artifact, Digest, Key, Rewrites};
use crate::config::Rules;
use crate::diagnostic::{self, Diagnostic, Findings};
use crate::manifest;
use crate::manifest::RawMapping;
use crate::model::Sense;
use crate::source::{FileId, SourceFile, Span};

/// The options of a check.
#[derive(Debug, Clone, Copy)]
pub struct Options<'o> {
    /// The severity of each rule, by path.
    pub rules: &'o Rules,
    /// True if comments may allow findings.
    pub allowances: bool,
    /// The number of threads; by default as many as there are cores.
    pub threads: Option<usize>,
    /// True if entries are wanted, with the request of each that is valid.
    pub entries: bool,
    /// The rewrites of each `SourceUri`, before anything looks at it. What is fixed is not what is
    /// checked then, so no fix is offered.
    pub rewrites: Option<&'o Rewrites>,
}

/// Returns the findings of one source on its own, in order. Checks across manifests are not included.
#[must_use]
pub fn source(source: &SourceFile, options: Options<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for part in manifest::parts(source.text(), false) {
        part::check(source, &part, options, &mut |batch| findings.extend(batch.findings));
    }
    diagnostic::sort(&mut findings);
    findings
}

/// Returns the spans of `source` that must not be shown.
#[must_use]
pub fn hidden(source: &SourceFile, options: Options<'_>) -> Vec<Span> {
    let mut hidden = Vec::new();
    for part in manifest::parts(source.text(), false) {
        part::check(source, &part, options, &mut |batch| hidden.extend(batch.hidden));
    }
    hidden.sort_unstable();
    hidden
}

/// Checks an artifact that was read from something else than a manifest. Returns its request if nothing
/// is wrong with it by itself.
pub fn artifact(raw: &RawMapping<'_>, findings: &mut Findings<'_>) -> Option<Artifact> {
    let errors = findings.errors();
    let defaults = Defaults::default();
    let taken = defaults.taken_by(raw);
    rules::artifact(raw, &defaults, &taken, findings);
    if findings.errors() == errors { part::build(raw, &taken) } else { None }
}

/// Returns the `SourceUri` of `raw` as `rewrites` make it, if one does.
#[must_use]
pub fn rewritten_uri(raw: &RawMapping<'_>, rewrites: Option<&Rewrites>) -> Option<String> {
    rewrites?.apply(raw.text(Sense::Uri)?.value)
}

/// Returns the keys of an artifact's name and source, as far as they are known.
#[must_use]
pub fn claims_of(raw: &RawMapping<'_>) -> (Option<Key>, Option<Key>) {
    let claims = claims::claims(raw);
    (claims.name.map(|claim| claim.key), claims.source.map(|claim| claim.key))
}

/// The number of an entry in a run, from 0, in the order of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryIndex(pub u32);

/// An artifact of a manifest.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place in the walk.
    pub id: EntryIndex,
    /// Its file.
    pub file: FileId,
    /// The line it begins on, from 1.
    pub line: u32,
    /// Its name, valid or not.
    pub name: Option<String>,
    /// Its `SourceUri`, valid or not.
    pub source_uri: Option<String>,
    /// The artifact to submit, if no error is known yet.
    pub artifact: Option<Valid>,
}

/// A valid artifact, and what a journal knows it by.
#[derive(Debug, Clone)]
pub struct Valid {
    /// The artifact.
    pub artifact: Artifact,
    /// The key of its identity.
    pub key: Key,
    /// Its digest.
    pub digest: Digest,
}

impl Valid {
    /// Creates one of an artifact without errors.
    #[must_use]
    pub fn new(artifact: Artifact) -> Self {
        let (key, digest) = (artifact.key(), artifact.digest());
        Self { artifact, key, digest }
    }
}

/// Takes what a check finds, in the order of the walk.
pub trait Sink {
    /// Takes an artifact. Only called if [`Options::entries`] is set.
    fn entry(&mut self, entry: Entry);
    /// Withdraws an entry that looked valid at first: its document has a syntax error further down,
    /// or a later entry has the same name or source.
    fn withdraw(&mut self, entry: EntryIndex);
    /// Takes the findings of a completed file, in order, and its number of artifacts.
    fn file(&mut self, file: FileId, findings: Vec<Diagnostic>, artifacts: usize);
    /// So many artifacts have been read until now.
    fn progress(&mut self, artifacts: usize);
    /// Returns whether [`Sink::claim`] is to be called.
    fn takes_claims(&self) -> bool {
        false
    }
    /// Takes a name or a source of an artifact, in the order of the walk.
    fn claim(&mut self, _: Claimed) {}
}

/// Takes the entries that a check finds, in the order of the walk.
pub trait Entries {
    /// Takes an artifact.
    fn entry(&mut self, entry: Entry);
    /// Withdraws an entry that looked valid at first, as in [`Sink::withdraw`].
    fn withdraw(&mut self, entry: EntryIndex);
    /// Takes the findings of a completed file, in order.
    fn file(&mut self, file: FileId, findings: &[Diagnostic]);
}

/// The summary of a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files read.
    pub files: usize,
    /// Artifacts found in them, valid or not.
    pub artifacts: usize,
    /// Artifacts without an error.
    pub valid: usize,
    /// Findings that are errors, those not listed included.
    pub errors: usize,
    /// Findings that are warnings, those not listed included.
    pub warnings: usize,
    /// Findings that a baseline hides; `None` without one.
    pub hidden: Option<usize>,
}

impl Summary {
    /// Adds a file with its number of artifacts and its reported findings.
    pub fn add(&mut self, findings: &[Diagnostic], artifacts: usize) {
        let errors: Vec<_> = findings.iter().filter(|finding| finding.is_error()).collect();
        let mut invalid: Vec<_> = errors.iter().filter_map(|finding| finding.artifact).collect();
        invalid.sort_unstable();
        invalid.dedup();
        self.files += 1;
        self.artifacts += artifacts;
        self.valid += artifacts.saturating_sub(invalid.len());
        self.errors += errors.len();
        self.warnings += findings.len() - errors.len();
    }

    /// Artifacts with an error.
    #[must_use]
    pub const fn invalid(&self) -> usize {
        self.artifacts - self.valid
    }
}
