//! JSON: documents with arrays of rows, each an object whose members are cells.
//!
//! In: bytes. Out: [`Block`]s of rows with what stands beside them in their document. A value within a value has
//! the place of the member that holds it.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::sync::Arc;

use minijinja::Value;
use serde_json::value::RawValue;

use super::json::{Members, fault, place, row, value};
use super::rows::{Block, Columns, Fault};
use super::{Frame, Input};
use crate::diagnostic::Code;
use crate::source::{MAX_FILE_BYTES, Piece, SourceFile, Span};
use crate::text::{counted, quoted};

/// Rows of a block.
const ROWS: usize = 512;

/// Documents of JSON, each with an array of rows.
pub struct Answers<R> {
    reader: R,
    /// JSON Pointers, of which the first that leads somewhere counts.
    pointers: Vec<String>,
    source: Option<Arc<SourceFile>>,
    text: Arc<str>,
    /// The values beside the rows of each document, and the number of the first row behind it.
    documents: Vec<(Value, usize)>,
    /// The place of each row.
    rows: Vec<Span>,
    next: usize,
    fault: Option<Fault>,
}

impl<R: Read> Answers<R> {
    /// Returns the concatenated documents of `reader`, as the AWS CLI prints them. The rows of each are in the array at the first of `pointers` (RFC 6901) that there is; an object there is the only row.
    /// Without pointers they are in the array that the document is, or in the only one that it holds.
    pub fn new(reader: R, pointers: Vec<String>) -> Self {
        Self {
            reader,
            pointers,
            source: None,
            text: Arc::default(),
            documents: Vec::new(),
            rows: Vec::new(),
            next: 0,
            fault: None,
        }
    }

    /// Finds the rows, and takes what stands beside them.
    fn find(&mut self) -> Result<(), Fault> {
        let text = Arc::clone(&self.text);
        let whole = text.trim_start_matches('\u{FEFF}');
        // Without pointers, what follows the first document is more likely a row than an answer.
        if self.pointers.is_empty() || whole.trim().is_empty() {
            let only = serde_json::from_str::<&RawValue>(whole);
            only.map_err(|error| fault(&text, whole, &error))?;
        }
        for root in serde_json::Deserializer::from_str(whole).into_iter::<&RawValue>() {
            let root = root.map_err(|error| fault(&text, whole, &error))?.get();
            let (rows, document) = self.rows_of(&text, root)?;
            self.rows.extend(rows);
            self.documents.push((document, self.rows.len()));
        }
        Ok(())
    }

    /// Returns the places of the rows of the document `root`, and the values beside them.
    fn rows_of(&self, text: &str, root: &str) -> Result<(Vec<Span>, Value), Fault> {
        let (part, beside) = match at_pointers(text, root, &self.pointers)? {
            Some(part) => (part, first_step(&self.pointers, root)),
            None if root.starts_with('{') => match only_array(text, root)? {
                Some((name, part)) => (part, Some(name)),
                // An answer about one thing is one row.
                None => (root, None),
            },
            None => (root, None),
        };
        let mut document = Value::UNDEFINED;
        if let Some(name) = beside
            && let Ok(Members(members)) = serde_json::from_str(root)
        {
            let others = members.iter().filter(|(other, _)| *other != name);
            let others = others.filter_map(|(name, raw)| {
                let json = serde_json::from_str(raw.get()).ok()?;
                Some((name.to_string(), value(&json)))
            });
            document = Value::from_pairs(others);
        }
        if part.starts_with('{') {
            return Ok((vec![place(text, part)], document));
        }
        let items = serde_json::from_str::<Vec<&RawValue>>(part).map_err(|_| {
            let help = "name it with `--rows`, as in `--rows /items`";
            missing(text, part, "no array of rows".to_owned(), help.to_owned())
        })?;
        Ok((items.iter().map(|item| place(text, item.get())).collect(), document))
    }
}

fn missing(text: &str, part: &str, message: String, help: String) -> Fault {
    let start = place(text, part).range().start;
    Fault { code: Code::InventorySyntax, span: Span::new(start..start + 1), message, help }
}

/// Returns the steps of a JSON Pointer.
fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// Returns the part of `root` that the first pointer with a match leads to; `None` without pointers.
fn at_pointers<'t>(
    text: &str,
    root: &'t str,
    pointers: &[String],
) -> Result<Option<&'t str>, Fault> {
    let mut first = None;
    for pointer in pointers {
        let found = steps(pointer).try_fold(root, |part, step| {
            member(part, &step).ok_or_else(|| {
                let message = format!("{} not found", quoted(&step));
                missing(text, part, message, "name the array of rows with `--rows`".to_owned())
            })
        });
        match found {
            Ok(part) => return Ok(Some(part)),
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    first.map_or(Ok(None), Err)
}

/// Returns the first step of the first pointer that leads somewhere in `root`.
fn first_step(pointers: &[String], root: &str) -> Option<String> {
    let leads = |pointer: &&String| {
        steps(pointer).try_fold(root, |part, step| member(part, &step)).is_some()
    };
    steps(pointers.iter().find(leads)?).next()
}

/// Returns the only array among the members of `root`, and its name; `None` if there is none.
fn only_array<'t>(text: &str, root: &'t str) -> Result<Option<(String, &'t str)>, Fault> {
    let Members(members) =
        serde_json::from_str::<Members<'t>>(root).map_err(|error| fault(text, root, &error))?;
    let arrays: Vec<_> = members.iter().filter(|(_, raw)| raw.get().starts_with('[')).collect();
    match arrays.as_slice() {
        [] => Ok(None),
        [(name, raw)] => Ok(Some((name.to_string(), raw.get()))),
        several => {
            let names: Vec<_> = several.iter().map(|(name, _)| format!("`/{name}`")).collect();
            let help = format!("name one of them with `--rows`: {}", crate::text::list(&names));
            let message = format!("{} of rows", counted(several.len(), "array"));
            Err(missing(text, root, message, help))
        }
    }
}

/// Returns the member or item `step` of a value.
fn member<'t>(part: &'t str, step: &str) -> Option<&'t str> {
    if part.starts_with('[') {
        let items = serde_json::from_str::<Vec<&RawValue>>(part).ok()?;
        return Some(items.get(step.parse::<usize>().ok()?)?.get());
    }
    let Members(members) = serde_json::from_str(part).ok()?;
    members.into_iter().find(|(name, _)| name == step).map(|(_, raw)| raw.get())
}

impl<R: Read + Send> Input for Answers<R> {
    fn start(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.reader.by_ref().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 4 GiB"));
        }
        let bad = std::str::from_utf8(&bytes).err().map(|error| error.valid_up_to());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.text = Arc::from(text.as_str());
        let piece = Piece { offset: 0, line: 1, text };
        let name = Arc::from("");
        let source = SourceFile::of_pieces(super::rows::INVENTORY, name, vec![piece]);
        self.source = Some(Arc::new(source));
        match bad {
            Some(at) => {
                self.fault = Some(Fault {
                    code: Code::Encoding,
                    span: Span::new(at..at + 1),
                    message: "a byte that is not UTF-8".to_owned(),
                    help: "save it as UTF-8".to_owned(),
                });
            }
            None => self.fault = self.find().err(),
        }
        Ok(())
    }

    fn columns(&self) -> Option<Arc<Columns>> {
        None
    }

    fn frame(&self) -> Option<Frame> {
        // Where the rows are found again by the same pointer.
        let steps: Vec<_> =
            self.pointers.first().map(|one| steps(one).collect()).unwrap_or_default();
        let mut before = String::new();
        for step in &steps {
            let _ = write!(before, "{{{}: ", serde_json::Value::from(step.as_str()));
        }
        before.push_str("[\n");
        Some(Frame { before, between: ",\n", behind: format!("\n]{}\n", "}".repeat(steps.len())) })
    }

    fn next_block(&mut self) -> io::Result<Option<Block>> {
        let mut block = Block::of(Arc::clone(&self.text), self.source.clone());
        let behind = self.documents.partition_point(|(_, end)| *end <= self.next);
        let Some((document, last)) = self.documents.get(behind) else {
            // What is at fault is behind all rows that were found.
            let fault = self.fault.take();
            block.faults.extend(fault);
            return Ok((!block.faults.is_empty()).then_some(block));
        };
        block.document = document.clone();
        let text = Arc::clone(&self.text);
        let mut columns = Columns::default();
        let end = (self.next + ROWS).min(*last);
        for at in self.next..end {
            let part = text.get(self.rows[at].range()).unwrap_or_default();
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            row(&text, part, number, &mut columns, &mut block);
        }
        self.next = end;
        block.columns = Arc::new(columns);
        Ok(Some(block))
    }
}
