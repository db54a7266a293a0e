//! The formats in which a run is reported, and the files that take them.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::rows::Rows;
use super::{RunLog, csv, html, json, lines, markdown};
use crate::destination::{self, DestinationError};
use crate::exit::Fatal;
use crate::text::{either, escaped};

/// A format, determined by the ending of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFormat {
    /// One document with everything.
    Json,
    /// One entry a line.
    JsonLines,
    /// One entry a record, for spreadsheets.
    Csv,
    /// The counts and what failed, for a comment or an issue.
    Markdown,
    /// A page with a picture of the rate.
    Html,
}

impl RunFormat {
    /// Every format with its ending.
    const ALL: [(&str, Self); 5] = [
        ("json", Self::Json),
        ("jsonl", Self::JsonLines),
        ("csv", Self::Csv),
        ("md", Self::Markdown),
        ("html", Self::Html),
    ];

    /// Returns the format of a file of this name, in letters of either case.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        let named = |(name, _): &&(&str, Self)| ending.eq_ignore_ascii_case(name);
        Self::ALL.iter().find(named).map(|(_, format)| *format)
    }

    /// Writes `log` with the entries `rows` to `out`.
    ///
    /// # Errors
    /// If the writer fails, or the rows cannot be read.
    pub fn write(self, log: &RunLog, rows: &dyn Rows, out: impl Write) -> io::Result<()> {
        match self {
            Self::Json => json::write(log, rows, out),
            Self::JsonLines => lines::write(rows, out),
            Self::Csv => csv::write(rows, out),
            Self::Markdown => markdown::write(log, rows, out),
            Self::Html => html::write(log, rows, out),
        }
    }
}

/// An error that keeps a report from being written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ending is of no format.
    #[error("unknown report format: `{}`", shown(.0))]
    Ending(PathBuf),
    /// The file cannot be written.
    #[error("cannot write the report `{}`: {}", shown(.0), crate::text::reason(.1))]
    File(PathBuf, #[source] io::Error),
    /// The file must not be written.
    #[error(transparent)]
    Destination(#[from] DestinationError),
}

impl Fatal for ReportError {
    fn help(&self) -> Vec<String> {
        let endings = RunFormat::ALL.map(|(ending, _)| format!(".{ending}"));
        match self {
            Self::Ending(_) => {
                let endings = either(endings.iter().map(String::as_str));
                vec![format!("name a file that ends in {endings}")]
            }
            Self::File(..) => Vec::new(),
            Self::Destination(error) => error.help(),
        }
    }
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}

/// Finds out that every report can be written, before there is one.
///
/// # Errors
/// For the first that cannot.
pub fn can_be_written(reports: &[PathBuf]) -> Result<(), ReportError> {
    if let Some(path) = reports.iter().find(|path| RunFormat::of(path).is_none()) {
        return Err(ReportError::Ending(path.clone()));
    }
    destination::check_all(reports.iter().map(PathBuf::as_path), [])?;
    for path in reports {
        destination::append(path).map_err(|error| ReportError::File(path.clone(), error))?;
    }
    Ok(())
}

/// Writes `log`, with the entries that it holds, to each of the files.
///
/// # Errors
/// For the first that cannot be written.
pub fn write(log: &RunLog, reports: &[PathBuf]) -> Result<(), ReportError> {
    write_rows(log, log, reports)
}

/// Writes `log` with the entries `rows` to each of the files.
///
/// # Errors
/// For the first that cannot be written.
pub fn write_rows(log: &RunLog, rows: &dyn Rows, reports: &[PathBuf]) -> Result<(), ReportError> {
    for path in reports {
        let format = RunFormat::of(path).ok_or_else(|| ReportError::Ending(path.clone()))?;
        destination::create(path)
            .and_then(|file| format.write(log, rows, BufWriter::new(file)))
            .map_err(|error| ReportError::File(path.clone(), error))?;
    }
    Ok(())
}
