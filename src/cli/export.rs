//! `lineload export`

use std::path::PathBuf;

use clap::Args;

use super::{Reach, Target};

/// `lineload export`
#[derive(Debug, Clone, Args)]
pub struct Export {
    /// The folder that manifests are written to; it is made where it is not there
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write to a folder that is not empty: files of the same name are replaced, and nothing else in
    /// it is touched
    #[arg(long)]
    pub force: bool,
    /// Artifacts of this type only; repeatable
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Artifacts with a `SourceUri` that begins so only; repeatable
    #[arg(long = "uri-prefix", value_name = "PREFIX")]
    pub prefixes: Vec<String>,
    /// Artifacts in a file, as documents; 0 puts all of a type into one
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub per_file: u32,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub target: Target,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub pace: ReadPace,
}

/// How fast questions leave, and what is waited for.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub struct ReadPace {
    /// Requests a second, with decimals if need be; `auto`, which finds out what the service allows;
    /// or `unlimited`. `auto` where nothing is said, and `unlimited` with --local
    #[arg(long, value_name = "N|auto|unlimited")]
    pub rate: Option<crate::pace::Rate>,
    /// The highest rate of `auto`, in requests a second
    #[arg(long, value_name = "N", default_value_t = crate::pace::MAX_RATE, value_parser = crate::pace::per_second)]
    pub max_rate: f64,
    /// How far `auto` stays under the rate that it found, so that the account's other users get on
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=90))]
    pub headroom: u8,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub reach: Reach,
}
