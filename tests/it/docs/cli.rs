//! `docs/cli.md`: every command and option, from what `--help` says.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

/// The heading of the options that every command has.
const GLOBAL: &str = "Global options";

#[cfg(feature = "aws")]
#[test]
fn the_page_of_commands_is_current() {
    super::hold("docs/cli.md", &page());
}

#[cfg(not(feature = "aws"))]
#[test]
fn the_page_of_commands_has_the_commands_of_this_binary() {
    let written = std::fs::read_to_string(crate::support::root().join("docs/cli.md")).unwrap();
    let page = page();
    let heading = |section: &str| section.lines().next().map(str::to_owned);
    let sections: Vec<&str> = page.trim_end().split("\n## ").skip(1).collect();
    let current = written.trim_end().split("\n## ").map(|old| {
        let new = sections.iter().find(|new| heading(new) == heading(old));
        new.map_or(old, |new| *new).trim_end()
    });
    super::hold("docs/cli.md", &(current.collect::<Vec<_>>().join("\n\n## ") + "\n"));
    for section in sections {
        assert!(written.contains(section.trim_end()), "`just docs` writes {:?}", heading(section));
    }
}

/// Returns the whole page.
fn page() -> String {
    let mut cli = lineload::cli::command();
    cli.build();
    let commands: Vec<&Command> =
        cli.get_subcommands().filter(|one| one.get_name() != "help").collect();
    let mut page = String::from(
        "# Commands\n\n<!-- Written by `just docs` from what `--help` says; a test checks it. -->\n\n\
         `lineload COMMAND --help` shows the same in a terminal.\n\n| command | what it does |\n|---|---|\n",
    );
    for command in &commands {
        let name = command.get_name();
        let about = command.get_about().expect("a command has a help text");
        let _ = writeln!(page, "| [`lineload {name}`](#lineload-{name}) | {about} |");
    }
    let _ = writeln!(page, "\n## {GLOBAL}\n\nEvery command takes these.\n");
    let globals = cli.get_arguments().filter(|one| one.get_help_heading() == Some(GLOBAL));
    globals.for_each(|one| argument(&mut page, one));
    for command in commands {
        section(&mut page, command);
    }
    page
}

/// Writes the section of a command.
fn section(page: &mut String, command: &Command) {
    let name = command.get_name();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let about = command.get_about().expect("a command has a help text");
    let _ = writeln!(page, "\n## lineload {name}\n\n{about}.\n\n```text\n{usage}\n```");
    let shown = |one: &&Arg| !one.is_hide_set() && one.get_id() != "help";
    let mut headings = Vec::new();
    for one in command.get_arguments().filter(shown) {
        let heading = match one.get_help_heading() {
            _ if one.is_positional() => "Arguments",
            Some(GLOBAL) => continue,
            other => other.unwrap_or("Options"),
        };
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings.sort_by_key(|heading| match *heading {
        "Arguments" => 0,
        "Options" => 1,
        _ => 2,
    });
    for heading in headings {
        let _ = writeln!(page, "\n### {heading}\n");
        for one in command.get_arguments().filter(shown) {
            let of = match one.get_help_heading() {
                _ if one.is_positional() => "Arguments",
                other => other.unwrap_or("Options"),
            };
            if of == heading {
                argument(page, one);
            }
        }
    }
    if let Some(after) = command.get_after_help() {
        let after = after.to_string();
        let (notes, examples) = after.split_once("Examples:\n").unwrap_or(("", &after));
        if !notes.trim().is_empty() {
            let _ = writeln!(page, "\n### Notes\n\n```text\n{}\n```", notes.trim());
        }
        let _ = writeln!(page, "\n### Examples\n\n```text");
        for line in examples.lines() {
            let _ = writeln!(page, "{}", line.strip_prefix("  ").unwrap_or(line));
        }
        page.push_str("```\n");
    }
}

/// Writes an argument, as a line of a list.
fn argument(page: &mut String, one: &Arg) {
    let help = one.get_help().expect("an argument has a help text").to_string();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = write!(page, "- `{}`: {help}", form(one));
    let defaults: Vec<_> =
        one.get_default_values().iter().map(|one| one.to_string_lossy()).collect();
    let takes_values = one.get_num_args().is_some_and(|number| number.takes_values());
    if takes_values && !defaults.is_empty() && !one.is_hide_default_value_set() {
        let _ = write!(page, " [default: `{}`]", defaults.join(" "));
    }
    let values: Vec<_> =
        one.get_possible_values().iter().map(|one| one.get_name().to_owned()).collect();
    if takes_values && !values.is_empty() {
        let _ = write!(page, " [possible values: `{}`]", values.join("`, `"));
    }
    if let Some(variable) = one.get_env() {
        let _ = write!(page, " [env: `{}`]", variable.to_string_lossy());
    }
    page.push('\n');
}

/// Returns how an argument is typed.
fn form(one: &Arg) -> String {
    let value = one.get_value_names().and_then(|names| names.first());
    let optional = one.get_num_args().is_some_and(|number| number.min_values() == 0);
    let value = value.filter(|_| one.get_action().takes_values()).map(ToString::to_string);
    let Some(long) = one.get_long() else {
        let many = matches!(one.get_action(), ArgAction::Append)
            || one.get_num_args().is_some_and(|n| n.max_values() > 1);
        let dots = if many { "..." } else { "" };
        return format!("[{}]{dots}", value.unwrap_or_default());
    };
    let short = one.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let value = match value {
        Some(value) if optional => format!("[=<{value}>]"),
        Some(value) => format!(" <{value}>"),
        None => String::new(),
    };
    format!("{short}--{long}{value}")
}
