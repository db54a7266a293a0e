//! The check as every command runs it: walk, check, show.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Failure;
use super::settings::Settings;
use crate::check::{self, Entry, EntryId, Sink, Summary};
use crate::cli::{Global, Lint, Manifests, Narrow};
use crate::config::Format;
use crate::diagnostic::words::{either, escaped};
use crate::diagnostic::{Code, Diagnostic};
use crate::report::human::{self, Human};
use crate::report::json::Json;
use crate::report::output::Output;
use crate::report::progress::{CheckProgress, When};
use crate::report::short::Short;
use crate::report::{self, FindingsReport};
use crate::source::{FileId, SourceStore};
use crate::walk::{self, Origin, Walk};

/// Width of a line where nobody tells: enough for a finding, and the same everywhere.
const DEFAULT_WIDTH: usize = 100;

/// The manifests of a run.
pub(super) struct Manifest {
    pub(super) walk: Walk,
    pub(super) sources: SourceStore,
}

impl Manifest {
    /// Walks the paths of the command line. No manifest at all is a failure, not a success.
    pub(super) fn find(args: &Manifests, settings: &Settings) -> Result<Self, Failure> {
        let mut options = args.walk_options();
        options.exclude.extend(settings.config.exclude.iter().cloned());
        let walk = walk::walk(&options);
        let sources = check::sources(&walk);
        Ok(Self { walk, sources })
    }

    /// Forgets what was read of the files: they have changed.
    pub(super) fn forget(&self) {
        self.sources.forget();
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
    filter: &'c Filter,
    errors: usize,
    warnings: usize,
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

    fn file(&mut self, _: FileId, mut findings: Vec<Diagnostic>) {
        self.progress.file();
        if !self.filter.takes_all() {
            findings.retain(|finding| self.filter.keeps(finding));
            let errors = findings.iter().filter(|finding| finding.is_error()).count();
            self.errors += errors;
            self.warnings += findings.len() - errors;
        }
        if self.failed.is_none() && !findings.is_empty() {
            self.failed = self.report.file(&findings, self.sources).err();
        }
    }

    fn progress(&mut self, artifacts: usize) {
        self.progress.artifacts(artifacts);
    }
}

/// What of the findings is reported. It changes nothing about what is valid.
#[derive(Debug, Default)]
pub(super) struct Filter {
    select: HashSet<Code>,
    ignore: HashSet<Code>,
    changed: Option<HashSet<FileId>>,
}

impl Filter {
    pub(super) fn new(args: &Narrow, manifest: &Manifest) -> Result<Self, Failure> {
        let changed = args.changed_since.as_deref().map(super::git::changed_since).transpose()?;
        let is_changed = |found: &walk::Found, changed: &HashSet<PathBuf>| match &found.what {
            Ok(Origin::Path(path)) => {
                std::fs::canonicalize(path).is_ok_and(|path| changed.contains(&path))
            }
            Ok(Origin::Stdin) => true,
            Err(_) => changed.contains(Path::new(&*found.name)),
        };
        let files = |changed: HashSet<PathBuf>| {
            let found = (0..).map(FileId).zip(&manifest.walk.found);
            found.filter(|(_, found)| is_changed(found, &changed)).map(|(id, _)| id).collect()
        };
        Ok(Self {
            select: args.select.iter().copied().collect(),
            ignore: args.ignore.iter().copied().collect(),
            changed: changed.map(files),
        })
    }

    fn takes_all(&self) -> bool {
        self.select.is_empty() && self.ignore.is_empty() && self.changed.is_none()
    }

    /// Whether a finding is reported.
    pub(super) fn keeps(&self, finding: &Diagnostic) -> bool {
        (self.select.is_empty() || self.select.contains(&finding.code))
            && !self.ignore.contains(&finding.code)
            && self.changed.as_ref().is_none_or(|changed| {
                let related = finding.related.iter().map(|related| related.file);
                std::iter::once(finding.file).chain(related).any(|file| changed.contains(&file))
            })
    }
}

/// A check to run.
#[derive(Clone, Copy)]
pub(super) struct Check<'c> {
    pub(super) global: &'c Global,
    pub(super) settings: &'c Settings,
    pub(super) manifest: &'c Manifest,
    pub(super) threads: Option<u16>,
    pub(super) filter: &'c Filter,
}

/// Checks the manifests and shows what is found. Errors and warnings of the summary are those that
/// are reported.
pub(super) fn check(
    check: Check<'_>,
    report: &mut dyn FindingsReport,
    entries: Option<&mut Vec<Entry>>,
) -> Result<Summary, Failure> {
    let begun = Instant::now();
    let Check { global, settings, manifest, threads, filter } = check;
    let options = check::Options {
        rules: &settings.config.rules,
        allowances: settings.allowances,
        threads: threads.map(usize::from),
        entries: entries.is_some(),
    };
    let mut sink = Checking {
        sources: &manifest.sources,
        report,
        progress: CheckProgress::new(progress(global), manifest.walk.files()),
        failed: None,
        entries,
        filter,
        errors: 0,
        warnings: 0,
    };
    let mut summary = check::run(&manifest.walk, &manifest.sources, options, &mut sink);
    sink.progress.finish();
    if let Some(error) = sink.failed {
        return Err(error.into());
    }
    if !filter.takes_all() {
        (summary.errors, summary.warnings) = (sink.errors, sink.warnings);
    }
    let took: Duration = begun.elapsed();
    sink.report.finish(&summary, &manifest.sources, took)?;
    Ok(summary)
}

/// The reports of findings that `lint` was asked for.
pub(super) fn findings_report(
    global: &Global,
    args: &Lint,
    settings: &Settings,
) -> Result<Box<dyn FindingsReport>, Failure> {
    let format = args.format.or(settings.config.format).unwrap_or(Format::Human);
    let out: Box<dyn Write> = Box::new(Output::stdout(global.color.into()));
    let human = human_options(global, args.all, &args.manifests);
    let mut reports = vec![report(format, out, &human)];
    for output in &args.output {
        let file = File::create(&output.file).map_err(|error| {
            let file = output.file.display();
            Failure::usage(format!("{file} cannot be written: {}", walk::reason(&error)))
        })?;
        // Files get no colours.
        let file: Box<dyn Write> = Box::new(io::BufWriter::new(file));
        let file = anstream::StripStream::new(file);
        reports.push(report(output.format, Box::new(file), &human));
    }
    Ok(Box::new(report::All(reports)))
}

fn report(format: Format, out: Box<dyn Write>, human: &human::Options) -> Box<dyn FindingsReport> {
    match format {
        Format::Human => Box::new(Human::new(out, human.clone())),
        Format::Short => Box::new(Short::new(out)),
        Format::Json => Box::new(Json::new(out)),
        Format::Sarif | Format::Github | Format::Junit | Format::Gitlab => Box::new(Json::new(out)),
    }
}

/// The findings of a command that does more than check, for people.
#[cfg(feature = "aws")]
pub(super) fn human_report(global: &Global, manifests: &Manifests) -> Box<dyn FindingsReport> {
    let out: Box<dyn Write> = Box::new(Output::stdout(global.color.into()));
    report(Format::Human, out, &human_options(global, false, manifests))
}

/// How a finding is shown on standard error.
pub(super) fn shown_on_stderr() -> human::Options {
    let size = terminal_size::terminal_size_of(io::stderr());
    let width = size.map(|(width, _)| usize::from(width.0));
    shown_alone(width, io::stderr().is_terminal())
}

/// How a finding is shown on standard output, by itself.
pub(super) fn shown_on_stdout() -> human::Options {
    let size = terminal_size::terminal_size_of(io::stdout());
    let width = size.map(|(width, _)| usize::from(width.0));
    shown_alone(width, io::stdout().is_terminal())
}

fn shown_alone(width: Option<usize>, terminal: bool) -> human::Options {
    human::Options {
        width: width.map_or(DEFAULT_WIDTH, |width| width.clamp(50, 140)),
        unicode: !terminal || unicode_locale(),
        all: true,
        quiet: true,
        command: String::new(),
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
        command: format!("lineload lint{}", shell_words(manifests)),
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
