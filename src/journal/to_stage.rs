//! Runs and entries as they are given to be staged.

use crate::artifact::{Artifact, Digest, Key};

/// A run to be staged.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'r> {
    /// Its id.
    pub id: &'r str,
    /// The command that resumes it.
    pub command: &'r str,
    /// The directory that paths are relative to.
    pub folder: &'r str,
    /// The policy for existing artifacts, as the run wrote it.
    pub settings: &'r str,
}

/// An entry to be staged.
#[derive(Debug, Clone, Copy)]
pub struct ToStage<'e> {
    /// The file it was read from, as it is shown.
    pub file: &'e str,
    /// And the line.
    pub line: u32,
    /// The artifact to create.
    pub artifact: &'e Artifact,
    /// The key of its identity.
    pub key: Key,
    /// Its digest.
    pub digest: Digest,
}

impl<'e> ToStage<'e> {
    /// Returns the entry of an artifact that was read from the line `line` of `file`.
    #[must_use]
    pub fn new(file: &'e str, line: u32, artifact: &'e Artifact) -> Self {
        Self { file, line, artifact, key: artifact.key(), digest: artifact.digest() }
    }
}

/// An entry whose manifest has an error, kept for the reports.
#[derive(Debug, Clone, Copy)]
pub struct Invalid<'e> {
    /// The file it was read from, as it is shown.
    pub file: &'e str,
    /// And the line.
    pub line: u32,
    /// Its name, as far as it could be read.
    pub name: Option<&'e str>,
    /// Its URI, as far as it could be read.
    pub source_uri: Option<&'e str>,
    /// The code of its first error.
    pub code: &'e str,
    /// The error message.
    pub message: &'e str,
}
