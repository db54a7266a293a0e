//! The formats in which a run is reported, and the files that take them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{RunLog, csv, html, json, lines, markdown};
use crate::diagnostic::words::{either, escaped};

/// A format, told by the ending of the file.
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

    /// The format of a file of this name, in letters of either case.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        let named = |(name, _): &&(&str, Self)| ending.eq_ignore_ascii_case(name);
        Self::ALL.iter().find(named).map(|(_, format)| *format)
    }

    /// Writes `log` to `out`.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn write(self, log: &RunLog, out: impl Write) -> io::Result<()> {
        match self {
            Self::Json => json::write(log, out),
            Self::JsonLines => lines::write(log, out),
            Self::Csv => csv::write(log, out),
            Self::Markdown => markdown::write(log, out),
            Self::Html => html::write(log, out),
        }
    }
}

/// Why a report is not written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ending is of no format.
    #[error("no report can be written as `{}`", shown(.0))]
    Ending(PathBuf),
    /// The file cannot be written.
    #[error("the report `{}` cannot be written: {}", shown(.0), crate::walk::reason(.1))]
    File(PathBuf, #[source] io::Error),
}

impl ReportError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let endings = RunFormat::ALL.map(|(ending, _)| format!(".{ending}"));
        match self {
            Self::Ending(_) => {
                let endings = either(endings.iter().map(String::as_str));
                Some(format!("name a file that ends in {endings}"))
            }
            Self::File(..) => None,
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
    for path in reports {
        if RunFormat::of(path).is_none() {
            return Err(ReportError::Ending(path.clone()));
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.map_err(|error| ReportError::File(path.clone(), error))?;
    }
    Ok(())
}

/// Writes `log` to each of the files.
///
/// # Errors
/// For the first that cannot be written.
pub fn write(log: &RunLog, reports: &[PathBuf]) -> Result<(), ReportError> {
    for path in reports {
        let format = RunFormat::of(path).ok_or_else(|| ReportError::Ending(path.clone()))?;
        File::create(path)
            .and_then(|file| format.write(log, BufWriter::new(file)))
            .map_err(|error| ReportError::File(path.clone(), error))?;
    }
    Ok(())
}
