//! The parts that a file is read in, so that all cores can check it.

use std::ops::Range;

use super::{ARTIFACTS, State, Visit};
use crate::diagnostic::{Findings, MARKER};
use crate::yaml::{self, Piece, Reader, Section};

/// Sections of a list have about this many bytes.
const SECTION_BYTES: usize = 256 << 10;

/// A part of a file: whole documents, or a section of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub(super) range: Range<usize>,
    pub(super) section: Option<Section>,
}

impl Part {
    /// Returns the part that `text` is where it is short.
    #[must_use]
    pub const fn whole(text: &str) -> Self {
        Self { range: 0..text.len(), section: None }
    }

    /// Returns the bytes that other parts have too.
    #[must_use]
    pub fn head(&self) -> Range<usize> {
        self.section.as_ref().map_or(0..0, |section| section.head.clone())
    }

    /// Returns the bytes that are in no other part.
    #[must_use]
    pub fn own(&self) -> Range<usize> {
        match &self.section {
            Some(section) if !section.is_first() => section.items.clone(),
            _ => self.range.clone(),
        }
    }
}

/// Returns the parts of `text`, in order. Lists are cut if `cuts_lists`: to know where, they are read
/// once, which only pays if several cores check the parts.
#[must_use]
pub fn parts(text: &str, cuts_lists: bool) -> Vec<Part> {
    parts_of(text, if cuts_lists { SECTION_BYTES } else { usize::MAX / 2 })
}

/// Returns the parts of `text`, with sections of about `size` bytes.
fn parts_of(text: &str, size: usize) -> Vec<Part> {
    let cut = |range: Range<usize>| {
        let sections = match range.len() > 2 * size && !needs_whole(text, range.clone()) {
            true => yaml::sections(text, &range, ARTIFACTS, size),
            false => Vec::new(),
        };
        if sections.len() < 2 {
            return vec![Part { range, section: None }];
        }
        let part = |section: Section| Part {
            range: section.head.start..section.items.end,
            section: Some(section),
        };
        sections.into_iter().map(part).collect()
    };
    yaml::parts(text).into_iter().flat_map(cut).collect()
}

/// Returns whether something in the bytes `range` of `text` may be about more than its artifact: a
/// comment that allows findings, or what makes a document be read in another way.
fn needs_whole(text: &str, range: Range<usize>) -> bool {
    let bytes = text.as_bytes().get(range.clone()).unwrap_or_default();
    memchr::memmem::find(bytes, MARKER.as_bytes()).is_some() || may_be_odd(text, range)
}

/// Returns whether there may be placeholders or odd spaces in the bytes `range` of `text`.
pub(super) fn may_be_odd(text: &str, range: Range<usize>) -> bool {
    has_placeholder(text.get(range.clone()).unwrap_or_default())
        || !yaml::odd_spaces(text, range).is_empty()
}

/// Returns whether there may be a placeholder in `text`.
pub(super) fn has_placeholder(text: &str) -> bool {
    let has = |open: &str| memchr::memmem::find(text.as_bytes(), open.as_bytes()).is_some();
    has("{{") || has("{%")
}

impl State {
    /// Reads a section of a document. What is before its list is reported with the first, and what
    /// is about the whole document with the last.
    pub(super) fn section(
        &mut self,
        text: &str,
        section: &Section,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        // Nothing follows the list that could have defaults.
        self.part = section.head.clone();
        let mut reader = Reader::of_section(text, section, ARTIFACTS);
        while let Some(piece) = reader.next_piece() {
            if section.goes_on && matches!(piece, Piece::Document { .. }) {
                break;
            }
            self.piece(&piece, reader.tree(), findings, visit);
            if !section.is_first() && matches!(piece, Piece::List { .. }) {
                findings.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_unless_something_in_it_is_about_more_than_an_item() {
        let list = "- ArtifactName: a\n".repeat(100);
        let count = |text: &str| parts_of(text, 100).len();
        assert!(count(&list) > 5);
        for odd in ["# lineload: allow x\n", "- {{a}}\n", "- a:\u{a0}b\n"] {
            assert_eq!(count(&format!("{list}{odd}")), 1, "{odd}");
        }
        assert_eq!(parts(&list.repeat(300), false).len(), 1);
        assert!(parts(&list.repeat(300), true).len() > 1);
    }
}
