//! Compares the reader of regular text with the parser, for tests and fuzzing.

use super::piece::Piece;
use super::reader::Reader;
use super::sections::sections;
use super::tree::{Kind, NodeId, Tree};

/// Reads `text` both ways and returns the first difference: in the pieces, their nodes, or the
/// nodes' kinds, tags, spans and values.
#[must_use]
pub fn difference(text: &str, list_key: &'static str) -> Option<String> {
    let mut reader = Reader::new(text, 0..text.len(), list_key);
    let mut parser = Reader::of_parser(text, 0..text.len(), list_key);
    for number in 0.. {
        let (ours, theirs) = (reader.next_piece(), parser.next_piece());
        let (shown, wanted) = (show(ours.as_ref(), &reader), show(theirs.as_ref(), &parser));
        if shown != wanted {
            return Some(format!("{text:?}, piece {number}\n reader: {shown}\n parser: {wanted}"));
        }
        if theirs.is_none() {
            break;
        }
    }
    None
}

/// Reads `text` as a whole and in sections of single items, and returns the first difference in
/// their pieces. `None` also where it cannot be cut.
#[must_use]
pub fn section_difference(text: &str, list_key: &'static str) -> Option<String> {
    let sections = sections(text, &(0..text.len()), list_key, 1);
    if sections.is_empty() {
        return None;
    }
    let mut whole = Reader::new(text, 0..text.len(), list_key);
    let mut last = None;
    for (number, section) in sections.iter().enumerate() {
        let mut reader = Reader::of_section(text, section, list_key);
        let head = reader.next_piece();
        let shown = show(head.as_ref(), &reader);
        let wanted = match &last {
            None => {
                let piece = whole.next_piece();
                show(piece.as_ref(), &whole)
            }
            Some(first) => String::clone(first),
        };
        if shown != wanted {
            return Some(format!("{text:?}, section {number}\n: {shown}\n whole: {wanted}"));
        }
        last = Some(shown);
        loop {
            let piece = reader.next_piece();
            if section.goes_on && matches!(piece, Some(Piece::Document { .. })) {
                break;
            }
            let theirs = whole.next_piece();
            let (shown, wanted) = (show(piece.as_ref(), &reader), show(theirs.as_ref(), &whole));
            if shown != wanted {
                return Some(format!("{text:?}, section {number}\n: {shown}\n whole: {wanted}"));
            }
            if piece.is_none() {
                break;
            }
        }
    }
    None
}

/// Returns a piece with all that can be seen of it.
fn show(piece: Option<&Piece>, reader: &Reader<'_>) -> String {
    let tree = reader.tree();
    let root = match piece {
        None => return "end".to_owned(),
        Some(Piece::List { root, .. } | Piece::Document { root } | Piece::Broken { root, .. }) => {
            *root
        }
        Some(Piece::Item(item)) => Some(*item),
    };
    let head = match piece {
        Some(Piece::List { document, .. }) => format!("list, document at {document}"),
        Some(Piece::Broken { error, .. }) => format!("{error:?}, open: {:?}", tree.partial),
        Some(Piece::Item(_)) => "item".to_owned(),
        _ => "document".to_owned(),
    };
    root.map_or_else(|| head.clone(), |root| format!("{head}{}", nodes(tree, root)))
}

/// Returns the nodes of a subtree. Where a tree keeps values and nodes is not part of it.
fn nodes(tree: &Tree<'_>, NodeId(root): NodeId) -> String {
    let mut all = String::new();
    for id in root..root + tree.raw(root).size {
        let raw = tree.raw(id);
        let value = match tree.node(NodeId(id)) {
            super::Node::Scalar(scalar) => scalar.value.to_owned(),
            super::Node::Alias(alias) => {
                format!("&{:?} {}", alias.anchor, nodes(tree, alias.target))
            }
            _ => String::new(),
        };
        let place = match raw.kind {
            // Of a value that stands in the text, spans of parts are found by its place.
            Kind::Scalar(_) if !raw.cooked => format!("{:?}", raw.value),
            _ => String::new(),
        };
        let (kind, tag, span, size) = (raw.kind, raw.tag, raw.span.range(), raw.size);
        let (cooked, start) = (raw.cooked, raw.tag_start);
        all += &format!(
            "\n  {}: {kind:?} {tag:?} {start} {span:?} {size} {cooked} {value:?} {place}",
            id - root
        );
    }
    all
}
