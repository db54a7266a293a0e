//! What a run is staged from, and whether it is still that.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::checking::Manifest;
use crate::report::run::RunLog;
use crate::run::Job;
use crate::source::FileId;
use crate::walk::Origin;

/// What a run is staged from.
pub(super) struct Staging<'s> {
    /// The command that goes on.
    pub(super) command: &'s str,
    pub(super) manifest: &'s Manifest,
    pub(super) paths: &'s crate::cli::Manifests,
}

/// The manifests of `jobs`, with SHA-256 of what each holds.
pub(super) fn fingerprints(
    jobs: &[Job],
    manifest: &Manifest,
    log: &RunLog,
) -> Vec<(String, [u8; 32])> {
    let name = |job: &Job| log.entries.get(job.entry.0 as usize).map(|entry| &*entry.file);
    let named: BTreeSet<&str> = jobs.iter().filter_map(name).collect();
    let found = (0..).map(FileId).zip(&manifest.walk.found);
    let files = found.filter_map(|(id, found)| match &found.what {
        Ok(Origin::Path(path)) => Some((manifest.sources.name(id), path)),
        _ => None,
    });
    let files = files.filter(|(name, _)| named.contains(&**name));
    files.filter_map(|(name, path)| Some((name.to_string(), fingerprint(path)?))).collect()
}

/// SHA-256 of a file; `None` where it cannot be read.
pub(super) fn fingerprint(path: &Path) -> Option<[u8; 32]> {
    let mut hasher = Sha256::new();
    hasher.update(std::fs::read(path).ok()?);
    Some(hasher.finalize().into())
}
