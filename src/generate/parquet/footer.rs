//! Counts how deep the columns of a Parquet file are nested, before the crate reads its schema: it does
//! that by recursion without a limit, so that a crafted file would end the process.
//!
//! The footer is a structure in Thrift's compact protocol
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>). Its second field
//! is the schema as a flat list: each element says how many of those that follow are below it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

/// The end of a file: the length of the footer, and `PAR1`.
const TAIL: u64 = 8;
/// Groups within groups. Those of real tables are a few levels deep.
const MAX_DEPTH: usize = 100;
/// Structures within structures of an element of the schema, of which real ones have three.
const MAX_STRUCTURES: usize = 8;

/// Checks that no column of `file` is nested deeper than is read.
///
/// # Errors
/// If one is, or the footer is not valid up to the end of its schema.
pub(super) fn check(file: &mut File) -> io::Result<()> {
    let Some(footer) = footer(file)? else {
        // The crate says what is wrong.
        return Ok(());
    };
    match (Reader { bytes: &footer }).depth() {
        Some(depth) if depth <= MAX_DEPTH => Ok(()),
        Some(_) => Err(invalid("columns are nested more than 100 deep")),
        None => Err(invalid("it is not valid")),
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("cannot read the Parquet file at its schema: {what}"),
    )
}

/// Returns the footer, if the file has one.
fn footer(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let size = file.seek(SeekFrom::End(0))?;
    let Some(tail) = size.checked_sub(TAIL) else { return Ok(None) };
    file.seek(SeekFrom::Start(tail))?;
    let mut end = [0; TAIL as usize];
    file.read_exact(&mut end)?;
    let [length @ .., b'P', b'A', b'R', b'1'] = end else { return Ok(None) };
    let length = u64::from(u32::from_le_bytes(length));
    let Some(start) = tail.checked_sub(length) else { return Ok(None) };
    file.seek(SeekFrom::Start(start))?;
    let mut footer = Vec::new();
    file.take(length).read_to_end(&mut footer)?;
    file.rewind()?;
    Ok(Some(footer))
}

/// The rest of a footer. Every function returns `None` where it breaks off or is no Thrift.
struct Reader<'b> {
    bytes: &'b [u8],
}

/// The kinds of values in the compact protocol.
mod kind {
    pub(super) const STOP: u8 = 0;
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const STRUCT: u8 = 12;
}

/// The number of the schema in `FileMetaData`.
const SCHEMA: i64 = 2;
/// The number of `num_children` in `SchemaElement`.
const CHILDREN: i64 = 5;

impl Reader<'_> {
    /// Returns how deep the schema is nested.
    fn depth(&mut self) -> Option<usize> {
        let mut last = 0;
        loop {
            let (number, kind) = self.field(&mut last)?;
            match (number, kind) {
                (_, kind::STOP) => return Some(0),
                (SCHEMA, kind::LIST) => break,
                // The crate reads it by its number, whatever its kind.
                (SCHEMA, _) => return None,
                _ => self.skip(kind, 0)?,
            }
        }
        let (count, kind) = self.list()?;
        if kind != kind::STRUCT {
            return None;
        }
        // How many elements are still to come at each level.
        let mut levels: Vec<i64> = Vec::new();
        let mut deepest = 0;
        for _ in 0..count {
            let children = self.children()?;
            if let Some(left) = levels.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                levels.push(children);
                deepest = deepest.max(levels.len());
                if MAX_DEPTH < deepest {
                    break;
                }
            } else {
                while levels.last().is_some_and(|left| *left <= 0) {
                    levels.pop();
                }
            }
        }
        Some(deepest)
    }

    /// Reads an element of the schema. Returns how many are below it.
    fn children(&mut self) -> Option<i64> {
        let (mut last, mut children) = (0, 0);
        loop {
            match self.field(&mut last)? {
                (_, kind::STOP) => return Some(children),
                (CHILDREN, kind::I32) => {
                    children = self.integer()?;
                    i32::try_from(children).ok()?;
                }
                (CHILDREN, _) => return None,
                (_, kind) => self.skip(kind, 0)?,
            }
        }
    }

    /// Reads the head of a field: its number, which may be given by the distance from the `last`, and
    /// its kind.
    fn field(&mut self, last: &mut i64) -> Option<(i64, u8)> {
        let head = self.byte()?;
        let kind = head & 0x0F;
        if kind != kind::STOP {
            *last = match head >> 4 {
                0 => self.integer()?,
                distance => last.checked_add(i64::from(distance))?,
            };
            // Others wrap around to these in the crate.
            i16::try_from(*last).ok()?;
        }
        Some((*last, kind))
    }

    /// Reads the head of a list: how many items it has, and their kind.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        Some((count, head & 0x0F))
    }

    fn skip(&mut self, kind: u8, structures: usize) -> Option<()> {
        match kind {
            // The head of a field holds them.
            kind::TRUE | kind::FALSE => {}
            kind::BYTE => drop(self.byte()?),
            kind::I16 | kind::I32 | kind::I64 => drop(self.varint()?),
            kind::DOUBLE => self.advance(8)?,
            kind::BINARY => {
                let length = self.varint()?;
                self.advance(length)?;
            }
            kind::LIST | kind::SET if structures < MAX_STRUCTURES => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    match kind {
                        // Of a list, each has a byte of its own.
                        kind::TRUE | kind::FALSE => self.advance(1)?,
                        kind => self.skip(kind, structures + 1)?,
                    }
                }
            }
            kind::STRUCT if structures < MAX_STRUCTURES => {
                let mut last = 0;
                loop {
                    match self.field(&mut last)? {
                        (_, kind::STOP) => break,
                        (_, kind) => self.skip(kind, structures + 1)?,
                    }
                }
            }
            // Parquet has no maps.
            _ => return None,
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn advance(&mut self, count: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Reads an integer: the sign is in its last bit.
    fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}
