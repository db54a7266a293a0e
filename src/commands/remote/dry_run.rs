//! `lineload import --dry-run`

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::checking::{check, human_report};
use super::ending::write_reports;
use crate::artifact::Artifact;
use crate::check::Entry;
use crate::cli::{Global, Import};
use crate::commands::failure::Failure;
use crate::commands::manifests::ManifestSet;
use crate::commands::settings::Settings;
use crate::exit::Exit;
use crate::report::output::{Output, OutputError};
use crate::report::run::RunLog;
use crate::text::{counted, escaped, grouped};

/// Checks, and shows what would be submitted.
pub(super) fn dry_run(
    global: &Global,
    args: &Import,
    settings: &Settings,
) -> Result<Exit, Failure> {
    let report = human_report(global, &args.manifests);
    let manifest = ManifestSet::find(&args.manifests, settings)?;
    let mut entries: Vec<Entry> = Vec::new();
    let checked = check(global, &args.manifests, settings, &manifest, report, &mut entries)?;
    let valid: Vec<_> = entries.iter().filter_map(|entry| entry.artifact.as_ref()).collect();
    let nothing = args.require_valid && checked.errors > 0;
    let out = Output::stdout(global.color.into());
    show(out, &valid, nothing, global.verbose > 0).map_err(OutputError)?;
    let mut log = RunLog::new(&entries, &manifest.sources);
    log.finish(None);
    write_reports(&log, &log, &args.run.report)?;
    Ok(if checked.errors > 0 { Exit::Findings } else { Exit::Success })
}

/// Writes what would be created of `valid`, by type, and with `each` also one by one.
fn show(mut out: impl Write, valid: &[&Artifact], nothing: bool, each: bool) -> io::Result<()> {
    if nothing {
        writeln!(
            out,
            "would send nothing: not every manifest is valid, and `--require-valid` is set"
        )?;
        return out.flush();
    }
    writeln!(out, "would create up to {}:", counted(valid.len(), "artifact"))?;
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for artifact in valid {
        *types.entry(&artifact.artifact_type).or_default() += 1;
    }
    let mut types: Vec<_> = types.into_iter().collect();
    types.sort_by_key(|(name, count)| (Reverse(*count), *name));
    for (name, count) in types {
        writeln!(out, "  {:>8}  {}", grouped(count as u64), escaped(name))?;
    }
    for artifact in valid.iter().filter(|_| each) {
        let name = artifact.name.as_deref().unwrap_or("-");
        writeln!(out, "  {}  {}", escaped(name), escaped(&artifact.source.uri))?;
    }
    out.flush()
}
