//! Edits that fix a finding.

use crate::source::Span;

/// The safety of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// It says what was written, as the service wants it.
    Safe,
    /// It says what was probably meant.
    Unsafe,
}

impl Safety {
    /// Returns the name, in lower case, as in every format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

/// Edits of one file that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// True if it can be applied without a look.
    pub safety: Safety,
    /// In the order of the file, none over another.
    pub edits: Vec<Edit>,
}

/// Text in place of other text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The span to replace; empty for an insertion.
    pub span: Span,
    /// The replacement.
    pub text: String,
}

impl Fix {
    /// Returns a safe fix of one edit.
    #[must_use]
    pub fn safe(span: Span, text: impl Into<String>) -> Self {
        Self { safety: Safety::Safe, edits: vec![Edit { span, text: text.into() }] }
    }

    /// Returns an unsafe fix of one edit.
    #[must_use]
    pub fn unsafely(span: Span, text: impl Into<String>) -> Self {
        Self { safety: Safety::Unsafe, ..Self::safe(span, text) }
    }
}
