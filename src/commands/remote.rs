//! The commands that talk to a target, which need the AWS SDK. No other module depends on whether
//! it was built.

mod checking;
mod delete;
mod doctor;
mod dry_run;
mod ending;
mod export;
mod import;
mod paced;
mod plan;
mod plan_file;
mod refusal;
mod resume;
mod run_policy;
mod session;
mod staging;
mod stopping;
mod target;
mod watch;

use crate::cli::{Global, Remote};
use crate::commands::failure::Failure;
use crate::exit::Exit;

/// Runs one of them.
pub(super) fn run(global: &Global, command: &Remote) -> Result<Exit, Failure> {
    match command {
        Remote::Import(args) => import::run(global, &args.with_own_journal()),
        Remote::Plan(args) => plan::run(global, &args.with_own_journal()),
        Remote::Resume(args) => resume::run(global, args),
        Remote::Delete(args) => delete::run(global, args),
        Remote::Export(args) => export::run(global, args),
        Remote::Doctor(args) => doctor::run(global, args),
    }
}
