//! Tests of help texts: an edit that one recommends leaves no new fault.

use std::collections::BTreeMap;

use lineload::diagnostic::{Code, expanded};
use serde_json::Value;

use crate::support::{fixtures, root, run, run_with_input};

/// A manifest with faults whose help names what to write, or none.
const MORE: [&str; 25] = [
    "ArtifactName:\nArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n",
    "ArtifactName: ~\nArtifactType:\nSource: {SourceUri: s3://lake/x}\n",
    "ArtifactType: DataSet\nSource:\n  SourceUri:\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags:\n- Key:\n  Value:\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties:\n  a:\n  b: null\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nMetadataProperties: {CommitId: }\n",
    "ArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/x\n  SourceTypes:\n  - SourceIdType:\n    Value:\n",
    "ArtifactType: DataSet\nSource: {SourceUri: data_lake/x}\n",
    "ArtifactType: DataSet\nSource: {SourceUri: data lake/x}\n",
    "ArtifactType: DataSet\nSource: SourceUri:s3://lake/x\n",
    "ArtifactName: 1.5\nArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties: {password: 12345678}\n",
    "ArtifactType: DataSet\nSource:\n",
    "ArtifactType: DataSet\nSource: ''\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x, uri: y}\n",
    "ArtifactType: DataSet\nType: Model\nSource: {SourceUri: s3://lake/x}\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags:\n- {Key: a, Value: b, value: c}\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties: {' a': x, a: y}\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties: {' a': x, 'a ': y}\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags:\n- {Key: ' a', Value: x}\n- {Key: a, Value: y}\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties:\n  \u{A0}a: x\n  b: y\n",
    "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties:\n\u{A0} a: x\n  b: y\n",
    "ArtifactType: DataSet\nSource: {SourceUri: \"s3://lake/x\u{A0}# comment\"}\n",
    "ArtifactName: \u{E9}t\u{E9}-2\nArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n",
    "ArtifactName: {{a}}-{{b}}\nArtifactType: dataset\nSource: {SourceUri: 's3://x-x-x/{{c}}'}\n",
];

/// Words that stand in front of what a help says is to be written at the fault.
const NAMES_AN_EDIT: [&str; 6] = [
    "did you mean `",
    "such as `",
    "quote it: `",
    "write `",
    "quote the value: `",
    "write one of `",
];

fn findings(text: &str) -> Vec<Value> {
    let ran = run_with_input(&root(), &["lint", "-", "--format", "json", "--isolated"], text);
    let report: Value = serde_json::from_str(&ran.out).expect("a report");
    report["diagnostics"].as_array().expect("findings").clone()
}

/// Findings by rule.
fn counts(findings: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding["severity"] == "error") {
        *counts.entry(finding["code"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

fn texts() -> Vec<String> {
    let mut texts: Vec<_> = MORE.iter().map(|text| (*text).to_owned()).collect();
    for code in Code::ALL.iter().filter(|code| **code != Code::Config) {
        let example = code.explanation().example;
        texts.extend(example.map(|example| expanded(example.wrong)));
    }
    texts.extend(fixtures(&["tests/fixtures/err"]));
    texts
}

/// Returns what `help` says is to be written, without words that stand for something else.
fn named(help: &str) -> Option<String> {
    let head = NAMES_AN_EDIT.iter().find(|head| help.contains(**head))?;
    let text = help.split_once(head)?.1;
    let text = &text[..text.find('`')?];
    let stands_for_more = text.contains('…') || text.is_empty();
    (!stands_for_more).then(|| text.to_owned())
}

#[test]
fn a_help_that_names_what_to_write_recommends_what_lint_takes() {
    let mut applied = 0;
    for text in texts() {
        let before = findings(&text);
        for finding in &before {
            let (Some(help), Some(start), Some(end)) = (
                finding["help"].as_str(),
                finding["span"]["start"]["offset"].as_u64(),
                finding["span"]["end"]["offset"].as_u64(),
            ) else {
                continue;
            };
            let Some(new) = named(help) else { continue };
            let code = finding["code"].as_str().unwrap();
            let (start, end) = (start as usize, end as usize);
            // Of some, the help is about more than the text at fault, or about a part of it.
            let (start, end, new) = match code {
                "name-pattern" | "bucket-name" | "uri-scheme" if help.contains("such as `") => {
                    let from = text[..start].rfind(['\n', ' ']).map_or(0, |at| at + 1);
                    let to = text[from..].find(['\n', '}']).map_or(text.len(), |at| from + at);
                    (from, to, new)
                }
                "bucket-name" if new.contains("://") => {
                    let from = text[..start].rfind([' ', '"']).map_or(0, |at| at + 1);
                    let to = text[from..].find(['\n', ' ', '"']).map_or(text.len(), |at| from + at);
                    (from, to, new)
                }
                "uri-scheme" if new.ends_with("://") => (start, end, new.replace("://", "")),
                "uri-scheme" | "unknown-field" | "type-case" | "source-id-type"
                | "ambiguous-scalar" | "uri-blank" | "no-break-space" => (start, end, new),
                // At a key without a value: the value is written behind it.
                "not-a-string" if text[end..].starts_with(':') && !help.starts_with("quote") => {
                    (end, end + 1, format!(": {new}"))
                }
                "not-a-string" => (start, end, new),
                // What these name is not what stands at the fault.
                "wrong-kind"
                | "line-break"
                | "syntax"
                | "merge-key"
                | "unknown-anchor"
                | "missing-field"
                | "unused-allow"
                | "name-length"
                | "source-value-format"
                | "type-empty"
                | "yaml-tag"
                | "encoding"
                | "bucket-name" => continue,
                other => panic!("{other}: is `{new}` what to write? {help}"),
            };
            let mut after = text.clone();
            after.replace_range(start..end, &new);
            let (old, new_counts) = (counts(&before), counts(&findings(&after)));
            let of = |counts: &BTreeMap<String, usize>| counts.get(code).copied().unwrap_or(0);
            assert!(
                finding["severity"] == "warning" || of(&new_counts) < of(&old),
                "{code} is still there: {help}\n{text}\n-- to --\n{after}"
            );
            for (other, count) in &new_counts {
                assert!(
                    old.get(other).is_some_and(|before| before >= count),
                    "{code} becomes {other}: {help}\n{text}\n-- to --\n{after}"
                );
            }
            applied += 1;
        }
    }
    assert!(applied > 40, "{applied}");
}

#[test]
fn every_fix_takes_its_finding_away_and_brings_no_error() {
    let mut applied = 0;
    for text in texts() {
        let before = findings(&text);
        for finding in before.iter().filter(|finding| !finding["fix"].is_null()) {
            let mut after = text.clone();
            for edit in finding["fix"]["edits"].as_array().unwrap().iter().rev() {
                let at = |name: &str| edit[name].as_u64().unwrap() as usize;
                after.replace_range(at("start")..at("end"), edit["text"].as_str().unwrap());
            }
            let code = finding["code"].as_str().unwrap();
            let left = findings(&after);
            let same = |all: &[Value]| all.iter().filter(|one| one["code"] == code).count();
            // What is not read before is checked after: a document with such spaces, or a list.
            let hides = ["no-break-space", "wrong-kind", "unknown-field"].contains(&code);
            assert!(same(&left) < same(&before) || hides, "{code}:\n{text}\n-- to --\n{after}");
            for (other, count) in counts(&left) {
                assert!(
                    hides || counts(&before).get(&other).is_some_and(|before| *before >= count),
                    "{code} becomes {other}:\n{text}\n-- to --\n{after}"
                );
            }
            applied += 1;
        }
    }
    assert!(applied > 60, "{applied}");
}

#[test]
fn no_help_repeats_a_value_as_if_it_were_a_field() {
    let ran = run(&root(), &["lint", "tests/fixtures/err/no-break-space", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    for finding in report["diagnostics"].as_array().unwrap() {
        assert_eq!(finding["code"], "no-break-space", "{finding}");
        assert!(finding["message"].as_str().unwrap().contains("no-break space (U+"), "{finding}");
    }
    let found = findings("ArtifactType: DataSet\nSource: SourceUri:s3://lake/x\n");
    let help = found[0]["help"].as_str().unwrap();
    assert!(!help.contains("SourceUri: SourceUri"), "{help}");
}

#[test]
fn a_field_that_is_there_already_is_not_recommended_again() {
    for (text, help) in [
        (
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x, uri: y}\n",
            "remove it: `SourceUri` is already set",
        ),
        (
            "ArtifactType: DataSet\nType: Model\nSource: {SourceUri: s3://lake/x}\n",
            "remove it: `ArtifactType` is already set",
        ),
        (
            "ArtifactType: DataSet\nSource:\n",
            "write `Source:` and below it, indented, `SourceUri: …`",
        ),
        (
            "ArtifactType: DataSet\nSource: ''\n",
            "write `Source:` and below it, indented, `SourceUri: …`",
        ),
    ] {
        let found = findings(text);
        assert_eq!(found.len(), 1, "{text}{found:?}");
        assert_eq!(found[0]["help"], help, "{text}");
        assert!(found[0]["fix"].is_null(), "{text}");
    }
}

#[test]
fn a_name_with_letters_that_ascii_lacks_has_no_fix() {
    let found = findings(
        "ArtifactName: \u{E9}t\u{E9}-2\nArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n",
    );
    assert_eq!(found[0]["code"], "name-pattern");
    assert!(found[0]["fix"].is_null() && !found[0]["help"].as_str().unwrap().contains("t-2"));
}

#[test]
fn no_break_spaces_are_fixed_where_the_result_is_yaml_and_found_inside_a_uri() {
    let head = "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties:\n";
    let safety = |lines: &str| {
        let found = findings(&format!("{head}{lines}"));
        assert_eq!(found[0]["code"], "no-break-space", "{found:?}");
        found[0]["fix"]["safety"].as_str().map(str::to_owned)
    };
    assert_eq!(safety("\u{A0} a: x\n  b: y\n").as_deref(), Some("safe"));
    assert_eq!(safety("  \u{A0}a: x\n  b: y\n").as_deref(), Some("unsafe"));
    assert_eq!(safety("  \u{A0}a: x\n b: y\n"), None);
    for uri in ["s3://lake/x\u{A0}# comment", "s3://lake/x\u{A0}b"] {
        let found = findings(&format!("ArtifactType: DataSet\nSource:\n  SourceUri: {uri}\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["code"], "uri-blank");
        assert_eq!(found[0]["message"], "`SourceUri` contains a no-break space (U+00A0)");
    }
}

#[test]
fn an_inventory_in_json_is_one_finding_that_names_generate() {
    for text in [
        r#"[{"name": "a", "uri": "s3://x-x-x/1"}, {"name": "b", "uri": "s3://x-x-x/2"}]"#,
        r#"[{"bucket": "x-x-x", "key": "1"}]"#,
        "{\"bucket\": \"x-x-x\", \"key\": \"1\"}\n{\"bucket\": \"x-x-x\", \"key\": \"2\"}\n",
        r#"{"datasets": [{"name": "a", "uri": "s3://x-x-x/1"}]}"#,
        r#"{"Contents": [{"Key": "a", "Size": 1}]}"#,
    ] {
        let found = findings(text);
        assert_eq!(found.len(), 1, "{text}\n{found:?}");
        assert_eq!(found[0]["message"], "this is an inventory in JSON, not a lineload manifest");
        assert!(found[0]["help"].as_str().unwrap().contains("`lineload generate`"), "{found:?}");
    }
    let table = findings("bucket,key,size\nx-x-x,a,1\n");
    assert!(table[0]["help"].as_str().unwrap().contains("`lineload generate`"), "{table:?}");
    // These are artifacts, well or badly written.
    for text in [
        r#"[{"artifactType": "DataSet", "source": {"sourceUri": "s3://lake/x"}}]"#,
        r#"{"ArtifactTyp": "DataSet", "Tags": [{"Key": "a", "Value": "b"}]}"#,
    ] {
        assert!(findings(text).iter().all(|found| found["code"] != "not-a-manifest"), "{text}");
    }
}

#[test]
fn what_stands_beside_a_placeholder_without_quotes_is_checked() {
    let codes = |text: &str| {
        let found = findings(text);
        let mut codes: Vec<_> =
            found.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect();
        codes.sort();
        codes
    };
    let text = "ArtifactName: {{a}}-{{b}}\nArtifactType: dataset\nSource: {SourceUri: s3a://lake/x}\nfoo: bar\n";
    let all = ["type-case", "unknown-field", "unquoted-placeholder", "uri-scheme"];
    assert_eq!(codes(text), all);
    let list = "- ArtifactType: dataset\n  Source: {SourceUri: s3://lake/x}\n- ArtifactType: {{a}}/b\n  Source: {SourceUri: s3a://lake/x}\n  foo: {{d}}-e\n";
    assert_eq!(
        codes(list),
        [
            "type-case",
            "unknown-field",
            "unquoted-placeholder",
            "unquoted-placeholder",
            "uri-scheme",
        ]
    );
}
