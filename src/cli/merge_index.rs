//! `lineload merge-index`

use std::path::PathBuf;

use clap::Args;

use super::OutputFile;
use crate::config::{FailOn, Format};

/// `lineload merge-index`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload lint --shard 1/2 --index 1.idx  on one machine
  lineload lint --shard 2/2 --index 2.idx  on another
  lineload merge-index 1.idx 2.idx         the duplicates of both together")]
pub struct MergeIndex {
    /// The indexes of all shards of a tree, which `lint --index` has written
    #[arg(value_name = "INDEX", required = true)]
    pub indexes: Vec<PathBuf>,
    /// The format of findings on standard output [default: human]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Also write findings to a file, in this format; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    pub output: Vec<OutputFile>,
    /// Show every finding, however many there are
    #[arg(long)]
    pub all: bool,
    /// The lowest severity that ends with exit code 1 [default: error]
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
}
