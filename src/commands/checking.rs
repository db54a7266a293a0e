//! The check as every command runs it: walk, check, show.

use std::io::{self, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use super::Failure;
use crate::check::{self, Entry, EntryId, Sink, Summary};
use crate::cli::{Format, Global, Manifests};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::words::{either, escaped};
use crate::report::FindingsReport;
use crate::report::human::{self, Human};
use crate::report::json::Json;
use crate::report::output::Output;
use crate::report::progress::{CheckProgress, When};
use crate::report::short::Short;
use crate::source::{FileId, SourceStore};
use crate::walk::{self, Walk};

/// Width of a line where nobody tells: enough for a finding, and the same everywhere.
const DEFAULT_WIDTH: usize = 100;

/// The manifests of a run.
pub(super) struct Manifest {
    pub(super) walk: Walk,
    pub(super) sources: SourceStore,
}

impl Manifest {
    /// Walks the paths of the command line. No manifest at all is a failure, not a success.
    pub(super) fn find(args: &Manifests) -> Result<Self, Failure> {
        let walk = walk::walk(&args.walk_options());
        let sources = check::sources(&walk);
        Ok(Self { walk, sources })
    }

    /// That there is no manifest among what was found, if so.
    pub(super) fn none_found(&self, args: &Manifests) -> Option<Failure> {
        if self.walk.files() > 0 {
            return None;
        }
        let paths: Vec<_> = args.paths.iter().map(|path| path.display().to_string()).collect();
        let paths = either(paths.iter().map(String::as_str));
        let failure = Failure::usage(format!("no manifest found in {paths}"));
        Some(failure.help(
            "name a file, or a folder that holds `*.yaml` or `*.yml`; `-` reads standard input",
        ))
    }
}

/// Where entries go, and how far the check has come.
pub(super) struct Checking<'c> {
    pub(super) sources: &'c SourceStore,
    pub(super) report: &'c mut dyn FindingsReport,
    pub(super) progress: CheckProgress,
    pub(super) failed: Option<io::Error>,
    pub(super) entries: Option<&'c mut Vec<Entry>>,
}

impl Sink for Checking<'_> {
    fn entry(&mut self, entry: Entry) {
        if let Some(entries) = &mut self.entries {
            entries.push(entry);
        }
    }

    fn withdraw(&mut self, entry: EntryId) {
        if let Some(entries) = &mut self.entries
            && let Some(entry) = entries.get_mut(entry.0 as usize)
        {
            entry.artifact = None;
        }
    }

    fn file(&mut self, _: FileId, findings: Vec<Diagnostic>) {
        self.progress.file();
        if self.failed.is_none() && !findings.is_empty() {
            self.failed = self.report.file(&findings, self.sources).err();
        }
    }

    fn progress(&mut self, artifacts: usize) {
        self.progress.artifacts(artifacts);
    }
}

/// Checks the manifests and shows what is found.
pub(super) fn check(
    manifest: &Manifest,
    threads: Option<u16>,
    progress: When,
    report: &mut dyn FindingsReport,
    entries: Option<&mut Vec<Entry>>,
) -> Result<Summary, Failure> {
    let begun = Instant::now();
    let wanted = entries.is_some();
    let options = check::Options { threads: threads.map(usize::from), entries: wanted };
    let mut sink = Checking {
        sources: &manifest.sources,
        report,
        progress: CheckProgress::new(progress, manifest.walk.files()),
        failed: None,
        entries,
    };
    let summary = check::run(&manifest.walk, &manifest.sources, options, &mut sink);
    sink.progress.finish();
    if let Some(error) = sink.failed {
        return Err(error.into());
    }
    let took: Duration = begun.elapsed();
    sink.report.finish(&summary, &manifest.sources, took)?;
    Ok(summary)
}

/// The report of findings in the asked format, on standard output.
pub(super) fn findings_report(
    global: &Global,
    format: Format,
    all: bool,
    manifests: &Manifests,
) -> Box<dyn FindingsReport> {
    let out: Box<dyn Write> = Box::new(Output::stdout(global.color.into()));
    match format {
        Format::Human => Box::new(Human::new(out, human_options(global, all, manifests))),
        Format::Short => Box::new(Short::new(out)),
        Format::Json => Box::new(Json::new(out)),
    }
}

fn human_options(global: &Global, all: bool, manifests: &Manifests) -> human::Options {
    let size = terminal_size::terminal_size_of(io::stdout());
    let width = size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0).clamp(50, 140));
    human::Options {
        width,
        unicode: !io::stdout().is_terminal() || unicode_locale(),
        all,
        quiet: global.quiet,
        all_command: format!("lineload lint{} --all", shell_words(manifests)),
    }
}

/// Whether the locale of the terminal has more than ASCII.
fn unicode_locale() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Progress as `--progress` and `--quiet` have it.
pub(super) const fn progress(global: &Global) -> When {
    if global.quiet { When::Never } else { global.progress }
}

/// The paths of a run as they are typed in a shell.
pub(super) fn shell_words(manifests: &Manifests) -> String {
    let mut words = String::new();
    for path in &manifests.paths {
        let word = escaped(&path.display().to_string());
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
        words.push(' ');
        if !word.is_empty() && word.chars().all(plain) {
            words.push_str(&word);
        } else {
            words.push_str(&format!("'{}'", word.replace('\'', "'\\''")));
        }
    }
    words
}
