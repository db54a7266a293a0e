//! Standard output as the commands use it.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use anstream::AutoStream;
pub use anstream::ColorChoice;

use crate::exit::Fatal;
use crate::text::reason;

/// The error of results that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the output: {}", reason(.0))]
pub struct OutputError(#[from] pub io::Error);

impl Fatal for OutputError {}

/// Standard output, with colours where they are wanted and shown. A reader that has gone away, as
/// with `| head`, is no failure: what is written then goes nowhere, and the command continues.
#[derive(Debug)]
pub struct Output<W: anstream::stream::RawStream> {
    inner: AutoStream<W>,
    closed: bool,
}

impl Output<io::StdoutLock<'static>> {
    /// Returns standard output.
    #[must_use]
    pub fn stdout(choice: ColorChoice) -> io::BufWriter<Self> {
        let inner = AutoStream::new(io::stdout().lock(), choice);
        io::BufWriter::with_capacity(32 << 10, Self { inner, closed: false })
    }
}

impl<W: anstream::stream::RawStream> Output<W> {
    fn unless_closed<T: Default>(
        &mut self,
        write: impl FnOnce(&mut AutoStream<W>) -> io::Result<T>,
        otherwise: T,
    ) -> io::Result<T> {
        if self.closed {
            return Ok(otherwise);
        }
        match write(&mut self.inner) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(otherwise)
            }
            result => result,
        }
    }
}

impl<W: anstream::stream::RawStream> Write for Output<W>
where
    AutoStream<W>: Write,
{
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(|inner| inner.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed(Write::flush, ())
    }
}

/// One writer for several reports, each of which writes whole lines in its turn.
#[derive(Clone)]
pub struct Shared(Rc<RefCell<dyn Write>>);

impl Shared {
    /// Shares `out`.
    #[must_use]
    pub fn new(out: impl Write + 'static) -> Self {
        Self(Rc::new(RefCell::new(out)))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}
