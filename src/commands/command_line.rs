//! Commands that a message tells the user to run, as they are typed in a shell.

use std::path::PathBuf;

use crate::cli::{Global, Manifests, Narrow};
use crate::diagnostic::Code;
use crate::text::shell_word;

/// Returns the paths of a run as they are typed in a shell.
fn shell_words(manifests: &Manifests) -> String {
    let word = |path: &PathBuf| format!(" {}", shell_word(&path.display().to_string()));
    manifests.paths.iter().map(word).collect()
}

/// Returns the command that lints the same manifests again and reports the same of them. Options that
/// are named behind it change nothing else.
pub(super) fn lint_command(
    global: &Global,
    manifests: &Manifests,
    narrow: Option<&Narrow>,
) -> String {
    let mut command = format!("lineload lint{}", shell_words(manifests));
    let mut option = |name: &str, value: Option<&str>| {
        command.push_str(" --");
        command.push_str(name);
        if let Some(value) = value {
            command.push(' ');
            command.push_str(&shell_word(value));
        }
    };
    for pattern in &manifests.exclude {
        option("exclude", Some(pattern.as_str()));
    }
    for pattern in &manifests.include {
        option("include", Some(pattern.as_str()));
    }
    if manifests.follow_links {
        option("follow-links", None);
    }
    if let Some(name) = &manifests.stdin_filename {
        option("stdin-filename", Some(name));
    }
    if let Some(Narrow { select, ignore, changed_since, .. }) = narrow {
        let codes =
            |codes: &[Code]| codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(",");
        if !select.is_empty() {
            option("select", Some(&codes(select)));
        }
        if !ignore.is_empty() {
            option("ignore", Some(&codes(ignore)));
        }
        if let Some(reference) = changed_since {
            option("changed-since", Some(reference));
        }
    }
    if let Some(config) = &global.config {
        option("config", Some(&config.display().to_string()));
    }
    if global.isolated {
        option("isolated", None);
    }
    command
}
