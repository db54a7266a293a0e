//! Cuts a long list, so that all cores can read it.

use std::ops::Range;

use super::piece::{Piece, Section};
use super::reader::Reader;

/// The most bytes of a head. It is read again for each section.
const LONGEST_HEAD: usize = 16 << 10;

/// Cuts the document in the bytes `part` of `text` into sections of about `size` bytes. Returns none
/// where it must be read as a whole: it has another form, or something in it (an anchor, a fault)
/// may be about more than its item. To know that, it is read once, without being checked.
#[must_use]
pub fn sections(
    text: &str,
    part: &Range<usize>,
    list_key: &'static str,
    size: usize,
) -> Vec<Section> {
    let mut reader = Reader::of_regular(text, part.clone(), list_key);
    let Some(Piece::List { .. }) = reader.next_piece() else { return Vec::new() };
    let Some((before, first)) = reader.regular_list() else { return Vec::new() };
    if first - part.start > LONGEST_HEAD {
        return Vec::new();
    }
    let mut cuts = vec![first];
    let mut last = first;
    loop {
        let piece = reader.next_piece();
        let Some((nodes, next)) = reader.regular_list() else { return Vec::new() };
        match piece {
            Some(Piece::Item(_)) if next < part.end && next - last >= size => {
                cuts.push(next);
                last = next;
            }
            Some(Piece::Item(_)) => {}
            // No key follows the list.
            Some(Piece::Document { .. }) if nodes == before && next == part.end => break,
            _ => return Vec::new(),
        }
    }
    let ends = cuts.iter().skip(1).copied().chain([part.end]);
    cuts.iter()
        .zip(ends)
        .map(|(start, end)| Section {
            head: part.start..first,
            items: *start..end,
            goes_on: end < part.end,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::compare::section_difference;

    fn cut(text: &str, size: usize) -> Vec<(&str, &str)> {
        let sections = sections(text, &(0..text.len()), "Artifacts", size);
        let texts = |section: Section| (&text[section.head], &text[section.items]);
        sections.into_iter().map(texts).collect()
    }

    #[test]
    fn a_list_is_cut_before_its_items() {
        let text = "# a\nDefaults:\n  b: c\nArtifacts:\n- d: e\n# f\n\n- g: |\n    - h\n- i\n# j\n";
        let head = "# a\nDefaults:\n  b: c\nArtifacts:\n";
        let each = ["- d: e\n# f\n\n", "- g: |\n    - h\n", "- i\n# j\n"];
        assert_eq!(cut(text, 1), each.map(|items| (head, items)));
        let two = each[..2].concat();
        assert_eq!(cut(text, 15), [(head, two.as_str()), (head, each[2])]);
        assert_eq!(section_difference(text, "Artifacts"), None);
        assert_eq!(cut("- a\n- b\n", 1), [("", "- a\n"), ("", "- b\n")]);
        assert_eq!(cut("---\n  - a\n  - b", 1), [("---\n", "  - a\n"), ("---\n", "  - b")]);
    }

    #[test]
    fn a_list_with_a_long_head_is_not_cut() {
        let of = |comment: usize| format!("# {}\n- a\n- b\n", "x".repeat(comment));
        assert_eq!(cut(&of(16_000), 1).len(), 2);
        assert_eq!(cut(&of(20_000), 1), []);
    }

    #[test]
    fn what_may_depend_on_all_of_it_is_not_cut() {
        for text in [
            "Artifacts:\n- a\n- b\nDefaults:\n  c: d\n",
            "Artifacts:\n- a\n- b\nArtifacts:\n- c\n",
            "- &a b\n- c\n",
            "- a\n- *b\n",
            "- a\n- b: c: d\n- e\n",
            "- a\n- b\n---\n- c\n",
            "- a\n- b\n...\n",
            "a: b\nc: d\n",
            "a:\n- b\n- c\n",
            "Artifacts: []\n",
            "",
        ] {
            assert_eq!(cut(text, 1), [], "{text:?}");
        }
    }
}
