//! `lineload lint`

use super::Failure;
use super::checking::{self, Check, Filter, Manifest};
use super::fixing::{self, Fixed, Fixes, Names};
use super::settings::Settings;
use crate::cli::{Global, Lint};
use crate::config::FailOn;
use crate::exit::Exit;

pub(super) fn run(global: &Global, args: &Lint) -> Result<Exit, Failure> {
    let settings = Settings::load(global)?;
    let manifest = Manifest::find(&args.manifests, &settings)?;
    checking::outputs_can_be_written(global, args, &manifest)?;
    let fixes = args.fixes.fix || args.fixes.diff;
    let names =
        (fixes && args.fixes.unsafe_fixes).then(|| Names::of(&manifest, settings.check_options()));
    let filter = Filter::new(&args.narrow, &manifest)?.with_names(names);
    let fixes = Fixes { args, settings: &settings, manifest: &manifest, filter: &filter };
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
    let mut report = checking::findings_report(global, args, &settings)?;
    let summary = checking::check(
        Check {
            global,
            settings: &settings,
            manifest: &manifest,
            threads: args.manifests.threads,
            filter: &filter,
        },
        &mut *report,
        None,
    )?;
    drop(report);
    fixed.report(global);
    if let Some(failure) = manifest.none_found(&args.manifests) {
        return Err(failure);
    }
    let found = match checking::fail_on(args, &settings) {
        FailOn::Error => summary.errors,
        FailOn::Warning => summary.errors + summary.warnings,
        FailOn::Never => 0,
    };
    Ok(if found > 0 || fixed.has_failed() { Exit::Findings } else { Exit::Success })
}
