//! `lineload lint`

use super::baseline::KnownFindings;
use super::checking::{self, Also, Check};
use super::failure::Failure;
use super::filter::Filter;
use super::fixing::{self, Fixed, Fixes};
use super::manifests::ManifestSet;
use super::reports;
use super::settings::Settings;
use crate::check;
use crate::cli::{Global, Lint};
use crate::config::FailOn;
use crate::exit::Exit;
use crate::shards::IndexWriter;

pub(super) fn run(global: &Global, args: &Lint) -> Result<Exit, Failure> {
    let settings = Settings::load(global)?;
    let manifest = ManifestSet::find(&args.manifests, &settings)?;
    reports::outputs_can_be_written(global, args, &manifest)?;
    let mut known = KnownFindings::of(args, &settings)?;
    let fixes = args.fixes.fix || args.fixes.diff;
    if fixes && manifest.rows.is_some() {
        return Err(Failure::usage("an inventory cannot be fixed by `--fix` or `--diff`")
            .help("fix the cells that the findings are at, or the template"));
    }
    let identities = fixes
        .then(|| check::identities(&manifest.walk, &manifest.sources, settings.check_options()))
        .transpose()?;
    manifest.forget();
    let filter = Filter::new(&args.narrow, &manifest)?.with_identities(identities);
    let baseline = known.as_ref().map(|known| &known.baseline);
    let fixes = Fixes { args, settings: &settings, manifest: &manifest, filter: &filter, baseline };
    if args.fixes.diff {
        return fixing::diff(global, fixes);
    }
    let fixed = if args.fixes.fix {
        let fixed = fixing::fix(fixes)?;
        // What is reported is what is left.
        manifest.forget();
        fixed
    } else {
        Fixed::default()
    };
    let shard = args.manifests.shard;
    let index = args.index.as_deref().map(|file| IndexWriter::new(file, shard));
    let mut index = index.transpose()?;
    let mut report = reports::of_lint(global, args, &settings)?;
    let summary = checking::check(
        Check {
            global,
            settings: &settings,
            manifest: &manifest,
            manifests: &args.manifests,
            filter: &filter,
        },
        &mut *report,
        Also { known: known.as_mut(), index: index.as_mut(), ..Also::default() },
    )?;
    drop(report);
    fixed.report(global);
    manifest.warn_of_unused_rewrites(global);
    if let Some(failure) = manifest.none_found(&args.manifests) {
        return Err(failure);
    }
    if let Some(index) = index {
        index.finish(manifest.walk.files(), summary.artifacts)?;
    }
    if let Some(known) = known {
        known.finish(global, args, &filter, &manifest)?;
    }
    let found = match settings.fail_on(&args.narrow) {
        FailOn::Error => summary.errors,
        FailOn::Warning => summary.errors + summary.warnings,
        FailOn::Never => 0,
    };
    Ok(if found > 0 || fixed.has_failed() { Exit::Findings } else { Exit::Success })
}
