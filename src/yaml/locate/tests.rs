use proptest::prelude::*;

use crate::yaml::{Node, Piece, Reader, Scalar};

/// Returns the value of `k` in `text`, given to `look`.
fn with_value<T>(text: &str, look: impl Fn(&Scalar<'_>) -> T) -> Option<T> {
    let mut reader = Reader::new(text, 0..text.len(), "Artifacts");
    let Some(Piece::Document { root: Some(root) }) = reader.next_piece() else {
        return None;
    };
    let Node::Mapping(mut entries) = reader.tree().node(root) else {
        return None;
    };
    let (_, value) = entries.next()?;
    match reader.tree().node(value) {
        Node::Scalar(scalar) => Some(look(&scalar)),
        _ => None,
    }
}

fn found(text: &str, part: &str) -> String {
    with_value(text, |scalar| {
        let start = scalar.value.find(part).expect("part");
        text[scalar.locate(start..start + part.len()).range()].to_owned()
    })
    .expect("a scalar")
}

#[test]
fn escapes_quotes_and_folds_are_followed_back() {
    assert_eq!(found("k: a b#c\n", "#"), "#");
    assert_eq!(found("k: 'it''s'\n", "'"), "''");
    assert_eq!(found("k: \"a\\tb\"\n", "\t"), "\\t");
    assert_eq!(found("k: \"\\ud83d\\ude00x\"\n", "😀"), "\\ud83d\\ude00");
    assert_eq!(found("k: \"a\\\n   b\"\n", "b"), "b");
    assert_eq!(found("k: one\n  two\n\n  three\n", " "), "\n  ");
    assert_eq!(found("k: one\n  two\n\n  three\n", "\n"), "\n\n  ");
    assert_eq!(found("k: |\n  one\n  two\n", "two"), "two");
    assert_eq!(found("k: |\n  one\n  two\n", "\n"), "\n");
    assert_eq!(found("k: |\r\n  one\r\n  two\r\n", "\n"), "\r\n");
    assert_eq!(found("k: >\n\n  one\n  two\n   more\n  last\n", "more"), "more");
    assert_eq!(found("k: >\n\n  one\n  two\n   more\n  last\n", "last"), "last");
    assert_eq!(found("k: |2\n    one\n   x\n", "x"), "x");
}

fn style() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("k: "),
        Just("k: '"),
        Just("k: \""),
        Just("k: |\n  "),
        Just("k: >\n  "),
        Just("k: |+\n   "),
        Just("k: >-\n\n  "),
        Just("k: >2\n    "),
    ]
}

proptest! {
    /// Every character of a value is found where it is written, or where an escape or fold makes it.
    #[test]
    fn every_character_is_found(
        style in style(),
        body in proptest::collection::vec(
            prop_oneof!["[a-zé]{1,3}", Just("\n  ".into()), Just("\n\n  ".into()), Just("\n   ".into()),
                Just(" ".into()), Just("''".into()), Just("\\n".into()), Just("\\x41".into())], 1..9),
    ) {
        let close = style.chars().last().filter(|c| matches!(c, '\'' | '"'));
        let text = format!("{style}{}{}\n", body.concat(), close.map(String::from).unwrap_or_default());
        with_value(&text, |scalar| {
            let mut last = 0;
            for (at, c) in scalar.value.char_indices() {
                let span = scalar.locate(at..at + c.len_utf8());
                let raw = &text[span.range()];
                assert!(span.start >= last, "{text:?} {at}: {raw:?} goes back");
                last = span.start;
                match c {
                    '\n' | ' ' | '\'' => assert!(!raw.is_empty() || at + 1 == scalar.value.len(), "{text:?}"),
                    c => assert!(raw == c.to_string() || raw.starts_with('\\'),
                        "{text:?} {at}: {c:?} at {raw:?}"),
                }
            }
        });
    }
}
