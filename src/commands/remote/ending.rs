//! The end of a run: its reports, its summary and its exit code.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cli::{Global, Pace, Run};
use crate::commands::failure::Failure;
use crate::commands::terminal::shown_on_stdout;
use crate::exit::Exit;
use crate::journal::Journal;
use crate::report::output::{Output, OutputError};
use crate::report::run::format;
use crate::report::run::places::Places;
use crate::report::run::rows::{JournalRows, Rows};
use crate::report::run::{RunLog, summary};
use crate::run::{End, Ledger};
use crate::submission::{Outcome, RunKind};
use crate::text::{counted, redacted, shell_word};

/// The end of a run: reports, a summary, and the reason for ending early.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending<'s> {
    global: &'s Global,
    reports: &'s [PathBuf],
    kind: RunKind,
    /// The command that resumes it.
    command: &'s str,
    /// The directory that the names of the manifests are relative to; `None` if they may say
    /// something else than what is submitted.
    folder: Option<&'s Path>,
    /// True if `--set` adds values that no manifest has.
    stamped: bool,
    patience: Duration,
    max_duration: Option<Duration>,
    /// True if the manifests have errors: also such that belong to no entry.
    findings: bool,
    /// True if standard output belongs to a document for programs.
    on_stderr: bool,
}

impl<'s> Ending<'s> {
    pub(super) fn new(
        global: &'s Global,
        args: &'s Run,
        pace: &Pace,
        kind: RunKind,
        command: &'s str,
        (folder, stamped): (Option<&'s Path>, bool),
        findings: bool,
    ) -> Self {
        Self {
            global,
            reports: &args.report,
            kind,
            command,
            folder,
            stamped,
            patience: pace.reach.limit_patience,
            max_duration: args.max_duration,
            findings,
            on_stderr: false,
        }
    }

    /// Returns the same, with its summary on standard error if `on_stderr` is true.
    pub(super) const fn on_stderr(mut self, on_stderr: bool) -> Self {
        self.on_stderr = on_stderr;
        self
    }

    /// Writes the reports and the summary, says why the run ended early, if it did, and returns how
    /// the process ends. A report that cannot be written takes nothing back of what was submitted.
    pub(super) fn conclude(
        &self,
        mut log: RunLog,
        ledger: &Ledger,
        journal: &Journal,
        end: &End,
        sending: Option<Instant>,
    ) -> Exit {
        log.finish(sending);
        log.ending = (*end != End::Done).then(|| end.words());
        let rows = &JournalRows { ledger, journal: Some(journal) };
        let unwritten = format::write_rows(&log, rows, self.reports)
            .err()
            .map(|error| Failure { exit: Exit::Stopped, ..error.into() });
        let color = self.global.color.into();
        let out: Box<dyn Write> = if self.on_stderr {
            Box::new(anstream::AutoStream::new(io::stderr(), color))
        } else {
            Box::new(Output::stdout(color))
        };
        let shown = if self.global.quiet {
            summary::brief(&log, out)
        } else {
            let options = shown_on_stdout();
            let places = self.folder.map(|folder| Places {
                folder: folder.to_owned(),
                stamped: self.stamped,
                options,
            });
            summary::write_rows(&log, rows, places.as_ref(), out)
        };
        let unshown =
            shown.err().map(|error| Failure { exit: Exit::Stopped, ..OutputError(error).into() });
        let mut exit = finish(self.global, self, &log, end);
        for failure in [unwritten, unshown].into_iter().flatten() {
            failure.show(self.global);
            exit = exit.and(failure.exit);
        }
        exit
    }
}

/// Returns the command line as it was typed, to resume the run. After the command comes `word`, if
/// there is one. What looks like a credential is redacted.
pub(super) fn as_typed(word: Option<&str>) -> String {
    let mut words: Vec<String> =
        std::env::args_os().skip(1).map(|word| shell_word(&word.to_string_lossy())).collect();
    if let Some(word) = word {
        let behind =
            words.iter().position(|word| word == "resume").map_or(words.len(), |at| at + 1);
        words.insert(behind, word.to_owned());
    }
    format!("lineload {}", redacted(&words.join(" ")))
}

/// Checks that every report can be written, before anything is sent. Each is one of nothing for
/// now, so that one of an earlier run is not taken for this one's.
pub(super) fn reports_can_be_written(reports: &[PathBuf]) -> Result<(), Failure> {
    let nothing = RunLog::counted(std::iter::empty());
    format::can_be_written(reports)?;
    Ok(format::write(&nothing, reports)?)
}

/// Writes the reports of a run that submitted nothing.
pub(super) fn write_reports(
    log: &RunLog,
    rows: &dyn Rows,
    reports: &[PathBuf],
) -> Result<(), Failure> {
    Ok(format::write_rows(log, rows, reports)?)
}

/// Says why the run ended early, if it did, and how the process ends.
fn finish(global: &Global, stops: &Ending<'_>, log: &RunLog, end: &End) -> Exit {
    let counts = log.counts();
    let count = |outcome: Outcome| counts.of(outcome);
    let mut exit = if stops.findings { Exit::Findings } else { Exit::Success };
    for outcome in Outcome::ALL.into_iter().filter(|outcome| count(*outcome) > 0) {
        exit = exit.and(outcome.exit());
    }
    if count(Outcome::Unresolved) > 0 {
        let unresolved = counted(count(Outcome::Unresolved), "artifact");
        let notice = Failure {
            exit: Outcome::Unresolved.exit(),
            message: format!("{unresolved} unresolved: the state at the target is not known"),
            help: vec![format!("the next run looks them up first: `{}`", stops.command)],
        };
        notice.show(global);
    }
    let now = log.counts_now();
    let taken = Outcome::ALL.into_iter().any(|one| one.is_written() && now.of(one) > 0);
    if let Some(notice) = ended_early(stops, end, count(Outcome::Pending), taken) {
        notice.show(global);
        exit = exit.and(notice.exit);
    }
    exit
}

fn ended_early(stops: &Ending<'_>, end: &End, pending: usize, taken: bool) -> Option<Failure> {
    let (message, mut help) = match end {
        End::Done => return None,
        End::Interrupted { drained: true, .. } => {
            ("interrupted: requests in flight were completed".to_owned(), vec![])
        }
        End::Interrupted { drained: false, .. } => (
            "interrupted: requests in flight were abandoned; the next run looks them up".to_owned(),
            vec![],
        ),
        End::OutOfPatience { cause, refusal } => {
            let (lasting, patience) = (cause.lasting(), human_duration(stops.patience));
            let message = format!("stopped: {lasting} for {patience}: {refusal}");
            (message, refusal.help(stops.kind.operation().action()))
        }
        End::NotRecorded { reason } => {
            let message =
                format!("stopped: {reason}; nothing is submitted that the journal cannot record");
            let help = "if the journal is lost, so is the record of requests in flight: before \
                        the next run, wait until `ListArtifacts` has caught up";
            (message, vec![help.to_owned()])
        }
        End::TooManyErrors { errors } => {
            let errors = counted(*errors, "entry");
            let help = "fix the artifacts listed above; `lineload status --failed-manifests DIR` \
                        writes them as manifests";
            let help = (stops.kind == RunKind::Import).then(|| help.to_owned());
            let message = format!("stopped: {errors} failed, more than `--max-errors` allows");
            (message, help.into_iter().collect())
        }
        End::Unable { refusal } => (format!("stopped: {refusal}"), refusal.help("")),
        End::RefusedAlike { count, refusal } => {
            let message = format!(
                "stopped: the first {count} artifacts were all rejected with the same error: \
                 {refusal}"
            );
            let help = "nothing was lost; to continue past rejections, add `--max-errors N`";
            (message, vec![help.to_owned()])
        }
        End::OutOfTime => {
            let most = stops.max_duration.map(human_duration).unwrap_or_default();
            (format!("stopped after {most} (`--max-duration`)"), vec![])
        }
        End::Denied { action, refusal } => {
            (format!("stopped: denied: {refusal}"), refusal.help(action))
        }
    };
    if pending > 0 {
        let left = counted(pending, "artifact");
        help.push(format!("{left} left; to resume, run `{}`", stops.command));
    }
    Some(Failure { exit: end.exit(taken), message, help })
}

/// `2m`, as it was given.
fn human_duration(duration: Duration) -> String {
    jiff::SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |duration| format!("{duration:#}"))
}
