//! Groups of rows: one artifact for a prefix instead of one for each object.
//!
//! In: rows, and an expression that names the group of each. Out: one row for each group: the first of
//! its rows, with the name of the group, the number of its objects, their bytes and their last change
//! beside its own cells. It holds one row a group.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use minijinja::Value;

use super::expression::{Program, RowValue, Scope};
use super::rows::{Block, Cell, Columns, Content, Row};
use super::{Frame, Input};
use crate::source::Span;

/// The columns that a group has beside those of its rows.
pub const COLUMNS: [&str; 4] = ["group", "objects", "bytes", "last_modified"];

/// Columns of listings that hold the size of an object, and the time of its last change.
const SIZES: [&str; 3] = ["Size", "size", "bytes"];
const TIMES: [&str; 5] = ["LastModified", "LastModifiedDate", "last_modified", "updated", "mtime"];

/// `columns` and those that groups have.
#[must_use]
pub fn with_columns(columns: &Columns) -> Columns {
    let mut all = columns.clone();
    for name in COLUMNS {
        all.add(name);
    }
    all
}

/// Rows in groups.
pub struct Groups<'g> {
    rows: &'g mut dyn Input,
    program: &'g Program<'g>,
    /// Only rows for which this holds.
    filter: Option<&'g Program<'g>>,
    groups: Option<std::vec::IntoIter<Group>>,
    /// Blocks that hold nothing but faults.
    faulty: Vec<Block>,
    number: u32,
}

struct Group {
    name: String,
    first: Block,
    objects: u64,
    bytes: u64,
    last_modified: String,
}

impl<'g> Groups<'g> {
    /// The groups of `rows` by the text that `program` makes of each, of those for which `filter`
    /// holds.
    pub fn new(
        rows: &'g mut dyn Input,
        program: &'g Program<'g>,
        filter: Option<&'g Program<'g>>,
    ) -> Self {
        Self { rows, program, filter, groups: None, faulty: Vec::new(), number: 0 }
    }

    fn collect(&mut self) -> io::Result<Vec<Group>> {
        let mut groups: Vec<Group> = Vec::new();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        while let Some(mut block) = self.rows.next_block()? {
            if !block.faults.is_empty() {
                let mut faulty = Block { text: Arc::clone(&block.text), ..Block::default() };
                (faulty.offset, faulty.line, faulty.file) = (block.offset, block.line, block.file);
                faulty.faults = std::mem::take(&mut block.faults);
                faulty.unusable = std::mem::take(&mut block.unusable);
                self.faulty.push(faulty);
            }
            let block = Arc::new(block);
            for (row, index) in block.rows.iter().zip(0..) {
                let scope = Value::from_object(Scope {
                    row: Value::from_object(RowValue::new(Arc::clone(&block), index)),
                    number: row.number,
                    document: block.document.clone(),
                    each: None,
                });
                let keep = self.filter.map(|filter| filter.value(&scope));
                if keep.transpose().map_err(failed)?.is_some_and(|keep| !keep.is_true()) {
                    continue;
                }
                let mut name = String::new();
                self.program.render(&scope, &mut name).map_err(failed)?;
                let cell = |names: &[&str]| {
                    let column = names.iter().find_map(|name| block.columns.number(name))?;
                    Some(block.value_of(block.cell(row, column)?).to_string())
                };
                let bytes = cell(&SIZES).and_then(|size| size.parse().ok()).unwrap_or(0);
                let time = cell(&TIMES).unwrap_or_default();
                let number = *numbers.entry(name).or_insert_with_key(|name| {
                    groups.push(Group {
                        name: name.clone(),
                        first: alone(&block, row),
                        objects: 0,
                        bytes: 0,
                        last_modified: String::new(),
                    });
                    groups.len() - 1
                });
                let group = &mut groups[number];
                group.objects += 1;
                group.bytes = group.bytes.saturating_add(bytes);
                // Times of one listing have one form, which sorts as the times do.
                if time > group.last_modified {
                    group.last_modified = time;
                }
            }
        }
        groups.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(groups)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn failed(error: minijinja::Error) -> io::Error {
    let says = super::template::says(&error);
    io::Error::new(io::ErrorKind::InvalidData, format!("--group: {says}"))
}

/// A block with `row` of `block` alone.
fn alone(block: &Block, row: &Row) -> Block {
    let start = row.span.start;
    let region = block.region(Span::empty(start)).start;
    let back = (region.column - 1) as usize;
    // The text of the block begins with the line of the row.
    let text = block.text.get(..start as usize).unwrap_or_default();
    let line = text.char_indices().rev().take(back).last().map_or(start as usize, |(at, _)| at);
    let cut = u32::try_from(line).unwrap_or_default();
    let moved = |span: Span| Span { start: span.start - cut, end: span.end - cut };
    let cells = block.cells(row).iter().map(|cell| Cell {
        column: cell.column,
        span: moved(cell.span),
        content: match &cell.content {
            Content::Raw(span) => Content::Raw(moved(*span)),
            other => other.clone(),
        },
    });
    let mut columns = Columns::default();
    let mut kept = Vec::new();
    for (cell, number) in cells.zip(0..) {
        let name = block.columns.names().get(cell.column as usize);
        columns.add(name.map_or("", |name| name));
        kept.push(Cell { column: number, ..cell });
    }
    let count = u32::try_from(kept.len()).unwrap_or(u32::MAX);
    let text = block.text.get(line..row.span.end as usize).unwrap_or_default();
    let mut alone = Block {
        columns: Arc::new(columns),
        text: Arc::from(text),
        offset: block.offset + cut,
        line: region.line,
        rows: vec![Row { number: row.number, span: moved(row.span), first: 0, cells: count }],
        cells: kept,
        document: block.document.clone(),
        ..Block::default()
    };
    alone.file = block.file;
    alone
}

impl Group {
    /// The row of the group.
    fn into_block(self, number: u32) -> Block {
        let mut block = self.first;
        let mut columns = Columns::clone(&block.columns);
        let span = block.rows.first().map_or_else(Span::default, |row| row.span);
        let values = [
            Content::Cooked(self.name.into_boxed_str()),
            Content::Value(Value::from(self.objects)),
            Content::Value(Value::from(self.bytes)),
            Content::Cooked(self.last_modified.into_boxed_str()),
        ];
        for (name, content) in COLUMNS.iter().zip(values) {
            let column = columns.add(name);
            block.cells.retain(|cell| cell.column != column);
            block.cells.push(Cell { column, span, content });
        }
        block.columns = Arc::new(columns);
        if let Some(row) = block.rows.first_mut() {
            row.cells = u32::try_from(block.cells.len()).unwrap_or(u32::MAX);
            row.number = number;
        }
        block
    }
}

impl Input for Groups<'_> {
    fn start(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn columns(&self) -> Option<Arc<Columns>> {
        Some(Arc::new(with_columns(&*self.rows.columns()?)))
    }

    fn frame(&self) -> Option<Frame> {
        self.rows.frame()
    }

    fn next_block(&mut self) -> io::Result<Option<Block>> {
        if self.groups.is_none() {
            self.groups = Some(self.collect()?.into_iter());
        }
        if let Some(faulty) = self.faulty.pop() {
            return Ok(Some(faulty));
        }
        self.number += 1;
        let next = self.groups.as_mut().and_then(Iterator::next);
        Ok(next.map(|group| group.into_block(self.number)))
    }
}
