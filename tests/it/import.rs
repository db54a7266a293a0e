//! Imports, from manifests to what the registry holds afterwards.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::support::{
    Ran, Served, artifact, at, folder, json, lineload, manifests, root, run, timeless, with_keys,
    write,
};

/// An import to a served registry.
fn import(folder: &Path, served: &Served, args: &[&str]) -> Ran {
    at(folder, served, "import", args)
}

fn counts(report: &Value) -> Vec<(String, u64)> {
    let counts = report["counts"].as_object().unwrap();
    let some = |(name, count): (&String, &Value)| {
        Some((name.clone(), count.as_u64()?)).filter(|(_, count)| *count > 0)
    };
    counts.iter().filter_map(some).collect()
}

fn pairs(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn the_quick_start_imports_and_a_second_time_makes_nothing() {
    let folder = folder(&[]);
    let ours = root().join("manifests");
    let ours = ours.to_str().unwrap();
    let args = ["import", ours, "--local", "--report", "r.json"];
    let ran = run(folder.path(), &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let first = json(&folder.path().join("r.json"));
    let created = first["counts"]["created"].as_u64().unwrap();
    assert!(created >= 200);
    assert_eq!(counts(&first), pairs(&[("created", created), ("valid", created)]));
    assert_eq!(first["target"]["kind"], "local");
    assert_eq!(first["version"], 1);

    let ran = run(folder.path(), &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let second = json(&folder.path().join("r.json"));
    assert_eq!(counts(&second), pairs(&[("existed", created), ("valid", created)]));
    assert_ne!(second["run"], first["run"]);
    // Only lineload's own folder was made, and git does not see it.
    let made: HashSet<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(made, HashSet::from([".lineload".to_owned(), "r.json".to_owned()]));
    assert_eq!(std::fs::read_to_string(folder.path().join(".lineload/.gitignore")).unwrap(), "*\n");
}

#[test]
fn what_is_written_is_what_the_manifest_says() {
    let text = "ArtifactName: full\nArtifactType: Model\nSource:\n  SourceUri: s3://lake/größe\n  \
                SourceTypes:\n  - SourceIdType: MD5Hash\n    Value: d41d8cd98f00b204e9800998ecf8427e\n\
                Properties:\n  Title: 'it''s: \"x\"'\nMetadataProperties:\n  CommitId: abc\n  \
                GeneratedBy: me\n  ProjectId: p\n  Repository: r\nTags:\n- Key: k\n  Value: ''\n";
    let folder = folder(&[("manifests/a.yaml", text)]);
    let served = Served::start(folder.path(), &[]);
    let ran = import(folder.path(), &served, &["--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let arn = &served.artifacts()[0]["ArtifactArn"];
    let (_, there) = served.ask("DescribeArtifact", &serde_json::json!({ "ArtifactArn": arn }));
    assert_eq!(there["ArtifactName"], "full");
    assert_eq!(there["ArtifactType"], "Model");
    assert_eq!(there["Source"]["SourceUri"], "s3://lake/größe");
    assert_eq!(there["Source"]["SourceTypes"][0]["SourceIdType"], "MD5Hash");
    assert_eq!(there["Properties"], serde_json::json!({"Title": "it's: \"x\""}));
    assert_eq!(
        there["MetadataProperties"],
        serde_json::json!({"CommitId": "abc", "GeneratedBy": "me", "ProjectId": "p", "Repository": "r"})
    );
    let (_, tags) = served.ask("ListTags", &serde_json::json!({ "ResourceArn": arn }));
    assert_eq!(tags["Tags"], serde_json::json!([{"Key": "k", "Value": ""}]));
}

#[test]
fn invalid_manifests_are_reported_and_the_valid_ones_are_submitted() {
    let folder = folder(&[]);
    manifests(folder.path(), 10);
    write(&folder.path().join("manifests/bad.yaml"), artifact(99).replace("a99", "a_99"));
    write(&folder.path().join("manifests/twice.yaml"), artifact(3));
    let ran = run(folder.path(), &["import", "--local", "--report", "r.json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.out.contains("name-pattern") && ran.out.contains("duplicate-source"),
        "{}",
        ran.out
    );
    let report = json(&folder.path().join("r.json"));
    // Of two that claim one name, neither is sent.
    assert_eq!(counts(&report), pairs(&[("created", 9), ("invalid", 3), ("valid", 9)]));
    let entry = |file: &str| {
        let entries = report["entries"].as_array().unwrap();
        entries.iter().find(|entry| entry["file"] == file).unwrap().clone()
    };
    assert_eq!(entry("manifests/00003.yaml")["outcome"], "invalid");
    assert_eq!(entry("manifests/twice.yaml")["outcome"], "invalid");
    let created = entry("manifests/00004.yaml");
    assert_eq!((&created["outcome"], &created["name"]), (&"created".into(), &"a4".into()));
    assert_eq!((&created["line"], &created["attempts"]), (&1.into(), &1.into()));
    assert!(created["arn"].as_str().unwrap().starts_with("arn:aws:sagemaker:"));
}

#[test]
fn require_valid_and_dry_run_and_max_changes_send_nothing() {
    let folder = folder(&[]);
    manifests(folder.path(), 5);
    let ran = run(folder.path(), &["import", "--dry-run"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("would create up to 5 artifacts"), "{}", ran.out);
    let ran = run(folder.path(), &["import", "--local", "--max-changes", "4"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    write(&folder.path().join("manifests/bad.yaml"), "ArtifactName: a_b\n");
    let ran = run(folder.path(), &["import", "--dry-run"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let ran = run(folder.path(), &["import", "--local", "--require-valid"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("nothing was submitted"), "{}", ran.err);
    let served = Served::start_on(folder.path(), ".lineload/registry.sqlite3", &[]);
    assert_eq!(served.artifacts().len(), 0);
}

#[test]
fn a_dry_run_reports_each_entry_and_counts_what_is_valid() {
    let folder = folder(&[]);
    let artifact = |name: &str, kind: &str, uri: &str| {
        format!("- ArtifactName: {name}\n  ArtifactType: {kind}\n  Source:\n    SourceUri: {uri}\n")
    };
    let first = artifact("a", "Model", "s3://b/1") + &artifact("b", "DataSet", "s3://b/2");
    // The first is valid until the second file uses its name.
    let second = artifact("a", "Model", "s3://b/3") + &artifact("c", "DataSet", "s3://b/4");
    write(&folder.path().join("manifests/1.yaml"), &first);
    write(&folder.path().join("manifests/2.yaml"), &second);
    let ran = run(folder.path(), &["import", "--dry-run", "-v", "--report", "r.json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let shown =
        "would create up to 2 artifacts:\n         2  DataSet\n  b  s3://b/2\n  c  s3://b/4\n";
    assert!(ran.out.ends_with(shown), "{}", ran.out);
    let report = json(&folder.path().join("r.json"));
    let entries = report["entries"].as_array().unwrap().iter().map(|entry| {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        (text("file"), entry["line"].as_u64().unwrap(), text("name"), text("outcome"))
    });
    let entry = |file: &str, line, name: &str, outcome: &str| {
        (format!("manifests/{file}.yaml"), line, name.to_owned(), outcome.to_owned())
    };
    assert_eq!(
        entries.collect::<Vec<_>>(),
        [
            entry("1", 1, "a", "invalid"),
            entry("1", 5, "b", "pending"),
            entry("2", 1, "a", "invalid"),
            entry("2", 5, "c", "pending"),
        ]
    );
    assert_eq!(
        (&report["counts"]["invalid"], &report["counts"]["pending"]),
        (&2.into(), &2.into())
    );
    assert!(report["target"].is_null());
    assert!(!folder.path().join(".lineload").exists(), "nothing is kept");
}

#[test]
fn without_a_target_both_options_are_named() {
    let folder = folder(&[]);
    manifests(folder.path(), 1);
    let ran = run(folder.path(), &["import"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("--region") && ran.err.contains("--local"), "{}", ran.err);
    let ran = run(folder.path(), &["import", "--region", "eu-west-1"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("no AWS credentials found"), "{}", ran.err);
    assert!(ran.err.contains("AWS_ACCESS_KEY_ID") && ran.err.contains("--local"), "{}", ran.err);
}

#[test]
fn nothing_is_written_unasked_to_anything_but_the_local_registry() {
    let folder = folder(&[]);
    manifests(folder.path(), 3);
    let served = Served::start(folder.path(), &[]);
    let ran = import(folder.path(), &served, &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains(&served.endpoint) && ran.err.contains("3 artifacts"), "{}", ran.err);
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    assert_eq!(served.artifacts().len(), 0);
    let ran = import(folder.path(), &served, &["--yes", "--expect-account", "123456789012"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = import(folder.path(), &served, &["--yes", "--expect-region", "eu-central-1"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(served.artifacts().len(), 0);
    let ran = import(folder.path(), &served, &["--yes", "--expect-region", "eu-west-1"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(served.artifacts().len(), 3);
}

#[test]
fn a_proxy_is_not_asked_for_this_machine() {
    let folder = folder(&[]);
    manifests(folder.path(), 2);
    let mut command = lineload(folder.path());
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("http_proxy", "http://127.0.0.1:9");
    let ran: Ran = command.args(["import", "--local"]).output().unwrap().into();
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_limit_backs_off_stops_and_can_be_resumed_from() {
    let folder = folder(&[]);
    manifests(folder.path(), 30);
    let served = Served::start(folder.path(), &["--max-artifacts", "12"]);
    let args = ["--yes", "--rate", "unlimited", "--limit-patience", "2s", "--report", "r.json"];
    let ran = import(folder.path(), &served, &args);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.err.contains("ResourceLimitExceeded") && ran.err.contains("is 12 Artifacts"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("18 artifacts left"), "{}", ran.err);
    let again = format!("lineload import --region eu-west-1 --endpoint-url {}", served.endpoint);
    assert!(ran.err.contains(&again), "as it was typed: {}", ran.err);
    let report = json(&folder.path().join("r.json"));
    assert_eq!(counts(&report), pairs(&[("created", 12), ("pending", 18), ("valid", 30)]));
    served.kill();
    let served = Served::start(folder.path(), &["--max-artifacts", "1000"]);
    let ran = import(folder.path(), &served, &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = json(&folder.path().join("r.json"));
    assert_eq!(counts(&report), pairs(&[("created", 18), ("existed", 12), ("valid", 30)]));
    assert_eq!(served.artifacts().len(), 30);
}

#[test]
fn throttled_requests_are_retried() {
    let folder = folder(&[]);
    manifests(folder.path(), 60);
    let served = Served::start(folder.path(), &["--tps", "20"]);
    let ran = import(folder.path(), &served, &["--yes", "--rate", "100"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(served.artifacts().len(), 60);
    assert_eq!(timeless(&ran.out).lines().next(), Some("60 files, 60 artifacts: nothing found"));
}

/// Each fault alone, and all of them together: every artifact is there once, and the report says so.
#[test]
fn faults_lose_nothing_and_double_nothing() {
    let one = |fault: &'static str| vec!["--fault", fault];
    let mut all = Vec::new();
    for fault in ["drop-before-commit=0.1", "drop-after-commit=0.1", "error-500=0.1", "garbage=0.1"]
    {
        all.extend(["--fault", fault]);
    }
    let faults = [
        one("drop-before-commit=0.3"),
        one("drop-after-commit=0.3"),
        one("error-500=0.3"),
        one("garbage=0.3"),
        one("hang=0.1"),
        all,
    ];
    for fault in faults {
        let folder = folder(&[]);
        manifests(folder.path(), 25);
        let served = Served::start(folder.path(), &fault);
        let args = [
            "--yes",
            "--rate",
            "unlimited",
            "--settle",
            "200ms",
            "--timeout",
            "1s",
            "--report",
            "r.json",
        ];
        let ran = import(folder.path(), &served, &args);
        let report = json(&folder.path().join("r.json"));
        served.kill();
        let served = Served::start(folder.path(), &[]);
        let there = served.artifacts();
        let uris: HashSet<_> =
            there.iter().map(|one| one["Source"]["SourceUri"].to_string()).collect();
        assert_eq!(uris.len(), there.len(), "{fault:?}: one is there twice");
        for entry in report["entries"].as_array().unwrap() {
            let is_there = uris.contains(&entry["source_uri"].to_string());
            match entry["outcome"].as_str().unwrap() {
                "created" | "recovered" | "existed" => assert!(is_there, "{fault:?}: {entry}"),
                // Look-ups can be lost five times in a row too.
                "unresolved" => assert_eq!(ran.code, 4),
                other => panic!("{fault:?}: {other}: {entry}"),
            }
        }
    }
}

#[test]
fn a_registry_that_goes_away_and_comes_back_is_waited_for() {
    let folder = folder(&[]);
    manifests(folder.path(), 40);
    let served = Served::start(folder.path(), &["--latency", "20"]);
    let port = served.endpoint.rsplit(':').next().unwrap().to_owned();
    let path = folder.path().to_owned();
    let endpoint = served.endpoint.clone();
    let importing = std::thread::spawn(move || -> Ran {
        let mut command = lineload(&path);
        command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        command.args(["import", "--yes", "--region", "eu-west-1", "--endpoint-url", &endpoint]);
        command.args(["--rate", "20", "--settle", "500ms", "--report", "r.json"]);
        command.output().unwrap().into()
    });
    std::thread::sleep(Duration::from_millis(700));
    served.kill();
    std::thread::sleep(Duration::from_millis(700));
    let served = Served::start(folder.path(), &["--port", &port]);
    let ran = importing.join().unwrap();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(served.artifacts().len(), 40);
}

#[test]
fn a_signal_lets_what_is_under_way_end_and_a_second_run_resumes() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let folder = folder(&[]);
        manifests(folder.path(), 60);
        let served = Served::start(folder.path(), &["--latency", "50"]);
        let mut command = lineload(folder.path());
        command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        command.args([
            "import",
            "--yes",
            "--region",
            "eu-west-1",
            "--endpoint-url",
            &served.endpoint,
        ]);
        command.args(["--rate", "20", "--report", "r.json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1000));
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
        assert!(sent.success());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}: {said}");
        assert!(said.contains("artifacts left; to resume, run"), "{said}");
        let report = json(&folder.path().join("r.json"));
        let created = report["counts"]["created"].as_u64().unwrap();
        assert!(created > 0 && created < 60, "{signal}: {created}");
        assert_eq!(served.artifacts().len() as u64, created, "requests in flight are known");
        let ran = import(folder.path(), &served, &["--yes", "--rate", "unlimited"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(served.artifacts().len(), 60);
    }
}

#[test]
fn a_report_that_cannot_be_written_is_reported_before_anything_is_sent() {
    let folder = folder(&[]);
    manifests(folder.path(), 3);
    for report in ["no/such/folder/r.json", "r.docx"] {
        let ran = run(folder.path(), &["import", "--local", "--report", report]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(!folder.path().join(".lineload").exists());
    }
}

/// Keys that `credential_process` makes, and can no longer make after some calls.
#[test]
fn credentials_that_cannot_be_had_any_more_pause_the_run_and_leave_nothing_in_doubt() {
    let folder = folder(&[(
        "keys.sh",
        "#!/bin/sh\n\
         cd \"$(/usr/bin/dirname \"$0\")\" || exit 1\n\
         echo x >> calls\n\
         [ \"$(/usr/bin/wc -l < calls)\" -gt 3 ] && { echo the session is over >&2; exit 1; }\n\
         echo '{\"Version\": 1, \"AccessKeyId\": \"a\", \"SecretAccessKey\": \"b\", \
         \"SessionToken\": \"c\", \"Expiration\": \"2020-01-01T00:00:00Z\"}'\n",
    )]);
    let path = folder.path();
    let config = format!("[default]\ncredential_process = /bin/sh {}/keys.sh\n", path.display());
    write(&path.join("aws.conf"), config);
    manifests(path, 40);
    let served = Served::start(path, &["--latency", "20"]);
    let mut command = lineload(path);
    command.env("AWS_CONFIG_FILE", path.join("aws.conf"));
    command.env("PATH", "/usr/bin:/bin");
    command.args(["import", "--yes", "--region", "eu-west-1", "--endpoint-url", &served.endpoint]);
    command.args(["--rate", "50", "--limit-patience", "2s", "--report", "r.json"]);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("no valid credentials for 2s"), "{}", ran.err);
    let report = json(&path.join("r.json"));
    let created = served.artifacts().len() as u64;
    assert_eq!(
        counts(&report).into_iter().filter(|(name, _)| name != "created").collect::<Vec<_>>(),
        pairs(&[("pending", 40 - created), ("valid", 40)])
    );
    assert!(created < 40, "{created}");
}

#[test]
fn a_file_that_cannot_be_read_ends_an_import_with_1() {
    let folder = folder(&[]);
    manifests(folder.path(), 2);
    let ran = run(folder.path(), &["import", "manifests", "nosuch", "--local"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("created 2"), "{}", ran.out);
}

#[test]
fn an_impossible_endpoint_or_region_is_reported_before_anything_is_sent() {
    let folder = folder(&[]);
    manifests(folder.path(), 2);
    let wrong = [
        ["--region", "eu-west-1", "--endpoint-url", "127.0.0.1:9"],
        ["--region", "eu west 1", "--endpoint-url", "http://127.0.0.1:9"],
    ];
    for target in wrong {
        let ran = with_keys(folder.path(), &[&["import", "--yes"], &target[..]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(!folder.path().join(".lineload").exists());
    }
}

#[test]
fn a_signal_ends_a_run_that_reads_its_standard_input() {
    let folder = folder(&[]);
    let mut command = lineload(folder.path());
    command.args(["import", "-", "--local"]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap();
    assert!(sent.success());
    // Its input stays open: to wait for it would close what it still has.
    let _input = child.stdin.take();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
