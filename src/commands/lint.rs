//! `lineload lint`

use super::Failure;
use super::checking::{self, Manifest};
use crate::cli::{Global, Lint};
use crate::exit::Exit;

pub(super) fn run(global: &Global, args: &Lint) -> Result<Exit, Failure> {
    let manifest = Manifest::find(&args.manifests)?;
    let mut report = checking::findings_report(global, args.format, args.all, &args.manifests);
    let progress = checking::progress(global);
    let threads = args.manifests.threads;
    let summary = checking::check(&manifest, threads, progress, &mut *report, None)?;
    if let Some(failure) = manifest.none_found(&args.manifests) {
        return Err(failure);
    }
    Ok(if summary.errors > 0 { Exit::Findings } else { Exit::Success })
}
