//! The check of an inventory in the place of manifests.

use std::io;

use super::super::failure::Failure;
use super::super::inventory::{Asked, Inventory, Job, pin};
use super::super::manifests::{ManifestSet, RowSet};
use super::super::settings::Settings;
use super::Checking;
use crate::check::{Entry, EntryIndex, Sink as _, Summary};
use crate::cli::Manifests;
use crate::generate::rows::INVENTORY;
use crate::generate::{Generated, Sink};

/// Passes the artifacts and the findings of an inventory to `checking`. Returns a failure beside the summary
/// if the template is at fault, which is among the findings.
pub(super) fn check(
    settings: &Settings,
    manifests: &Manifests,
    rows: &RowSet,
    manifest: &ManifestSet,
    checking: &mut Checking<'_>,
) -> Result<(Summary, Option<Failure>), Failure> {
    let (Some(asked), Some(inventory)) = (Asked::of(manifests), rows.take()) else {
        return Ok((Summary::default(), None));
    };
    let Inventory { mut input, fault, .. } = inventory;
    let generated = if let Some(finding) = fault {
        Generated { findings: vec![finding], ..Generated::default() }
    } else {
        let template = &rows.template;
        let threads = manifests.threads;
        let rewrites = manifest.rewrites.as_ref();
        let job = Job { settings, asked, template, file: None, entries: true, threads, rewrites };
        job.run(&mut *input, |_| Ok(Passing(checking)))?.0
    };
    let summary = generated.summary();
    pin(&manifest.sources, &generated, &rows.template);
    let mut findings = generated.findings;
    findings.sort_by_key(|finding| finding.file);
    if let Some(entries) = &mut checking.entries {
        // The entries of all files are numbered together.
        entries.file(INVENTORY, &findings);
    }
    for of_file in findings.chunk_by(|one, other| one.file == other.file) {
        checking.show(of_file[0].file, of_file.to_vec(), summary.artifacts);
    }
    let failure = generated
        .bad_template
        .then(|| Failure::usage("nothing was made of the inventory: the template is at fault"));
    Ok((summary, failure))
}

/// Passes entries on.
struct Passing<'p, 'c>(&'p mut Checking<'c>);

impl Sink for Passing<'_, '_> {
    fn artifact(&mut self, _: &str, _: Option<&str>) -> io::Result<()> {
        Ok(())
    }

    fn invalid(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn entry(&mut self, entry: Entry) {
        self.0.entry(entry);
    }

    fn withdraw(&mut self, entry: EntryIndex) {
        self.0.withdraw(entry);
    }

    fn progress(&mut self, rows: u64, _: u64) {
        self.0.progress.artifacts(usize::try_from(rows).unwrap_or(usize::MAX));
    }
}
