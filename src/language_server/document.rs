//! An open document.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gen_lsp_types::{Position, TextDocumentContentChangeEvent as Change, TextDocumentItem, Uri};

use super::position::Encoding;
use super::workspace::Checked;
use crate::source::{FileId, SourceFile, Span};

/// A check that took this long is not repeated at every keystroke.
const QUICK: Duration = Duration::from_millis(50);
/// The longest wait for a pause in typing.
const LONGEST_WAIT: Duration = Duration::from_millis(1500);

/// A document that a client has open.
#[derive(Debug)]
pub(super) struct Document {
    /// As the client writes it.
    pub(super) uri: Uri,
    /// The path of it.
    pub(super) path: PathBuf,
    /// The client's number of its text.
    pub(super) version: i32,
    /// The present text.
    pub(super) text: Arc<SourceFile>,
    /// The result of the last check.
    pub(super) checked: Option<Checked>,
    /// The time of the last change that has not been checked.
    pub(super) changed: Option<Instant>,
    /// The duration of the last check.
    pub(super) took: Duration,
}

impl Document {
    /// Returns a document that has just been opened.
    pub(super) fn new(item: TextDocumentItem, path: PathBuf) -> Self {
        Self {
            text: source(item.text),
            uri: item.uri,
            path,
            version: item.version,
            checked: None,
            changed: Some(Instant::now()),
            took: Duration::ZERO,
        }
    }

    /// Marks it as to be checked again, since another file has changed.
    pub(super) fn affected(&mut self) {
        self.changed.get_or_insert_with(Instant::now);
    }

    /// Applies changes of the client, each to the result of the one before.
    pub(super) fn change(&mut self, version: i32, changes: Vec<Change>, encoding: Encoding) {
        self.version = version;
        self.changed = Some(Instant::now());
        // Editors list the edits of many cursors from the last place to the first, so that all refer to
        // one text. Those are applied at once: it may be long.
        let mut edits: Vec<(Span, String)> = Vec::new();
        let mut first: Option<Position> = None;
        for change in changes {
            match change {
                Change::TextDocumentContentChangeWholeDocument(whole) => {
                    edits.clear();
                    first = None;
                    self.text = source(whole.text);
                }
                Change::TextDocumentContentChangePartial(part) => {
                    let (start, end) = (part.range.start, part.range.end);
                    if first.is_some_and(|first| start.max(end) > first) {
                        self.apply(std::mem::take(&mut edits));
                    }
                    edits.push((encoding.span(&self.text, part.range), part.text));
                    first = Some(start);
                }
            }
        }
        self.apply(edits);
    }

    /// Applies edits, from the last place to the first.
    fn apply(&mut self, edits: Vec<(Span, String)>) {
        if edits.is_empty() {
            return;
        }
        let old = self.text.text();
        let added: usize = edits.iter().map(|(_, text)| text.len()).sum();
        let mut new = String::with_capacity(old.len() + added);
        let mut end = 0;
        for (span, text) in edits.into_iter().rev() {
            let range = span.range();
            new.push_str(old.get(end..range.start).unwrap_or_default());
            new.push_str(&text);
            end = range.end.max(end);
        }
        new.push_str(old.get(end..).unwrap_or_default());
        self.text = source(new);
    }

    /// Returns the time to check it; `None` if it is checked. Where a check takes long, it waits for
    /// a pause in typing.
    pub(super) fn due(&self) -> Option<Instant> {
        let wait = if self.took < QUICK { Duration::ZERO } else { 2 * self.took };
        self.changed.map(|changed| changed + wait.min(LONGEST_WAIT))
    }
}

/// Returns a source for positions only: a check gives it the id and the name that it has in the tree.
fn source(text: String) -> Arc<SourceFile> {
    Arc::new(SourceFile::new(FileId(0), Arc::from(""), text.into_bytes()))
}

#[cfg(test)]
mod tests {
    use gen_lsp_types::{Range, TextDocumentContentChangePartial};

    use super::*;

    #[test]
    fn changes_build_on_each_other_and_none_is_out_of_bounds() {
        let item = TextDocumentItem {
            uri: Uri(String::new()),
            language_id: "yaml".to_owned().into(),
            version: 1,
            text: "é: 1\nb: 2\n".to_owned(),
        };
        let mut document = Document::new(item, PathBuf::new());
        let edit = |from: (u32, u32), to: (u32, u32), text: &str| {
            let at = |(line, character)| Position { line, character };
            let range = Range { start: at(from), end: at(to) };
            TextDocumentContentChangePartial::new(range, None, text.to_owned()).into()
        };
        let changes = vec![
            edit((0, 0), (0, 1), "a"),
            edit((1, 3), (1, 4), "x\n"),
            edit((7, 7), (9, 9), "end"),
            edit((1, 1), (0, 0), "!"),
        ];
        document.change(2, changes, Encoding::Utf16);
        assert_eq!(document.text.text(), "a: 1\nb!: x\n\nend");
        // From the last to the first, one beside another, and then one behind them.
        let changes = vec![
            edit((3, 0), (3, 3), "e"),
            edit((1, 1), (1, 2), "?\n"),
            edit((1, 0), (1, 1), "bb"),
            edit((0, 0), (0, 0), "_"),
            edit((1, 2), (1, 2), "+"),
        ];
        document.change(3, changes, Encoding::Utf16);
        assert_eq!(document.text.text(), "_a: 1\nbb+?\n: x\n\ne");
    }
}
