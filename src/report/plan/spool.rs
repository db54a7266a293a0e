//! Text that is written after something that is known later.

use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write};

use tempfile::SpooledTempFile;

/// The bytes that are kept in memory; what is more goes into a temporary file.
const IN_MEMORY: usize = 256 << 10;

/// Text that is kept until the text before it is known.
#[derive(Debug)]
pub(super) struct Spool(BufWriter<SpooledTempFile>);

impl Default for Spool {
    fn default() -> Self {
        Self(BufWriter::new(SpooledTempFile::new(IN_MEMORY)))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Spool {
    /// Copies everything to `out`, line by line, so that a line with colours stays whole.
    pub(super) fn copy(self, out: &mut dyn Write) -> io::Result<()> {
        let mut kept = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        kept.rewind()?;
        let mut kept = BufReader::new(kept);
        let mut line = Vec::new();
        while kept.read_until(b'\n', &mut line)? > 0 {
            out.write_all(&line)?;
            line.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_memory_takes_comes_back_too() {
        let mut spool = Spool::default();
        let mut expected = Vec::new();
        for number in 0..100_000 {
            writeln!(spool, "line {number}").unwrap();
            writeln!(expected, "line {number}").unwrap();
        }
        spool.write_all(b"no end of a line").unwrap();
        expected.extend(b"no end of a line");
        assert!(expected.len() > IN_MEMORY);
        let mut out = Vec::new();
        spool.copy(&mut out).unwrap();
        assert!(out == expected);
    }
}
