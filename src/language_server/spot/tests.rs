//! Tests of places in texts that are being written.

use super::*;
use crate::source::FileId;

/// Returns the spot at the `|` of `text`, with what is typed in the place of its span.
fn at(text: &str) -> Option<(Spot, String)> {
    let offset = text.find('|').unwrap();
    let text = text.replacen('|', "", 1);
    let source = SourceFile::new(FileId(0), "f".into(), text.into_bytes());
    let found = spot(&source, u32::try_from(offset).unwrap())?;
    let span = match &found {
        Spot::Key { typed, .. } | Spot::Value { typed, .. } => *typed,
        Spot::Rule(typed) | Spot::Comment(typed) => *typed,
    };
    Some((found, source.slice(span).to_owned()))
}

/// Returns the path to a key as `a.b[]`, its siblings, its layout and what is typed.
fn key_at(text: &str) -> Option<(String, Vec<String>, Layout, String)> {
    match at(text)? {
        (Spot::Key { path, present, layout, .. }, typed) => {
            Some((shown(&path), present, layout, typed))
        }
        _ => None,
    }
}

/// Returns the path to a value and what is typed.
fn value_at(text: &str) -> Option<(String, String)> {
    match at(text)? {
        (Spot::Value { path, .. }, typed) => Some((shown(&path), typed)),
        _ => None,
    }
}

fn shown(path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => format!(".{key}"),
        Step::Item => "[]".to_owned(),
    };
    path.iter().map(step).collect()
}

fn key(
    path: &str,
    present: &[&str],
    layout: Layout,
    typed: &str,
) -> Option<(String, Vec<String>, Layout, String)> {
    let present = present.iter().map(|name| (*name).to_owned()).collect();
    Some((path.to_owned(), present, layout, typed.to_owned()))
}

#[test]
fn keys_are_found_by_their_indentation() {
    assert_eq!(key_at("|"), key("", &[], Layout::Block, ""));
    assert_eq!(key_at("\u{FEFF}Art|"), key("", &[], Layout::Block, "Art"));
    assert_eq!(key_at("a: 1\n\n# c\nTa|\nb: 2\n"), key("", &["a", "b"], Layout::Block, "Ta"));
    assert_eq!(key_at("Source:\n  |"), key(".Source", &[], Layout::Block, ""));
    assert_eq!(key_at("a: 1\n---\n|\n---\nb: 1\n"), key("", &[], Layout::Block, ""));
    assert_eq!(key_at("- |"), key("[]", &[], Layout::Block, ""));
    assert_eq!(key_at("- a: 1\n  b|\n- c: 1\n"), key("[]", &["a"], Layout::Block, "b"));
    let list = "Defaults:\n  x: 1\nArtifacts:\n- a: 1\n- b: 1\n  Source:\n    c: 1\n    SourceTypes:\n    - |";
    assert_eq!(key_at(list), key(".Artifacts[].Source.SourceTypes[]", &[], Layout::Block, ""));
    assert_eq!(
        key_at("Artifacts:\n  - a: 1\n    |"),
        key(".Artifacts[]", &["a"], Layout::Block, "")
    );
    assert_eq!(
        key_at("Artifacts:\r\n  - a: 1\r\n    |\r\n    b: 1\r\n"),
        key(".Artifacts[]", &["a", "b"], Layout::Block, "")
    );
    // One that is there already.
    assert_eq!(key_at("Arti|factName: x\n"), key("", &[], Layout::Bare, "ArtifactName"));
    assert_eq!(key_at("some text|\n"), None);
}

#[test]
fn keys_and_values_in_braces_are_found() {
    assert_eq!(key_at("Source: {|"), key(".Source", &[], Layout::Flow, ""));
    assert_eq!(
        key_at("- Source: {SourceUri: 's3://a, b', Sou|}"),
        key("[].Source", &["SourceUri"], Layout::Flow, "Sou")
    );
    let nested = "Source: {SourceUri: s3://b/c, SourceTypes: [{SourceIdType: MD5Hash, Value: x}, {SourceIdType: |";
    assert_eq!(
        value_at(nested),
        Some((".Source.SourceTypes[].SourceIdType".to_owned(), String::new()))
    );
    assert_eq!(key_at("Tags: [{Key: a, |}]"), key(".Tags[]", &["Key"], Layout::Flow, ""));
    assert_eq!(
        key_at("{\"ArtifactName\": \"x\", \"Art|\"}"),
        key("", &["ArtifactName"], Layout::Bare, "Art")
    );
    assert_eq!(
        value_at("{\"ArtifactType\": \"da|\"}"),
        Some((".ArtifactType".to_owned(), "da".to_owned()))
    );
    assert_eq!(at("Tags: [|"), None);
    assert_eq!(at("Tags: {a: b} |"), None);
    assert_eq!(at("Tags: [{a: b}]} |"), None);
    // As `jq` writes it.
    assert_eq!(
        value_at("{\n  \"Source\": {\n    \"SourceUri\": \"s|\"\n  }\n}\n"),
        Some((".Source.SourceUri".to_owned(), "s".to_owned()))
    );
}

#[test]
fn values_and_comments_are_found() {
    assert_eq!(value_at("ArtifactType:|"), Some((".ArtifactType".to_owned(), String::new())));
    assert_eq!(
        value_at("- ArtifactType: \"Da|\""),
        Some(("[].ArtifactType".to_owned(), "Da".to_owned()))
    );
    assert_eq!(
        value_at("Source:\n  SourceTypes:\n  - Value: x\n    SourceIdType: MD|"),
        Some((".Source.SourceTypes[].SourceIdType".to_owned(), "MD".to_owned()))
    );
    let comment = |text: &str| at(text).map(|(spot, typed)| (matches!(spot, Spot::Rule(_)), typed));
    assert_eq!(comment("a: b # |"), Some((false, String::new())));
    assert_eq!(comment("# line|"), Some((false, "line".to_owned())));
    assert_eq!(comment("a: b # lineload: allow |"), Some((true, String::new())));
    assert_eq!(comment("# lineload: allow uri-blank, ty|"), Some((true, "ty".to_owned())));
    assert_eq!(comment("a: b # other|"), None);
    assert_eq!(value_at("a: 'b # |"), Some((".a".to_owned(), "b # ".to_owned())));
}

#[test]
fn the_rule_of_a_comment_is_found_beside_any_character() {
    let text = "a: b # lineload: allow 😀type-case😀e\u{2028}x\n";
    let source = SourceFile::new(FileId(0), "f".into(), text.as_bytes().to_vec());
    let mut found = Vec::new();
    for (at, _) in text.char_indices() {
        found.extend(allowed_code(&source, u32::try_from(at).unwrap()));
    }
    let span = Span { start: 27, end: 36 };
    assert_eq!(found, vec![(Code::TypeCase, span); 10]);
}
