//! `lint --fix` and `--diff`: what is fixed, and that nothing else changes.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_yaml::Value;

use crate::support::{folder, run, run_with_input, timeless};

const HEAD: &str = "ArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/x\n";

/// Returns what `text` is after `lineload lint ARGS`.
fn fixed(text: &str, args: &[&str]) -> String {
    let folder = folder(&[("m.yaml", text)]);
    run(folder.path(), &[&["lint", "m.yaml"], args].concat());
    fs::read_to_string(folder.path().join("m.yaml")).unwrap()
}

#[test]
fn safe_fixes_say_what_was_written_as_the_service_wants_it() {
    let cases = [
        ("Properties:\n  a: 1\n", "Properties:\n  a: '1'\n"),
        (
            "Properties:\n  a: 0x1F # why\n  1: yes\n",
            "Properties:\n  a: '0x1F' # why\n  '1': 'yes'\n",
        ),
        ("Properties: {a: true, b: 1.5e3}\n", "Properties: {a: 'true', b: '1.5e3'}\n"),
        ("Properties:\n  a: 2024-01-01\n  b: no\n", "Properties:\n  a: '2024-01-01'\n  b: 'no'\n"),
        ("Properties:\n  a: |\n    text\n", "Properties:\n  a: |-\n    text\n"),
        ("Properties:\n  a: >+2 # why\n    text\n\n", "Properties:\n  a: >2- # why\n    text\n\n"),
        ("Properties:\n  a: 'text\n\n    '\n", "Properties:\n  a: 'text'\n"),
        ("Properties:\n  a: \"text\\n\"\n", "Properties:\n  a: \"text\"\n"),
        ("properties:\n  a: b\n", "Properties:\n  a: b\n"),
        ("\"TAGS\":\n- key: a\n  VALUE: b\n", "\"Tags\":\n- Key: a\n  Value: b\n"),
        (
            "Properties:\n  a: &x 1\nMetadataProperties:\n  CommitId: *x\n",
            "Properties:\n  a: &x '1'\nMetadataProperties:\n  CommitId: *x\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(fixed(&format!("{HEAD}{before}"), &["--fix"]), format!("{HEAD}{after}"));
    }
    let types = |name: &str| {
        let value = "1b2cf535f27731c974343645a3985328";
        format!(
            "ArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/x\n  SourceTypes:\n  \
             - SourceIdType: {name}\n    Value: {value}\n"
        )
    };
    for (before, after) in [("md5", "MD5Hash"), ("'S3Etag'", "'S3ETag'"), ("etag", "S3ETag")] {
        assert_eq!(fixed(&types(before), &["--fix"]), types(after));
    }
}

#[test]
fn what_is_a_guess_or_has_no_one_answer_is_left() {
    let kept = [
        // Nothing, or null, may mean that there is no such property.
        "Properties:\n  a:\n  b: null\n  c: ~\n",
        // Several lines: joining them is a guess.
        "Properties:\n  a: |\n    one\n    two\n",
        // A field of an artifact, in the wrong place.
        "MetadataProperties:\n  ArtifactName: b\n",
        // Both are there.
        "Tags: []\ntags: []\n",
        // A guess.
        "Propertys:\n  a: b\n",
        "Properties:\n  a: ' b'\n",
        "Properties:\n  a: !!int 3\n",
    ];
    for text in kept {
        let text = format!("{HEAD}{text}");
        assert_eq!(fixed(&text, &["--fix"]), text);
    }
    let guesses = [
        ("Propertys:\n  a: b\n", "Properties:\n  a: b\n"),
        ("Properties:\n  a: ' b'\n", "Properties:\n  a: 'b'\n"),
    ];
    for (before, after) in guesses {
        let fixed = fixed(&format!("{HEAD}{before}"), &["--fix", "--unsafe-fixes"]);
        assert_eq!(fixed, format!("{HEAD}{after}"));
    }
    let fixed = fixed("ArtifactType: dataset\n", &["--fix", "--unsafe-fixes"]);
    assert_eq!(fixed, "ArtifactType: DataSet\n");
}

#[test]
fn everything_outside_the_edits_stays_byte_for_byte() {
    let text = "\u{FEFF}# größe: 1\r\nartifactType:   DataSet\r\nSource: {  SourceUri: \"s3://lake/é\" }\r\n\
                Properties:\r\n\r\n   Größe:    1_0   # ten \r\n   b:   12\r\n...\r\n---\r\n# the end";
    let after = text.replace("artifactType", "ArtifactType").replace("1_0", "'1_0'");
    assert_eq!(fixed(text, &["--fix"]), after.replace("12", "'12'"));
}

#[cfg(unix)]
#[test]
fn a_file_is_replaced_whole_with_its_permissions_and_links_stay_links() {
    use std::os::unix::fs::PermissionsExt as _;
    let text = format!("{HEAD}Properties:\n  a: 1\n");
    let folder = folder(&[("m/real.yaml", &text)]);
    let path = |name: &str| folder.path().join(name);
    fs::set_permissions(path("m/real.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.yaml", path("m/link.yaml")).unwrap();
    let ran = run(folder.path(), &["lint", "m/link.yaml", "--fix"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "fixed 1 finding in 1 file\n"), "{ran:?}");
    assert!(fs::symlink_metadata(path("m/link.yaml")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(path("m/real.yaml")).unwrap(), text.replace('1', "'1'"));
    let mode = fs::metadata(path("m/real.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let left: Vec<_> = fs::read_dir(path("m")).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_replaced_is_named_and_the_others_are_fixed() {
    use std::os::unix::fs::PermissionsExt as _;
    let text = format!("{HEAD}Properties:\n  a: 2024-01-01\n");
    let folder = folder(&[("a.yaml", &text), ("b.yaml", &text.replace("/x", "/y"))]);
    let a = folder.path().join("a.yaml");
    fs::set_permissions(&a, fs::Permissions::from_mode(0o444)).unwrap();
    let ran = run(folder.path(), &["lint", ".", "--fix"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("not fixed: a.yaml: the file is read-only"), "{}", ran.err);
    assert!(ran.err.contains("fixed 1 finding in 1 file"), "{}", ran.err);
}

#[test]
fn a_diff_shows_what_a_fix_would_do_and_does_nothing() {
    let text = format!("{HEAD}Properties:\n  a: 1\n  b: c\n");
    let folder = folder(&[("m.yaml", &text)]);
    let ran = run(folder.path(), &["lint", "m.yaml", "--diff"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out, @r"
    --- a/m.yaml
    +++ b/m.yaml
    @@ -2,5 +2,5 @@
     Source:
       SourceUri: s3://lake/x
     Properties:
    -  a: 1
    +  a: '1'
       b: c
    ");
    assert_eq!(ran.err, "would fix 1 finding in 1 file\n");
    assert_eq!(fs::read_to_string(folder.path().join("m.yaml")).unwrap(), text);
    let right = run_with_input(folder.path(), &["lint", "-", "--diff"], HEAD);
    assert_eq!((right.code, right.out.as_str()), (0, ""));
    let refused = run_with_input(folder.path(), &["lint", "-", "--fix"], HEAD);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("`--fix` cannot write to standard input"), "{}", refused.err);
}

#[test]
fn only_what_is_reported_is_fixed() {
    let text = format!("{HEAD}Properties:\n  a: 1\n  b: no\n");
    let only = fixed(&text, &["--fix", "--select", "ambiguous-scalar"]);
    assert_eq!(only, text.replace("no", "'no'"));
    let allowed = text.replace("no", "no # lineload: allow ambiguous-scalar");
    assert_eq!(fixed(&allowed, &["--fix"]), allowed.replace("a: 1", "a: '1'"));
}

#[test]
fn an_anchored_fault_is_one_finding_and_one_edit() {
    let text =
        format!("{HEAD}Properties:\n  a: &n 12\n  b: *n\nMetadataProperties:\n  CommitId: *n\n");
    let folder = folder(&[("m.yaml", &text)]);
    let ran = run(folder.path(), &["lint", "m.yaml"]);
    assert!(
        timeless(&ran.out)
            .contains("1 invalid: 1 error\n1 fixable with `lineload lint m.yaml --fix`"),
        "{}",
        ran.out
    );
    assert_eq!(ran.out.matches("used here by this alias").count(), 2, "{}", ran.out);
    assert_eq!(fixed(&text, &["--fix"]), text.replace("12", "'12'"));
}

#[test]
fn a_json_manifest_gets_the_quotes_that_json_knows() {
    let text = r#"{"ArtifactType": "DataSet", "Source": {"SourceUri": "s3://lake/x"}, "Properties": {"a": 1}}"#;
    let folder = folder(&[("m.json", text)]);
    let ran = run(folder.path(), &["lint", "m.json", "--fix"]);
    assert_eq!(timeless(&ran.out), "1 file, 1 artifact: nothing found\n");
    let after = fs::read_to_string(folder.path().join("m.json")).unwrap();
    assert_eq!(after, text.replace(": 1}", ": \"1\"}"));
}

/// Returns whether `after` is the data of `before` but for what safe fixes say.
fn same_but_for_fixes(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Mapping(before), Value::Mapping(after)) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|((key, value), (new_key, new_value))| {
                    let renamed = match (key, new_key) {
                        (Value::String(key), Value::String(new)) => key.eq_ignore_ascii_case(new),
                        _ => same_but_for_fixes(key, new_key),
                    };
                    renamed && same_but_for_fixes(value, new_value)
                })
        }
        (Value::Sequence(before), Value::Sequence(after)) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|(a, b)| same_but_for_fixes(a, b))
        }
        (Value::String(before), Value::String(after)) => {
            before == after
                || before.trim_end_matches('\n') == after
                || (after == "MD5Hash" && (before == "md5" || before.eq_ignore_ascii_case(after)))
        }
        (Value::Number(_) | Value::Bool(_), Value::String(after)) => {
            serde_yaml::from_str::<Value>(after).is_ok_and(|read| read == *before)
        }
        (before, after) => before == after,
    }
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        Just("no".to_owned()),
        Just("null".to_owned()),
        Just("|\n      text\n      more\n".to_owned()),
        Just(">\n      text\n".to_owned()),
        Just("|+\n      text\n\n".to_owned()),
        Just("'it''s\n\n    '".to_owned()),
        Just("\"é\\t\\n\"".to_owned()),
        Just("|\n      text \n".to_owned()),
        Just("\" a\\n\"".to_owned()),
        "-?[0-9]{1,5}",
        "[0-9]\\.[0-9]{1,3}",
        Just("TRUE".to_owned()),
        Just("2024-01-01".to_owned()),
    ]
}

fn manifest() -> impl Strategy<Value = String> {
    let names = prop_oneof![Just("Properties"), Just("PROPERTIES"), Just("properties")];
    let id_types = prop_oneof![Just("md5"), Just("MD5HASH"), Just("Custom"), Just("nonsense")];
    let document = (names, prop::collection::vec(value(), 0..6), id_types, value()).prop_map(
        |(name, values, id_type, of_type)| {
            let mut text = format!(
                "ArtifactType: DataSet # é\nSource:\n  SourceUri: s3://lake/x\n  SourceTypes:\n  \
                 - SourceIdType: {id_type}\n    Value: {of_type}\n"
            );
            if !values.is_empty() {
                text.push_str(name);
                text.push_str(":\n");
            }
            for (at, value) in values.iter().enumerate() {
                text.push_str(&format!("  k{at}: {value}\n"));
            }
            text
        },
    );
    prop::collection::vec(document, 1..4).prop_map(|documents| documents.join("---\n"))
}

fn read(text: &str) -> Vec<Value> {
    use serde::Deserialize as _;
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|document| Value::deserialize(document).unwrap()).collect()
}

/// Applies the safe fixes of `text` in this process.
fn fix_all(text: &str) -> Option<String> {
    use lineload::source::{FileId, SourceFile};
    use lineload::{check, config, fix};
    let source = SourceFile::new(FileId(0), "m.yaml".into(), text.as_bytes().to_vec());
    let rules = config::Rules::default();
    let options = check::Options {
        rules: &rules,
        allowances: true,
        threads: None,
        entries: false,
        rewrites: None,
    };
    fix::fixed(&source, options, false, |_| true).map(|fixed| fixed.text)
}

/// Returns how often each rule finds something at each path.
fn found(text: &str) -> std::collections::BTreeMap<(String, String), usize> {
    use lineload::source::{FileId, SourceFile};
    use lineload::{check, config};
    let source = SourceFile::new(FileId(0), "m.yaml".into(), text.as_bytes().to_vec());
    let rules = config::Rules::default();
    let options = check::Options {
        rules: &rules,
        allowances: true,
        threads: None,
        entries: false,
        rewrites: None,
    };
    let mut found = std::collections::BTreeMap::new();
    for finding in check::source(&source, options) {
        // Names of fields are what a fix may change.
        let path = finding.path.to_lowercase();
        *found.entry((finding.code.as_str().to_owned(), path)).or_default() += 1;
    }
    found
}

proptest! {
    #[test]
    fn a_fixed_file_is_the_same_data_and_has_nothing_left_to_fix(text in manifest()) {
        if let Some(fixed) = fix_all(&text) {
            let (before, after) = (read(&text), read(&fixed));
            prop_assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(&after) {
                prop_assert!(same_but_for_fixes(before, after), "{}\n-- to --\n{}", text, fixed);
            }
            prop_assert_eq!(fix_all(&fixed), None, "{}", fixed);
            let (old, new) = (found(&text), found(&fixed));
            for (what, count) in new {
                let before = old.get(&what).copied().unwrap_or(0);
                prop_assert!(count <= before, "{:?} is new:\n{}\n-- to --\n{}", what, text, fixed);
            }
        }
    }
}

#[test]
fn a_tree_is_fixed_once() {
    let folder = folder(&[("m/a.yaml", &format!("{HEAD}Properties:\n  a: 1\n  b: |\n    x\n"))]);
    let first = run(folder.path(), &["lint", "m", "--fix"]);
    assert_eq!(first.err, "fixed 2 findings in 1 file\n");
    let stamp = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let before = stamp(&folder.path().join("m/a.yaml"));
    let second = run(folder.path(), &["lint", "m", "--fix"]);
    assert_eq!((second.code, second.err.as_str()), (0, "fixed 0 findings in 0 files\n"));
    assert_eq!(stamp(&folder.path().join("m/a.yaml")), before);
}

#[test]
fn the_commonest_mistakes_of_shape_have_safe_fixes() {
    let cases = [
        // Tags as a mapping.
        (
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags:\n  team: a # who\n  'e v': \"b\"\n  n: 1\n",
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags:\n  - Key: team\n    Value: a # who\n  - Key: 'e v'\n    Value: \"b\"\n  - Key: n\n    Value: '1'\n",
        ),
        (
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags: {team: a, env: b}\n",
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags: [{Key: team, Value: a}, {Key: env, Value: b}]\n",
        ),
        (
            "{\"ArtifactType\":\"DataSet\",\"Source\":\"s3://lake/x\",\"Tags\":{\"team\":\"a\"}}",
            "{\"ArtifactType\":\"DataSet\",\"Source\":{\"SourceUri\": \"s3://lake/x\"},\"Tags\":[{\"Key\": \"team\", \"Value\": \"a\"}]}",
        ),
        // A source that is a text.
        (
            "- ArtifactType: DataSet\r\n  Source: s3://lake/x # where\r\n",
            "- ArtifactType: DataSet\r\n  Source:\r\n    SourceUri: s3://lake/x # where\r\n",
        ),
        // The names of other SDKs.
        (
            "artifact_name: a\nartifactType: DataSet\nsource_uri: s3://lake/x\nsource_types:\n  - source_id_type: Custom\n    value: b\nproperties:\n  c: d\n",
            "ArtifactName: a\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/x\n  SourceTypes:\n    - SourceIdType: Custom\n      Value: b\nProperties:\n  c: d\n",
        ),
        (
            "source_uri: s3://lake/x\nArtifactType: DataSet\nsource_types:\n- SourceIdType: Custom\n  Value: b\ncommitId: c\nproject_id: d",
            "Source:\n  SourceUri: s3://lake/x\n  SourceTypes:\n  - SourceIdType: Custom\n    Value: b\nArtifactType: DataSet\nMetadataProperties:\n  CommitId: c\n  ProjectId: d",
        ),
        (
            "ArtifactType: DataSet\nSource:\n  SourceTypes: []\nSourceUri: s3://lake/x\nTags: []\n",
            "ArtifactType: DataSet\nSource:\n  SourceTypes: []\n  SourceUri: s3://lake/x\nTags: []\n",
        ),
        (
            "{\"artifactType\": \"DataSet\", \"sourceUri\": \"s3://lake/x\"}",
            "{\"ArtifactType\": \"DataSet\", \"Source\": {\"SourceUri\": \"s3://lake/x\"}}",
        ),
        (
            "defaults:\n  artifact_type: DataSet\nartifacts:\n- source: s3://lake/x\n",
            "Defaults:\n  ArtifactType: DataSet\nArtifacts:\n- Source:\n    SourceUri: s3://lake/x\n",
        ),
        // Spaces of a web page.
        (
            "ArtifactType: DataSet\nSource:\n\u{A0} SourceUri:\u{A0} s3://lake/x\n",
            "ArtifactType: DataSet\nSource:\n  SourceUri:  s3://lake/x\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(fixed(before, &["--fix"]), after);
        let folder = folder(&[("m.yaml", after)]);
        let ran = run(folder.path(), &["lint", "m.yaml"]);
        assert_eq!(ran.code, 0, "{}", ran.out);
    }
}

#[test]
fn guesses_leave_nothing_behind_in_one_run() {
    let cases = [
        (
            "ArtifactArn: arn:aws:sagemaker:eu-west-1:123456789012:artifact/0\nArtifactType: DataSet\nCreatedBy:\n  DomainId: d\nSource:\n  SourceUri: s3://lake/x\nCreationTime: 2026-01-01 # when\n",
            "ArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/x\n",
        ),
        (
            "- ArtifactArn: a\n  ArtifactType: DataSet\n  CreatedBy: {}\n  Source: {SourceUri: s3://lake/x}\n",
            "- ArtifactType: DataSet\n  Source: {SourceUri: s3://lake/x}\n",
        ),
        (
            "{\"ArtifactArn\": \"a\", \"ArtifactType\": \"DataSet\", \"Source\": {\"SourceUri\": \"s3://lake/x\"}, \"CreatedBy\": {}}",
            "{\"ArtifactType\": \"DataSet\", \"Source\": {\"SourceUri\": \"s3://lake/x\"}}",
        ),
        (
            "ArtifactName: churn_training set.v2\nArtifactType: dataset\nSource: {SourceUri: s3://lake/x}\n",
            "ArtifactName: churn-training-set-v2\nArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n",
        ),
        (
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties:\n  a: |\n    one \n    two\n\n  b: |\n    one\n\n    it's two \n  c: \"one\\ntwo \\n\"\n",
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nProperties:\n  a: >-\n    one \n    two\n\n  b: 'one it''s two'\n  c: \"one two\"\n",
        ),
        (
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags:\n- Key: a\n  Value: b\n- Key: c (d)\n  Value: e & f\n- Key: a\n  Value: b # again\n",
            "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\nTags:\n- Key: a\n  Value: b\n- Key: c d\n  Value: e and f\n",
        ),
        (
            "ArtifactType: DataSet\nSource: {SourceUri: 's3:////lake-1/x'}\nTags: [{Key: a, Value: b}, {Key: a, Value: b}]\n",
            "ArtifactType: DataSet\nSource: {SourceUri: 's3://lake-1/x'}\nTags: [{Key: a, Value: b}]\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(fixed(before, &["--fix", "--unsafe-fixes"]), after);
        let folder = folder(&[("m.yaml", after)]);
        let ran = run(folder.path(), &["lint", "m.yaml", "--fail-on", "warning"]);
        assert_eq!(ran.code, 0, "{}", ran.out);
    }
    // What is cut off ends with a whole word, and says so.
    let words = "word ".repeat(900);
    let text = format!("{HEAD}Properties:\n  a: {}\n", words.trim_end());
    let short = fixed(&text, &["--fix", "--unsafe-fixes"]);
    let value = short.trim_end().rsplit_once("a: ").unwrap().1;
    assert!(value.ends_with("word…") && (4090..=4096).contains(&value.chars().count()), "{value}");
}

/// Returns what `git apply` makes of `patch` in `folder`.
fn applied(folder: &Path, patch: &str) -> bool {
    use std::io::Write as _;
    let mut git = std::process::Command::new("git");
    git.current_dir(folder).args(["apply", "-"]).stdin(std::process::Stdio::piped());
    let mut git = git.spawn().expect("git runs");
    git.stdin.take().unwrap().write_all(patch.as_bytes()).unwrap();
    git.wait().unwrap().success()
}

#[test]
fn a_patch_shows_no_secret_and_applies() {
    let key = "aB3dE6gH9jK2mN5pQ8sT1vW4";
    let many: String = (0..12).map(|at| format!("  k{at}: v\n")).collect();
    let text = format!(
        "# head\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/x\nProperties:\n  password: {key}\n  \
         a: 1\n  b: c\n  d: 2\n  token: {key}\n{many}  e: 3\n  f: |-\n    x\n  g: 4\n  secret: {key}\n"
    );
    let folder = folder(&[("m.yaml", &text)]);
    let ran = run(folder.path(), &["lint", "m.yaml", "--diff"]);
    assert!(!ran.out.contains(key) && !ran.out.contains("redacted"), "{}", ran.out);
    assert!(ran.err.contains("2 changes not shown"), "{}", ran.err);
    assert!(applied(folder.path(), &ran.out), "{}", ran.out);
    let after = fs::read_to_string(folder.path().join("m.yaml")).unwrap();
    // What stands right in front of a secret cannot be shown to git without it.
    assert_eq!(after, text.replace("a: 1", "a: '1'").replace("e: 3", "e: '3'"));
    let ran = run(folder.path(), &["lint", "m.yaml", "--fix"]);
    assert!(ran.err.contains("fixed 2 findings"), "{}", ran.err);
}

#[test]
fn a_patch_of_many_changes_is_what_a_fix_does() {
    let values = |at: usize| if at % 7 < 3 { at.to_string() } else { format!("v{at}") };
    let many: String = (0..60).map(|at| format!("- ArtifactType: DataSet\n  Source: {{SourceUri: s3://lake/{at}}}\n  Properties: {{a: {}}}\n", values(at))).collect();
    for text in [many.clone(), many.trim_end().to_owned(), many.replace('\n', "\r\n")] {
        let folder = folder(&[("m.yaml", &text)]);
        let ran = run(folder.path(), &["lint", "m.yaml", "--diff"]);
        assert!(applied(folder.path(), &ran.out), "{}", ran.out);
        let after = fs::read_to_string(folder.path().join("m.yaml")).unwrap();
        assert_eq!(after, fixed(&text, &["--fix"]));
    }
}
