//! Tables of texts: CSV and TSV, as RFC 4180 has them.
//!
//! In: bytes. Out: [`Block`]s of rows, each cell with its place. It reads on behind every fault.
//! The `csv` crate is not used: it takes any quoting and gives no places.

use std::io::{self, Read};
use std::sync::Arc;

use super::bytes::{breaks, bytes_at_fault, delimiter};
use super::rows::{Block, Cell, Columns, Content, Fault, Row};
use super::{Frame, Input};
use crate::diagnostic::Code;
use crate::source::{MAX_FILE_BYTES, Span};
use crate::text::{counted, grouped, quoted};

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;
/// The longest row, in bytes. A quote that is never closed must not take the rest of the inventory in.
pub const LONGEST_ROW: usize = 1 << 20;
/// Rows of a block.
const ROWS: usize = 512;

/// The form of a table.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// The delimiter between cells [default: the most frequent of the first line].
    pub delimiter: Option<u8>,
    /// The names of the columns where there is no header.
    pub columns: Option<Vec<String>>,
}

/// A table that is being read.
pub struct Table<R> {
    reader: R,
    form: Form,
    delimiter: u8,
    columns: Option<Arc<Columns>>,
    /// The line of the header, as it stands.
    header_line: String,
    /// The cells of the header, to find it again further down.
    header: Vec<String>,
    /// The bytes that have been read and are in no block yet.
    buffer: Vec<u8>,
    /// Bytes in front of the buffer.
    offset: u64,
    line: u32,
    number: u32,
    ended: bool,
    started: bool,
    /// True if the rest of a line is to be skipped.
    skipping: bool,
    /// A block that was read to know the header.
    ahead: Option<Block>,
}

/// The end of the row is not known.
enum Scan {
    /// It ends at this byte of the buffer, and the next begins at the second.
    Row(usize, usize),
    /// There is not enough text.
    More,
}

/// The cells of a row as they are found.
#[derive(Default)]
struct Scanned {
    cells: Vec<(Span, Option<Box<str>>, bool)>,
    faults: Vec<Fault>,
    is_unclosed: bool,
}

impl<R: Read> Table<R> {
    /// The table that `reader` has.
    pub const fn new(reader: R, form: Form) -> Self {
        Self {
            reader,
            form,
            delimiter: b',',
            columns: None,
            header_line: String::new(),
            header: Vec::new(),
            buffer: Vec::new(),
            offset: 0,
            line: 1,
            number: 0,
            ended: false,
            started: false,
            skipping: false,
            ahead: None,
        }
    }

    /// The next rows; `None` behind the last.
    ///
    /// # Errors
    /// If the reader fails, or if the inventory is larger than [`MAX_FILE_BYTES`].
    fn read_block(&mut self) -> io::Result<Option<Block>> {
        if !self.started {
            self.begin()?;
        }
        self.skip()?;
        let mut scanned = Scanned::default();
        let mut block = Block::default();
        let mut at = 0;
        while block.rows.len() + block.unusable.len() < ROWS {
            match self.scan(at, &mut scanned) {
                Scan::Row(end, next) => {
                    self.take(at..end, &mut scanned, &mut block);
                    at = next;
                }
                Scan::More if self.buffer.len() - at > LONGEST_ROW => {
                    at = self.overlong(at, &mut block);
                    scanned = Scanned::default();
                    if self.skipping {
                        break;
                    }
                }
                Scan::More => {
                    if self.ended && at >= self.buffer.len() {
                        break;
                    }
                    if !self.ended {
                        // What has been scanned is scanned again: rows are short.
                        if at > 0 && block.rows.len() >= ROWS / 8 {
                            break;
                        }
                        self.fill()?;
                    }
                }
            }
        }
        if at == 0 && block.faults.is_empty() && self.ended {
            return Ok(None);
        }
        let bytes: Vec<u8> = self.buffer.drain(..at).collect();
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            // Rows with bytes that are no UTF-8 are not used; their places stay.
            let blanked = error.into_bytes().into_iter();
            blanked.map(|byte| if byte.is_ascii() { char::from(byte) } else { '?' }).collect()
        });
        block.offset = u32::try_from(self.offset).unwrap_or(u32::MAX);
        block.line = self.line;
        self.offset += at as u64;
        self.line = self.line.saturating_add(breaks(text.as_bytes()));
        block.text = Arc::from(text);
        block.columns = self.columns.clone().unwrap_or_default();
        Ok(Some(block))
    }

    fn begin(&mut self) -> io::Result<()> {
        self.started = true;
        while !self.ended && self.buffer.len() < CHUNK {
            self.fill()?;
        }
        if let Some(names) = self.form.columns.take() {
            let mut columns = Columns::default();
            for name in &names {
                columns.add(name);
            }
            self.columns = Some(Arc::new(columns));
        }
        self.delimiter = self.form.delimiter.unwrap_or_else(|| delimiter(&self.buffer));
        Ok(())
    }

    fn fill(&mut self) -> io::Result<()> {
        let before = self.buffer.len();
        let read = self.reader.by_ref().take(CHUNK as u64).read_to_end(&mut self.buffer)?;
        self.ended = read == 0;
        if self.offset + (before + read) as u64 > MAX_FILE_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 4 GiB"));
        }
        Ok(())
    }

    /// Finds the cells of the row that begins at `start` of the buffer.
    fn scan(&self, start: usize, scanned: &mut Scanned) -> Scan {
        scanned.cells.clear();
        scanned.faults.clear();
        scanned.is_unclosed = false;
        let bytes = self.buffer.as_slice();
        let mut at = start;
        if at == 0 && self.offset == 0 && bytes.starts_with(b"\xEF\xBB\xBF") {
            at = 3;
        }
        loop {
            let cell = at;
            let is_quoted = bytes.get(at) == Some(&b'"');
            let mut cooked = None;
            if is_quoted {
                at += 1;
                let mut escaped = false;
                loop {
                    let Some(found) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default())
                    else {
                        if self.ended {
                            return self.unclosed(cell, scanned);
                        }
                        return Scan::More;
                    };
                    at += found + 1;
                    match bytes.get(at) {
                        Some(b'"') => {
                            escaped = true;
                            at += 1;
                        }
                        None if !self.ended => return Scan::More,
                        _ => break,
                    }
                }
                if escaped {
                    let inner = String::from_utf8_lossy(&bytes[cell + 1..at - 1]);
                    cooked = Some(inner.replace("\"\"", "\"").into_boxed_str());
                }
            }
            let rest = at;
            let tail = bytes.get(rest..).unwrap_or_default();
            let end = match memchr::memchr3(self.delimiter, b'\n', b'\r', tail) {
                Some(found) => rest + found,
                None if self.ended => bytes.len(),
                None => return Scan::More,
            };
            if is_quoted && end > rest {
                scanned.faults.push(Fault {
                    code: Code::InventorySyntax,
                    span: Span::new(rest..end),
                    message: "text after the closing quote of a cell".to_owned(),
                    help: "double a quote inside a cell, as in `\"a \"\"b\"\" c\"`".to_owned(),
                });
            } else if !is_quoted && let Some(quote) = memchr::memchr(b'"', &bytes[rest..end]) {
                scanned.faults.push(Fault {
                    code: Code::InventorySyntax,
                    span: Span::new(rest + quote..rest + quote + 1),
                    message: "a quote in an unquoted cell".to_owned(),
                    help:
                        "quote the whole cell, and write the quote twice, as in `\"a \"\"b\"\" c\"`"
                            .to_owned(),
                });
            }
            scanned.cells.push((Span::new(cell..end), cooked, is_quoted));
            at = end;
            match bytes.get(at) {
                Some(byte) if *byte == self.delimiter => at += 1,
                Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => return Scan::Row(end, at + 2),
                Some(b'\r') if bytes.len() == at + 1 && !self.ended => return Scan::More,
                Some(_) => return Scan::Row(end, at + 1),
                None if at == start && scanned.cells.len() == 1 => return Scan::More,
                None => return Scan::Row(end, end),
            }
        }
    }

    /// A quote that is never closed: the row is taken to end with its line.
    fn unclosed(&self, quote: usize, scanned: &mut Scanned) -> Scan {
        let line = memchr::memchr2(b'\n', b'\r', &self.buffer[quote..]);
        let end = line.map_or(self.buffer.len(), |at| quote + at);
        scanned.faults.push(Fault {
            code: Code::InventorySyntax,
            span: Span::new(quote..quote + 1),
            message: "this quote is never closed".to_owned(),
            help: "close it at the end of the cell, or double a quote inside a cell".to_owned(),
        });
        scanned.is_unclosed = true;
        let next = match self.buffer.get(end..) {
            Some([b'\r', b'\n', ..]) => end + 2,
            Some([_, ..]) => end + 1,
            _ => end,
        };
        Scan::Row(end, next)
    }

    /// Skips a row that exceeds the limit: returns where reading continues.
    fn overlong(&mut self, start: usize, block: &mut Block) -> usize {
        let mut scanned = Scanned::default();
        let was_ended = std::mem::replace(&mut self.ended, true);
        // The bytes read so far show whether a quote is open.
        let scan = self.scan(start, &mut scanned);
        self.ended = was_ended;
        self.number += 1;
        if scanned.is_unclosed
            && let (Some(fault), Scan::Row(_, next)) = (scanned.faults.pop(), scan)
        {
            let most = grouped(LONGEST_ROW as u64);
            let message = format!("this quote is not closed within {most} bytes");
            block.faults.push(Fault { message, ..fault });
            block.unusable.push(Span::new(start..next));
            return next;
        }
        let longest =
            scanned.cells.iter().map(|(span, ..)| *span).max_by_key(|span| span.range().len());
        block.unusable.push(Span::empty(u32::try_from(start).unwrap_or(u32::MAX)));
        let longest = longest.map_or(start, |span| span.range().start);
        block.faults.push(Fault {
            code: Code::InventorySyntax,
            span: Span::new(longest..longest + 1),
            message: format!("a row of more than {} bytes", grouped(LONGEST_ROW as u64)),
            help: "shorten the cell that begins here: no field of an artifact takes so much"
                .to_owned(),
        });
        self.skipping = true;
        self.buffer.len()
    }

    /// Reads past the rest of a row that is too long, and keeps nothing of it.
    fn skip(&mut self) -> io::Result<()> {
        while self.skipping {
            let found = memchr::memchr(b'\n', &self.buffer);
            let length = found.map_or(self.buffer.len(), |at| at + 1);
            self.buffer.drain(..length);
            self.offset += length as u64;
            if found.is_some() {
                self.line += 1;
            }
            if found.is_some() || self.ended {
                self.skipping = false;
            } else {
                self.fill()?;
            }
        }
        Ok(())
    }

    /// Takes the row in that `scanned` has the cells of.
    fn take(&mut self, range: std::ops::Range<usize>, scanned: &mut Scanned, block: &mut Block) {
        let bytes = &self.buffer[range.clone()];
        let bare = if self.offset == 0 && range.start == 0 {
            bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
        } else {
            bytes
        };
        if bare.is_empty() && scanned.faults.is_empty() {
            return;
        }
        let span = Span::new(range.end - bare.len()..range.end);
        let mut faults = std::mem::take(&mut scanned.faults);
        if let Some(fault) = bytes_at_fault(bare, span.range().start) {
            faults.insert(0, fault);
        }
        if self.columns.is_none() {
            self.header_line = String::from_utf8_lossy(bare).into_owned();
            self.header(scanned, &mut faults);
            block.faults.append(&mut faults);
            return;
        }
        self.number += 1;
        let columns = self.columns.as_ref().map_or(0, |columns| columns.names().len());
        if faults.is_empty() {
            faults.extend(self.repeated_header(span, scanned));
        }
        if faults.is_empty() {
            faults.extend(self.ragged(span, scanned, columns));
        }
        if !faults.is_empty() {
            block.faults.append(&mut faults);
            block.unusable.push(span);
            return;
        }
        let first = u32::try_from(block.cells.len()).unwrap_or(u32::MAX);
        for (column, (span, cooked, is_quoted)) in (0..).zip(scanned.cells.drain(..)) {
            let content = match cooked {
                Some(text) => Content::Cooked(text),
                None if is_quoted => {
                    Content::Raw(Span { start: span.start + 1, end: span.end - 1 })
                }
                None => Content::Raw(span),
            };
            block.cells.push(Cell { column, span, content });
        }
        let cells = u32::try_from(columns).unwrap_or(u32::MAX);
        block.rows.push(Row { number: self.number, span, first, cells });
    }

    fn header(&mut self, scanned: &Scanned, faults: &mut Vec<Fault>) {
        let mut columns = Columns::default();
        for (number, cell) in (0..).zip(&scanned.cells) {
            let name = self.text_of(cell);
            let name = name.trim();
            // A column without a name cannot be asked for, and need not be.
            let name =
                if name.is_empty() { format!("column {}", number + 1) } else { name.to_owned() };
            if columns.add(&name) != number {
                faults.push(Fault {
                    code: Code::InventorySyntax,
                    span: cell.0,
                    message: format!("duplicate column {}", quoted(&name)),
                    help: "give each column its own name".to_owned(),
                });
                // Columns are counted all the same.
                columns.add(&format!("{name} {}", number + 1));
            }
            self.header.push(name);
        }
        self.columns = Some(Arc::new(columns));
    }

    fn text_of(&self, (span, cooked, is_quoted): &(Span, Option<Box<str>>, bool)) -> String {
        match cooked {
            Some(text) => text.to_string(),
            None => {
                let range = span.range();
                let cut = usize::from(*is_quoted);
                let bytes = self.buffer.get(range.start + cut..range.end.saturating_sub(cut));
                String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
            }
        }
    }

    fn repeated_header(&self, span: Span, scanned: &Scanned) -> Option<Fault> {
        let is_same = self.header.len() > 1
            && scanned.cells.len() == self.header.len()
            && scanned
                .cells
                .iter()
                .zip(&self.header)
                .all(|(cell, name)| self.text_of(cell).trim() == name);
        is_same.then(|| Fault {
            code: Code::InventorySyntax,
            span,
            message: "repeated header".to_owned(),
            help: "remove this line: the header is the first line".to_owned(),
        })
    }

    fn ragged(&self, span: Span, scanned: &Scanned, columns: usize) -> Option<Fault> {
        let cells = scanned.cells.len();
        if cells == columns {
            return None;
        }
        let place = match scanned.cells.get(columns) {
            Some((first, ..)) => Span { start: first.start, end: span.end },
            None => Span::empty(span.end),
        };
        let is = if self.header.is_empty() { "named" } else { "in the header" };
        let delimiter = if self.delimiter == b'\t' {
            "tab".to_owned()
        } else {
            quoted(&char::from(self.delimiter).to_string())
        };
        Some(Fault {
            code: Code::RowLength,
            span: place,
            message: format!(
                "a row of {}; there are {} {is}",
                counted(cells, "cell"),
                grouped(columns as u64)
            ),
            help: if cells > columns {
                format!(
                    "quote a cell that holds a {delimiter}, as in `\"a{}b\"`",
                    char::from(self.delimiter).escape_default()
                )
            } else {
                "also write the delimiters of empty cells".to_owned()
            },
        })
    }
}

impl<R: Read + Send> Input for Table<R> {
    fn start(&mut self) -> io::Result<()> {
        self.ahead = self.read_block()?;
        Ok(())
    }

    fn columns(&self) -> Option<Arc<Columns>> {
        self.columns.clone()
    }

    fn frame(&self) -> Option<Frame> {
        let mut before = self.header_line.clone();
        if !before.is_empty() {
            before.push('\n');
        }
        Some(Frame { before, between: "\n", behind: "\n".to_owned() })
    }

    fn next_block(&mut self) -> io::Result<Option<Block>> {
        match self.ahead.take() {
            Some(block) => Ok(Some(block)),
            None => self.read_block(),
        }
    }
}
