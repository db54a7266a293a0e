//! Values that a shell completes: rules, formats, runs of the journal, profiles and Regions.
//!
//! In: the command line. Out: the same, with where the values of its options come from. A shell asks for
//! them while somebody types: what cannot be read has no values, and is no error.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};

use crate::config::Format;
use crate::diagnostic::Code;
use crate::journal;
use crate::model::METADATA;

/// The number of runs that are offered, the latest first.
const RUNS: u32 = 20;

/// Returns `command` with the values of its options.
pub(super) fn with_candidates(command: Command) -> Command {
    command.mut_subcommands(|subcommand| subcommand.mut_args(with_candidates_of))
}

fn with_candidates_of(arg: Arg) -> Arg {
    let listed = |values: fn() -> Vec<CompletionCandidate>| ArgValueCandidates::new(values);
    match arg.get_id().as_str() {
        "select" | "ignore" | "code" => arg.add(listed(rules)),
        // That of `lint`; the other is a directory.
        "output" | "findings"
            if arg.get_value_names().is_some_and(|names| names[0] == "FORMAT=FILE") =>
        {
            arg.add(ArgValueCompleter::new(format_and_file))
        }
        "id" | "run" => arg.add(listed(runs)),
        "profile" => arg.add(listed(|| plain(aws::profiles()))),
        "region" | "expect_region" => arg.add(listed(|| plain(aws::regions()))),
        "rate" => arg.add(listed(|| plain(["auto", "unlimited"]))),
        "progress" => arg.add(listed(|| plain(["auto", "always", "never", "30s"]))),
        "set" => arg.add(listed(fields)),
        _ => arg,
    }
}

fn plain(values: impl IntoIterator<Item = impl Into<String>>) -> Vec<CompletionCandidate> {
    values.into_iter().map(|value| CompletionCandidate::new(value.into())).collect()
}

fn rules() -> Vec<CompletionCandidate> {
    let rule = |code: &Code| {
        CompletionCandidate::new(code.as_str()).help(Some(code.summary().to_owned().into()))
    };
    Code::ALL.iter().map(rule).collect()
}

/// Completes `FORMAT=FILE`.
fn format_and_file(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    match current.split_once('=') {
        Some((format, file)) => PathCompleter::any()
            .complete(OsStr::new(file))
            .into_iter()
            .map(|candidate| candidate.add_prefix(format!("{format}=")))
            .collect(),
        None => {
            let formats = Format::ALL.map(|format| format!("{}=", format.as_str()));
            plain(formats.into_iter().filter(|format| format.starts_with(&*current)))
        }
    }
}

/// Returns the latest runs of the journal in its usual place.
fn runs() -> Vec<CompletionCandidate> {
    let read = || journal::Status::open(Path::new(journal::DEFAULT)).ok()?.runs(RUNS).ok();
    let run = |(at, run): (usize, journal::RunStatus)| {
        let how = run.ending.as_deref().unwrap_or("not ended");
        CompletionCandidate::new(run.run)
            .help(Some(format!("{}: {how}", run.started).into()))
            .display_order(Some(at))
    };
    read().unwrap_or_default().into_iter().enumerate().map(run).collect()
}

/// Returns the beginnings of `FIELD=VALUE` that `--set` takes.
fn fields() -> Vec<CompletionCandidate> {
    let metadata =
        METADATA.fields.iter().map(|field| format!("MetadataProperties.{}=", field.name));
    plain(metadata.chain(["Properties.".to_owned(), "Tags.".to_owned()]))
}

/// The AWS configuration, for names alone. The SDK reads it when a command runs; building without the
/// SDK has no option that takes these.
mod aws {
    use super::{Path, PathBuf};

    /// Returns the names of the profiles.
    pub(super) fn profiles() -> Vec<String> {
        let mut names: Vec<String> = lines().filter_map(|line| profile(&line)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns the Regions that profiles name.
    pub(super) fn regions() -> Vec<String> {
        let region = |line: String| {
            let (key, value) = line.split_once('=')?;
            let named = matches!(key.trim(), "region" | "sso_region") && !value.trim().is_empty();
            named.then(|| value.trim().to_owned())
        };
        let mut regions: Vec<String> = lines().filter_map(region).collect();
        regions.sort();
        regions.dedup();
        regions
    }

    /// Returns the name in the heading of a profile.
    fn profile(line: &str) -> Option<String> {
        let heading = line.trim().strip_prefix('[')?.split(']').next()?.trim();
        let name = match heading.split_once(char::is_whitespace) {
            Some(("profile", name)) => name.trim(),
            // A heading of another kind, such as `[sso-session corp]`.
            Some(_) => return None,
            None => heading,
        };
        (!name.is_empty() && !name.chars().any(char::is_control)).then(|| name.to_owned())
    }

    fn lines() -> impl Iterator<Item = String> {
        let files = [
            file("AWS_CONFIG_FILE", ".aws/config"),
            file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        ];
        let texts =
            files.into_iter().flatten().filter_map(|file| std::fs::read_to_string(file).ok());
        texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    fn file(variable: &str, usual: &str) -> Option<PathBuf> {
        let named = std::env::var_os(variable).filter(|file| !file.is_empty()).map(PathBuf::from);
        named.or_else(|| std::env::home_dir().map(|home| Path::new(&home).join(usual)))
    }

    #[cfg(test)]
    mod tests {
        use super::profile;

        #[test]
        fn headings_of_profiles_are_names() {
            assert_eq!(profile("[default]").as_deref(), Some("default"));
            assert_eq!(profile(" [profile  prod-eu] # main").as_deref(), Some("prod-eu"));
            for other in ["[sso-session corp]", "[services a]", "region = eu-west-1", "[]", ""] {
                assert_eq!(profile(other), None, "{other}");
            }
        }
    }
}
