//! Findings for people: miette's graphical report, a table where there are many, a closing line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use miette::{Diagnostic as MietteDiagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan};
use miette::{Severity as MietteSeverity, SourceCode};

use super::FindingsReport;
use super::excerpt::{Excerpt, Mark};
use super::link;
use super::tally::{Tally, closing_line};
use crate::check::Summary;
use crate::diagnostic::{Code, Diagnostic, Related, Safety, Severity};
use crate::source::{FileId, Region, SourceFile, SourceStore, Span};
use crate::text::{counted, escaped, grouped};

/// From more findings than this on, only [`EACH`] of each code are shown in full.
const MANY: usize = 40;
/// The number of findings of each code that are shown in full if there are many.
const EACH: usize = 3;
/// Cells that miette's gutter takes beside a line.
const GUTTER: usize = 10;
/// Lines from one label to the next that are still shown in one frame. A frame of its own would name
/// the place of its label above that of the finding.
const NEAR: u32 = 3;
/// Folders in the table.
const FOLDERS: usize = 8;

/// The options of a report for people.
#[derive(Debug, Clone)]
pub struct Options {
    /// Cells of a line.
    pub width: usize,
    /// Draw with more than ASCII.
    pub unicode: bool,
    /// Show every finding, however many there are.
    pub all: bool,
    /// Leave the closing line out.
    pub quiet: bool,
    /// The command that reports the same again: further options go behind it.
    pub command: String,
    /// The manifests can be written to, so that `--fix` is offered.
    pub can_fix: bool,
    /// The terminal shows hyperlinks, so that the name of a rule leads to its page.
    pub links: bool,
}

/// Findings for people.
#[derive(Debug)]
pub struct Human<W> {
    out: W,
    options: Options,
    /// Shown when the check is done.
    kept: Vec<Diagnostic>,
    tally: Tally,
    safe_fixes: usize,
    unsafe_fixes: usize,
    folders: BTreeMap<String, usize>,
}

impl<W: Write> Human<W> {
    /// Shows findings on `out`.
    pub const fn new(out: W, options: Options) -> Self {
        Self {
            out,
            options,
            kept: Vec::new(),
            tally: Tally::new(),
            safe_fixes: 0,
            unsafe_fixes: 0,
            folders: BTreeMap::new(),
        }
    }

    /// Counts a finding, and returns how many of its code there are now.
    fn count(&mut self, finding: &Diagnostic, sources: &SourceStore) -> usize {
        match finding.fix.as_ref().map(|fix| fix.safety) {
            Some(Safety::Safe) => self.safe_fixes += 1,
            Some(Safety::Unsafe) => self.unsafe_fixes += 1,
            None => {}
        }
        let name = sources.name(finding.file);
        let folder = Path::new(&*name).parent().map(|folder| folder.display().to_string());
        let folder = folder.filter(|folder| !folder.is_empty()).unwrap_or_else(|| ".".to_owned());
        *self.folders.entry(folder).or_default() += 1;
        self.tally.add(finding)
    }

    fn show(&mut self, finding: &Diagnostic, sources: &SourceStore) -> io::Result<()> {
        let text = render(finding, sources, &self.options);
        writeln!(self.out, "{text}")
    }

    /// Writes how many of the findings have a fix.
    fn fixable(&mut self) -> io::Result<()> {
        let option = if self.options.can_fix { "--fix" } else { "--diff" };
        let command = &self.options.command;
        let (safe, guesses) = (grouped(self.safe_fixes as u64), grouped(self.unsafe_fixes as u64));
        match (self.safe_fixes, self.unsafe_fixes) {
            (0, 0) => return Ok(()),
            (0, _) => {
                write!(self.out, "{guesses} fixable with `{command} {option} --unsafe-fixes`")?;
            }
            (_, 0) => write!(self.out, "{safe} fixable with `{command} {option}`")?,
            (_, _) => write!(
                self.out,
                "{safe} fixable with `{command} {option}`, {guesses} more with `--unsafe-fixes`"
            )?,
        }
        writeln!(
            self.out,
            "{}",
            if self.options.can_fix { "; `--diff` shows the changes" } else { "" }
        )
    }

    fn is_cut(&self) -> bool {
        !self.options.all && self.tally.total() > MANY
    }

    fn table(&mut self) -> io::Result<()> {
        self.tally.write(&mut self.out, true)?;
        if self.folders.len() > 1 {
            let mut folders: Vec<_> = self.folders.iter().collect();
            folders.sort_by_key(|(folder, count)| (std::cmp::Reverse(**count), (*folder).clone()));
            writeln!(self.out, "  findings  directory")?;
            for (folder, count) in folders.iter().take(FOLDERS) {
                writeln!(self.out, "  {:>8}  {}", grouped(**count as u64), escaped(folder))?;
            }
            if folders.len() > FOLDERS {
                let more = counted(folders.len() - FOLDERS, "directory");
                writeln!(self.out, "            and {more} more")?;
            }
            writeln!(self.out)?;
        }
        Ok(())
    }
}

impl<W: Write> FindingsReport for Human<W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        for finding in findings {
            let of_code = self.count(finding, sources);
            if self.options.all {
                self.show(finding, sources)?;
            } else if self.tally.total() <= MANY || of_code <= EACH {
                self.kept.push(finding.clone());
            }
        }
        Ok(())
    }

    fn finish(
        &mut self,
        summary: &Summary,
        sources: &SourceStore,
        took: Duration,
    ) -> io::Result<()> {
        let cut = self.is_cut();
        let mut shown: BTreeMap<Code, usize> = BTreeMap::new();
        for finding in std::mem::take(&mut self.kept) {
            let shown = shown.entry(finding.code).or_default();
            *shown += 1;
            if !cut || *shown <= EACH {
                self.show(&finding, sources)?;
            }
        }
        if cut {
            let in_full = shown.values().map(|shown| (*shown).min(EACH)).sum::<usize>();
            let hidden = self.tally.total() - in_full;
            writeln!(
                self.out,
                "{} more like these; `{} --all` shows them all\n",
                grouped(hidden as u64),
                self.options.command
            )?;
            self.table()?;
        }
        if !self.options.quiet {
            writeln!(self.out, "{}", closing_line(summary, took))?;
            self.fixable()?;
        }
        self.out.flush()
    }
}

/// Renders one finding for people.
#[must_use]
pub fn render(finding: &Diagnostic, sources: &SourceStore, options: &Options) -> String {
    rendered(&View::new(finding, sources, options), options)
}

fn rendered(view: &View, options: &Options) -> String {
    let theme = if options.unicode { GraphicalTheme::unicode() } else { GraphicalTheme::ascii() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(options.width)
        .with_context_lines(1)
        .with_links(false)
        .with_show_related_as_nested(true)
        .without_syntax_highlighting();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = handler.render_report(&mut text, view);
    text
}

/// Returns a failure of the values at `spans` of `source` as people see it, like a finding; `None`
/// if there are none.
#[must_use]
pub fn render_at(
    message: String,
    label: &str,
    source: &SourceFile,
    spans: &[Span],
    hidden: &[Span],
    options: &Options,
) -> Option<String> {
    let mark = |(at, span): (usize, &Span)| Mark {
        region: source.region(*span),
        text: Some(label.to_owned()),
        primary: at == 0,
    };
    let marks: Vec<_> = spans.iter().enumerate().map(mark).collect();
    if marks.is_empty() {
        return None;
    }
    let excerpt = Excerpt::new(source, &marks, text_width(options), hidden);
    let severity = MietteSeverity::Error;
    Some(rendered(&View { message, severity, help: None, excerpt, related: Vec::new() }, options))
}

/// A finding in miette's terms.
struct View {
    message: String,
    severity: MietteSeverity,
    help: Option<String>,
    excerpt: Option<Excerpt>,
    related: Vec<Self>,
}

impl View {
    fn new(finding: &Diagnostic, sources: &SourceStore, options: &Options) -> Self {
        let code = link::rule(finding.code, options.links);
        let name = sources.name(finding.file);
        // Far away in the same file is shown like another file, so that the fault itself comes first.
        let lines = lines_shown_together(finding);
        // Nor is what cannot be shown with it.
        let has_text = sources.get(finding.file).is_some();
        let near = |related: &Related| {
            let line = related.region.map(|region| region.start.line);
            let together = line.is_some_and(|line| lines.contains(&line));
            has_text && related.file == finding.file && together
        };
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            finding.related.iter().partition(|related| near(related));
        let mut marks = Vec::new();
        marks.extend(finding.region.map(|region| Mark {
            region,
            text: finding.label.clone(),
            primary: true,
        }));
        marks.extend(here.iter().filter_map(|related| {
            let text = Some(related.message.clone());
            related.region.map(|region| Mark { region, text, primary: false })
        }));
        let excerpt = excerpt(finding.file, &marks, sources, options);
        let mut message = format!("{code}: {}", finding.message);
        if excerpt.is_none() {
            message = format!("{code}: {}: {}", place(&name, finding.region), finding.message);
        }
        Self {
            message,
            severity: match finding.severity {
                Severity::Error => MietteSeverity::Error,
                Severity::Warning => MietteSeverity::Warning,
            },
            help: finding.help.clone(),
            excerpt,
            related: elsewhere
                .iter()
                .map(|related| Self::elsewhere(related, sources, options))
                .collect(),
        }
    }

    /// Returns a place in another file, which miette shows as a report of its own.
    fn elsewhere(related: &Related, sources: &SourceStore, options: &Options) -> Self {
        let mark = related.region.map(|region| Mark { region, text: None, primary: true });
        let excerpt = excerpt(related.file, mark.as_slice(), sources, options);
        let message = if excerpt.is_some() {
            related.message.clone()
        } else {
            let place = place(&sources.name(related.file), related.region);
            format!("{place}: {}", related.message)
        };
        Self { message, severity: MietteSeverity::Advice, help: None, excerpt, related: Vec::new() }
    }
}

/// Returns a place whose text is not shown.
fn place(file: &str, region: Option<Region>) -> String {
    let file = escaped(file);
    match region {
        Some(Region { start, .. }) => format!("{file}:{}:{}", start.line, start.column),
        None => file,
    }
}

/// Returns the line of a finding, and those of related places that are shown in one frame with it.
fn lines_shown_together(finding: &Diagnostic) -> BTreeSet<u32> {
    let mut lines: BTreeSet<u32> =
        finding.region.map(|region| region.start.line).into_iter().collect();
    let here = finding.related.iter().filter(|related| related.file == finding.file);
    let mut rest: Vec<u32> = here.filter_map(|related| Some(related.region?.start.line)).collect();
    loop {
        let near = |line: &u32| lines.iter().any(|shown| shown.abs_diff(*line) <= NEAR);
        let (close, far): (Vec<_>, Vec<_>) = rest.into_iter().partition(near);
        if close.is_empty() {
            return lines;
        }
        lines.extend(close);
        rest = far;
    }
}

fn excerpt(
    file: FileId,
    marks: &[Mark],
    sources: &SourceStore,
    options: &Options,
) -> Option<Excerpt> {
    if marks.is_empty() {
        return None;
    }
    let source: Arc<_> = sources.get(file)?;
    Excerpt::new(&source, marks, text_width(options), &sources.hidden(file))
}

/// Returns the cells that are left for the text of a line.
fn text_width(options: &Options) -> usize {
    options.width.saturating_sub(GUTTER).max(20)
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for View {}

impl MietteDiagnostic for View {
    fn severity(&self) -> Option<MietteSeverity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.excerpt.as_ref().map(|excerpt| Box::new(excerpt.labels().into_iter()) as Box<_>)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn MietteDiagnostic> + 'a>> {
        if self.related.is_empty() {
            return None;
        }
        Some(Box::new(self.related.iter().map(|related| related as &dyn MietteDiagnostic)))
    }
}
