//! The width of the terminal, and the output that belongs there.

use std::io::{self, IsTerminal as _};

use supports_hyperlinks::Stream;

use crate::cli::{Global, Manifests};
use crate::report::human;
use crate::report::progress::When;

/// The default width of a line: enough for a finding, and the same everywhere.
const DEFAULT_WIDTH: usize = 100;

/// Returns the options for a finding on standard error.
pub(super) fn shown_on_stderr() -> human::Options {
    let size = terminal_size::terminal_size_of(io::stderr());
    let width = size.map(|(width, _)| usize::from(width.0));
    shown_alone(width, io::stderr().is_terminal(), supports_hyperlinks::on(Stream::Stderr))
}

/// Returns the options for a single finding on standard output.
pub(super) fn shown_on_stdout() -> human::Options {
    let size = terminal_size::terminal_size_of(io::stdout());
    let width = size.map(|(width, _)| usize::from(width.0));
    shown_alone(width, io::stdout().is_terminal(), supports_hyperlinks::on(Stream::Stdout))
}

fn shown_alone(width: Option<usize>, terminal: bool, links: bool) -> human::Options {
    human::Options {
        width: width.map_or(DEFAULT_WIDTH, |width| width.clamp(50, 140)),
        unicode: !terminal || unicode_locale(),
        all: true,
        quiet: true,
        command: String::new(),
        can_fix: true,
        links,
    }
}

/// Returns how the findings of `manifests` are shown on standard output.
pub(super) fn human_options(
    global: &Global,
    all: bool,
    command: String,
    manifests: &Manifests,
) -> human::Options {
    let size = terminal_size::terminal_size_of(io::stdout());
    let width = size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0).clamp(50, 140));
    human::Options {
        width,
        unicode: !io::stdout().is_terminal() || unicode_locale(),
        all,
        quiet: global.quiet,
        command,
        // Neither standard input nor an inventory can be fixed.
        can_fix: manifests.rows.inventory.is_none()
            && !manifests.paths.iter().any(|path| path.as_os_str() == "-"),
        links: supports_hyperlinks::on(Stream::Stdout),
    }
}

/// Returns whether the locale of the terminal has more than ASCII.
fn unicode_locale() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Returns the progress setting from `--progress` and `--quiet`.
pub(super) const fn progress(global: &Global) -> When {
    if global.quiet { When::Never } else { global.progress }
}
