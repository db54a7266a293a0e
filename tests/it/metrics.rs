//! `--metrics` and the log of a run: what Prometheus and log systems get.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Ran, Served, at, folder, lineload, manifests, run, write};

/// The series of a file, without the label that all have.
fn series(path: &Path) -> HashMap<String, f64> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let name = name.replace("{file=\"lineload\",", "{").replace("{file=\"lineload\"}", "");
        (name, if value == "+Inf" { f64::INFINITY } else { value.parse().unwrap() })
    });
    let all: Vec<_> = series.collect();
    let count = all.len();
    let map: HashMap<_, _> = all.into_iter().collect();
    assert_eq!(map.len(), count, "a series is there twice: {text}");
    map
}

fn import(folder: &Path, served: &Served, args: &[&str]) -> Ran {
    at(folder, served, "import", &[&["--yes", "--metrics", "lineload.prom"], args].concat())
}

#[test]
#[expect(clippy::float_cmp, reason = "whole numbers")]
fn a_run_is_counted_and_the_last_success_outlasts_one_that_stops() {
    let folder = folder(&[]);
    let here = folder.path();
    manifests(here, 6);
    write(&here.join("manifests/bad.yaml"), "ArtifactName: a_b\n");
    let served = Served::start(here, &["--max-artifacts", "6"]);
    let ran = import(here, &served, &["--rate", "unlimited", "--exclude", "bad.yaml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let first = series(&here.join("lineload.prom"));
    for (name, value) in [
        ("lineload_entries_total{outcome=\"created\"}", 6.0),
        ("lineload_entries_total{outcome=\"rejected\"}", 0.0),
        ("lineload_entries_pending", 0.0),
        ("lineload_requests_total{operation=\"CreateArtifact\",class=\"ok\"}", 6.0),
        ("lineload_requests_total{operation=\"CreateArtifact\",class=\"throttled\"}", 0.0),
        ("lineload_request_duration_seconds_count{operation=\"CreateArtifact\"}", 6.0),
        ("lineload_request_duration_seconds_bucket{operation=\"CreateArtifact\",le=\"+Inf\"}", 6.0),
        ("lineload_rate_limit_per_second", f64::INFINITY),
        ("lineload_run_running", 0.0),
        ("lineload_run_exit_code", 0.0),
    ] {
        assert_eq!(first.get(name), Some(&value), "{name}: {first:?}");
    }
    let success = first["lineload_last_success_timestamp_seconds"];
    let duration = first["lineload_run_duration_seconds"];
    let start = first["lineload_run_start_timestamp_seconds"];
    assert!((start + duration - success).abs() < 0.1 && success > 1.7e9, "{first:?}");
    let info = |series: &HashMap<String, f64>| -> String {
        series.keys().find(|name| name.starts_with("lineload_run_info{")).unwrap().clone()
    };
    assert!(info(&first).contains("command=\"import\",target=\"local:"), "{}", info(&first));

    // The quota is used up, and one is invalid.
    manifests(here, 8);
    let ran = import(here, &served, &["--limit-patience", "1s", "--rate", "50"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let second = series(&here.join("lineload.prom"));
    assert_eq!(second["lineload_last_success_timestamp_seconds"], success);
    assert_eq!(second["lineload_run_exit_code"], 4.0);
    assert_eq!(second["lineload_entries_total{outcome=\"existed\"}"], 6.0);
    assert_eq!(second["lineload_entries_total{outcome=\"invalid\"}"], 1.0);
    assert_eq!(second["lineload_entries_pending"], 2.0);
    assert_eq!(second["lineload_rate_limit_per_second"], 50.0);
    assert!(second["lineload_requests_total{operation=\"CreateArtifact\",class=\"limit\"}"] >= 1.0);
    assert!(
        second["lineload_pauses_total"] >= 1.0 && second["lineload_paused_seconds_total"] > 0.5
    );
    let status = run(here, &["status", "--format", "json", "--runs", "1"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    let id = status["runs"][0]["run"].as_str().unwrap();
    assert!(info(&second).contains(&format!("run=\"{id}\"")), "{} {id}", info(&second));

    // Resumed, it is the same run.
    let resumed = ["resume", "--yes", "--metrics", "lineload.prom", "--limit-patience", "1s"];
    assert_eq!(crate::support::with_keys(here, &resumed).code, 4);
    let third = series(&here.join("lineload.prom"));
    let same = info(&third);
    assert!(same.contains(&format!("run=\"{id}\",command=\"resume\"")), "{same}");
    assert_eq!(third["lineload_entries_total{outcome=\"existed\"}"], 0.0);
}

#[test]
fn it_is_written_while_the_run_is_on_its_way() {
    let folder = folder(&[]);
    let here = folder.path();
    manifests(here, 9);
    let served = Served::start(here, &[]);
    let mut command = lineload(here);
    command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    command.args(["import", "--region", "eu-west-1", "--endpoint-url", &served.endpoint, "--yes"]);
    command.args(["--rate", "1", "--metrics", "lineload.prom"]).stderr(Stdio::null());
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let path = here.join("lineload.prom");
    let seen = loop {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing was written meanwhile");
        std::thread::sleep(Duration::from_millis(50));
        if !path.exists() {
            continue;
        }
        let series = series(&path);
        let created = series["lineload_entries_total{outcome=\"created\"}"];
        if created > 0.0 {
            break series;
        }
    };
    let created = seen["lineload_entries_total{outcome=\"created\"}"];
    assert!(created < 9.0 && seen["lineload_run_running"] > 0.5, "{seen:?}");
    assert!(!seen.contains_key("lineload_run_exit_code"), "{seen:?}");
    let speed = seen["lineload_writes_per_second"];
    assert!(speed > 0.1 && speed < 2.5, "{seen:?}");
    assert!(child.wait().unwrap().success());
    // No temporary file is left.
    let names = fs::read_dir(here).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with(".lineload-")));
}

#[test]
fn a_file_that_cannot_be_written_is_reported_before_anything_is_submitted() {
    let folder = folder(&[("other.yaml", "x: 1\n")]);
    let here = folder.path();
    manifests(here, 2);
    std::os::unix::fs::symlink("other.yaml", here.join("link.prom")).unwrap();
    let served = Served::start(here, &[]);
    let refused = |args: &[&str], message: &str| {
        let ran = at(here, &served, "import", &[&["--yes"], args].concat());
        assert!(ran.code == 2 && ran.err.contains(message), "{args:?}: {ran:?}");
    };
    refused(&["--metrics", "missing/a.prom"], "cannot write the metrics to missing/a.prom");
    refused(&["--metrics", "link.prom"], "is a symlink");
    refused(&["--metrics", "manifests/00000.yaml"], "is an input of this run");
    refused(&["--metrics", "r.json", "--report", "r.json"], "would be written twice");
    refused(&["--metrics", "a.prom", "--dry-run"], "cannot be used with");
    refused(
        &["--metrics", "other.yaml"],
        "is not a metrics file of lineload and would be overwritten",
    );
    refused(&["--metrics", "new.sqlite3", "--journal", "new.sqlite3"], "is an input of this run");
    let made = std::process::Command::new("mkfifo").arg(here.join("pipe")).status().unwrap();
    assert!(made.success());
    refused(&["--metrics", "pipe"], "is not a regular file");
    assert_eq!(served.calls("CreateArtifact"), 0);
    assert_eq!(fs::read_to_string(here.join("other.yaml")).unwrap(), "x: 1\n");
    // The databases of the run, there already or not.
    let local = |args: &[&str]| run(here, &[&["import", "--local"], args].concat());
    assert_eq!(local(&["manifests"]).code, 0);
    for name in ["journal", "registry"] {
        let file = format!(".lineload/{name}.sqlite3");
        let before = fs::read(here.join(&file)).unwrap();
        let ran = local(&["manifests", "--metrics", &file]);
        assert!(ran.code == 2 && ran.err.contains("is an input of this run"), "{ran:?}");
        assert_eq!(fs::read(here.join(&file)).unwrap(), before, "{file}");
    }
    // A run that ends before it has a target is counted too.
    let ran = run(here, &["import", "--metrics", "none.prom"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let text = fs::read_to_string(here.join("none.prom")).unwrap();
    assert!(text.contains("lineload_run_exit_code{file=\"none\"} 2\n"), "{text}");
}

#[test]
fn every_line_of_the_log_has_the_run_and_each_request_what_is_known_of_it() {
    let folder = folder(&[]);
    let here = folder.path();
    manifests(here, 4);
    let served = Served::start(here, &["--max-artifacts", "3"]);
    let args =
        ["--yes", "--limit-patience", "1s", "--log-format", "json", "-vv", "--progress", "never"];
    let ran = at(here, &served, "import", &args);
    assert_eq!(ran.code, 4, "{ran:?}");
    let lines: Vec<Value> = ran
        .err
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let status = run(here, &["status", "--format", "json", "--runs", "1"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    let id = &status["runs"][0]["run"];
    let of_run: Vec<_> = lines.iter().filter(|line| line["run"] == *id).collect();
    let first = lines.iter().position(|line| line["run"] == *id).unwrap();
    assert_eq!(of_run.len(), lines.len() - first, "{}", ran.err);
    let creates: Vec<&Value> = of_run
        .iter()
        .map(|line| &line["fields"])
        .filter(|fields| fields["operation"] == "CreateArtifact")
        .collect();
    let of = |class: &str| creates.iter().filter(|fields| fields["class"] == class).count();
    assert_eq!(of("ok"), 3, "{creates:?}");
    assert!(of("limit") >= 1, "{creates:?}");
    for fields in creates {
        assert!(fields["entry"].is_u64() && fields["attempt"].as_u64() >= Some(1), "{fields}");
        assert!(fields["took_seconds"].as_f64() > Some(0.0), "{fields}");
        assert!(fields["request_id"].as_str().is_some_and(|id| id.len() > 8), "{fields}");
        let code = fields.get("code").and_then(Value::as_str);
        let expected = (fields["class"] == "limit").then_some("ResourceLimitExceeded");
        assert_eq!(code, expected, "{fields}");
    }
    let fields = |message: &str| {
        let starts = |fields: &&Value| {
            fields["message"].as_str().is_some_and(|text| text.starts_with(message))
        };
        of_run.iter().map(|line| &line["fields"]).find(starts).unwrap_or(&Value::Null)
    };
    let paused = fields("paused: ");
    assert_eq!((&paused["cause"], &paused["class"]), (&"limit".into(), &"limit".into()));
    assert!(paused["wait_seconds"].as_f64() > Some(0.0), "{paused}");
    let settled = fields("settled");
    assert_eq!(settled["outcome"], "created", "{settled}");
    assert!(settled["entry"].is_u64() && settled["request_id"].is_string(), "{settled}");
}
