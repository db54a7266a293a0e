//! The commands that have a target: `import`, `plan` and `resume`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration::duration;
use super::{DEFAULT_REGISTRY, Manifests};
use crate::run::change::{Drift, OnExists};

/// `lineload import`
#[derive(Debug, Clone, Args)]
pub struct Import {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub manifests: Manifests,
    /// Submit nothing if any manifest is invalid
    #[arg(long)]
    pub require_valid: bool,
    /// Check, and say what would be sent; needs no target
    #[arg(long)]
    pub dry_run: bool,
    /// Ask the target also of what the journal knows to be there
    #[arg(long)]
    pub recheck: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub existing: Existing,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub run: Run,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub target: Target,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub pace: Pace,
}

/// `lineload plan`
#[derive(Debug, Clone, Args)]
pub struct Plan {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub manifests: Manifests,
    /// How the plan is written to standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: PlanFormat,
    /// End with 3 where an import would change something, 0 where it would not
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Compare every field of all that is there, and not only of what the journal does not know to be
    /// equal and unchanged
    #[arg(long)]
    pub refresh: bool,
    /// List every artifact, however many there are
    #[arg(long)]
    pub all: bool,
    /// The journal that knows what was settled before; it is only read
    #[arg(long, value_name = "FILE", default_value = crate::journal::DEFAULT)]
    pub journal: PathBuf,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub existing: Existing,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub target: Target,
    /// Creates per second that the time is estimated for: a number, `unlimited`, or `auto`, the rate
    /// that the service allowed at the end of the last run, as the journal has it [default: auto]
    #[arg(long, value_name = "N|auto|unlimited", help_heading = "Pace")]
    pub rate: Option<crate::pace::Rate>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub reach: Reach,
}

/// How a plan is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum PlanFormat {
    Human,
    Json,
    Markdown,
}

/// `lineload resume`
#[derive(Debug, Clone, Args)]
pub struct Resume {
    /// The run, by the beginning of its id; without one, the latest that has something left
    #[arg(value_name = "RUN")]
    pub id: Option<String>,
    /// Send what was staged, though manifests have changed since
    #[arg(long)]
    pub as_staged: bool,
    /// The profile of the AWS configuration; that of the run where nothing is said
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub run: Run,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub pace: Pace,
}

/// What every run that writes has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub struct Run {
    /// Write without asking; needed where there is no terminal to ask on
    #[arg(long, short)]
    pub yes: bool,
    /// Refuse beforehand to create or change more than so many artifacts
    #[arg(long, value_name = "N")]
    pub max_changes: Option<usize>,
    /// Stop once so many entries have failed, or such a share of those to be sent
    #[arg(long, value_name = "N|N%")]
    pub max_errors: Option<MaxErrors>,
    /// Stop after so long, wherever it is
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_duration: Option<Duration>,
    /// What was sent and what became of it, so that a run that was killed can go on
    #[arg(long, value_name = "FILE", default_value = crate::journal::DEFAULT)]
    pub journal: PathBuf,
    /// Write how it went to a file: `.json`, `.jsonl`, `.csv`, `.md` or `.html`; repeatable
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
}

/// How many entries may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxErrors {
    /// So many.
    Number(usize),
    /// A share of those to be sent, in percent.
    Percent(u8),
}

impl MaxErrors {
    /// The number of errors that stops a run over `entries` entries.
    #[must_use]
    pub fn of(self, entries: usize) -> usize {
        match self {
            Self::Number(most) => most,
            Self::Percent(percent) => entries.saturating_mul(percent.into()).div_ceil(100).max(1),
        }
    }
}

impl std::str::FromStr for MaxErrors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a number from 1, or a share from 1% to 100%".to_owned();
        match text.strip_suffix('%') {
            Some(percent) => {
                let percent = percent.parse().ok().filter(|percent| (1..=100).contains(percent));
                percent.map(Self::Percent).ok_or_else(wrong)
            }
            None => {
                let number = text.parse().ok().filter(|number| *number > 0);
                number.map(Self::Number).ok_or_else(wrong)
            }
        }
    }
}

/// What is to become of what the target has already.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What exists")]
pub struct Existing {
    /// What is there already is left (`skip`), made what the manifest says (`update`: name,
    /// properties and tags are added and overwritten), or a failure (`fail`)
    #[arg(long, value_name = "WHAT", default_value = "skip")]
    pub on_exists: WhenExists,
    /// With `--on-exists update`: also remove properties and tags that the manifest does not have
    #[arg(long)]
    pub prune: bool,
    /// Compare in every field: what the journal does not know to be equal and unchanged (`unknown`,
    /// where nothing is said), all that is there (`always`, also as a bare `--check-drift`), or
    /// nothing (`never`: name and type only, which costs no request for each)
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true,
          default_missing_value = "always", default_value = "unknown", hide_default_value = true)]
    pub check_drift: CheckDrift,
    /// Create every artifact with this too, whatever its manifest says: `MetadataProperties.*`,
    /// `Properties.*` or `Tags.*`, as in `MetadataProperties.CommitId=1a2b3c`. It changes nothing
    /// that is there; repeatable
    #[arg(long, value_name = "FIELD=VALUE")]
    pub set: Vec<String>,
}

/// `--on-exists`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum WhenExists {
    Skip,
    Update,
    Fail,
}

/// `--check-drift`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum CheckDrift {
    Unknown,
    Always,
    Never,
}

impl Existing {
    /// What is to become of what exists.
    #[must_use]
    pub const fn on_exists(&self) -> OnExists {
        match self.on_exists {
            WhenExists::Skip => OnExists::Skip,
            WhenExists::Update => OnExists::Update { prune: self.prune },
            WhenExists::Fail => OnExists::Fail,
        }
    }

    /// What of it is compared in every field.
    #[must_use]
    pub const fn drift(&self) -> Drift {
        match self.check_drift {
            CheckDrift::Unknown => Drift::Unknown,
            CheckDrift::Always => Drift::Always,
            CheckDrift::Never => Drift::Never,
        }
    }
}

/// Where artifacts go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct Target {
    /// The embedded local registry, in FILE (with `=`) or in .lineload/registry.sqlite3
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = DEFAULT_REGISTRY,
          conflicts_with_all = ["region", "profile", "endpoint_url", "account"])]
    pub local: Option<PathBuf>,
    /// The AWS Region; AWS_REGION or the profile's without it
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The profile of the AWS configuration; it wins over keys in the environment, as with the AWS CLI
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Another endpoint than AWS's
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The account, where AWS STS cannot be reached to name it; it is checked against the ARNs that
    /// come back
    #[arg(long, value_name = "ID", value_parser = account)]
    pub account: Option<String>,
    /// Refuse to write to any other account
    #[arg(long, value_name = "ID")]
    pub expect_account: Option<String>,
    /// Refuse to write to any other Region
    #[arg(long, value_name = "REGION")]
    pub expect_region: Option<String>,
}

/// How fast requests leave, and what is waited for.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub struct Pace {
    /// Creates a second, with decimals if need be; `auto`, which finds out what the service allows;
    /// or `unlimited`. `auto` where nothing is said, and `unlimited` with --local
    #[arg(long, value_name = "N|auto|unlimited")]
    pub rate: Option<crate::pace::Rate>,
    /// The highest rate of `auto`, in creates a second
    #[arg(long, value_name = "N", default_value_t = crate::pace::MAX_RATE, value_parser = crate::pace::per_second)]
    pub max_rate: f64,
    /// How far `auto` stays under the rate that it found, so that the account's other users get on;
    /// with 0, a few percent. To find out whether more is allowed, it goes beyond now and then
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=90))]
    pub headroom: u8,
    /// Creates that may leave at once under the highest rate; a fiftieth of it where nothing is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub burst: Option<u32>,
    /// How long after an attempt whose answer was lost it may still take effect
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub settle: Duration,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub reach: Reach,
}

/// How many requests at once, and what is waited for.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub struct Reach {
    /// Requests that may be under way at once; where nothing is said as many as the rate and the
    /// latency come to, 1000 at most, and 16 with an unlimited rate
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4000))]
    pub concurrency: Option<u16>,
    /// How long a limit, or a target that cannot be reached, is waited for
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub limit_patience: Duration,
    /// How long one attempt may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
}

/// The id of an AWS account.
fn account(text: &str) -> Result<String, String> {
    if crate::submission::is_account(text) {
        Ok(text.to_owned())
    } else {
        Err("write its twelve digits".to_owned())
    }
}
