//! `lineload config`

use clap::{Args, ValueEnum};

/// `lineload config`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload config                the settings in force, and the line or variable of each
  lineload config --isolated     without lineload.toml
  lineload config --format json  for scripts")]
pub struct Config {
    /// Also list the rules that have their default severity
    #[arg(long)]
    pub all: bool,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: ConfigFormat,
}

/// The format of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum ConfigFormat {
    Human,
    Json,
}
