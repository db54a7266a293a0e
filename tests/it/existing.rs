//! Imports and plans over what the target has already.

use std::path::Path;

use serde_json::{Value, json as value};

use crate::support::{Ran, Served, artifact, at, folder, json, manifests, run, write};

fn import(folder: &Path, served: &Served, args: &[&str]) -> Ran {
    let all = [&["--yes", "--rate", "unlimited", "--report", "r.json"], args].concat();
    at(folder, served, "import", &all)
}

fn counts(folder: &Path) -> Vec<(String, u64)> {
    let report = json(&folder.join("r.json"));
    let mut counts: Vec<_> = report["counts"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, count)| Some((name.clone(), count.as_u64()?)))
        .filter(|(name, count)| *count > 0 && name != "valid")
        .collect();
    counts.sort();
    counts
}

fn pairs(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn forget(folder: &Path) {
    std::fs::remove_dir_all(folder.join(".lineload")).unwrap();
}

/// Returns what the registry has at the source of `number`, with its tags.
fn whole(served: &Served, number: usize) -> Value {
    let uri = format!("s3://bucket/{number}");
    let all = served.artifacts();
    let found = all.iter().find(|one| one["Source"]["SourceUri"] == *uri);
    let arn = &found.unwrap_or_else(|| panic!("{uri} in {all:?}"))["ArtifactArn"];
    let (_, mut there) = served.ask("DescribeArtifact", &value!({ "ArtifactArn": arn }));
    let (_, tags) = served.ask("ListTags", &value!({ "ResourceArn": arn }));
    there["Tags"] = tags["Tags"].clone();
    there
}

fn edit(folder: &Path, number: usize, more: &str) {
    write(&folder.join(format!("manifests/{number:05}.yaml")), artifact(number) + more);
}

#[test]
fn an_edited_manifest_never_passes_for_done_with_or_without_a_journal() {
    let folder = folder(&[]);
    manifests(folder.path(), 5);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    edit(folder.path(), 2, "Properties: {Rows: '2'}\nTags: [{Key: k, Value: v}]\n");
    for _ in 0..2 {
        let ran = import(folder.path(), &served, &[]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(counts(folder.path()), pairs(&[("differs", 1), ("existed", 4)]));
        let said = "it differs in `Properties.Rows`, `Tags.k`";
        assert!(ran.out.contains(said), "{}", ran.out);
        forget(folder.path());
    }
    // What has been compared is known, and what differs is asked about again.
    import(folder.path(), &served, &[]);
    let calls =
        || ["CreateArtifact", "ListArtifacts", "DescribeArtifact"].map(|one| served.calls(one));
    let before = calls();
    let ran = import(folder.path(), &served, &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let [creates, lists, describes] = before;
    assert_eq!(calls(), [creates, lists, describes + 1]);
    // Name and type alone are equal.
    forget(folder.path());
    let ran = import(folder.path(), &served, &["--check-drift=never"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("5 compared by name and type only"), "{}", ran.out);
}

#[test]
fn drift_at_the_target_is_found_when_it_is_asked_for() {
    let folder = folder(&[]);
    manifests(folder.path(), 3);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    let arn = whole(&served, 1)["ArtifactArn"].clone();
    let change = value!({ "ArtifactArn": arn, "Properties": { "Theirs": "x" } });
    assert_eq!(served.ask("UpdateArtifact", &change).0, 200);
    assert_eq!(import(folder.path(), &served, &[]).code, 0, "the journal knows no better");
    let ran = import(folder.path(), &served, &["--check-drift"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("differs in `Properties.Theirs`"), "{}", ran.out);
    // From now on the journal knows better.
    assert_eq!(import(folder.path(), &served, &[]).code, 1);
}

#[test]
fn an_update_adds_and_a_pruning_one_removes() {
    let folder = folder(&[]);
    let before =
        "Properties: {Rows: '1', Old: x}\nTags: [{Key: team, Value: a}, {Key: old, Value: b}]\n";
    manifests(folder.path(), 3);
    edit(folder.path(), 1, before);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    edit(folder.path(), 1, "Properties: {Rows: '2'}\nTags: [{Key: team, Value: c}]\n");
    let ran = import(folder.path(), &served, &["--on-exists", "update"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(counts(folder.path()), pairs(&[("existed", 2), ("updated", 1)]));
    let there = whole(&served, 1);
    assert_eq!(there["Properties"], value!({"Rows": "2", "Old": "x"}));
    assert_eq!(there["Tags"].as_array().unwrap().len(), 2);
    forget(folder.path());
    let ran = import(folder.path(), &served, &["--on-exists", "update", "--prune"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let there = whole(&served, 1);
    assert_eq!(there["Properties"], value!({"Rows": "2"}));
    assert_eq!(there["Tags"], value!([{"Key": "team", "Value": "c"}]));
    // A third time nothing is left to do, and the journal knows it.
    let ran = import(folder.path(), &served, &["--on-exists", "update", "--prune"]);
    assert_eq!(counts(folder.path()), pairs(&[("existed", 3)]), "{ran:?}");
    // The type cannot be changed.
    let text = artifact(2).replace("DataSet", "Model");
    write(&folder.path().join("manifests/00002.yaml"), text);
    let ran = import(folder.path(), &served, &["--on-exists", "update"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("`ArtifactType`, which cannot be updated"), "{}", ran.out);
}

#[test]
fn fail_and_prune_and_set_are_refused_where_they_make_no_sense() {
    let folder = folder(&[]);
    manifests(folder.path(), 2);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(import(folder.path(), &served, &["--prune"]).code, 2);
    for set in ["Nope=1", "Tags.aws:x=1", "Properties.k=AKIAIOSFODNN7ABCDEFG", "Properties.x"] {
        let ran = import(folder.path(), &served, &["--set", set]);
        assert_eq!(ran.code, 2, "{set}: {ran:?}");
        assert!(!ran.err.contains("AKIAIOSFODNN7ABCDEFG"));
    }
    assert_eq!(served.artifacts().len(), 0);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    // What this journal's runs made is no failure; what somebody else's did is.
    assert_eq!(import(folder.path(), &served, &["--on-exists", "fail"]).code, 0);
    forget(folder.path());
    let ran = import(folder.path(), &served, &["--on-exists", "fail"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(counts(folder.path()), pairs(&[("rejected", 2)]));
}

#[test]
fn a_stamp_is_set_at_creation_only_and_changes_nothing_afterwards() {
    let folder = folder(&[]);
    manifests(folder.path(), 2);
    let served = Served::start(folder.path(), &[]);
    let set = |commit: &str| format!("MetadataProperties.CommitId={commit}");
    assert_eq!(import(folder.path(), &served, &["--set", &set("one")]).code, 0);
    assert_eq!(whole(&served, 0)["MetadataProperties"]["CommitId"], "one");
    // With a journal nothing is asked, without one nothing differs.
    assert_eq!(import(folder.path(), &served, &["--set", &set("two")]).code, 0);
    forget(folder.path());
    let args = ["--set", &set("three"), "--on-exists", "update"];
    let ran = import(folder.path(), &served, &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(counts(folder.path()), pairs(&[("existed", 2)]));
    assert_eq!(whole(&served, 0)["MetadataProperties"]["CommitId"], "one");
    // Thirty properties are full.
    let properties: String = (0..30).map(|at| format!("  p{at}: x\n")).collect();
    edit(folder.path(), 7, &format!("Properties:\n{properties}"));
    let ran = import(folder.path(), &served, &["--set", "Properties.Team=lake"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("manifests/00007.yaml:1: 31 properties"), "{}", ran.err);
}

#[test]
fn a_name_that_is_taken_is_a_conflict() {
    let folder = folder(&[]);
    manifests(folder.path(), 3);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    let moved = artifact(1).replace("s3://bucket/1", "s3://elsewhere/1");
    write(&folder.path().join("manifests/00001.yaml"), moved);
    for _ in 0..2 {
        let ran = import(folder.path(), &served, &[]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(counts(folder.path()), pairs(&[("conflict", 1), ("existed", 2)]));
        assert!(
            ran.out.contains("the name `a1` is already used by s3://bucket/1 (arn:"),
            "{}",
            ran.out
        );
        forget(folder.path());
    }
}

#[test]
fn a_runner_without_a_journal_lists_instead_of_being_refused() {
    let folder = folder(&[]);
    manifests(folder.path(), 300);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    forget(folder.path());
    manifests(folder.path(), 310);
    let before = served.calls("CreateArtifact");
    let ran = import(folder.path(), &served, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(counts(folder.path()), pairs(&[("created", 10), ("existed", 300)]));
    assert_eq!(served.calls("CreateArtifact") - before, 10);
}

#[test]
fn breakers_stop_and_the_run_can_be_resumed() {
    let folder = folder(&[]);
    manifests(folder.path(), 60);
    let served = Served::start(folder.path(), &["--latency", "20"]);
    let run = ["--yes", "--report", "r.json"];
    let args = [&run[..], &["--rate", "20", "--max-duration", "1s"]].concat();
    let ran = at(folder.path(), &served, "import", &args);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("stopped after 1s (`--max-duration`)"), "{}", ran.err);
    assert!(ran.err.contains("artifacts left"), "{}", ran.err);
    let there = served.artifacts().len();
    assert!((5..60).contains(&there), "{there}");
    // Somebody else's names: all of them conflict.
    let another = self::folder(&[]);
    for number in 0..40 {
        let moved = artifact(number).replace("s3://bucket/", "s3://elsewhere/");
        write(&another.path().join(format!("manifests/{number:05}.yaml")), moved);
    }
    let full = Served::start(another.path(), &[]);
    for number in 0..40 {
        let input = value!({
            "ArtifactName": format!("a{number}"),
            "ArtifactType": "DataSet",
            "Source": { "SourceUri": format!("s3://taken/{number}") },
        });
        assert_eq!(full.ask("CreateArtifact", &input).0, 200);
    }
    for most in ["8", "20%"] {
        let args = [&run[..], &["--rate", "50", "--max-errors", most]].concat();
        let ran = at(another.path(), &full, "import", &args);
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(
            ran.err.contains("8 entries failed, more than `--max-errors` allows"),
            "{}",
            ran.err
        );
        assert_eq!(full.artifacts().len(), 40);
    }
}

#[test]
fn what_failed_is_written_as_manifests_to_fix_and_import_again() {
    let folder = folder(&[]);
    manifests(folder.path(), 4);
    let served = Served::start(folder.path(), &[]);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    edit(folder.path(), 1, "Properties: {Rows: '1_000'}\n");
    let two = artifact(2).replace("DataSet", "Model") + "---\n" + &artifact(9);
    write(&folder.path().join("manifests/00002.yaml"), two);
    assert_eq!(import(folder.path(), &served, &[]).code, 1);
    let ran = run(folder.path(), &["status", "--failed-manifests", "failed"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("2 artifacts in 2 files"), "{}", ran.out);
    let one = std::fs::read_to_string(folder.path().join("failed/manifests/00001.yaml")).unwrap();
    let said = "# manifests/00001.yaml:1: differs: it differs in `Properties.Rows`\n";
    assert!(one.starts_with(said), "{one}");
    let ran = at(folder.path(), &served, "import", &["failed", "--yes", "--on-exists", "update"]);
    assert_eq!(ran.code, 1, "the type cannot be changed: {ran:?}");
    assert!(ran.out.contains("differs 1, updated 1"), "{}", ran.out);
    let ran = run(folder.path(), &["status", "--failed-manifests", "failed"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}
