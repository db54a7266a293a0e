//! Exit codes, and the errors that own one.

use std::error::Error;
use std::process::ExitCode;

/// The exit code of a command. Where several apply, signals win, then 2, then 4, then 1, then 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// All is well.
    Success,
    /// Findings, or entries that did not become what the manifest says.
    Findings,
    /// Wrong usage, configuration or environment; nothing was submitted.
    Usage,
    /// A plan has something to do, and `--detailed-exitcode` was given.
    Changes,
    /// Stopped early, and can be resumed.
    Stopped,
    /// Ended by a signal, after what was in flight had been answered.
    Signal(u8),
}

impl Exit {
    /// Returns the number that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Changes => 3,
            Self::Stopped => 4,
            Self::Signal(signal) => 128 + signal,
        }
    }

    const fn rank(self) -> u8 {
        match self {
            Self::Success => 0,
            // Only a plan has changes, and they are no fault.
            Self::Changes => 1,
            Self::Findings => 2,
            Self::Stopped => 3,
            Self::Usage => 4,
            Self::Signal(_) => 5,
        }
    }

    /// Both hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// An error that ends a command.
pub trait Fatal: Error {
    /// Returns how the process ends.
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    /// Returns what to do about it, each as an imperative.
    fn help(&self) -> Vec<String> {
        Vec::new()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_then_usage_then_stopped_then_findings() {
        let order = [
            Exit::Success,
            Exit::Changes,
            Exit::Findings,
            Exit::Stopped,
            Exit::Usage,
            Exit::Signal(2),
        ];
        for (at, lower) in order.iter().enumerate() {
            for higher in &order[at..] {
                assert_eq!(lower.and(*higher), *higher);
                assert_eq!(higher.and(*lower), *higher);
            }
        }
        assert_eq!(Exit::Signal(15).code(), 143);
    }
}
