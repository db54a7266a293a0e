//! The parser's events to nodes, a piece at a time.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser as granit;

use super::piece::Piece;
use super::style::Style;
use super::syntax::{self, SyntaxError, Where};
use super::tree::{Anchor, Kind, NodeId, Raw, Tag, Tree};
use crate::source::Span;

/// The maximum number of nodes of one document, or of one item of a list with its anchored nodes.
/// The largest valid artifact has about 300.
pub(super) const MAX_NODES: usize = 1 << 20;

/// Characters that a key may have before its `:`. YAML says 1024; the service allows property
/// keys of 2500, each of which may be written as an escape.
const KEY_LOOKAHEAD: usize = 32 << 10;

/// The number of block collections that may be open in an item that is read alone. It is far below
/// the parser's limit, which counts those around the item too.
const ITEM_NESTING: usize = 100;

/// The part of the text behind a document.
pub(super) enum Next {
    /// A document, and the place of its `---` if it has one.
    Document(Option<u32>),
    /// Something that is broken.
    Piece(Piece),
    /// Nothing.
    End,
}

/// Reads documents with the parser.
pub(super) struct Parsed<'t> {
    parser: granit::Parser<'t, granit::StrInput<'t>>,
    tree: Tree<'t>,
    base: usize,
    list_key: &'static str,
    open: Vec<Open>,
    /// The start of the current document.
    document: u32,
    /// The part of the tree that stays when the current item is dropped.
    kept: Mark,
    /// Anchors of the current item.
    fresh_anchors: Vec<u32>,
    /// The item handed over last.
    item: Option<u32>,
    last_scalar: Option<Span>,
    broken: bool,
    ended: bool,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    node: u32,
    children: u32,
    /// The end of the last child.
    end: u32,
    flow: bool,
    streamed: bool,
    /// True if the last child is the list key.
    at_list_key: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    nodes: usize,
    cooked: usize,
}

impl<'t> Parsed<'t> {
    /// Reads the bytes `part` of `text`.
    pub(super) fn new(text: &'t str, part: Range<usize>, list_key: &'static str) -> Self {
        Self::with_nesting(text, part, list_key, granit::Options::default().block_nesting_limit)
    }

    /// Reads the bytes `part` of `text`, which are one item of a list.
    pub(super) fn of_item(text: &'t str, part: Range<usize>, list_key: &'static str) -> Self {
        Self::with_nesting(text, part, list_key, ITEM_NESTING)
    }

    fn with_nesting(
        text: &'t str,
        part: Range<usize>,
        list_key: &'static str,
        nesting: usize,
    ) -> Self {
        let mut options = granit::options! {
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            simple_key_max_lookahead: KEY_LOOKAHEAD,
        };
        options.set_emit_comments(false);
        options.block_nesting_limit = nesting;
        let base = part.start;
        let input = text.get(part).unwrap_or("");
        Self {
            parser: granit::Parser::new_from_str_with_options(input, options),
            tree: Tree::new(text),
            base,
            list_key,
            open: Vec::with_capacity(8),
            document: 0,
            kept: Mark::default(),
            fresh_anchors: Vec::new(),
            item: None,
            last_scalar: None,
            broken: false,
            ended: false,
        }
    }

    /// Returns the nodes of the piece handed over last.
    pub(super) const fn tree(&self) -> &Tree<'t> {
        &self.tree
    }

    /// Returns the next piece, or `None` at the end.
    pub(super) fn next_piece(&mut self) -> Option<Piece> {
        self.resume();
        while !self.ended {
            match self.parser.next_event() {
                None => self.ended = true,
                Some(Ok((event, span))) => {
                    let piece = self.take(event, &span);
                    if self.tree.nodes.len() > MAX_NODES {
                        let at = self.span(&span);
                        return Some(self.break_off(syntax::too_many_values(at, MAX_NODES)));
                    }
                    if piece.is_some() {
                        return piece;
                    }
                }
                Some(Err(error)) => {
                    let error = syntax::explain(error.kind(), &self.place(&error));
                    return Some(self.break_off(error));
                }
            }
        }
        None
    }

    /// Goes to the next document, from the end of one.
    pub(super) fn next_document(&mut self) -> Next {
        self.resume();
        while !self.ended {
            match self.parser.next_event() {
                None => self.ended = true,
                Some(Ok((event, span))) => {
                    let begins = matches!(event, granit::Event::DocumentStart(..));
                    let is_explicit = matches!(event, granit::Event::DocumentStart(true, ..));
                    if let Some(piece) = self.take(event, &span) {
                        return Next::Piece(piece);
                    }
                    if begins {
                        return Next::Document(is_explicit.then_some(self.document));
                    }
                }
                Some(Err(error)) => {
                    let error = syntax::explain(error.kind(), &self.place(&error));
                    return Next::Piece(self.break_off(error));
                }
            }
        }
        Next::End
    }

    /// Returns whether the list that the last piece is an item of ends with it, and the text with
    /// the list, and the item would be the same anywhere: nothing in it can be named elsewhere or
    /// names something there, it has no tag, which a directive may give another meaning, and no
    /// empty value, whose place may depend on what follows.
    pub(super) fn is_lone_item(&mut self) -> bool {
        let depends = |raw: &Raw| match raw.kind {
            _ if raw.tag != Tag::None => true,
            Kind::Alias | Kind::RecursiveAlias | Kind::UnknownAlias => true,
            Kind::Scalar(Style::Literal | Style::Folded) => {
                let value = self.tree.cooked.get(raw.value.range()).unwrap_or("");
                !raw.cooked || value.trim().is_empty()
            }
            Kind::Scalar(_) => raw.span.is_empty(),
            _ => false,
        };
        if !self.tree.anchors.is_empty() || self.tree.nodes.iter().any(depends) {
            return false;
        }
        loop {
            match self.parser.next_event() {
                None => return true,
                Some(Ok((event, _))) => match event {
                    granit::Event::SequenceEnd
                    | granit::Event::DocumentEnd
                    | granit::Event::StreamEnd => {}
                    _ => return false,
                },
                Some(Err(_)) => return false,
            }
        }
    }

    /// Drops the last item, and goes to the next document behind one that broke off.
    fn resume(&mut self) {
        self.release_item();
        if self.broken {
            self.broken = false;
            self.clear();
            self.ended = !self.parser.proceed_next_document().unwrap_or(false);
        }
    }

    fn take(&mut self, event: granit::Event<'t>, place: &granit::Span) -> Option<Piece> {
        use granit::Event;
        let span = self.span(place);
        match event {
            Event::DocumentStart(..) => {
                self.clear();
                self.document = span.start;
                None
            }
            Event::DocumentEnd => Some(Piece::Document { root: self.root() }),
            Event::Scalar(value, style, anchor, tag) => {
                let style = style_of(style);
                let span = if matches!(style, Style::Literal | Style::Folded) {
                    without_trailing_empty_lines(self.tree.text, span)
                } else {
                    span
                };
                self.last_scalar = Some(span);
                let is_list_key = style == Style::Plain && value == self.list_key;
                let (value, cooked) = self.keep_value(value);
                let (tag, tag_start) = self.tag(tag.as_deref(), place);
                let kind = Kind::Scalar(style);
                let node =
                    self.push(Raw { kind, tag, cooked, tag_start, span, size: 1, value }, anchor);
                self.complete(node, is_list_key)
            }
            Event::SequenceStart(style, anchor, tag) => {
                let streamed = anchor == 0 && tag.is_none() && self.may_stream();
                let kind = if streamed { Kind::Streamed } else { Kind::Sequence };
                self.start(kind, style, anchor, tag.as_deref(), place);
                streamed.then(|| self.begin_list())
            }
            Event::MappingStart(style, anchor, tag) => {
                self.start(Kind::Mapping, style, anchor, tag.as_deref(), place);
                None
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop()?;
                self.close(&open, open.flow.then_some(span.end));
                self.complete(open.node, false)
            }
            Event::Alias(id) => {
                let id = to_u32(id);
                let target = self.tree.anchors.get(&id).map(|anchor| anchor.node);
                let inside = self.open.iter().any(|open| Some(open.node) == target);
                let kind = if inside { Kind::RecursiveAlias } else { Kind::Alias };
                self.push_alias(kind, id, span)
            }
            Event::UnresolvedAlias(_) => self.push_alias(Kind::UnknownAlias, 0, span),
            Event::Anchor(id, _) => {
                if let Some(anchor) = self.tree.anchors.get_mut(&to_u32(id)) {
                    anchor.span = span;
                }
                None
            }
            // The ends of the stream, comments (switched off), and events yet to be invented.
            _ => None,
        }
    }

    /// Returns the root, if the document is not empty.
    fn root(&self) -> Option<NodeId> {
        let root = self.tree.nodes.first()?;
        let nothing = matches!(root.kind, Kind::Scalar(Style::Plain))
            && root.span.is_empty()
            && root.tag == Tag::None;
        (!nothing).then_some(NodeId(0))
    }

    fn start(
        &mut self,
        kind: Kind,
        style: granit::StructureStyle,
        anchor: usize,
        tag: Option<&granit::Tag>,
        place: &granit::Span,
    ) {
        let span = self.span(place);
        let (tag, tag_start) = self.tag(tag, place);
        let value = Span::default();
        let raw = Raw { kind, tag, cooked: false, tag_start, span, size: 1, value };
        let node = self.push(raw, anchor);
        self.open.push(Open {
            node,
            children: 0,
            end: span.end,
            flow: style == granit::StructureStyle::Flow,
            streamed: kind == Kind::Streamed,
            at_list_key: false,
        });
    }

    fn push_alias(&mut self, kind: Kind, id: u32, span: Span) -> Option<Piece> {
        let value = Span::empty(id);
        let tag_start = span.start;
        let raw = Raw { kind, tag: Tag::None, cooked: false, tag_start, span, size: 1, value };
        let node = self.push(raw, 0);
        self.complete(node, false)
    }

    fn push(&mut self, raw: Raw, anchor: usize) -> u32 {
        let node = to_u32(self.tree.nodes.len());
        if anchor != 0 {
            let id = to_u32(anchor);
            self.tree.anchors.insert(id, Anchor { node, span: raw.span });
            self.fresh_anchors.push(id);
        }
        self.tree.nodes.push(raw);
        node
    }

    /// Notes that a child of the innermost open collection is complete.
    fn complete(&mut self, node: u32, is_list_key: bool) -> Option<Piece> {
        let end = self.tree.raw(node).span.end;
        let parent = self.open.last_mut()?;
        parent.children += 1;
        parent.end = parent.end.max(end);
        parent.at_list_key = is_list_key && parent.children % 2 == 1;
        if parent.streamed {
            self.item = Some(node);
            return Some(Piece::Item(NodeId(node)));
        }
        None
    }

    /// Ends of block collections are given as the next token; the last child's end is meant.
    fn close(&mut self, open: &Open, flow_end: Option<u32>) {
        let size = to_u32(self.tree.nodes.len()) - open.node;
        let raw = &mut self.tree.nodes[open.node as usize];
        raw.size = size;
        raw.span.end = flow_end.unwrap_or(open.end).max(raw.span.start);
    }

    fn may_stream(&self) -> bool {
        match self.open.as_slice() {
            [] => true,
            [root] => root.at_list_key && self.tree.raw(root.node).kind == Kind::Mapping,
            _ => false,
        }
    }

    fn begin_list(&mut self) -> Piece {
        self.fresh_anchors.clear();
        self.kept = Mark { nodes: self.tree.nodes.len(), cooked: self.tree.cooked.len() };
        let root = (self.open.len() > 1).then_some(NodeId(0));
        if root.is_some() {
            self.tree.nodes[0].size = to_u32(self.tree.nodes.len());
        }
        Piece::List { root, document: self.document }
    }

    /// Drops the last item, except its anchored nodes.
    fn release_item(&mut self) {
        if self.item.take().is_none() {
            return;
        }
        let tree = &mut self.tree;
        if self.fresh_anchors.is_empty() {
            tree.nodes.truncate(self.kept.nodes);
            tree.cooked.truncate(self.kept.cooked);
            return;
        }
        let node_of = |id: &u32| tree.anchors.get(id).map_or(0, |anchor| anchor.node as usize);
        self.fresh_anchors.sort_by_key(node_of);
        let (mut to, mut end, mut moved_by) = (self.kept.nodes, 0, 0);
        for id in self.fresh_anchors.drain(..) {
            let Some(anchor) = tree.anchors.get_mut(&id) else {
                continue;
            };
            let from = anchor.node as usize;
            if from >= end {
                end = from + tree.nodes[from].size as usize;
                moved_by = from - to;
                tree.nodes.copy_within(from..end, to);
                to += end - from;
            }
            anchor.node = to_u32(from - moved_by);
        }
        tree.nodes.truncate(to);
        self.kept = Mark { nodes: to, cooked: tree.cooked.len() };
    }

    fn break_off(&mut self, error: SyntaxError) -> Piece {
        self.broken = true;
        self.item = None;
        let streamed = self.open.iter().any(|open| open.streamed);
        while let Some(open) = self.open.pop() {
            self.close(&open, None);
            self.tree.partial.push(open.node);
            if let Some(parent) = self.open.last_mut() {
                parent.end = parent.end.max(self.tree.nodes[open.node as usize].span.end);
            }
        }
        let root = (!streamed && !self.tree.nodes.is_empty()).then_some(NodeId(0));
        Piece::Broken { error, root }
    }

    fn clear(&mut self) {
        self.tree.nodes.clear();
        self.tree.cooked.clear();
        self.tree.anchors.clear();
        self.tree.partial.clear();
        self.open.clear();
        self.fresh_anchors.clear();
        self.kept = Mark::default();
        self.item = None;
        self.last_scalar = None;
    }

    fn place<'p>(&'p self, error: &granit::ScanError) -> Where<'p> {
        let at = error.marker().byte_offset().unwrap_or_default() + self.base;
        let start_of = |open: &Open| self.tree.raw(open.node).span.start;
        Where {
            text: self.tree.text,
            document: self.document as usize,
            at,
            open_flow: self.open.iter().rev().find(|open| open.flow).map(start_of),
            open_blocks: self.open.iter().filter(|open| !open.flow).map(start_of).collect(),
            last_scalar: self.last_scalar,
        }
    }

    /// Values that stand in the source as they are need no copy.
    fn keep_value(&mut self, value: Cow<'t, str>) -> (Span, bool) {
        match value {
            Cow::Borrowed(value) => {
                let start = value.as_ptr() as usize;
                let text = self.tree.text.as_ptr() as usize;
                // An implicit null is given as a `~` that is not in the source.
                if (text..=text + self.tree.text.len()).contains(&start) {
                    (Span::new(start - text..start - text + value.len()), false)
                } else {
                    (Span::default(), false)
                }
            }
            Cow::Owned(value) => {
                let start = self.tree.cooked.len();
                self.tree.cooked.push_str(&value);
                (Span::new(start..self.tree.cooked.len()), true)
            }
        }
    }

    fn tag(&self, tag: Option<&granit::Tag>, place: &granit::Span) -> (Tag, u32) {
        let start = place.tag_start().and_then(|at| at.byte_offset());
        let start = start.map_or(0, |at| to_u32(at + self.base));
        let Some(tag) = tag else {
            return (Tag::None, start);
        };
        let kind = match tag.core_suffix() {
            Some("str") => Tag::Text,
            Some("map") => Tag::Mapping,
            Some("seq") => Tag::Sequence,
            None if tag.parts() == ("", "!") || tag.parts() == ("!", "") => Tag::Text,
            _ => Tag::Other,
        };
        (kind, start)
    }

    fn span(&self, place: &granit::Span) -> Span {
        let range = place.byte_range().unwrap_or_default();
        Span::new(range.start + self.base..range.end + self.base)
    }
}

pub(super) fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const fn style_of(style: granit::ScalarStyle) -> Style {
    match style {
        granit::ScalarStyle::Plain => Style::Plain,
        granit::ScalarStyle::SingleQuoted => Style::Single,
        granit::ScalarStyle::DoubleQuoted => Style::Double,
        granit::ScalarStyle::Literal => Style::Literal,
        granit::ScalarStyle::Folded => Style::Folded,
    }
}

/// Spans of block scalars include trailing empty lines.
fn without_trailing_empty_lines(text: &str, span: Span) -> Span {
    let raw = text.get(span.range()).unwrap_or("");
    let start = raw.len() - raw.trim_start_matches([' ', '\t', '\n', '\r']).len();
    let length = raw.trim_end_matches([' ', '\t', '\n', '\r']).len();
    let from = span.start as usize;
    if length <= start { Span::empty(span.start) } else { Span::new(from + start..from + length) }
}
