//! Rows of an inventory, whatever form it has.
//!
//! In: text, and where the rows and their cells are in it. Out: values for a template, and the places
//! of cells as findings have them.

use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use minijinja::Value;

use crate::diagnostic::{Code, Diagnostic, Related, Severity};
use crate::source::{FileId, Piece, Region, SourceFile, Span};

/// The inventory among the sources of a run; the first, where it has several files.
pub const INVENTORY: FileId = FileId(0);
/// The template among the sources of a run.
pub const TEMPLATE: FileId = FileId(1);

/// Returns the number of the file with the index `at` of an inventory among the sources of a run: the
/// template is between the first and the second.
pub(super) fn inventory_file(at: usize) -> FileId {
    FileId(if at == 0 { 0 } else { u32::try_from(at + 1).unwrap_or(u32::MAX) })
}

/// Names of columns, and their numbers.
#[derive(Debug, Default, Clone)]
pub struct Columns {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Columns {
    /// Adds a column, and returns its number. An existing name keeps its number.
    pub fn add(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = Arc::from(name);
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    /// The number of the column `name`.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// The names, in order.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }
}

/// The contents of a cell.
#[derive(Debug, Clone)]
pub enum Content {
    /// The bytes of the block's text, as they stand.
    Raw(Span),
    /// A text that is written in another way than it reads: with doubled quotes, with escapes.
    Cooked(Box<str>),
    /// A value of JSON that is no text.
    Value(Value),
}

/// A cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The number of its column.
    pub column: u32,
    /// The place in the block's text, quotes included.
    pub span: Span,
    /// The contents.
    pub content: Content,
}

/// A row.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// From 1; the header is not counted.
    pub number: u32,
    /// The place in the block's text, without its line break.
    pub span: Span,
    /// The first of its cells.
    pub first: u32,
    /// The number of its cells.
    pub cells: u32,
}

/// Something wrong in the text of an inventory.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The rule.
    pub code: Code,
    /// The place in the block's text.
    pub span: Span,
    /// The message.
    pub message: String,
    /// The help.
    pub help: String,
}

/// Some rows, and the text that they are read from.
#[derive(Debug, Default)]
pub struct Block {
    /// Names of the columns.
    pub columns: Arc<Columns>,
    /// Whole lines of the inventory.
    pub text: Arc<str>,
    /// Bytes of the inventory in front of the text.
    pub offset: u32,
    /// The number of the text's first line, from 1.
    pub line: u32,
    /// The rows.
    pub rows: Vec<Row>,
    /// The cells of all rows.
    pub cells: Vec<Cell>,
    /// The faults of the text.
    pub faults: Vec<Fault>,
    /// The places of rows that cannot be used and are not among the rows.
    pub unusable: Vec<Span>,
    /// The values beside the rows in their document; undefined in a table.
    pub document: Value,
    /// The file of the inventory that it comes from.
    pub file: FileId,
    pub(super) lines: OnceLock<Arc<SourceFile>>,
}

impl Block {
    /// A block without rows of the whole text of an inventory, and that text with its lines counted.
    #[must_use]
    pub fn of(text: Arc<str>, source: Option<Arc<SourceFile>>) -> Self {
        let lines = source.map_or_else(OnceLock::new, OnceLock::from);
        Self { text, line: 1, lines, ..Self::default() }
    }

    /// Bytes of all rows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.rows.iter().map(|row| row.span.range().len() + 1).sum()
    }

    /// The cells of `row`.
    #[must_use]
    pub fn cells(&self, row: &Row) -> &[Cell] {
        let first = row.first as usize;
        self.cells.get(first..first + row.cells as usize).unwrap_or_default()
    }

    /// The cell of `row` in the column with the number `column`.
    #[must_use]
    pub fn cell(&self, row: &Row, column: u32) -> Option<&Cell> {
        let cells = self.cells(row);
        // In tables, each row has all columns in order.
        match cells.get(column as usize) {
            Some(cell) if cell.column == column => Some(cell),
            _ => cells.iter().find(|cell| cell.column == column),
        }
    }

    /// The text of `cell`, if it holds one.
    #[must_use]
    pub fn text_of<'b>(&'b self, cell: &'b Cell) -> Option<&'b str> {
        match &cell.content {
            Content::Raw(span) => self.text.get(span.range()),
            Content::Cooked(text) => Some(text),
            Content::Value(_) => None,
        }
    }

    /// The value of `cell` in an expression.
    #[must_use]
    pub fn value_of(&self, cell: &Cell) -> Value {
        match &cell.content {
            Content::Value(value) => value.clone(),
            _ => self.text_of(cell).map_or(Value::UNDEFINED, Value::from),
        }
    }

    /// The place in the inventory of `span` in the block's text.
    #[must_use]
    pub fn region(&self, span: Span) -> Region {
        self.source().region(self.in_file(span))
    }

    /// `span` of the block's text as bytes of the inventory.
    #[must_use]
    pub const fn in_file(&self, span: Span) -> Span {
        Span {
            start: span.start.saturating_add(self.offset),
            end: span.end.saturating_add(self.offset),
        }
    }

    /// The lines from the one before `region` to the one behind its first, for showing it.
    #[must_use]
    pub fn lines_around(&self, region: Region) -> Vec<Piece> {
        let source = self.source();
        let line = region.start.line;
        let piece = |line: u32| {
            let span = source.line_span(line)?;
            // Behind the last line break is what the next block begins with.
            if span.start as usize >= self.offset as usize + self.text.len() {
                return None;
            }
            let text = source.slice(span).to_owned();
            Some(Piece { offset: span.start, line, text })
        };
        (line.saturating_sub(1).max(1)..=line.saturating_add(1)).filter_map(piece).collect()
    }

    /// The finding of a fault.
    #[must_use]
    pub fn finding(&self, fault: &Fault, severity: Severity) -> Diagnostic {
        let mut finding = Diagnostic::of_file(fault.code, self.file, fault.message.clone());
        finding.severity = severity;
        finding.help = Some(fault.help.clone());
        finding.region = Some(self.region(fault.span));
        finding
    }

    fn source(&self) -> &Arc<SourceFile> {
        self.lines.get_or_init(|| {
            let piece = Piece { offset: self.offset, line: self.line, text: self.text.to_string() };
            Arc::new(SourceFile::of_pieces(self.file, Arc::from(""), vec![piece]))
        })
    }
}

/// Another place in the inventory.
#[must_use]
pub fn related(message: &str, file: FileId, region: Region) -> Related {
    Related { message: message.to_owned(), file, region: Some(region) }
}
