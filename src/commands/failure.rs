//! The failure of a command, as it is shown on standard error.

use std::fmt;
use std::io::{self, Write as _};

use crate::cli::Global;
use crate::exit::{Exit, Fatal};
use crate::text::{escaped, redacted};

/// A failure: the message on standard error, and the exit code.
#[derive(Debug)]
pub(super) struct Failure {
    /// The exit code.
    pub(super) exit: Exit,
    /// The error message.
    pub(super) message: String,
    /// The helps.
    pub(super) help: Vec<String>,
}

impl Failure {
    /// Wrong usage, configuration or environment: nothing was submitted.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: Vec::new() }
    }

    /// Adds a way out.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Writes it to standard error.
    pub(super) fn show(&self, global: &Global) {
        let mut out = anstream::AutoStream::new(io::stderr().lock(), global.color.into());
        // Standard error may be closed.
        let _ = writeln!(out, "{self}");
    }
}

impl<E: Fatal> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: error.exit(), message: error.to_string(), help: error.help() }
    }
}

/// No text may act on a terminal, whatever it contains, or show a credential: what a service says often
/// repeats what it was sent.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\x1b[1;31merror:\x1b[0m {}", shown(&self.message))?;
        let mut help = self.help.iter();
        help.try_for_each(|help| write!(f, "\n  \x1b[36mhelp:\x1b[0m {}", shown(help)))
    }
}

fn shown(text: &str) -> String {
    escaped(&redacted(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_reaches_the_terminal() {
        let failure = Failure::usage("no run `\u{1b}[2J`").help("name\nanother");
        let shown = "\u{1b}[1;31merror:\u{1b}[0m no run `\\u{1b}[2J`\n  \u{1b}[36mhelp:\u{1b}[0m name\\nanother";
        assert_eq!(failure.to_string(), shown);
    }

    #[test]
    fn no_credential_is_shown() {
        let failure = Failure::usage("stopped: Value 'AKIAIOSFODNN7EXAMPLE' at 'x' failed");
        assert!(!failure.to_string().contains("AKIAIOSFODNN7EXAMPLE"), "{failure}");
    }
}
