//! `lineload delete`

use clap::Args;

use super::Manifests;
use super::import::{Pace, PlanFormat, Run, Target};

/// The heading of the options that select artifacts.
const WHICH: &str = "What to delete";

/// The fewest characters of the id of a run.
const RUN_ID: usize = 8;

/// The options that say what manifests are read, and how: of no effect without `--gone`. `--threads` is
/// none of them, as a variable may set it for all commands.
const OF_MANIFESTS: &[&str] = &[
    "paths",
    "exclude",
    "include",
    "follow_links",
    "stdin_filename",
    "shard",
    "rewrite_uri",
    "inventory",
    "from",
    "delimiter",
    "rows",
    "group",
    "columns",
    "template",
    "vars",
    "on_duplicate",
];

/// `lineload delete`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  lineload delete --run 019acb3e                     what this run created
  lineload delete --gone manifests --dry-run         show what they no longer describe
  lineload delete --where DataSet/s3://my-lake/tmp/  data sets below this URI")]
pub struct Delete {
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub which: Which,
    #[command(flatten)]
    #[expect(missing_docs, reason = "flattened")]
    pub manifests: Manifests,
    /// Also delete matching artifacts that no run in this journal created; with `--run`, those that it
    /// found
    #[arg(long, help_heading = WHICH)]
    pub not_ours: bool,
    /// Show what would be deleted, and delete nothing
    #[arg(long, conflicts_with_all = ["metrics", "report"])]
    pub dry_run: bool,
    /// The format in which the artifacts to be deleted are shown; with any other than `human`, the counts
    /// at the end go to standard error
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: PlanFormat,
    /// List every artifact, however many there are
    #[arg(long)]
    pub all: bool,
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

/// The artifacts to delete.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// Delete what the run with this id created; the first 8 characters of the id, or more, are enough.
    /// Its target is the run's
    #[arg(long, value_name = "RUN", help_heading = WHICH, value_parser = run_id)]
    pub run: Option<String>,
    /// Delete what runs in this journal created from files at PATH, and manifests there no longer
    /// describe. Every manifest must be valid. What moved out of PATH is gone from there: name all
    /// that was imported
    #[arg(long, help_heading = WHICH)]
    pub gone: bool,
    /// Delete what runs in this journal created, of this type and with a `SourceUri` that begins with PREFIX. `DataSet` alone is every
    /// data set, and `*/PREFIX` every type; repeatable
    #[arg(long = "where", value_name = "TYPE[/PREFIX]", help_heading = WHICH)]
    pub matching: Vec<Matching>,
}

/// The beginning of the id of a run. Ids begin with the time, so that a digit, or nothing, as in a variable
/// without a value, would select a run that nobody meant.
fn run_id(text: &str) -> Result<String, String> {
    if text.len() < RUN_ID || !text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return Err(format!(
            "write at least the first {RUN_ID} characters of the id, as `lineload status` shows it"
        ));
    }
    Ok(text.to_ascii_lowercase())
}

/// Artifacts of a type, with a beginning of their URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// The type; `None` for any.
    pub artifact_type: Option<String>,
    /// The beginning of `SourceUri`.
    pub prefix: String,
}

impl Matching {
    /// Returns whether an artifact of this type, at this URI, is one of them.
    #[must_use]
    pub fn fits(&self, artifact_type: Option<&str>, uri: &str) -> bool {
        let of_type = self.artifact_type.as_deref().is_none_or(|one| Some(one) == artifact_type);
        of_type && uri.starts_with(&self.prefix)
    }
}

impl std::str::FromStr for Matching {
    type Err = String;

    /// Nothing that a variable without a value leaves out may select more than was meant.
    fn from_str(text: &str) -> Result<Self, String> {
        let (artifact_type, prefix) = match text.split_once('/') {
            Some((artifact_type, prefix)) => (artifact_type, Some(prefix)),
            None => (text, None),
        };
        let example = "write it as TYPE/PREFIX, as in `DataSet/s3://my-lake/tmp/`";
        if artifact_type.is_empty() {
            return Err(format!("no type: {example}, or `*/PREFIX` for every type"));
        }
        if artifact_type.ends_with(':') {
            return Err(format!("a type comes first: {example}, or `*/{text}` for every type"));
        }
        let any = artifact_type == "*";
        match prefix {
            Some("") if any => Err(format!("no prefix: {example}")),
            Some("") => {
                Err(format!("no prefix after `/`; `{artifact_type}` alone is all of the type"))
            }
            None if any => Err("`*` needs a prefix, as in `*/s3://my-lake/tmp/`".to_owned()),
            _ => Ok(Self {
                artifact_type: (!any).then(|| artifact_type.to_owned()),
                prefix: prefix.unwrap_or_default().to_owned(),
            }),
        }
    }
}

/// Returns `command`; if it is `delete`, with the options that it shares with `import` in its own words.
pub(super) fn in_own_words(command: clap::Command) -> clap::Command {
    if command.get_name() != "delete" {
        return command;
    }
    command.mut_args(|arg| {
        let arg = if OF_MANIFESTS.contains(&arg.get_id().as_str()) {
            // clap does not ask for `--gone` where something that excludes it is there.
            arg.conflicts_with_all(["run", "matching"])
        } else {
            arg
        };
        let help = match arg.get_id().as_str() {
            "paths" => "With `--gone`, the manifests: files or directories, or `-` for standard input",
            // What another shard describes would seem to be gone.
            "shard" => return arg.hide(true),
            "rewrite_uri" => {
                "With `--gone`, the same as in the import; what was imported with another one is left \
                 out. Repeatable"
            }
            "inventory" => {
                "With `--gone`, take artifacts from this inventory instead of manifests, with the \
                 options of its import: with another `--template` or `--var`, what was imported is gone"
            }
            "journal" => "The journal of the imports, which records every delete and its outcome too",
            "max_changes" => "Refuse to start if more artifacts than this would be deleted",
            "max_errors" => {
                "Stop once this many deletes have failed, or this share of the artifacts to be deleted"
            }
            "rate" => {
                "Deletes a second: a number, decimals allowed; `auto`, which finds the rate that the \
                 service allows; or `unlimited` [default: auto, with --local unlimited]"
            }
            "max_rate" => "The highest rate of `auto`, in deletes a second",
            "burst" => {
                "The number of deletes that may be sent at once [default: a fiftieth of the highest rate]"
            }
            "settle" => {
                "The longest time after which a request of a run that was killed may still take effect, \
                 and that a create may stay invisible to look-ups"
            }
            _ => return arg,
        };
        arg.help(help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<(), clap::Error> {
        let command = in_own_words(Delete::augment_args(clap::Command::new("delete")));
        command.try_get_matches_from(["delete"].iter().chain(args)).map(drop)
    }

    #[test]
    fn what_has_no_effect_is_refused() {
        let command = Delete::augment_args(clap::Command::new("delete"));
        for id in OF_MANIFESTS {
            assert!(command.get_arguments().any(|arg| arg.get_id() == *id), "{id}");
        }
        for which in [["--run", "019acb3e"], ["--where", "DataSet"]] {
            assert!(parse(&which).is_ok());
            for option in [
                &["manifests"][..],
                &["--exclude", "a"],
                &["--include", "a"],
                &["--follow-links"],
                &["--stdin-filename", "a"],
                &["--rewrite-uri", "s3://a=s3://b"],
                &["--shard", "1/2"],
                &["--inventory", "a.csv"],
            ] {
                let error = parse(&[&which, option].concat()).unwrap_err();
                assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict, "{option:?}");
                assert!(parse(&[&["--gone"], option].concat()).is_ok());
            }
        }
        assert!(parse(&["--gone", "--dry-run"]).is_ok());
        for output in ["--metrics", "--report"] {
            assert!(parse(&["--gone", "--dry-run", output, "a.md"]).is_err());
        }
    }

    #[test]
    fn a_type_and_a_prefix_select_artifacts() {
        let of = |text: &str| text.parse::<Matching>().unwrap();
        let tmp = of("DataSet/s3://lake/tmp/");
        assert!(tmp.fits(Some("DataSet"), "s3://lake/tmp/a"));
        assert!(!tmp.fits(Some("DataSet"), "s3://lake/tmpa"));
        assert!(!tmp.fits(Some("Model"), "s3://lake/tmp/a") && !tmp.fits(None, "s3://lake/tmp/a"));
        assert!(
            of("Image").fits(Some("Image"), "anything") && !of("Image").fits(Some("Images"), "")
        );
        let any = of("*/s3://lake/");
        assert!(any.fits(Some("Model"), "s3://lake/x") && any.fits(None, "s3://lake/x"));
        assert!(!any.fits(Some("Model"), "s3://other/x"));
    }

    #[test]
    fn an_empty_variable_selects_nothing() {
        for wrong in ["", "0", "019acb3", "019acb3x", "nothing!", "        "] {
            assert!(run_id(wrong).is_err(), "{wrong}");
            let error = parse(&["--run", wrong]).unwrap_err();
            assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation, "{wrong}");
        }
        assert_eq!(run_id("019ACB3E-1").as_deref(), Ok("019acb3e-1"));
        for wrong in ["", "/", "*", "*/", "DataSet/", "/s3://lake/", "s3://lake/tmp/", "https://x"]
        {
            assert!(wrong.parse::<Matching>().is_err(), "{wrong}");
        }
    }
}
