//! The content of a journal, for people and as JSON.

pub mod manifests;

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::json::write_value;
use crate::journal::{FailedEntry, JournalError, RunStatus, Status};
use crate::submission::RunKind;
use crate::text::{escaped, grouped, rate as shown_rate, redacted, time_left};

/// Failed entries of a run that are listed.
const LISTED: u32 = 10;
/// The version of the shape of the JSON.
const VERSION: u32 = 1;

/// The process of a run that did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunProcess {
    /// It is, and names itself so: `process 4711 on host, since …`.
    Running(String),
    /// It is gone.
    Gone,
    /// It is gone, and another process holds the journal.
    Other(String),
}

/// A run, as it is reported.
#[derive(Debug)]
pub struct RunReport {
    /// The run as the journal has it.
    pub run: RunStatus,
    /// Some of the entries that failed in it.
    pub failed: Vec<FailedEntry>,
    /// Of a run that did not end: whether its process is still there.
    pub process: Option<RunProcess>,
    /// Entries settled a second lately, where it runs and that is known.
    pub rate: Option<f64>,
}

impl RunReport {
    /// Reads what there is to report of `run`.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn read(journal: &Status, run: RunStatus) -> Result<Self, JournalError> {
        let failed = journal.failed(&run.run, LISTED)?;
        let process = match (&run.ended, &run.holder, journal.holder()) {
            (Some(_), ..) => None,
            (None, Some(holder), _) => Some(RunProcess::Running(holder.to_string())),
            (None, None, Some(other)) => Some(RunProcess::Other(other.to_string())),
            (None, None, None) => Some(RunProcess::Gone),
        };
        let rate = run.settled_per_second;
        Ok(Self { run, failed, process, rate })
    }

    fn count(&self, outcomes: &[&str]) -> u64 {
        let counted = self.run.counts.iter().filter(|(name, _)| outcomes.contains(&name.as_str()));
        counted.map(|(_, count)| count).sum()
    }

    /// Returns how many entries came to no end yet.
    fn left(&self) -> u64 {
        self.count(&["pending", "open"])
    }

    /// Returns what the run is doing, or how it ended.
    fn state(&self) -> &'static str {
        match (&self.run.ended, &self.process) {
            (Some(_), _) => "ended",
            (None, Some(RunProcess::Running(_))) => "running",
            (None, _) => "killed",
        }
    }
}

/// Writes a run, and what failed in it.
///
/// # Errors
/// If the writer fails.
pub fn write(out: &mut impl Write, report: &RunReport) -> io::Result<()> {
    let run = &report.run;
    writeln!(out, "\x1b[1m{}\x1b[0m  {}", escaped(&run.started), escaped(&redacted(&run.target)))?;
    let kind = if run.kind == RunKind::Delete { "delete run" } else { "run" };
    writeln!(out, "  {kind} {}", escaped(&run.run))?;
    writeln!(out, "  {}", ending(report))?;
    let counts: Vec<_> = run
        .counts
        .iter()
        .map(|(outcome, count)| format!("{} {}", escaped(outcome), grouped(*count)))
        .collect();
    if !counts.is_empty() {
        writeln!(out, "  {}", counts.join(", "))?;
    }
    for entry in &report.failed {
        let error = entry.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        writeln!(
            out,
            "  \x1b[31m{}\x1b[0m {}:{}: {}{}",
            escaped(&entry.outcome),
            escaped(&entry.file),
            entry.line,
            escaped(&redacted(&entry.name)),
            escaped(&redacted(&error))
        )?;
    }
    let all = report.count(&["differs", "conflict", "rejected", "unresolved"]);
    let more = all.saturating_sub(report.failed.len() as u64);
    if more > 0 {
        let more = grouped(more);
        let how = match run.kind {
            RunKind::Import => {
                "; `--failed-manifests DIR` writes all of the latest run as manifests"
            }
            RunKind::Delete => "",
        };
        writeln!(out, "  and {more} more{how}")?;
    }
    let is_left = report.left() + report.count(&["unresolved"]) > 0;
    if is_left && report.state() != "running" {
        writeln!(out, "  to resume, run: {}", escaped(&redacted(&run.command)))?;
    }
    writeln!(out)
}

/// `done 2026-11-03T14:05:09Z`, or `running: process 4711, since …: 38.2/s, 1,234 left (33s)`
fn ending(report: &RunReport) -> String {
    let run = &report.run;
    match (&run.ended, &report.process) {
        (Some(ended), _) => {
            let ending = run.ending.as_deref().unwrap_or("ended");
            format!("{} {}", escaped(ending), escaped(ended))
        }
        (None, Some(RunProcess::Running(process))) => {
            let rate = report.rate.map(|rate| format!("{}/s, ", shown_rate(rate)));
            let left = format!("{} left", grouped(report.left()));
            let time = report.rate.filter(|rate| *rate > 0.0).map(|rate| {
                #[expect(clippy::cast_precision_loss, reason = "a time for people")]
                let seconds = report.left() as f64 / rate;
                let left = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                format!(" (about {})", time_left(left))
            });
            format!(
                "\x1b[32mrunning\x1b[0m: {}: {}{left}{}",
                escaped(process),
                rate.unwrap_or_default(),
                time.unwrap_or_default()
            )
        }
        (None, Some(RunProcess::Other(process))) => {
            format!("\x1b[33mkilled\x1b[0m; the journal is now in use by {}", escaped(process))
        }
        (None, Some(RunProcess::Gone) | None) => "\x1b[33mkilled\x1b[0m".to_owned(),
    }
}

/// Ends the list of `runs`, with their sum if it `adds_up`.
///
/// # Errors
/// If the writer fails.
pub fn finish(out: &mut impl Write, runs: &[RunReport], adds_up: bool) -> io::Result<()> {
    if runs.is_empty() {
        writeln!(out, "no run yet")?;
    } else if adds_up {
        let sum: Vec<_> = sum(runs)
            .iter()
            .map(|(outcome, count)| format!("{} {}", escaped(outcome), grouped(*count)))
            .collect();
        writeln!(out, "\x1b[1min these runs\x1b[0m  {}", sum.join(", "))?;
    }
    out.flush()
}

/// Returns how many entries of all `runs` came to each end.
fn sum(runs: &[RunReport]) -> Vec<(&str, u64)> {
    let mut sum: Vec<(&str, u64)> = Vec::new();
    for (outcome, count) in runs.iter().flat_map(|report| &report.run.counts) {
        match sum.iter_mut().find(|(one, _)| one == outcome) {
            Some((_, all)) => *all += count,
            None => sum.push((outcome, *count)),
        }
    }
    sum
}

#[derive(Serialize)]
struct Document<'r> {
    version: u32,
    runs: Vec<Run<'r>>,
    /// Of several journals: the counts of all runs, added up.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Map<String, Value>>,
}

#[derive(Serialize)]
struct Run<'r> {
    run: &'r str,
    kind: &'static str,
    target: String,
    started: &'r str,
    ended: Option<&'r str>,
    state: &'static str,
    ending: Option<&'r str>,
    process: Option<&'r str>,
    rate: Option<f64>,
    left: u64,
    counts: Map<String, Value>,
    failed: Vec<Failed<'r>>,
    command: String,
}

#[derive(Serialize)]
struct Failed<'r> {
    file: &'r str,
    line: u32,
    name: String,
    outcome: &'r str,
    error: Option<String>,
}

/// Writes `runs` as JSON, its shape fixed by `version`, with their sum if it `adds_up`.
///
/// # Errors
/// If the writer fails.
pub fn write_json(out: &mut impl Write, runs: &[RunReport], adds_up: bool) -> io::Result<()> {
    let counts = |(outcome, count): (&str, u64)| (outcome.to_owned(), count.into());
    let sum = adds_up.then(|| sum(runs).into_iter().map(counts).collect());
    let runs = runs.iter().map(|report| {
        let run = &report.run;
        let process = match &report.process {
            Some(RunProcess::Running(process)) => Some(process.as_str()),
            _ => None,
        };
        Run {
            run: &run.run,
            kind: run.kind.as_str(),
            target: redacted(&run.target).into_owned(),
            started: &run.started,
            ended: run.ended.as_deref(),
            state: report.state(),
            ending: run.ending.as_deref(),
            process,
            rate: report.rate.map(|rate| (rate * 100.0).round() / 100.0),
            left: report.left(),
            counts: run
                .counts
                .iter()
                .map(|(name, count)| (name.clone(), (*count).into()))
                .collect(),
            failed: report.failed.iter().map(failed).collect(),
            command: redacted(&run.command).into_owned(),
        }
    });
    write_value(&mut *out, &Document { version: VERSION, runs: runs.collect(), sum })?;
    writeln!(out)?;
    out.flush()
}

fn failed(entry: &FailedEntry) -> Failed<'_> {
    Failed {
        file: &entry.file,
        line: entry.line,
        name: redacted(&entry.name).into_owned(),
        outcome: &entry.outcome,
        error: entry.error.as_deref().map(|error| redacted(error).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(ended: bool) -> RunStatus {
        RunStatus {
            run: "01a2".to_owned(),
            kind: RunKind::Import,
            target: "https://me:hunter2@host/ eu-west-1".to_owned(),
            started: "2026-11-03T14:05:09Z".to_owned(),
            ended: ended.then(|| "2026-11-03T14:08:09Z".to_owned()),
            ending: ended.then(|| "stopped: limit".to_owned()),
            command: "lineload import".to_owned(),
            counts: vec![("created".to_owned(), 1200), ("pending".to_owned(), 190)],
            holder: None,
            settled_per_second: None,
            rate: None,
        }
    }

    fn shown(report: &RunReport) -> String {
        let mut out = Vec::new();
        write(&mut out, report).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn a_run_shows_its_process_its_rate_and_what_is_left() {
        let process = Some(RunProcess::Running("process 4711, since 14:05".to_owned()));
        let report = RunReport { run: run(false), failed: vec![], process, rate: Some(38.0) };
        let text = shown(&report);
        assert!(
            text.contains("  running: process 4711, since 14:05: 38.0/s, 190 left (about 5s)\n"),
            "{text}"
        );
        assert!(!text.contains("to resume") && !text.contains("hunter2"), "{text}");
        let killed = RunReport { process: Some(RunProcess::Gone), rate: None, ..report };
        let text = shown(&killed);
        assert!(text.contains("  killed\n") && text.contains("to resume, run: lineload"), "{text}");
    }

    #[test]
    fn the_document_has_its_shape_and_no_secret() {
        let failed = FailedEntry {
            file: "m/a.yaml".to_owned(),
            line: 7,
            name: "a".to_owned(),
            outcome: "rejected".to_owned(),
            error: Some("ValidationException: no".to_owned()),
        };
        let report = RunReport { run: run(true), failed: vec![failed], process: None, rate: None };
        let mut out = Vec::new();
        write_json(&mut out, &[report], false).unwrap();
        let document: Value = serde_json::from_slice(&out).unwrap();
        let expected = serde_json::json!({
            "version": 1,
            "runs": [{
                "run": "01a2", "kind": "import", "target": "https://me:[redacted]@host/ eu-west-1",
                "started": "2026-11-03T14:05:09Z", "ended": "2026-11-03T14:08:09Z",
                "state": "ended", "ending": "stopped: limit", "process": null, "rate": null,
                "left": 190, "counts": {"created": 1200, "pending": 190},
                "failed": [{"file": "m/a.yaml", "line": 7, "name": "a", "outcome": "rejected",
                            "error": "ValidationException: no"}],
                "command": "lineload import",
            }],
        });
        assert_eq!(document, expected);
    }
}
