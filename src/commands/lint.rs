//! `lineload lint`

use super::checking::{self, Check, Filter, Manifest};
use super::settings::Settings;
use super::{Failure, fixing};
use crate::cli::{Global, Lint};
use crate::config::FailOn;
use crate::exit::Exit;

pub(super) fn run(global: &Global, args: &Lint) -> Result<Exit, Failure> {
    let settings = Settings::load(global)?;
    let manifest = Manifest::find(&args.manifests, &settings)?;
    checking::outputs_can_be_written(global, args, &manifest)?;
    let filter = Filter::new(&args.narrow, &manifest)?;
    if args.fixes.diff {
        return fixing::diff(global, args, &settings, &manifest, &filter);
    }
    let mended = if args.fixes.fix {
        let mended = fixing::fix(args, &settings, &manifest, &filter)?;
        // What is reported is what is left.
        manifest.forget();
        mended
    } else {
        fixing::Mended::default()
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
    mended.tell(global);
    if let Some(failure) = manifest.none_found(&args.manifests) {
        return Err(failure);
    }
    let found = match args.narrow.fail_on.or(settings.config.fail_on).unwrap_or(FailOn::Error) {
        FailOn::Error => summary.errors,
        FailOn::Warning => summary.errors + summary.warnings,
        FailOn::Never => 0,
    };
    Ok(if found > 0 || mended.has_failed() { Exit::Findings } else { Exit::Success })
}
