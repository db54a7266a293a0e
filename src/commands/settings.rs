//! `lineload.toml` as the commands use it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::Failure;
use super::terminal::shown_on_stderr;
use crate::check;
use crate::cli::{Global, Narrow};
use crate::config::{self, Config, FailOn, Loaded};
use crate::report::human;
use crate::source::{SourceFile, SourceStore};
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
            rewrites: None,
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
    let open = |file: PathBuf| {
        config::open(&file, &working).map_err(|error| unreadable(&file, &working, &error))
    };
    found.map(open).transpose()
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

fn unreadable(file: &Path, working: &Path, error: &io::Error) -> Failure {
    let shown = file.strip_prefix(working).unwrap_or(file).display();
    Failure::usage(format!("cannot read {shown}: {}", reason(error)))
}

fn read(global: &Global, file: &Path, working: &Path) -> Result<Config, Failure> {
    let Loaded { config, source, findings } =
        config::load(file, working).map_err(|error| unreadable(file, working, &error))?;
    if findings.is_empty() {
        return Ok(config);
    }
    let name = Arc::clone(source.name());
    let store = SourceStore::new(vec![(Arc::clone(&name), None)]);
    store.pin(source);
    let mut err = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
    let options = shown_on_stderr();
    for finding in &findings {
        // Standard error may be closed.
        let _ = writeln!(err, "{}", human::render(finding, &store, &options));
    }
    let faults = counted(findings.len(), "error");
    Err(Failure::usage(format!("{name} has {faults}; nothing was checked"))
        .help("fix them, or ignore the file with `--isolated`"))
}
