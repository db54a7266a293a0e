//! Exports, from what a registry holds to manifests, and back.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::scripted::{Scripted, http};
use crate::support::{Ran, Served, folder, lineload, root, run, timeless, with_keys};

/// An export from a served registry, with what AWS clients have in their environment.
fn command(folder: &Path, served: &Served) -> Command {
    let mut command = lineload(folder);
    command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    command.args(["export", "--region", "eu-west-1", "--endpoint-url", &served.endpoint]);
    command
}

fn export(folder: &Path, served: &Served, args: &[&str]) -> Ran {
    command(folder, served).args(args).output().unwrap().into()
}

/// Creates `count` artifacts of each type.
fn fill(served: &Served, types: &[&str], count: usize) {
    for artifact_type in types {
        for at in 0..count {
            let input = json!({
                "ArtifactName": format!("{artifact_type}-{at}"),
                "ArtifactType": artifact_type,
                "Source": { "SourceUri": format!("s3://lake/{artifact_type}/{at}") },
                "Tags": [{ "Key": "team", "Value": "a" }],
            });
            assert_eq!(served.ask("CreateArtifact", &input).0, 200);
        }
    }
}

/// Every file below `folder`, with its text.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = files.filter(|file| file.file_type().is_file()).map(|file| {
        let name = file.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(file.path()).unwrap())
    });
    files.collect()
}

#[test]
fn an_export_lints_with_nothing_and_imports_to_the_same_again() {
    let manifests = root().join("manifests");
    let first = folder(&[]);
    let ran = run(first.path(), &["import", manifests.to_str().unwrap(), "--local", "-q"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(first.path(), &["export", "--local", "-o", "snap"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let snap = tree(&first.path().join("snap"));
    let count = snap.len();
    assert!(count >= 200);
    let closing =
        format!("{count} artifacts in {count} files in snap: 0 filtered out, 0 skipped\n");
    assert_eq!(timeless(&ran.out), closing);

    let ran = run(first.path(), &["lint", "snap"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let clean = format!("{count} files, {count} artifacts: nothing found\n");
    assert_eq!(timeless(&ran.out), clean);

    let second = folder(&[]);
    let snapshot = first.path().join("snap");
    let ran = run(second.path(), &["import", snapshot.to_str().unwrap(), "--local", "-q"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(second.path(), &["export", "--local", "-o", "snap"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(tree(&second.path().join("snap")), snap);
}

#[test]
fn what_is_wanted_goes_into_as_many_files_as_are_asked_for() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    fill(&served, &["DataSet", "Model", "Image"], 5);
    let args = ["-o", "a", "--rate", "unlimited", "--type", "Model", "--per-file", "2"];
    let ran = export(folder.path(), &served, &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let a = tree(&folder.path().join("a"));
    let files: Vec<_> = a.keys().collect();
    assert_eq!(files, ["Model/0001.yaml", "Model/0002.yaml", "Model/0003.yaml"]);
    let document = |at: usize| {
        format!(
            "ArtifactName: Model-{at}\nArtifactType: Model\nSource:\n  SourceUri: \
             s3://lake/Model/{at}\n\
             Tags:\n- Key: team\n  Value: a\n"
        )
    };
    assert_eq!(a["Model/0001.yaml"], format!("{}---\n{}", document(0), document(1)));
    assert_eq!(a["Model/0003.yaml"], document(4));

    let args = ["-o", "b", "--rate", "unlimited", "--per-file", "0", "--uri-prefix"];
    let more = ["s3://lake/DataSet/1", "--uri-prefix", "s3://lake/Image/"];
    let ran = export(folder.path(), &served, &[&args[..], &more[..]].concat());
    assert_eq!(timeless(&ran.out), "6 artifacts in 2 files in b: 9 filtered out, 0 skipped\n");
    let files: Vec<_> = tree(&folder.path().join("b")).into_keys().collect();
    assert_eq!(files, ["DataSet.yaml", "Image.yaml"]);
}

#[test]
fn a_directory_that_is_not_empty_is_refused_unless_forced() {
    let folder = folder(&[("snap/notes.txt", "mine"), ("snap/Model/Model-0.yaml", "old")]);
    let served = Served::start(folder.path(), &[]);
    fill(&served, &["Model"], 2);
    let before = tree(&folder.path().join("snap"));
    let ran = export(folder.path(), &served, &["-o", "snap"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("`snap` is not empty") && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(tree(&folder.path().join("snap")), before);
    let ran = export(folder.path(), &served, &["-o", "snap", "--force", "--rate", "unlimited"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let after = tree(&folder.path().join("snap"));
    assert_eq!(after["notes.txt"], "mine");
    assert!(after["Model/Model-0.yaml"].starts_with("ArtifactName: Model-0\n"));
    assert_eq!(after.len(), 3);
}

#[test]
fn where_nothing_can_be_read_or_written_nothing_is_made() {
    let folder = folder(&[("file", "")]);
    let ran = run(folder.path(), &["export", "--local=missing.sqlite3", "-o", "snap"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("local registry `missing.sqlite3` not found"), "{}", ran.err);
    let ran = run(folder.path(), &["export", "-o", "snap"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--region") && ran.err.contains("--local"), "{}", ran.err);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");

    let served = Served::start(folder.path(), &[]);
    let ran = export(folder.path(), &served, &["-o", "file"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("`file` is not a directory"), "{}", ran.err);
    let ran = export(folder.path(), &served, &["-o", "file/snap"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("cannot write `file/snap`"), "{}", ran.err);
}

#[test]
fn a_disk_that_takes_no_more_stops_it_and_what_is_there_is_whole() {
    // A file where a folder should be is as good as a full disk, and can be had everywhere.
    let folder = folder(&[("snap/Model", "")]);
    let served = Served::start(folder.path(), &[]);
    fill(&served, &["Model"], 2);
    let args = ["-o", "snap", "--force", "--rate", "unlimited"];
    let ran = export(folder.path(), &served, &args);
    assert_eq!(ran.code, 2, "nothing was written: {ran:?}");
    fill(&served, &["DataSet"], 3);
    let ran = export(folder.path(), &served, &args);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("cannot write `snap/Model/Model-0.yaml`: "), "{}", ran.err);
    assert!(ran.err.contains("3 files written, each complete; run it again"), "{}", ran.err);
    assert_eq!(timeless(&ran.out), "3 artifacts in 3 files in snap: 0 filtered out, 0 skipped\n");
    assert_eq!(tree(&folder.path().join("snap")).len(), 4);
}

#[test]
fn faults_and_throttling_lose_nothing() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    fill(&served, &["DataSet"], 30);
    served.kill();
    let mut faults = vec!["--tps", "ListTags=40", "--tps", "DescribeArtifact=40"];
    for fault in ["error-500=0.1", "drop-before-commit=0.1", "garbage=0.1"] {
        faults.extend(["--fault", fault]);
    }
    let served = Served::start(folder.path(), &faults);
    let ran = export(folder.path(), &served, &["-o", "snap", "--rate", "unlimited"]);
    // Five lost answers in a row can happen, and are reported.
    let lost = 30 - tree(&folder.path().join("snap")).len();
    assert_eq!(ran.code, i32::from(lost > 0), "{ran:?}");
    assert!(timeless(&ran.out).ends_with(&format!(" {lost} skipped\n")), "{}", ran.out);
    assert!(lost < 5, "{ran:?}");
}

#[test]
fn what_lint_will_refuse_is_reported() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let input = json!({
        "ArtifactType": "Model",
        "Source": { "SourceUri": "s3://lake/x.bin" },
        "Properties": { "password": "hunter2" },
    });
    assert_eq!(served.ask("CreateArtifact", &input).0, 200);
    let ran = export(folder.path(), &served, &["-o", "snap", "--rate", "unlimited"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains("will refuse 1 artifact") && ran.err.contains("credential 1"),
        "{ran:?}"
    );
    assert!(!ran.err.contains("hunter2") && !ran.out.contains("hunter2"));
    let ran = run(folder.path(), &["lint", "snap/Model/x.bin.yaml"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("credential"), "{}", ran.out);
    // What reads a template is another command.
    let to = ["-o", "stack", "--to", "cloudformation", "--rate", "unlimited"];
    let ran = export(folder.path(), &served, &to);
    assert!(ran.err.contains("`lineload generate` will refuse 1 artifact"), "{ran:?}");
    assert!(!ran.err.contains("lint"), "{ran:?}");
    let ran = run(folder.path(), &["generate", "stack", "--from", "cloudformation"]);
    assert!(ran.code == 1 && ran.out.contains("credential"), "{ran:?}");
}

#[test]
fn a_signal_ends_it_with_whole_files_alone() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    fill(&served, &["DataSet"], 300);
    served.kill();
    let served = Served::start(folder.path(), &["--latency", "50"]);
    let mut command = command(folder.path(), &served);
    command.args(["-o", "snap", "--rate", "20"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // As soon as something is there.
    let written =
        || std::fs::read_dir(folder.path().join("snap/DataSet")).map_or(0, Iterator::count);
    while written() < 3 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 143, "{ran:?}");
    let files = tree(&folder.path().join("snap"));
    assert!(files.len() < 300, "{ran:?}");
    assert!(files.keys().all(|name| name.starts_with("DataSet/DataSet-")), "{files:?}");
    let ran = run(folder.path(), &["lint", "snap"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_target_that_refuses_every_request_is_reported_with_its_words() {
    let folder = folder(&[]);
    let off = "Signature expired: 20201127T114300Z is now earlier than 20201127T114500Z";
    for (code, message, said, help) in [
        ("InvalidSignatureException", off, "this machine's clock is", "help: set the clock"),
        ("ExpiredTokenException", "it is over", "ExpiredTokenException: it is over", "AWS_SESSION"),
    ] {
        let body = format!(r#"{{"__type":"{code}","message":"{message}"}}"#);
        let date = "date: Fri, 27 Nov 2020 11:50:00 GMT\r\n";
        let server = Scripted::always(http(403, date, &body));
        let args = ["export", "--region", "eu-west-1", "--endpoint-url", &server.url, "-o", code];
        let ran = with_keys(folder.path(), &[&args[..], &["--limit-patience", "1s"]].concat());
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.err.contains(said) && ran.err.contains(help), "{}", ran.err);
    }
}

#[test]
fn templates_of_cloudformation_come_back_as_the_same_resources() {
    let folder = folder(&[]);
    let path = folder.path();
    let from = root().join("tests/fixtures/inventories/cloudformation.json");
    let text = std::fs::read_to_string(from).unwrap();
    // So that no value needs a stack.
    let text = text.replace("{\n         \"Ref\": \"Reports\"\n        }", "\"reports\"");
    std::fs::write(path.join("stack.json"), &text).unwrap();
    let vars = ["--var", "region=eu-central-1", "--var", "account=123456789012", "-q"];
    let ran = run(path, &[&["generate", "stack.json", "-o", "manifests"], &vars[..]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(run(path, &["import", "--local", "-q"]).code, 0);
    let ran = run(path, &["export", "--local", "-o", "stack", "--to", "cloudformation"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert_eq!(timeless(&ran.out), "4 artifacts in 4 files in stack: 0 filtered out, 0 skipped\n");

    let resources: Vec<serde_json::Value> = tree(&path.join("stack"))
        .values()
        .flat_map(|text| {
            let template: serde_json::Value = serde_yaml::from_str(text).unwrap();
            template["Resources"].as_object().unwrap().clone().into_iter().map(|(_, one)| one)
        })
        .collect();
    let given: serde_json::Value = serde_json::from_str(&text).unwrap();
    let training_set = &given["Resources"]["TrainingSet"];
    assert!(resources.contains(training_set), "{resources:#?}");
    let model = json!({"Type": "AWS::SageMaker::Artifact", "Properties": {
        "ArtifactName": "churn-prod", "ArtifactType": "Model",
        "Source": {"SourceUri": "s3://example-models-eu-central-1/churn/1/model.tar.gz"},
    }});
    assert!(resources.contains(&model), "{resources:#?}");

    // And once more, from the templates that were exported.
    let again = ["generate", "stack", "--from", "cloudformation", "-o", "again", "-q"];
    assert_eq!(run(path, &again).code, 0);
    assert_eq!(run(path, &["import", "again", "--local=other.sqlite3", "-q"]).code, 0);
    let to = ["--to", "cloudformation", "-q"];
    let ran = run(path, &[&["export", "--local=other.sqlite3", "-o", "second"], &to[..]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(tree(&path.join("second")), tree(&path.join("stack")));
    let more = ["export", "--local", "-o", "third", "--to", "cloudformation", "--per-file", "501"];
    let ran = run(path, &more);
    assert!(ran.code == 2 && ran.err.contains("at most 500 resources"), "{ran:?}");
}
