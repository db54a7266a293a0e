//! JSON and JSON Lines: each row is an object, each of its members a cell.
//!
//! In: bytes. Out: [`Block`]s of rows, each cell with its place. A value within a value has the place
//! of the member that holds it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::{self, Read};
use std::sync::Arc;

use minijinja::Value;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::rows::{Block, Cell, Columns, Content, Fault, Row};
use super::{Frame, Input};
use crate::diagnostic::Code;
use crate::source::{MAX_FILE_BYTES, Piece, SourceFile, Span};
use crate::text::{counted, quoted};

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 16 << 20;
/// Rows of a block.
const ROWS: usize = 512;
/// Objects within objects that become values of an expression.
const DEPTH: usize = 64;

/// The members of an object, in order.
pub(super) struct Members<'t>(pub(super) Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// A text that is borrowed where it holds no escape.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

/// The place of `part`, which is a piece of `text`, in it.
fn place(text: &str, part: &str) -> Span {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    Span::new(start..start + part.len())
}

/// Returns the fault of `part` of a text as JSON.
pub(super) fn fault(text: &str, part: &str, error: &serde_json::Error) -> Fault {
    let start = place(text, part).start as usize;
    // Lines and columns of bytes, from 1.
    let mut at = start;
    for line in part.split_inclusive('\n').take(error.line().saturating_sub(1)) {
        at += line.len();
    }
    at += error.column().saturating_sub(1);
    let at = text.floor_char_boundary(at.min(start + part.len()));
    let end = text.ceil_char_boundary((at + 1).min(text.len()));
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    Fault {
        code: Code::InventorySyntax,
        span: Span::new(at..end),
        message: format!("invalid JSON: {message}"),
        help: "write the row as one object of JSON".to_owned(),
    }
}

/// Adds the row that `part` of the text of `block` is.
fn row(text: &str, part: &str, number: u32, columns: &mut Columns, block: &mut Block) {
    let span = place(text, part);
    let members = match serde_json::from_str::<Members<'_>>(part) {
        Ok(Members(members)) => members,
        Err(error) => {
            block.faults.push(if error.is_data() {
                Fault {
                    code: Code::InventorySyntax,
                    span: Span::new(span.range().start..span.range().start + 1),
                    message: "this row is not an object".to_owned(),
                    help: "write each row as an object, as in `{\"name\": \"orders\"}`".to_owned(),
                }
            } else {
                fault(text, part, &error)
            });
            block.unusable.push(span);
            return;
        }
    };
    let first = block.cells.len();
    for (name, raw) in &members {
        let column = columns.add(name);
        let span = place(text, raw.get());
        if block.cells[first..].iter().any(|cell| cell.column == column) {
            block.faults.push(Fault {
                code: Code::InventorySyntax,
                span,
                message: format!("duplicate key {}", quoted(name)),
                help: "remove one of them".to_owned(),
            });
            block.unusable.push(place(text, part));
            block.cells.truncate(first);
            return;
        }
        block.cells.push(Cell { column, span, content: content(raw.get(), span) });
    }
    let cells = u32::try_from(block.cells.len() - first).unwrap_or(u32::MAX);
    let first = u32::try_from(first).unwrap_or(u32::MAX);
    block.rows.push(Row { number, span, first, cells });
}

fn content(raw: &str, span: Span) -> Content {
    if raw.starts_with('"') {
        if !raw.contains('\\') {
            return Content::Raw(Span { start: span.start + 1, end: span.end.saturating_sub(1) });
        }
        let text: String = serde_json::from_str(raw).unwrap_or_default();
        return Content::Cooked(text.into_boxed_str());
    }
    match serde_json::from_str::<serde_json::Value>(raw) {
        // A number that no other holds exactly stays as it is written.
        Ok(serde_json::Value::Number(number)) if number.to_string() != raw => Content::Raw(span),
        Ok(json) => Content::Value(value(&json)),
        Err(_) => Content::Raw(span),
    }
}

/// Returns a value of JSON as expressions have it.
pub(super) fn value(json: &serde_json::Value) -> Value {
    value_at(json, 0)
}

fn value_at(json: &serde_json::Value, depth: usize) -> Value {
    use serde_json::Value as Json;
    match json {
        _ if depth > DEPTH => Value::UNDEFINED,
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => Value::from(number),
            (_, Some(number), _) => Value::from(number),
            (.., Some(number)) => Value::from(number),
            _ => Value::from(number.to_string()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(|item| value_at(item, depth + 1)).collect(),
        Json::Object(members) => Value::from_pairs(
            members.iter().map(|(key, item)| (key.clone(), value_at(item, depth + 1))),
        ),
    }
}

/// JSON Lines.
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    offset: u64,
    line: u32,
    number: u32,
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// The lines that `reader` has.
    pub const fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), offset: 0, line: 1, number: 0, ended: false }
    }

    /// Whole lines, as many as were read together.
    fn lines(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = memchr::memrchr(b'\n', &self.buffer) {
                let rest = self.buffer.split_off(end + 1);
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            if self.ended {
                let rest = std::mem::take(&mut self.buffer);
                return Ok((!rest.is_empty()).then_some(rest));
            }
            if self.buffer.len() > LONGEST_LINE {
                let message = format!("line {} is longer than 16 MiB", self.line);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            let read = self.reader.by_ref().take(CHUNK as u64).read_to_end(&mut self.buffer)?;
            self.ended = read == 0;
            if self.offset + self.buffer.len() as u64 > MAX_FILE_BYTES {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 4 GiB"));
            }
        }
    }
}

impl<R: Read + Send> Input for Lines<R> {
    fn start(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn columns(&self) -> Option<Arc<Columns>> {
        None
    }

    fn frame(&self) -> Option<Frame> {
        Some(Frame { before: String::new(), between: "\n", behind: "\n".to_owned() })
    }

    fn next_block(&mut self) -> io::Result<Option<Block>> {
        let Some(bytes) = self.lines()? else { return Ok(None) };
        let length = bytes.len();
        let (text, bad) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                // Places stay as they are.
                let bytes = error.into_bytes().into_iter();
                let ascii = |byte: u8| if byte.is_ascii() { char::from(byte) } else { '?' };
                (bytes.map(ascii).collect(), Some(at))
            }
        };
        let mut block = Block {
            offset: u32::try_from(self.offset).unwrap_or(u32::MAX),
            line: self.line,
            text: Arc::from(text),
            ..Block::default()
        };
        let text = Arc::clone(&block.text);
        let mut columns = Columns::default();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let range = start..start + line.len();
            start = range.end;
            self.line += 1;
            let bare = line.trim_end_matches(['\n', '\r']);
            let bare = if range.start == 0 && self.offset == 0 {
                bare.trim_start_matches('\u{FEFF}')
            } else {
                bare
            };
            if bare.trim().is_empty() {
                continue;
            }
            self.number += 1;
            if let Some(at) = bad.filter(|at| range.contains(at)) {
                block.unusable.push(place(&text, bare));
                block.faults.push(Fault {
                    code: Code::Encoding,
                    span: Span::new(at..at + 1),
                    message: "a byte that is not UTF-8".to_owned(),
                    help: "save it as UTF-8".to_owned(),
                });
                continue;
            }
            row(&text, bare, self.number, &mut columns, &mut block);
        }
        self.offset += length as u64;
        block.columns = Arc::new(columns);
        Ok(Some(block))
    }
}

/// A document of JSON with an array of rows.
pub struct Document<R> {
    reader: R,
    /// JSON Pointers, of which the first that leads somewhere counts.
    pointers: Vec<String>,
    /// The value of what stands beside the rows.
    document: Value,
    source: Option<Arc<SourceFile>>,
    text: Arc<str>,
    /// The place of each row.
    rows: Vec<Span>,
    next: usize,
    fault: Option<Fault>,
}

impl<R: Read> Document<R> {
    /// The document that `reader` has, whose rows are in the array at the first of `pointers` (RFC
    /// 6901) that there is; an object there is the only row. Without pointers they are in the array that
    /// the document is, or in the only one that it holds.
    pub fn new(reader: R, pointers: Vec<String>) -> Self {
        Self {
            reader,
            pointers,
            document: Value::UNDEFINED,
            source: None,
            text: Arc::default(),
            rows: Vec::new(),
            next: 0,
            fault: None,
        }
    }

    /// Finds the rows, and takes what stands beside them.
    fn find(&mut self) -> Result<Vec<Span>, Fault> {
        let text: &str = &self.text;
        let root = text.trim_start_matches('\u{FEFF}');
        serde_json::from_str::<&RawValue>(root).map_err(|error| fault(text, root, &error))?;
        let root = root.trim();
        let (part, beside) = match at_pointers(text, root, &self.pointers)? {
            Some(part) => (part, first_step(&self.pointers, root)),
            None if root.starts_with('{') => match only_array(text, root)? {
                Some((name, part)) => (part, Some(name)),
                // An answer about one thing is one row.
                None => (root, None),
            },
            None => (root, None),
        };
        if let Some(name) = beside
            && let Ok(Members(members)) = serde_json::from_str(root)
        {
            let others = members.iter().filter(|(other, _)| *other != name);
            let others = others.filter_map(|(name, raw)| {
                let json = serde_json::from_str(raw.get()).ok()?;
                Some((name.to_string(), value(&json)))
            });
            self.document = Value::from_pairs(others);
        }
        if part.starts_with('{') {
            return Ok(vec![place(text, part)]);
        }
        let items = serde_json::from_str::<Vec<&RawValue>>(part).map_err(|_| {
            let help = "name it with `--rows`, as in `--rows /items`";
            missing(text, part, "no array of rows".to_owned(), help.to_owned())
        })?;
        Ok(items.iter().map(|item| place(text, item.get())).collect())
    }
}

fn missing(text: &str, part: &str, message: String, help: String) -> Fault {
    let start = place(text, part).range().start;
    Fault { code: Code::InventorySyntax, span: Span::new(start..start + 1), message, help }
}

/// The steps of a JSON Pointer.
fn steps(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"))
}

/// The part of `root` that the first of `pointers` leads to, if there are any.
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

/// The member of `root` that the pointer which counts begins with.
fn first_step(pointers: &[String], root: &str) -> Option<String> {
    let leads = |pointer: &&String| {
        steps(pointer).try_fold(root, |part, step| member(part, &step)).is_some()
    };
    steps(pointers.iter().find(leads)?).next()
}

/// The only array among the members of `root`, and its name; `None` if there is none.
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

/// The member or the item `step` of a value.
fn member<'t>(part: &'t str, step: &str) -> Option<&'t str> {
    if part.starts_with('[') {
        let items = serde_json::from_str::<Vec<&RawValue>>(part).ok()?;
        return Some(items.get(step.parse::<usize>().ok()?)?.get());
    }
    let Members(members) = serde_json::from_str(part).ok()?;
    members.into_iter().find(|(name, _)| name == step).map(|(_, raw)| raw.get())
}

impl<R: Read + Send> Input for Document<R> {
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
            None => match self.find() {
                Ok(rows) => self.rows = rows,
                Err(fault) => self.fault = Some(fault),
            },
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
        if let Some(fault) = self.fault.take() {
            block.faults.push(fault);
            return Ok(Some(block));
        }
        if self.next >= self.rows.len() {
            return Ok(None);
        }
        block.document = self.document.clone();
        let text = Arc::clone(&self.text);
        let mut columns = Columns::default();
        let end = (self.next + ROWS).min(self.rows.len());
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
