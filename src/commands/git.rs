//! Queries to git about the files of a run.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::failure::Failure;
use crate::generate::dvc::History;
use crate::text::{escaped, quoted};

/// Returns the files that changed since the merge base of the working tree with `reference`, and untracked
/// ones, as canonical paths.
pub(super) fn changed_since(reference: &str) -> Result<HashSet<PathBuf>, Failure> {
    let top = git(["rev-parse", "--show-toplevel"])?;
    if !top.status.success() {
        return Err(no_repository(&top));
    }
    let top = path(trimmed(&top.stdout));
    // Git would take a name that begins with a hyphen for an option.
    let commit = format!("{reference}^{{commit}}");
    let known = git(["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    if !known.status.success() {
        return Err(missing(reference));
    }
    let base = git(["merge-base", "HEAD", trimmed_text(&known.stdout).as_str()])?;
    if !base.status.success() {
        let message = format!("{} and HEAD have no commit in common", quoted(reference));
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
    // Paths of `ls-files` are relative to the directory that it runs in.
    let mut unknown = Command::new("git");
    unknown.arg("-C").arg(&top).args(["ls-files", "--others", "--exclude-standard", "-z"]);
    let unknown = run(unknown)?;
    for output in [&changed, &unknown] {
        if !output.status.success() {
            return Err(failed(output));
        }
    }
    let names = [changed.stdout, unknown.stdout];
    let names = names.iter().flat_map(|names| names.split(|byte| *byte == 0));
    let files = names.filter(|name| !name.is_empty()).map(|name| top.join(path(name)));
    Ok(files.map(|file| std::fs::canonicalize(&file).unwrap_or(file)).collect())
}

/// Returns the URL of `origin` and the last commits of the files of DVC below `root`. Without git, or
/// without a repository, there are none.
pub(super) fn history(root: &Path) -> History {
    let ask = |args: &[&str]| {
        let mut command = Command::new("git");
        command.env("LC_ALL", "C").arg("-C").arg(root).args(["-c", "core.quotePath=false"]);
        let output = command.args(args).stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let files = ["--", "*.dvc", "dvc.lock", "*/dvc.lock"];
    let repository = ask(&["config", "--get", "remote.origin.url"]);
    let repository = repository.map(|url| without_credentials(url.trim()));
    let mut commits = HashMap::new();
    let log = ["log", "--format=%x00%H", "--name-only", "--relative", "--no-renames"];
    let log = ask(&[&log[..], &files].concat()).unwrap_or_default();
    // The latest comes first.
    for commit in log.split('\0') {
        let mut lines = commit.lines();
        let Some(id) = lines.next() else { continue };
        for name in lines.filter(|name| !name.is_empty()) {
            commits.entry(name.to_owned()).or_insert_with(|| id.to_owned());
        }
    }
    let changed = ["diff", "HEAD", "--name-only", "--relative", "--no-renames", "--no-ext-diff"];
    for name in ask(&[&changed[..], &files].concat()).unwrap_or_default().lines() {
        commits.remove(name);
    }
    History { repository, commits }
}

/// Returns `url` without the name and the password in front of its host.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}{path}")
        }
        // `git@host:path` is a name that everybody has.
        None => url.to_owned(),
    }
}

/// Returns why git finds no repository, in its own words: there is none, or git does not trust it.
fn no_repository(output: &Output) -> Failure {
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("not a git repository") {
        return Failure::usage(
            "`--changed-since` requires a git repository, and this directory is not in one",
        );
    }
    let failure = failed(output);
    // Git names the command that makes an exception for a directory of another owner.
    let command = text.lines().map(str::trim).find(|line| line.starts_with("git config"));
    match command {
        Some(command) => failure.help(format!(
            "if you trust the repository, run `{}`; GitHub Actions jobs in a container need this",
            escaped(command)
        )),
        None => failure,
    }
}

/// Returns the failure of git, in its own words but for the command that it advises, which is the help.
fn failed(output: &Output) -> Failure {
    let text = String::from_utf8_lossy(&output.stderr);
    let said = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let said = said.filter(|line| !line.ends_with("call:") && !line.starts_with("git config"));
    let said: Vec<_> = said.map(|line| line.trim_start_matches("fatal: ")).take(LINES).collect();
    Failure::usage(format!("git failed: {}", escaped(&said.join("; "))))
}

/// The most lines of git's that are passed on.
const LINES: usize = 8;

const DEEPEN: &str = "a shallow clone does not contain it: run `git fetch --unshallow`, or in \
                      GitHub Actions set `fetch-depth: 0` for actions/checkout";

fn missing(reference: &str) -> Failure {
    let failure = Failure::usage(format!("unknown commit {}", quoted(reference)));
    let shallow = git(["rev-parse", "--is-shallow-repository"])
        .is_ok_and(|output| trimmed_text(&output.stdout) == "true");
    let branch = reference.strip_prefix("origin/").unwrap_or(reference);
    let failure = failure.help(format!("fetch it: `git fetch origin {}`", escaped(branch)));
    if shallow { failure.help(DEEPEN) } else { failure }
}

fn git<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<Output, Failure> {
    let mut command = Command::new("git");
    // Its messages are read, and passed on.
    command.env("LC_ALL", "C").args(args);
    run(command)
}

fn run(mut command: Command) -> Result<Output, Failure> {
    command.output().map_err(|error| {
        Failure::usage(format!("cannot run git: {}", crate::text::reason(&error)))
            .help("`--changed-since` uses git to find what changed")
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
