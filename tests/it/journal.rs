//! Tests of the journal: kills, edits, second runs, and `status`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ran, Served, folder, json, lineload, manifests, run, write};

const ENTRIES: usize = 150;

fn import(folder: &Path, endpoint: &str, args: &[&str]) -> Command {
    let mut command = lineload(folder);
    command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    command.args(["import", "--region", "eu-west-1", "--endpoint-url", endpoint, "--yes"]);
    command.args(["--settle", "300ms", "--report", "r.json"]).args(args);
    command
}

fn ran(mut command: Command) -> Ran {
    command.output().unwrap().into()
}

fn count(report: &Value, outcome: &str) -> u64 {
    report["counts"][outcome].as_u64().unwrap()
}

/// The journal as people read it; nothing where a kill came before its tables were made.
fn ask(folder: &Path, query: &str) -> Vec<(String, i64)> {
    let journal = rusqlite::Connection::open(folder.join(".lineload/journal.sqlite3")).unwrap();
    let Ok(mut statement) = journal.prepare(query) else { return Vec::new() };
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_run_that_is_killed_at_any_moment_is_resumed_and_nothing_is_lost_or_duplicated() {
    let folder = folder(&[]);
    manifests(folder.path(), ENTRIES);
    // Every answer takes a while, so that a kill finds attempts in flight; some are lost anyway.
    let faults =
        ["--latency", "8", "--fault", "drop-after-commit=0.03", "--fault", "error-500=0.03"];
    let served = Served::start(folder.path(), &faults);
    let (mut kills, mut open) = (0, 0);
    let last = loop {
        let mut child = import(folder.path(), &served.endpoint, &["--rate", "400", "-q"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A different moment each time, from before the first attempt on.
        std::thread::sleep(Duration::from_millis(25 + 37 * (kills % 9)));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        if folder.path().join(".lineload/journal.sqlite3").exists() {
            let of =
                ask(folder.path(), "SELECT 'open', count(*) FROM entries WHERE outcome = 'open'");
            open += of.first().map_or(0, |(_, count)| *count);
        }
        if kills > 40 {
            let ran = ran(import(folder.path(), &served.endpoint, &["--rate", "400"]));
            assert_eq!(ran.code, 0, "{ran:?}");
            break std::process::ExitStatus::default();
        }
    };
    assert!(last.success());
    assert!(kills > 2, "{kills} kills");
    assert!(open > 0, "no kill found an attempt in flight");
    // The faults are for lineload, not for this test's own questions.
    served.kill();
    let served = Served::start(folder.path(), &[]);
    assert_eq!(served.artifacts().len(), ENTRIES);
    let report = json(&folder.path().join("r.json"));
    let settled =
        count(&report, "created") + count(&report, "recovered") + count(&report, "existed");
    assert_eq!(settled, ENTRIES as u64, "{report}");
    // Each was created by one attempt and never by two, and the journal knows by which.
    let made = ask(
        folder.path(),
        "SELECT source_uri, count(*) FROM entries WHERE outcome IN ('created', 'recovered') GROUP \
         BY 1",
    );
    assert_eq!(made.len(), ENTRIES);
    assert!(made.iter().all(|(_, times)| *times == 1), "{made:?}");
    // And now there is nothing to ask.
    drop(served);
    let again = ran(import(folder.path(), "http://127.0.0.1:9", &["--limit-patience", "1s"]));
    assert_eq!(again.code, 4, "another target is another account: {again:?}");
}

#[test]
fn what_the_journal_knows_needs_no_request_and_an_edit_is_reported_by_field() {
    let folder = folder(&[]);
    manifests(folder.path(), 3);
    let first = run(folder.path(), &["import", "--local"]);
    assert_eq!(first.code, 0, "{first:?}");
    let edited = "ArtifactName: a1\nArtifactType: Model\nSource:\n  SourceUri: s3://bucket/1\n\
                  Properties:\n  Rows: '12'\n";
    write(&folder.path().join("manifests/00001.yaml"), edited);
    let args = ["import", "--local", "--report", "r.json"];
    let second = run(folder.path(), &args);
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.out.contains("2 already existed according to the journal"), "{}", second.out);
    let expected = "differs manifests/00001.yaml:1: a1: it differs in `ArtifactType`, \
                `Properties.Rows`";
    assert!(second.out.contains(expected), "{}", second.out);
    let report = json(&folder.path().join("r.json"));
    assert_eq!((count(&report, "existed"), count(&report, "differs")), (2, 1));
    assert!(report["entries"][0]["arn"].as_str().is_some_and(|arn| arn.contains(":artifact/")));
    // Asked again, the target does not show the property, and the journal still does.
    let rechecked = run(folder.path(), &[&args[..], &["--recheck"]].concat());
    assert_eq!(rechecked.code, 1, "{rechecked:?}");
    assert!(
        rechecked.out.contains("differs in `ArtifactType`, `Properties.Rows`"),
        "{}",
        rechecked.out
    );
    assert!(!rechecked.out.contains("according to the journal"), "{}", rechecked.out);
    // Another registry is another target, of which nothing is known.
    let other = run(folder.path(), &["import", "--local=other.sqlite3"]);
    assert!(other.out.contains("created 3"), "{}", other.out);
}

#[test]
fn status_shows_runs_and_failures_and_reads_during_a_run() {
    let folder = folder(&[]);
    let none = run(folder.path(), &["status"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("not found"), "{}", none.err);
    manifests(folder.path(), 60);
    let served = Served::start(folder.path(), &["--latency", "20", "--max-artifacts", "40"]);
    let mut child =
        import(folder.path(), &served.endpoint, &["--rate", "60", "--limit-patience", "1s"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    // A second run is refused and names the first; reading is free.
    let second = ran(import(folder.path(), &served.endpoint, &[]));
    assert_eq!(second.code, 2, "{second:?}");
    assert!(second.err.contains(&format!("in use by process {}", child.id())), "{}", second.err);
    let during = run(folder.path(), &["status"]);
    assert_eq!(during.code, 0, "{during:?}");
    let running = format!("  running: process {}", child.id());
    assert!(during.out.contains(&running), "{}", during.out);
    assert!(!during.out.contains("to resume"), "{}", during.out);
    assert_eq!(child.wait().unwrap().code(), Some(4));
    let after = run(folder.path(), &["status"]);
    assert!(after.out.contains("stopped: limit"), "{}", after.out);
    assert!(after.out.contains("created 40, pending 20"), "{}", after.out);
    let command = format!(
        "to resume, run: lineload import --region eu-west-1 --endpoint-url {}",
        served.endpoint
    );
    assert!(after.out.contains(&command), "{}", after.out);
}

#[test]
fn a_journal_that_cannot_be_used_is_reported_before_anything_is_sent() {
    let folder = folder(&[("file", "x"), ("text.sqlite3", &"not a database ".repeat(40))]);
    manifests(folder.path(), 1);
    let served = Served::start(folder.path(), &[]);
    for (journal, expected) in [
        ("file/journal.sqlite3", "cannot create its directory"),
        ("text.sqlite3", "is not a lineload journal"),
        ("/dev/full", "/dev/full"),
    ] {
        let ran = ran(import(folder.path(), &served.endpoint, &["--journal", journal]));
        assert_eq!(ran.code, 2, "{journal}: {ran:?}");
        assert!(ran.err.contains(expected), "{journal}: {}", ran.err);
    }
    assert!(served.artifacts().is_empty());
}

#[test]
fn unresolved_entries_are_looked_up_by_the_next_run_and_never_created_again_blindly() {
    let folder = folder(&[]);
    manifests(folder.path(), 6);
    // Every answer is lost after the commit, and no look-up is answered.
    let faults =
        ["--fault", "CreateArtifact:drop-after-commit=1", "--fault", "ListArtifacts:error-500=1"];
    let served = Served::start(folder.path(), &faults);
    let args = ["--rate", "unlimited", "--limit-patience", "2s"];
    let first = ran(import(folder.path(), &served.endpoint, &args));
    assert_eq!(first.code, 4, "{first:?}");
    assert!(first.out.contains("unresolved 6"), "{}", first.out);
    let second = ran(import(folder.path(), &served.endpoint, &args));
    assert_eq!(second.code, 4, "{second:?}");
    assert_eq!(served.calls("CreateArtifact"), 6, "not one was sent again");
    let port = served.endpoint.rsplit(':').next().unwrap().to_owned();
    served.kill();
    let served = Served::start(folder.path(), &["--port", &port]);
    let third = ran(import(folder.path(), &served.endpoint, &args));
    assert_eq!(third.code, 0, "{third:?}");
    assert!(third.out.contains("recovered 6"), "{}", third.out);
    assert_eq!(served.calls("CreateArtifact"), 0);
    assert_eq!(served.artifacts().len(), 6);
}

#[test]
fn a_database_of_another_program_is_not_touched() {
    let folder = folder(&[]);
    manifests(folder.path(), 1);
    let file = folder.path().join("theirs.sqlite3");
    let theirs = rusqlite::Connection::open(&file).unwrap();
    theirs.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    drop(theirs);
    let before = std::fs::read(&file).unwrap();
    let ran = run(folder.path(), &["import", "--local", "--journal", "theirs.sqlite3"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("belongs to another program"), "{}", ran.err);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_journal_is_reached_by_one_name_alone() {
    let folder = folder(&[]);
    manifests(folder.path(), 30);
    let served = Served::start(folder.path(), &["--latency", "20"]);
    let args = ["--rate", "30", "--journal", "journal.sqlite3"];
    let mut child = import(folder.path(), &served.endpoint, &args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    std::os::unix::fs::symlink("journal.sqlite3", folder.path().join("link.sqlite3")).unwrap();
    let link = ran(import(folder.path(), &served.endpoint, &["--journal", "link.sqlite3"]));
    assert_eq!(link.code, 2, "{link:?}");
    assert!(link.err.contains("link.sqlite3` is a symlink"), "{}", link.err);
    // A hostile checkout must not lead it elsewhere.
    let elsewhere = crate::support::folder(&[]);
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join(".lineload")).unwrap();
    let led = ran(import(folder.path(), &served.endpoint, &[]));
    assert_eq!(led.code, 2, "{led:?}");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert!(child.wait().unwrap().success());
    let file = folder.path().join("journal.sqlite3");
    std::fs::hard_link(file, folder.path().join("other.sqlite3")).unwrap();
    let other = ran(import(folder.path(), &served.endpoint, &["--journal", "other.sqlite3"]));
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.err.contains("hard links"), "{}", other.err);
}

#[test]
fn a_report_contains_no_earlier_run_and_requests_that_the_journal_could_not_record() {
    let folder = folder(&[]);
    manifests(folder.path(), 3);
    let report = || json(&folder.path().join("r.json"));
    let first = run(folder.path(), &["import", "--local", "--report", "r.json"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(report()["counts"]["created"], 3);
    let args = ["import", "--local", "--report", "r.json", "--journal", "manifests/00001.yaml"];
    let refused = run(folder.path(), &args);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert_eq!(report()["counts"]["created"], 0);
    let full = run(folder.path(), &["import", "--local", "--recheck", "--report", "/dev/full"]);
    assert_eq!(full.code, 2, "it has no ending of a report: {full:?}");
    std::os::unix::fs::symlink("/dev/full", folder.path().join("full.json")).unwrap();
    let full = run(folder.path(), &["import", "--local", "--report", "full.json"]);
    assert_eq!(full.code, 2, "{full:?}");
}
