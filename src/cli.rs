//! The command line.

mod candidates;
mod doctor;
mod duration;
mod config;
mod delete;
pub mod environment;
mod export;
pub mod generate;
mod import;
mod language_server;
mod merge_index;
mod remote;
mod shard;
mod shell;
mod tips;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::artifact::UriRewrite;
use crate::config::{FailOn, Format};
use crate::diagnostic::{Code, nearest};
use crate::registry::{Fault, Quota};
use crate::report::output::ColorChoice;
use crate::report::progress::When;
use crate::source::Pattern;
use crate::text::either;
use crate::walk;
pub use config::{Config, ConfigFormat};
pub use doctor::{Doctor, DoctorFormat};
pub use export::{Export, ReadPace, To};
pub use import::{
    CheckDrift, Existing, Import, MaxErrors, Pace, Plan, PlanFormat, Reach, Resume, Run, Target,
    WhenExists,
};
pub use language_server::LanguageServer;
pub use merge_index::MergeIndex;
pub use remote::{Delete, Matching, Remote};
pub use shell::{Completions, Man, Shell};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// A batch importer for SageMaker ML Lineage artifacts: checks YAML manifests, and imports what is
/// valid at the rate that the account allows
#[derive(Debug, Parser)]
#[command(name = "lineload", version, styles = STYLES, max_term_width = 100)]
#[command(after_help = "Examples:
  lineload lint                    check the manifests in ./manifests
  lineload import --local          import them into the local registry
  lineload import --region REGION  import them into AWS

`lineload COMMAND --help` shows the options of a command.")]
pub struct Cli {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment here would be the help text of every command")]
    pub global: Global,
    #[command(subcommand)]
    #[expect(missing_docs, reason = "as above")]
    pub command: Command,
}

/// Options that every command has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Hide progress and closing lines; an import still prints its counts
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log to standard error: steps with -v, decisions with -vv, the AWS SDK with -vvv
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Control when colour is used; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Control when progress is shown on standard error: `auto`, `always`, `never`, or an interval
    /// such as `30s` for plain lines. Progress is a bar on a terminal and plain lines elsewhere
    #[arg(long, global = true, value_name = "WHEN|INTERVAL", default_value = "auto")]
    pub progress: When,
    /// Use this configuration file instead of the lineload.toml in the working directory or a
    /// parent, up to the root of the git repository
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Ignore every lineload.toml and all `# lineload: allow` comments
    #[arg(long, global = true, conflicts_with = "config")]
    pub isolated: bool,
    /// The format of log lines
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum LogFormat {
    Text,
    Json,
}

/// The command to run.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check manifests; needs no network and no credentials
    Lint(Box<Lint>),
    #[cfg(feature = "aws")]
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    Remote(Remote),
    /// Report duplicates across the shards of a tree
    MergeIndex(MergeIndex),
    /// Generate manifests from an inventory and a template
    Generate(Box<generate::Generate>),
    /// Show the latest runs: their state, their counts and what failed
    Status(Status),
    /// Show the settings in force, and where each comes from
    Config(Config),
    /// Run the local registry, for any AWS client
    Serve(Serve),
    /// Print the JSON Schema of manifests, for editors
    #[command(after_help = "Examples:
  lineload schema > lineload.schema.json  for the YAML language server, beside your manifests")]
    Schema,
    /// Explain a finding, with a wrong and a right example
    Explain(Explain),
    /// Run the language server, for findings, fixes and completions in editors
    LanguageServer(LanguageServer),
    /// Print the script that makes a shell complete commands, options and their values
    Completions(Completions),
    /// Write a man page for each command
    Man(Man),
}

/// Returns the command line as it is parsed: with the variables that set options, and with the values
/// that shells complete.
#[must_use]
pub fn command() -> clap::Command {
    let command = Cli::command().mut_subcommands(delete::in_own_words);
    candidates::with_candidates(environment::with_variables(command))
}

/// Parses the command line of this process.
///
/// # Errors
/// Where it is wrong, or asks for help.
pub fn parse() -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(std::env::args_os());
    let matches = matches.map_err(|error| tips::with_tips(error, &command))?;
    Cli::from_arg_matches(&matches)
}

/// The files that are taken from paths.
#[derive(Debug, Clone, Default, Args)]
pub struct Filter {
    /// Exclude matching paths, even if they are named on the command line; a pattern without a `/`
    /// is matched against each part of the path; repeatable
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<Pattern>,
    /// Also check matching files in directories, besides `*.yaml` and `*.yml`; repeatable
    #[arg(long, value_name = "GLOB")]
    pub include: Vec<Pattern>,
    /// Follow symlinks that lead out of the named directories
    #[arg(long)]
    pub follow_links: bool,
}

/// The manifests of a command.
#[derive(Debug, Clone, Args)]
pub struct Manifests {
    /// Files or directories to check, or `-` for standard input
    #[arg(value_name = "PATH", default_value = "manifests")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub filter: Filter,
    /// The file name that findings show for standard input
    #[arg(long, value_name = "NAME")]
    pub stdin_filename: Option<String>,
    /// The number of threads that check manifests [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Take only the files of shard I of N, by a hash of their paths. `auto` and `auto/N` take I, and N, from the variables of Slurm, AWS Batch, Kubernetes or
    /// GNU parallel
    #[arg(long, value_name = "I/N|auto", value_parser = shard::shard, conflicts_with = "inventory")]
    pub shard: Option<walk::Shard>,
    /// Check and import every `SourceUri` that begins with OLD as if it began with NEW: for another
    /// account, Region or bucket. The longest OLD that fits is replaced, once; repeatable
    #[arg(long, value_name = "OLD=NEW", value_parser = rewrite)]
    pub rewrite_uri: Vec<UriRewrite>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub rows: generate::Rows,
}

impl Manifests {
    /// No manifests at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            paths: Vec::new(),
            filter: Filter::default(),
            stdin_filename: None,
            threads: None,
            shard: None,
            rewrite_uri: Vec::new(),
            rows: generate::Rows::default(),
        }
    }

    /// The paths that are read: none if an inventory is.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        if self.rows.inventory.is_some() { &[] } else { &self.paths }
    }

    /// The paths to walk.
    #[must_use]
    pub fn walk_options(&self) -> walk::Options {
        walk::Options {
            paths: self.paths.clone(),
            follow_links: self.filter.follow_links,
            exclude: self.filter.exclude.clone(),
            include: self.filter.include.clone(),
            stdin_name: self.stdin_filename.clone(),
            shard: self.shard,
        }
    }
}

/// `lineload lint`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload lint manifests --fix            apply safe fixes, report what is left
  lineload lint --changed-since main       only files that changed on this branch
  lineload lint --output sarif=lint.sarif  also write findings to a file
  lineload lint --baseline baseline.txt    only findings that are new since --write-baseline")]
pub struct Lint {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub manifests: Manifests,
    /// The format of findings on standard output [default: human]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Also write findings to a file, in this format; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    pub output: Vec<OutputFile>,
    /// Show every finding, however many there are
    #[arg(long)]
    pub all: bool,
    /// Also write the names and sources of the artifacts to this file, for `lineload merge-index`, which
    /// reports duplicates across shards
    #[arg(long, value_name = "FILE", conflicts_with_all = ["inventory", "diff"])]
    pub index: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub narrow: Narrow,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub fixes: Fixes,
}

/// The selection of findings to report.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub struct Narrow {
    /// Report only these rules, separated by commas
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    pub select: Vec<Code>,
    /// Do not report these rules, separated by commas
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    pub ignore: Vec<Code>,
    /// Report only findings that touch a file that changed since the merge base with this branch or
    /// commit, or that is untracked; duplicates are checked against all manifests
    #[arg(long, value_name = "REF")]
    pub changed_since: Option<String>,
    /// Do not report, count or fix the findings in this file, which `--write-baseline` has written.
    /// They are recognized also when lines move
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    pub baseline: Option<PathBuf>,
    /// Write all findings to this file, for `--baseline`; not credentials, nor what cannot be read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["changed_since", "diff", "shard", "output"])]
    pub write_baseline: Option<PathBuf>,
    /// The lowest severity that ends with exit code 1 [default: error]
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
}

/// The selection of fixes to apply.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Fixes")]
pub struct Fixes {
    /// Apply safe fixes, then report what is left
    #[arg(long, conflicts_with_all = ["diff", "rewrite_uri", "shard"])]
    pub fix: bool,
    /// Show what `--fix` would change, without changing anything
    #[arg(long, conflicts_with_all = ["rewrite_uri", "shard"])]
    pub diff: bool,
    /// With `--fix` or `--diff`, include fixes that may not be what was meant
    #[arg(long)]
    pub unsafe_fixes: bool,
}

/// `OLD=NEW`
fn rewrite(text: &str) -> Result<UriRewrite, String> {
    text.parse()
}

/// A rule by its name.
fn code(name: &str) -> Result<Code, String> {
    Code::from_name(name).ok_or_else(|| match nearest(name) {
        Some(near) => format!("unknown rule; did you mean `{near}`?"),
        None => "unknown rule; `lineload explain` lists them".to_owned(),
    })
}

/// `FORMAT=FILE`
#[derive(Debug, Clone)]
pub struct OutputFile {
    /// The format of the findings in it.
    pub format: Format,
    /// The file.
    pub file: PathBuf,
}

impl std::str::FromStr for OutputFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) =
            text.split_once('=').ok_or("write it as FORMAT=FILE, as in `sarif=lint.sarif`")?;
        let names = Format::ALL.map(Format::as_str);
        let format = Format::from_name(format).ok_or_else(|| no_format(format, &names))?;
        if file.is_empty() {
            return Err("add a file after the `=`".to_owned());
        }
        Ok(Self { format, file: file.into() })
    }
}

fn no_format(format: &str, names: &[&str; Format::ALL.len()]) -> String {
    let near = names.iter().find(|name| strsim::damerau_levenshtein(name, format) <= 1);
    match near {
        Some(near) => format!("unknown format; did you mean `{near}`?"),
        None => format!("unknown format; expected one of {}", either(*names)),
    }
}

/// `lineload status`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload status                            the latest runs, and what failed in them
  lineload status --runs 1 --format json     the latest run, for scripts
  lineload status --failed-manifests to-fix  what the service refused, as manifests
  lineload status --journal 1.sqlite3 --journal 2.sqlite3  of two shards, and their sum")]
pub struct Status {
    /// The journal to read; repeatable, for the shards of a tree: their counts are added up
    #[arg(long, value_name = "FILE", default_value = crate::journal::DEFAULT)]
    pub journal: Vec<PathBuf>,
    /// The number of runs of each journal to show, the latest first
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub runs: u32,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: StatusFormat,
    /// Write what failed in the latest run to this directory, as manifests to fix and import again
    #[arg(long, value_name = "DIR")]
    pub failed_manifests: Option<PathBuf>,
    /// Copy the files that had invalid artifacts in the latest run to this directory, to fix and
    /// import again
    #[arg(long, value_name = "DIR")]
    pub invalid_manifests: Option<PathBuf>,
}

/// The format of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum StatusFormat {
    Human,
    Json,
}

/// `lineload explain`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload explain             all rules
  lineload explain line-break  one of them")]
pub struct Explain {
    /// The rule to explain [default: list all rules]
    #[arg(value_name = "CODE", value_parser = code)]
    pub code: Option<Code>,
}

/// The default file of the local registry.
pub const DEFAULT_REGISTRY: &str = ".lineload/registry.sqlite3";

/// `lineload serve`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload serve --port 8123                           a registry that is kept in .lineload
  lineload serve --db :memory: --list-lag 5s           in memory, with listings that lag
  lineload serve --fault CreateArtifact:error-500=0.1  one create in ten fails")]
pub struct Serve {
    /// The file of the registry, created if it does not exist; `:memory:` keeps everything in memory
    #[arg(long, value_name = "FILE", default_value = DEFAULT_REGISTRY)]
    pub db: PathBuf,
    /// The address to listen on. Signatures are not checked: whoever can reach it can read and
    /// change the registry
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub listen: std::net::IpAddr,
    /// The port to listen on; with 0 any free one, which the first line of output names
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub misbehaviour: Misbehaviour,
}

/// The misbehaviour of the local registry.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits and faults")]
pub struct Misbehaviour {
    /// Accept only this many creates a second, or requests of the named operation, and answer the
    /// rest with ThrottlingException; repeatable
    #[arg(long, value_name = "[OPERATION=]N")]
    pub tps: Vec<Quota>,
    /// Hold at most this many artifacts, and answer further creates with ResourceLimitExceeded
    #[arg(long, value_name = "N")]
    pub max_artifacts: Option<u64>,
    /// Delay every answer by this many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// Show creates, updates and deletes in ListArtifacts only after this time, such as `5s`
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::lag)]
    pub list_lag: Duration,
    /// Show changes of tags in ListTags only after this time
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::lag)]
    pub tag_lag: Duration,
    /// Refuse a second artifact with the same name
    #[arg(long, value_name = "SWITCH", default_value = "on")]
    pub unique_names: Switch,
    /// Refuse a second artifact with the same SourceUri and the same set of SourceTypes
    #[arg(long, value_name = "SWITCH", default_value = "on")]
    pub unique_sources: Switch,
    /// Let this share of requests fail, of all operations or of the named one. KIND is `drop-…`,
    /// `error-500-…` or `hang-…` with `before-commit` or `after-commit` (`error-500` and `hang`
    /// alone: either), or `garbage`; repeatable
    #[arg(long, value_name = "[OPERATION:]KIND=PROBABILITY")]
    pub fault: Vec<Fault>,
}

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "these would be help texts that say nothing")]
pub enum Switch {
    On,
    Off,
}

impl From<&Misbehaviour> for crate::registry::Misbehaviour {
    fn from(args: &Misbehaviour) -> Self {
        Self {
            tps: args.tps.clone(),
            max_artifacts: args.max_artifacts,
            latency: Duration::from_millis(args.latency),
            list_lag: args.list_lag,
            tag_lag: args.tag_lag,
            unique_names: args.unique_names == Switch::On,
            unique_sources: args.unique_sources == Switch::On,
            faults: args.fault.clone(),
        }
    }
}
