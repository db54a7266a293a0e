//! Findings as a person reads them: one snapshot a code.

use std::collections::BTreeSet;
use std::fs;

use lineload::diagnostic::Code;

use crate::support::{root, run, timeless};

/// Codes whose faults cannot be kept in git, and the tests that show them.
const ELSEWHERE: [Code; 15] = [
    Code::PathUnreadable, // paths::…
    Code::PathKind,
    Code::LinkLoop,
    Code::LinkOutside,
    Code::FileSize,
    Code::FindingsLimit, // hostile::…
    Code::DocumentSize,
    Code::AliasLimit,
    Code::InventorySyntax, // generate::…
    Code::RowLength,
    Code::TemplateSyntax,
    Code::NoValue,
    Code::UnresolvedFunction,
    Code::SpreadsheetFormula,
    Code::Config, // config::…
];

#[test]
fn every_code_is_shown_at_the_fault_with_its_help() {
    let fixtures = root().join("tests/fixtures");
    let mut shown = BTreeSet::new();
    let mut folders: Vec<_> = fs::read_dir(fixtures.join("err")).unwrap().collect();
    folders.sort_by_key(|entry| entry.as_ref().unwrap().file_name());
    for folder in folders {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let code = Code::from_name(&name).unwrap_or_else(|| panic!("no code {name}"));
        let ran = run(&fixtures, &["lint", "--all", &format!("err/{name}")]);
        assert!(ran.out.contains(&format!("{name}: ")), "{name} is not found in its fixtures");
        assert_eq!(ran.code, i32::from(code.severity() == lineload::diagnostic::Severity::Error));
        assert_eq!(ran.err, "");
        insta::with_settings!({ description => code.summary(), omit_expression => true }, {
            insta::assert_snapshot!(name, timeless(&ran.out));
        });
        shown.insert(code);
    }
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !shown.contains(code) && !ELSEWHERE.contains(code))
        .collect();
    assert!(missing.is_empty(), "codes without a case in tests/fixtures/err: {missing:?}");
}

#[test]
fn nothing_is_found_in_what_is_right() {
    let fixtures = root().join("tests/fixtures/ok");
    let ran = run(&fixtures, &["lint", ".", "json.json"]);
    insta::assert_snapshot!(timeless(&ran.out), @"10 files, 17 artifacts: nothing found");
    assert_eq!(ran.code, 0);
}

/// The rules that find something in `text`, in order.
fn codes(text: &str) -> Vec<String> {
    let ran = crate::support::run_with_input(&root(), &["lint", "-", "--format", "json"], text);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let findings = report["diagnostics"].as_array().unwrap().iter();
    findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_document_that_is_read_with_odd_spaces_is_valid() {
    let artifact = |at: usize, space: &str| {
        format!(
            "ArtifactName:{space}a{at}\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/{at}\n"
        )
    };
    // What ends a document is `...` here, so that one range of bytes has both.
    let text = format!("{}...\n{}", artifact(1, "\u{a0}"), artifact(2, " "));
    let ran = crate::support::run_with_input(&root(), &["lint", "-"], &text);
    assert!(ran.out.contains("2 artifacts, 0 valid, 2 invalid"), "{ran:?}");
}

#[test]
fn a_fault_hides_no_other() {
    let head = "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n";
    let cases: [(String, &[&str]); 13] = [
        (
            format!("{head}MetadataProperties: {{CommitID: '${{GITHUB_SHA}}'}}\n"),
            &["unknown-field", "unfilled-template"],
        ),
        (
            "artifactType: dataset\nSource: {SourceUri: s3://lake/x}\n".to_owned(),
            &["unknown-field", "type-case"],
        ),
        (
            format!("{head}Tags: {{aws:owner: x#}}\n"),
            &["wrong-kind", "tag-reserved", "tag-pattern"],
        ),
        (
            format!("{head}Tags: {{Key: 'aws:x'}}\n"),
            &["wrong-kind", "missing-field", "tag-reserved"],
        ),
        ("ArtifactType: x\nSource: s3://A_b/x\n".to_owned(), &["wrong-kind", "bucket-name"]),
        (
            "ArtifactType: x\nsourceUri: s3://A_b/x\ncommit_id: <sha>\n".to_owned(),
            &["unknown-field", "bucket-name", "unknown-field", "unfilled-template"],
        ),
        (
            "ArtifactType: x\nSource:\n  source_uri: s3a://lake/x\n".to_owned(),
            &["unknown-field", "uri-scheme"],
        ),
        (
            "ArtifactType: x\nSource:\n  SourceUri: s3://lake/x\n  SourceTypes:\n  - \
             {SourceIdType: md5, Value: x}\n"
                .to_owned(),
            &["source-id-type", "source-value-format"],
        ),
        (format!("ArtifactName: 1.5\n{head}"), &["not-a-string", "name-pattern"]),
        (format!("{head}Properties: {{password: 12345678}}\n"), &["credential", "not-a-string"]),
        (
            format!("{head}---\nlabels: [{{key: a, Value: b#}}]\n{head}"),
            &["unknown-field", "unknown-field", "tag-pattern", "duplicate-source"],
        ),
        (
            "artifacts:\n- Source: {SourceUri: s3://lake/x}\ndefaults: {artifactType: dataset}\n"
                .to_owned(),
            &["unknown-field", "unknown-field", "unknown-field", "type-case"],
        ),
        (
            "Defaults: {ArtifactType: 1, Tags: {a: b#}}\nArtifacts:\n- Source: \
             s3://A_b/x\n"
                .to_owned(),
            &["not-a-string", "wrong-kind", "tag-pattern", "wrong-kind", "bucket-name"],
        ),
    ];
    for (text, expected) in cases {
        let mut expected: Vec<_> = expected.to_vec();
        let mut found = codes(&text);
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
    // Nor does one because of which the document means something else, or is not YAML.
    let more = "ArtifactName: a_b\nOther: x\n";
    let beside = ["name-pattern", "unknown-field"];
    let cases: [(&str, &[&str]); 6] = [
        ("Properties: {a: {{b}}, c: 1}\n", &["unquoted-placeholder", "not-a-string"]),
        (
            "Tags: [{Key: a, Value: {{b}}}, {Key: c, Value: d#}]\n",
            &["unquoted-placeholder", "tag-pattern"],
        ),
        (
            "Tags: [{Key: a, Value: {{b}}-c}, {Key: {{d}}/e, Value: f}]\n",
            &["unquoted-placeholder"; 2],
        ),
        ("Properties:\n\u{a0} a: 1\n", &["no-break-space", "not-a-string"]),
        ("Properties:\n  a: b\n  \u{a0}c: 1\n", &["no-break-space", "not-a-string"]),
        (
            "Tags:\n-\u{a0}Key: a\n  Value:\u{a0}{{b}}-c\n",
            &["no-break-space", "no-break-space", "unquoted-placeholder"],
        ),
    ];
    for (text, expected) in cases {
        let mut expected: Vec<_> = expected.iter().chain(&beside).copied().collect();
        let mut found = codes(&format!("{head}{text}{more}"));
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
    // Everything that a name cannot hold is in one finding.
    let ran = crate::support::run_with_input(
        &root(),
        &["lint", "-", "--format", "short"],
        &format!("ArtifactName: -churn_training set\n{head}"),
    );
    assert_eq!(
        ran.out,
        "<stdin>:1:15: error[name-pattern]: a name cannot contain `_` or a space, or begin with `-`\n"
    );
}

#[test]
fn no_artifact_of_a_document_with_a_no_break_space_is_valid() {
    let text = "Artifacts:\n- ArtifactType: DataSet\n  Source: {SourceUri: s3://lake/x}\n-\u{a0}ArtifactType: \
                DataSet\n  Source: {SourceUri: s3://lake/y}\n";
    let ran = crate::support::run_with_input(&root(), &["lint", "-"], text);
    assert!(ran.out.contains("2 artifacts, 0 valid, 2 invalid: 1 error"), "{}", ran.out);
}

#[test]
fn what_a_document_with_a_no_break_space_has_besides_is_fixed_after_it() {
    let text = "ArtifactName: a_b\nArtifactType: DataSet\nSource:\n\u{a0} SourceUri: s3://lake/x\nProperties:\n\u{a0} a: 1\n  \
                b: 2\n";
    let folder = crate::support::folder(&[("m.yaml", text)]);
    let ran =
        run(folder.path(), &["lint", "m.yaml", "--fix", "--unsafe-fixes", "--format", "short"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(
        fs::read_to_string(folder.path().join("m.yaml")).unwrap(),
        "ArtifactName: a-b\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/x\nProperties:\n  a: '1'\n  b: '2'\n"
    );
}

#[test]
fn an_artifact_with_a_fault_in_a_default_that_it_takes_is_not_valid() {
    for defaults in
        ["artifactType: DataSet", "ArtifactType: 1", "ArtifactType: DataSet, Tags: {a: b}"]
    {
        let text =
            format!("Defaults: {{{defaults}}}\nArtifacts:\n- Source: {{SourceUri: s3://lake/x}}\n");
        let ran = crate::support::run_with_input(&root(), &["lint", "-"], &text);
        assert!(ran.out.contains("1 artifact, 0 valid, 1 invalid: 1 error"), "{}", ran.out);
    }
}

#[test]
fn every_format_names_one_place_of_a_finding() {
    let keys: String = (0..9).map(|at| format!("  k{at}: v\n")).collect();
    let text = format!(
        "ArtifactType: DataSet\nSource: {{SourceUri: s3://lake/x}}\nProperties:\n  a: b\n{keys}  \
         a: c\n"
    );
    let folder = crate::support::folder(&[("m.yaml", &text)]);
    let human = run(folder.path(), &["lint", "m.yaml"]).out;
    let first = human.find("m.yaml:").unwrap();
    assert!(human[first..].starts_with("m.yaml:14:3]"), "{human}");
    assert!(human.contains("first given here") && human.contains("m.yaml:4:3]"), "{human}");
    let short = run(folder.path(), &["lint", "m.yaml", "--format", "short"]).out;
    assert!(short.starts_with("m.yaml:14:3: error[duplicate-key]"), "{short}");
}

#[test]
fn the_same_name_twice_can_be_allowed() {
    let artifact = |at: usize, comment: &str| {
        format!(
            "ArtifactName: shared{comment}\nArtifactType: DataSet\nSource: {{SourceUri: \
             s3://lake/{at}}}\n"
        )
    };
    let allow = " # lineload: allow duplicate-name";
    let lint = |first: &str, second: &str, config: &str| {
        let folder = crate::support::folder(&[
            ("m/a.yaml", &artifact(1, first)),
            ("m/b.yaml", &artifact(2, second)),
            ("lineload.toml", config),
        ]);
        let ran = run(folder.path(), &["lint", "m", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let severity = report["diagnostics"][0]["severity"].as_str().unwrap_or("none").to_owned();
        (ran.code, severity, report["summary"]["valid"].as_u64().unwrap())
    };
    let outcome = |code: i32, severity: &str, valid: u64| (code, severity.to_owned(), valid);
    assert_eq!(lint("", "", ""), outcome(1, "error", 0));
    assert_eq!(lint("", "", "[rules]\nduplicate-name = \"warn\"\n"), outcome(0, "warning", 2));
    assert_eq!(lint("", "", "[rules]\nduplicate-name = \"off\"\n"), outcome(0, "none", 2));
    assert_eq!(lint("", allow, ""), outcome(0, "none", 2));
    // The finding is at the later of the two.
    assert_eq!(lint(allow, "", ""), outcome(1, "error", 0));
    // The same source twice stays an error.
    let config = "[rules]\nduplicate-source = \"warn\"\n";
    let folder = crate::support::folder(&[("m/a.yaml", ""), ("lineload.toml", config)]);
    assert_eq!(run(folder.path(), &["lint", "m"]).code, 2);
}
