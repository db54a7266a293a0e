//! Edits that fix a finding.

use std::sync::Arc;

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
    /// The name or the source that the artifact gets, if the fix changes it.
    pub becomes: Option<Becomes>,
}

/// A part of an artifact that no other artifact may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unique {
    /// The name.
    Name,
    /// The source: a URI and source types.
    Source,
}

/// The name or the source that an artifact has once all its fixes are applied. Each of them is a
/// step towards it, so two artifacts that would be the same in the end keep what they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Becomes {
    /// Which of the two.
    pub what: Unique,
    /// The key of what it is now.
    pub from: [u8; 16],
    /// The key of what it will be.
    pub to: [u8; 16],
    /// The new name or URI.
    pub text: Arc<str>,
    /// The place of the present name or URI.
    pub span: Span,
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
    /// Returns a fix of several edits, in the order of the file.
    #[must_use]
    pub const fn new(safety: Safety, edits: Vec<Edit>) -> Self {
        Self { safety, edits, becomes: None }
    }

    /// Returns a safe fix of one edit.
    #[must_use]
    pub fn safe(span: Span, text: impl Into<String>) -> Self {
        Self::new(Safety::Safe, vec![Edit { span, text: text.into() }])
    }

    /// Returns an unsafe fix of one edit.
    #[must_use]
    pub fn unsafely(span: Span, text: impl Into<String>) -> Self {
        Self { safety: Safety::Unsafe, ..Self::safe(span, text) }
    }
}
