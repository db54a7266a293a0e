//! Tests of `explain`: lint reports its wrong examples and accepts its right ones.

use lineload::diagnostic::{Code, Explanation, expanded};

use crate::support::{folder, run, run_with_input};

/// Codes that no short manifest can show.
const WITHOUT_EXAMPLE: [Code; 17] = [
    Code::PathUnreadable,
    Code::PathKind,
    Code::LinkLoop,
    Code::LinkOutside,
    Code::FileSize,
    Code::Encoding,
    Code::FindingsLimit,
    Code::InventorySyntax,
    Code::RowLength,
    Code::TemplateSyntax,
    Code::NoValue,
    Code::UnresolvedFunction,
    Code::SpreadsheetFormula,
    Code::NestingDepth,
    Code::DocumentSize,
    Code::AliasLimit,
    Code::TagCount, // a character can be repeated, a tag cannot
];

/// The code of every finding in `manifest`, and how the run ended.
fn codes_in(manifest: &str) -> (Vec<String>, i32) {
    let folder = folder(&[]);
    let ran = run_with_input(folder.path(), &["lint", "-", "--format", "json"], manifest);
    assert_eq!(ran.err, "");
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let findings = json["diagnostics"].as_array().unwrap();
    (findings.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect(), ran.code)
}

#[test]
fn examples_show_their_code_and_nothing_else() {
    for code in Code::ALL.iter().filter(|code| **code != Code::Config) {
        let Explanation { example, .. } = code.explanation();
        let Some(example) = example else {
            assert!(WITHOUT_EXAMPLE.contains(code), "{code} has no example");
            continue;
        };
        let (mut found, _) = codes_in(&expanded(example.wrong));
        found.dedup();
        assert_eq!(found, [code.as_str()], "the wrong example of {code}");
        let (found, ended) = codes_in(&expanded(example.right));
        assert!(found.is_empty(), "the right example of {code}: {found:?}");
        assert_eq!(ended, 0, "the right example of {code}");
    }
}

#[test]
fn the_example_of_a_configuration_is_refused_for_what_it_shows() {
    let example = Code::Config.explanation().example.unwrap();
    let lint = |config: &str| {
        let manifest = "ArtifactType: DataSet\nSource: {SourceUri: s3://example-lake/a.csv}\n";
        let folder = folder(&[("lineload.toml", config), ("manifests/a.yaml", manifest)]);
        run(folder.path(), &["lint"])
    };
    let wrong = lint(example.wrong);
    assert_eq!(wrong.code, 2);
    assert_eq!(wrong.err.matches("config:").count(), 2, "{}", wrong.err);
    let right = lint(example.right);
    assert_eq!((right.code, right.err.as_str()), (0, ""));
}
