//! Tests of help texts: an edit that one recommends leaves no new fault.

use std::collections::BTreeMap;
use std::fs;

use lineload::diagnostic::{Code, expanded};
use serde_json::Value;

use crate::support::{root, run, run_with_input};

/// A manifest with faults whose help names what to write, or none.
const MORE: [&str; 12] = [
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
    let mut folders = vec![root().join("tests/fixtures/err")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                texts.push(text);
            }
        }
    }
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
