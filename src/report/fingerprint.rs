//! Fingerprints of findings, equal from one run to the next, so that a system that keeps findings
//! can distinguish new ones from old ones.
//!
//! It holds on to what the finding is about and not to where that stands: lines that come or go
//! above change nothing, nor does another wording of the message. Equal findings of one file are
//! distinguished by their order.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::redact::Redactions;
use super::root::Place;
use crate::diagnostic::Diagnostic;
use crate::model::{ARTIFACT, Kind};
use crate::source::{SourceFile, SourceStore, Span};

/// Bytes of the text at fault that count: a fault in a large text is in its first words.
const TEXT: usize = 1024;
/// Bytes in front of it and behind it that count, if they are one word with it.
const WORD: usize = 128;
/// Bytes of a hash that are kept.
const LENGTH: usize = 16;

/// The text of a file, and the parts of it that no fingerprint may reveal.
pub(super) struct FileText<'s> {
    source: Option<&'s SourceFile>,
    redactions: Redactions,
}

impl<'s> FileText<'s> {
    /// Returns the text of `source`, `None` if it cannot be read, of which nobody may see `hidden`.
    pub(super) fn new(source: Option<&'s SourceFile>, hidden: Vec<Span>) -> Self {
        Self { source, redactions: Redactions::of(hidden) }
    }
}

/// Returns the fingerprints of the findings of one file, which is at `place`, in their order.
pub(super) fn of_file(
    findings: &[Diagnostic],
    place: &Place,
    sources: &SourceStore,
) -> Vec<String> {
    let Some(file) = findings.first().map(|finding| finding.file) else { return Vec::new() };
    let source = sources.get(file);
    let text = FileText::new(source.as_deref(), sources.hidden(file));
    let mut seen: HashMap<[u8; 32], u32> = HashMap::new();
    let fingerprint = |finding: &Diagnostic| {
        let hash = hash(finding, place.path(), &text);
        let number = seen.entry(hash).or_default();
        let fingerprint = numbered(hash, *number);
        *number += 1;
        fingerprint
    };
    findings.iter().map(fingerprint).collect()
}

/// Returns the fingerprint of a finding in the file at `path`, as if it were the first of its kind there.
pub(super) fn of_first(finding: &Diagnostic, path: &str, text: &FileText<'_>) -> String {
    numbered(hash(finding, path, text), 0)
}

fn hash(finding: &Diagnostic, path: &str, text: &FileText<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        // Line ends are git's to change.
        part.split('\r').for_each(|piece| hash.update(piece));
        hash.update([0xFF]);
    };
    add(finding.code.as_str());
    add(path);
    add(&pointer(&finding.path));
    // What the message names in backticks is the user's: a field that is missing, a value.
    finding.message.split('`').skip(1).step_by(2).for_each(&mut add);
    if let Some((source, region)) = text.source.zip(finding.region) {
        let word = word_at(source, region.span());
        // What is hidden must not be found out by trying.
        if !text.redactions.cover(source, word) {
            let word = source.slice(word);
            add(&word[..word.floor_char_boundary(TEXT)]);
        }
    }
    hash.finalize().into()
}

fn numbered(hash: [u8; 32], number: u32) -> String {
    let mut counted = Sha256::new();
    counted.update(hash);
    counted.update(number.to_be_bytes());
    counted.finalize().iter().take(LENGTH).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Returns the place where [`word`] finds the text at `span` of `source`.
fn word_at(source: &SourceFile, span: Span) -> Span {
    let local = source.in_text(span);
    let word = word(source.text(), local);
    Span {
        start: span.start.saturating_sub(local.start.saturating_sub(word.start)),
        end: span.end.saturating_add(word.end.saturating_sub(local.end)),
    }
}

/// Returns the word round `span`: a `_` alone is at fault in many names.
fn word(text: &str, span: Span) -> Span {
    let Range { start, end } = span.range();
    let from = text.floor_char_boundary(start.saturating_sub(WORD));
    let to = text.ceil_char_boundary(end.saturating_add(WORD).min(text.len()));
    let head = text.get(from..start).unwrap_or_default();
    let tail = text.get(end..to).unwrap_or_default();
    let before = head.len() - head.trim_end_matches(|c: char| !c.is_whitespace()).len();
    let behind = tail.len() - tail.trim_start_matches(|c: char| !c.is_whitespace()).len();
    Span::new(start - before..end + behind)
}

/// Returns `path` without the numbers of list items: an item that is put in above must not change what
/// is below.
pub(super) fn pointer(path: &str) -> String {
    let mut out = String::new();
    let mut in_list = false;
    let mut lists = ARTIFACT.all_fields();
    lists.retain(|field| matches!(field.kind, Kind::Pairs { .. }));
    for step in path.split('/').skip(1) {
        out.push('/');
        out.push_str(if in_list { "*" } else { step });
        in_list = !in_list && lists.iter().any(|list| list.name == step);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_text_at_fault_with_what_it_is_written_together_with() {
        let text = "Name: é_b\r\nüc";
        let at = |span: Range<usize>| text.get(word(text, Span::new(span)).range()).unwrap_or("");
        let underscore = text.find('_').unwrap();
        assert_eq!(at(underscore..underscore + 1), "é_b");
        assert_eq!(at(0..4), "Name:");
        assert_eq!(at(text.len()..text.len()), "üc");
        assert_eq!(at(5..5), "Name:");
        assert_eq!(at(500..501), "");
    }

    #[test]
    fn numbers_of_items_are_left_out_and_keys_are_not() {
        assert_eq!(pointer("/Tags/3/Key"), "/Tags/*/Key");
        assert_eq!(pointer("/Source/SourceTypes/0/Value"), "/Source/SourceTypes/*/Value");
        assert_eq!(pointer("/Properties/3"), "/Properties/3");
        assert_eq!(pointer(""), "");
    }
}
