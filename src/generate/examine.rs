//! Rendered artifacts against the rules of manifests, and every finding brought back to its cell.
//!
//! In: a block and a compiled template. Out: [`Entry`]s, the text of those that are valid, and findings
//! with places in the inventory or in the template. It runs in parallel, a block at a time.

use std::sync::Arc;

use minijinja::{ErrorKind, Value};

use super::cells::{first_line, formula, help, narrowed, shown};
use super::expression::{RECURSION, RowValue, Scope};
use super::render::{self, Failed, Got, Made, Rendered, Sheet};
use super::rows::{Block, Cell, Content, TEMPLATE, related};
use super::starts::Starts;
use super::template::{self, Compiled, TextId};
use super::tree;
use crate::artifact::{Artifact, Key, Rewrites};
use crate::check;
use crate::diagnostic::{Allowances, Code, Diagnostic, Findings, Levels, Related, Severity};
use crate::manifest::{RawMapping, write};
use crate::model::Sense;
use crate::source::{FileId, Piece, Position, Region, SourceFile, Span};
use crate::text::{escaped, quoted, redacted};

/// An artifact of a row.
#[derive(Debug)]
pub(super) struct Entry {
    /// The index of its row in the block.
    pub(super) row: u32,
    /// The start of its row.
    pub(super) place: Position,
    pub(super) valid: bool,
    pub(super) name: Option<Key>,
    pub(super) source: Option<Key>,
    /// The values rendered for its name and its URI, to find their cells again.
    pub(super) name_at: Got,
    pub(super) uri_at: Got,
    /// The file it goes into, if an expression says so.
    pub(super) file: Option<String>,
    /// As a document of YAML, if it is valid.
    pub(super) text: Option<String>,
    /// The request, where somebody wants it.
    pub(super) artifact: Option<Artifact>,
}

/// The result of a block.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) block: Arc<Block>,
    pub(super) sheet: Sheet,
    pub(super) entries: Vec<Entry>,
    /// Rows that are left out because `$when` says so.
    pub(super) left_out: usize,
    pub(super) findings: Vec<Diagnostic>,
    /// Lines that the findings are about.
    pub(super) lines: Vec<Piece>,
    /// Spans of the inventory that nobody is to be shown.
    pub(super) hidden: Vec<Span>,
    /// The fault of the template that every row would show.
    pub(super) fatal: Option<Diagnostic>,
    /// Rows with a finding that is an error, by their places in the block's text.
    pub(super) bad_rows: Vec<Span>,
}

/// The options of an examination.
#[derive(Debug, Clone, Copy)]
pub(super) struct Examiner<'e> {
    pub(super) compiled: &'e Compiled<'e>,
    pub(super) template: &'e SourceFile,
    pub(super) levels: &'e Levels,
    /// The expression that says which file an artifact goes into.
    pub(super) file: Option<TextId>,
    /// True if artifacts are kept beside their text.
    pub(super) artifacts: bool,
    /// The rewrites of each rendered `SourceUri`.
    pub(super) rewrites: Option<&'e Rewrites>,
}

impl Examiner<'_> {
    /// Renders and checks every row of `block`.
    pub(super) fn examine(&self, block: Arc<Block>) -> Examined {
        let mut sheet = render::block(&block, self.compiled);
        let text = std::mem::take(&mut sheet.text);
        let source = SourceFile::new(FileId(0), Arc::from(""), text.into_bytes());
        sheet.text = source.text().to_owned();
        let mut examined = Examined {
            entries: Vec::with_capacity(sheet.made.len()),
            left_out: sheet.left_out,
            findings: Vec::new(),
            lines: Vec::new(),
            hidden: Vec::new(),
            fatal: None,
            bad_rows: Vec::new(),
            sheet,
            block,
        };
        for fault in &examined.block.faults {
            if let Some(severity) = self.levels.severity(fault.code) {
                examined.findings.push(examined.block.finding(fault, severity));
                examined.bad_rows.push(fault.span);
            }
        }
        self.failures(&mut examined);
        if examined.fatal.is_some() {
            return examined;
        }
        self.formulas(&mut examined);
        self.check(&source, &mut examined);
        for finding in examined.findings.iter().filter(|finding| finding.file != TEMPLATE) {
            if let Some(region) = finding.region {
                examined.lines.extend(examined.block.lines_around(region));
            }
        }
        examined
    }

    fn check(&self, source: &SourceFile, examined: &mut Examined) {
        let mut findings = Findings::new(source, self.levels, Allowances::default());
        findings.screen([source.text()]);
        let mut mapped = Vec::new();
        let mut hidden = Vec::new();
        let block = Arc::clone(&examined.block);
        let mut starts = Starts::new(&block);
        let made = std::mem::take(&mut examined.sheet.made);
        for one in &made {
            let sheet = &examined.sheet;
            let written = sheet.raw(one);
            let uri = check::rewritten_uri(&written, self.rewrites);
            let raw = match &uri {
                None => written,
                Some(uri) => written.with_text(Sense::Uri, uri),
            };
            let mut request = check::artifact(&raw, &mut findings).filter(|_| !one.failed);
            if request.is_none() || !findings.is_empty() {
                let (found, _) = findings.take();
                for finding in found {
                    mapped.push(self.mapped(finding, one, examined));
                }
                hidden.extend(findings.take_hidden().into_iter().map(|span| (span, one.row)));
            }
            if let Some(again) = sheet.repeated_key(one)
                && let Some(severity) = self.levels.severity(Code::DuplicateKey)
            {
                request = None;
                let key = sheet.text.get(again.span.range()).unwrap_or_default();
                let message = format!("duplicate property {}", quoted(&redacted(key)));
                let mut finding =
                    Diagnostic::of_file(Code::DuplicateKey, examined.block.file, message);
                finding.severity = severity;
                finding.help = Some("give each property its own name in the template".to_owned());
                mapped.push(self.placed(finding, Some(again), again.span, one, examined));
            }
            let place = starts.of(one.row);
            let (entry, fault) = self.entry(one, request, &raw, place, examined);
            mapped.extend(fault);
            if !entry.valid
                && let Some(row) = examined.block.rows.get(one.row as usize)
            {
                examined.bad_rows.push(row.span);
            }
            examined.entries.push(entry);
        }
        for (span, row) in hidden {
            self.hide(span, row, examined);
        }
        examined.sheet.made = made;
        examined.findings.append(&mut mapped);
    }

    fn entry(
        &self,
        made: &Made,
        artifact: Option<Artifact>,
        raw: &RawMapping<'_>,
        place: Position,
        examined: &Examined,
    ) -> (Entry, Option<Diagnostic>) {
        let mut fault = None;
        let block = &examined.block;
        let (name, source) = check::claims_of(raw);
        let file = self.file.filter(|_| artifact.is_some());
        let file = file.map(|file| {
            let mut out = String::new();
            let scope = scope(block, made.row, None, false).0;
            self.compiled.program(file).render(&scope, &mut out).map(|()| out)
        });
        let file = match file.transpose() {
            Ok(file) => file,
            Err(error) => {
                let says = template::says(&error);
                fault = Some(format!("`--file` failed for this row: {says}"));
                None
            }
        };
        if let Some(name) = &file
            && let Some(why) = tree::unusable(name)
        {
            fault = Some(format!("invalid file name {}: {why}", shown(name)));
        }
        let finding = fault.map(|message| {
            let mut finding = Diagnostic::of_file(Code::NoValue, block.file, escaped(&message));
            finding.artifact = Some(self.number(made.row, examined));
            finding.help =
                Some("change the expression of `--file`, or the cells that it reads".to_owned());
            let columns = self.file.map(|file| self.columns_read(block, made.row, file, None));
            let row = block.rows.get(made.row as usize);
            let column = columns.as_ref().and_then(|columns| columns.first());
            let cell = row.zip(column).and_then(|(row, column)| block.cell(row, *column));
            let place =
                cell.map_or_else(|| row.map(|row| first_line(block, row)), |cell| Some(cell.span));
            finding.region = place.map(|span| block.region(span));
            finding
        });
        let artifact = artifact.filter(|_| finding.is_none());
        let entry = Entry {
            row: made.row,
            place,
            valid: artifact.is_some(),
            name,
            source,
            name_at: made.text(Sense::Name),
            uri_at: made.text(Sense::Uri),
            file,
            text: artifact.as_ref().map(write::artifact),
            artifact: artifact.filter(|_| self.artifacts),
        };
        (entry, finding)
    }

    /// Reports the expressions that failed, by row or for all rows.
    fn failures(&self, examined: &mut Examined) {
        let failed = std::mem::take(&mut examined.sheet.failed);
        for one in &failed {
            let span = self.compiled.template.locate(one.text, one.error.range());
            if is_of_template(&one.error) {
                let message = template::says(&one.error);
                examined.fatal = Some(template::at_fault(
                    self.template,
                    span,
                    message,
                    template::help_for(&one.error)
                        .or_else(|| Some("fix the expression: it fails for every row".to_owned())),
                ));
                return;
            }
            if let Some(severity) = self.levels.severity(Code::NoValue) {
                let finding = self.failure(one, span, severity, examined);
                examined.findings.push(finding);
            }
        }
    }

    fn failure(
        &self,
        failed: &Failed,
        span: Span,
        severity: Severity,
        examined: &Examined,
    ) -> Diagnostic {
        let block = &examined.block;
        let is_missing = failed.error.kind() == ErrorKind::UndefinedError;
        let columns = self.columns_read(block, failed.row, failed.text, failed.each.as_ref());
        let source = self.template.slice(span);
        let message = if is_missing {
            format!("{} has no value in this row", quoted(&escaped(source)))
        } else {
            let says = template::says(&failed.error);
            format!("{}: {says}", quoted(&escaped(source)))
        };
        let mut finding = Diagnostic::of_file(Code::NoValue, block.file, redacted(&message));
        finding.severity = severity;
        finding.artifact = Some(self.number(failed.row, examined));
        finding.help = Some(if is_missing {
            "fill in the cell, or add a default, as in `| default('')`".to_owned()
        } else {
            "fix the cell, or leave the value out with `$when`".to_owned()
        });
        let row = block.rows.get(failed.row as usize);
        let cell = row.and_then(|row| columns.last().and_then(|column| block.cell(row, *column)));
        let place =
            cell.map_or_else(|| row.map(|row| first_line(block, row)), |cell| Some(cell.span));
        finding.region = place.map(|span| block.region(span));
        finding.related.push(self.elsewhere(span));
        finding
    }

    /// Cells that a spreadsheet should have worked out.
    fn formulas(&self, examined: &mut Examined) {
        let Some(severity) = self.levels.severity(Code::SpreadsheetFormula) else { return };
        let block = &examined.block;
        for row in &block.rows {
            for cell in block.cells(row) {
                let Some(text) = block.text_of(cell) else { continue };
                if !text.starts_with(['=', '#']) || !self.compiled.reads(cell.column, block) {
                    continue;
                }
                let Some((what, help)) = formula(text) else { continue };
                let mut finding = Diagnostic::of_file(
                    Code::SpreadsheetFormula,
                    block.file,
                    format!("the cell holds {what}"),
                );
                finding.severity = severity;
                finding.artifact = Some(row.number.saturating_sub(1));
                finding.help = Some(help.to_owned());
                finding.region = Some(block.region(cell.span));
                examined.findings.push(finding);
            }
        }
    }

    /// `finding`, which has a place among the rendered values, with its place in the inventory.
    fn mapped(&self, finding: Diagnostic, made: &Made, examined: &Examined) -> Diagnostic {
        let span = finding.region.map_or_else(|| Span::empty(made.head()), |region| region.span());
        let rendered =
            examined.sheet.rendered_at(span.start).filter(|one| one.span.start > made.head());
        self.placed(finding, rendered, span, made, examined)
    }

    fn placed(
        &self,
        mut finding: Diagnostic,
        rendered: Option<&Rendered>,
        span: Span,
        made: &Made,
        examined: &Examined,
    ) -> Diagnostic {
        let block = &examined.block;
        finding.fix = None;
        finding.file = block.file;
        if let Some(help) = help(finding.code) {
            finding.help = Some(help.to_owned());
        }
        finding.artifact = Some(self.number(made.row, examined));
        let row = block.rows.get(made.row as usize);
        let Some((rendered, row)) = rendered.zip(row) else {
            finding.related.clear();
            finding.region = row.map(|row| block.region(first_line(block, row)));
            let head = self.compiled.template.parts.get(made.part as usize).map(|part| part.head);
            finding.related.extend(head.map(|head| self.elsewhere(head)));
            return finding;
        };
        let columns = self.columns_read(block, rendered.row, rendered.text, rendered.each.as_ref());
        let template = self.compiled.template.span(rendered.text);
        if columns.is_empty() {
            // It is the same for all rows.
            finding.file = TEMPLATE;
            finding.artifact = None;
            finding.related.clear();
            finding.region = Some(self.template.region(template));
            return finding;
        }
        let value = examined.sheet.text.get(rendered.span.range()).unwrap_or_default();
        let inside = |span: Span| {
            let start = span.start.saturating_sub(rendered.span.start) as usize;
            start
                ..(span.end.saturating_sub(rendered.span.start) as usize)
                    .min(value.len())
                    .max(start)
        };
        let wanted = value.get(inside(span)).unwrap_or_default();
        let cells: Vec<&Cell> =
            columns.iter().filter_map(|column| block.cell(row, *column)).collect();
        let holds = |cell: &&&Cell| {
            !wanted.is_empty() && block.text_of(cell).is_some_and(|text| text.contains(wanted))
        };
        let cell = cells.iter().find(holds).or_else(|| cells.first());
        let place = cell.map_or_else(
            || first_line(block, row),
            |cell| narrowed(block, cell, value, inside(span), wanted),
        );
        let others = std::mem::take(&mut finding.related);
        if let Some(cell) = cell
            && let (Content::Raw(content), Some(text)) = (&cell.content, block.text_of(cell))
            && text == value
        {
            for one in others {
                let Some(region) = one.region else { continue };
                let range = inside(region.span());
                let start = content.start as usize;
                let span = Span::new(start + range.start..start + range.end);
                finding.related.push(related(&one.message, block.file, block.region(span)));
            }
        } else if finding.label.is_none() {
            finding.label = Some(format!("becomes {}", shown(value)));
        }
        finding.region = Some(block.region(place));
        finding.related.push(self.elsewhere(template));
        finding
    }

    /// The place of the value `got`, as findings about duplicates have it.
    pub(super) fn cell_of(
        &self,
        got: Got,
        examined: &Examined,
        row: u32,
    ) -> (Region, Option<Related>) {
        let block = &examined.block;
        let found = block.rows.get(row as usize);
        let whole = found.map_or_else(Span::default, |row| first_line(block, row));
        let Got::Is(number) = got else { return (block.region(whole), None) };
        let Some(rendered) = examined.sheet.rendered.get(number as usize) else {
            return (block.region(whole), None);
        };
        let columns = self.columns_read(block, row, rendered.text, rendered.each.as_ref());
        let cell = found.zip(columns.first()).and_then(|(row, column)| block.cell(row, *column));
        let span = cell.map_or(whole, |cell| cell.span);
        (block.region(span), Some(self.elsewhere(self.compiled.template.span(rendered.text))))
    }

    /// The columns that the text `id` reads for a row, in the order in which it does.
    fn columns_read(
        &self,
        block: &Arc<Block>,
        row: u32,
        id: TextId,
        each: Option<&(Arc<str>, Value)>,
    ) -> Vec<u32> {
        let (value, traced) = scope(block, row, each.cloned(), true);
        let mut out = String::new();
        // Where it fails, it has read up to there.
        let _ = self.compiled.program(id).render(&value, &mut out);
        let mut columns = traced.columns_read();
        if columns.is_empty()
            && let Some(over) = self.compiled.template.loops_over(id).filter(|_| each.is_some())
        {
            let (value, traced) = scope(block, row, None, true);
            let _ = self.compiled.program(over).value(&value);
            columns = traced.columns_read();
        }
        columns
    }

    fn elsewhere(&self, span: Span) -> Related {
        Related {
            message: "from this text of the template".to_owned(),
            file: TEMPLATE,
            region: Some(self.template.region(span)),
        }
    }

    /// The number of a row, from 0.
    fn number(&self, row: u32, examined: &Examined) -> u32 {
        let row = examined.block.rows.get(row as usize);
        row.map_or(0, |row| row.number.saturating_sub(1))
    }

    fn hide(&self, span: Span, row: u32, examined: &mut Examined) {
        let block = &examined.block;
        let Some(rendered) = examined.sheet.rendered_at(span.start) else { return };
        let columns = self.columns_read(block, row, rendered.text, rendered.each.as_ref());
        let row = block.rows.get(row as usize);
        let cells = columns.iter().filter_map(|column| block.cell(row?, *column));
        let spans: Vec<_> = cells.map(|cell| block.in_file(cell.span)).collect();
        examined.hidden.extend(spans);
    }
}

/// The variables of an expression for a row, and the row.
fn scope(
    block: &Arc<Block>,
    row: u32,
    each: Option<(Arc<str>, Value)>,
    traced: bool,
) -> (Value, Arc<RowValue>) {
    let number = block.rows.get(row as usize).map_or(0, |row| row.number);
    let make = if traced { RowValue::traced } else { RowValue::new };
    let row = Arc::new(make(Arc::clone(block), row as usize));
    let document = block.document.clone();
    let scope = Scope { row: Value::from_dyn_object(Arc::clone(&row)), number, document, each };
    (Value::from_object(scope), row)
}

/// Returns whether an error is the template's, whatever a row holds.
fn is_of_template(error: &minijinja::Error) -> bool {
    use ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::OutOfFuel
            | Kind::UnknownFilter
            | Kind::UnknownTest
            | Kind::UnknownFunction
            | Kind::UnknownMethod
            | Kind::MissingArgument
            | Kind::TooManyArguments
            | Kind::SyntaxError
    ) || error.detail().is_some_and(|detail| detail.contains(RECURSION))
}
