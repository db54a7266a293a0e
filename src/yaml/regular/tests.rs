use std::path::Path;

use proptest::prelude::*;

use crate::yaml::compare::{difference, section_difference};
use crate::yaml::reader::Reader;

const KEY: &str = "Artifacts";

fn same(text: &str) {
    let found = difference(text, KEY).or_else(|| section_difference(text, KEY));
    if let Some(difference) = found {
        panic!("{difference}");
    }
}

/// Returns whether the parser is not needed for `text`.
fn is_regular(text: &str) -> bool {
    let mut reader = super::Regular::new(text, 0, text.len(), KEY);
    loop {
        match reader.step() {
            super::Step::Piece(_) => {}
            super::Step::End => return true,
            super::Step::GiveWay | super::Step::GiveWayInItem => return false,
        }
    }
}

/// Texts that this reader must read, and read like the parser.
const REGULAR: &[&str] = &[
    "a: 1\n",
    "a: 1",
    "a: 1 # b\n# c\n\n   \nb: 'x''y' #z\nc: \"q\\n\\\"\\t\\\\ \\/\"\n",
    "---\na: 1\n--- # x\nb: 1\n",
    "\n# x\n---\na:\n  b: c\n  d:\n    e: f\ng: h\n",
    "a:\n- b\n- c: d\n  e: f\n-   g: h\n    i: j\nk: l\n",
    "a:\n  - b\n  - c\nd:\n- e\n- f\n",
    "- a: 1\n  b: 2\n- c: 3\n# x\n\n- d\n",
    "-   a: 1\n    b:\n      - c\n- 'd'\n",
    "Artifacts:\n- a: 1\n- b: 2\n",
    "Artifacts:\n  - a: 1\n    x:\n      y: z\n  - b: 2\nDefaults:\n  c: d\n",
    "x: y\n\"Artifacts\":\n  - a: 1\n",
    "Defaults:\n  a: b\nArtifacts:\n# c\n- d: e\n---\nArtifacts:\n  - f\n",
    "a:\nb:\n  c:\n  d: # e\nf:\n",
    "a: []\nb: {} # c\n",
    "a: -1\nb: a#b\nc: a:b\nd: http://x/y?z#q\ne: it's\nf: a \"b\" c\ng: 1, 2 [x] {y}\n",
    "é: ü\n日本: 'é' # ñ\n😀: \u{A0}x\n\u{3000}: \u{2028}\n",
    "'a': b\n\"c\": d\n\"\": ''\n\"e\\\"f\": g\n",
    "a: 1\r\nb:\r\n- c\r\n\r\n# d\r\n- e: 'f'\r\n",
    "~: ~\n<<: null\n=: true\n.: x\n",
    "a b: c d\n-x: 1\n",
    // Another list behind the one whose items are passed on, and that list again.
    "Artifacts:\n- a\nb:\n- c\n- d\n",
    "Artifacts:\n  - a: 1\nTags:\n  - b: 2\nArtifacts:\n- c\n",
];

/// Texts that it must leave to the parser.
const IRREGULAR: &[&str] = &[
    "",
    "---\n",
    "\u{FEFF}a: 1\n",
    "a\n",
    "a: 1\n...\n",
    "%YAML 1.2\n---\na: 1\n",
    "a: &b 1\n",
    "a: *b\n",
    "a: !!str 1\n",
    "a: |\n  b\n",
    "a: >-\n  b\n",
    "a: [b]\n",
    "{a: b}\n",
    "a: b\n  c\n",
    "a: b\n  c: d\n",
    "a: 'b\n  c'\n",
    "a:\tb\n",
    "a: b\tc\n",
    "\ta: b\n",
    "a: b: c\n",
    "a: 'b' c\n",
    "a: 'b'#c\n",
    "a: \"\\x41\"\n",
    "a: \"b\n",
    "a: \u{7}\n",
    "a: \u{85}\n",
    "a: \u{FEFF}\n",
    "# \u{0}\na: 1\n",
    "a: 1\rb: 2\n",
    "? a\n: b\n",
    "- - a\n",
    "-\n  a: b\n",
    "- a\nb: c\n",
    "a: 1\n- b\n",
    "a:\n    b: c\n  d: e\n",
    "  a: 1\nb: 2\n",
    "a : b\n",
    "a: @b\n",
    "a: `b`\n",
    "a: %b\n",
    "a: - b\n",
    "a: ?b\n",
    "a: :b\n",
    "a: ,b\n",
    "--- a: 1\n",
    "a: 'b': c\n",
];

#[test]
fn regular_texts_are_read_as_the_parser_reads_them() {
    for text in REGULAR {
        same(text);
        assert!(is_regular(text), "{text:?}");
    }
}

#[test]
fn it_gives_way_to_the_parser() {
    for text in IRREGULAR {
        same(text);
        assert!(text.is_empty() || !is_regular(text), "{text:?}");
        // Between others, too.
        same(&format!("z: 1\n---\n{text}---\ny: 2\n"));
        same(&format!("z: 1\n---\n{text}\n---\n- y: 2\n- x\n"));
        same(&format!("Artifacts:\n- x: y\n- {}\n- z: 1\n", text.trim().replace('\n', "\n  ")));
        same(&format!("- x: y\n-   {}\n- z: 1\n", text.trim().replace('\n', "\n    ")));
        same(&format!("- x: y\n- z:\n   {}\n- z: 1\n", text.trim().replace('\n', "\n   ")));
    }
}

#[test]
fn an_irregular_item_is_read_alone() {
    let text = "Artifacts:\n- a: 1\n- b: |\n    x\n\n  c: [d,\n      e]\n# f\n- g: 2\n- h: &i j\n- k: *i\nl: m\n";
    same(text);
    assert_eq!(alone(text), 1);
}

/// Returns the number of items of `text` that the parser reads alone.
fn alone(text: &str) -> usize {
    let mut reader = Reader::new(text, 0..text.len(), KEY);
    let mut alone = 0;
    while reader.next_piece().is_some() {
        alone += usize::from(reader.is_item_alone());
    }
    alone
}

#[test]
fn an_item_is_not_read_alone_if_its_surroundings_change_it() {
    // The directive gives the tag another meaning. The first document puts the second in doubt.
    let head = "a: |\n  x\n...\n%TAG ! tag:yaml.org,2002:\n---\n";
    for list in ["- !str 1\n- b\n", "Artifacts:\n- !str 1\n- b\n"] {
        let text = format!("{head}{list}");
        same(&text);
        assert_eq!(alone(&text), 0, "{text:?}");
    }
    // The parser counts the collections around the item, too.
    for depth in [20, 40, 90, 110, 250, 251, 252, 253, 254, 255, 256] {
        let mut text = "Artifacts:\n- a: 1\n- b:\n".to_owned();
        for level in 0..depth {
            text += &format!("{}b:\n", " ".repeat(3 + level));
        }
        text.pop();
        text += " x\n- c\n";
        same(&text);
        assert_eq!(alone(&text), usize::from((30..100).contains(&depth)), "{depth}");
    }
}

#[test]
fn a_document_without_dashes_is_not_skipped() {
    // The parser has the empty text begin at the `---` behind it.
    same("---\n...\n |+\n---\n- b\n");
    same("---\n...\n\n \n |+  \n---\n- c\n-   []");
}

#[test]
fn every_character_is_read_as_the_parser_reads_it() {
    for c in ('\0'..='\u{FFFF}').chain(['\u{10000}', '\u{1F600}', '\u{1FFFE}', '\u{10FFFF}']) {
        same(&format!("a{c}b: {c}c # {c}\n{c}: 'x{c}' #{c}\nd: \"{c}\"\ne: f{c}\n"));
        if !('\u{3000}'..'\u{F000}').contains(&c) {
            for text in [
                format!("a: b{c}c\n"),
                format!("a: '{c}'\n"),
                format!("a: \"{c}\"\n"),
                format!("a: b # {c}\n"),
                format!("#{c}\na: b\n"),
                format!("{c}a: b\n"),
                format!("a{c}: b\n"),
                format!("a:{c}b\n"),
                format!("a: {c}b\n"),
                format!("a: \"\\{c}\"\n"),
                format!("a:\n{c}- b\n"),
                format!("- {c}\n-{c}b\n- c{c}\n"),
            ] {
                same(&text);
            }
        }
    }
}

#[test]
fn fixtures_and_examples_are_read_as_the_parser_reads_them() {
    fn visit(folder: &Path, files: &mut usize) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, files);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                *files += 1;
                same(&text);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = 0;
    for folder in ["tests", "manifests", "docs", ".ci"] {
        visit(&root.join(folder), &mut files);
    }
    assert!(files > 300, "{files}");
}

/// Returns lines that are often YAML and often not.
fn lines() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "a",
            "b: ",
            "c:",
            "- ",
            "-",
            "--- ",
            "---",
            "...",
            "Artifacts:",
            "Defaults:",
            "'",
            "\"",
            "''",
            "'x'",
            "\"y\"",
            "\\n",
            "\\\"",
            "[",
            "]",
            "{",
            "}",
            "[]",
            "{}",
            ",",
            "#",
            " # c",
            ": ",
            " ",
            "  ",
            "    ",
            "\t",
            "|",
            ">-",
            "&x",
            "*x",
            "!!str ",
            "? ",
            "~",
            "é",
            "\u{FEFF}",
            "\u{85}",
            "\r",
            "\n",
            "\n",
            "\n",
            "\n",
            "\n  ",
            "\n- ",
            "\n  - ",
            "\n    ",
            "\n  b: ",
            "\na: ",
            "\n---\n",
            "\r\n",
            "%T ",
            "@",
            "-1",
            "k: v\n",
            "- k: v\n",
            "  k: v\n",
            "  - k: v\n    l: w\n",
            "x: |\n    t\n",
        ][..],
    );
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_as_the_parser_reads_it(text in lines()) {
        prop_assert_eq!(difference(&text, KEY), None);
    }

    #[test]
    fn lists_are_read_as_the_parser_reads_them(
        items in prop::collection::vec(lines(), 1..4),
        indent in 0_usize..3,
        wrapped: bool,
    ) {
        let indent = if wrapped { " ".repeat(indent) } else { String::new() };
        let head = if wrapped { "Artifacts:\n" } else { "" };
        let items: String = items
            .iter()
            .map(|item| {
                format!("{indent}- {}\n{indent}- k: v\n", item.replace('\n', &format!("\n{indent}  ")))
            })
            .collect();
        let text = format!("{head}{items}");
        prop_assert_eq!(difference(&text, KEY), None);
        prop_assert_eq!(section_difference(&text, KEY), None);
    }
}
