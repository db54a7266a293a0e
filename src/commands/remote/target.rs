//! The target of a command: connecting, showing and confirming it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use super::stopping::Stopping;
use crate::cli;
use crate::commands::failure::Failure;
use crate::config::Config;
use crate::destination;
use crate::exit::Exit;
use crate::model::DEFAULT_ARTIFACT_QUOTA;
use crate::registry::{self, Registry};
use crate::service::sagemaker::{self, ConnectOptions, Connected, SageMaker};
use crate::submission::{RunKind, Target};
use crate::text::{counted, escaped, grouped, redacted};

/// A target that is ready, and the embedded registry if it is that.
pub(super) struct Ready {
    pub(super) service: SageMaker,
    pub(super) target: Target,
    pub(super) registry: Option<Registry>,
}

/// The use of an embedded registry whose file does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The file is created.
    Create,
    /// It is taken for an empty one, and not created.
    Empty,
}

/// Connects to the target, does `work` there, and stops the embedded registry afterwards. Until `work`
/// has begun, a signal ends it.
pub(super) async fn at(
    args: &cli::Target,
    config: &Config,
    timeout: Duration,
    work: impl AsyncFnOnce(&Ready, &Stopping) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    at_or(Missing::Create, args, config, timeout, work).await
}

/// Does the same. An embedded registry whose file does not exist is `missing`.
pub(super) async fn at_or(
    missing: Missing,
    args: &cli::Target,
    config: &Config,
    timeout: Duration,
    work: impl AsyncFnOnce(&Ready, &Stopping) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let stopping = Stopping::listen()?;
    let ready = stopping.unless_stopped(connect(args, missing, config, timeout)).await?;
    let exit = work(&ready, &stopping).await;
    if let Some(registry) = ready.registry {
        registry.stop().await;
    }
    exit
}

/// Connects to the target of the command line.
async fn connect(
    args: &cli::Target,
    missing: Missing,
    config: &Config,
    timeout: Duration,
) -> Result<Ready, Failure> {
    let ready = match &args.local {
        Some(file) => local(file, missing, timeout).await?,
        None => {
            let options = ConnectOptions {
                region: args.region.clone(),
                profile: args.profile.clone(),
                endpoint_url: args.endpoint_url.clone(),
                account: args.account.clone(),
                timeout,
            };
            let connected = sagemaker::connect(&options).await;
            let Connected { service, target, notes } = connected?;
            let mut err = anstream::stderr().lock();
            for note in &notes {
                // Standard error may be closed.
                let _ = writeln!(err, "\x1b[33mnote:\x1b[0m {}", escaped(note));
            }
            Ready { service, target, registry: None }
        }
    };
    expected(args, args.expect_account.as_ref(), args.expect_region.as_ref(), &ready.target)?;
    // Guards of a configuration protect shared targets, which the embedded registry is not.
    if !ready.target.is_local() {
        let (account, region) = (config.expect_account.as_ref(), config.expect_region.as_ref());
        expected(args, account, region, &ready.target)?;
    }
    Ok(ready)
}

async fn local(file: &Path, missing: Missing, timeout: Duration) -> Result<Ready, Failure> {
    destination::check(file)?;
    let used = match missing {
        Missing::Empty if !file.exists() => Path::new(registry::MEMORY),
        Missing::Empty | Missing::Create => file,
    };
    let options = registry::Options { file: used.to_owned(), ..registry::Options::default() };
    let registry = Registry::start(options).await?;
    let target =
        Target::Local { registry: registry.id().to_string(), file: file.display().to_string() };
    let service = sagemaker::local(&registry.endpoint(), timeout);
    Ok(Ready { service, target, registry: Some(registry) })
}

/// Checks that the target is the one that is expected.
fn expected(
    args: &cli::Target,
    expected_account: Option<&String>,
    expected_region: Option<&String>,
    target: &Target,
) -> Result<(), Failure> {
    let (account, region) = match target {
        Target::Aws { account, region, .. } => (Some(account), Some(region)),
        // ARNs that come back are checked against it.
        Target::Endpoint { region, .. } => (args.account.as_ref(), Some(region)),
        Target::Local { .. } => (None, None),
    };
    let check = |name: &str, expected: Option<&String>, found: Option<&String>| {
        let Some(expected) = expected else { return Ok(()) };
        match found {
            Some(found) if found == expected => Ok(()),
            Some(found) => Err(Failure::usage(format!(
                "the {name} is {found}, but {expected} is expected; nothing was written"
            ))),
            None => {
                let failure = Failure::usage(format!(
                    "{target} has no {name}, but {expected} is expected; nothing was written"
                ));
                Err(match target {
                    Target::Endpoint { .. } => failure.help(format!(
                        "add `--account {expected}` if that account is behind the endpoint: every \
                         returned ARN is checked against it"
                    )),
                    _ => failure,
                })
            }
        }
    };
    check("account", expected_account, account)?;
    check("Region", expected_region, region)
}

/// The size of an import.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Artifacts that may be created or changed.
    pub(super) changes: usize,
    /// The number of artifacts at the target, if all were counted.
    pub(super) there: Option<usize>,
}

/// Shows the target and the number of changes, and asks for confirmation.
pub(super) fn agreed(
    target: &Target,
    kind: RunKind,
    size: Size,
    yes: bool,
) -> Result<bool, Failure> {
    if target.is_local() {
        return Ok(true);
    }
    let mut err = anstream::stderr().lock();
    let _ = writeln!(err, "target: {}", escaped(&redacted(&target.to_string())));
    if let Target::Aws { caller, .. } = target {
        let caller = if caller.is_empty() { "unknown" } else { caller };
        let _ = writeln!(err, "caller: {}", escaped(caller));
    }
    let changes = counted(size.changes, "artifact");
    let _ = match kind {
        RunKind::Import => writeln!(err, "changes: up to {changes}"),
        RunKind::Delete => writeln!(err, "\x1b[33mdeletes\x1b[0m: {changes}"),
    };
    if let Some(note) = quota(size).filter(|_| kind == RunKind::Import) {
        let _ = writeln!(err, "\x1b[33mnote:\x1b[0m {note}");
    }
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::usage(
            "cannot ask for confirmation without a terminal; nothing was written",
        )
        .help(format!("add `--yes` to {} without confirmation", kind.as_str())));
    }
    let _ = write!(err, "continue? [y/N] ");
    let _ = err.flush();
    // The lock would block all other output while waiting for the reply.
    drop(err);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Returns a note if the import exceeds the default quota of an account.
fn quota(size: Size) -> Option<String> {
    let quota = DEFAULT_ARTIFACT_QUOTA;
    let there = size.there.unwrap_or_default();
    if (there + size.changes) as u64 <= quota {
        return None;
    }
    let has = match size.there {
        Some(there) => format!(", of which {} are in use", grouped(there as u64)),
        None => String::new(),
    };
    Some(format!(
        "the default quota is {} artifacts per account and Region{has}; when it is reached, this \
         import stops and can be resumed",
        grouped(quota)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_that_is_too_small_is_reported() {
        let size = |changes, there| Size { changes, there };
        assert_eq!(quota(size(6000, None)), None);
        assert_eq!(quota(size(1000, Some(5000))), None);
        assert!(quota(size(6001, None)).unwrap().contains(
            "is 6,000 artifacts per account and \
                                                           Region;"
        ));
        assert!(quota(size(1, Some(6000))).unwrap().contains("of which 6,000 are in use"));
    }
}
