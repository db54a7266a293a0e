//! The parts of a source that no report may show.
//!
//! The texts of findings are redacted before they come here. This is for what a report takes from the
//! source itself: the text at fault, and the text of a fix.

use std::ops::Range;

use crate::source::{FileId, SourceFile, SourceStore, Span};
use crate::text::secret;

/// Bytes looked at in front of and behind a span: a key names a secret close to it.
const AROUND: usize = 256;

/// The parts of one file that are not to be shown.
#[derive(Debug)]
pub(super) struct Redactions {
    /// In order, none over another.
    hidden: Vec<Span>,
}

impl Redactions {
    /// Collects what the check hides of the file `id`.
    pub(super) fn new(id: FileId, sources: &SourceStore) -> Self {
        Self::of(sources.hidden(id))
    }

    /// Collects these spans of one file.
    pub(super) fn of(mut hidden: Vec<Span>) -> Self {
        hidden.sort_unstable();
        hidden.dedup_by(|later, first| {
            let over = later.start < first.end;
            first.end = if over { first.end.max(later.end) } else { first.end };
            over
        });
        Self { hidden }
    }

    /// Returns whether something in `span` is hidden, or looks like a credential where it stands.
    pub(super) fn cover(&self, source: &SourceFile, span: Span) -> bool {
        let before = self.hidden.partition_point(|hidden| hidden.start < span.end);
        if before.checked_sub(1).is_some_and(|last| self.hidden[last].end > span.start) {
            return true;
        }
        let Range { start, end } = source.in_text(span).range();
        let text = source.text();
        let from = text.floor_char_boundary(start.saturating_sub(AROUND));
        let to = text.ceil_char_boundary(end.saturating_add(AROUND).min(text.len()));
        let Some(around) = text.get(from..to) else { return false };
        // A key names what stands on its own line.
        let head = around.get(..start - from).unwrap_or_default();
        let line = head.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let found = secret::ranges(&around[line..]);
        found.iter().any(|one| from + line + one.start < end && from + line + one.end > start)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_hidden_or_looks_like_a_secret_is_covered() {
        let text = "a: plain\npassword: 12345678\nb: hidden\nAKIAIOSFODNN7EXAMPLE: x\n";
        let source = SourceFile::new(FileId(0), Arc::from("f"), text.as_bytes().to_vec());
        let sources = SourceStore::new(vec![(Arc::from("f"), None)]);
        let span = |word: &str| {
            let at = text.find(word).unwrap();
            Span::new(at..at + word.len())
        };
        sources.hide(FileId(0), &[span("hidden"), span("hid")]);
        let redactions = Redactions::new(FileId(0), &sources);
        let covered = |word| redactions.cover(&source, span(word));
        assert!(covered("12345678") && covered("hidden") && covered("den") && covered("AKIA"));
        assert!(!covered("plain") && !covered("password") && !covered("b: ") && !covered("x\n"));
    }
}
