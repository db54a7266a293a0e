//! `lineload status`

use super::Failure;
use crate::cli::{self, Global};
use crate::exit::Exit;
use crate::journal::{JournalError, Status};
use crate::report::output::Output;
use crate::report::status;

/// Failed entries of a run that are listed.
const LISTED: u32 = 10;

pub(super) fn run(global: &Global, args: &cli::Status) -> Result<Exit, Failure> {
    if !args.journal.exists() {
        return Err(Failure::usage(format!("there is no journal {}", args.journal.display()))
            .help("`lineload import` makes one; `--journal FILE` names another"));
    }
    let journal = Status::open(&args.journal).map_err(|error| failure(&error))?;
    let runs = journal.runs(args.runs).map_err(|error| failure(&error))?;
    let mut out = Output::stdout(global.color.into());
    for run in &runs {
        let failed = journal.failed(&run.run, LISTED).map_err(|error| failure(&error))?;
        status::write(&mut out, run, &failed)?;
    }
    status::finish(&mut out, runs.len())?;
    Ok(Exit::Success)
}

/// What a journal that cannot be used means for a command.
pub(super) fn failure(error: &JournalError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        JournalError::Locked { .. } => {
            failure.help("wait for it to end, or name another with `--journal FILE`")
        }
        JournalError::Network { .. } => failure.help("name a file on a local disk: `--journal FILE`"),
        JournalError::Newer { .. } => failure.help("use that lineload, or another `--journal FILE`"),
        JournalError::Older { .. } => failure.help("the next import brings it up to date"),
        JournalError::NotAJournal { .. } => failure.help(
            "name another with `--journal FILE`: what is at the target already is then found by asking",
        ),
        JournalError::Unusable { .. } => failure.help("name another with `--journal FILE`"),
    }
}
