//! Environment variables that set options.
//!
//! In: the command line as the structs describe it. Out: the same, with a variable for each option that
//! may have one. Whoever can set a variable of a job is not trusted as much as who writes its command:
//! a variable sets how much is shown, how fast requests go, and limits that refuse more. It does not say
//! what is checked, what counts as a failure, what is written, where to, or that nobody need be asked.

use std::ffi::OsString;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command};

/// The variable of an option: of one command, or the same of all that have it.
struct Variable {
    command: Option<&'static str>,
    option: &'static str,
    name: &'static str,
}

const fn all(option: &'static str, name: &'static str) -> Variable {
    Variable { command: None, option, name }
}

const fn of(command: &'static str, option: &'static str, name: &'static str) -> Variable {
    Variable { command: Some(command), option, name }
}

const VARIABLES: &[Variable] = &[
    all("quiet", "LINELOAD_QUIET"),
    all("verbose", "LINELOAD_VERBOSE"),
    all("color", "LINELOAD_COLOR"),
    all("progress", "LINELOAD_PROGRESS"),
    all("log-format", "LINELOAD_LOG_FORMAT"),
    all("threads", "LINELOAD_THREADS"),
    // Each has formats of its own.
    of("lint", "format", "LINELOAD_LINT_FORMAT"),
    of("plan", "format", "LINELOAD_PLAN_FORMAT"),
    of("delete", "format", "LINELOAD_DELETE_FORMAT"),
    of("status", "format", "LINELOAD_STATUS_FORMAT"),
    of("doctor", "format", "LINELOAD_DOCTOR_FORMAT"),
    of("config", "format", "LINELOAD_CONFIG_FORMAT"),
    of("config", "all", "LINELOAD_CONFIG_ALL"),
    of("generate", "format", "LINELOAD_GENERATE_FORMAT"),
    of("generate", "all", "LINELOAD_GENERATE_ALL"),
    of("lint", "all", "LINELOAD_LINT_ALL"),
    of("merge-index", "format", "LINELOAD_MERGE_INDEX_FORMAT"),
    of("merge-index", "all", "LINELOAD_MERGE_INDEX_ALL"),
    of("plan", "all", "LINELOAD_PLAN_ALL"),
    of("delete", "all", "LINELOAD_DELETE_ALL"),
    of("status", "runs", "LINELOAD_STATUS_RUNS"),
    of("plan", "refresh", "LINELOAD_PLAN_REFRESH"),
    all("require-valid", "LINELOAD_REQUIRE_VALID"),
    all("recheck", "LINELOAD_RECHECK"),
    all("max-changes", "LINELOAD_MAX_CHANGES"),
    all("max-errors", "LINELOAD_MAX_ERRORS"),
    all("max-duration", "LINELOAD_MAX_DURATION"),
    all("expect-account", "LINELOAD_EXPECT_ACCOUNT"),
    all("expect-region", "LINELOAD_EXPECT_REGION"),
    all("rate", "LINELOAD_RATE"),
    all("max-rate", "LINELOAD_MAX_RATE"),
    all("rate-share", "LINELOAD_RATE_SHARE"),
    all("headroom", "LINELOAD_HEADROOM"),
    all("burst", "LINELOAD_BURST"),
    all("concurrency", "LINELOAD_CONCURRENCY"),
    all("limit-patience", "LINELOAD_LIMIT_PATIENCE"),
    all("timeout", "LINELOAD_TIMEOUT"),
    of("serve", "port", "LINELOAD_SERVE_PORT"),
    of("serve", "tps", "LINELOAD_SERVE_TPS"),
    of("serve", "max-artifacts", "LINELOAD_SERVE_MAX_ARTIFACTS"),
    of("serve", "latency", "LINELOAD_SERVE_LATENCY"),
    of("serve", "list-lag", "LINELOAD_SERVE_LIST_LAG"),
    of("serve", "tag-lag", "LINELOAD_SERVE_TAG_LAG"),
    of("serve", "unique-names", "LINELOAD_SERVE_UNIQUE_NAMES"),
    of("serve", "unique-sources", "LINELOAD_SERVE_UNIQUE_SOURCES"),
    of("serve", "fault", "LINELOAD_SERVE_FAULT"),
];

/// Options that are set on the command line alone, by what a variable could do with them. A new option
/// belongs here or into `VARIABLES`; a test asks for it.
pub const COMMAND_LINE_ONLY: &[(&str, &[&str])] = &[
    ("nothing: editors pass it", &["stdio"]),
    (
        "what is checked, and what counts as a failure",
        &[
            "exclude",
            "include",
            "follow-links",
            "stdin-filename",
            "shard",
            "select",
            "ignore",
            "changed-since",
            "baseline",
            "fail-on",
            "config",
            "isolated",
            "detailed-exitcode",
            "dry-run",
            "diff",
            "check",
            "init",
            "inventory",
        ],
    ),
    (
        "what is written",
        &[
            "write",
            "fix",
            "unsafe-fixes",
            "on-exists",
            "prune",
            "check-drift",
            "set",
            "rewrite-uri",
            "settle",
            "as-staged",
            "type",
            "uri-prefix",
            "per-file",
            "to",
            "update",
            "from",
            "delimiter",
            "rows",
            "group",
            "columns",
            "template",
            "var",
            "on-duplicate",
            "run",
            "gone",
            "where",
            "not-ours",
        ],
    ),
    (
        "which file is written or believed",
        &[
            "output",
            "write-baseline",
            "index",
            "out",
            "plan",
            "report",
            "metrics",
            "journal",
            "failed-manifests",
            "invalid-manifests",
            "force",
            "db",
            "findings",
            "invalid",
            "file",
        ],
    ),
    ("consent, and who can reach the registry", &["yes", "listen"]),
    (
        "the target, which has the variables of the AWS SDK",
        &["local", "region", "profile", "endpoint-url", "account"],
    ),
];

/// Returns the variable that sets `option` of `command`; of a global option that of any command.
#[must_use]
pub fn variable(command: &str, option: &str) -> Option<&'static str> {
    let fits = |one: &&Variable| {
        one.option == option && one.command.is_none_or(|of_command| of_command == command)
    };
    VARIABLES.iter().find(fits).map(|one| one.name)
}

/// A variable that is set, and the option that it sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVariable {
    /// Its name.
    pub name: &'static str,
    /// The command, if it sets the option of one alone.
    pub command: Option<&'static str>,
    /// The option, without hyphens before it.
    pub option: &'static str,
    /// Its value.
    pub value: String,
}

/// Returns the variables that are set and not empty.
#[must_use]
pub fn set_variables() -> Vec<SetVariable> {
    let set = |one: &Variable| {
        let value = value(one.name)?.to_string_lossy().into_owned();
        let Variable { name, command, option } = *one;
        (!value.is_empty()).then_some(SetVariable { name, command, option, value })
    };
    VARIABLES.iter().filter_map(set).collect()
}

/// Returns `command` with the variables of its options.
pub(super) fn with_variables(command: Command) -> Command {
    let root = command.get_name().to_owned();
    command.mut_args(|arg| with_variable(&root, arg)).mut_subcommands(|subcommand| {
        let name = subcommand.get_name().to_owned();
        subcommand.mut_args(|arg| with_variable(&name, arg))
    })
}

fn with_variable(command: &str, arg: Arg) -> Arg {
    let Some(name) = arg.get_long().and_then(|option| variable(command, option)) else {
        return arg;
    };
    // CI systems set a variable to nothing where they mean that it is not set.
    if value(name).is_some_and(|value| value.is_empty()) {
        return arg;
    }
    let arg = arg.env(name).hide_env_values(true);
    match arg.get_action() {
        ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
        _ => arg,
    }
}

fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Returns the variable that gives `option`, named without hyphens, this value.
pub(super) fn source(option: &str, wrong: &str) -> Option<&'static str> {
    let set = |one: &&Variable| {
        one.option == option && value(one.name).is_some_and(|value| value == *wrong)
    };
    VARIABLES.iter().find(set).map(|one| one.name)
}
