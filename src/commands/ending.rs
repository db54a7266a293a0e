//! How a run ended, told at its end.

use std::path::PathBuf;
use std::time::Duration;

use super::checking::shell_word;
use super::{Failure, Notice};
use crate::cli::Global;
use crate::diagnostic::secret::masked;
use crate::diagnostic::words::{counted, escaped};
use crate::event::Cause;
use crate::exit::Exit;
use crate::report::output::Output;
use crate::report::run::format::{self, ReportError};
use crate::report::run::{RunLog, summary};
use crate::run::End;
use crate::source::SourceStore;
use crate::submission::Outcome;

/// What may end a run early, and what goes on with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stops<'s> {
    /// The command that goes on.
    pub(super) command: &'s str,
    pub(super) patience: Duration,
    pub(super) max_duration: Option<Duration>,
    /// Whether the manifests have errors: also such that belong to no entry.
    pub(super) findings: bool,
}

/// The command line as it was typed: run again, it goes on. Behind the command comes `word`, if there
/// is one. What looks like a credential is masked.
pub(super) fn as_typed(word: Option<&str>) -> String {
    let mut words: Vec<String> =
        std::env::args_os().skip(1).map(|word| shell_word(&word.to_string_lossy())).collect();
    if let Some(word) = word {
        let behind =
            words.iter().position(|word| word == "resume").map_or(words.len(), |at| at + 1);
        words.insert(behind, word.to_owned());
    }
    format!("lineload {}", masked(&words.join(" ")))
}

/// Writes the reports and the summary, says why the run ended early, if it did, and how the process
/// ends. A report that cannot be written takes nothing back of what was sent.
pub(super) fn conclude(
    global: &Global,
    stops: &Stops<'_>,
    mut log: RunLog,
    end: &End,
    reports: &[PathBuf],
) -> Exit {
    log.ending = (*end != End::Done).then(|| ending(end));
    let unwritten = format::write(&log, reports)
        .err()
        .map(|error| Failure { exit: Exit::Stopped, ..report_failure(&error) });
    let out = Output::stdout(global.color.into());
    let shown = if global.quiet { summary::brief(&log, out) } else { summary::write(&log, out) };
    let unshown = shown.err().map(|error| Failure { exit: Exit::Stopped, ..Failure::from(error) });
    let mut exit = finish(global, stops, &log, end);
    for failure in [unwritten, unshown].into_iter().flatten() {
        failure.show(global);
        exit = exit.and(failure.exit);
    }
    exit
}

/// That every report can be written is found out before anything is sent. Each is one of nothing for
/// now, so that one of an earlier run is not taken for this one's.
pub(super) fn reports_can_be_written(reports: &[PathBuf]) -> Result<(), Failure> {
    let nothing = RunLog::new(&[], &SourceStore::default());
    format::can_be_written(reports)
        .and_then(|()| format::write(&nothing, reports))
        .map_err(|error| report_failure(&error))
}

/// Writes the reports of a run that sent nothing.
pub(super) fn write_reports(log: &RunLog, reports: &[PathBuf]) -> Result<(), Failure> {
    format::write(log, reports).map_err(|error| report_failure(&error))
}

fn report_failure(error: &ReportError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error.help() {
        Some(help) => failure.help(help),
        None => failure,
    }
}

/// How a run ended, in a word or two.
pub(super) const fn ending(end: &End) -> &'static str {
    match end {
        End::Done => "done",
        End::OutOfPatience { cause: Cause::Limit, .. } => "stopped: limit",
        End::OutOfPatience { cause: Cause::Unreachable, .. } => "stopped: no connection",
        End::OutOfPatience { cause: Cause::Expired, .. } => "stopped: credentials expired",
        End::OutOfPatience { cause: Cause::Throttled, .. } => "stopped: throttled",
        End::OutOfPatience { cause: Cause::Failing, .. } => "stopped: the service fails",
        End::Denied { .. } => "stopped: denied",
        End::Unnoted { .. } => "stopped: the journal could not be written",
        End::TooManyErrors { .. } => "stopped: too many errors",
        End::OutOfTime => "stopped: out of time",
        End::Interrupted { .. } => "interrupted",
    }
}

/// Says why the run ended early, if it did, and how the process ends.
fn finish(global: &Global, stops: &Stops<'_>, log: &RunLog, end: &End) -> Exit {
    let counts = log.counts();
    let count = |outcome: Outcome| counts.of(outcome);
    let mut exit = Exit::Success;
    let failed = [Outcome::Invalid, Outcome::Rejected, Outcome::Conflict, Outcome::Differs];
    if stops.findings || failed.iter().any(|outcome| count(*outcome) > 0) {
        exit = Exit::Findings;
    }
    if count(Outcome::Unresolved) > 0 {
        let unresolved = counted(count(Outcome::Unresolved), "artifact");
        let notice = Notice {
            exit: Exit::Stopped,
            message: format!("{unresolved} unresolved: they may be there or not"),
            help: vec![format!("the next run looks them up first: `{}`", stops.command)],
        };
        notice.show(global);
        exit = exit.and(notice.exit);
    }
    if let Some(notice) = ended_early(stops, end, count(Outcome::Pending)) {
        notice.show(global);
        exit = exit.and(notice.exit);
    }
    exit
}

fn ended_early(stops: &Stops<'_>, end: &End, pending: usize) -> Option<Notice> {
    let left = counted(pending, "artifact");
    let again = format!("{left} left; run it again to go on: `{}`", stops.command);
    let (exit, message, mut help) = match end {
        End::Done => return None,
        End::Interrupted { signal, drained: true } => (
            Exit::Signal(*signal),
            "interrupted: what was under way was waited for".to_owned(),
            vec![],
        ),
        End::Interrupted { signal, drained: false } => (
            Exit::Signal(*signal),
            "interrupted: what was under way was not waited for, and is looked up by the next run"
                .to_owned(),
            vec![],
        ),
        End::OutOfPatience { cause, refusal } => {
            let patience = humane(stops.patience);
            let said = escaped(&refusal.to_string());
            let message = match cause {
                Cause::Limit => {
                    format!("stopped at a limit that did not lift in {patience}: {said}")
                }
                Cause::Unreachable => format!("stopped: no connection in {patience}: {said}"),
                Cause::Expired => format!("stopped: no valid credentials in {patience}: {said}"),
                Cause::Failing => {
                    format!("stopped: nothing but failures in {patience}: {said}")
                }
                Cause::Throttled => {
                    format!("stopped: nothing but throttling in {patience}: {said}")
                }
            };
            let help = match cause {
                Cause::Limit => vec![
                    "raise the quota in Service Quotas, or remove artifacts; `--limit-patience` waits longer"
                        .to_owned(),
                ],
                Cause::Expired => vec!["log in again".to_owned()],
                _ => vec![],
            };
            (Exit::Stopped, message, help)
        }
        End::Unnoted { reason } => {
            let message = format!(
                "stopped: {}; what cannot be noted is not sent, and what was under way is looked up \
                 by the next run",
                escaped(reason)
            );
            (Exit::Stopped, message, vec![])
        }
        End::TooManyErrors { errors } => {
            let message = format!(
                "stopped: {} failed, and `--max-errors` stops there",
                counted(*errors, "entry")
            );
            (Exit::Stopped, message, vec!["mend what is listed above; `lineload status --failed-manifests DIR` writes it as manifests".to_owned()])
        }
        End::OutOfTime => {
            let most = stops.max_duration.map(humane).unwrap_or_default();
            (Exit::Stopped, format!("stopped after {most}, as `--max-duration` says"), vec![])
        }
        End::Denied { action, refusal } => {
            let message = format!("stopped: denied: {}", escaped(&refusal.to_string()));
            (Exit::Stopped, message, vec![format!("allow the caller the action {action}")])
        }
    };
    if pending > 0 {
        help.push(again);
    }
    Some(Notice { exit, message, help })
}

/// `2m`, as it was given.
fn humane(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |duration| format!("{duration:#}"))
}
