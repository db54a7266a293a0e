//! Nodes: how the tree grows.

use super::scalars::Scalar;
use super::{Irregular, Open, Regular, Regularly};
use crate::source::Span;
use crate::yaml::events::{MAX_NODES, to_u32};
use crate::yaml::style::Style;
use crate::yaml::tree::{Kind, Raw, Tag};

/// The number of collections that may be open at a time. An artifact needs six.
const MAX_DEPTH: usize = 32;

impl Regular<'_> {
    /// Adds `[]` or `{}`, which stands at `at` and ends its line.
    pub(super) fn push_empty(&mut self, kind: Kind, at: usize) -> Regularly<()> {
        self.at = self.line_end(at + 2)?;
        self.push_leaf(kind, Span::new(at..at + 2), Span::default(), false)
    }

    /// Adds the value of the key before `colon`, which has none.
    pub(super) fn null(&mut self, colon: usize) -> Regularly<()> {
        let span = Span::empty(to_u32(colon));
        self.push_leaf(Kind::Scalar(Style::Plain), span, Span::default(), false)
    }

    /// Adds a scalar.
    pub(super) fn push_scalar(&mut self, scalar: &Scalar) -> Regularly<()> {
        self.push_leaf(Kind::Scalar(scalar.style), scalar.span, scalar.value, scalar.cooked)
    }

    fn push_leaf(&mut self, kind: Kind, span: Span, value: Span, cooked: bool) -> Regularly<()> {
        self.push(Raw { kind, tag: Tag::None, cooked, tag_start: 0, span, size: 1, value })?;
        self.extend(span.end);
        Ok(())
    }

    fn push(&mut self, raw: Raw) -> Regularly<()> {
        if self.tree.nodes.len() >= MAX_NODES {
            return Err(Irregular);
        }
        self.tree.nodes.push(raw);
        Ok(())
    }

    /// Begins a collection at `at`, whose children stand at `column`.
    pub(super) fn open(&mut self, kind: Kind, at: usize, column: usize) -> Regularly<()> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Irregular);
        }
        let node = to_u32(self.tree.nodes.len());
        let span = Span::empty(to_u32(at));
        let value = Span::default();
        self.push(Raw { kind, tag: Tag::None, cooked: false, tag_start: 0, span, size: 1, value })?;
        let is_list = kind != Kind::Mapping;
        self.open.push(Open { node, column, end: span.end, is_list });
        Ok(())
    }

    /// Ends the innermost open collection.
    pub(super) fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        if self.streamed.is_some_and(|list| list.depth > self.open.len()) {
            self.streamed = None;
        }
        let size = to_u32(self.tree.nodes.len()) - open.node;
        let raw = &mut self.tree.nodes[open.node as usize];
        raw.size = size;
        raw.span.end = open.end;
        self.extend(open.end);
    }

    /// Notes that the innermost open collection goes up to `end`.
    pub(super) fn extend(&mut self, end: u32) {
        if let Some(parent) = self.open.last_mut() {
            parent.end = parent.end.max(end);
        }
    }
}
