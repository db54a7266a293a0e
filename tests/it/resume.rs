//! Runs that ended early, and are resumed.

use std::path::Path;

use crate::support::{Served, artifact, at, folder, json, manifests, with_keys, write};

/// An import of 30 artifacts into a registry that takes 12.
fn stopped(folder: &Path, more: &[&str]) -> Served {
    manifests(folder, 30);
    let served = Served::start(folder, &["--max-artifacts", "12"]);
    let args = ["import", "--yes", "--region", "eu-west-1", "--endpoint-url", &served.endpoint];
    let args =
        [&args[..], &["--rate", "unlimited", "--concurrency", "4", "--limit-patience", "1s"], more]
            .concat();
    let ran = with_keys(folder, &args);
    assert_eq!(ran.code, 4, "{ran:?}");
    let early = "note: the quota is 12 with 12 in use, and ";
    assert!(ran.err.contains(early), "reported at once: {}", ran.err);
    served
}

/// The same registry on the same port, with room.
fn roomy(folder: &Path, served: Served) -> Served {
    let port = served.endpoint.rsplit(':').next().unwrap().to_owned();
    served.kill();
    Served::start(folder, &["--port", &port])
}

#[test]
fn a_run_is_resumed_as_it_was_staged() {
    let folder = folder(&[]);
    let served = stopped(folder.path(), &["--set", "Properties.Batch=one"]);
    let served = roomy(folder.path(), served);
    let resume = ["resume", "--yes", "--rate", "unlimited", "--report", "r.json"];
    let ran = with_keys(folder.path(), &resume);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("12 done, 18 artifacts left"), "{}", ran.err);
    let report = json(&folder.path().join("r.json"));
    assert_eq!(
        (&report["counts"]["created"], &report["counts"]["pending"]),
        (&30.into(), &0.into())
    );
    let there = served.artifacts();
    assert_eq!(there.len(), 30);
    for one in there {
        let arn = serde_json::json!({ "ArtifactArn": one["ArtifactArn"] });
        assert_eq!(served.ask("DescribeArtifact", &arn).1["Properties"]["Batch"], "one");
    }
    let ran = with_keys(folder.path(), &resume);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("no unfinished run"), "{}", ran.err);
}

#[test]
fn changed_manifests_are_refused_unless_what_was_staged_is_wanted() {
    let folder = folder(&[]);
    let served = stopped(folder.path(), &[]);
    let served = roomy(folder.path(), served);
    // Whatever was created first, the last ones were not.
    write(&folder.path().join("manifests/00029.yaml"), artifact(29) + "Properties: {a: b}\n");
    std::fs::remove_file(folder.path().join("manifests/00028.yaml")).unwrap();
    let ran = with_keys(folder.path(), &["resume", "--yes"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let said = "2 files have changed since the run was staged: manifests/00028.yaml, \
                manifests/00029.yaml";
    assert!(ran.err.contains(said), "{}", ran.err);
    assert!(ran.err.contains("`lineload import --yes --region") && ran.err.contains("--as-staged"));
    assert_eq!(served.artifacts().len(), 12);
    let ran = with_keys(folder.path(), &["resume", "--yes", "--as-staged", "--rate", "unlimited"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(served.artifacts().len(), 30);
}

#[test]
fn an_import_takes_the_place_of_what_was_staged() {
    let folder = folder(&[]);
    let served = stopped(folder.path(), &[]);
    let served = roomy(folder.path(), served);
    std::fs::remove_file(folder.path().join("manifests/00029.yaml")).unwrap();
    let args = ["import", "--yes", "--region", "eu-west-1", "--endpoint-url", &served.endpoint];
    let ran = with_keys(folder.path(), &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(served.artifacts().len(), 29);
    assert_eq!(with_keys(folder.path(), &["resume", "--yes"]).code, 2);
}

#[test]
fn another_target_is_refused_and_a_run_is_found_by_its_id() {
    let folder = folder(&[]);
    manifests(folder.path(), 3);
    let ran = with_keys(folder.path(), &["resume"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("not found"), "{}", ran.err);
    let ran = with_keys(folder.path(), &["import", "--local=one.sqlite3", "--report", "r.json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = json(&folder.path().join("r.json"));
    let run = report["run"].as_str().unwrap();
    assert_eq!(with_keys(folder.path(), &["resume", "nope"]).code, 2);
    // Nothing is left of it, and that is no fault.
    let ran = with_keys(folder.path(), &["resume", &run[..20]]);
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::remove_file(folder.path().join("one.sqlite3")).unwrap();
    let ran = with_keys(folder.path(), &["resume", run]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("and this is another"), "{}", ran.err);
}

#[test]
fn an_import_of_other_paths_leaves_what_is_staged() {
    let folder = folder(&[]);
    let served = stopped(folder.path(), &[]);
    let served = roomy(folder.path(), served);
    write(&folder.path().join("other/a.yaml"), artifact(99));
    let args =
        ["import", "other", "--yes", "--region", "eu-west-1", "--endpoint-url", &served.endpoint];
    let ran = with_keys(folder.path(), &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = with_keys(folder.path(), &["resume", "--yes", "--rate", "unlimited"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(served.artifacts().len(), 31);
}

/// Sends `POST /_lineload/reset`.
fn reset(served: &Served) {
    let head = "Host: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let request = format!("POST /_lineload/reset HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\n{{}}");
    assert_eq!(served.raw(&request).0, 200);
}

#[test]
fn what_is_known_of_a_registry_is_not_taken_for_known_of_another_at_the_same_address() {
    let folder = folder(&[]);
    manifests(folder.path(), 4);
    let mut served = Served::start(folder.path(), &[]);
    let port = served.endpoint.rsplit(':').next().unwrap().to_owned();
    let import = |served: &Served, report: &str| {
        let ran = at(folder.path(), served, "import", &["--yes", "--report", report, "manifests"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let counts = json(&folder.path().join(report))["counts"].clone();
        (counts["created"].as_u64(), counts["existed"].as_u64())
    };
    assert_eq!(import(&served, "1.json"), (Some(4), Some(0)));
    let sent = served.calls("CreateArtifact");
    assert_eq!(import(&served, "2.json"), (Some(0), Some(4)));
    assert_eq!(served.calls("CreateArtifact"), sent, "the journal knows it");
    reset(&served);
    let plan = at(folder.path(), &served, "plan", &["manifests"]);
    assert!(plan.out.contains("4  create"), "{plan:?}");
    assert_eq!(import(&served, "3.json"), (Some(4), Some(0)));
    served.kill();
    served = Served::start_on(folder.path(), "other.sqlite3", &["--port", &port]);
    assert_eq!(import(&served, "4.json"), (Some(4), Some(0)));
    assert_eq!(served.artifacts().len(), 4);
    served.kill();
    // What was known of the first one is known again when it is back.
    served = Served::start(folder.path(), &["--port", &port]);
    assert_eq!(import(&served, "5.json"), (Some(0), Some(4)));
    assert_eq!(served.calls("CreateArtifact"), 0);
    // And by whichever way it is reached.
    served.kill();
    let args = ["import", "--local=registry.sqlite3", "--report", "6.json", "manifests"];
    let ran = with_keys(folder.path(), &args);
    assert_eq!(
        (ran.code, &json(&folder.path().join("6.json"))["counts"]["existed"]),
        (0, &4.into())
    );
}

#[test]
fn a_run_is_not_resumed_at_another_registry() {
    let folder = folder(&[]);
    let served = stopped(folder.path(), &[]);
    reset(&served);
    let ran = with_keys(folder.path(), &["resume", "--yes"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let said = "another registry responds at this endpoint now, and the run was staged before that";
    assert!(ran.err.contains(said), "{}", ran.err);
    assert!(ran.err.contains("`lineload import --yes"), "{}", ran.err);
    assert!(served.artifacts().is_empty());
}

#[test]
fn nothing_is_created_at_a_registry_that_appears_during_a_run() {
    let folder = folder(&[]);
    manifests(folder.path(), 1);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let url = format!("http://127.0.0.1:{port}");
    let mut import = crate::support::lineload(folder.path());
    import.args(["import", "--yes", "manifests", "--endpoint-url", &url]);
    import.stderr(std::process::Stdio::piped());
    let import = import.spawn().unwrap();
    // Longer than a registry has that is started together with the command.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let lax = ["--port", &port, "--unique-names", "off", "--unique-sources", "off"];
    let served = Served::start(folder.path(), &lax);
    let first = import.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(first.status.code(), Some(4), "{said}");
    assert!(said.contains("another registry responds at this endpoint now"), "{said}");
    assert!(served.artifacts().is_empty());
    // The same command again knows the registry, and so does the next one.
    for created in [1, 0] {
        let args = ["import", "--yes", "manifests", "--endpoint-url", &url, "--report", "r.json"];
        let ran = with_keys(folder.path(), &args);
        assert_eq!(ran.code, 0, "{ran:?}");
        let counts = &json(&folder.path().join("r.json"))["counts"];
        assert_eq!(counts["created"], created, "{counts}");
    }
    assert_eq!(served.artifacts().len(), 1);
}

#[test]
fn a_resumed_run_that_ends_early_has_one_start_and_one_command() {
    let folder = folder(&[]);
    let served = stopped(folder.path(), &["--report", "first.json"]);
    let again =
        ["resume", "--yes", "--rate", "unlimited", "--limit-patience", "1s", "--report", "r.json"];
    let ran = with_keys(folder.path(), &again);
    assert_eq!(ran.code, 4, "{ran:?}");
    let (first, second) =
        (json(&folder.path().join("first.json")), json(&folder.path().join("r.json")));
    // Both times are in UTC and in one form, so that text compares as time does.
    let time = |value: &serde_json::Value| value.as_str().unwrap()[..19].to_owned();
    assert_eq!(time(&second["started"]), time(&first["started"]), "that of the run");
    assert!(time(&second["invocation"]["started"]) >= time(&first["ended"]));
    let run = second["run"].as_str().unwrap();
    let command =
        format!("lineload resume {run} --yes --rate unlimited --limit-patience 1s --report r.json");
    assert!(
        ran.err.contains(&format!("18 artifacts left; to resume, run `{command}`")),
        "{}",
        ran.err
    );
    let status = with_keys(folder.path(), &["status"]);
    assert!(status.out.contains(&format!("to resume, run: {command}\n")), "{}", status.out);
    // The command that staged it is what imports changed manifests.
    write(&folder.path().join("manifests/00029.yaml"), artifact(29) + "Properties: {a: b}\n");
    let ran = with_keys(folder.path(), &["resume", "--yes"]);
    assert!(ran.err.contains("`lineload import --yes --region"), "{}", ran.err);
    drop(served);
}
