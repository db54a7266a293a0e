//! Stages entries into the journal as the check finds them.
//!
//! Entries that the journal knows to be equal are not staged: they need no request. The others get
//! a row each, the invalid ones too, so that reports and `resume` know them.

use std::collections::HashSet;

use super::decide::{Decision, Known, Observation, Policy, decide};
use super::ledger::{Ledger, Line};
use super::record::known;
use super::unknown::{Gathered, Unknown};
use crate::artifact::{Digest, Key};
use crate::check::{self, Entry};
use crate::diagnostic::Diagnostic;
use crate::journal::{self, Invalid, JournalError, KnownAt, KnownEqual, RunId, Staging, ToStage};
use crate::source::{FileId, SourceStore};
use crate::submission::{EntryId, Outcome};
use crate::text::redacted;

/// Stages what a check finds.
#[derive(Debug)]
pub struct Stage<'s, 'j> {
    staging: Staging<'j>,
    knowledge: Knowledge<'s>,
    sources: &'s SourceStore,
    policy: &'s Policy,
    staged: Staged,
    /// Entries of which nothing is known.
    unknown: Gathered,
    /// The first entry of the current file.
    file_start: usize,
    /// Entries that looked valid at first and are not.
    withdrawn: HashSet<EntryId>,
    failed: Option<JournalError>,
}

/// The journal that knows what earlier runs settled.
#[derive(Debug)]
enum Knowledge<'s> {
    /// The one that is staged into.
    Own,
    /// Another, if there is one: what is staged is not submitted.
    Other(Option<&'s KnownAt<'s>>),
}

/// The result of staging.
#[derive(Debug)]
pub struct Staged {
    /// The run.
    pub run: RunId,
    /// Its entries, those included that need no request.
    pub ledger: Ledger,
    /// Entries of which nothing is known: only the target knows whether they exist.
    pub unknown: Unknown,
    /// The number of entries that may need a request.
    pub left: usize,
    /// The number of entries that the journal knows to be equal. Only a plan stages them.
    pub known: usize,
    /// The entries that exceed a limit with the policy's stamp: their number, the place of the
    /// first, and the reason.
    pub overstamped: Option<(usize, Place, String)>,
}

/// The file and line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its file, as it is shown.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl<'s, 'j> Stage<'s, 'j> {
    /// Stages into `staging` what a check of `sources` finds.
    #[must_use]
    pub fn new(staging: Staging<'j>, sources: &'s SourceStore, policy: &'s Policy) -> Self {
        Self::knowing(staging, Knowledge::Own, sources, policy)
    }

    /// Stages all that a check of `sources` finds into the `staging` of a scratch journal, for a
    /// plan: with what is `known` by the journal that an import would use, if there is one.
    #[must_use]
    pub fn of_plan(
        staging: Staging<'j>,
        known: Option<&'s KnownAt<'s>>,
        sources: &'s SourceStore,
        policy: &'s Policy,
    ) -> Self {
        Self::knowing(staging, Knowledge::Other(known), sources, policy)
    }

    fn knowing(
        staging: Staging<'j>,
        knowledge: Knowledge<'s>,
        sources: &'s SourceStore,
        policy: &'s Policy,
    ) -> Self {
        let staged = Staged {
            run: staging.run(),
            ledger: Ledger::default(),
            unknown: Unknown::default(),
            left: 0,
            known: 0,
            overstamped: None,
        };
        Self {
            staging,
            knowledge,
            sources,
            policy,
            staged,
            unknown: Gathered::default(),
            file_start: 0,
            withdrawn: HashSet::new(),
            failed: None,
        }
    }

    /// Returns what was staged.
    ///
    /// # Errors
    /// If the journal could not be written.
    pub fn finish(mut self) -> Result<Staged, JournalError> {
        self.staged.unknown = self.unknown.finish(|id| !self.withdrawn.contains(&id));
        match self.failed {
            Some(error) => Err(error),
            None => self.staging.finish().map(|()| self.staged),
        }
    }

    fn add(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let file = self.sources.name(entry.file);
        let line = match &entry.artifact {
            Some(valid) => self.add_valid(&file, entry.line, valid)?,
            None => {
                let invalid = Invalid {
                    file: &file,
                    line: entry.line,
                    name: entry.name.as_deref(),
                    source_uri: entry.source_uri.as_deref(),
                    code: "",
                    message: "",
                };
                let id = self.staging.add_invalid(&invalid)?;
                Line { entry: id, line: entry.line, outcome: Outcome::Invalid, by_journal: false }
            }
        };
        self.staged.ledger.add((file, Some(entry.file)), line);
        Ok(())
    }

    fn add_valid(
        &mut self,
        file: &str,
        line: u32,
        valid: &check::Valid,
    ) -> Result<Line, JournalError> {
        let check::Valid { artifact, key, digest } = valid;
        let (key, digest) = (*key, *digest);
        let there = match self.known_equal(key, digest)? {
            // For most entries it is enough that they are equal, and their request need not be
            // read.
            Some(equal) if !self.policy.asks_always() => {
                let known = Known::equal(&equal);
                let decision = decide(artifact, &known, Observation::Unseen, self.policy);
                if matches!(decision, Decision::Settle(_)) {
                    self.staged.known += 1;
                    if let Knowledge::Own = self.knowledge {
                        let (entry, outcome) = (equal.entry, Outcome::Existed);
                        return Ok(Line { entry, line, outcome, by_journal: true });
                    }
                }
                known
            }
            _ => known(artifact, self.known_at(key)?.as_ref(), None, self.policy),
        };
        let decision = decide(artifact, &there, Observation::Unseen, self.policy);
        let id = self.staging.add(&ToStage { file, line, artifact, key, digest })?;
        self.staged.left += 1;
        if matches!(decision, Decision::Create | Decision::LookUp) {
            self.unknown.add(key, id);
        }
        if let Some(reason) = self.policy.stamp.too_much_for(artifact) {
            let place = Place { file: file.to_owned(), line };
            self.staged.overstamped.get_or_insert((0, place, reason)).0 += 1;
        }
        Ok(Line { entry: id, line, outcome: Outcome::Pending, by_journal: false })
    }

    fn known_equal(
        &mut self,
        key: Key,
        digest: Digest,
    ) -> Result<Option<KnownEqual>, JournalError> {
        match &self.knowledge {
            Knowledge::Own => self.staging.equal(key, digest),
            Knowledge::Other(Some(other)) => other.equal(key, digest),
            Knowledge::Other(None) => Ok(None),
        }
    }

    fn known_at(&self, key: Key) -> Result<Option<journal::Known>, JournalError> {
        match self.knowledge {
            Knowledge::Own => self.staging.at(key),
            Knowledge::Other(Some(other)) => other.at(key),
            Knowledge::Other(None) => Ok(None),
        }
    }

    /// Marks an entry as invalid that looked valid at first.
    fn invalidate(&mut self, at: usize) -> Result<(), JournalError> {
        let Some(line) = self.staged.ledger.get(at) else { return Ok(()) };
        if line.outcome == Outcome::Invalid {
            return Ok(());
        }
        self.staged.ledger.set(at, Outcome::Invalid);
        if line.by_journal {
            // Its row is of an earlier run, and stays as it is.
            self.staged.known -= 1;
            return Ok(());
        }
        let id = line.entry;
        self.staged.left -= 1;
        self.withdrawn.insert(id);
        let why = "its document is truncated, or another entry uses its name or source";
        self.staging.invalidate(id, "", why)
    }

    fn explain(&mut self, findings: &[Diagnostic]) -> Result<(), JournalError> {
        for finding in findings.iter().rev().filter(|finding| finding.is_error()) {
            let Some(artifact) = finding.artifact else { continue };
            let at = self.file_start + artifact as usize;
            let Some(line) = self.staged.ledger.get(at) else { continue };
            if line.outcome == Outcome::Invalid && !line.by_journal {
                let message = redacted(&finding.message);
                let id = line.entry;
                self.staging.invalidate(id, finding.code.as_str(), &message)?;
            }
        }
        self.file_start = self.staged.ledger.len();
        Ok(())
    }

    fn note(&mut self, result: Result<(), JournalError>) {
        if let Err(error) = result {
            self.failed.get_or_insert(error);
        }
    }
}

impl check::Entries for Stage<'_, '_> {
    fn entry(&mut self, entry: Entry) {
        if self.failed.is_none() {
            let added = self.add(&entry);
            self.note(added);
        }
    }

    fn withdraw(&mut self, entry: check::EntryIndex) {
        if self.failed.is_none() {
            let withdrawn = self.invalidate(entry.0 as usize);
            self.note(withdrawn);
        }
    }

    fn file(&mut self, _: FileId, findings: &[Diagnostic]) {
        if self.failed.is_none() {
            let explained = self.explain(findings);
            self.note(explained);
        }
    }
}
