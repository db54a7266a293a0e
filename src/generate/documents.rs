//! Files that hold a few rows each, as tools write them: each is read whole, and turned into rows.
//!
//! In: a list of files and a reader for them. Out: a block of rows for each file. Values that the reader
//! worked out have the place of what they were worked out of.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::Value;

use super::open::Reader;
use super::places::Places;
use super::rows::{Block, Cell, Columns, Content, Fault, Row, inventory_file};
use super::{Frame, Input};
use crate::diagnostic::Code;
use crate::source::Span;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// A cell that a reader made.
#[derive(Debug)]
pub(super) struct Made {
    /// The name of its column.
    pub(super) name: &'static str,
    /// The value.
    pub(super) value: Value,
    /// The place in the file that it comes from; that of the row if unknown.
    pub(super) span: Option<Span>,
    /// The text of the file that it is, if it is one as it stands.
    pub(super) text: Option<Span>,
}

impl Made {
    /// A cell with the value at `places`.
    pub(super) fn new(name: &'static str, value: impl Into<Value>, at: Option<&Places>) -> Self {
        let (span, text) = (at.map(|at| at.span), at.and_then(|at| at.text));
        Self { name, value: value.into(), span, text }
    }
}

/// A row that a reader made.
#[derive(Debug)]
pub(super) struct MadeRow {
    /// Its place in the file.
    pub(super) span: Span,
    /// Its cells; an absent one has no value.
    pub(super) cells: Vec<Made>,
    /// The faults of its values, with which no artifact is made of it.
    pub(super) faults: Vec<Fault>,
}

/// A reader of files.
pub(super) trait Source: Send {
    /// Every column that a row may have.
    fn columns(&self) -> &'static [&'static str];
    /// Returns the rows of `file`, which has this text.
    ///
    /// # Errors
    /// If the file is not what it should be.
    fn rows(&self, file: &Listed, text: &str) -> Result<Vec<MadeRow>, Fault>;
}

/// A file to read.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its name below the inventory, with `/`.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
}

/// Returns the files below `directory` that `is_wanted`, in order, with their names below it. Hidden
/// directories are left out.
///
/// # Errors
/// If a directory cannot be read.
pub(super) fn listed(
    directory: &Path,
    is_wanted: impl Fn(&Path) -> bool,
) -> io::Result<Vec<Listed>> {
    let mut files = Vec::new();
    let shown = |entry: &walkdir::DirEntry| {
        entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
    };
    for entry in
        walkdir::WalkDir::new(directory).sort_by_file_name().into_iter().filter_entry(shown)
    {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_file() && is_wanted(entry.path()) {
            let below = entry.path().strip_prefix(directory).unwrap_or(entry.path());
            files.push(Listed { name: slashed(below), path: entry.path().to_owned() });
        }
    }
    Ok(files)
}

/// Returns `path` with `/` between its parts.
#[must_use]
pub fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The rows of some files.
pub struct Documents<S> {
    source: S,
    files: Vec<Listed>,
    /// The text of the first file, if that is not to be opened.
    reader: Option<Reader>,
    next: usize,
    number: u32,
}

impl<S> Documents<S> {
    /// The rows that `source` makes of `files`.
    pub(super) const fn new(source: S, files: Vec<Listed>) -> Self {
        Self { source, files, reader: None, next: 0, number: 0 }
    }

    /// The same; the first of the files is read from `reader`.
    pub(super) const fn with_reader(source: S, files: Vec<Listed>, reader: Option<Reader>) -> Self {
        Self { source, files, reader, next: 0, number: 0 }
    }

    /// The files, in order.
    #[must_use]
    pub fn files(&self) -> &[Listed] {
        &self.files
    }
}

fn known_columns(source: &impl Source) -> Columns {
    let mut columns = Columns::default();
    for name in source.columns() {
        columns.add(name);
    }
    columns
}

#[expect(private_bounds, reason = "only this module makes sources")]
impl<S: Source> Documents<S> {
    /// Adds the rows of `text`, the text of `block`.
    fn add(&mut self, file: &Listed, text: &str, columns: &mut Columns, block: &mut Block) {
        let rows = match self.source.rows(file, text) {
            Ok(rows) => rows,
            Err(fault) => {
                block.unusable.push(fault.span);
                block.faults.push(fault);
                return;
            }
        };
        for made in rows {
            self.number += 1;
            if !made.faults.is_empty() {
                block.unusable.push(made.span);
                block.faults.extend(made.faults);
                continue;
            }
            let first = block.cells.len();
            for cell in made.cells.into_iter().filter(|cell| !cell.value.is_undefined()) {
                let content = match (cell.text, cell.value.as_str()) {
                    (Some(span), Some(value)) if text.get(span.range()) == Some(value) => {
                        Content::Raw(span)
                    }
                    (_, Some(value)) => Content::Cooked(Box::from(value)),
                    _ => Content::Value(cell.value),
                };
                let column = columns.add(cell.name);
                block.cells.push(Cell { column, span: cell.span.unwrap_or(made.span), content });
            }
            let cells = u32::try_from(block.cells.len() - first).unwrap_or(u32::MAX);
            let first = u32::try_from(first).unwrap_or(u32::MAX);
            block.rows.push(Row { number: self.number, span: made.span, first, cells });
        }
    }
}

impl<S: Source> Input for Documents<S> {
    fn start(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn columns(&self) -> Option<Arc<Columns>> {
        Some(Arc::new(known_columns(&self.source)))
    }

    fn frame(&self) -> Option<Frame> {
        None
    }

    fn next_block(&mut self) -> io::Result<Option<Block>> {
        let Some(file) = self.files.get(self.next).cloned() else { return Ok(None) };
        let named = |error: io::Error| {
            let reason = crate::text::reason(&error);
            io::Error::new(error.kind(), format!("`{}`: {reason}", file.path.display()))
        };
        let mut bytes = Vec::new();
        let opened = match self.reader.take() {
            Some(reader) => reader,
            None => Box::new(File::open(&file.path).map_err(named)?),
        };
        opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(named)?;
        if bytes.len() as u64 > LARGEST {
            let error = io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB");
            return Err(named(error));
        }
        let bad = std::str::from_utf8(&bytes).err().map(|error| error.valid_up_to());
        let text: Arc<str> = Arc::from(String::from_utf8_lossy(&bytes));
        let mut block = Block::of(Arc::clone(&text), None);
        block.file = inventory_file(self.next);
        self.next += 1;
        let mut columns = known_columns(&self.source);
        match bad {
            Some(at) => {
                let span = Span::new(at..at + 1);
                block.unusable.push(span);
                block.faults.push(Fault {
                    code: Code::Encoding,
                    span,
                    message: "a byte that is not UTF-8".to_owned(),
                    help: "save it as UTF-8".to_owned(),
                });
            }
            None => self.add(&file, &text, &mut columns, &mut block),
        }
        block.columns = Arc::new(columns);
        Ok(Some(block))
    }
}

/// Returns the fault of `text`, which `error` says is not the document it should be.
pub(super) fn fault(text: &str, what: &str, error: &serde_yaml::Error) -> Fault {
    let at = error.location().map_or(0, |location| location.index().min(text.len()));
    let at = text.floor_char_boundary(at);
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    Fault {
        code: Code::InventorySyntax,
        span: Span::new(at..end),
        message: format!("not {what}: {}", crate::text::escaped(&message)),
        help: format!("is it {what}, and was a merge finished?"),
    }
}
