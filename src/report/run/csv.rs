//! The outcome of each entry as CSV (RFC 4180): the entries of the JSON report, flat.
//!
//! Line breaks and whatever else may not be printed are written escaped, so that a record is a line.
//! Spreadsheets run a cell that begins like a formula; such a cell begins with an apostrophe here,
//! which they take for "this is text".

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::ControlFlow;

use super::row::Row;
use super::rows::Rows;
use crate::text::escaped;

const HEAD: &str =
    "file,line,name,source_uri,outcome,arn,attempts,request_id,error_code,error_message";

/// Writes the report.
///
/// # Errors
/// If the writer fails, or the rows cannot be read.
pub fn write(rows: &dyn Rows, mut out: impl Write) -> io::Result<()> {
    write!(out, "{HEAD}\r\n")?;
    rows.for_each(&mut |entry| {
        let row = Row::of(entry);
        let error = row.error.as_ref();
        write!(
            out,
            "{},{},{},{},{},{},{},{},{},{}\r\n",
            cell(row.file),
            row.line,
            cell(row.name.as_deref().unwrap_or_default()),
            cell(row.source_uri.as_deref().unwrap_or_default()),
            row.outcome,
            cell(row.arn.unwrap_or_default()),
            row.attempts,
            cell(row.request_id.unwrap_or_default()),
            cell(error.and_then(|error| error.code).unwrap_or_default()),
            cell(error.map(|error| &*error.message).unwrap_or_default()),
        )?;
        Ok(ControlFlow::Continue(()))
    })?;
    out.flush()
}

fn cell(text: &str) -> String {
    let plain = escaped(text);
    let text =
        if is_formula(text) { Cow::Owned(format!("'{plain}")) } else { Cow::Borrowed(&*plain) };
    // A semicolon parts cells where a comma parts decimals.
    if text.contains([',', '"', ';']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

/// Returns whether a spreadsheet could run it. Some skip white space, and some read the wide forms.
fn is_formula(text: &str) -> bool {
    text.starts_with(['\t', '\r', '\n'])
        || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}
