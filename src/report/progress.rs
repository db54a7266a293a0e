//! Progress on standard error.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::{counted, grouped};

/// A bar comes only where a check takes longer than this.
const DELAY: Duration = Duration::from_secs(1);
/// The time between two plain lines.
pub(super) const LINES: Duration = Duration::from_secs(5);
/// The shortest time between two plain lines that can be asked for.
const SHORTEST: Duration = Duration::from_secs(1);

/// `--progress`: when and how to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// A bar on a terminal; elsewhere plain lines, for what takes long.
    #[default]
    Auto,
    /// A bar on a terminal, plain lines elsewhere.
    Always,
    /// Nothing.
    Never,
    /// Plain lines at this interval, on a terminal too.
    Every(Duration),
}

impl std::str::FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => return Ok(Self::Auto),
            "always" => return Ok(Self::Always),
            "never" => return Ok(Self::Never),
            _ => {}
        }
        let duration: Result<jiff::SignedDuration, _> = text.parse();
        let interval = duration.ok().and_then(|duration| Duration::try_from(duration).ok());
        match interval {
            Some(interval) if interval >= SHORTEST => Ok(Self::Every(interval)),
            Some(_) => Err("the shortest interval is `1s`".to_owned()),
            None => {
                Err("expected `auto`, `always`, `never` or an interval such as `30s`".to_owned())
            }
        }
    }
}

/// The form that progress has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A bar, or a spinner where nobody knows the end.
    Bar,
    /// Plain lines; at this interval, if one was asked for.
    Lines(Option<Duration>),
    /// Nothing.
    Hidden,
}

impl When {
    /// Returns the form that progress has on standard error.
    #[must_use]
    pub fn form(self) -> Form {
        self.form_on(std::io::stderr().is_terminal())
    }

    /// Returns the form that progress has on a terminal, or off one.
    const fn form_on(self, terminal: bool) -> Form {
        match self {
            Self::Never => Form::Hidden,
            Self::Every(interval) => Form::Lines(Some(interval)),
            Self::Auto | Self::Always if terminal => Form::Bar,
            Self::Auto | Self::Always => Form::Lines(None),
        }
    }
}

/// The progress of a check, by files. Off a terminal it is shown only where that was asked for: a
/// check takes seconds.
#[derive(Debug)]
pub struct CheckProgress {
    bar: Option<ProgressBar>,
    /// The time between two lines, if there are any.
    lines: Option<Duration>,
    shown: Instant,
    total: u64,
    files: u64,
    artifacts: usize,
}

impl CheckProgress {
    /// Progress over `files` files.
    #[must_use]
    pub fn new(when: When, files: usize) -> Self {
        let form = when.form();
        let lines = match form {
            Form::Lines(interval) if when != When::Auto => Some(interval.unwrap_or(LINES)),
            _ => None,
        };
        let bar = (form == Form::Bar).then(ProgressBar::hidden);
        Self { bar, lines, shown: Instant::now(), total: files as u64, files: 0, artifacts: 0 }
    }

    /// Counts a file that is done.
    pub fn file(&mut self) {
        self.files += 1;
        self.update();
    }

    /// Takes in how many artifacts have been read.
    pub fn artifacts(&mut self, artifacts: usize) {
        self.artifacts = artifacts;
        self.update();
    }

    fn update(&mut self) {
        if let Some(interval) = self.lines
            && self.shown.elapsed() >= interval
        {
            self.shown = Instant::now();
            let files = format!("{}/{} files", grouped(self.files), grouped(self.total));
            line(&format!("checking: {files}, {}", counted(self.artifacts, "artifact")));
        }
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && self.shown.elapsed() >= DELAY {
            bar.set_style(style("checking {wide_bar:.cyan/blue} {pos}/{len} files, {msg} {eta}"));
            bar.set_length(self.total);
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        if !bar.is_hidden() {
            bar.set_message(counted(self.artifacts, "artifact"));
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

/// Returns `template` as a style of a bar, without its colours where none are wanted.
pub(super) fn style(template: &str) -> ProgressStyle {
    let template = if colours() { template } else { &template.replace(":.cyan/blue", "") };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Returns whether what goes to standard error has colours.
pub(super) fn colours() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Writes a line to standard error.
pub(super) fn line(text: &str) {
    // A log that nobody can write to is no reason to stop.
    let _ = std::io::Write::write_fmt(&mut anstream::stderr().lock(), format_args!("{text}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_form_of_progress() {
        let parse = |text: &str| text.parse::<When>();
        assert_eq!(parse("auto"), Ok(When::Auto));
        assert_eq!(parse("30s"), Ok(When::Every(Duration::from_secs(30))));
        assert_eq!(parse("1m30s"), Ok(When::Every(Duration::from_secs(90))));
        assert_eq!(parse("0s").unwrap_err(), "the shortest interval is `1s`");
        for wrong in ["", "sometimes", "30", "-5s", "99999999999999999999s"] {
            let error = parse(wrong).unwrap_err();
            assert!(error.starts_with("expected `auto`, `always`, `never` or"), "{wrong}: {error}");
        }
    }

    #[test]
    fn always_means_lines_where_there_is_no_terminal() {
        assert_eq!(When::Always.form_on(false), Form::Lines(None));
        assert_eq!(When::Auto.form_on(false), Form::Lines(None));
        assert_eq!(When::Always.form_on(true), Form::Bar);
        assert_eq!(When::Auto.form_on(true), Form::Bar);
        let every = Duration::from_secs(30);
        assert_eq!(When::Every(every).form_on(true), Form::Lines(Some(every)));
        assert_eq!(When::Never.form_on(true), Form::Hidden);
    }
}
