//! The HTML report of an import: the counts, a picture of the rate over time, and the failures.
//!
//! The page loads nothing and runs nothing, and its policy forbids both. It is well-formed XML too,
//! so that a parser can check that no text from a manifest has become markup.

mod picture;
mod scale;

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::ops::ControlFlow;

use askama::Template;

use self::picture::Picture;
use super::row::Row;
use super::rows::Rows;
use super::timeline::{Pause, Timeline};
use super::{Counts, RunLog, row, words};
use crate::submission::{Outcome, RunKind};
use crate::text::{self, counted, duration, grouped};

/// The largest number of failures that are listed: a browser is slow with longer tables.
const MAX_FAILURES: usize = 2_000;
/// The largest number of pauses that are listed.
const MAX_PAUSES: usize = 50;
/// The longest text in a cell, in characters.
const LONGEST_TEXT: usize = 1_000;

/// Writes the report. Rows are rendered one at a time, as they come.
///
/// # Errors
/// If the writer fails, or the rows cannot be read.
pub fn write(log: &RunLog, rows: &dyn Rows, mut out: impl Write) -> io::Result<()> {
    let unreadable = RefCell::new(None);
    let written = Page::of(log, rows, &unreadable).write_into(&mut out);
    match unreadable.take() {
        Some(error) => Err(error),
        None => written.and_then(|()| out.flush()),
    }
}

/// The whole page.
#[derive(Template)]
#[template(path = "report/run/html/page.html")]
struct Page<'r> {
    /// The number of artifacts, with the noun.
    artifacts: String,
    kind: &'static str,
    counts: Vec<Tiles>,
    target: Option<String>,
    run_started: Option<String>,
    started: String,
    took: String,
    average_rate: Option<String>,
    run: &'r str,
    notes: Vec<String>,
    over_time: Option<OverTime>,
    failures: Option<Failures<'r>>,
}

/// The counts of outcomes, of this invocation or of the whole run.
struct Tiles {
    heading: Option<&'static str>,
    tiles: Vec<Tile>,
}

struct Tile {
    class: &'static str,
    count: String,
    outcome: Outcome,
}

struct OverTime {
    is_resumed: bool,
    picture: Picture,
    pauses: Option<Pauses>,
}

struct Pauses {
    count: String,
    rows: Vec<PauseRow>,
    /// The number of pauses that are not listed.
    more: Option<String>,
}

struct PauseRow {
    after: String,
    lasted: String,
    why: &'static str,
}

struct Failures<'r> {
    count: String,
    rows: FailureRows<'r>,
    /// The number of failures that are not listed.
    more: Option<String>,
}

impl<'r> Page<'r> {
    fn of(log: &'r RunLog, rows: &'r dyn Rows, unreadable: &'r RefCell<Option<io::Error>>) -> Self {
        let counts = match log.earlier {
            Some(_) => vec![
                Tiles::of(Some("Now"), log.kind, &log.counts_now()),
                Tiles::of(Some("In all"), log.kind, &log.counts()),
            ],
            None => vec![Tiles::of(None, log.kind, &log.counts())],
        };
        let run_started = log.earlier.and_then(|earlier| earlier.started);
        let failed = log.counts().failed();
        Self {
            artifacts: counted(log.counts().total(), "artifact"),
            kind: log.kind.as_str(),
            counts,
            target: log.target.as_ref().map(|target| row::shown_target(target).to_string()),
            run_started: run_started.map(words::moment),
            started: words::moment(log.started),
            took: duration(log.took()),
            average_rate: log.done_a_second().map(text::rate),
            run: &log.run,
            notes: words::notes(log),
            over_time: OverTime::of(&log.timeline, log.earlier.is_some()),
            failures: (failed > 0).then(|| Failures {
                count: grouped(failed as u64),
                rows: FailureRows { rows, unreadable },
                more: more(failed, MAX_FAILURES),
            }),
        }
    }
}

impl Tiles {
    fn of(heading: Option<&'static str>, kind: RunKind, counts: &Counts) -> Self {
        let outcomes = Outcome::ALL.into_iter();
        let shown =
            outcomes.filter(|outcome| counts.of(*outcome) > 0 || *outcome == kind.outcome());
        let tile = |outcome| {
            let count = counts.of(outcome);
            let class = match outcome {
                _ if count == 0 => "zero",
                one if Outcome::is_written(one) => "good",
                Outcome::Existed => "plain",
                Outcome::Pending | Outcome::Differs => "open",
                _ => "bad",
            };
            Tile { class, count: grouped(count as u64), outcome }
        };
        Self { heading, tiles: shown.map(tile).collect() }
    }
}

impl OverTime {
    fn of(timeline: &Timeline, is_resumed: bool) -> Option<Self> {
        if timeline.is_empty() {
            return None;
        }
        let pauses = timeline.pauses();
        let row = |Pause { cause, from, to }: &Pause| PauseRow {
            after: duration(*from),
            lasted: duration(to.saturating_sub(*from)),
            why: cause.happened(),
        };
        let pauses = (!pauses.is_empty()).then(|| Pauses {
            count: counted(pauses.len(), "pause"),
            rows: pauses.iter().take(MAX_PAUSES).map(row).collect(),
            more: more(pauses.len(), MAX_PAUSES),
        });
        Some(Self { is_resumed, picture: Picture::of(timeline), pauses })
    }
}

/// Returns how many of `count` are not among the `listed` first, if there are any.
fn more(count: usize, listed: usize) -> Option<String> {
    count.checked_sub(listed).filter(|more| *more > 0).map(|more| grouped(more as u64))
}

/// The rows of the failures, rendered one by one: no more than one is in memory.
struct FailureRows<'r> {
    rows: &'r dyn Rows,
    /// Takes the error that ended the rows early.
    unreadable: &'r RefCell<Option<io::Error>>,
}

impl fmt::Display for FailureRows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut listed = 0;
        let mut written = Ok(());
        let read = self.rows.for_each_failed(&mut |entry| {
            if listed == MAX_FAILURES {
                return Ok(ControlFlow::Break(()));
            }
            listed += 1;
            written = Failure::of(&Row::of(entry)).render_into(f).map_err(|_| fmt::Error);
            Ok(if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        if let Err(error) = read {
            self.unreadable.replace(Some(error));
            return Err(fmt::Error);
        }
        written
    }
}

/// The row of a failed entry.
#[derive(Template)]
#[template(path = "report/run/html/failure.html")]
struct Failure {
    file: String,
    line: u32,
    title: String,
    outcome: Outcome,
    message: String,
    request_id: Option<String>,
}

impl Failure {
    fn of(row: &Row<'_>) -> Self {
        let cut = |part: &str| text::cut(part, LONGEST_TEXT);
        Self {
            file: cut(row.file),
            line: row.line,
            title: cut(row.title()),
            outcome: row.outcome,
            message: cut(&row.said()),
            request_id: row.request_id.map(cut),
        }
    }
}
