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
fn answers_one_behind_the_other_are_one_inventory() {
    let copy = copy("glue-tables.json");
    let text = fs::read_to_string(fixture("glue-tables.json")).unwrap();
    let one = generate(copy.path(), &["glue-tables.json", "-o", "-"]).out;
    assert_eq!(one.matches("ArtifactName").count(), 2, "{one}");
    let other = text.replace("lake", "archive");
    let on_a_line = |text: &str| {
        let answer: serde_json::Value = serde_json::from_str(text).unwrap();
        format!("{answer}\n")
    };
    for all in [format!("{text}\n{other}"), on_a_line(&text) + &on_a_line(&other)] {
        write(&copy.path().join("all.json"), &all);
        let ran = generate(copy.path(), &["all.json", "-o", "-"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.err.contains("6 rows, 2 left out by `$when`: 4 artifacts"), "{ran:?}");
        assert!(ran.out.starts_with(&one), "{ran:?}");
        let uris: Vec<_> = ran.out.lines().filter(|line| line.contains("SourceUri")).collect();
        assert_eq!(
            uris,
            [
                "  SourceUri: s3://example-lake/orders/",
                "  SourceUri: s3://example-lake/customers/",
                "  SourceUri: s3://example-archive/orders/",
                "  SourceUri: s3://example-archive/customers/"
            ]
        );
    }
    // What is broken behind an answer takes nothing from it.
    write(&copy.path().join("all.json"), format!("{text}{{]"));
    let args = ["all.json", "-o", "-", "--format", "short"];
    let ran = generate(copy.path(), &args);
    assert_eq!((ran.code, ran.out), (1, one));
    let place = format!("all.json:{}:", text.lines().count() + 1);
    assert!(
        ran.err.contains(&place) && ran.err.contains("invalid JSON: key must be"),
        "{}",
        ran.err
    );
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

/// The values that a stack would have.
const STACK: [&str; 4] = ["--var", "region=eu-central-1", "--var", "account=123456789012"];

#[test]
fn resources_of_cloudformation_become_manifests() {
    let of = |name: &str, more: &[&str]| {
        let copy = copy(name);
        let args = [&["generate", name, "--format", "short"], &STACK[..], more].concat();
        let ran =
            run(copy.path(), &[&args[..], &["-o", "-", "--findings", "short=found"]].concat());
        (ran.out, fs::read_to_string(copy.path().join("found")).unwrap(), ran.code)
    };
    let (manifests, found, code) = of("cloudformation.json", &[]);
    // A value that only the stack knows.
    assert_eq!(code, 1);
    insta::assert_snapshot!("cloudformation", manifests);
    insta::assert_snapshot!("cloudformation-found", found);
    let linted = run_with_input(&root(), &["lint", "-", "--fail-on", "warning"], &manifests);
    assert_eq!(linted.code, 0, "{linted:?}");
    let (of_yaml, found, code) = of("cloudformation.yaml", &[]);
    assert_eq!((of_yaml, code), (manifests, 1));
    insta::assert_snapshot!("cloudformation-yaml-found", found);
    // What is only in production is not there in a test.
    let (of_test, ..) = of("cloudformation.json", &["--var", "Stage=test"]);
    assert_eq!(of_test.matches("ArtifactName").count(), 2, "{of_test}");
}

#[test]
fn a_function_without_a_value_is_shown_at_its_place() {
    let template = "\
Parameters:
  Name: {Type: String}
  Secret: {Type: String, NoEcho: true, Default: hunter2}
  Bucket: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /lake/bucket}
  Parts: {Type: CommaDelimitedList, Default: 'a, b'}
  Year: {Type: Number, Default: 2026}
Mappings:
  Lakes: {eu-central-1: {Name: lake-eu}}
Conditions:
  Never: !Not [!Equals [!Ref Year, '2026']]
Resources:
  Good:
    Type: AWS::SageMaker::Artifact
    Properties:
      ArtifactName: !Join ['-', !Ref Parts]
      ArtifactType: !If [Never, Model, !Ref AWS::NoValue]
      Source: {SourceUri: !Sub ['s3://${Lake}/${!x}/${Year}', {Lake: !FindInMap [Lakes, !Ref 'AWS::Region', Name]}]}
      Properties: {Rows: 1.10, Part: !Select [1, !Ref Parts], Raw: true}
  Bad:
    Type: AWS::SageMaker::Artifact
    Properties:
      ArtifactName: !Ref Name
      ArtifactType: !Sub '${Secret}'
      Source:
        SourceUri: !Sub s3://${Bucket}/${AWS::AccountId}/${Lake.Arn}
      Properties:
        one: !GetAtt Lake.Arn
        two: '{{resolve:ssm:name}}'
        three: {'Fn::ImportValue': other}
      Owner: me
  'Fn::ForEach::Sets': [Name, [a, b], {}]
  Left:
    Type: AWS::SageMaker::Artifact
    Condition: Never
  Other:
    Type: AWS::S3::Bucket
";
    let folder = folder(&[("lake.template", template)]);
    let args = ["lake.template", "--var", "region=eu-central-1", "-o", "-"];
    let ran = generate(folder.path(), &[&args[..], &["--findings", "short=found"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    // Its type has no value: an artifact of the template is at fault, and not the template.
    assert_eq!(ran.out, "");
    insta::assert_snapshot!(fs::read_to_string(folder.path().join("found")).unwrap(), @r#"
    lake.template:13:5: error[no-value]: `row.ArtifactType` has no value in this row
    lake.template:17:15: warning[unfilled-template]: `SourceUri` contains the unfilled placeholder `${x}`
    lake.template:22:26: error[unresolved-function]: the parameter `Name` has no default
    lake.template:23:26: error[unresolved-function]: the parameter `Secret` is a secret (`NoEcho`)
    lake.template:25:25: error[unresolved-function]: `AWS::AccountId` is not set
    lake.template:25:25: error[unresolved-function]: the attribute `Lake.Arn` has no value outside of a stack
    lake.template:25:25: error[unresolved-function]: the parameter `Bucket` is read from SSM when a stack is made
    lake.template:27:22: error[unresolved-function]: `Fn::GetAtt` has no value outside of a stack
    lake.template:28:14: error[unresolved-function]: a dynamic reference has no value outside of a stack
    lake.template:29:36: error[unresolved-function]: `Fn::ImportValue` has no value outside of a stack
    lake.template:30:14: error[unknown-field]: unknown property `Owner` of `AWS::SageMaker::Artifact`
    lake.template:31:24: error[unresolved-function]: `Fn::ForEach::Sets` has no value outside of a stack
    "#);
    let fixed = template.replace("!Ref AWS::NoValue", "DataSet");
    write(&folder.path().join("lake.template"), fixed);
    let ran = generate(folder.path(), &args);
    assert_eq!(
        ran.out,
        "ArtifactName: a-b\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake-eu/${x}/2026\n\
         Properties:\n  Part: b\n  Raw: \"true\"\n  Rows: \"1.10\"\n"
    );
}

/// A fault of one property hides no fault of another, and decides no condition.
#[test]
fn each_function_without_a_value_is_shown_beside_others() {
    let template = "\
Conditions:
  Odd: !Equals [!Join ['', text], '']
Mappings: {}
Resources:
  One:
    Type: AWS::SageMaker::Artifact
    Properties:
      ArtifactName: !Ref Bucket
      ArtifactType: !If [Odd, DataSet, !Ref Nowhere]
      Source:
        SourceUri: !FindInMap [a, b, c]
      Properties:
        one: !Join [',', !Ref Table]
";
    let folder = folder(&[("lake.template", template)]);
    let ran = generate(folder.path(), &["lake.template", "--format", "short", "-q"]);
    insta::assert_snapshot!(ran.out, @r"
    lake.template:8:26: error[unresolved-function]: the resource `Bucket` has no value outside of a stack
    lake.template:9:26: error[unresolved-function]: `Fn::Join` has no value for these operands
    lake.template:11:31: error[unresolved-function]: `Fn::FindInMap` has no value for these operands
    lake.template:13:31: error[unresolved-function]: the resource `Table` has no value outside of a stack
    ");
}

/// No template of lineload's own cuts a text that the service takes, or leaves one that it does not.
#[test]
fn a_description_of_a_source_is_as_long_as_the_service_allows() {
    let description = "d".repeat(5000);
    let listing = format!(
        r#"{{"TableList": [{{"Name": "orders", "DatabaseName": "lake", "Description": "{description}",
        "StorageDescriptor": {{"Location": "s3://lake/orders/"}}}}]}}"#
    );
    let folder = folder(&[("tables.json", &listing)]);
    let ran = generate(folder.path(), &["tables.json", "-o", "-", "--fail-on", "warning", "-q"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let line = ran.out.lines().find_map(|line| line.trim().strip_prefix("Description: ")).unwrap();
    assert_eq!(line.chars().count(), 4096, "{line}");
    assert!(line.ends_with("dd…"), "{line}");
}

#[test]
fn templates_of_cloudformation_are_recognized_and_read_from_anywhere() {
    let text = fs::read_to_string(fixture("cloudformation.json")).unwrap();
    let text = text.replace("\"Ref\": \"Reports\"", "\"Ref\": \"Stage\"");
    let folder =
        folder(&[("a.txt", &text), ("stack/b.template.json", &text), ("stack/note.md", "")]);
    let one = generate(folder.path(), &[&["a.txt", "-o", "-"], &STACK[..]].concat());
    assert_eq!((one.code, one.out.matches("ArtifactName").count()), (0, 4), "{one:?}");
    let from = ["--from", "cloudformation", "-o", "-"];
    let args = [&["generate", "-"], &from[..], &STACK[..]].concat();
    assert_eq!(run_with_input(folder.path(), &args, &text).out, one.out);
    let args = [&["stack"], &from[..], &STACK[..]].concat();
    assert_eq!(generate(folder.path(), &args).out, one.out);
    write(&folder.path().join("empty/x"), "");
    let ran = generate(folder.path(), &["empty", "--from", "cloudformation"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("empty has no CloudFormation template"), "{}", ran.err);
    for (text, said) in [
        ("Resources: [", "not a CloudFormation template: "),
        ("{\"Resources\": }", "invalid JSON: expected value"),
        ("a: 1", "it has no `Resources`"),
        (
            "Resources: {a: {Type: AWS::S3::Bucket}}",
            "no `AWS::SageMaker::Artifact` among 1 resource",
        ),
    ] {
        write(&folder.path().join("x.yaml"), text);
        let ran =
            generate(folder.path(), &["x.yaml", "--from", "cloudformation", "--format", "short"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.out.starts_with("x.yaml:1:") && ran.out.contains(said), "{ran:?}");
    }
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
