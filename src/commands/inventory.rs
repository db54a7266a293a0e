//! The inventory of a command line, and the template for it.

mod cloudformation;
mod dvc;
mod source;

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use super::settings::Settings;
use crate::artifact::Rewrites;
use crate::cli::Manifests;
use crate::cli::generate::{Form, Made};
use crate::diagnostic::{self, Allowances, Code, Diagnostic, Findings};
use crate::generate::group::{self, Groups};
use crate::generate::rows::{INVENTORY, TEMPLATE};
use crate::generate::template::Template;
use crate::generate::{self, Frame, Generated, Input, Options, Sink, expression, open};
use crate::source::{EncodingFault, SourceFile, SourceStore};
use crate::text::{escaped, reason};
use crate::walk::STDIN;

/// An inventory and a template, as options name them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The inventory.
    pub(super) path: &'a Path,
    /// Its form.
    pub(super) form: &'a Form,
    /// The template and what belongs to it.
    pub(super) made: &'a Made,
    /// True if a template is to be written, and none needed.
    pub(super) init: bool,
}

impl<'a> Asked<'a> {
    /// Returns the inventory that is read in the place of manifests, if one is.
    pub(super) fn of(args: &'a Manifests) -> Option<Self> {
        let path = args.rows.inventory.as_deref()?;
        Some(Self { path, form: &args.rows.form, made: &args.rows.made, init: false })
    }

    /// The name of the inventory as it is shown.
    pub(super) fn name(&self) -> Arc<str> {
        if self.path.as_os_str() == "-" {
            Arc::from(STDIN)
        } else {
            Arc::from(self.path.display().to_string())
        }
    }
}

/// An inventory, ready to be read.
pub(super) struct Inventory {
    pub(super) input: Box<dyn Input>,
    /// Its files as they are shown.
    pub(super) names: Vec<Arc<str>>,
    /// The template that its source comes with.
    pub(super) template: Option<&'static str>,
    /// Its size in bytes, if known.
    pub(super) size: Option<u64>,
    /// The finding that it cannot be read at all.
    pub(super) fault: Option<Diagnostic>,
}

impl Inventory {
    /// Opens the inventory that is asked for.
    pub(super) fn open(asked: Asked<'_>) -> Result<Self, Failure> {
        if source::is_dvc(asked) {
            return dvc::inventory(asked);
        }
        if source::is_templates(asked) {
            return cloudformation::inventory(asked, None);
        }
        let opened = open::open(asked.path).map_err(|error| unread(asked.path, &error))?;
        let is_binary = opened.head.starts_with(open::PARQUET);
        let fault = if is_binary { None } else { wide(&opened.head) };
        let size = opened.size;
        let inventory = source::choose(asked, opened)?;
        Ok(Self { size, fault, ..inventory })
    }

    /// Returns the template to use.
    pub(super) fn template(&self, asked: Asked<'_>) -> Result<SourceFile, Failure> {
        match (&asked.made.template, self.template) {
            (Some(file), _) => {
                let bytes = std::fs::read(file).map_err(|error| unread(file, &error))?;
                let name = Arc::from(file.display().to_string());
                Ok(SourceFile::new(TEMPLATE, name, bytes))
            }
            (None, Some(own)) => {
                Ok(SourceFile::new(TEMPLATE, Arc::from("(own template)"), own.into()))
            }
            (None, None) => Err(Failure::usage("no template").help(
                "add `--template FILE`; `lineload generate --init` writes a starter template",
            )),
        }
    }
}

/// A run over the rows of an inventory.
pub(super) struct Job<'j> {
    pub(super) settings: &'j Settings,
    pub(super) asked: Asked<'j>,
    pub(super) template: &'j Arc<SourceFile>,
    /// The expression that says which file an artifact goes into.
    pub(super) file: Option<&'j str>,
    /// True if artifacts are wanted as entries.
    pub(super) entries: bool,
    pub(super) threads: Option<u16>,
    /// The rewrites of each `SourceUri`.
    pub(super) rewrites: Option<&'j Rewrites>,
}

impl Job<'_> {
    /// Passes the artifacts of `input` to the sink that `make` makes. There is none if the template is at
    /// fault, which is then among the findings.
    pub(super) fn run<S: Sink>(
        &self,
        input: &mut dyn Input,
        make: impl FnOnce(Option<Frame>) -> Result<S, Failure>,
    ) -> Result<(Generated, Option<S>), Failure> {
        let Asked { path, form, made, .. } = self.asked;
        let at_fault =
            |findings| Generated { findings, bad_template: true, ..Generated::default() };
        let mut faults = Vec::new();
        let mut template = self.read_template(&mut faults);
        let file = self.file.map(|text| template.add_text(text));
        let group = form.group.as_ref().map(|text| template.add_text(text));
        if let Err(error) = input.start() {
            if faults.iter().any(Diagnostic::is_error) {
                return Ok((at_fault(faults), None));
            }
            return Err(unread(path, &error));
        }
        let environment = expression::environment(&made.vars);
        let columns = input.columns().map(|columns| match group {
            Some(_) => Arc::new(group::with_columns(&columns)),
            None => columns,
        });
        let columns = columns.as_deref();
        let compiled =
            template.compile(&environment, columns, &made.vars, &mut faults, self.template);
        if faults.iter().any(Diagnostic::is_error) {
            diagnostic::sort(&mut faults);
            return Ok((at_fault(faults), None));
        }
        let levels = self.settings.config.rules.levels(&self.asked.name());
        let options = Options {
            compiled: &compiled,
            template: self.template,
            levels: &levels,
            file,
            on_duplicate: made.on_duplicate.into(),
            entries: self.entries,
            threads: self.threads.map(usize::from),
            rewrites: self.rewrites,
        };
        let mut sink = make(input.frame())?;
        let generated = match group {
            None => generate::run(input, &options, &mut sink),
            Some(group) => {
                let filter = compiled.template.when().map(|when| compiled.program(when));
                let mut groups = Groups::new(input, compiled.program(group), filter);
                generate::run(&mut groups, &options, &mut sink)
            }
        };
        let mut generated = generated.map_err(|error| {
            let message = escaped(&error.to_string());
            Failure::usage(format!("stopped: {message}"))
        })?;
        if generated.rows == 0 && generated.findings.is_empty() {
            let message = "the inventory has no row";
            let finding = Diagnostic::of_file(Code::InventorySyntax, INVENTORY, message);
            let help = "is it the right file, and is the first line its header?";
            generated.findings.push(finding.with_help(help));
        }
        if !generated.bad_template {
            generated.findings.append(&mut faults);
        }
        Ok((generated, Some(sink)))
    }

    fn read_template(&self, faults: &mut Vec<Diagnostic>) -> Template {
        let levels = self.settings.config.rules.levels(self.template.name());
        let mut findings = Findings::new(self.template, &levels, Allowances::default());
        if self.template.fault().is_some() {
            let message = "the template is not UTF-8";
            faults.push(
                Diagnostic::of_file(Code::Encoding, TEMPLATE, message)
                    .with_help("save it as UTF-8"),
            );
            return Template::default();
        }
        let template = Template::read(&mut findings);
        faults.extend(findings.take().0);
        template
    }
}

/// Gives `sources` the lines that the findings are about, and hides what nobody is to be shown.
pub(super) fn pin(sources: &SourceStore, generated: &Generated, template: &Arc<SourceFile>) {
    for (file, pieces) in &generated.lines {
        let known = SourceFile::of_pieces(*file, sources.name(*file), pieces.clone());
        sources.pin(Arc::new(known));
    }
    sources.pin(Arc::clone(template));
    for (file, span) in &generated.hidden {
        sources.hide(*file, &[*span]);
    }
}

/// Returns the finding that an inventory is not UTF-8, judged by its first bytes.
fn wide(head: &[u8]) -> Option<Diagnostic> {
    let source = SourceFile::new(INVENTORY, Arc::from(""), head.to_vec());
    let name = match source.fault()? {
        EncodingFault::Utf16 => "UTF-16",
        EncodingFault::Utf32 => "UTF-32",
        EncodingFault::Invalid { .. } => return None,
    };
    let message = format!("the inventory is {name}; inventories are UTF-8");
    // Without a mark, `iconv` takes the order of bytes that its machine has.
    let order = match head {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 0, 0xFE, 0xFF, ..] => "",
        [0, ..] => "BE",
        _ => "LE",
    };
    let help = format!("save it as UTF-8, as with `iconv -f {name}{order} -t UTF-8`");
    Some(Diagnostic::of_file(Code::Encoding, INVENTORY, message).with_help(help))
}

/// Returns the failure of reading `path`.
pub(super) fn unread(path: &Path, error: &io::Error) -> Failure {
    let path = escaped(&path.display().to_string());
    Failure::usage(format!("{path} cannot be read: {}", reason(error)))
}
