//! What became of each entry as JSON Lines: the entries of the JSON report, one a line.

use std::io::{self, Write};

use super::RunLog;
use super::row::Row;
use crate::report::json::write_value;

/// Writes the report.
///
/// # Errors
/// Where the writer fails.
pub fn write(log: &RunLog, mut out: impl Write) -> io::Result<()> {
    for entry in &log.entries {
        write_value(&mut out, &Row::of(entry))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
