//! The check as every command runs it: walk, check, show.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Failure;
pub(super) use super::filter::Filter;
use super::settings::Settings;
use crate::check::{self, Entries, Entry, EntryIndex, Sink, Summary};
use crate::cli::{Global, Lint, Manifests, Narrow};
use crate::config::{FailOn, Format};
use crate::destination::{self, DestinationError};
use crate::diagnostic::{Code, Diagnostic};
#[cfg(feature = "aws")]
use crate::report::digest::{Closing, Digest};
use crate::report::github::{Github, StepSummary};
use crate::report::gitlab::Gitlab;
use crate::report::human::{self, Human};
use crate::report::json::Json;
use crate::report::junit::Junit;
use crate::report::output::{Output, Shared};
use crate::report::progress::{CheckProgress, When};
use crate::report::root::Root;
use crate::report::sarif::Sarif;
use crate::report::short::Short;
use crate::report::workflow_commands::Stopped;
use crate::report::{self, FindingsReport};
use crate::source::{FileId, SourceStore};
use crate::text::{either, escaped, reason};
use crate::walk::{self, Origin, Walk};

/// Default width of a line: enough for a finding, and the same everywhere.
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

    /// Whether `file` is one of them, or would be if it were there, as a path of the command line has
    /// it.
    #[cfg(feature = "aws")]
    pub(super) fn cover(&self, args: &Manifests, file: &str) -> bool {
        let file_path = plain(Path::new(file));
        let named = args.paths.iter().any(|path| file_path.starts_with(plain(path)));
        named || self.walk.found.iter().any(|found| *found.name == *file)
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
            "name a file, or a directory that holds `*.yaml` or `*.yml`; `-` reads standard input",
        ))
    }
}

/// Where entries go, and how far the check has come.
pub(super) struct Checking<'c> {
    pub(super) sources: &'c SourceStore,
    pub(super) report: &'c mut dyn FindingsReport,
    pub(super) progress: CheckProgress,
    pub(super) failed: Option<io::Error>,
    pub(super) entries: Option<&'c mut (dyn Entries + 'c)>,
    filter: &'c Filter,
    /// What of the manifests is reported.
    reported: Summary,
}

impl Sink for Checking<'_> {
    fn entry(&mut self, entry: Entry) {
        if let Some(entries) = &mut self.entries {
            entries.entry(entry);
        }
    }

    fn withdraw(&mut self, entry: EntryIndex) {
        if let Some(entries) = &mut self.entries {
            entries.withdraw(entry);
        }
    }

    fn file(&mut self, file: FileId, mut findings: Vec<Diagnostic>, artifacts: usize) {
        self.progress.file();
        if let Some(entries) = &mut self.entries {
            entries.file(file, &findings);
        }
        if !self.filter.takes_all() {
            findings.retain(|finding| self.filter.keeps(finding));
            if !findings.is_empty() || self.filter.covers(file) {
                self.reported.add(&findings, artifacts);
            }
        }
        self.filter.drop_fixes(&mut findings);
        if self.failed.is_none() && !findings.is_empty() {
            self.failed = self.report.file(&findings, self.sources).err();
        }
    }

    fn progress(&mut self, artifacts: usize) {
        self.progress.artifacts(artifacts);
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

/// Checks the manifests and shows what is found. The summary counts what is reported.
pub(super) fn check<'c>(
    check: Check<'c>,
    report: &'c mut dyn FindingsReport,
    entries: Option<&'c mut (dyn Entries + 'c)>,
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
        reported: Summary::default(),
    };
    let mut summary = check::run(&manifest.walk, &manifest.sources, options, &mut sink);
    sink.progress.finish();
    if let Some(error) = sink.failed {
        return Err(error.into());
    }
    if !filter.takes_all() {
        summary = sink.reported;
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
    let command = lint_command(global, &args.manifests, Some(&args.narrow));
    let human = human_options(global, args.all, command, &args.manifests);
    let mut reports = Reports::new(human, fail_on(args, settings) == FailOn::Warning);
    let annotated = args.output.iter().any(|output| output.format == Format::Github);
    reports.on_stdout(global, format, annotated);
    for output in &args.output {
        let file = destination::create(&output.file).map_err(|error| {
            let file = escaped(&output.file.display().to_string());
            Failure::usage(format!("{file} cannot be written: {}", reason(&error)))
        })?;
        reports.add(output.format, to_file(output.format, file));
    }
    Ok(Box::new(report::All(reports.list)))
}

/// Checks that the files that `lint` is to write may be written, before anything is read or fixed.
pub(super) fn outputs_can_be_written(
    global: &Global,
    args: &Lint,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let destinations = args.output.iter().map(|output| output.file.as_path());
    destination::check_all(destinations, inputs(global, &manifest.walk))
        .map_err(|error| misdirected(&error))
}

/// Checks that none of `destinations` is a file that a check of `manifests` reads.
#[cfg(feature = "aws")]
pub(super) fn none_is_read(
    destinations: &[PathBuf],
    global: &Global,
    manifests: &Manifests,
    settings: &Settings,
) -> Result<(), Failure> {
    let destinations = || destinations.iter().map(PathBuf::as_path);
    if !destination::any_is_there(destinations()) {
        return Ok(());
    }
    let manifest = Manifest::find(manifests, settings)?;
    destination::check_all(destinations(), inputs(global, &manifest.walk))
        .map_err(|error| misdirected(&error))
}

/// The files that a check reads.
fn inputs<'w>(global: &Global, walk: &'w Walk) -> impl Iterator<Item = PathBuf> + 'w {
    let configuration = match &global.config {
        _ if global.isolated => None,
        Some(file) => Some(file.clone()),
        None => std::env::current_dir().ok().and_then(|working| crate::config::find(&working)),
    };
    let manifests = walk.found.iter().filter_map(|found| match &found.what {
        Ok(Origin::Path(path)) => Some(path.to_path_buf()),
        _ => None,
    });
    manifests.chain(configuration)
}

/// Why a path of the command line is not written.
pub(super) fn misdirected(error: &DestinationError) -> Failure {
    Failure::usage(error.to_string()).help(error.help())
}

/// The findings of a command that does more than check, for people.
#[cfg(feature = "aws")]
pub(super) fn human_report(global: &Global, manifests: &Manifests) -> Box<dyn FindingsReport> {
    let human = human_options(global, false, lint_command(global, manifests, None), manifests);
    let mut reports = Reports::new(human, false);
    reports.digest = true;
    reports.on_stdout(global, Format::Human, false);
    Box::new(report::All(reports.list))
}

/// The same on standard error, where standard output belongs to something else.
#[cfg(feature = "aws")]
pub(super) fn human_report_on_stderr(
    global: &Global,
    manifests: &Manifests,
) -> Box<dyn FindingsReport> {
    let out = anstream::AutoStream::new(io::stderr(), global.color.into());
    let options = human::Options {
        command: lint_command(global, manifests, None),
        all: false,
        quiet: true,
        ..shown_on_stderr()
    };
    Box::new(Digest::new(out, options, Closing::WithFindings))
}

/// Reports as they are put together.
struct Reports {
    list: Vec<Box<dyn FindingsReport>>,
    human: human::Options,
    /// Whether people came for something else than the findings.
    #[cfg(feature = "aws")]
    digest: bool,
    /// Whether warnings end the run with exit code 1.
    warnings_fail: bool,
    root: Root,
    /// Where the step's summary goes, until a report has it.
    step_summary: Option<PathBuf>,
}

impl Reports {
    fn new(human: human::Options, warnings_fail: bool) -> Self {
        let working = std::env::current_dir().unwrap_or_default();
        Self {
            list: Vec::new(),
            human,
            #[cfg(feature = "aws")]
            digest: false,
            warnings_fail,
            root: Root::of(&working),
            step_summary: std::env::var_os("GITHUB_STEP_SUMMARY")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
        }
    }

    /// What goes to standard output. In GitHub Actions that is the report for people, and behind it
    /// annotations, unless they go somewhere else.
    fn on_stdout(&mut self, global: &Global, format: Format, annotated: bool) {
        let out = Shared::new(Output::stdout(global.color.into()));
        let in_actions = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        if format != Format::Human || !in_actions {
            self.add(format, Box::new(out));
            return;
        }
        let people = self.people(Box::new(out.clone()));
        let word = uuid::Uuid::new_v4().to_string();
        self.list.push(Box::new(Stopped::new(people, out.clone(), word)));
        if !annotated {
            self.add(Format::Github, Box::new(out));
        }
    }

    fn people(&self, out: Box<dyn Write>) -> Box<dyn FindingsReport> {
        #[cfg(feature = "aws")]
        if self.digest {
            return Box::new(Digest::new(out, self.human.clone(), Closing::Always));
        }
        Box::new(Human::new(out, self.human.clone()))
    }

    fn add(&mut self, format: Format, out: Box<dyn Write>) {
        let root = self.root.clone();
        self.list.push(match format {
            Format::Human => self.people(out),
            Format::Short => Box::new(Short::new(out)),
            Format::Json => Box::new(Json::new(out)),
            Format::Sarif => Box::new(Sarif::new(out, root)),
            Format::Github => {
                let summary = self.step_summary.take().and_then(|path| step_summary(&path));
                Box::new(Github::new(out, root, summary))
            }
            Format::Junit => Box::new(Junit::new(out, self.warnings_fail)),
            Format::Gitlab => Box::new(Gitlab::new(out, root)),
        });
    }
}

/// Files get no colours. The other formats have none, and their text is not to be touched.
fn to_file(format: Format, file: File) -> Box<dyn Write> {
    let file = io::BufWriter::new(file);
    if format == Format::Human {
        return Box::new(anstream::StripStream::new(Box::new(file) as Box<dyn Write>));
    }
    Box::new(file)
}

/// The summary of the step, if it can be written to: the findings matter more than where they stand.
fn step_summary(path: &Path) -> Option<StepSummary> {
    let open = || {
        let file = File::options().append(true).create(true).open(path)?;
        let taken = file.metadata()?.len();
        let taken = usize::try_from(taken).unwrap_or(usize::MAX);
        Ok(StepSummary::new(Box::new(io::BufWriter::new(file)), taken))
    };
    open()
        .inspect_err(|error: &io::Error| {
            tracing::warn!("{} cannot be written: {}", path.display(), reason(error));
        })
        .ok()
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
        can_fix: true,
    }
}

fn human_options(
    global: &Global,
    all: bool,
    command: String,
    manifests: &Manifests,
) -> human::Options {
    let size = terminal_size::terminal_size_of(io::stdout());
    let width = size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0).clamp(50, 140));
    human::Options {
        width,
        unicode: !io::stdout().is_terminal() || unicode_locale(),
        all,
        quiet: global.quiet,
        command,
        // Standard input cannot be written to.
        can_fix: !manifests.paths.iter().any(|path| path.as_os_str() == "-"),
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

/// `path` as it is shown: without `./` in front, and the working directory as nothing.
#[cfg(feature = "aws")]
pub(super) fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

/// The paths of a run as they are typed in a shell.
pub(super) fn shell_words(manifests: &Manifests) -> String {
    let word = |path: &PathBuf| format!(" {}", shell_word(&path.display().to_string()));
    manifests.paths.iter().map(word).collect()
}

/// Returns the command that lints the same manifests again and reports the same of them. Options that
/// are named behind it change nothing else.
fn lint_command(global: &Global, manifests: &Manifests, narrow: Option<&Narrow>) -> String {
    let mut command = format!("lineload lint{}", shell_words(manifests));
    let mut option = |name: &str, value: Option<&str>| {
        command.push_str(" --");
        command.push_str(name);
        if let Some(value) = value {
            command.push(' ');
            command.push_str(&shell_word(value));
        }
    };
    for pattern in &manifests.exclude {
        option("exclude", Some(pattern.as_str()));
    }
    for pattern in &manifests.include {
        option("include", Some(pattern.as_str()));
    }
    if manifests.follow_links {
        option("follow-links", None);
    }
    if let Some(name) = &manifests.stdin_filename {
        option("stdin-filename", Some(name));
    }
    if let Some(Narrow { select, ignore, changed_since, .. }) = narrow {
        let codes =
            |codes: &[Code]| codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(",");
        if !select.is_empty() {
            option("select", Some(&codes(select)));
        }
        if !ignore.is_empty() {
            option("ignore", Some(&codes(ignore)));
        }
        if let Some(reference) = changed_since {
            option("changed-since", Some(reference));
        }
    }
    if let Some(config) = &global.config {
        option("config", Some(&config.display().to_string()));
    }
    if global.isolated {
        option("isolated", None);
    }
    command
}

/// Returns what ends a lint with exit code 1.
pub(super) fn fail_on(args: &Lint, settings: &Settings) -> FailOn {
    args.narrow.fail_on.or(settings.config.fail_on).unwrap_or(FailOn::Error)
}

/// A word as it is typed in a shell.
pub(super) fn shell_word(word: &str) -> String {
    let word = escaped(word);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
