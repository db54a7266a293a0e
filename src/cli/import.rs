//! The commands that have a target: `import`, `plan` and `resume`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration::duration;
use super::{DEFAULT_REGISTRY, Manifests};
use crate::journal::DEFAULT;
use crate::run::change::{Drift, OnExists};

/// `lineload import`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload import --local                      into the local registry
  lineload import --yes --report import.html   to AWS, without asking, with a report
  lineload import --rate 5 --on-exists update  at 5 creates a second; update what differs
  lineload import --yes --metrics lineload.prom
                                               with numbers for Prometheus")]
pub struct Import {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub manifests: Manifests,
    /// Import exactly what this file of `plan --out` says; submit nothing if a manifest, an option or
    /// the target has changed since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "recheck"])]
    pub plan: Option<PathBuf>,
    /// Submit nothing if any manifest is invalid
    #[arg(long)]
    pub require_valid: bool,
    /// Check and report what would be submitted; needs no target
    #[arg(long, conflicts_with = "metrics")]
    pub dry_run: bool,
    /// Ask the target even about artifacts that the journal knows to exist
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

impl Import {
    /// Returns the import with a journal of its own if it is of a shard and none was named: several
    /// may run in one directory, and one process at a time writes to a journal.
    #[must_use]
    pub fn with_own_journal(&self) -> Self {
        let mut import = self.clone();
        own_journal(&self.manifests, &mut import.run.journal);
        import
    }
}

impl Plan {
    /// Returns the plan of the import with this journal, as [`Import::with_own_journal`].
    #[must_use]
    pub fn with_own_journal(&self) -> Self {
        let mut plan = self.clone();
        own_journal(&self.manifests, &mut plan.journal);
        plan
    }
}

fn own_journal(manifests: &Manifests, journal: &mut PathBuf) {
    let Some(shard) = manifests.shard else { return };
    if journal.as_os_str() == DEFAULT {
        *journal = shard.beside(DEFAULT).into();
    } else if let Some(named) = journal.to_str().filter(|named| named.contains("{shard}")) {
        let part = format!("{}-of-{}", shard.number(), shard.of());
        *journal = named.replace("{shard}", &part).into();
    }
}

/// `lineload plan`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload plan --local              compare with the local registry
  lineload plan --format markdown    for a comment on a pull request
  lineload plan --detailed-exitcode  exit code 3 if there is something to do
  lineload plan --out plan.json      for `lineload import --plan plan.json`")]
pub struct Plan {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub manifests: Manifests,
    /// The output format
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: PlanFormat,
    /// Also write the plan to this file, for `import --plan`; to compare every field, add
    /// `--check-drift` to both
    #[arg(long, value_name = "FILE", conflicts_with = "refresh")]
    pub out: Option<PathBuf>,
    /// End with exit code 3 if an import would change something, 0 if not
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Compare every field of every existing artifact, even if the journal knows it to be equal and
    /// unchanged
    #[arg(long)]
    pub refresh: bool,
    /// List every artifact, however many there are
    #[arg(long)]
    pub all: bool,
    /// The journal of earlier imports, which is only read
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    pub journal: PathBuf,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub existing: Existing,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub target: Target,
    /// Estimate the time for this many creates a second: a number, `unlimited`, or `auto`, the rate
    /// that the last run found, according to the journal [default: auto]
    #[arg(long, value_name = "N|auto|unlimited", help_heading = "Pace")]
    pub rate: Option<crate::pace::Rate>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub reach: Reach,
}

/// The format of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "documented, each value would be a paragraph of every help text")]
pub enum PlanFormat {
    Human,
    Json,
    Markdown,
}

/// `lineload resume`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload resume                 the latest run with something left
  lineload resume 019acb3e --yes  a run by its id, without asking")]
pub struct Resume {
    /// The beginning of the run's id [default: the latest run with something left]
    #[arg(value_name = "RUN")]
    pub id: Option<String>,
    /// Submit what was staged, even if manifests have changed since
    #[arg(long)]
    pub as_staged: bool,
    /// The profile in the AWS configuration [default: that of the run]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub run: Run,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub pace: Pace,
}

/// The options of a run that writes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub struct Run {
    /// Skip the confirmation; required without a terminal
    #[arg(long, short)]
    pub yes: bool,
    /// Refuse to start if more artifacts than this would be created or changed
    #[arg(long, value_name = "N")]
    pub max_changes: Option<usize>,
    /// Stop once this many entries have failed, or this share of the entries to be submitted
    #[arg(long, value_name = "N|N%")]
    pub max_errors: Option<MaxErrors>,
    /// Stop after this time, such as `45m`; requests in flight get 2s more, and `resume` continues
    /// the run
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_duration: Option<Duration>,
    /// The journal, which records every attempt and its outcome so that a run can be resumed. With
    /// `--shard 3/8`, `{shard}` in it stands for `3-of-8`
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    pub journal: PathBuf,
    /// Write a report to this file, in the format of its ending: `.json`, `.jsonl`, `.csv`, `.md` or
    /// `.html`; repeatable
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    /// Write counters, rates and latencies to this file for Prometheus, every few seconds and at the
    /// end; for the textfile collector of node_exporter its name must end with `.prom`
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}

impl Run {
    /// The files that are written besides the journal.
    #[must_use]
    pub fn outputs(&self) -> Vec<PathBuf> {
        self.report.iter().chain(&self.metrics).cloned().collect()
    }
}

/// The number of entries that may fail.
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

/// The treatment of existing artifacts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Existing artifacts")]
pub struct Existing {
    /// What to do with artifacts that already exist: leave them (`skip`), update their name,
    /// properties and tags to those of the manifest (`update`), or count them as failures (`fail`)
    #[arg(long, value_name = "WHAT", default_value = "skip")]
    pub on_exists: WhenExists,
    /// With `--on-exists update`, also remove properties and tags that the manifest does not have
    #[arg(long)]
    pub prune: bool,
    /// Which existing artifacts to compare in every field: those that the journal does not know to
    /// be equal and unchanged (`unknown`), all (`always`, also `--check-drift` alone), or none
    /// (`never`: name and type only, without a request for each) [default: unknown]
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true,
          default_missing_value = "always", default_value = "unknown", hide_default_value = true)]
    pub check_drift: CheckDrift,
    /// Set this field on every artifact that is created, whatever its manifest says:
    /// `MetadataProperties.*`, `Properties.*` or `Tags.*`, as in
    /// `MetadataProperties.CommitId=1a2b3c`. Existing artifacts are left unchanged; repeatable
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
    /// The treatment of an existing artifact.
    #[must_use]
    pub const fn on_exists(&self) -> OnExists {
        match self.on_exists {
            WhenExists::Skip => OnExists::Skip,
            WhenExists::Update => OnExists::Update { prune: self.prune },
            WhenExists::Fail => OnExists::Fail,
        }
    }

    /// The existing artifacts that are compared in every field.
    #[must_use]
    pub const fn drift(&self) -> Drift {
        match self.check_drift {
            CheckDrift::Unknown => Drift::Unknown,
            CheckDrift::Always => Drift::Always,
            CheckDrift::Never => Drift::Never,
        }
    }
}

/// The target of a command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct Target {
    /// Use the embedded local registry, which is kept in FILE or, without one, in
    /// .lineload/registry.sqlite3
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = DEFAULT_REGISTRY,
          conflicts_with_all = ["region", "profile", "endpoint_url", "account"])]
    pub local: Option<PathBuf>,
    /// The AWS Region [default: AWS_REGION, or the profile's]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// The profile in the AWS configuration; as in the AWS CLI, it wins over keys in the environment
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Use this endpoint instead of AWS; on loopback it needs neither a Region nor credentials
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The account ID, for networks that cannot reach AWS STS; it is checked against the ARNs in
    /// answers
    #[arg(long, value_name = "ID", value_parser = account)]
    pub account: Option<String>,
    /// Refuse to write to any other account
    #[arg(long, value_name = "ID")]
    pub expect_account: Option<String>,
    /// Refuse to write to any other Region
    #[arg(long, value_name = "REGION")]
    pub expect_region: Option<String>,
}

/// The rate of requests, and the time that a run waits.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub struct Pace {
    /// Creates a second: a number, decimals allowed; `auto`, which finds the rate that the service
    /// allows; or `unlimited` [default: auto, with --local unlimited]
    #[arg(long, value_name = "N|auto|unlimited")]
    pub rate: Option<crate::pace::Rate>,
    /// The highest rate of `auto`, in creates a second
    #[arg(long, value_name = "N", default_value_t = crate::pace::MAX_RATE, value_parser = crate::pace::per_second)]
    pub max_rate: f64,
    /// How far to stay below the rate that `auto` found, to leave room for the account's other
    /// users; 0 uses all of it
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=90))]
    pub headroom: u8,
    /// The number of creates that may be sent at once [default: a fiftieth of the highest rate]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub burst: Option<u32>,
    /// Use this share of `--rate` or `--max-rate`, such as `1/16` in each of 16 shards
    #[arg(long, value_name = "SHARE", value_parser = super::shard::share)]
    pub rate_share: Option<f64>,
    /// The longest time that a create may stay invisible to look-ups. Nothing is created a second
    /// time before it has passed
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub settle: Duration,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub reach: Reach,
}

/// The number of requests in flight, and the time that a run waits.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub struct Reach {
    /// The number of requests that may be in flight [default: as rate and latency require, up to
    /// 1000; 64 with an unlimited rate]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4000))]
    pub concurrency: Option<u16>,
    /// The longest time to wait for a limit to be lifted, or for a target that does not answer
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub limit_patience: Duration,
    /// The timeout of one attempt
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
}

/// The id of an AWS account.
fn account(text: &str) -> Result<String, String> {
    if crate::submission::is_account(text) {
        Ok(text.to_owned())
    } else {
        Err("write the 12 digits of the account id".to_owned())
    }
}
