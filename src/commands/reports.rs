//! The reports of findings, and where each is written.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::command_line::lint_command;
use super::failure::Failure;
use super::manifests::ManifestSet;
use super::settings::Settings;
use super::terminal::human_options;
use crate::cli::{Global, Lint, OutputFile};
use crate::config::{FailOn, Format};
use crate::destination;
use crate::report::github::{Github, StepSummary};
use crate::report::gitlab::Gitlab;
use crate::report::human::{self, Human};
use crate::report::json::Json;
use crate::report::junit::Junit;
use crate::report::output::{Output, Shared};
use crate::report::root::Root;
use crate::report::sarif::Sarif;
use crate::report::short::Short;
use crate::report::workflow_commands::Stopped;
use crate::report::{self, FindingsReport};
use crate::text::{escaped, reason};
use crate::walk::{Origin, Walk};

/// The reports of findings that a command is asked for.
pub(super) struct Asked<'a> {
    /// The format on standard output.
    pub(super) format: Option<Format>,
    /// The files.
    pub(super) outputs: &'a [OutputFile],
    /// The options for people.
    pub(super) human: human::Options,
    /// True if warnings end the command with exit code 1.
    pub(super) warnings_fail: bool,
}

/// Returns the reports of findings of a `lint` command.
pub(super) fn of_lint(
    global: &Global,
    args: &Lint,
    settings: &Settings,
) -> Result<Box<dyn FindingsReport>, Failure> {
    let command = lint_command(global, &args.manifests, Some(&args.narrow));
    let asked = Asked {
        format: args.format,
        outputs: &args.output,
        human: human_options(global, args.all, command, &args.manifests),
        warnings_fail: settings.fail_on(&args.narrow) == FailOn::Warning,
    };
    findings_report(global, settings, asked)
}

/// Returns the reports of findings that a command is asked for.
pub(super) fn findings_report(
    global: &Global,
    settings: &Settings,
    asked: Asked<'_>,
) -> Result<Box<dyn FindingsReport>, Failure> {
    let format = asked.format.or(settings.config.format).unwrap_or(Format::Human);
    let every_finding: People = |out, options| Box::new(Human::new(out, options));
    let mut reports = Reports::new(asked.human, every_finding, asked.warnings_fail);
    let annotated = asked.outputs.iter().any(|output| output.format == Format::Github);
    reports.on_stdout(global, format, annotated);
    for output in asked.outputs {
        let file = destination::create(&output.file).map_err(|error| {
            let file = escaped(&output.file.display().to_string());
            Failure::usage(format!("cannot write {file}: {}", reason(&error)))
        })?;
        reports.add(output.format, to_file(output, file));
    }
    Ok(reports.finish())
}

/// Checks that the files that `lint` is to write may be written, before anything is read or fixed.
pub(super) fn outputs_can_be_written(
    global: &Global,
    args: &Lint,
    manifest: &ManifestSet,
) -> Result<(), Failure> {
    let destinations = args.output.iter().map(|output| output.file.as_path());
    let destinations = destinations.chain(args.narrow.write_baseline.as_deref());
    let destinations = destinations.chain(args.index.as_deref());
    let inputs = inputs(global, &manifest.walk).chain(args.narrow.baseline.clone());
    Ok(destination::check_all(destinations, inputs)?)
}

/// Returns the files that a check reads.
pub(super) fn inputs<'w>(global: &Global, walk: &'w Walk) -> impl Iterator<Item = PathBuf> + 'w {
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

/// Makes the report for people.
pub(super) type People = fn(Box<dyn Write>, human::Options) -> Box<dyn FindingsReport>;

/// Reports as they are put together.
pub(super) struct Reports {
    list: Vec<Box<dyn FindingsReport>>,
    human: human::Options,
    people: People,
    /// True if warnings end the run with exit code 1.
    warnings_fail: bool,
    root: Root,
    /// The file of the step summary, until a report takes it.
    step_summary: Option<PathBuf>,
}

impl Reports {
    /// None yet. `people` makes the report for people, and with `warnings_fail` warnings end the
    /// run with exit code 1.
    pub(super) fn new(human: human::Options, people: People, warnings_fail: bool) -> Self {
        let working = std::env::current_dir().unwrap_or_default();
        Self {
            list: Vec::new(),
            human,
            people,
            warnings_fail,
            root: Root::of(&working),
            step_summary: std::env::var_os("GITHUB_STEP_SUMMARY")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
        }
    }

    /// Returns the report on standard output. In GitHub Actions that is the report for people, and
    /// behind it annotations, unless they go somewhere else.
    pub(super) fn on_stdout(&mut self, global: &Global, format: Format, annotated: bool) {
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

    /// Returns all of them as one.
    pub(super) fn finish(self) -> Box<dyn FindingsReport> {
        Box::new(report::All(self.list))
    }

    fn people(&self, out: Box<dyn Write>) -> Box<dyn FindingsReport> {
        (self.people)(out, self.human.clone())
    }

    /// Adds a report that is written to `out`.
    pub(super) fn add(&mut self, format: Format, out: Box<dyn Write>) {
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
pub(super) fn to_file(output: &OutputFile, file: File) -> Box<dyn Write> {
    let file = Named { path: output.file.clone(), file };
    let file = io::BufWriter::new(file);
    if output.format == Format::Human {
        return Box::new(anstream::StripStream::new(Box::new(file) as Box<dyn Write>));
    }
    Box::new(file)
}

/// A file whose errors say which it is.
struct Named {
    path: PathBuf,
    file: File,
}

impl Named {
    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("`{}`: {}", self.path.display(), reason(error)))
    }
}

impl Write for Named {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|error| self.named(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| self.named(&error))
    }
}

/// Returns the step summary, if it can be written: failing to write it must not hide the findings.
fn step_summary(path: &Path) -> Option<StepSummary> {
    let open = || {
        let file = File::options().append(true).create(true).open(path)?;
        let taken = file.metadata()?.len();
        let taken = usize::try_from(taken).unwrap_or(usize::MAX);
        Ok(StepSummary::new(Box::new(io::BufWriter::new(file)), taken))
    };
    open()
        .inspect_err(|error: &io::Error| {
            tracing::warn!("cannot write {}: {}", path.display(), reason(error));
        })
        .ok()
}
