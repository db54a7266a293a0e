//! Tests of the output and the exit code of `lint`.

use serde_json::Value;

use crate::support::{artifact, folder, manifests, root, run, run_with_input, timeless, write};

const EVERY: [&str; 7] = ["human", "short", "json", "sarif", "github", "junit", "gitlab"];

#[test]
fn output_is_the_same_whatever_the_number_of_threads() {
    let folder = folder(&[]);
    for at in 0..400 {
        let text = match at % 5 {
            0 => artifact(at / 2),
            1 => format!("{}Tags: [{{Key: 'a#', Value: b}}]\n", artifact(at)),
            2 => format!("- {}\n- [\n", artifact(at).replace('\n', "\n  ").trim_end()),
            3 => format!("{}---\nArtifactName: \"x\n---\n{}", artifact(at), artifact(at + 10_000)),
            _ => artifact(at),
        };
        write(&folder.path().join(format!("manifests/{}/{at}.yaml", at % 7)), text);
    }
    // A file that is cut into parts.
    let many: Vec<_> = (0..6000).map(|at| artifact(at + 100_000 - at % 999)).collect();
    write(&folder.path().join("manifests/many.yaml"), many.join("---\n"));
    let outputs: Vec<_> = EVERY.iter().map(|format| format!("{format}=out.{format}")).collect();
    let reports = |threads: &str| {
        let mut args = vec!["lint", "--threads", threads];
        args.extend(outputs.iter().flat_map(|output| ["--output", output]));
        let ran = run(folder.path(), &args);
        assert_eq!(ran.code, 1);
        EVERY.map(|format| {
            let file = folder.path().join(format!("out.{format}"));
            (format, timeless(&std::fs::read_to_string(file).unwrap()))
        })
    };
    let one = reports("1");
    for threads in ["2", "7"] {
        for ((format, one), (_, more)) in one.iter().zip(reports(threads)) {
            assert!(*one == more, "{format} with {threads} threads");
        }
    }
}

#[test]
fn short_is_one_line_a_finding() {
    let folder = folder(&[("a.yaml", "ArtifactName: a_b\nArtifactType: 1\nSource: x\n")]);
    let ran = run(folder.path(), &["lint", "a.yaml", "--format", "short"]);
    insta::assert_snapshot!(ran.out, @r"
    a.yaml:1:16: error[name-pattern]: a name cannot contain `_`
    a.yaml:2:15: error[not-a-string]: `ArtifactType` is a number; the service accepts only strings
    a.yaml:3:9: error[wrong-kind]: `Source` is a scalar; expected a mapping
    ");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
}

#[test]
fn json_has_the_shape_that_is_promised() {
    let text = "\u{FEFF}ArtifactName: é_\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake\n";
    let folder = folder(&[("a.yaml", text), ("b.yaml", &text.replace("é_", "b"))]);
    let ran = run(folder.path(), &["lint", ".", "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(
        json["summary"],
        serde_json::json!({"files": 2, "artifacts": 2, "valid": 0, "errors": 2, "warnings": 0})
    );
    let first = &json["diagnostics"][0];
    assert_eq!(first["code"], "name-pattern");
    assert_eq!(first["severity"], "error");
    assert_eq!((&first["file"], &first["artifact"]), (&"a.yaml".into(), &0.into()));
    assert_eq!(first["path"], "/ArtifactName");
    // A mark counts in offsets and not in columns; columns are characters.
    assert_eq!(first["span"]["start"], serde_json::json!({"line": 1, "column": 15, "offset": 17}));
    assert_eq!(first["span"]["end"], serde_json::json!({"line": 1, "column": 17, "offset": 20}));
    assert_eq!(first["fix"], Value::Null);
    let second = &json["diagnostics"][1];
    assert_eq!((&second["code"], &second["file"]), (&"duplicate-source".into(), &"b.yaml".into()));
    assert_eq!(second["related"][0]["file"], "a.yaml");
    assert_eq!(second["related"][0]["span"]["start"]["line"], 4);
}

#[test]
fn formats_are_valid_when_nothing_is_found() {
    let folder = folder(&[("a.yaml", &artifact(1))]);
    let ran = run(folder.path(), &["lint", "a.yaml", "--format", "json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["diagnostics"], serde_json::json!([]));
    let ran = run(folder.path(), &["lint", "a.yaml", "--format", "short"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    let ran = run(folder.path(), &["lint", "a.yaml", "-q"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn standard_input_is_read_once_and_named() {
    let folder = folder(&[]);
    let args = ["lint", "-", "-", "--stdin-filename", "m/x.yaml", "--format", "short"];
    let ran = run_with_input(folder.path(), &args, "ArtifactType: DataSet\n");
    assert_eq!(ran.out, "m/x.yaml:1:1: error[missing-field]: missing field `Source`\n");
    let ran = run_with_input(folder.path(), &["lint", "-"], "ArtifactType: DataSet\n");
    assert!(ran.out.contains("[<stdin>:1:1]"), "{}", ran.out);
}

#[test]
fn no_manifest_is_no_success() {
    let folder = folder(&[("empty/x.txt", "")]);
    let ran = run(folder.path(), &["lint"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no manifests found in `manifests`"), "{}", ran.err);
    let ran = run(folder.path(), &["lint", "empty"]);
    assert_eq!(ran.code, 2);
    let ran = run(folder.path(), &["lint", "--nonsense"]);
    assert_eq!(ran.code, 2);
}

#[test]
fn a_path_that_is_not_there_does_not_stop_the_others() {
    let folder = folder(&[("a.yaml", "ArtifactName: a_b\n")]);
    let ran = run(folder.path(), &["lint", "gone.yaml", "a.yaml", "--format", "short"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("gone.yaml: error[path-unreadable]"), "{}", ran.out);
    assert!(ran.out.contains("a.yaml:1:16: error[name-pattern]"), "{}", ran.out);
}

#[test]
fn many_findings_become_a_table_and_the_command_that_shows_them_all() {
    let folder = folder(&[]);
    for at in 0..60 {
        let text = artifact(at).replace("DataSet", "1").replace(&format!("a{at}"), "a_b");
        write(&folder.path().join(format!("m/{}/{at}.yaml", at % 10)), text);
    }
    let ran = run(folder.path(), &["lint", "m"]);
    assert_eq!(ran.out.matches("× name-pattern").count(), 3);
    assert_eq!(ran.out.matches("× not-a-string").count(), 3);
    assert!(ran.out.contains("`lineload lint m --all` shows them all"), "{}", ran.out);
    assert!(ran.out.contains("  not-a-string          60      60"), "{}", ran.out);
    assert!(ran.out.contains("m/3"), "{}", ran.out);
    let ran = run(folder.path(), &["lint", "m", "--all"]);
    assert_eq!(ran.out.matches("× not-a-string").count(), 60);
}

#[test]
fn colours_come_and_go_as_they_are_asked_for() {
    let folder = folder(&[("a.yaml", "ArtifactName: a_b\n")]);
    assert!(!run(folder.path(), &["lint", "a.yaml"]).out.contains('\u{1b}'));
    let ran = run(folder.path(), &["lint", "a.yaml", "--color", "always"]);
    assert!(ran.out.contains("\u{1b}["));
}

/// Checks that no text of a manifest acts on a terminal, in whatever format.
#[test]
fn no_control_character_of_a_manifest_reaches_the_terminal() {
    let evil = "ArtifactName: \"\\e[2J\\a\u{202e}x\"\n\"\\e]0;t\\a\": \u{9b}1\nSource: \
                {SourceUri: \"a\\rb\"}\n";
    let folder = folder(&[("a.yaml", evil), ("m\u{1b}[31m\u{9b}1.yaml", "ArtifactName: a_b\n")]);
    for format in EVERY {
        let ran = run(folder.path(), &["lint", ".", "--format", format]);
        assert_eq!(ran.code, 1);
        let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.out.contains(raw), "{format}: {:?}", ran.out);
    }
}

#[test]
fn a_reader_that_goes_away_and_a_full_disk_are_no_panic() {
    let folder = folder(&[]);
    manifests(folder.path(), 200);
    write(&folder.path().join("manifests/bad.yaml"), "ArtifactName: a_b\n---\n".repeat(3000));
    let mut command = crate::support::lineload(folder.path());
    let mut child = command
        .args(["lint", "--all"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");

    #[cfg(target_os = "linux")]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = crate::support::lineload(folder.path());
        let output = command.args(["lint", "--all"]).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("cannot write the output: no space left on device"), "{said}");
    }
}

#[test]
fn the_projects_own_manifests_are_right_and_many() {
    let ran = run(
        &root(),
        &["lint", "manifests", "manifests/examples/artifact.json", "--format", "json"],
    );
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["diagnostics"], serde_json::json!([]));
    assert!(json["summary"]["artifacts"].as_u64() >= Some(200), "{}", json["summary"]);
}
