//! The files that a run is staged from, and their digests.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::commands::manifests::ManifestSet;
use crate::run::Ledger;
use crate::submission::Outcome;
use crate::walk::Origin;

/// Returns the manifests of the entries that are to be submitted, with SHA-256 of what each holds.
pub(super) fn fingerprints(ledger: &Ledger, manifest: &ManifestSet) -> Vec<(String, [u8; 32])> {
    let files = ledger.files_with(Outcome::Pending).filter_map(|file| {
        match &manifest.walk.found.get(file.0 as usize)?.what {
            Ok(Origin::Path(path)) => {
                Some((manifest.sources.name(file).to_string(), fingerprint(path)?))
            }
            _ => None,
        }
    });
    let mut files: Vec<_> = files.collect();
    if let Some(rows) = &manifest.rows {
        // Another template makes other artifacts of the same rows.
        let name = rows.template.name();
        let found = manifest.walk.found.iter().find(|found| found.name == *name);
        if let Some(Ok(Origin::Path(path))) = found.map(|found| &found.what)
            && let Some(fingerprint) = fingerprint(path)
        {
            files.push((name.to_string(), fingerprint));
        }
    }
    files
}

/// Returns SHA-256 of a file; `None` if it cannot be read.
pub(super) fn fingerprint(path: &Path) -> Option<[u8; 32]> {
    let mut hasher = Sha256::new();
    hasher.update(std::fs::read(path).ok()?);
    Some(hasher.finalize().into())
}
