//! Documents of YAML, one after the other.

use std::io::{self, Write};

/// Documents on a stream.
#[derive(Debug)]
pub struct Stream<W> {
    out: W,
    begun: bool,
}

impl<W: Write> Stream<W> {
    /// Writes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, begun: false }
    }

    /// Writes a document.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn document(&mut self, text: &str) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            self.out.write_all(b"---\n")?;
        }
        self.out.write_all(text.as_bytes())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
