//! The value at a place of a manifest, and the field that it belongs to.

use std::ops::Range;

use crate::manifest::{ARTIFACTS, DEFAULTS};
use crate::model::{ARTIFACT, Field, Kind, Mapping};
use crate::source::Span;
use crate::yaml::{self, Node, NodeId, Piece, Reader, Tree};

/// A key or a value of a manifest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Value {
    /// The field that it is the name or the value of, or the nearest around it.
    pub(super) field: Option<&'static Field>,
    /// Its span.
    pub(super) span: Span,
    /// The byte that it begins at: of a block scalar, the first of its header.
    pub(super) head: u32,
}

/// The mappings that a node may be.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A document: an artifact, a list of them, or `Defaults` and `Artifacts`.
    Document,
    /// A mapping with these fields, or a list of such.
    Fields(&'static Mapping),
    /// Texts, by keys or not.
    Text,
}

/// Returns the key or the value at the byte `offset` of `text`, as far as the text can be read.
pub(super) fn value_at(text: &str, offset: u32) -> Option<Value> {
    let covers =
        |range: &Range<usize>| range.contains(&(offset as usize)) || range.end == text.len();
    let part = yaml::parts(text).into_iter().find(covers)?;
    let document = yaml::documents(text, part).into_iter().find(covers)?;
    let mut reader = Reader::new(text, document, ARTIFACTS);
    while let Some(piece) = reader.next_piece() {
        let tree = reader.tree();
        let (node, shape) = match piece {
            Piece::List { root: Some(root), .. } | Piece::Document { root: Some(root) } => {
                (root, Shape::Document)
            }
            Piece::Broken { root: Some(root), .. } => (root, Shape::Document),
            Piece::Item(item) => (item, Shape::Fields(&ARTIFACT)),
            _ => continue,
        };
        let mut found = None;
        descend(tree, node, shape, offset, &mut found);
        if found.is_some() {
            return found;
        }
        if tree.span(node).start > offset {
            return None;
        }
    }
    None
}

/// Sets `found` to the innermost scalar at `offset`.
fn descend(tree: &Tree<'_>, node: NodeId, shape: Shape, offset: u32, found: &mut Option<Value>) {
    match tree.node(node) {
        Node::Mapping(entries) => {
            for (key, value) in entries {
                let Node::Scalar(name) = tree.node(key) else { continue };
                let (field, below) = step(shape, name.value);
                let field = field.or(found.and_then(|found| found.field));
                if name.span.touches(offset) {
                    *found = Some(Value { field, span: name.span, head: name.span.start });
                    return;
                }
                // The items of a list of artifacts come by themselves.
                if matches!(tree.node(value), Node::Streamed) {
                    continue;
                }
                let span = tree.span(value);
                let starts = match tree.node(value) {
                    Node::Scalar(scalar) => scalar.header().unwrap_or(span).start,
                    _ => span.start,
                };
                if starts <= offset && offset <= span.end {
                    *found = Some(Value { field, span, head: starts });
                    descend(tree, value, below, offset, found);
                    return;
                }
            }
        }
        Node::Sequence(items) => {
            let shape = if let Shape::Document = shape { Shape::Fields(&ARTIFACT) } else { shape };
            for item in items.filter(|item| tree.span(*item).touches(offset)) {
                descend(tree, item, shape, offset, found);
            }
        }
        Node::Scalar(scalar) if tree.span(node).touches(offset) => {
            let field = found.and_then(|found| found.field);
            let head = scalar.header().unwrap_or(scalar.span).start;
            *found = Some(Value { field, span: scalar.span, head });
        }
        _ => {}
    }
}

/// Returns the field with this name, and what is below it.
fn step(shape: Shape, name: &str) -> (Option<&'static Field>, Shape) {
    let of = match shape {
        Shape::Document if name == DEFAULTS || name == ARTIFACTS => {
            return (None, Shape::Fields(&ARTIFACT));
        }
        Shape::Document => &ARTIFACT,
        Shape::Fields(mapping) => mapping,
        Shape::Text => return (None, Shape::Text),
    };
    let Some(field) = of.field(name) else { return (None, Shape::Text) };
    let below = match field.kind {
        Kind::Mapping(below) | Kind::Pairs { item: below, .. } => Shape::Fields(below),
        Kind::Text(_) | Kind::Choice(_) | Kind::Map { .. } => Shape::Text,
    };
    (Some(field), below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_found_in_every_form_of_a_manifest() {
        let field = |text: &str, at: &str| {
            let offset = u32::try_from(text.find(at).unwrap()).unwrap();
            value_at(text, offset).and_then(|value| value.field).map(|field| field.name)
        };
        let list = "Defaults:\n  Tags:\n  - Key: team\n    Value: lake\nArtifacts:\n\
                    - ArtifactName: one\n  Source: {SourceUri: s3://b/one}\n  Properties:\n    \
                    k: |\n      text\n";
        assert_eq!(field(list, "team"), Some("Key"));
        assert_eq!(field(list, "lake"), Some("Value"));
        assert_eq!(field(list, "one"), Some("ArtifactName"));
        assert_eq!(field(list, "s3:"), Some("SourceUri"));
        assert_eq!(field(list, "text"), Some("Properties"));
        assert_eq!(field(list, "Source:"), Some("Source"));
        assert_eq!(field(list, "ArtifactName"), Some("ArtifactName"));
        assert_eq!(field("- ArtifactType: Model\n", "Model"), Some("ArtifactType"));
        assert_eq!(field("ArtifactType: Model\n---\nSource: [\n", "Source"), Some("Source"));
        assert_eq!(field("ArtifactType: Model # c\n", "# c"), None);
        let many = format!("{}ArtifactName: last\n", "ArtifactType: Model\n---\n".repeat(20_000));
        assert_eq!(field(&many, "last"), Some("ArtifactName"));
        let block = u32::try_from(list.find("text").unwrap()).unwrap();
        assert_eq!(value_at(list, block).unwrap().head as usize, list.find('|').unwrap());
    }
}
