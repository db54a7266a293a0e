//! Tests of the output of runs: progress off a terminal, counts, and paths that must not be
//! written.

use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::support::{Ran, Served, artifact, at, folder, json, lineload, manifests, run, write};

fn import(folder: &std::path::Path, served: &Served, args: &[&str]) -> Ran {
    at(folder, served, "import", &[&["--yes"], args].concat())
}

#[test]
fn nothing_is_written_through_a_symlink_and_nothing_is_sent_then() {
    let folder = folder(&[("victim", "precious"), ("lint/a.yaml", &artifact(1))]);
    manifests(folder.path(), 2);
    let served = Served::start(folder.path(), &[]);
    let there = |name: &str| folder.path().join(name);
    symlink("victim", there("import.json")).unwrap();
    symlink("victim", there("lint.sarif")).unwrap();
    symlink(".", there("out")).unwrap();
    std::fs::create_dir(there("elsewhere")).unwrap();
    symlink("elsewhere", there("failed")).unwrap();
    let refused = |ran: &Ran, link: &str| {
        assert_eq!(ran.code, 2, "{ran:?}");
        let said = format!("`{link}` is a symlink to `");
        assert!(ran.err.contains(&said), "{said}: {}", ran.err);
    };
    refused(&import(folder.path(), &served, &["--report", "import.json"]), "import.json");
    refused(&import(folder.path(), &served, &["--report", "out/r.csv"]), "out");
    let absolute = there("import.json");
    let absolute = absolute.to_str().unwrap();
    refused(&import(folder.path(), &served, &["--report", absolute]), absolute);
    let dry = run(folder.path(), &["import", "--dry-run", "--report", "import.json"]);
    refused(&dry, "import.json");
    assert!(served.artifacts().is_empty());
    let output = ["lint", "lint", "--output", "sarif=lint.sarif"];
    refused(&run(folder.path(), &output), "lint.sarif");
    let exported = at(folder.path(), &served, "export", &["-o", "failed", "--force"]);
    refused(&exported, "failed");
    assert_eq!(import(folder.path(), &served, &["--report", "new.json"]).code, 0);
    for option in ["--failed-manifests", "--invalid-manifests"] {
        refused(&run(folder.path(), &["status", option, "failed"]), "failed");
    }
    assert_eq!(std::fs::read_to_string(there("victim")).unwrap(), "precious");
    assert_eq!(json(&there("new.json"))["counts"]["created"], 2);
}

#[test]
fn what_a_run_reads_is_not_written_by_it() {
    let folder = folder(&[("manifests/a.yaml", &artifact(1))]);
    let manifest = r#"{"ArtifactType": "Model", "Source": {"SourceUri": "s3://bucket/m"}}"#;
    write(&folder.path().join("manifests/m.json"), manifest);
    let read = |ran: &Ran, path: &str| {
        assert_eq!(ran.code, 2, "{ran:?}");
        let said = format!("`{path}` is an input of this run and would be overwritten");
        assert!(ran.err.contains(&said), "{}", ran.err);
        let path = folder.path().join("manifests/m.json");
        assert_eq!(std::fs::read_to_string(path).unwrap(), manifest);
    };
    let args = ["import", "--local", "manifests", "--report", "manifests/m.json"];
    read(&run(folder.path(), &[&args[..], &["--include", "*.json"]].concat()), "manifests/m.json");
    let named = ["import", "--local", "manifests/m.json", "--report", "./manifests/m.json"];
    read(&run(folder.path(), &named), "./manifests/m.json");
    let lint = ["lint", "--output", "json=manifests/a.yaml"];
    read(&run(folder.path(), &lint), "manifests/a.yaml");
    write(&folder.path().join("lineload.toml"), "");
    read(&run(folder.path(), &["lint", "--output", "json=lineload.toml"]), "lineload.toml");
    // What is not read may be replaced.
    assert_eq!(run(folder.path(), &args).code, 0);
    let report: Value = json(&folder.path().join("manifests/m.json"));
    assert_eq!(report["counts"]["created"], 1);
    let twice = ["lint", "--output", "json=new", "--output", "sarif=./new"];
    let twice = run(folder.path(), &twice);
    assert!(twice.code == 2 && twice.err.contains("would be written twice"), "{twice:?}");
    assert!(!folder.path().join("new").exists());
}

#[test]
fn an_import_with_many_findings_counts_them_and_has_an_example_of_each_code() {
    let folder = folder(&[]);
    for at in 0..30 {
        let text = artifact(at).replace(&format!("a{at}"), &format!("a_{at}"));
        write(&folder.path().join(format!("manifests/{at:05}.yaml")), text);
    }
    write(&folder.path().join("manifests/a.yaml"), artifact(99) + "Colour: red\n");
    write(&folder.path().join("manifests/b.yaml"), artifact(98));
    for quiet in [true, false] {
        let args: &[&str] = if quiet { &["-q"] } else { &["--recheck"] };
        let ran = run(folder.path(), &[&["import", "--local"], args].concat());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert_eq!(ran.out.matches("× name-pattern").count(), 1, "{}", ran.out);
        assert_eq!(ran.out.matches("× unknown-field").count(), 1, "{}", ran.out);
        for line in [
            "  name-pattern         30  ",
            "  unknown-field         1  ",
            "run `lineload lint manifests` to see all 31 findings",
            "32 files, 32 artifacts, 1 valid, 31 invalid: 31 errors (",
        ] {
            assert!(ran.out.contains(line), "{line}\n{}", ran.out);
        }
        let counts = if quiet { "32 artifacts: invalid 31, created 1\n" } else { "invalid 31" };
        assert!(ran.out.contains(counts), "{}", ran.out);
    }
    // A few are shown as they are.
    for at in 0..25 {
        std::fs::remove_file(folder.path().join(format!("manifests/{at:05}.yaml"))).unwrap();
    }
    let ran = run(folder.path(), &["import", "--local"]);
    assert_eq!(ran.out.matches("× name-pattern").count(), 5, "{}", ran.out);
    assert!(!ran.out.contains("to see all"), "{}", ran.out);
}

#[test]
fn off_a_terminal_progress_is_lines() {
    let folder = folder(&[]);
    manifests(folder.path(), 60);
    let served = Served::start(folder.path(), &[]);
    let args = ["--rate", "20", "--progress", "1s"];
    let ran = import(folder.path(), &served, &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<_> = ran.err.lines().filter(|line| line.contains("/60: created ")).collect();
    assert!((2..=4).contains(&lines.len()), "{}", ran.err);
    assert!(lines.iter().all(|line| line.contains("/s, sending, ")), "{lines:?}");
    assert!(!ran.err.contains('\x1b'), "{}", ran.err);
    let wrong = import(folder.path(), &served, &["--progress", "often"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("expected `auto`, `always`, `never` or an interval"), "{wrong:?}");
}

#[test]
fn a_pause_is_reported_with_its_cause_off_a_terminal() {
    let folder = folder(&[]);
    manifests(folder.path(), 10);
    let served = Served::start(folder.path(), &["--max-artifacts", "4"]);
    let pace = ["--rate", "unlimited", "--concurrency", "1", "--limit-patience", "2s"];
    let args = [&pace[..], &["--progress", "always"]].concat();
    let ran = import(folder.path(), &served, &args);
    assert_eq!(ran.code, 4, "{ran:?}");
    let paused: Vec<_> = ran.err.lines().filter(|line| line.contains(", 0/s, paused: ")).collect();
    // It is the same pause, however many probes there are.
    assert_eq!(paused.len(), 1, "{}", ran.err);
    let line = paused[0];
    assert!(line.starts_with("4/10: created 4, existing 0, failed 0, 0/s, paused: "), "{line}");
    assert!(line.contains(" (ResourceLimitExceeded, 4 of 4 used), next probe in "), "{line}");
}

#[test]
fn status_is_read_by_scripts_too() {
    let folder = folder(&[]);
    manifests(folder.path(), 5);
    let served = Served::start(folder.path(), &["--max-artifacts", "3"]);
    let args = ["--rate", "unlimited", "--limit-patience", "0s"];
    assert_eq!(import(folder.path(), &served, &args).code, 4);
    let ran = run(folder.path(), &["status", "--format", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let status: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(status["version"], 1);
    let one = &status["runs"][0];
    assert_eq!((&one["state"], &one["ending"]), (&"ended".into(), &"stopped: limit".into()));
    assert_eq!((&one["left"], &one["counts"]["created"]), (&2.into(), &3.into()));
    assert_eq!((&one["process"], &one["rate"]), (&Value::Null, &Value::Null));
    assert!(one["command"].as_str().unwrap().starts_with("lineload import "), "{one}");
    let report = lineload(folder.path()).args(["status", "--format", "xml"]).output().unwrap();
    assert_eq!(report.status.code(), Some(2));
}

#[test]
fn what_was_invalid_is_copied_to_be_fixed() {
    let folder = folder(&[]);
    manifests(folder.path(), 1);
    let bad = artifact(1).replace("a1", "a_1") + "# mine\n";
    write(&folder.path().join("manifests/deep/bad.yaml"), &bad);
    write(&folder.path().join("manifests/lost.yaml"), artifact(2).replace("a2", "a_2"));
    assert_eq!(run(folder.path(), &["import", "--local"]).code, 1);
    std::fs::remove_file(folder.path().join("manifests/lost.yaml")).unwrap();
    let ran = run(folder.path(), &["status", "--invalid-manifests", "to fix"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("2 invalid artifacts, 1 file copied: fix them"), "{}", ran.out);
    assert!(ran.out.contains("not copied: manifests/lost.yaml: no such file"), "{}", ran.out);
    let copied = folder.path().join("to fix/manifests/deep/bad.yaml");
    assert_eq!(std::fs::read_to_string(copied).unwrap(), bad);
    let again = run(folder.path(), &["status", "--invalid-manifests", "to fix"]);
    assert!(again.code == 2 && again.err.contains("is not empty"), "{again:?}");
}
