//! Fixes across manifests: none may give an artifact what another one has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use crate::support::{fixtures, folder, root, run, run_with_input};

/// Returns the findings of a directory, by `lineload lint ARGS`.
fn findings(folder: &Path, args: &[&str]) -> Vec<Value> {
    let ran = run(folder, &[&["lint", "m", "--format", "json", "--isolated"], args].concat());
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    report["diagnostics"].as_array().expect("findings").clone()
}

/// Returns how many errors there are of each rule.
fn errors(findings: &[Value]) -> BTreeMap<String, usize> {
    let mut errors = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding["severity"] == "error") {
        *errors.entry(finding["code"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    errors
}

fn artifact(name: &str, source: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("ArtifactName: {name}\n") };
    format!("{name}ArtifactType: DataSet\nSource: {source}\n")
}

fn set(texts: &[String]) -> tempfile::TempDir {
    let names: Vec<_> = (0..texts.len()).map(|at| format!("m/{at}.yaml")).collect();
    let files: Vec<_> = names.iter().zip(texts).map(|(name, text)| (&**name, &**text)).collect();
    folder(&files)
}

fn after(folder: &Path, count: usize) -> Vec<String> {
    let read = |at| fs::read_to_string(folder.join(format!("m/{at}.yaml"))).unwrap();
    (0..count).map(read).collect()
}

#[test]
fn a_name_is_not_changed_to_one_that_another_artifact_has_or_gets() {
    let text = |name: &str, at: usize| {
        format!(
            "ArtifactName: {name}\nArtifactType: DataSet\nSource: {{SourceUri: s3://lake/{at}}}\n"
        )
    };
    let names = ["a_b", "a-b", "c_d", "c.d", "e_f", "g_h", "g_h"];
    let files: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (format!("m/{at}.yaml"), text(name, at)))
        .collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let ran = run(folder.path(), &["lint", "m", "--fix", "--unsafe-fixes", "--format", "short"]);
    let after: Vec<_> = (0..names.len())
        .map(|at| {
            let text = fs::read_to_string(folder.path().join(format!("m/{at}.yaml"))).unwrap();
            text.lines().next().unwrap().strip_prefix("ArtifactName: ").unwrap().to_owned()
        })
        .collect();
    // Two artifacts of one name stay two artifacts of one name.
    assert_eq!(after, ["a_b", "a-b", "c_d", "c.d", "e-f", "g-h", "g-h"]);
    assert_eq!(ran.out.matches("name-pattern").count(), 3, "{}", ran.out);
    let ran = run(folder.path(), &["lint", "m", "--fix", "--unsafe-fixes"]);
    assert!(!ran.out.contains("fixable"), "{}", ran.out);
}

#[test]
fn a_source_is_not_changed_to_one_that_another_artifact_has_or_gets() {
    let ids = |id_type: &str| {
        format!("{{SourceUri: s3://lake/t, SourceTypes: [{{SourceIdType: {id_type}, Value: v}}]}}")
    };
    let uri = |uri: &str| format!("{{SourceUri: {uri}}}");
    let sources = [
        uri("s3a://lake/x"),
        uri("s3://lake/x"),
        // Two that would both become `s3://lake/y`, in one step and in two.
        uri("s3n://lake/y"),
        uri("S3:///lake/y"),
        // One that becomes nothing that another is.
        uri("s3a://lake/z"),
        ids("custom"),
        ids("Custom"),
        ids("s3version"),
        // By a mapping that is written as a text.
        "s3a://lake/w".to_owned(),
        "s3://lake/w".to_owned(),
    ];
    let texts: Vec<_> = sources.iter().map(|source| artifact("", source)).collect();
    let folder = set(&texts);
    let before = findings(folder.path(), &[]);
    let of = |file: &str, code: &str| {
        let is = |one: &&Value| one["file"] == format!("m/{file}.yaml") && one["code"] == code;
        before.iter().find(is).unwrap_or_else(|| panic!("{file} {code}: {before:#?}")).clone()
    };
    let kept = [
        ("0", "uri-scheme", "`s3://lake/x` is already used", "1"),
        ("2", "uri-scheme", "`s3://lake/y` would be used twice", "3"),
        ("3", "uri-scheme", "`s3://lake/y` would be used twice", "2"),
        ("3", "bucket-name", "`s3://lake/y` would be used twice", "2"),
        ("5", "source-id-type", "`s3://lake/t` is already used", "6"),
        ("8", "uri-scheme", "`s3://lake/w` is already used", "9"),
    ];
    for (file, code, help, other) in kept {
        let finding = of(file, code);
        assert!(finding["fix"].is_null(), "{finding}");
        let said = finding["help"].as_str().unwrap();
        assert!(said.ends_with(help) && said.starts_with("remove one of the two"), "{finding}");
        let related = finding["related"].as_array().unwrap().last().unwrap();
        assert_eq!(related["file"], format!("m/{other}.yaml"), "{finding}");
    }
    for (file, code) in [("4", "uri-scheme"), ("7", "source-id-type")] {
        assert!(!of(file, code)["fix"].is_null());
    }
    for threads in ["1", "2", "7"] {
        assert_eq!(findings(folder.path(), &["--threads", threads]), before);
    }
    let left = findings(folder.path(), &["--fix", "--unsafe-fixes"]);
    assert!(!left.iter().any(|one| one["code"] == "duplicate-source"), "{left:#?}");
    let mut expected = texts;
    expected[4] = expected[4].replace("s3a", "s3");
    expected[7] = expected[7].replace("s3version", "S3Version");
    for at in [8, 9] {
        let (head, uri) = expected[at].trim_end().split_once("Source: ").unwrap();
        expected[at] = format!("{head}Source:\n  SourceUri: {uri}\n");
    }
    assert_eq!(after(folder.path(), expected.len()), expected);
}

#[test]
fn copies_of_one_artifact_stay_copies_whatever_is_fixed_in_how_many_rounds() {
    let types = "[{SourceIdType: MD5Hash, Value: 'v '}, {SourceIdType: md5, Value: v}]";
    let text = format!(
        "artifactType: dataset\nsource_uri: 'HTTPS://h/a b'\nsource_types: {types}\n\
         Properties: {{}}\nTags: []\n"
    );
    let folder = set(&[text.clone(), text.clone(), text]);
    let fix = ["--fix", "--unsafe-fixes"];
    let left = findings(folder.path(), &fix);
    let expected = "ArtifactType: DataSet\nSource:\n  SourceUri: 'https://h/a%20b'\n  SourceTypes: \
                    [{SourceIdType: MD5Hash, Value: 'v '}, {SourceIdType: MD5Hash, Value: v}]\n\
                    Properties: {}\nTags: []\n";
    assert_eq!(after(folder.path(), 3), [expected; 3]);
    assert_eq!(findings(folder.path(), &fix), left);
}

#[test]
fn the_help_of_a_name_says_what_is_used_already_and_where() {
    let texts = [artifact("sixth.a", "s3://lake/1"), artifact("sixth-a", "s3://lake/2")];
    let folder = set(&texts);
    let found = findings(folder.path(), &["--select", "name-pattern"]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        found[0]["help"],
        "choose another name of ASCII letters and digits, with hyphens between them: `sixth-a` is \
         already used"
    );
    let related = &found[0]["related"][0];
    assert_eq!(
        (&related["file"], &related["message"]),
        (&"m/1.yaml".into(), &"already used here".into())
    );
    assert_eq!(related["span"]["start"]["line"], 1);
    // Standard input is read once, and in one document the same holds.
    let both = texts.join("---\n").replace("sixth-a", "sixth_a");
    let ran = run_with_input(&root(), &["lint", "-", "--format", "json", "--isolated"], &both);
    assert_eq!(ran.out.matches("`sixth-a` would be used twice").count(), 2, "{}", ran.out);
    let ran = run_with_input(&root(), &["lint", "-", "--diff", "--unsafe-fixes"], &both);
    assert!(!ran.out.contains("+ArtifactName"), "{}", ran.out);
}

#[test]
fn fixing_every_fixture_makes_no_error_of_another_rule() {
    let mut files = fixtures(&["tests/fixtures/err", "tests/fixtures/ok"]);
    // A document that cannot be read is checked once it can be.
    files.retain(|text| !text.contains('\u{A0}'));
    files.sort();
    assert!(files.len() > 80, "{}", files.len());
    let folder = set(&files);
    for args in [&["--fix"][..], &["--fix", "--unsafe-fixes"][..]] {
        let before = findings(folder.path(), &[]);
        let left = findings(folder.path(), args);
        let mut by_file: BTreeMap<String, [Vec<Value>; 2]> = BTreeMap::new();
        for (at, all) in [before, left].into_iter().enumerate() {
            for one in all {
                let file = one["file"].as_str().unwrap().to_owned();
                by_file.entry(file).or_default()[at].push(one);
            }
        }
        for (file, [before, left]) in by_file {
            let old = errors(&before);
            for (code, count) in errors(&left) {
                assert!(
                    old.get(&code).is_some_and(|old| *old >= count),
                    "{code} is new in {file}:\n{}",
                    fs::read_to_string(folder.path().join(&file)).unwrap()
                );
            }
        }
    }
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(texts)
}

/// Returns artifacts whose faults have fixes, many of which lead to the same.
fn document() -> impl Strategy<Value = String> {
    let name = one_of(&["", "", "a-b", "a_b", "a b", "a.b-", "'a--b'", "b"]);
    let uri = one_of(&[
        "s3://lake/x",
        "s3a://lake/x",
        "S3://lake/x",
        "' s3://lake/x'",
        "\"s3://lake/x\\n\"",
        "s3:////lake/x",
        "S3A:///lake/x",
        "s3:lake/x",
        "s3://arn:aws:s3:::lake/x",
        "s3://lake-/x",
        "'https://h/a b'",
        "https://h/a%20b",
        "htp://h/a%20b",
        "'HTTPS://h/a b'",
    ]);
    let form = 0..4_usize;
    let ids = one_of(&[
        "[]",
        "[{SourceIdType: md5, Value: v}]",
        "[{SourceIdType: MD5Hash, Value: v}]",
        "[{SourceIdType: MD5Hash, Value: 'v '}, {SourceIdType: md5, Value: v}]",
        "[{SourceIdType: custom, Value: ' v'}]",
        "{SourceIdType: custom, Value: v}",
    ]);
    let properties = one_of(&[
        "{}",
        "{' a': x, a: y}",
        "{\"a\\n\": x, 'a ': y}",
        "{1: a, 2: true}",
        "{\"a\\nb\": x, a b: y}",
    ]);
    let tags = one_of(&[
        "[]",
        "{}",
        "{a: b, 'a ': c}",
        "{a: b, a: c}",
        "[{Key: 'a|b', Value: x}, {Key: a-b, Value: y}]",
        "[{Key: 'a&b', Value: x}, {Key: aandb, Value: y}]",
        "[{Key: a, Value: x}, {Key: a, Value: x}, {Key: ' a', Value: x}]",
        "[{Key: a, Value: x, value: y}, {key: a}]",
    ]);
    (name, uri, form, ids, properties, tags).prop_map(|(name, uri, form, ids, properties, tags)| {
        let name = if name.is_empty() { String::new() } else { format!("ArtifactName: {name}\n") };
        let source = match form {
            0 => format!("Source: {uri}\n"),
            1 => format!("source_uri: {uri}\nsource_types: {ids}\n"),
            2 => format!("Source: {{uri: {uri}, SourceTypes: {ids}}}\n"),
            _ => format!("Source:\n  SourceUri: {uri}\n  SourceTypes: {ids}\n"),
        };
        format!("{name}artifactType: dataset\n{source}Properties: {properties}\nTags: {tags}\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_fix_and_no_help_makes_an_error_of_another_rule(
        documents in prop::collection::vec(document(), 1..8)
    ) {
        let folder = set(&documents);
        for args in [&["--fix"][..], &["--fix", "--unsafe-fixes"][..]] {
            let text = after(folder.path(), documents.len()).join("---\n");
            let before = findings(folder.path(), &[]);
            let old = errors(&before);
            let left = findings(folder.path(), args);
            let now = after(folder.path(), documents.len()).join("---\n");
            for (code, count) in errors(&left) {
                prop_assert!(
                    old.get(&code).is_some_and(|old| *old >= count),
                    "{} is new:\n{}\n-- to --\n{}", code, text, now
                );
            }
            for finding in &before {
                let help = finding["help"].as_str().unwrap_or_default();
                let Some((_, name)) = help.split_once("such as `") else { continue };
                let name = name.trim_end_matches('`');
                let used = format!("ArtifactName: {name}\n");
                prop_assert!(
                    finding["code"] != "name-pattern" || !text.contains(&used), "{}\n{}", help, text
                );
            }
            let again = findings(folder.path(), args);
            prop_assert_eq!(after(folder.path(), documents.len()).join("---\n"), now);
            prop_assert_eq!(again, left);
        }
    }
}
