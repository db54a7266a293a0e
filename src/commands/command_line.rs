//! Commands that messages suggest, as they are typed in a shell.

use std::path::PathBuf;

use clap::ValueEnum as _;

use crate::artifact::UriRewrite;
use crate::cli::generate::{Duplicate, Form, Made};
use crate::cli::{Global, Manifests, Narrow};
use crate::diagnostic::Code;
use crate::text::{redacted, shell_word};

/// Returns the paths of a run, or its inventory, as they are typed in a shell.
fn shell_words(manifests: &Manifests) -> String {
    let word = |path: &PathBuf| format!(" {}", shell_word(&path.display().to_string()));
    let Some(inventory) = &manifests.rows.inventory else {
        return manifests.paths.iter().map(word).collect();
    };
    let Made { template, vars, on_duplicate } = &manifests.rows.made;
    let Form { from, delimiter, rows, group, columns } = &manifests.rows.form;
    let named = |value: Option<clap::builder::PossibleValue>| {
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    };
    let mut words = vec![("inventory", inventory.display().to_string())];
    words.extend(template.iter().map(|file| ("template", file.display().to_string())));
    words.extend(vars.iter().map(|(name, value)| ("var", format!("{name}={value}"))));
    words.extend(from.iter().map(|from| ("from", named(from.to_possible_value()))));
    words.extend(delimiter.iter().map(|byte| match byte {
        b'\t' => ("delimiter", "tab".to_owned()),
        byte => ("delimiter", char::from(*byte).to_string()),
    }));
    words.extend(rows.iter().map(|rows| ("rows", rows.clone())));
    words.extend(group.iter().map(|group| ("group", group.clone())));
    words.extend(columns.iter().map(|columns| ("columns", columns.join(","))));
    if *on_duplicate != Duplicate::Error {
        words.push(("on-duplicate", named(on_duplicate.to_possible_value())));
    }
    words.iter().map(|(name, value)| format!(" --{name} {}", shell_word(value))).collect()
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
    for pattern in &manifests.filter.exclude {
        option("exclude", Some(pattern.as_str()));
    }
    for pattern in &manifests.filter.include {
        option("include", Some(pattern.as_str()));
    }
    if manifests.filter.follow_links {
        option("follow-links", None);
    }
    if let Some(name) = &manifests.stdin_filename {
        option("stdin-filename", Some(name));
    }
    if let Some(shard) = manifests.shard {
        option("shard", Some(&shard.to_string()));
    }
    for UriRewrite { old, new } in &manifests.rewrite_uri {
        option("rewrite-uri", Some(&redacted(&format!("{old}={new}"))));
    }
    if let Some(Narrow { select, ignore, changed_since, baseline, .. }) = narrow {
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
        if let Some(file) = baseline {
            option("baseline", Some(&file.display().to_string()));
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
