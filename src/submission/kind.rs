//! The kind of a run.

use super::{Operation, Outcome};

/// The kind of a run: the treatment of its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunKind {
    /// It creates or updates them.
    #[default]
    Import,
    /// It deletes them.
    Delete,
}

impl RunKind {
    /// Returns the name of the command that makes such runs, by which the journal's view and reports call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Delete => "delete",
        }
    }

    /// Returns the outcome of an entry whose request did what it was sent for.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Import => Outcome::Created,
            Self::Delete => Outcome::Deleted,
        }
    }

    /// Returns the noun for its requests, as in `1 create`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Import => "create",
            Self::Delete => "delete",
        }
    }

    /// Returns the operation whose intents it records, and whose rate it reports.
    #[must_use]
    pub const fn operation(self) -> Operation {
        match self {
            Self::Import => Operation::Create,
            Self::Delete => Operation::Delete,
        }
    }
}
