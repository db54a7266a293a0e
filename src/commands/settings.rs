//! `lineload.toml` as the commands use it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::Failure;
use super::terminal::shown_on_stderr;
use crate::check;
use crate::cli::{Global, Narrow};
use crate::config::{self, Config, FailOn};
use crate::report::human;
use crate::source::{Base, FileId, SourceFile, SourceStore};
use crate::text::{counted, reason};

/// The settings of a run from `lineload.toml`.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) config: Config,
    /// True if comments may allow findings.
    pub(super) allowances: bool,
}

impl Settings {
    /// Returns how to check, by these settings.
    pub(super) const fn check_options(&self) -> check::Options<'_> {
        check::Options {
            rules: &self.config.rules,
            allowances: self.allowances,
            threads: None,
            entries: false,
        }
    }

    /// Returns what ends a lint with exit code 1.
    pub(super) fn fail_on(&self, narrow: &Narrow) -> FailOn {
        narrow.fail_on.or(self.config.fail_on).unwrap_or(FailOn::Error)
    }

    /// Finds and reads the configuration. A fault in it ends the run, with every fault shown.
    pub(super) fn load(global: &Global) -> Result<Self, Failure> {
        if global.isolated {
            return Ok(Self { config: Config::default(), allowances: false });
        }
        let (working, found) = find(global)?;
        let Some(file) = found else {
            return Ok(Self { config: Config::default(), allowances: true });
        };
        let config = read(global, &file, &working)?;
        tracing::info!("configuration: {}", file.display());
        Ok(Self { config, allowances: true })
    }
}

/// Returns the text of the configuration; `None` if there is none.
pub(super) fn file(global: &Global) -> Result<Option<Arc<SourceFile>>, Failure> {
    let (working, found) = find(global)?;
    found.map(|file| open(&file, &working)).transpose()
}

/// Returns the working directory, and the configuration.
fn find(global: &Global) -> Result<(PathBuf, Option<PathBuf>), Failure> {
    let working = std::env::current_dir().map_err(|error| {
        Failure::usage(format!("cannot read the working directory: {}", reason(&error)))
    })?;
    let found = match &global.config {
        Some(file) => Some(working.join(file)),
        None => config::find(&working),
    };
    Ok((working, found))
}

fn open(file: &Path, working: &Path) -> Result<Arc<SourceFile>, Failure> {
    let shown = file.strip_prefix(working).unwrap_or(file).display().to_string();
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::usage(format!("cannot read {shown}: {}", reason(&error))))?;
    Ok(Arc::new(SourceFile::new(FileId(0), Arc::from(shown.as_str()), bytes)))
}

fn read(global: &Global, file: &Path, working: &Path) -> Result<Config, Failure> {
    let source = open(file, working)?;
    let name = Arc::clone(source.name());
    let shown = name.to_string();
    let root = file.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned);
    let base = Arc::new(Base { working: working.to_owned(), root });
    let (config, findings) = config::decode(&source, &base);
    if findings.is_empty() {
        return Ok(config);
    }
    let store = SourceStore::new(vec![(name, None)]);
    store.pin(source);
    let mut err = anstream::AutoStream::new(std::io::stderr().lock(), global.color.into());
    let options = shown_on_stderr();
    for finding in &findings {
        // Standard error may be closed.
        let _ = writeln!(err, "{}", human::render(finding, &store, &options));
    }
    let faults = counted(findings.len(), "error");
    Err(Failure::usage(format!("{shown} has {faults}; nothing was checked"))
        .help("fix them, or ignore the file with `--isolated`"))
}
