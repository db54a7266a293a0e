//! Progress on standard error.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar comes only where a check takes longer than this.
const DELAY: Duration = Duration::from_secs(1);

/// When to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum When {
    #[default]
    Auto,
    Always,
    Never,
}

impl When {
    /// Whether progress is shown on standard error.
    #[must_use]
    pub fn shown(self) -> bool {
        match self {
            Self::Auto => std::io::stderr().is_terminal(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// The progress of a check, by files.
#[derive(Debug)]
pub struct CheckProgress {
    bar: Option<ProgressBar>,
    total: u64,
    files: u64,
    artifacts: usize,
    begun: Instant,
}

impl CheckProgress {
    /// Progress over `files` files.
    #[must_use]
    pub fn new(when: When, files: usize) -> Self {
        let bar = when.shown().then(ProgressBar::hidden);
        Self { bar, total: files as u64, files: 0, artifacts: 0, begun: Instant::now() }
    }

    /// A file is done.
    pub fn file(&mut self) {
        self.files += 1;
        self.update();
    }

    /// So many artifacts have been read.
    pub fn artifacts(&mut self, artifacts: usize) {
        self.artifacts = artifacts;
        self.update();
    }

    fn update(&self) {
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && self.begun.elapsed() >= DELAY {
            let style = ProgressStyle::with_template(
                "checking {wide_bar:.cyan/blue} {pos}/{len} files, {msg} {eta}",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_length(self.total);
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        if !bar.is_hidden() {
            bar.set_message(crate::diagnostic::words::counted(self.artifacts, "artifact"));
            bar.set_position(self.files);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
