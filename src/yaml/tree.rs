//! Nodes in one flat vector, in the order of the text: 28 bytes each, children right after their
//! parent, so that a subtree is a range.

use std::collections::HashMap;

use super::locate;
use super::style::Style;
use crate::source::Span;

/// A node of a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// The explicit tag of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// None.
    None,
    /// `!!str`, or the non-specific `!`, which makes a scalar a string too.
    Text,
    /// `!!map`.
    Mapping,
    /// `!!seq`.
    Sequence,
    /// Any other.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(Style),
    Sequence,
    /// A sequence whose items were passed on one by one and are not in the tree.
    Streamed,
    Mapping,
    Alias,
    RecursiveAlias,
    UnknownAlias,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Raw {
    pub(super) kind: Kind,
    pub(super) tag: Tag,
    /// True if the value is in `cooked` rather than in the source.
    pub(super) cooked: bool,
    pub(super) tag_start: u32,
    pub(super) span: Span,
    /// Nodes of the subtree, this one included.
    pub(super) size: u32,
    /// Bytes of a scalar's value; the anchor's id in an alias.
    pub(super) value: Span,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    pub(super) node: u32,
    pub(super) span: Span,
}

/// The nodes of a document, or of one of its items together with the anchored nodes.
#[derive(Debug)]
pub struct Tree<'t> {
    pub(super) text: &'t str,
    pub(super) nodes: Vec<Raw>,
    pub(super) cooked: String,
    pub(super) anchors: HashMap<u32, Anchor>,
    /// The collections that were open at a syntax error.
    pub(super) partial: Vec<u32>,
}

/// A node to look at.
#[derive(Debug, Clone)]
pub enum Node<'a> {
    /// A text, number, boolean or null.
    Scalar(Scalar<'a>),
    /// A list.
    Sequence(Items<'a>),
    /// A list whose items were passed on one by one.
    Streamed,
    /// Keys and values.
    Mapping(Entries<'a>),
    /// `*name` with an anchor in the same document.
    Alias(Alias),
    /// `*name` inside the node that `&name` names.
    RecursiveAlias,
    /// `*name` without an anchor before it.
    UnknownAlias,
}

/// A scalar.
#[derive(Debug, Clone, Copy)]
pub struct Scalar<'a> {
    /// The text that it means.
    pub value: &'a str,
    /// Its span: quotes included, the header of a block scalar left out.
    pub span: Span,
    /// Its style.
    pub style: Style,
    text: &'a str,
}

impl<'a> Scalar<'a> {
    /// A scalar that is written as what it means, at `span` of `text`.
    #[must_use]
    pub fn verbatim(text: &'a str, span: Span) -> Self {
        let value = text.get(span.range()).unwrap_or("");
        Self { value, span, style: Style::Plain, text }
    }

    /// A scalar that means `value`, whatever is written at `span`: parts of it have no place of their own.
    #[must_use]
    pub const fn in_place_of(value: &'a str, span: Span) -> Self {
        Self { value, span, style: Style::Double, text: "" }
    }

    /// Returns the source text that `span` covers.
    #[must_use]
    pub fn source(&self, span: Span) -> &'a str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Returns the header of a block scalar, as in `|-`.
    #[must_use]
    pub fn header(&self) -> Option<Span> {
        if !matches!(self.style, Style::Literal | Style::Folded) {
            return None;
        }
        let head = self.text.get(..self.span.start as usize)?;
        let head = head.trim_end_matches([' ', '\t', '\n', '\r']);
        let start = head.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let line = &head[start..];
        // Comments may contain anything, so the first match is used.
        let fits = |at: usize| {
            let rest = line[at + 1..]
                .trim_start_matches(['-', '+', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
            rest.is_empty() || rest.trim_start_matches([' ', '\t']).starts_with('#')
        };
        let (at, _) = line.match_indices(['|', '>']).find(|(at, _)| fits(*at))?;
        let length = line[at..].find([' ', '\t']).unwrap_or(line.len() - at);
        Some(Span::new(start + at..start + at + length))
    }

    /// Returns the span of the bytes `range` of the value, or of the whole scalar if that is
    /// unknown.
    #[must_use]
    pub fn locate(&self, range: std::ops::Range<usize>) -> Span {
        locate::locate(self.text, self.span, self.style, self.value, range).unwrap_or(self.span)
    }
}

/// An alias.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The node that it stands for.
    pub target: NodeId,
    /// `&name` of it.
    pub anchor: Span,
    /// The number of nodes it stands for.
    pub size: usize,
}

impl<'t> Tree<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            // Most artifacts fit.
            nodes: Vec::with_capacity(64),
            cooked: String::new(),
            anchors: HashMap::new(),
            partial: Vec::new(),
        }
    }

    /// Returns the text that spans are offsets of.
    #[must_use]
    pub const fn text(&self) -> &'t str {
        self.text
    }

    /// Returns the node `id`.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Node<'_> {
        let raw = self.raw(id.0);
        match raw.kind {
            Kind::Scalar(style) => Node::Scalar(self.scalar(raw, style)),
            Kind::Sequence => Node::Sequence(Items(self.children(id.0))),
            Kind::Streamed => Node::Streamed,
            Kind::Mapping => Node::Mapping(Entries(self.children(id.0))),
            Kind::Alias => match self.anchors.get(&raw.value.start) {
                Some(anchor) => Node::Alias(Alias {
                    target: NodeId(anchor.node),
                    anchor: anchor.span,
                    size: self.raw(anchor.node).size as usize,
                }),
                None => Node::UnknownAlias,
            },
            Kind::RecursiveAlias => Node::RecursiveAlias,
            Kind::UnknownAlias => Node::UnknownAlias,
        }
    }

    /// Returns the span of `id`. Of collections in block style, to the end of the last child.
    #[must_use]
    pub fn span(&self, id: NodeId) -> Span {
        self.raw(id.0).span
    }

    /// Returns whether `id` was incomplete at the syntax error of its document.
    #[must_use]
    pub fn is_partial(&self, id: NodeId) -> bool {
        self.partial.contains(&id.0)
    }

    /// Returns the explicit tag of `id`.
    #[must_use]
    pub fn tag(&self, id: NodeId) -> Tag {
        self.raw(id.0).tag
    }

    /// Returns the span of the explicit tag of `id`.
    #[must_use]
    pub fn tag_span(&self, id: NodeId) -> Span {
        let start = self.raw(id.0).tag_start as usize;
        let rest = self.text.get(start..).unwrap_or("");
        let length = rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}'))
            .unwrap_or(rest.len());
        Span::new(start..start + length)
    }

    pub(super) fn raw(&self, id: u32) -> &Raw {
        &self.nodes[id as usize]
    }

    fn scalar<'a>(&'a self, raw: &Raw, style: Style) -> Scalar<'a> {
        let from = if raw.cooked { self.cooked.as_str() } else { self.text };
        let value = from.get(raw.value.range()).unwrap_or("");
        Scalar { value, span: raw.span, style, text: self.text }
    }

    fn children(&self, id: u32) -> Children<'_> {
        Children { nodes: &self.nodes, next: id + 1, end: id + self.raw(id).size }
    }
}

#[derive(Debug, Clone)]
struct Children<'a> {
    nodes: &'a [Raw],
    next: u32,
    end: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        if self.next >= self.end {
            return None;
        }
        let id = self.next;
        self.next += self.nodes.get(id as usize)?.size;
        Some(NodeId(id))
    }
}

/// The items of a list.
#[derive(Debug, Clone)]
pub struct Items<'a>(Children<'a>);

impl Iterator for Items<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        self.0.next()
    }
}

/// The keys and values of a mapping. A document with a syntax error may end in a key without a
/// value.
#[derive(Debug, Clone)]
pub struct Entries<'a>(Children<'a>);

impl Iterator for Entries<'_> {
    type Item = (NodeId, NodeId);

    fn next(&mut self) -> Option<(NodeId, NodeId)> {
        Some((self.0.next()?, self.0.next()?))
    }
}
