//! Shards of a tree, each worked on alone, and the duplicates that none of them sees.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, folder, run};

const SHARDS: usize = 5;

/// A tree of 60 files with four artifacts each. Some names and sources are used again in other files, in
/// one file, and where the rule is a warning, is off, or a comment allows it.
fn tree() -> tempfile::TempDir {
    let mut files: Vec<(String, String)> = Vec::new();
    for file in 0..60_usize {
        // In the order of a walk, `m/a/…` comes before `m/a-b/…`.
        let directory = ["a", "a-b", "a.b", "warned", "off"][file % 5];
        let mut text = String::new();
        for at in 0..4 {
            let number = file * 4 + at;
            let name = if number % 7 == 0 { number % 21 } else { 1000 + number };
            let source = if number % 11 == 0 { number % 33 } else { 1000 + number };
            let allow = if number % 14 == 0 { "  # lineload: allow duplicate-name" } else { "" };
            text.push_str(&format!(
                "- ArtifactName: name-{name}{allow}\n  ArtifactType: DataSet\n  Source:\n    \
                 SourceUri: s3://lake/{source}\n"
            ));
        }
        files.push((format!("m/{directory}/{file}.yaml"), text));
    }
    let config = "[[overrides]]\npaths = [\"m/warned/**\"]\nrules = {duplicate-name = \"warn\"}\n\n\
                  [[overrides]]\npaths = [\"m/off/**\"]\nrules = {duplicate-name = \"off\"}\n";
    files.push(("lineload.toml".to_owned(), config.to_owned()));
    let files: Vec<_> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    folder(&files)
}

fn findings(ran: &Ran) -> Vec<Value> {
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    report["diagnostics"].as_array().expect("findings").clone()
}

/// Lints each shard, and returns the names of their indexes.
fn lint_shards(folder: &Path, shards: usize) -> Vec<String> {
    let index = |shard: usize| {
        let (part, file) = (format!("{shard}/{shards}"), format!("{shard}.idx"));
        let ran =
            run(folder, &["lint", "m", "--shard", &part, "--index", &file, "--fail-on", "never"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        file
    };
    (1..=shards).map(index).collect()
}

#[test]
fn the_indexes_of_all_shards_give_the_duplicates_of_the_whole_tree() {
    let folder = tree();
    let whole = run(folder.path(), &["lint", "m", "--format", "json"]);
    let mut expected = findings(&whole);
    assert!(expected.iter().all(|one| one["code"].as_str().unwrap().starts_with("duplicate-")));
    let count = |what: &str, of: &str| expected.iter().filter(|one| one[what] == of).count();
    assert!(count("severity", "warning") > 2 && count("code", "duplicate-name") > 10);
    assert!(count("code", "duplicate-source") > 10);
    let indexes = lint_shards(folder.path(), SHARDS);
    let mut args = vec!["merge-index", "--format", "json"];
    args.extend(indexes.iter().map(String::as_str));
    let merged = run(folder.path(), &args);
    assert_eq!(merged.code, 1, "{merged:?}");
    assert_eq!(findings(&merged), expected);
    // In whatever order they are given.
    args[3..].reverse();
    assert_eq!(findings(&run(folder.path(), &args)), expected);
    // Without a shard the index is that of the whole tree.
    run(folder.path(), &["lint", "m", "--index", "whole.idx", "-q"]);
    let alone = run(folder.path(), &["merge-index", "whole.idx", "--format", "json"]);
    assert_eq!(findings(&alone), expected);
    // What is no duplicate each shard reports itself.
    fs::write(folder.path().join("m/a/bad.yaml"), "ArtifactName: a_b\n").unwrap();
    expected = findings(&run(folder.path(), &["lint", "m", "--format", "json"]));
    let mut apart = Vec::new();
    for shard in 1..=SHARDS {
        let part = format!("{shard}/{SHARDS}");
        apart.extend(findings(&run(
            folder.path(),
            &["lint", "m", "--shard", &part, "--format", "json"],
        )));
    }
    let others = |all: &[Value]| -> Vec<String> {
        let all = all.iter().filter(|one| !one["code"].as_str().unwrap().starts_with("duplicate-"));
        all.map(Value::to_string).collect()
    };
    assert_eq!(others(&apart), others(&expected));
    assert_eq!(others(&apart).len(), 3, "{apart:#?}");
}

#[test]
fn a_file_with_very_many_duplicates_shows_as_many_as_a_check_of_the_tree() {
    let folder = folder(&[]);
    fs::create_dir(folder.path().join("m")).unwrap();
    let artifact = "- ArtifactType: DataSet\n  Source: {SourceUri: s3://lake/x}\n";
    for name in ["c.yaml", "m/+a.yaml", "m/b.yaml"] {
        fs::write(
            folder.path().join(name),
            artifact.repeat(if name == "m/b.yaml" { 11_000 } else { 100 }),
        )
        .unwrap();
    }
    let paths = ["m", "m/../c.yaml"];
    let whole = run(folder.path(), &[&["lint", "--format", "json"], &paths[..]].concat());
    run(folder.path(), &[&["lint", "-q", "--index", "whole.idx"], &paths[..]].concat());
    let merged = run(folder.path(), &["merge-index", "whole.idx", "--format", "json"]);
    assert_eq!(findings(&merged), findings(&whole));
    assert!(findings(&whole).iter().any(|one| one["code"] == "findings-limit"));
}

#[test]
fn an_index_from_elsewhere_cannot_act_on_a_terminal_or_end_a_merge() {
    let folder = tree();
    let indexes = lint_shards(folder.path(), 1);
    let whole = fs::read(folder.path().join(&indexes[0])).unwrap();
    let changed = |statements: &str| {
        let path = folder.path().join("changed.idx");
        fs::write(&path, &whole).unwrap();
        let index = rusqlite::Connection::open(&path).unwrap();
        index.execute_batch(statements).unwrap();
        drop(index);
        run(folder.path(), &["merge-index", "changed.idx", "--color", "always"])
    };
    let hostile = "\u{1b}]0;owned\u{7}\r password=hunter2hunter2";
    let ran = changed(&format!(
        "UPDATE claim SET text = '{hostile}'; UPDATE file SET name = '{hostile}'"
    ));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(!ran.out.contains("\u{1b}]") && !ran.out.contains(['\u{7}', '\r']), "{}", ran.out);
    for (statements, message) in [
        ("DELETE FROM claim WHERE file = 3", "`changed.idx` is corrupt"),
        ("DELETE FROM file", "`changed.idx` is corrupt"),
        ("UPDATE claim SET severity = 9", "`changed.idx` is corrupt"),
        ("UPDATE shard SET shards = 0", "`changed.idx` is corrupt"),
        ("UPDATE claim SET start_line = -1", "cannot use the index `changed.idx`"),
        ("UPDATE claim SET text = hex(zeroblob(1000000))", "cannot use the index `changed.idx`"),
        (
            "ALTER TABLE claim RENAME TO kept; CREATE VIEW claim AS WITH RECURSIVE more(what) AS (SELECT \
             0 UNION ALL SELECT 0 FROM more) SELECT what, 0 AS key, 0 AS file, 0 AS artifact FROM more",
            "`changed.idx` is not an index",
        ),
    ] {
        let ran = changed(statements);
        assert!(ran.code == 2 && ran.err.contains(message), "{statements}: {ran:?}");
    }
    let twice = run(folder.path(), &["merge-index", &indexes[0], &indexes[0]]);
    assert!(twice.code == 2 && twice.err.contains("is named twice"), "{twice:?}");
    // What is no index is kept.
    fs::write(folder.path().join("precious.txt"), "precious").unwrap();
    let ran = run(folder.path(), &["lint", "m", "--index", "precious.txt"]);
    assert!(ran.code == 2 && ran.err.contains("would be overwritten"), "{ran:?}");
    assert_eq!(fs::read_to_string(folder.path().join("precious.txt")).unwrap(), "precious");
    let ran = run(folder.path(), &["lint", "m", "--index", "none/a.idx"]);
    assert!(ran.code == 2 && ran.out.is_empty(), "{ran:?}");
}

#[test]
fn people_see_both_places_of_a_duplicate_across_shards() {
    let folder = folder(&[
        ("m/a.yaml", "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n"),
        ("m/b.yaml", "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n"),
        ("m/c.yaml", "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/y}\n"),
    ]);
    // `m/a.yaml` and `m/b.yaml` are in the third of three, all are apart in these seven.
    let indexes = lint_shards(folder.path(), 7);
    let mut args = vec!["merge-index"];
    args.extend(indexes.iter().map(String::as_str));
    let ran = run(folder.path(), &args);
    let (shown, closing) = ran.out.trim_end().rsplit_once('\n').unwrap();
    insta::assert_snapshot!(shown);
    assert!(closing.starts_with("3 files, 3 artifacts: 1 error ("), "{closing}");
    assert_eq!(ran.code, 1);
}

#[test]
fn indexes_that_are_not_those_of_one_tree_are_refused() {
    let folder = tree();
    let indexes = lint_shards(folder.path(), 3);
    let refused = |args: &[&str]| {
        let ran = run(folder.path(), &[&["merge-index"], args].concat());
        assert_eq!((ran.code, &*ran.out), (2, ""), "{ran:?}");
        ran.err
    };
    let [one, two, three] = [0, 1, 2].map(|at| &*indexes[at]);
    assert!(refused(&[one, three]).contains("no index is of shard 2/3"));
    assert!(refused(&[one, two]).contains("no index is of shard 3/3"));
    fs::copy(folder.path().join(two), folder.path().join("again.idx")).unwrap();
    assert!(refused(&[one, two, "again.idx"]).contains("two indexes are of shard 2/3"));
    run(folder.path(), &["lint", "m", "--shard", "1/2", "--index", "half.idx", "-q"]);
    let different = refused(&[one, two, "half.idx"]);
    assert!(different.contains("the indexes are of 3 shards and of 2 shards"), "{different}");
    assert!(refused(&["m/a/0.yaml"]).contains("`m/a/0.yaml` is not an index"));
    assert!(refused(&["none.idx"]).contains("cannot use the index `none.idx`"));
    // An index that breaks off.
    let whole = fs::read(folder.path().join(one)).unwrap();
    for length in [0, 20, 100, 5000, whole.len() / 2] {
        fs::write(folder.path().join("cut.idx"), &whole[..length]).unwrap();
        refused(&["cut.idx", two, three]);
    }
}

#[test]
fn a_shard_without_files_has_nothing_to_do() {
    let folder =
        folder(&[("m/a.yaml", "ArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n")]);
    let codes: Vec<_> = (1..=20)
        .map(|shard| run(folder.path(), &["lint", "m", "--shard", &format!("{shard}/20")]))
        .map(|ran| (ran.code, ran.out.lines().last().map(|line| line[..7].to_owned())))
        .collect();
    let mut counts = BTreeMap::new();
    for code in codes {
        *counts.entry(code).or_insert(0) += 1;
    }
    let expected = [((0, Some("0 files".to_owned())), 19), ((0, Some("1 file,".to_owned())), 1)];
    assert_eq!(counts, BTreeMap::from(expected));
    for shard in ["1/2", "2/2"] {
        let ran = run(folder.path(), &["lint", "none", "--shard", shard]);
        assert!(ran.code == 2 && ran.err.contains("no manifests found in `none`"), "{ran:?}");
        let ran = run(folder.path(), &["lint", "m", "none", "--shard", shard]);
        assert!(ran.code == 1 && ran.out.contains("path-unreadable: none"), "{ran:?}");
    }
    let ran = run(folder.path(), &["lint", "m", "--shard", "auto"]);
    assert!(ran.code == 2 && ran.err.contains("not a task of a known engine"), "{ran:?}");
}

/// Returns the counts of a status.
#[cfg(feature = "aws")]
fn counts(folder: &Path, journals: &[&str]) -> Value {
    let journals: Vec<_> = journals.iter().flat_map(|journal| ["--journal", journal]).collect();
    let ran = run(folder, &[&["status", "--format", "json"], &*journals].concat());
    let status: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    status["sum"].clone()
}

#[cfg(feature = "aws")]
#[test]
fn shards_are_imported_apart_with_a_journal_each() {
    let artifact = |at: usize| {
        let text = format!("ArtifactType: DataSet\nSource: {{SourceUri: s3://lake/{at}}}\n");
        (format!("m/{at}.yaml"), text)
    };
    let files: Vec<_> = (0..30).map(artifact).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let folder = folder(&files);
    let import = |args: &[&str]| {
        let ran = run(folder.path(), &[&["import", "m", "--local"], args].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    };
    for shard in ["1/3", "2/3", "3/3"] {
        let planned =
            run(folder.path(), &["plan", "m", "--local", "--shard", shard, "--format", "json"]);
        let planned: Value = serde_json::from_str(&planned.out).unwrap();
        let create = planned["counts"]["create"].as_u64().unwrap();
        assert!((5..15).contains(&create), "{planned}");
        let printed = import(&["--shard", shard]);
        assert!(printed.contains(&format!("created {create}\n")), "{create}: {printed}");
    }
    let journals = [1, 2, 3].map(|shard| format!(".lineload/journal-{shard}-of-3.sqlite3"));
    let journals = journals.each_ref().map(String::as_str);
    assert_eq!(counts(folder.path(), &journals), serde_json::json!({"created": 30}));
    let again = import(&["--shard", "2/3"]);
    assert!(again.contains(": created 0, existed "), "{again}");
    // What one shard staged in a journal that it shares with others, these leave alone.
    let shared = ["--journal", "shared.sqlite3", "--max-duration", "1ms"];
    for shard in ["1/3", "2/3"] {
        let args =
            [&["import", "m", "--local=other.sqlite3", "--shard", shard], &shared[..]].concat();
        run(folder.path(), &args);
    }
    import(&[]);
    let whole = counts(folder.path(), &[".lineload/journal.sqlite3", journals[0]]);
    assert_eq!(whole["existed"], 30, "{whole}");
    let ran =
        run(folder.path(), &["import", "m", "--local", "--rate", "0.004", "--rate-share", "2/1"]);
    assert!(ran.code == 2 && ran.err.contains("write it as 1/16, 25% or 0.25"), "{ran:?}");
}
