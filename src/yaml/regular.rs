//! A reader of regular text: the part of YAML that nearly all manifests are written in.
//!
//! It makes the nodes that the parser makes, several times as fast, and **gives way** to it at
//! anything that it does not know: it has no errors. What it accepts, as a grammar of lines (`␣` is
//! a space, `⏎` is `\n`, `\r\n` or the end of the text):
//!
//! ```text
//! document  = empty* (start empty*)? block        up to the next start, or the end of the text
//! start     = "---" end
//! empty     = ␣* (comment | ⏎)
//! end       = ␣* (⏎ | ␣ comment)
//! comment   = "#" byte* ⏎
//!
//! block     = mapping(n) | list(n)                where n is the column of its first line
//! mapping(n)= entry(n)+                           each entry at column n
//! entry(n)  = key ":" (␣+ value end               a value on the line of its key
//!                     | end empty* below(n)?)     or below it; or none, which is a null
//! below(n)  = block at a column beyond n          further in than the key
//!           | list(n)                             or a list at the column of the key
//! list(n)   = item(n)+                            each item at column n
//! item(n)   = "-" ␣+ value end
//!           | "-" ␣+ mapping(m)                   where m is the column of its first key
//!
//! key       = scalar, at most 1,000 bytes
//! value     = scalar | flow
//! scalar    = plain | single | double
//! plain     = first byte*                         without ":" before ␣ or ⏎, without ␣ before "#"
//! first     = any but white space and  - ? : , [ ] { } # & * ! | > ' " % @ `
//!           | "-" before a byte that is none of the above
//! single    = "'" (byte | "''")* "'"
//! double    = '"' (byte | "\" one of \ " / n t)* '"'
//! flow      = "[]" | "{}"
//! byte      = a byte of UTF-8 that is no control character, no line break, no U+FEFF, U+FFFE or
//!             U+FFFF
//! ```
//!
//! All that is one document is either read here or by the parser, so that no document is half of
//! one and half of the other, except for lists that are passed on item by item: an item that is
//! irregular is read by the parser alone, if it has no anchor, no alias, no tag, no deep nesting and
//! no fault, and the list goes on here. If it has one, the parser reads the whole document, and what
//! was passed on already is left out.
//!
//! An item is passed on when the line behind it has been looked at, as the parser does: it reports
//! a fault of that line in place of the item.

mod lines;
mod nodes;
mod scalars;

use std::ops::Range;

use super::events::to_u32;
use super::piece::Piece;
use super::style::Style;
use super::tree::{Kind, NodeId, Tree};
use lines::Line;
pub(super) use lines::is_marker;
use scalars::Scalar;

/// The number of bytes that a key may have. The parser takes more.
const MAX_KEY: usize = 1000;

/// The result of reading on.
pub(super) enum Step {
    /// A piece is complete.
    Piece(Piece),
    /// Something irregular stands in an item of a list, or between it and the next.
    GiveWayInItem,
    /// Something irregular: the parser must read the document.
    GiveWay,
    /// Nothing more follows.
    End,
}

/// Something that this reader does not know.
#[derive(Debug)]
struct Irregular;

type Regularly<T> = Result<T, Irregular>;

#[derive(Debug, Clone, Copy)]
struct Open {
    node: u32,
    column: usize,
    /// The end of the last child.
    end: u32,
    is_list: bool,
}

/// A list that is passed on item by item.
#[derive(Debug, Clone, Copy)]
struct Streamed {
    /// The number of collections that are open, this one included.
    depth: usize,
    column: usize,
    /// The nodes and the bytes of `cooked` that stay when an item is dropped.
    nodes: usize,
    cooked: usize,
    /// The start of the first line of the item that is being read.
    item: Option<usize>,
}

/// Reads the documents of a text until one is irregular.
pub(super) struct Regular<'t> {
    bytes: &'t [u8],
    tree: Tree<'t>,
    list_key: &'static str,
    /// The start of the next line.
    at: usize,
    /// The place from which the parser would read the current document.
    from: usize,
    /// True in a document.
    begun: bool,
    /// The start of the current document, as the parser has it.
    document: usize,
    open: Vec<Open>,
    /// The `:` of a key whose value has not come yet.
    colon: Option<usize>,
    /// True if the last key at the root is the list key.
    at_list_key: bool,
    streamed: Option<Streamed>,
    /// True if an item has been passed on, and is to be dropped.
    passed_on: bool,
}

impl<'t> Regular<'t> {
    /// Reads the bytes of `text` from `start`, where a document begins, to `end`.
    pub(super) fn new(text: &'t str, start: usize, end: usize, list_key: &'static str) -> Self {
        Self {
            bytes: text.as_bytes().get(..end).unwrap_or_default(),
            tree: Tree::new(text),
            list_key,
            at: start,
            from: start,
            begun: false,
            document: start,
            open: Vec::with_capacity(8),
            colon: None,
            at_list_key: false,
            streamed: None,
            passed_on: false,
        }
    }

    pub(super) const fn tree(&self) -> &Tree<'t> {
        &self.tree
    }

    /// Goes to the document that begins at `start`, if `---` stands there at the start of a line.
    pub(super) fn go_to(&mut self, start: usize) -> bool {
        let is_line = start == 0 || self.bytes.get(start - 1) == Some(&b'\n');
        self.at = start;
        self.begun = false;
        is_line && is_marker(self.bytes, start, b"---")
    }

    /// Goes to the line of an item of the list that was passed on last, which begins at `start`.
    pub(super) const fn go_to_item(&mut self, start: usize) {
        self.at = start;
    }

    /// Returns the start of the next line.
    pub(super) const fn next(&self) -> usize {
        self.at
    }

    /// Returns the number of nodes without those of items: of the list whose items are passed on, or
    /// of the document that was passed on last.
    pub(super) fn kept(&self) -> usize {
        self.streamed.map_or(self.tree.nodes.len(), |list| list.nodes)
    }

    /// Returns the place from which the parser would read the current document.
    pub(super) const fn from(&self) -> usize {
        self.from
    }

    /// Reads on until a piece is complete.
    pub(super) fn step(&mut self) -> Step {
        self.drop_item();
        match self.read() {
            Ok(Some(piece)) => Step::Piece(piece),
            Ok(None) => Step::End,
            Err(Irregular) if self.streamed.is_some_and(|list| list.item.is_some()) => {
                Step::GiveWayInItem
            }
            Err(Irregular) => Step::GiveWay,
        }
    }

    /// Returns the lines of the item that is being read, up to the next item or the end of the
    /// list.
    pub(super) fn item(&self) -> Option<Range<usize>> {
        let list = self.streamed?;
        let start = list.item?;
        Some(start..lines::item_end(self.bytes, start, list.column))
    }

    /// Goes on behind `item`, which ends at `end` and has been read by the parser. Returns whether
    /// what follows is regular; if not, the item may not be what it seems to be.
    pub(super) fn skip(&mut self, item: &Range<usize>, end: u32) -> bool {
        let Some(list) = self.streamed.as_mut() else { return false };
        list.item = None;
        let list = *list;
        self.tree.nodes.truncate(list.nodes);
        self.tree.cooked.truncate(list.cooked);
        self.open.truncate(list.depth);
        self.colon = None;
        self.extend(end);
        self.at = item.end;
        let follows = self.next_line().and_then(|line| self.follows(&line));
        self.tree.cooked.truncate(list.cooked);
        follows.is_ok()
    }

    fn drop_item(&mut self) {
        if std::mem::take(&mut self.passed_on)
            && let Some(list) = self.streamed
        {
            self.tree.nodes.truncate(list.nodes);
            self.tree.cooked.truncate(list.cooked);
        }
    }

    fn read(&mut self) -> Regularly<Option<Piece>> {
        if !self.begun && !self.begin()? {
            return Ok(None);
        }
        loop {
            let line = self.next_line()?;
            let piece = match line {
                Line::Content { start, column } => self.content(&line, start, column)?,
                Line::Start { .. } | Line::End { .. } => Some(self.end(&line)?),
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
    }

    /// Begins a document. Returns false where none follows.
    fn begin(&mut self) -> Regularly<bool> {
        self.from = self.at;
        self.tree.nodes.clear();
        self.tree.cooked.clear();
        self.open.clear();
        self.colon = None;
        self.at_list_key = false;
        self.streamed = None;
        match self.next_line()? {
            Line::End { .. } => return Ok(false),
            Line::Start { start } => {
                self.document = start;
                self.at = self.line_end(start + 3)?;
            }
            Line::Content { start, column } => self.document = start + column,
        }
        self.begun = true;
        Ok(true)
    }

    /// Reads a line with a value, unless a piece is complete before it.
    fn content(&mut self, line: &Line, start: usize, column: usize) -> Regularly<Option<Piece>> {
        let at = start + column;
        let is_item = self.is_item(at);
        if let Some(colon) = self.colon {
            let parent = self.open.last().ok_or(Irregular)?;
            if column > parent.column || (is_item && column == parent.column) {
                self.colon = None;
                if let Some(piece) = self.start(at, column, is_item)? {
                    self.at = start;
                    return Ok(Some(piece));
                }
            } else {
                self.colon = None;
                self.null(colon)?;
            }
        } else if self.tree.nodes.is_empty()
            && let Some(piece) = self.start(at, column, is_item)?
        {
            self.at = start;
            return Ok(Some(piece));
        }
        loop {
            let top = self.open.last().ok_or(Irregular)?;
            let fits = top.column == column && top.is_list == is_item;
            if top.column < column {
                return Err(Irregular);
            }
            if let Some(piece) = self.complete_item(line)? {
                self.at = start;
                return Ok(Some(piece));
            }
            if fits {
                break;
            }
            self.close();
        }
        if is_item {
            if let Some(list) = self.streamed.as_mut()
                && list.depth == self.open.len()
            {
                list.item = Some(start);
            }
            let at = self.skip_spaces(at + 1);
            self.item_value(at, at - start)?;
        } else {
            let key = self.scalar(at)?;
            self.entry(&key)?;
        }
        Ok(None)
    }

    /// Ends the document at its last line, unless an item is complete before that.
    fn end(&mut self, line: &Line) -> Regularly<Piece> {
        let (Line::Content { start, .. } | Line::Start { start } | Line::End { start }) = *line;
        self.at = start;
        if let Some(colon) = self.colon.take() {
            self.null(colon)?;
        }
        while !self.open.is_empty() {
            if let Some(piece) = self.complete_item(line)? {
                return Ok(piece);
            }
            self.close();
        }
        if self.tree.nodes.is_empty() {
            return Err(Irregular);
        }
        self.begun = false;
        self.streamed = None;
        Ok(Piece::Document { root: Some(NodeId(0)) })
    }

    /// Returns the item that is being read, if all of it has been.
    fn complete_item(&mut self, line: &Line) -> Regularly<Option<Piece>> {
        let Some(list) = self.streamed else { return Ok(None) };
        if list.depth != self.open.len() || list.item.is_none() {
            return Ok(None);
        }
        self.follows(line)?;
        if let Some(list) = self.streamed.as_mut() {
            list.item = None;
        }
        self.passed_on = true;
        Ok(Some(Piece::Item(NodeId(to_u32(list.nodes)))))
    }

    /// Checks that `line` may follow an item: that it is another one, or the end of the list.
    fn follows(&mut self, line: &Line) -> Regularly<()> {
        let Line::Content { start, column } = *line else { return Ok(()) };
        let Some(list) = self.streamed else { return Err(Irregular) };
        if self.is_item(start + column) {
            // The parser reads on to the value of the next item, or to the end of its line.
            let value = self.skip_spaces(start + column + 1);
            let begins = match self.bytes.get(value) {
                Some(b'#' | b'\r' | b'\n') | None => self.line_end(start + column + 1).is_ok(),
                Some(byte) => *byte != b'\t',
            };
            return if begins && column == list.column { Ok(()) } else { Err(Irregular) };
        }
        let root = self.open.first().filter(|root| !root.is_list).ok_or(Irregular)?;
        if root.column != column {
            return Err(Irregular);
        }
        let key = self.scalar(start + column)?;
        if key.is_key { Ok(()) } else { Err(Irregular) }
    }

    /// Begins a collection with its first line. Returns the piece that a list may be.
    fn start(&mut self, at: usize, column: usize, is_list: bool) -> Regularly<Option<Piece>> {
        let streams = is_list
            && match self.open.as_slice() {
                [] => true,
                [root] => self.at_list_key && !root.is_list,
                _ => false,
            };
        let kind = match (is_list, streams) {
            (true, true) => Kind::Streamed,
            (true, false) => Kind::Sequence,
            (false, _) => Kind::Mapping,
        };
        let first = self.skip_spaces(at + 1);
        if is_list && (self.ends_line(first) || matches!(self.bytes[first], b'#' | b'\t')) {
            return Err(Irregular);
        }
        // The parser has a list at the column of its key begin behind the first dash.
        let indented = self.open.last().is_none_or(|parent| parent.column < column);
        self.open(kind, if is_list && !indented { first } else { at }, column)?;
        if !streams {
            return Ok(None);
        }
        let root = (self.open.len() > 1).then_some(NodeId(0));
        let nodes = self.tree.nodes.len();
        if root.is_some() {
            self.tree.nodes[0].size = to_u32(nodes);
        }
        let cooked = self.tree.cooked.len();
        let depth = self.open.len();
        self.streamed = Some(Streamed { depth, column, nodes, cooked, item: None });
        Ok(Some(Piece::List { root, document: to_u32(self.document) }))
    }

    /// Reads what follows the dash of an item, at `at`.
    fn item_value(&mut self, at: usize, column: usize) -> Regularly<()> {
        if let Some(empty) = self.empty_collection(at) {
            return self.push_empty(empty, at);
        }
        let first = self.scalar(at)?;
        if first.is_key {
            self.open(Kind::Mapping, at, column)?;
            return self.entry(&first);
        }
        self.at = self.line_end(first.next)?;
        self.push_scalar(&first)
    }

    /// Reads the rest of an entry that begins with `key`.
    fn entry(&mut self, key: &Scalar) -> Regularly<()> {
        if !key.is_key || key.span.range().len() > MAX_KEY {
            return Err(Irregular);
        }
        self.push_scalar(key)?;
        if self.open.len() == 1 {
            let value = self.tree.text.get(key.value.range());
            self.at_list_key =
                key.style == Style::Plain && value.is_some_and(|value| value == self.list_key);
        }
        let colon = key.next;
        let at = self.skip_spaces(colon + 1);
        if self.ends_line(at) || (self.bytes.get(at) == Some(&b'#') && at > colon + 1) {
            self.at = self.line_end(colon + 1)?;
            self.colon = Some(colon);
            return Ok(());
        }
        if let Some(empty) = self.empty_collection(at) {
            if self.open.len() == 1 && self.at_list_key {
                return Err(Irregular);
            }
            return self.push_empty(empty, at);
        }
        let value = self.scalar(at)?;
        if value.is_key {
            return Err(Irregular);
        }
        self.at = self.line_end(value.next)?;
        self.push_scalar(&value)
    }

    /// Returns the kind of `[]` or `{}` at `at`.
    fn empty_collection(&self, at: usize) -> Option<Kind> {
        match self.bytes.get(at..at + 2)? {
            b"[]" => Some(Kind::Sequence),
            b"{}" => Some(Kind::Mapping),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
