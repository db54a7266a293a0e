//! `lineload doctor`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Target;
use super::duration::duration;

/// `lineload doctor`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload doctor                               what the caller may read, the clock, the latency
  lineload doctor --write --yes --format json   all of it, to attach to a bug report")]
pub struct Doctor {
    /// Also create up to six artifacts at the target, find out what it refuses and how far its reads
    /// lag, and delete them
    #[arg(long)]
    pub write: bool,
    /// Skip the confirmation of `--write`; required without a terminal
    #[arg(long, short)]
    pub yes: bool,
    /// The format of the result
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: DoctorFormat,
    /// The journal of earlier imports, which knows the rate that they found; it is only read
    #[arg(long, value_name = "FILE", default_value = crate::journal::DEFAULT)]
    pub journal: PathBuf,
    /// The `--settle` that your imports use, to compare with the measured read lag
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub settle: Duration,
    /// The longest time to wait for a target that does not answer
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub limit_patience: Duration,
    /// The timeout of one attempt
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub target: Target,
}

/// The format of the checks of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum DoctorFormat {
    Human,
    Json,
}
