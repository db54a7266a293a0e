//! `lineload export`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Reach, Target};
use crate::artifact::UriRewrite;

/// `lineload export`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload export --local -o snapshot     the local registry as manifests
  lineload export -o models --type Model  only models
  lineload export -o copy --rewrite-uri s3://old-lake/=s3://new-lake/
                                          for another account: other buckets
  lineload export -o stack --to cloudformation
                                          CloudFormation templates")]
pub struct Export {
    /// The directory to write to, created if it does not exist
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Write to a directory that is not empty; files of the same name are replaced, others are kept
    #[arg(long)]
    pub force: bool,
    /// Export only artifacts of this type; repeatable
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Export only artifacts whose `SourceUri` begins with this; repeatable
    #[arg(long = "uri-prefix", value_name = "PREFIX")]
    pub prefixes: Vec<String>,
    /// Write every `SourceUri` that begins with OLD as if it began with NEW: for another account,
    /// Region or bucket. The longest OLD that fits is replaced, once; repeatable
    #[arg(long, value_name = "OLD=NEW", value_parser = super::rewrite)]
    pub rewrite_uri: Vec<UriRewrite>,
    /// Write this field into every artifact, whatever the target says: `MetadataProperties.*`,
    /// `Properties.*` or `Tags.*`, as in `Properties.CopiedFrom=eu-west-1`; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
    /// The form of the files: manifests, or CloudFormation templates
    #[arg(long, value_name = "FORM", default_value = "manifests")]
    pub to: To,
    /// The number of artifacts in a file; with 0, all of a type are in one file [default: 1; 500 in
    /// CloudFormation templates, which can have no more]
    #[arg(long, value_name = "N")]
    pub per_file: Option<u32>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub target: Target,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub pace: ReadPace,
}

/// The form of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum To {
    Manifests,
    Cloudformation,
}

/// The rate of requests, and the time that a run waits.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub struct ReadPace {
    /// Requests a second of each operation: a number, decimals allowed; `auto`, which finds the
    /// rate that the service allows; or `unlimited` [default: auto, with --local unlimited]
    #[arg(long, value_name = "N|auto|unlimited")]
    pub rate: Option<crate::pace::Rate>,
    /// The highest rate of `auto`, in requests a second
    #[arg(long, value_name = "N", default_value_t = crate::pace::MAX_RATE, value_parser = crate::pace::per_second)]
    pub max_rate: f64,
    /// How far to stay below the rate that `auto` found, to leave room for the account's other users
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=90))]
    pub headroom: u8,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub reach: Reach,
}
