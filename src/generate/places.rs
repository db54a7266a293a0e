//! The places of the values of a YAML document that `serde` has read.
//!
//! In: the text of a document. Out: a tree of the places of its keys and values, to be walked down the
//! same steps as the values. A document that the parser cannot read has no places.

use crate::source::Span;
use crate::yaml::{self, Node, NodeId, Piece, Reader, Tree};

/// The place of a value, and of those within it.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The place of all of it.
    pub(super) span: Span,
    /// The place of the text that it is without its quotes, if it is one and has no escape.
    pub(super) text: Option<Span>,
    within: Within,
}

#[derive(Debug, Default)]
enum Within {
    #[default]
    Nothing,
    List(Vec<Places>),
    Map(Vec<(String, Places)>),
}

/// Aliases within aliases that are followed.
const DEPTH: usize = 64;

impl Places {
    /// Returns the places of the first document of `text`.
    pub(super) fn read(text: &str) -> Self {
        let Some(part) = yaml::parts(text).into_iter().next() else { return Self::default() };
        // No list of these documents is handed over item by item.
        let mut reader = Reader::new(text, part, "");
        let mut items = Vec::new();
        while let Some(piece) = reader.next_piece() {
            match piece {
                Piece::List { .. } => {}
                Piece::Item(item) => items.push(of(reader.tree(), item, 0)),
                Piece::Document { root: Some(root) } => {
                    let mut places = of(reader.tree(), root, 0);
                    if !items.is_empty() {
                        places.within = Within::List(items);
                    }
                    return places;
                }
                Piece::Document { root: None } | Piece::Broken { .. } => break,
            }
        }
        Self::default()
    }

    /// Returns the places of the member `key`.
    pub(super) fn key(&self, key: &str) -> Option<&Self> {
        let Within::Map(members) = &self.within else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, places)| places)
    }

    /// Returns the places of the item `index`.
    pub(super) fn item(&self, index: usize) -> Option<&Self> {
        let Within::List(items) = &self.within else { return None };
        items.get(index)
    }
}

fn of(tree: &Tree<'_>, id: NodeId, depth: usize) -> Places {
    let span = tree.span(id);
    match tree.node(id) {
        Node::Scalar(scalar) => {
            let inner = scalar.locate(0..scalar.value.len());
            let text = (scalar.source(inner) == scalar.value).then_some(inner);
            Places { span, text, within: Within::Nothing }
        }
        Node::Sequence(items) => {
            let within = Within::List(items.map(|item| of(tree, item, depth + 1)).collect());
            Places { span, text: None, within }
        }
        Node::Mapping(entries) => {
            let member = |(key, value): (NodeId, NodeId)| match tree.node(key) {
                Node::Scalar(key) => Some((key.value.to_owned(), of(tree, value, depth + 1))),
                _ => None,
            };
            let within = Within::Map(entries.filter_map(member).collect());
            Places { span, text: None, within }
        }
        // The alias is where somebody looks; what it stands for has its own place.
        Node::Alias(alias) if depth < DEPTH => Places { span, ..of(tree, alias.target, depth + 1) },
        _ => Places { span, ..Places::default() },
    }
}
