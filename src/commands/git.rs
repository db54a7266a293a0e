//! What git knows of the files of a run.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

use super::Failure;
use crate::diagnostic::words::{escaped, quoted};

/// The files that changed since the merge base of the working tree with `reference`, and those that
/// git does not know, as real paths.
pub(super) fn changed_since(reference: &str) -> Result<HashSet<PathBuf>, Failure> {
    let top = git(["rev-parse", "--show-toplevel"])?;
    if !top.status.success() {
        return Err(Failure::usage("`--changed-since` wants a git repository, and this is none"));
    }
    let top = path(trimmed(&top.stdout));
    // A name that begins with a hyphen would be an option to git.
    let commit = format!("{reference}^{{commit}}");
    let known = git(["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    if !known.status.success() {
        return Err(missing(reference));
    }
    let base = git(["merge-base", "HEAD", trimmed_text(&known.stdout).as_str()])?;
    if !base.status.success() {
        let message =
            format!("git knows no commit that {} and HEAD have in common", quoted(reference));
        return Err(Failure::usage(message).help(DEEPEN));
    }
    let base = trimmed_text(&base.stdout);
    let changed = git([
        "diff",
        "--name-only",
        "-z",
        "--no-renames",
        "--no-ext-diff",
        "--end-of-options",
        &base,
    ])?;
    // Paths of `ls-files` are relative to the folder that it runs in.
    let mut unknown = Command::new("git");
    unknown.arg("-C").arg(&top).args(["ls-files", "--others", "--exclude-standard", "-z"]);
    let unknown = run(unknown)?;
    for output in [&changed, &unknown] {
        if !output.status.success() {
            let said = escaped(String::from_utf8_lossy(&output.stderr).trim());
            return Err(Failure::usage(format!("git failed: {said}")));
        }
    }
    let names = [changed.stdout, unknown.stdout];
    let names = names.iter().flat_map(|names| names.split(|byte| *byte == 0));
    let files = names.filter(|name| !name.is_empty()).map(|name| top.join(path(name)));
    Ok(files.map(|file| std::fs::canonicalize(&file).unwrap_or(file)).collect())
}

const DEEPEN: &str = "a clone that is not deep enough lacks it: `git fetch --unshallow`, or in GitHub \
                      Actions `fetch-depth: 0` for actions/checkout";

fn missing(reference: &str) -> Failure {
    let failure = Failure::usage(format!("git knows no commit {}", quoted(reference)));
    let shallow = git(["rev-parse", "--is-shallow-repository"])
        .is_ok_and(|output| trimmed_text(&output.stdout) == "true");
    let branch = reference.strip_prefix("origin/").unwrap_or(reference);
    let failure = failure.help(format!("bring it: `git fetch origin {}`", escaped(branch)));
    if shallow { failure.help(DEEPEN) } else { failure }
}

fn git<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<Output, Failure> {
    let mut command = Command::new("git");
    command.args(args);
    run(command)
}

fn run(mut command: Command) -> Result<Output, Failure> {
    command.output().map_err(|error| {
        Failure::usage(format!("git cannot be run: {}", crate::walk::reason(&error)))
            .help("`--changed-since` asks git for what changed")
    })
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

fn trimmed_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(trimmed(bytes)).into_owned()
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::new(&*String::from_utf8_lossy(bytes)))
}
