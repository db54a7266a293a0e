//! The reasons why a run submits nothing, and why a command that only reads has no result.

use super::ending::write_reports;
use crate::check::Summary;
use crate::cli::{Global, Run};
use crate::commands::failure::Failure;
use crate::exit::Exit;
use crate::journal::{Journal, RunId};
use crate::report::run::RunLog;
use crate::report::run::rows::JournalRows;
use crate::run::{End, Ledger, Place};
use crate::submission::RunKind;
use crate::text::{counted, grouped};

/// Ends a run that submits nothing.
pub(super) fn refuse(
    global: &Global,
    args: &Run,
    mut journal: Journal,
    run: RunId,
    mut log: RunLog,
    ledger: &Ledger,
    notice: &Failure,
) -> Result<Exit, Failure> {
    notice.show(global);
    log.finish(None);
    write_reports(&log, &JournalRows { ledger, journal: Some(&journal) }, &args.report)?;
    journal.discard(&run)?;
    Ok(notice.exit)
}

/// Returns why nothing is sent with `--require-valid`, if a manifest is invalid.
pub(super) fn invalid(checked: &Summary) -> Option<Failure> {
    if checked.errors == 0 {
        return None;
    }
    let invalid = counted(checked.invalid(), "artifact");
    let what = if checked.invalid() > 0 {
        format!("{invalid} of {} invalid", grouped(checked.artifacts as u64))
    } else {
        counted(checked.errors, "error")
    };
    let message = format!("nothing was submitted: {what}, and `--require-valid` is set");
    Some(Failure { exit: Exit::Findings, message, help: Vec::new() })
}

/// Returns why nothing is sent, if `--max-changes` would be exceeded.
pub(super) fn too_many(args: &Run, kind: RunKind, changes: usize) -> Option<Failure> {
    let most = args.max_changes.filter(|most| changes > *most)?;
    let reason = match kind {
        RunKind::Import => format!("nothing was submitted: up to {}", counted(changes, "change")),
        RunKind::Delete => {
            format!("nothing was deleted: {} to delete", counted(changes, "artifact"))
        }
    };
    let message = format!("{reason}, and `--max-changes` allows {}", grouped(most as u64));
    Some(Failure { exit: Exit::Usage, message, help: vec!["raise `--max-changes`".to_owned()] })
}

/// Returns why nothing is sent where what `--set` adds is more than the service takes.
pub(super) fn too_much((count, first, reason): &(usize, Place, String)) -> Failure {
    let message = format!(
        "nothing was submitted: `--set` exceeds a limit for {}, such as {}:{}: {reason}",
        if *count == 1 { "1 artifact".to_owned() } else { counted(*count, "artifact") },
        first.file,
        first.line
    );
    Failure { exit: Exit::Usage, message, help: vec!["set fewer fields".to_owned()] }
}

/// Returns why a command that only reads ended early. `beginning` is what it says first, as in `no plan`;
/// `action` names the IAM actions of its reads.
pub(super) fn reads_ended(end: &End, beginning: &str, action: &str, any: bool) -> Failure {
    let (message, help) = match end {
        End::OutOfPatience { cause, refusal } => {
            let mut help = refusal.help(action);
            help.push("wait longer with `--limit-patience`".to_owned());
            (format!("{beginning}: {}: {refusal}", cause.lasting()), help)
        }
        End::Unable { refusal } => (format!("{beginning}: {refusal}"), refusal.help(action)),
        End::Denied { action, refusal } => {
            (format!("{beginning}: denied: {refusal}"), refusal.help(action))
        }
        End::Interrupted { .. } => ("interrupted".to_owned(), Vec::new()),
        // Only runs that write end otherwise.
        _ => (beginning.to_owned(), Vec::new()),
    };
    Failure { exit: end.exit(any), message, help }
}
