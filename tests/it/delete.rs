//! What was imported is deleted again, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::scripted::{Scripted, http};
use crate::support::{
    Ran, Served, artifact, at, folder, json, lineload, manifests, with_keys, write,
};

/// The URIs that a registry has.
fn uris(served: &Served) -> BTreeSet<String> {
    let artifacts = served.artifacts();
    let uri = |one: &Value| one["Source"]["SourceUri"].as_str().unwrap().to_owned();
    let uris: BTreeSet<_> = artifacts.iter().map(uri).collect();
    assert_eq!(uris.len(), artifacts.len(), "none twice");
    uris
}

fn wanted(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    numbers.into_iter().map(|number| format!("s3://bucket/{number}")).collect()
}

/// The ids of the runs in the journal, the latest first.
fn runs(folder: &Path) -> Vec<String> {
    let ran = with_keys(folder, &["status", "--format", "json", "--runs", "50"]);
    let status: Value = serde_json::from_str(&ran.out).unwrap();
    let runs = status["runs"].as_array().unwrap();
    runs.iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect()
}

const FAST: [&str; 5] = ["--yes", "--rate", "unlimited", "--settle", "300ms"];

fn import(folder: &Path, served: &Served, more: &[&str]) -> Ran {
    at(folder, served, "import", &[&FAST, more].concat())
}

fn delete(folder: &Path, served: &Served, more: &[&str]) -> Ran {
    at(folder, served, "delete", &[&FAST, more].concat())
}

/// What the report of a run says of an outcome.
fn count(report: &Value, outcome: &str) -> u64 {
    report["counts"][outcome].as_u64().unwrap()
}

#[test]
fn what_a_run_created_is_deleted_and_nothing_else() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    // 0 to 2 are somebody else's; the run creates 3 to 7.
    manifests(folder.path(), 3);
    let theirs = import(folder.path(), &served, &["--journal", "theirs.sqlite3"]);
    assert_eq!(theirs.code, 0, "{theirs:?}");
    manifests(folder.path(), 8);
    let ours = import(folder.path(), &served, &[]);
    assert!(ours.out.contains("created 5, existed 3"), "{ours:?}");
    // A later run creates another.
    manifests(folder.path(), 9);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    let run = runs(folder.path()).pop().unwrap();

    let shown =
        delete(folder.path(), &served, &["--run", &run[..16], "--dry-run", "--format", "json"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let plan: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!((&plan["counts"]["delete"], &plan["counts"]["not_ours"]), (&5.into(), &3.into()));
    assert_eq!(plan["entries"][0]["file"], "manifests/00003.yaml");
    assert_eq!(uris(&served), wanted(0..9));
    assert_eq!(runs(folder.path()).len(), 2, "a dry run is no run");

    let ran = delete(folder.path(), &served, &["--run", &run, "--report", "r.json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("5 artifacts to delete") && ran.out.contains("3  not ours: "),
        "{ran:?}"
    );
    assert!(ran.out.contains("\n5 artifacts: deleted 5\n"), "{ran:?}");
    assert!(ran.err.contains("deletes: 5 artifacts"), "{ran:?}");
    assert_eq!(uris(&served), wanted([0, 1, 2, 8]));
    let report = json(&folder.path().join("r.json"));
    assert_eq!((report["kind"].as_str(), count(&report, "deleted")), (Some("delete"), 5));
    assert_eq!(served.calls("DeleteArtifact"), 5);

    // The journal knows: a plan creates them, and an import does, each once.
    let plan = at(folder.path(), &served, "plan", &["--format", "json"]);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!((&plan["counts"]["create"], &plan["counts"]["exists"]), (&5.into(), &4.into()));
    let again = import(folder.path(), &served, &[]);
    assert!(again.out.contains("created 5, existed 4"), "{again:?}");
    assert_eq!(uris(&served), wanted(0..9));
    // Of that run nothing is left. What existed before it goes only if that is asked for.
    let ran = delete(folder.path(), &served, &["--run", &run]);
    assert!(ran.out.contains("nothing to delete") && ran.out.contains("5  deleted"), "{ran:?}");
    let ran = delete(folder.path(), &served, &["--run", &run, "--not-ours"]);
    assert!(ran.out.contains("\n3 artifacts: deleted 3\n"), "{ran:?}");
    assert_eq!(uris(&served), wanted(3..9));
}

#[test]
fn without_a_terminal_consent_is_needed_and_limits_are_respected() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    manifests(folder.path(), 4);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    let all = ["--where", "DataSet"];
    let ran = at(folder.path(), &served, "delete", &all);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("add `--yes` to delete without confirmation"), "{}", ran.err);
    assert!(ran.out.contains("4 artifacts to delete"), "what it is about: {}", ran.out);
    let ran = delete(folder.path(), &served, &["--where", "DataSet", "--max-changes", "3"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.err
            .contains("nothing was deleted: 4 artifacts to delete, and `--max-changes` allows 3"),
        "{}",
        ran.err
    );
    let elsewhere = ["delete", "--yes", "--run", &runs(folder.path())[0], "--expect-region", "x-1"];
    let ran = with_keys(folder.path(), &elsewhere);
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = delete(folder.path(), &served, &["--run", "00000000-0000"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = delete(folder.path(), &served, &["elsewhere", "--where", "DataSet"]);
    assert!(ran.code == 2 && ran.err.contains("cannot be used with '--where"), "{ran:?}");
    for empty in ["", "0"] {
        let ran = with_keys(folder.path(), &["delete", "--yes", "--run", empty]);
        assert!(ran.code == 2 && ran.err.contains("at least the first 8 characters"), "{ran:?}");
    }
    assert_eq!((uris(&served), served.calls("DeleteArtifact")), (wanted(0..4), 0));
    assert_eq!(runs(folder.path()).len(), 1);
    // The target of a run need not be named.
    let ran = with_keys(folder.path(), &["delete", "--yes", "--run", &runs(folder.path())[0]]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(uris(&served), wanted([]));
}

#[test]
fn what_no_manifest_describes_any_more_is_gone() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    manifests(folder.path(), 6);
    write(&folder.path().join("other/manifests/00100.yaml"), artifact(100));
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    // The same journal, from another directory: its manifests have nothing to do with these.
    let journal = folder.path().join(".lineload/journal.sqlite3");
    let journal = ["--journal", journal.to_str().unwrap()];
    assert_eq!(import(&folder.path().join("other"), &served, &journal).code, 0);
    let path = |number: usize| folder.path().join(format!("manifests/{number:05}.yaml"));
    for number in [1, 2] {
        std::fs::remove_file(path(number)).unwrap();
    }
    // This one moved.
    std::fs::rename(path(3), folder.path().join("manifests/moved.yaml")).unwrap();
    // What a broken manifest describes is not known.
    write(&path(4), "ArtifactName: [\n");
    let ran = delete(folder.path(), &served, &["--gone"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("nothing was deleted: the manifests have 1 error"), "{}", ran.err);
    assert_eq!(uris(&served).len(), 7);
    write(&path(4), artifact(4));
    // What is excluded is not gone, nor what is beside the paths that are read.
    let ran = delete(folder.path(), &served, &["--gone", "--exclude", "00005.yaml", "--dry-run"]);
    assert!(ran.out.contains("2 artifacts to delete"), "{ran:?}");
    let ran = delete(folder.path(), &served, &["--gone", "--shard", "1/2"]);
    assert!(ran.code == 2 && ran.err.contains("`--gone` needs all manifests"), "{ran:?}");
    let ran = delete(folder.path(), &served, &["--gone", "manifests/moved.yaml"]);
    assert!(ran.out.contains("nothing to delete"), "{ran:?}");
    let ran = delete(folder.path(), &served, &["--gone"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("1  elsewhere: imported from another directory"), "{}", ran.out);
    assert!(ran.out.contains("\n2 artifacts: deleted 2\n"), "{}", ran.out);
    assert_eq!(uris(&served), wanted([0, 3, 4, 5, 100]));
    let plan = at(folder.path(), &served, "plan", &["--format", "json"]);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    // A plan goes by the path alone, and counts the one of the other directory.
    assert_eq!((&plan["counts"]["gone"], &plan["counts"]["exists"]), (&1.into(), &4.into()));
}

#[test]
fn what_was_imported_with_another_rewrite_is_not_gone() {
    let folder = folder(&[]);
    manifests(folder.path(), 4);
    let local = |args: &[&str]| with_keys(folder.path(), args);
    let rewrite = ["--rewrite-uri", "s3://bucket/=s3://prod/"];
    let ran = local(&[&["import", "--local"], &rewrite[..]].concat());
    assert!(ran.out.contains("created 4"), "{ran:?}");
    let ran = local(&["delete", "--local", "--gone"]);
    assert!(ran.code == 0 && ran.out.contains("nothing to delete"), "{ran:?}");
    assert!(ran.out.contains("4  rewritten: imported with another `--rewrite-uri`"), "{ran:?}");
    let ran = local(&["delete", "--local", "--gone", "--not-ours", "--dry-run"]);
    assert!(ran.out.contains("nothing to delete"), "{ran:?}");
    let gone = |args: &[&str]| {
        let ran = local(&[&["plan", "--local", "--format", "json"], args].concat());
        let plan: Value = serde_json::from_str(&ran.out).unwrap();
        plan["counts"]["gone"].as_u64().unwrap()
    };
    std::fs::remove_file(folder.path().join("manifests/00002.yaml")).unwrap();
    assert_eq!((gone(&[]), gone(&rewrite)), (0, 1));
    let ran = local(&[&["delete", "--local", "--gone"], &rewrite[..]].concat());
    assert!(ran.out.contains("1 artifact: deleted 1"), "{ran:?}");
}

#[test]
fn what_moved_out_of_a_part_is_pointed_out() {
    let folder = folder(&[]);
    for (number, part) in [(0, "old"), (1, "old"), (2, "new")] {
        write(&folder.path().join(format!("manifests/{part}/{number}.yaml")), artifact(number));
    }
    assert_eq!(with_keys(folder.path(), &["import", "--local"]).code, 0);
    let moved = |name: &str| folder.path().join(format!("manifests/{name}"));
    std::fs::rename(moved("old/0.yaml"), moved("new/0.yaml")).unwrap();
    let delete = ["delete", "--local", "--dry-run", "--gone"];
    let ran = with_keys(folder.path(), &[&delete[..], &["manifests/old"]].concat());
    assert!(ran.out.contains("1 artifact to delete"), "{ran:?}");
    assert!(ran.err.contains("runs also imported manifests outside of PATH"), "{ran:?}");
    let ran = with_keys(folder.path(), &delete);
    assert!(ran.out.contains("nothing to delete") && !ran.err.contains("outside"), "{ran:?}");
}

#[test]
fn what_another_run_created_stays_if_a_run_is_undone() {
    let folder = folder(&[]);
    let local = |args: &[&str]| with_keys(folder.path(), args);
    manifests(folder.path(), 2);
    assert_eq!(local(&["import", "--local", "--journal", "theirs.sqlite3"]).code, 0);
    manifests(folder.path(), 3);
    assert_eq!(local(&["import", "--local"]).code, 0);
    manifests(folder.path(), 4);
    assert_eq!(local(&["import", "--local", "--recheck"]).code, 0);
    let run = &runs(folder.path())[0];
    let ran = local(&["delete", "--run", run, "--not-ours"]);
    assert!(ran.out.contains("1  other runs: created by other runs in this journal"), "{ran:?}");
    assert!(ran.out.contains("\n3 artifacts: deleted 3\n"), "{ran:?}");
}

#[test]
fn a_type_and_a_prefix_select() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let manifest = |name: &str, kind: &str, uri: &str| {
        let text =
            format!("ArtifactName: {name}\nArtifactType: {kind}\nSource:\n  SourceUri: {uri}\n");
        write(&folder.path().join(format!("manifests/{name}.yaml")), text);
    };
    for (name, kind, uri) in [
        ("a", "DataSet", "s3://lake/tmp/a"),
        ("b", "DataSet", "s3://lake/tmpb"),
        ("c", "Model", "s3://lake/tmp/c"),
        ("d", "Image", "s3://lake/d"),
    ] {
        manifest(name, kind, uri);
    }
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    manifest("e", "DataSet", "s3://lake/tmp/e");
    manifest("f", "Image", "s3://lake/f");
    assert_eq!(import(folder.path(), &served, &["--journal", "theirs.sqlite3"]).code, 0);
    let left = || -> String { uris(&served).iter().map(|uri| &uri[uri.len() - 1..]).collect() };
    let ran = delete(folder.path(), &served, &["--where", "DataSet/s3://lake/tmp/"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("1 artifact to delete") && ran.out.contains("1  not ours"),
        "{}",
        ran.out
    );
    assert_eq!(left(), "dfceb");
    let ran =
        delete(folder.path(), &served, &["--where", "Image", "--where", "Image/s3", "--not-ours"]);
    assert!(ran.out.contains("\n2 artifacts: deleted 2\n"), "{ran:?}");
    assert_eq!(left(), "ceb");
    let ran = delete(folder.path(), &served, &["--where", "*/s3://lake/tmp/"]);
    assert!(ran.out.contains("\n1 artifact: deleted 1\n"), "{ran:?}");
    assert_eq!(left(), "eb");
    // In the other journal they are not gone, but an import notices that they are.
    let again = import(folder.path(), &served, &["--journal", "theirs.sqlite3", "--recheck"]);
    assert!(again.out.contains("created 4, existed 2"), "{again:?}");
}

#[test]
fn lost_answers_and_throttles_leave_nothing_behind() {
    let folder = folder(&[]);
    let faults = [
        "--fault",
        "DeleteArtifact:drop-after-commit=0.2",
        "--fault",
        "DeleteArtifact:error-500=0.2",
        "--tps",
        "DeleteArtifact=40",
    ];
    let served = Served::start(folder.path(), &faults);
    manifests(folder.path(), 60);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    let args = ["--where", "DataSet", "--report", "r.json", "--limit-patience", "1m"];
    let ran = delete(folder.path(), &served, &args);
    let report = json(&folder.path().join("r.json"));
    let (deleted, unresolved) = (count(&report, "deleted"), count(&report, "unresolved"));
    // Five answers may be lost in a row too.
    assert_eq!(deleted + unresolved, 60, "{ran:?}");
    assert_eq!(ran.code, if unresolved > 0 { 4 } else { 0 }, "{ran:?}");
    assert!(uris(&served).len() as u64 <= unresolved);
    assert!(served.calls("DeleteArtifact") > 60);
}

#[test]
fn a_refusal_is_reported_and_the_others_are_deleted() {
    let refused = "Cannot delete artifact: it is associated with other entities";
    let service = Scripted::start(move |request, connection| {
        let arn =
            |number: &str| format!("arn:aws:sagemaker:eu-west-1:123456789012:artifact/{number}");
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let answer = match request.operation() {
            "CreateArtifact" => {
                let uri = body["Source"]["SourceUri"].as_str().unwrap();
                let id =
                    format!("{:032x}", uri.rsplit('/').next().unwrap().parse::<u32>().unwrap());
                http(200, "", &serde_json::json!({ "ArtifactArn": arn(&id) }).to_string())
            }
            "DeleteArtifact" if body["ArtifactArn"].as_str().unwrap().ends_with('3') => {
                let error =
                    serde_json::json!({ "__type": "ValidationException", "message": refused });
                http(400, "", &error.to_string())
            }
            "DeleteArtifact" => http(200, "", &body.to_string()),
            _ => http(200, "", "{}"),
        };
        connection.write_all(answer.as_bytes()).is_ok()
    });
    let folder = folder(&[]);
    manifests(folder.path(), 6);
    let target = ["--region", "eu-west-1", "--endpoint-url", &service.url];
    let ran = with_keys(folder.path(), &[&["import"], &FAST[..], &target].concat());
    assert!(ran.out.contains("created 6"), "{ran:?}");
    let delete = [&["delete", "--where", "DataSet"], &FAST[..], &target].concat();
    let ran = with_keys(folder.path(), &delete);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("6 artifacts: deleted 5, rejected 1"), "{}", ran.out);
    let said = format!("rejected manifests/00003.yaml:1: a3: ValidationException: {refused}");
    assert!(ran.out.contains(&said), "{}", ran.out);
    let ids: BTreeSet<_> = service
        .requests()
        .iter()
        .filter(|request| request.operation() == "DeleteArtifact")
        .map(|request| request.body.clone())
        .collect();
    assert_eq!(ids.len(), 6, "{ids:?}");
    // It is ours still, and the next delete asks for it alone.
    let ran = with_keys(folder.path(), &delete);
    assert!(ran.out.contains("1 artifact: deleted 0, rejected 1"), "{}", ran.out);
}

fn start(folder: &Path, served: &Served, args: &[&str]) -> Child {
    let mut command = lineload(folder);
    command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    command.args(["delete", "--region", "eu-west-1", "--endpoint-url", &served.endpoint]);
    command.args(FAST).args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until some are deleted, and many are not.
fn wait_for_some(served: &Served, count: u64) {
    let began = Instant::now();
    while served.calls("DeleteArtifact") < count {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing is deleted");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn one_that_is_killed_is_finished_by_the_next_or_called_off_by_an_import() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &["--latency", "30"]);
    manifests(folder.path(), 3);
    assert_eq!(import(folder.path(), &served, &["--journal", "theirs.sqlite3"]).code, 0);
    for number in 0..3 {
        std::fs::remove_file(folder.path().join(format!("manifests/{number:05}.yaml"))).unwrap();
    }
    for number in 3..43 {
        write(&folder.path().join(format!("manifests/{number:05}.yaml")), artifact(number));
    }
    let all = ["--where", "DataSet", "--concurrency", "3"];
    for finish in ["delete", "resume", "import"] {
        assert!(import(folder.path(), &served, &[]).code == 0);
        let before = served.calls("DeleteArtifact");
        let mut child = start(folder.path(), &served, &all);
        wait_for_some(&served, before + 10);
        // Another may not use the journal meanwhile.
        if finish == "delete" {
            let ran = delete(folder.path(), &served, &all);
            assert!(ran.code == 2 && ran.err.contains("in use by process"), "{ran:?}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let left = uris(&served).len();
        assert!((10..40).contains(&left), "{left}");
        let ran = match finish {
            "import" => import(folder.path(), &served, &[]),
            "resume" => with_keys(folder.path(), &[&["resume"], &FAST[..]].concat()),
            _ => delete(folder.path(), &served, &all),
        };
        assert_eq!(ran.code, 0, "{ran:?}");
        if finish == "resume" {
            assert!(ran.err.contains("resuming delete run "), "{ran:?}");
        }
        let all = if finish == "import" { wanted(0..43) } else { wanted(0..3) };
        assert_eq!(uris(&served), all, "{finish}: {ran:?}");
        let ran = with_keys(folder.path(), &["resume", "--yes"]);
        assert!(ran.code == 2 && ran.err.contains("no unfinished run"), "{finish}: {ran:?}");
    }
}

#[test]
fn a_second_signal_abandons_what_is_in_flight_and_the_next_run_looks_it_up() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    manifests(folder.path(), 30);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    let port = served.endpoint.rsplit(':').next().unwrap().to_owned();
    served.kill();
    let served = Served::start(folder.path(), &["--port", &port, "--latency", "400"]);
    let mut child = start(folder.path(), &served, &["--where", "DataSet", "--concurrency", "3"]);
    wait_for_some(&served, 4);
    let pid = child.id().to_string();
    for _ in 0..2 {
        let sent = std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap();
        assert!(sent.success());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let status = with_keys(folder.path(), &["status", "--runs", "1"]);
    assert!(status.out.contains("unresolved ") && status.out.contains("pending "), "{status:?}");
    served.kill();
    let served = Served::start(folder.path(), &["--port", &port]);
    // Half of them are wanted again, and what nobody knew is settled by the import.
    for number in 0..15 {
        std::fs::remove_file(folder.path().join(format!("manifests/{number:05}.yaml"))).unwrap();
    }
    let ran = import(folder.path(), &served, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(uris(&served).is_superset(&wanted(15..30)));
    let ran = delete(folder.path(), &served, &["--gone"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(uris(&served), wanted(15..30));
}

#[test]
fn one_that_stops_early_says_how_it_is_resumed() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &["--latency", "50"]);
    manifests(folder.path(), 60);
    assert_eq!(import(folder.path(), &served, &[]).code, 0);
    let args = ["--where", "DataSet", "--concurrency", "2", "--max-duration", "600ms"];
    let ran = delete(folder.path(), &served, &args);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("left; to resume, run `lineload delete --region"), "{}", ran.err);
    let status = with_keys(folder.path(), &["status", "--runs", "1"]);
    assert!(
        status.out.contains("  delete run 01") && status.out.contains("pending "),
        "{}",
        status.out
    );
    let left = uris(&served).len();
    assert!((1..60).contains(&left), "{left}");
    let ran = with_keys(folder.path(), &[&["resume"], &FAST[..]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("in all 60 artifacts: deleted 60"), "{}", ran.out);
    assert_eq!(uris(&served), wanted([]));
    // What could not be deleted is nothing to fix in manifests.
    let ran = with_keys(folder.path(), &["status", "--failed-manifests", "failed"]);
    assert!(ran.code == 0 && ran.out.contains("nothing failed"), "{ran:?}");
}

#[test]
fn the_embedded_registry_is_deleted_from_without_asking() {
    let folder = folder(&[]);
    manifests(folder.path(), 5);
    let ran = with_keys(folder.path(), &["import", "--local", "--quiet"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::remove_file(folder.path().join("manifests/00004.yaml")).unwrap();
    let ran = with_keys(folder.path(), &["delete", "--local", "--gone", "--quiet"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "1 artifact: deleted 1\n"), "{ran:?}");
    let ran = with_keys(folder.path(), &["delete", "--run", &runs(folder.path())[1]]);
    assert!(ran.out.contains("4 artifacts: deleted 4"), "{ran:?}");
    let ran = with_keys(folder.path(), &["plan", "--local", "--format", "json"]);
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&plan["counts"]["create"], &plan["counts"]["gone"]), (&4.into(), &0.into()));
    let ran = with_keys(folder.path(), &["delete", "--local=none.sqlite3", "--gone"]);
    assert!(ran.code == 2 && ran.err.contains("`none.sqlite3` not found"), "{ran:?}");
    assert!(!folder.path().join("none.sqlite3").exists());
}
