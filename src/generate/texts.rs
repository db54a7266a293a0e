//! Texts by the names of their files: what memory should not hold is in a temporary file.
//!
//! In: documents, each with the name of its file, in any order. Out: the text of each file, in the order of
//! the names. Memory holds the names, a bounded number of bytes of the texts, and the text that is taken out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};

/// Bytes of texts in memory.
const HELD: usize = 64 << 20;

/// Texts by name.
#[derive(Debug)]
pub(super) struct Texts {
    by_name: BTreeMap<String, Text>,
    /// Most bytes in memory.
    most: usize,
    held: usize,
    /// The rest, and its length. It has no name, and is gone with the process.
    file: Option<(File, u64)>,
}

/// The text of a file.
#[derive(Debug, Default)]
struct Text {
    /// The places of its beginning in the temporary file.
    written: Vec<Piece>,
    /// The documents that follow.
    rest: String,
}

/// Bytes of the temporary file.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: u64,
    length: u64,
}

impl Default for Texts {
    fn default() -> Self {
        Self::with_most(HELD)
    }
}

impl Texts {
    const fn with_most(most: usize) -> Self {
        Self { by_name: BTreeMap::new(), most, held: 0, file: None }
    }

    /// Adds a document to the text of `name`, behind those that it has.
    ///
    /// # Errors
    /// If the temporary file cannot be written.
    pub(super) fn add(&mut self, name: &str, document: &str) -> io::Result<()> {
        let text = match self.by_name.get_mut(name) {
            Some(text) => text,
            None => self.by_name.entry(name.to_owned()).or_default(),
        };
        let before = text.rest.len();
        if before > 0 || !text.written.is_empty() {
            text.rest.push_str(SEPARATOR);
        }
        text.rest.push_str(document);
        self.held += text.rest.len() - before;
        if self.held > self.most { self.write().map_err(|error| of_file(&error)) } else { Ok(()) }
    }

    /// Writes all that is held to the temporary file.
    fn write(&mut self) -> io::Result<()> {
        let (file, end) = match &mut self.file {
            Some(file) => file,
            none => none.insert((tempfile::tempfile()?, 0)),
        };
        let mut out = io::BufWriter::with_capacity(1 << 20, file);
        for text in self.by_name.values_mut().filter(|text| !text.rest.is_empty()) {
            // The memory goes back.
            let rest = std::mem::take(&mut text.rest);
            out.write_all(rest.as_bytes())?;
            let length = rest.len() as u64;
            match text.written.last_mut() {
                Some(last) if last.start + last.length == *end => last.length += length,
                _ => text.written.push(Piece { start: *end, length }),
            }
            *end += length;
        }
        out.flush()?;
        self.held = 0;
        Ok(())
    }

    /// Takes out the text with the first name.
    ///
    /// # Errors
    /// If the temporary file cannot be read.
    pub(super) fn pop(&mut self) -> io::Result<Option<(String, String)>> {
        let Some((name, Text { written, rest })) = self.by_name.pop_first() else {
            return Ok(None);
        };
        let Some((file, _)) = self.file.as_mut().filter(|_| !written.is_empty()) else {
            return Ok(Some((name, rest)));
        };
        let length: u64 = written.iter().map(|piece| piece.length).sum();
        let length = usize::try_from(length).unwrap_or(0).saturating_add(rest.len());
        let mut text = String::with_capacity(length);
        for Piece { start, length } in written {
            file.seek(SeekFrom::Start(start)).map_err(|error| of_file(&error))?;
            let read = Read::take(&*file, length).read_to_string(&mut text);
            if read.map_err(|error| of_file(&error))? as u64 != length {
                return Err(of_file(&io::ErrorKind::UnexpectedEof.into()));
            }
        }
        text.push_str(&rest);
        Ok(Some((name, text)))
    }
}

/// The line between two documents.
pub(super) const SEPARATOR: &str = "---\n";

fn of_file(error: &io::Error) -> io::Error {
    let directory = std::env::temp_dir();
    let reason = crate::text::reason(error);
    let message = format!("a temporary file in `{}`: {reason}", directory.display());
    io::Error::new(error.kind(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_the_order_of_their_names_and_documents() {
        for most in [0, 1, 30, 1000, 1 << 20] {
            let mut texts = Texts::with_most(most);
            for round in 0..50 {
                for name in ["c", "a", "é", "b"] {
                    // Not every file has a document of each round.
                    if round % 7 != name.len() {
                        texts.add(name, &format!("{name}: {round}\n")).unwrap();
                    }
                    assert!(texts.held <= most, "{most}");
                }
            }
            assert_eq!(texts.file.is_some(), most <= 1000, "{most}");
            for name in ["a", "b", "c", "é"] {
                let rounds = (0..50).filter(|round| round % 7 != name.len());
                let documents: Vec<_> = rounds.map(|round| format!("{name}: {round}\n")).collect();
                assert_eq!(texts.pop().unwrap(), Some((name.to_owned(), documents.join("---\n"))));
            }
            assert_eq!(texts.pop().unwrap(), None);
        }
    }

    #[test]
    fn the_documents_of_one_file_are_one_piece() {
        let mut texts = Texts::with_most(100);
        for number in 0..1000 {
            texts.add("all", &format!("document: {number}\n")).unwrap();
        }
        assert_eq!(texts.by_name["all"].written.len(), 1);
    }
}
