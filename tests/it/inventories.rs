//! Inventories as their own tools write them (`tests/interop/inventories.py`), with the templates that
//! lineload has for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ran, folder, lineload, root, run, run_with_input, write};

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/inventories").join(name)
}

/// A directory with a copy of `name`, which no repository is around.
fn copy(name: &str) -> tempfile::TempDir {
    let copy = folder(&[]);
    for entry in walkdir::WalkDir::new(fixture(name)) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(fixture(name)).unwrap();
            let below = if below.as_os_str().is_empty() { Path::new(name) } else { below };
            write(&copy.path().join(below), fs::read(entry.path()).unwrap());
        }
    }
    copy
}

fn generate(folder: &Path, args: &[&str]) -> Ran {
    run(folder, &[&["generate"], args].concat())
}

/// The manifests that the template of the source makes of `inventory`, which `lint` accepts.
fn manifests(folder: &Path, args: &[&str]) -> String {
    let ran = generate(folder, &[args, &["-o", "-", "--fail-on", "warning"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    if !ran.out.is_empty() {
        let linted = run_with_input(folder, &["lint", "-", "--fail-on", "warning"], &ran.out);
        assert_eq!(linted.code, 0, "{linted:?}");
    }
    // What `--init` prints is the same template.
    let first = generate(folder, &[&["--init"], args].concat());
    assert_eq!(first.code, 0, "{first:?}");
    write(&folder.join("first.yaml"), &first.out);
    let again = generate(folder, &[args, &["-o", "-", "-t", "first.yaml"]].concat());
    assert_eq!(again.out, ran.out);
    ran.out
}

#[test]
fn listings_of_aws_become_manifests() {
    let of = |name: &str, args: &[&str]| manifests(copy(name).path(), &[&[name], args].concat());
    insta::assert_snapshot!("s3-objects", of("s3-objects.json", &["--var", "bucket=example-lake"]));
    let group = ["--var", "bucket=example-lake", "--group", "{{ row.Key | parent(2) }}"];
    insta::assert_snapshot!("s3-objects-groups", of("s3-objects.json", &group));
    insta::assert_snapshot!("glue-tables", of("glue-tables.json", &[]));
    insta::assert_snapshot!("sagemaker-models", of("sagemaker-models.json", &[]));
    insta::assert_snapshot!("sagemaker-model", of("sagemaker-model.json", &[]));
    insta::assert_snapshot!("ecr-images", of("ecr-images.json", &["--var", "region=eu-central-1"]));
}

#[test]
fn metadata_of_data_and_runs_becomes_manifests() {
    let of = |name: &str, args: &[&str]| manifests(copy(name).path(), &[&[name], args].concat());
    insta::assert_snapshot!("mlflow-runs", of("mlflow-runs.json", &[]));
    insta::assert_snapshot!("mlflow-runs-csv", of("mlflow-runs.csv", &[]));
    insta::assert_snapshot!("croissant", of("croissant.json", &[]));
    let base = ["--var", "base=https://data.example.com/shop/"];
    insta::assert_snapshot!("datapackage", of("datapackage.json", &base));
}

#[test]
fn several_answers_one_behind_the_other_are_rows() {
    let text = fs::read_to_string(fixture("sagemaker-model.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let one = value.to_string();
    let other = one.replace("churn/1", "churn/2").replace("Version\":1", "Version\":2");
    let folder = folder(&[("models.jsonl", &format!("{one}\n{other}\n"))]);
    let text = manifests(folder.path(), &["models.jsonl"]);
    assert_eq!(text.matches("ArtifactType: Model").count(), 2, "{text}");
    assert!(text.contains("SourceUri: s3://example-models/churn/2/model.tar.gz"), "{text}");
}

#[test]
fn outputs_of_dvc_become_manifests_with_their_places_in_the_remote() {
    insta::assert_snapshot!("dvc", manifests(copy("dvc/churn").path(), &["."]));
    insta::assert_snapshot!("dvc-versions", manifests(copy("dvc/versions").path(), &["."]));
    // What another repository holds is no artifact of this one.
    let reports = copy("dvc/reports");
    assert_eq!(manifests(reports.path(), &["."]), "");
    let ran = generate(reports.path(), &["."]);
    assert!(ran.err.contains("1 row, 1 left out by `$when`: 0 artifacts"), "{ran:?}");
}

#[test]
fn a_part_of_a_dvc_repository_is_named_as_in_the_whole() {
    let churn = copy("dvc/churn");
    let whole = manifests(churn.path(), &["."]);
    let labels = manifests(churn.path(), &["data/labels.csv.dvc"]);
    assert!(whole.contains(&labels) && labels.contains("Path: data/labels.csv\n"), "{labels}");
    let data = manifests(churn.path(), &["data"]);
    assert!(whole.starts_with(&data) && data.contains("Path: data/raw\n"), "{data}");
}

#[test]
fn a_dvc_repository_without_a_remote_needs_one_or_a_template() {
    let churn = copy("dvc/churn");
    write(&churn.path().join(".dvc/config"), "");
    let ran = generate(churn.path(), &["."]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`.dvc/config` names no remote"), "{}", ran.err);
    assert!(ran.err.contains("dvc remote add --default"), "{}", ran.err);
    let template = "ArtifactName: '{{ row.path | artifact_name }}'\nArtifactType: DataSet\n\
                    Source: {SourceUri: 'https://data.example.com/{{ row.path }}'}\n";
    write(&churn.path().join("t.yaml"), template);
    let ran = generate(churn.path(), &[".", "-t", "t.yaml", "-o", "-"]);
    assert_eq!((ran.code, ran.out.matches("ArtifactName").count()), (0, 4), "{ran:?}");
}

#[test]
fn faults_of_dvc_files_are_shown_in_them() {
    let churn = copy("dvc/churn");
    let labels = churn.path().join("data/labels.csv.dvc");
    let text = fs::read_to_string(&labels).unwrap();
    write(&labels, text.replace("d90d8d8b", "d90d8d8x"));
    write(&churn.path().join("merge.dvc"), "outs:\n<<<<<<< HEAD\n- md5: 1\n=======\n");
    write(&churn.path().join("number.dvc"), "outs:\n- md5: 12\n  path: x\n");
    let ran = generate(churn.path(), &[".", "--format", "short"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    insta::assert_snapshot!("dvc-faults", ran.out);
    let ran = generate(churn.path(), &[".", "--invalid", "fix.csv"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("`--invalid` cannot be used"), "{}", ran.err);
}

#[test]
fn commits_are_those_of_the_files_and_no_credential_of_the_remote_is_used() {
    let churn = copy("dvc/churn");
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(churn.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let identity = ["-c", "user.name=Example", "-c", "user.email=example@example.com"];
        let output = command.args(identity).args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q"]);
    git(&["remote", "add", "origin", "https://me:secret@git.example.com/team/churn.git"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let first = git(&["rev-parse", "HEAD"]);
    let lock = churn.path().join("dvc.lock");
    write(&lock, fs::read_to_string(&lock).unwrap() + "\n");
    git(&["commit", "-qam", "two"]);
    let second = git(&["rev-parse", "HEAD"]);
    let raw = churn.path().join("data/raw.dvc");
    write(&raw, fs::read_to_string(&raw).unwrap() + "\n");
    let mut generate = lineload(churn.path());
    generate.env("PATH", std::env::var_os("PATH").unwrap());
    let output = generate.args(["generate", ".", "-o", "-"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let commit = |path: &str| {
        let document = text.split("---\n").find(|one| one.contains(&format!("Path: {path}\n")));
        let found = document.unwrap().split("CommitId: ").nth(1)?;
        Some(found.lines().next().unwrap().trim_matches('"').to_owned())
    };
    assert_eq!(commit("data/labels.csv"), Some(first));
    assert_eq!(commit("model.json"), Some(second));
    assert_eq!(commit("data/raw"), None, "its change is not committed");
    assert!(text.contains("Repository: https://git.example.com/team/churn.git\n"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_tree_of_manifests_is_checked_in_its_repository() {
    let churn = copy("dvc/churn");
    let out = |more: &[&str]| {
        let args =
            [&[".", "-o", "manifests", "--file", "{{ row.path | artifact_name }}.yaml"], more];
        generate(churn.path(), &args.concat())
    };
    assert_eq!(out(&[]).code, 0);
    assert_eq!(out(&["--check"]).code, 0);
    let raw = churn.path().join("data/raw.dvc");
    let text = fs::read_to_string(&raw).unwrap();
    write(&raw, text.replace("ec3dcc3b", "00000000").replace("size: 63", "size: 64"));
    let ran = out(&["--check"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("data-raw.yaml"), "{}", ran.err);
    assert_eq!(out(&["--update"]).code, 0);
    assert_eq!(out(&["--check"]).code, 0);
}
