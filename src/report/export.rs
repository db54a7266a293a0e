//! How an export goes, and how it went.

use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::progress::{Form, LINES, When, line, style};
use crate::export::{Counts, Layout};
use crate::text::{counted, escaped, grouped};

/// Shows how far an export has come, on standard error: a bar on a terminal, plain lines elsewhere.
#[derive(Debug)]
pub struct ExportProgress {
    bar: Option<ProgressBar>,
    /// The time between two lines, if there are any.
    lines: Option<Duration>,
    last_line: Instant,
    total: usize,
}

impl ExportProgress {
    /// The progress of an export. `quiet` shows nothing.
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
        Self { bar, lines, last_line: Instant::now(), total: 0 }
    }

    /// So many artifacts were listed.
    pub fn listed(&mut self, artifacts: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("listed {}", counted(artifacts, "artifact")));
        }
        self.line(|| format!("listed {}", counted(artifacts, "artifact")));
    }

    /// All were listed, and so many of them are wanted.
    pub fn fetching(&mut self, artifacts: usize) {
        self.total = artifacts;
        if let Some(bar) = &self.bar {
            bar.set_length(artifacts as u64);
            bar.set_style(style("exporting {wide_bar:.cyan/blue} {pos}/{len} {eta}"));
        }
    }

    /// So many are done.
    pub fn fetched(&mut self, artifacts: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(artifacts as u64);
        }
        let total = self.total;
        self.line(|| format!("{}/{} exported", grouped(artifacts as u64), grouped(total as u64)));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&mut self, text: impl FnOnce() -> String) {
        if self.lines.is_some_and(|interval| self.last_line.elapsed() >= interval) {
            self.last_line = Instant::now();
            line(&text());
        }
    }
}

/// The closing line.
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

/// What should be known of what was left out, and of what `lint` will say.
#[must_use]
pub fn notes(counts: &Counts, layout: &Layout) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |count: usize, text: String| {
        if count > 0 {
            notes.push(text);
        }
    };
    let artifacts = |count: usize| counted(count, "artifact");
    note(counts.gone, format!("{} deleted meanwhile: left out", artifacts(counts.gone)));
    note(
        counts.without_source,
        format!("{} without a `SourceUri`: left out", artifacts(counts.without_source)),
    );
    let said = counts.refusal.as_ref().map(ToString::to_string).unwrap_or_default();
    note(
        counts.refused,
        format!(
            "{} left out, since the target does not tell what they are like: {}",
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
            "`lineload lint` will refuse {} of these, written as they are: {}",
            artifacts(counts.invalid),
            errors.join(", ")
        ),
    );
    note(
        layout.duplicates(),
        format!(
            "{} with the name or the source of another: `lineload lint` will show them, and none of \
             such two is imported",
            artifacts(layout.duplicates())
        ),
    );
    note(
        counts.suspicious,
        format!("`lineload lint` will warn of {}", artifacts(counts.suspicious)),
    );
    notes
}
