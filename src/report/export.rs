//! The progress of an export, and its result.

use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::progress::{Form, LINES, When, line, style};
use super::run::progress::{RateMeter, left_at, no_answer};
use crate::export::{self, Counts, Layout};
use crate::submission::Refusal;
use crate::text::{counted, escaped, grouped, rate};

/// The progress of an export on standard error: a bar on a terminal, plain lines elsewhere.
#[derive(Debug)]
pub struct ExportProgress {
    bar: Option<ProgressBar>,
    /// The time between two lines, if there are any.
    lines: Option<Duration>,
    last_line: Instant,
    total: usize,
    /// Artifacts that have been listed, or exported.
    done: usize,
    meter: RateMeter,
    /// The last line said that there is no response.
    is_waiting: bool,
}

impl ExportProgress {
    /// Returns the progress of an export, which shows nothing if `quiet`.
    #[must_use]
    pub fn new(when: When, quiet: bool) -> Self {
        let form = if quiet { Form::Hidden } else { when.form() };
        let bar = (form == Form::Bar).then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = ProgressBar::with_draw_target(None, target);
            bar.set_style(style("{msg}"));
            bar
        });
        let lines = match form {
            Form::Lines(interval) => Some(interval.unwrap_or(LINES)),
            Form::Bar | Form::Hidden => None,
        };
        let (last_line, meter) = (Instant::now(), RateMeter::default());
        Self { bar, lines, last_line, total: 0, done: 0, meter, is_waiting: false }
    }

    /// Shows that the target has not responded, why, and until when it is asked again.
    pub fn no_answer(&mut self, refusal: &Refusal, until: Instant) {
        let text = no_answer(refusal, until, Instant::now());
        if let Some(bar) = &self.bar {
            bar.set_message(text.clone());
        }
        if self.lines.is_some() && !self.is_waiting {
            self.last_line = Instant::now();
            line(&text);
        } else {
            self.line(&text);
        }
        self.is_waiting = true;
    }

    /// Shows how many artifacts have been listed.
    pub fn listed(&mut self, artifacts: usize) {
        self.is_waiting = false;
        let pace = self.pace(artifacts, None);
        let text = format!("listed {}{pace}", counted(artifacts, "artifact"));
        if let Some(bar) = &self.bar {
            bar.set_message(text.clone());
        }
        self.line(&text);
    }

    /// Shows that the listing is complete, and how many artifacts are to be exported.
    pub fn fetching(&mut self, artifacts: usize) {
        (self.total, self.done) = (artifacts, 0);
        self.meter = RateMeter::default();
        if let Some(bar) = &self.bar {
            bar.set_length(artifacts as u64);
            bar.set_message("");
            bar.set_style(style("exporting {wide_bar:.cyan/blue} {pos}/{len}{msg}"));
        }
    }

    /// Shows how many artifacts have been exported.
    pub fn fetched(&mut self, artifacts: usize) {
        self.is_waiting = false;
        let pace = self.pace(artifacts, Some(self.total));
        if let Some(bar) = &self.bar {
            bar.set_position(artifacts as u64);
            bar.set_message(pace.clone());
        }
        let (done, total) = (grouped(artifacts as u64), grouped(self.total as u64));
        self.line(&format!("{done}/{total} exported{pace}"));
    }

    /// Takes in how many are done, and returns at what rate and how long the rest takes:
    /// `, 38.2/s, 4m left`.
    fn pace(&mut self, done: usize, total: Option<usize>) -> String {
        let now = Instant::now();
        self.meter.add(now, done.saturating_sub(self.done) as u64);
        self.done = done;
        let per_second = self.meter.per_second(now).filter(|rate| *rate > 0.0);
        let per_second = per_second.map(|per_second| format!(", {}/s", rate(per_second)));
        let left = total.and_then(|total| left_at(&self.meter, now, total.saturating_sub(done)));
        let left = left.map(|left| format!(", {left}"));
        [per_second, left].into_iter().flatten().collect()
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&mut self, text: &str) {
        if self.lines.is_some_and(|interval| self.last_line.elapsed() >= interval) {
            self.last_line = Instant::now();
            line(text);
        }
    }
}

/// Returns the closing line.
#[must_use]
pub fn closing(counts: &Counts, layout: &Layout, folder: &Path, took: Duration) -> String {
    let skipped = counts.gone + counts.without_source + counts.refused;
    format!(
        "{} in {} in {}: {} filtered out, {} skipped ({:.2} s)",
        counted(counts.artifacts, "artifact"),
        counted(counts.files, "file"),
        escaped(&folder.display().to_string()),
        grouped(layout.left_out() as u64),
        grouped(skipped as u64),
        took.as_secs_f64(),
    )
}

/// Returns notes on what was left out, and on what the command that reads the files will report.
#[must_use]
pub fn notes(counts: &Counts, layout: &Layout) -> Vec<String> {
    let is_template = layout.form() == export::Form::CloudFormation;
    let reader = if is_template { "`lineload generate`" } else { "`lineload lint`" };
    let mut notes = Vec::new();
    let mut note = |count: usize, text: String| {
        if count > 0 {
            notes.push(text);
        }
    };
    let artifacts = |count: usize| counted(count, "artifact");
    note(counts.gone, format!("{} deleted during the export: skipped", artifacts(counts.gone)));
    note(
        counts.without_source,
        format!("{} without a `SourceUri`: skipped", artifacts(counts.without_source)),
    );
    let said = counts.refusal.as_ref().map(ToString::to_string).unwrap_or_default();
    note(
        counts.refused,
        format!(
            "{} left out, since the target cannot describe them: {}",
            artifacts(counts.refused),
            escaped(&said)
        ),
    );
    note(
        counts.reserved_tags,
        format!(
            "{} left out: keys that begin with `aws:` are AWS's own, and no manifest can have them",
            counted(counts.reserved_tags, "tag")
        ),
    );
    let errors: Vec<_> = counts
        .errors
        .iter()
        .map(|(code, count)| format!("{code} {}", grouped(*count as u64)))
        .collect();
    note(
        counts.invalid,
        format!(
            "{reader} will refuse {} of these, written as they are: {}",
            artifacts(counts.invalid),
            errors.join(", ")
        ),
    );
    note(
        layout.duplicates(),
        format!(
            "{} with the name or the source of another: {reader} will report them, and {}",
            artifacts(layout.duplicates()),
            if is_template {
                "generates only the first of each"
            } else {
                "`lineload import` skips all of them"
            },
        ),
    );
    note(counts.suspicious, format!("{reader} will warn of {}", artifacts(counts.suspicious)));
    note(
        counts.misread,
        format!(
            "{} with a value that CloudFormation evaluates, such as `{{{{resolve:…}}}}` or the \
             property `Ref`: a stack would create something else",
            artifacts(counts.misread)
        ),
    );
    note(
        counts.too_large,
        format!(
            "{} larger than 1 MiB, which CloudFormation does not accept: export with a smaller \
             `--per-file`",
            counted(counts.too_large, "template")
        ),
    );
    notes
}
