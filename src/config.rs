//! `lineload.toml`: rules, excludes, formats, the ceiling of the pace, and guards.
//!
//! In: the text of the file. Out: a [`Config`], and findings about the text. It may come from a
//! pull request, so it can name nothing that a request is sent to, signed with or written to.

mod decode;
mod written;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Levels};
use crate::source::{Base, FileId, Pattern, SourceFile};

pub use decode::decode;
pub use written::{Written, written};

/// The name of the file.
pub const FILE: &str = "lineload.toml";

/// The settings of the file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The severity of each rule, by path.
    pub rules: Rules,
    /// The patterns to exclude, as with `--exclude`.
    pub exclude: Vec<Pattern>,
    /// The default format of findings.
    pub format: Option<Format>,
    /// The default of `--fail-on`.
    pub fail_on: Option<FailOn>,
    /// Creates a second that no import goes beyond.
    pub max_rate: Option<f64>,
    /// The only account that may be written to.
    pub expect_account: Option<String>,
    /// The only Region that may be written to.
    pub expect_region: Option<String>,
}

/// The severity of each rule, by path.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    everywhere: Levels,
    overrides: Vec<Override>,
}

/// Levels of some paths.
#[derive(Debug, Clone)]
struct Override {
    paths: Vec<Pattern>,
    levels: Vec<(crate::diagnostic::Code, crate::diagnostic::Level)>,
}

impl Rules {
    /// Returns the severity of each rule in the file that is shown as `path`. Of several overrides
    /// that fit, a later one wins.
    #[must_use]
    pub fn levels(&self, path: &str) -> Cow<'_, Levels> {
        let mut levels = Cow::Borrowed(&self.everywhere);
        for one in &self.overrides {
            if one.paths.iter().any(|pattern| pattern.matches(Path::new(path))) {
                for (code, level) in &one.levels {
                    levels.to_mut().set(*code, *level);
                }
            }
        }
        levels
    }
}

/// The format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum Format {
    Human,
    Short,
    Json,
    Sarif,
    Github,
    Junit,
    Gitlab,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 7] = [
        Self::Human,
        Self::Short,
        Self::Json,
        Self::Sarif,
        Self::Github,
        Self::Junit,
        Self::Gitlab,
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Short => "short",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Junit => "junit",
            Self::Gitlab => "gitlab",
        }
    }

    /// Returns the format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// The least that ends `lint` with exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum FailOn {
    Error,
    Warning,
    Never,
}

impl FailOn {
    /// Every value, as it is written.
    pub const NAMES: [&'static str; 3] = ["error", "warning", "never"];

    fn from_name(name: &str) -> Option<Self> {
        match name {
            "error" => Some(Self::Error),
            "warning" => Some(Self::Warning),
            "never" => Some(Self::Never),
            _ => None,
        }
    }
}

/// Returns the nearest configuration in `folder` or above it, up to the root of its git repository;
/// in `folder` alone if there is none.
#[must_use]
pub fn find(folder: &Path) -> Option<PathBuf> {
    let root = folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder);
    folder
        .ancestors()
        .take_while(|above| above.starts_with(root))
        .map(|above| above.join(FILE))
        .find(|file| file.is_file())
}

/// A configuration that was read.
#[derive(Debug)]
pub struct Loaded {
    /// Its settings; those with a fault are left out.
    pub config: Config,
    /// Its text.
    pub source: Arc<SourceFile>,
    /// The faults in it.
    pub findings: Vec<Diagnostic>,
}

/// Reads the text of the configuration in `file`, whose shown path is relative to the directory
/// `working`.
///
/// # Errors
/// If the file cannot be read.
pub fn open(file: &Path, working: &Path) -> io::Result<Arc<SourceFile>> {
    let shown = file.strip_prefix(working).unwrap_or(file).display().to_string();
    Ok(Arc::new(SourceFile::new(FileId(0), Arc::from(shown), std::fs::read(file)?)))
}

/// Reads the configuration in `file`, for paths that are relative to the directory `working`.
///
/// # Errors
/// If the file cannot be read.
pub fn load(file: &Path, working: &Path) -> io::Result<Loaded> {
    let source = open(file, working)?;
    let root = file.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned);
    let base = Arc::new(Base { working: working.to_owned(), root });
    let (config, findings) = decode(&source, &base);
    Ok(Loaded { config, source, findings })
}
