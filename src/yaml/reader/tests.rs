use super::*;
use crate::yaml::{Node, NodeId};

/// Returns the tree of a node, in one line.
fn show(tree: &Tree<'_>, id: NodeId) -> String {
    match tree.node(id) {
        Node::Scalar(scalar) => scalar.value.to_owned(),
        Node::Sequence(items) => {
            format!("[{}]", items.map(|item| show(tree, item)).collect::<Vec<_>>().join(", "))
        }
        Node::Mapping(entries) => {
            let entries = entries.map(|(k, v)| format!("{}: {}", show(tree, k), show(tree, v)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Node::Streamed => "…".into(),
        Node::Alias(alias) => format!("*{}", show(tree, alias.target)),
        Node::RecursiveAlias => "*recursive".into(),
        Node::UnknownAlias => "*unknown".into(),
    }
}

fn pieces(text: &str) -> Vec<String> {
    let mut reader = Reader::new(text, 0..text.len(), "Artifacts");
    let mut all = Vec::new();
    while let Some(piece) = reader.next_piece() {
        let tree = reader.tree();
        all.push(match piece {
            Piece::List { root, .. } => {
                format!("list {}", root.map(|root| show(tree, root)).unwrap_or_default())
            }
            Piece::Item(item) => format!("item {}", show(tree, item)),
            Piece::Document { root } => {
                format!("document {}", root.map(|root| show(tree, root)).unwrap_or_default())
            }
            Piece::Broken { error, root } => {
                let root = root.map(|root| show(tree, root)).unwrap_or_default();
                format!("broken {} {root}", error.message)
            }
        });
    }
    all
}

#[test]
fn documents_lists_and_wrapped_lists() {
    assert_eq!(
        pieces("a: 1\n---\n---\nb: [x, {y: z}]\n"),
        ["document {a: 1}", "document ", "document {b: [x, {y: z}]}",]
    );
    assert_eq!(pieces("- a: 1\n- b\n"), ["list ", "item {a: 1}", "item b", "document …"]);
    assert_eq!(
        pieces("D: {x: y}\nArtifacts:\n- a: 1\n- b: 2\nE: f\n"),
        [
            "list {D: {x: y}, Artifacts: …}",
            "item {a: 1}",
            "item {b: 2}",
            "document {D: {x: y}, Artifacts: …, E: f}",
        ]
    );
    assert_eq!(pieces("x: {Artifacts: [1]}\n"), ["document {x: {Artifacts: [1]}}"]);
}

#[test]
fn anchors_outlive_their_item() {
    assert_eq!(
        pieces(
            "- a: &one {x: &two [y, *one]}\n  z: q\n- b: [*two, *one]\n- c: &three \"\\u0041\"\n- [*three, *two, *four]\n"
        ),
        [
            "list ",
            "item {a: {x: [y, *recursive]}, z: q}",
            "item {b: [*[y, *recursive], *{x: [y, *recursive]}]}",
            "item {c: A}",
            "item [*A, *[y, *recursive], *unknown]",
            "document …",
        ]
    );
}

#[test]
fn anchors_end_with_their_document() {
    assert_eq!(pieces("a: &x 1\n---\nb: *x\n"), ["document {a: 1}", "document {b: *unknown}"]);
}

#[test]
fn a_broken_document_hides_no_other() {
    assert_eq!(
        pieces("a: 1\nb: \"x\n---\nc: 2\n---\n- d\n- [e\n---\nf: 3\n"),
        [
            "broken this double quote is never closed {a: 1}",
            "document {c: 2}",
            "list ",
            "item d",
            "broken this `[` is never closed ",
            "document {f: 3}",
        ]
    );
}

#[test]
fn spans_cover_what_is_written() {
    let text = "\u{FEFF}é: &a !!str 'x y'\nlist:\n- a: 1\n  b: |\n    t\n\nend: 1\n";
    let mut reader = Reader::new(text, 0..text.len(), "Artifacts");
    let Some(Piece::Document { root: Some(root) }) = reader.next_piece() else { panic!() };
    let tree = reader.tree();
    let at = |id: NodeId| &text[tree.span(id).range()];
    let Node::Mapping(entries) = tree.node(root) else { panic!() };
    let entries: Vec<_> = entries.collect();
    assert_eq!(at(entries[0].0), "é");
    assert_eq!(at(entries[0].1), "'x y'");
    assert_eq!(&text[tree.tag_span(entries[0].1).range()], "!!str");
    assert_eq!(at(entries[1].1), "a: 1\n  b: |\n    t");
    assert_eq!(at(root), text["\u{FEFF}".len()..].trim_end());
}

#[test]
fn a_part_has_the_offsets_of_the_whole() {
    let text = "a: 1\n---\nb: 'x\n";
    let mut reader = Reader::new(text, 5..text.len(), "Artifacts");
    let Some(Piece::Broken { error, .. }) = reader.next_piece() else { panic!() };
    assert_eq!(&text[error.span.range()], "'");
    assert_eq!(error.span.start, 12);
}

#[test]
fn nesting_and_size_are_bounded() {
    let deep = format!("a: {}\n---\nb: 1\n", "[".repeat(100_000));
    assert_eq!(
        pieces(&deep),
        ["broken lists and mappings are nested more than 255 deep {a: []}", "document {b: 1}"]
    );
    let wide = format!("a: [{}]\n---\nb: 1\n", "x,".repeat(MAX_NODES + 10));
    let pieces = pieces(&wide);
    assert!(pieces[0].starts_with("broken more than 1048576 values"), "{}", &pieces[0][..60]);
    assert_eq!(pieces[1], "document {b: 1}");
}
