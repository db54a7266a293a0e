//! Findings' edits to new text.
//!
//! In: a source, and which of its findings to fix. Out: the new text. A fix may reveal findings
//! that its fault hid, so the text is checked and fixed again until no fix is left.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check;
use crate::diagnostic::{Diagnostic, Edit, Safety};
use crate::source::{SourceFile, Span};

/// The maximum number of rounds of fixes.
const ROUNDS: usize = 16;

/// A text with fixes applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The new text.
    pub text: String,
    /// The number of findings that were fixed.
    pub findings: usize,
}

/// Applies the fixes of the findings in `source` that `wanted` accepts, only safe ones unless
/// `unsafe_too`. Everything outside the edits is kept byte for byte. Returns `None` if there are
/// none.
pub fn fixed(
    source: &SourceFile,
    options: check::Options<'_>,
    unsafe_too: bool,
    wanted: impl Fn(&Diagnostic) -> bool,
) -> Option<Fixed> {
    fixed_of(source, options, unsafe_too, |_, findings| findings.retain(&wanted))
}

/// Applies fixes as [`fixed`] does, of the findings that `retain` leaves in the list. It is called for
/// each round, with the text of that round and all its findings in order.
pub fn fixed_of(
    source: &SourceFile,
    options: check::Options<'_>,
    unsafe_too: bool,
    retain: impl Fn(&SourceFile, &mut Vec<Diagnostic>),
) -> Option<Fixed> {
    if source.fault().is_some() {
        return None;
    }
    let mut fixed: Option<Fixed> = None;
    for _ in 0..ROUNDS {
        let again = fixed.as_ref().map(|fixed| {
            let bytes = fixed.text.clone().into_bytes();
            SourceFile::new(source.id(), Arc::clone(source.name()), bytes)
        });
        let source = again.as_ref().unwrap_or(source);
        let mut findings = check::source(source, options);
        retain(source, &mut findings);
        let fixes = findings.iter().filter_map(|finding| {
            let fix = finding.fix.as_ref()?;
            (unsafe_too || fix.safety == Safety::Safe).then_some(fix.edits.as_slice())
        });
        let (text, count) = apply(source.text(), fixes);
        if count == 0 {
            break;
        }
        let findings = fixed.map_or(0, |fixed| fixed.findings) + count;
        fixed = Some(Fixed { text, findings });
    }
    fixed
}

/// Applies sets of edits to `text`, each whole or not at all: one that overlaps an earlier one is
/// skipped. Equal ones are applied once. Returns the text and the number of applied sets.
fn apply<'e>(text: &str, sets: impl Iterator<Item = &'e [Edit]>) -> (String, usize) {
    // By place: from the first byte of a set's first edit to the last of its last.
    let mut applied: BTreeMap<Span, &[Edit]> = BTreeMap::new();
    let mut count = 0;
    for set in sets {
        let (Some(first), Some(last)) = (set.first(), set.last()) else { continue };
        let place = first.span.to(last.span);
        if applied.get(&place) == Some(&set) {
            // Two findings may have one fix.
            count += 1;
            continue;
        }
        let before = applied.range(..=place).next_back().map(|(place, _)| *place);
        let behind = applied.range(place..).next().map(|(place, _)| *place);
        let apart = before.is_none_or(|before| before != place && before.end <= place.start)
            && behind.is_none_or(|behind| place.end <= behind.start);
        if apart && set.iter().all(|edit| text.get(edit.span.range()).is_some()) {
            applied.insert(place, set);
            count += 1;
        }
    }
    let mut out = String::with_capacity(text.len() + 16 * applied.len());
    let mut end = 0;
    for edit in applied.values().copied().flatten() {
        out.push_str(&text[end..edit.span.range().start]);
        out.push_str(&edit.text);
        end = edit.span.range().end;
    }
    out.push_str(&text[end..]);
    (out, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_over_each_other_are_left_for_the_next_round() {
        let edit = |range: std::ops::Range<usize>, text: &str| Edit {
            span: Span::new(range),
            text: text.to_owned(),
        };
        let sets = [vec![edit(0..1, "X")], vec![edit(0..2, "Y")], vec![edit(3..4, "Z")]];
        let (text, count) = apply("abcd", sets.iter().map(Vec::as_slice));
        assert_eq!((text.as_str(), count), ("XbcZ", 2));
        // Around the same value, twice; and behind another.
        let quotes = |at: usize| vec![edit(at..at, "'"), edit(at + 1..at + 1, "'")];
        let sets = [quotes(1), quotes(1), quotes(2)];
        let (text, count) = apply("abcd", sets.iter().map(Vec::as_slice));
        assert_eq!((text.as_str(), count), ("a'b''c'd", 3));
        // One that reaches over others waits.
        let sets = [vec![edit(1..2, "X")], vec![edit(0..1, "a"), edit(3..4, "Y")]];
        let (text, count) = apply("abcd", sets.iter().map(Vec::as_slice));
        assert_eq!((text.as_str(), count), ("aXcd", 1));
    }
}
