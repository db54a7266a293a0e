//! The outcome of each entry as JSON Lines: the entries of the JSON report, one a line.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::row::Row;
use super::rows::Rows;
use crate::report::json::write_value;

/// Writes the report.
///
/// # Errors
/// If the writer fails, or the rows cannot be read.
pub fn write(rows: &dyn Rows, mut out: impl Write) -> io::Result<()> {
    rows.for_each(&mut |entry| {
        write_value(&mut out, &Row::of(entry))?;
        out.write_all(b"\n")?;
        Ok(ControlFlow::Continue(()))
    })?;
    out.flush()
}
