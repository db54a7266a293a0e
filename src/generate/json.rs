//! JSON Lines: each row is an object, each of its members a cell.
//!
//! In: bytes. Out: [`Block`]s of rows, each cell with its place. A value within a value has the place
//! of the member that holds it.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use minijinja::Value;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::rows::{Block, Cell, Columns, Content, Fault, Row};
use super::{Frame, Input};
use crate::diagnostic::Code;
use crate::source::{MAX_FILE_BYTES, Span};
use crate::text::quoted;

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;
/// The longest line, in bytes.
const LONGEST_LINE: usize = 16 << 20;
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
pub(super) fn place(text: &str, part: &str) -> Span {
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
pub(super) fn row(text: &str, part: &str, number: u32, columns: &mut Columns, block: &mut Block) {
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
