//! Findings' edits to new text.

use std::sync::Arc;

use crate::check;
use crate::diagnostic::{Diagnostic, Edit, Safety};
use crate::source::SourceFile;

/// A mended text may show what its faults hid, so it is read again, but not for ever.
const ROUNDS: usize = 8;

/// A text that was mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The new text.
    pub text: String,
    /// How many findings were mended.
    pub findings: usize,
}

/// Applies the fixes of the findings in `source` that `wanted` takes, safe ones only unless
/// `unsafe_too`. Everything outside the edits is kept byte for byte. `None` where there are none.
pub fn mend(
    source: &SourceFile,
    options: check::Options<'_>,
    unsafe_too: bool,
    wanted: impl Fn(&Diagnostic) -> bool,
) -> Option<Mended> {
    if source.fault().is_some() {
        return None;
    }
    let mut mended: Option<Mended> = None;
    for _ in 0..ROUNDS {
        let again = mended.as_ref().map(|mended| {
            let bytes = mended.text.clone().into_bytes();
            SourceFile::new(source.id(), Arc::clone(source.name()), bytes)
        });
        let source = again.as_ref().unwrap_or(source);
        let findings = check::source(source, options);
        let fixes = findings.iter().filter(|finding| wanted(finding)).filter_map(|finding| {
            let fix = finding.fix.as_ref()?;
            (unsafe_too || fix.safety == Safety::Safe).then_some(fix.edits.as_slice())
        });
        let (text, count) = apply(source.text(), fixes);
        if count == 0 {
            break;
        }
        let findings = mended.map_or(0, |mended| mended.findings) + count;
        mended = Some(Mended { text, findings });
    }
    mended
}

/// Applies sets of edits to `text`, each whole or not at all: one that overlaps an earlier one is
/// left out. How many were applied comes with the text.
fn apply<'e>(text: &str, sets: impl Iterator<Item = &'e [Edit]>) -> (String, usize) {
    let mut edits: Vec<&Edit> = Vec::new();
    let mut count = 0;
    for set in sets {
        let sound = |edit: &Edit| text.get(edit.span.range()).is_some();
        let place = |edits: &[&Edit], edit: &Edit| {
            let at = edits.partition_point(|taken| taken.span < edit.span);
            let before = at.checked_sub(1).map_or(0, |at| edits[at].span.end);
            let behind = edits.get(at).map_or(u32::MAX, |taken| taken.span.start);
            (before <= edit.span.start && edit.span.end <= behind).then_some(at)
        };
        if set.iter().all(|edit| sound(edit) && place(&edits, edit).is_some()) {
            for edit in set {
                if let Some(at) = place(&edits, edit) {
                    edits.insert(at, edit);
                }
            }
            count += 1;
        }
    }
    let mut out = String::with_capacity(text.len() + 16 * edits.len());
    let mut end = 0;
    for edit in edits {
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
    use crate::source::Span;

    #[test]
    fn edits_over_each_other_are_left_for_the_next_round() {
        let edit = |range: std::ops::Range<usize>, text: &str| Edit {
            span: Span::new(range),
            text: text.to_owned(),
        };
        let sets = [vec![edit(0..1, "X")], vec![edit(0..2, "Y")], vec![edit(3..4, "Z")]];
        let (text, count) = apply("abcd", sets.iter().map(Vec::as_slice));
        assert_eq!((text.as_str(), count), ("XbcZ", 2));
    }
}
