//! Tests of the formats for CI systems and editors: SARIF, GitHub, GitLab, JUnit.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, artifact, folder, lineload, run, run_with_input, timeless, write};

/// Two files that share a name, with a fault of most kinds: a character of two bytes in front of a
/// fault, CR LF, a fix, a guess, a warning.
fn faults() -> tempfile::TempDir {
    let first = "ArtifactName: é_ü\r\nArtifactType: 1\r\nSource:\r\n  SourceUri: s3://lake/é\r\n\
                 Properties:\r\n  rows: 3\r\n  rows: 4\r\n";
    let second = "- ArtifactName: same\n  ArtifactType: Dataset\n  Source: {SourceUri: s3://lake/1}\n\
                  - ArtifactName: same\n  ArtifactType: Model\n  Source: {SourceUri: s3://lake/2}\n";
    let third = "ArtifactName: same\nArtifactType: Model\nTag: x\n";
    folder(&[("m/a.yaml", first), ("m/b.yaml", second), ("m/c, d%1.yaml", third)])
}

/// `count` findings of each of two kinds in files of their own.
fn errors_and_warnings(folder: &Path, errors: usize, warnings: usize) {
    for at in 0..errors.max(warnings) {
        let name = if at < errors { format!("|<b>`{at}`_") } else { format!("a{at}") };
        let kind = if at < warnings { "Dataset" } else { "DataSet" };
        let text = artifact(at).replace(&format!("a{at}"), &format!("'{name}'"));
        write(&folder.join(format!("m/{at:05}.yaml")), text.replace("DataSet", kind));
    }
}

fn run_in_actions(folder: &Path, args: &[&str], summary: Option<&Path>) -> Ran {
    let mut command = lineload(folder);
    command.args(args).env("GITHUB_ACTIONS", "true");
    if let Some(summary) = summary {
        command.env("GITHUB_STEP_SUMMARY", summary);
    }
    command.output().unwrap().into()
}

fn sarif(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The fingerprints in a report, in order; those of SARIF and of GitLab are the same.
fn fingerprints(folder: &Path, path: &str) -> Vec<String> {
    let args = ["lint", path, "--format", "gitlab", "--output", "sarif=/dev/stderr"];
    let ran = run(folder, &args);
    let issues: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_gitlab: Vec<_> = issues.iter().map(|issue| text(&issue["fingerprint"])).collect();
    let log = sarif(&ran.err);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let of_sarif: Vec<_> =
        results.iter().map(|one| text(&one["partialFingerprints"]["lineload/v1"])).collect();
    assert_eq!(of_gitlab, of_sarif);
    let apart: BTreeSet<_> = of_gitlab.iter().collect();
    assert_eq!(apart.len(), of_gitlab.len(), "two findings have one fingerprint");
    of_gitlab
}

#[test]
fn every_format_shows_every_finding() {
    let folder = faults();
    for format in ["sarif", "github", "junit", "gitlab"] {
        let ran = run(folder.path(), &["lint", "m", "gone.yaml", "--format", format]);
        assert_eq!((ran.code, ran.err.as_str()), (1, ""));
        let mut shown = ran.out;
        if format == "sarif" {
            // The rules have a test of their own, and new ones must not change this.
            shown = shown.split_once('\n').unwrap().1.to_owned();
            while let Some(at) = shown.find("\"ruleIndex\":") {
                let end = at + shown[at..].find(',').unwrap();
                shown.replace_range(at..=end, "");
            }
        }
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(format, shown);
        });
    }
}

#[test]
fn sarif_points_at_its_rules() {
    let folder = faults();
    let ran = run(folder.path(), &["lint", "m", "--format", "sarif"]);
    let log = sarif(&ran.out);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "lineload");
    assert_eq!(driver["version"], env!("CARGO_PKG_VERSION"));
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &driver["rules"][index];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_ne!(rule["shortDescription"]["text"], "");
        assert!(rule["help"]["text"].as_str().unwrap().len() > 100, "{rule}");
        assert_eq!(rule["defaultConfiguration"]["level"], result["level"]);
    }
}

#[test]
fn regions_and_fixes_of_sarif_are_bytes_of_the_file() {
    let folder = faults();
    let bytes = fs::read(folder.path().join("m/a.yaml")).unwrap();
    let ran = run(folder.path(), &["lint", "m/a.yaml", "--format", "sarif"]);
    let text = |region: &Value| {
        let number = |name: &str| usize::try_from(region[name].as_u64().unwrap()).unwrap();
        let from = number("byteOffset");
        let text = &bytes[from..from + number("byteLength")];
        String::from_utf8(text.to_vec()).unwrap()
    };
    let log = sarif(&ran.out);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let at_fault: Vec<_> = results
        .iter()
        .map(|result| text(&result["locations"][0]["physicalLocation"]["region"]))
        .collect();
    assert_eq!(at_fault, ["é_ü", "1", "3", "rows"]);
    // Quotes are put round the value, so that no fix holds one.
    let replaced = results[1]["fixes"][0]["artifactChanges"][0]["replacements"].as_array().unwrap();
    let places: Vec<_> = replaced
        .iter()
        .map(|one| {
            assert_eq!(text(&one["deletedRegion"]), "");
            assert_eq!(one["insertedContent"]["text"], "'");
            one["deletedRegion"]["byteOffset"].as_u64().unwrap()
        })
        .collect();
    let at =
        results[1]["locations"][0]["physicalLocation"]["region"]["byteOffset"].as_u64().unwrap();
    assert_eq!(places, [at, at + 1]);
}

#[test]
fn every_format_is_valid_when_nothing_is_found() {
    let good = folder(&[("m/a.yaml", &artifact(1))]);
    let out = |folder: &Path, format: &str| run(folder, &["lint", "m", "--format", format]).out;
    assert_eq!(sarif(&out(good.path(), "sarif"))["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(out(good.path(), "gitlab"), "[]\n");
    assert_eq!(out(good.path(), "github"), "");
    insta::assert_snapshot!(out(good.path(), "junit"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="lineload">
      <testsuite name="lineload" tests="1" failures="0" errors="0" skipped="0">
        <testcase name="nothing found" classname="lineload">
          <system-out>1 file, 1 artifact</system-out>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
    // That no manifest is there is no passed test.
    let empty = folder(&[("m/x.txt", "")]);
    assert_eq!(sarif(&out(empty.path(), "sarif"))["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(out(empty.path(), "gitlab"), "[]\n");
    insta::assert_snapshot!(out(empty.path(), "junit"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="lineload">
    </testsuites>
    "#);
}

#[test]
fn reports_in_files_are_those_of_standard_output() {
    let folder = faults();
    let formats = ["human", "short", "json", "sarif", "github", "junit", "gitlab"];
    let outputs: Vec<_> = formats.iter().map(|format| format!("{format}=out.{format}")).collect();
    let mut args = vec!["lint", "m"];
    for output in &outputs {
        args.extend(["--output", output]);
    }
    let all = run(folder.path(), &args);
    for format in formats {
        let one = run(folder.path(), &["lint", "m", "--format", format]);
        let file = fs::read_to_string(folder.path().join(format!("out.{format}"))).unwrap();
        assert_eq!(timeless(&file), timeless(&one.out), "{format}");
    }
    assert!(all.out.contains("× name-pattern"), "{}", all.out);
}

#[test]
fn standard_input_has_the_name_that_it_is_given() {
    let folder = folder(&[]);
    let bad = "ArtifactName: a_b\n";
    let ran = run_with_input(folder.path(), &["lint", "-", "--format", "sarif"], bad);
    let place = |ran: &Ran| {
        let location = &sarif(&ran.out)["runs"][0]["results"][0]["locations"][0];
        location["physicalLocation"]["artifactLocation"].clone()
    };
    assert_eq!(
        place(&ran),
        serde_json::json!({ "uri": "%3Cstdin%3E", "description": { "text": "standard input" } })
    );
    let args = ["lint", "-", "--stdin-filename", "m/x y.yaml", "--format", "sarif"];
    let ran = run_with_input(folder.path(), &args, bad);
    let named = serde_json::json!({ "uri": "m/x%20y.yaml", "uriBaseId": "%SRCROOT%" });
    assert_eq!(place(&ran), named);
}

#[test]
fn paths_start_from_the_root_of_the_repository() {
    let folder = folder(&[(".git/HEAD", ""), ("sub/m/a.yaml", "ArtifactName: a_b\n")]);
    let sub = folder.path().join("sub");
    let path = |folder: &Path, named: &str| {
        let ran = run(folder, &["lint", named, "--format", "gitlab"]);
        let issues: Value = serde_json::from_str(&ran.out).unwrap();
        issues[0]["location"]["path"].as_str().unwrap().to_owned()
    };
    let whole = sub.join("m");
    for (working, named) in
        [(folder.path(), "./sub/m"), (&*sub, "m"), (&*sub, whole.to_str().unwrap())]
    {
        assert_eq!(path(working, named), "sub/m/a.yaml");
    }
    assert_eq!(fingerprints(folder.path(), "sub/m"), fingerprints(&sub, "m"));
}

#[test]
fn fingerprints_do_not_hold_on_to_places() {
    let text = "ArtifactName: a_b\nArtifactType: Model\nSource: {SourceUri: s3://lake/1}\nTags:\n\
                - {Key: 'k#', Value: v}\nTag: x\n";
    let folder = folder(&[("a.yaml", text)]);
    let before = fingerprints(folder.path(), "a.yaml");
    assert_eq!(before.len(), 3);
    let same = |text: &str| {
        write(&folder.path().join("a.yaml"), text);
        assert_eq!(fingerprints(folder.path(), "a.yaml"), before, "{text}");
    };
    same(&format!("# what this is\n\n{text}"));
    same(&text.replace('\n', "\r\n"));
    same(&text.replace("Tags:\n", "Tags:\n- {Key: a, Value: b}\n"));
    same(&format!("ArtifactType: Model\nSource: {{SourceUri: s3://lake/0}}\n---\n{text}"));
    // Another fault is another finding, in another file too.
    write(&folder.path().join("a.yaml"), text.replace("a_b", "a_c"));
    let after = fingerprints(folder.path(), "a.yaml");
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1..], before[1..]);
    write(&folder.path().join("b.yaml"), text);
    let other = fingerprints(folder.path(), "b.yaml");
    assert!(other.iter().all(|fingerprint| !before.contains(fingerprint)));
}

#[test]
fn equal_findings_of_a_file_have_fingerprints_of_their_own() {
    let one = "ArtifactType: Model\nSource: {SourceUri: s3://lake/1}\nProperties: {rows: 3}\n";
    let two = one.replace("lake/1", "lake/2");
    let folder = folder(&[("a.yaml", one)]);
    let alone = fingerprints(folder.path(), "a.yaml");
    write(&folder.path().join("a.yaml"), format!("{one}---\n{two}"));
    let both = fingerprints(folder.path(), "a.yaml");
    assert_eq!((alone.len(), both.len()), (1, 2));
    assert_eq!(alone[0], both[0]);
    // Both stand at one place: an artifact that lacks two fields.
    write(&folder.path().join("a.yaml"), "ArtifactName: a\n");
    let missing = fingerprints(folder.path(), "a.yaml");
    write(&folder.path().join("a.yaml"), "ArtifactName: a\nArtifactType: Model\n");
    assert_eq!(fingerprints(folder.path(), "a.yaml"), missing[1..]);
}

#[test]
fn no_report_holds_a_credential() {
    let text = "ArtifactName: a\nArtifactType: Model\nSource: {SourceUri: 'https://u:hunter2@h/p'}\n\
                Properties:\n  db_password: 'swordfish '\n  url: AKIAIOSFODNN7EXAMPLE\n";
    let folder = folder(&[("a.yaml", text)]);
    for format in ["sarif", "github", "junit", "gitlab"] {
        let ran = run(folder.path(), &["lint", "a.yaml", "--format", format]);
        assert!(ran.out.contains("credential"), "{}", ran.out);
        for secret in ["hunter2", "swordfish", "AKIAIOSFODNN7EXAMPLE"] {
            assert!(!ran.out.contains(secret), "{format} shows {secret}: {}", ran.out);
        }
    }
    // Nor can one be found out by trying: another one has the same fingerprint.
    let before = fingerprints(folder.path(), "a.yaml");
    write(&folder.path().join("a.yaml"), text.replace("hunter2", "tr0ub4dor"));
    assert_eq!(fingerprints(folder.path(), "a.yaml"), before);
}

#[test]
fn github_gets_ten_of_a_kind_and_the_step_summary_the_rest() {
    let folder = folder(&[("summary.md", "before\n")]);
    errors_and_warnings(folder.path(), 13, 12);
    let summary = folder.path().join("summary.md");
    let args = ["lint", "m", "--format", "github"];
    let ran = run_in_actions(folder.path(), &args, Some(&summary));
    let count = |text: &str, head: &str| text.lines().filter(|l| l.starts_with(head)).count();
    assert_eq!((count(&ran.out, "::error "), count(&ran.out, "::warning ")), (10, 10));
    assert_eq!(ran.out.lines().count(), 20);
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("step_summary", fs::read_to_string(&summary).unwrap());
    });

    let ran = run_in_actions(folder.path(), &args, None);
    assert_eq!((count(&ran.out, "::error "), count(&ran.out, "::warning ")), (10, 10));
    insta::assert_snapshot!(ran.out.lines().last().unwrap(), @"::notice title=lineload::5 more findings: GitHub shows 10 errors and 10 warnings per step, and there is no step summary to write the rest to");

    // A file takes what standard output would have.
    let args = ["lint", "m", "--output", "github=out"];
    let ran = run_in_actions(folder.path(), &args, Some(&summary));
    assert_eq!((count(&ran.out, "::error "), count(&ran.out, "::warning ")), (0, 0));
    let out = fs::read_to_string(folder.path().join("out")).unwrap();
    assert_eq!((count(&out, "::error "), count(&out, "::warning ")), (10, 10));
    assert_eq!(fs::read_to_string(&summary).unwrap().matches("### lineload").count(), 2);
}

#[test]
fn the_step_summary_is_never_longer_than_github_takes() {
    let folder = folder(&[("full.md", &"x".repeat((1 << 20) - 100)), ("summary.md", "")]);
    for file in 0..4 {
        let bad = |at: usize| {
            let name = format!("'a_{}{at}'", "<&>|".repeat(40));
            artifact(at).replacen(&format!("a{at}"), &name, 1)
        };
        let text: Vec<_> = (file * 2000..file * 2000 + 2000).map(bad).collect();
        write(&folder.path().join(format!("m/{file}.yaml")), text.join("---\n"));
    }
    let summary = folder.path().join("summary.md");
    let ran = run_in_actions(folder.path(), &["lint", "m"], Some(&summary));
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.len() <= 1 << 20 && text.len() > 1_000_000, "{}", text.len());
    let rows = text.lines().filter(|line| line.starts_with("| error |")).count();
    let last = text.lines().last().unwrap();
    let more = last.split(' ').next().unwrap().replace(',', "");
    let found = text.lines().find_map(|line| line.strip_prefix("### lineload: ")).unwrap();
    let found = found.split(' ').next().unwrap().replace(',', "");
    let number = |text: String| text.parse::<usize>().unwrap();
    assert_eq!(number(more) + rows + 10, number(found), "{last}");

    // A summary that others have filled is left alone.
    let full = folder.path().join("full.md");
    let ran = run_in_actions(folder.path(), &["lint", "m"], Some(&full));
    assert!(ran.out.lines().last().unwrap().starts_with("::notice "), "{}", ran.out);
    assert_eq!(fs::metadata(&full).unwrap().len(), (1 << 20) - 100);
}

#[test]
fn github_actions_add_annotations_and_replace_nothing() {
    let folder = faults();
    let here = run(folder.path(), &["lint", "m", "--all"]);
    let there = run_in_actions(folder.path(), &["lint", "m", "--all"], None);
    assert_eq!((there.code, there.err.as_str()), (here.code, ""));
    // Nothing that a manifest says is taken for a command: a word that nobody can guess ends the
    // lines that show it.
    let (word, rest) =
        there.out.strip_prefix("::stop-commands::").unwrap().split_once('\n').unwrap();
    assert_eq!(word.len(), 36);
    let (human, added) = rest.split_once(&format!("::{word}::\n")).unwrap();
    assert_eq!(timeless(human), timeless(&here.out));
    let asked = run(folder.path(), &["lint", "m", "--format", "github"]);
    assert_eq!(added, asked.out);
    // A program that reads standard output gets what it asked for.
    for format in ["short", "json", "github"] {
        let args = ["lint", "m", "--format", format];
        assert_eq!(run_in_actions(folder.path(), &args, None).out, run(folder.path(), &args).out);
    }
    let good = folder.path().join("good");
    write(&good.join("m/a.yaml"), artifact(1));
    let ran = run_in_actions(&good, &["lint", "m"], None);
    insta::assert_snapshot!(timeless(&ran.out), @"1 file, 1 artifact: nothing found");
}

#[test]
fn reports_keep_to_the_limits_of_their_readers_and_errors_go_first() {
    let folder = folder(&[]);
    let warnings: Vec<_> = (0..2000).map(|at| artifact(at).replace("DataSet", "dataset")).collect();
    write(&folder.path().join("m/0.yaml"), warnings.join("---\n"));
    for file in 1..4 {
        // Each document lacks a type and a source, and has a name that is used twice and not valid:
        // ten thousand findings of a file are kept.
        write(
            &folder.path().join(format!("m/{file}.yaml")),
            "ArtifactName: a_b\n---\n".repeat(2800),
        );
    }
    let args = ["lint", "m", "--format", "sarif", "--output", "junit=out.xml"];
    let ran = run(folder.path(), &args);
    let log = sarif(&ran.out);
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 25_000);
    assert!(results.iter().all(|result| result["level"] == "error"));
    let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notification["level"], "warning");
    assert_eq!(
        notification["message"]["text"],
        "5,000 errors and 2,003 warnings omitted: code scanning accepts at most 25,000 results per run"
    );
    let junit = fs::read_to_string(folder.path().join("out.xml")).unwrap();
    assert_eq!(junit.matches("<testcase ").count(), 25_001);
    assert!(junit.len() < 30 << 20, "{}", junit.len());
    assert!(junit.contains("7,003 more findings omitted: JUnit readers reject larger reports"));
    // Below the limit nothing is left out, and nothing says so.
    let few = self::run(folder.path(), &["lint", "m/0.yaml", "--format", "sarif"]);
    let log = sarif(&few.out);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 2000);
    let invocation = serde_json::json!({ "executionSuccessful": true });
    assert_eq!(log["runs"][0]["invocations"], serde_json::json!([invocation]));
}

#[test]
fn junit_fails_where_the_command_does_and_names_cases_without_their_lines() {
    let text = artifact(1).replace("DataSet", "dataset") + "Properties: {a: 1, b: 2}\n";
    let folder = folder(&[("m.yaml", &text)]);
    let junit = |args: &[&str]| {
        let ran = run(folder.path(), &[&["lint", "m.yaml", "--format", "junit"], args].concat());
        let names: Vec<_> = ran
            .out
            .lines()
            .filter_map(|line| line.trim().strip_prefix("<testcase name=\"")?.split_once('"'))
            .map(|(name, _)| name.to_owned())
            .collect();
        (names, ran.out)
    };
    let (names, out) = junit(&[]);
    assert_eq!(out.matches("<failure ").count(), 2, "{out}");
    assert!(out.contains("tests=\"3\" failures=\"2\""), "{out}");
    assert!(out.contains("<system-out>m.yaml:2:15: warning[type-case]: "), "{out}");
    let (_, strict) = junit(&["--fail-on", "warning"]);
    assert!(strict.contains("tests=\"3\" failures=\"3\""), "{strict}");
    let apart: BTreeSet<_> = names.iter().collect();
    assert_eq!(apart.len(), 3, "{names:?}");
    write(&folder.path().join("m.yaml"), format!("# a line more\n\n{text}"));
    assert_eq!(junit(&[]).0, names);
    // Equal findings of a file are numbered.
    let twice = format!("{text}---\n{}", text.replace("a1", "a2").replace("bucket/1", "bucket/2"));
    write(&folder.path().join("m.yaml"), twice);
    let (names, _) = junit(&[]);
    assert_eq!(names.len(), 6);
    assert!(names[5].ends_with(" (2)"), "{names:?}");
}
