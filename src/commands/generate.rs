//! `lineload generate`

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::failure::Failure;
use super::inventory::{Asked, Inventory, Job, pin, unread};
use super::reports::{People, Reports, to_file};
use super::settings::Settings;
use super::terminal::{human_options, progress};
use crate::check::Summary;
use crate::cli::generate::Generate;
use crate::cli::{Global, Manifests};
use crate::config::{FailOn, Format};
use crate::destination;
use crate::diagnostic::Diagnostic;
use crate::exit::Exit;
use crate::generate::rows::TEMPLATE;
use crate::generate::tree::{Layout, Mode, Tree};
use crate::generate::{Frame, Generated, Input, Sink, Stream, init};
use crate::report::FindingsReport;
use crate::report::generate::{self as shown, RowProgress};
use crate::report::human::Human;
use crate::report::output::{Output, OutputError};
use crate::source::{SourceFile, SourceStore};
use crate::text::{escaped, reason, shell_word};

/// Artifacts of a file where nothing else is asked for.
const PER_FILE: u32 = 1000;

pub(super) fn run(global: &Global, args: &Generate) -> Result<Exit, Failure> {
    let settings = Settings::load(global)?;
    destinations(args)?;
    let asked = Asked {
        path: &args.inventory,
        form: &args.form,
        made: &args.what.made,
        init: args.what.init,
    };
    let mut inventory = Inventory::open(asked)?;
    if let Some(finding) = inventory.fault.take() {
        let template = Arc::new(SourceFile::new(TEMPLATE, Arc::from(""), Vec::new()));
        let command =
            Command { global, args, settings: &settings, names: inventory.names, template };
        return command.ended_early(vec![finding], Exit::Findings);
    }
    if args.what.init {
        return first_template(args, inventory, &asked.name());
    }
    if args.what.invalid.is_some() && inventory.input.frame().is_none() {
        return Err(Failure::usage("`--invalid` cannot be used with this kind of inventory")
            .help("its rows cannot be written as an inventory of their own: fix them where the findings point"));
    }
    let template = Arc::new(inventory.template(asked)?);
    let Inventory { mut input, names, size, .. } = inventory;
    let command = Command { global, args, settings: &settings, names, template };
    command.run(asked, &mut *input, size)
}

struct Command<'c> {
    global: &'c Global,
    args: &'c Generate,
    settings: &'c Settings,
    /// The files of the inventory as they are shown.
    names: Vec<Arc<str>>,
    template: Arc<SourceFile>,
}

impl Command<'_> {
    fn run(
        &self,
        asked: Asked<'_>,
        input: &mut dyn Input,
        size: Option<u64>,
    ) -> Result<Exit, Failure> {
        let begun = Instant::now();
        let job = Job {
            settings: self.settings,
            asked,
            template: &self.template,
            file: self.args.files.file.as_deref(),
            entries: false,
            threads: self.args.reported.threads,
            rewrites: None,
        };
        let bar = RowProgress::new(progress(self.global), size);
        let (generated, out) = job.run(input, |frame| Out::new(self.args, bar, frame))?;
        match out {
            Some(out) if !generated.bad_template => {
                out.progress.finish();
                self.finish(&generated, out, begun)
            }
            _ => self.ended_early(generated.findings, Exit::Usage),
        }
    }

    fn finish(&self, generated: &Generated, out: Out, begun: Instant) -> Result<Exit, Failure> {
        let summary = generated.summary();
        let failed = match self.args.reported.fail_on.or(self.settings.config.fail_on) {
            None | Some(FailOn::Error) => summary.errors > 0,
            Some(FailOn::Warning) => summary.errors + summary.warnings > 0,
            Some(FailOn::Never) => false,
        };
        let invalid = generated.invalid_rows > 0 || summary.errors > 0;
        let keep = !(self.args.what.require_valid && invalid);
        let tree = out.finish(keep, !invalid)?;
        self.show(generated, &summary, begun)?;
        let mut exit = if failed { Exit::Findings } else { Exit::Success };
        if let Some(tree) = &tree {
            let differs = tree.differing.iter().any(|one| !one.done);
            if self.args.files.diff {
                let mut out = Output::stdout(self.global.color.into());
                shown::diff(&mut out, tree, self.args.directory()).map_err(OutputError)?;
            }
            if differs && !self.args.files.diff {
                exit = exit.and(Exit::Findings);
            }
        }
        if !self.global.quiet {
            let mut err = anstream::AutoStream::new(io::stderr().lock(), self.global.color.into());
            let closing = shown::Closing {
                generated,
                tree: tree.as_ref(),
                directory: self.args.directory(),
                checked: self.args.files.check || self.args.files.diff,
                kept: keep,
                invalid: self.args.what.invalid.as_deref(),
            };
            // Nobody may be there to read it.
            let _ = closing.write(&mut err);
        }
        Ok(exit)
    }

    /// Reports what keeps anything from being generated.
    fn ended_early(&self, findings: Vec<Diagnostic>, exit: Exit) -> Result<Exit, Failure> {
        let generated = Generated { findings, ..Generated::default() };
        let summary = generated.summary();
        self.show(&generated, &summary, Instant::now())?;
        Ok(exit)
    }

    fn show(
        &self,
        generated: &Generated,
        summary: &Summary,
        begun: Instant,
    ) -> Result<(), Failure> {
        // The template stands between the first file of the inventory and the others.
        let mut names = self.names.clone();
        names.insert(names.len().min(1), Arc::clone(self.template.name()));
        let sources = SourceStore::new(names.into_iter().map(|name| (name, None)).collect());
        pin(&sources, generated, &self.template);
        let mut report = self.report()?;
        let mut findings = generated.findings.clone();
        findings.sort_by_key(|finding| finding.file);
        for of_file in findings.chunk_by(|one, other| one.file == other.file) {
            report.file(of_file, &sources).map_err(OutputError)?;
        }
        report.finish(summary, &sources, begun.elapsed()).map_err(OutputError)?;
        Ok(())
    }

    fn report(&self) -> Result<Box<dyn FindingsReport>, Failure> {
        let args = &self.args.reported;
        let words = std::env::args_os().skip(1).map(|word| shell_word(&word.to_string_lossy()));
        let command = words.fold("lineload".to_owned(), |line, word| format!("{line} {word}"));
        let fail_on = args.fail_on.or(self.settings.config.fail_on);
        let human = human_options(self.global, args.all, command, &Manifests::none());
        let every_finding: People = |out, options| Box::new(Human::new(out, options));
        let warnings_fail = fail_on == Some(FailOn::Warning);
        let mut reports = Reports::new(human, every_finding, warnings_fail);
        let format = args.format.or(self.settings.config.format).unwrap_or(Format::Human);
        if self.args.writes_to_stdout() {
            let err = anstream::AutoStream::new(io::stderr(), self.global.color.into());
            reports.add(format, Box::new(err));
        } else {
            let annotated = args.findings.iter().any(|output| output.format == Format::Github);
            reports.on_stdout(self.global, format, annotated);
        }
        for output in &args.findings {
            let file = destination::create(&output.file).map_err(|error| {
                let file = escaped(&output.file.display().to_string());
                Failure::usage(format!("{file} cannot be written: {}", reason(&error)))
            })?;
            reports.add(output.format, to_file(output, file));
        }
        Ok(reports.finish())
    }
}

/// Prints a first template, or writes it to a file that does not exist yet.
fn first_template(args: &Generate, inventory: Inventory, name: &str) -> Result<Exit, Failure> {
    let mut input = inventory.input;
    let text = match inventory.template {
        Some(own) => own.to_owned(),
        None => {
            let unread = |error| unread(&args.inventory, &error);
            input.start().map_err(unread)?;
            let text = init::template(&mut *input, name).map_err(unread)?;
            text.ok_or_else(|| Failure::usage("the inventory has no row to make a template of"))?
        }
    };
    let Some(file) = &args.what.made.template else {
        let mut out = io::stdout().lock();
        return match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(OutputError(error).into())
            }
            _ => Ok(Exit::Success),
        };
    };
    if file.exists() && !args.files.force {
        let shown = escaped(&file.display().to_string());
        return Err(Failure::usage(format!("{shown} already exists"))
            .help("name another file, or add `--force`"));
    }
    let written = destination::create(file).and_then(|mut out| out.write_all(text.as_bytes()));
    written.map_err(|error| {
        let shown = escaped(&file.display().to_string());
        Failure::usage(format!("{shown} cannot be written: {}", reason(&error)))
    })?;
    Ok(Exit::Success)
}

/// Checks what is to be written before anything is read.
fn destinations(args: &Generate) -> Result<(), Failure> {
    if let Some(directory) = args.files.output.as_ref().filter(|_| !args.writes_to_stdout()) {
        destination::check(directory)?;
        if directory.exists() && !directory.is_dir() {
            let shown = escaped(&directory.display().to_string());
            return Err(Failure::usage(format!("`{shown}` is not a directory"))
                .help("name a directory, or `-` for standard output"));
        }
    }
    let files = args.what.invalid.iter().map(PathBuf::as_path);
    let files = files.chain(args.reported.findings.iter().map(|output| output.file.as_path()));
    let inputs = [Some(args.inventory.clone()), args.what.made.template.clone()];
    Ok(destination::check_all(files, inputs.into_iter().flatten())?)
}

/// The destinations of artifacts and rows.
struct Out {
    tree: Option<Tree>,
    stream: Option<Stream<io::BufWriter<io::Stdout>>>,
    invalid: Option<Rows>,
    progress: RowProgress,
}

/// A file of rows.
struct Rows {
    file: io::BufWriter<std::fs::File>,
    frame: Frame,
    rows: usize,
}

impl Out {
    fn new(args: &Generate, progress: RowProgress, frame: Option<Frame>) -> Result<Self, Failure> {
        let files = &args.files;
        let dry = files.check || files.diff;
        let mode = Mode {
            dry,
            update: files.update,
            force: files.force,
            prune: files.prune,
            deferred: args.what.require_valid,
            contents: files.diff,
        };
        let layout = match files.file {
            Some(_) => Layout::ByName,
            None => Layout::PerFile(files.per_file.unwrap_or(PER_FILE) as usize),
        };
        let to_stdout = args.writes_to_stdout();
        let tree = files.output.as_ref().filter(|_| !to_stdout);
        let invalid = match &args.what.invalid {
            Some(path) if !dry => {
                let frame = frame.unwrap_or_default();
                let file = destination::create(path).map_err(|error| {
                    let path = escaped(&path.display().to_string());
                    Failure::usage(format!("{path} cannot be written: {}", reason(&error)))
                })?;
                Some(Rows { file: io::BufWriter::new(file), frame, rows: 0 })
            }
            _ => None,
        };
        Ok(Self {
            tree: tree.map(|directory| Tree::new(directory, layout, mode)),
            stream: to_stdout.then(|| Stream::new(io::BufWriter::new(io::stdout()))),
            invalid,
            progress,
        })
    }

    /// Writes what is left. Generated files without a row are removed only if `all_valid`: a row that
    /// is invalid today may have made one.
    fn finish(mut self, keep: bool, all_valid: bool) -> Result<Option<Tree>, Failure> {
        let stopped =
            |error: io::Error| Failure::usage(format!("stopped: {}", escaped(&error.to_string())));
        if let Some(stream) = &mut self.stream {
            match stream.finish() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    return Err(OutputError(error).into());
                }
                _ => {}
            }
        }
        if let Some(rows) = &mut self.invalid {
            if rows.rows > 0 {
                rows.file.write_all(rows.frame.behind.as_bytes()).map_err(stopped)?;
            }
            rows.file.flush().map_err(stopped)?;
        }
        if let Some(tree) = &mut self.tree {
            tree.finish(keep, all_valid).map_err(stopped)?;
        }
        Ok(self.tree)
    }
}

impl Sink for Out {
    fn artifact(&mut self, document: &str, file: Option<&str>) -> io::Result<()> {
        if let Some(tree) = &mut self.tree {
            tree.add(document, file)?;
        }
        match self.stream.as_mut().map(|stream| stream.document(document)) {
            Some(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    fn invalid(&mut self, row: &str) -> io::Result<()> {
        let Some(rows) = &mut self.invalid else { return Ok(()) };
        let before = if rows.rows == 0 { rows.frame.before.as_str() } else { rows.frame.between };
        rows.file.write_all(before.as_bytes())?;
        rows.rows += 1;
        rows.file.write_all(row.trim_end_matches(['\n', '\r']).as_bytes())
    }

    fn progress(&mut self, rows: u64, bytes: u64) {
        self.progress.update(rows, bytes);
    }
}
