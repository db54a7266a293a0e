//! How the tests run the binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The project's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `lineload` with nothing of this machine's environment in it.
pub fn lineload(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lineload"));
    command.current_dir(folder).env_clear().env("HOME", folder).env("PATH", "");
    // On a runner of EC2 the SDK would find credentials by itself.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// What a run printed and how it ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            err: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        }
    }
}

/// Runs `lineload` in `folder`.
pub fn run(folder: &Path, args: &[&str]) -> Ran {
    lineload(folder).args(args).output().expect("the binary runs").into()
}

/// `text` without the time that a run took.
pub fn timeless(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line.rfind(" (").filter(|_| line.ends_with(" s)")) {
            Some(at) => out.push_str(&line[..at]),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}
