//! `generate --check` in a git repository, as CI runs it.

use std::process::Command;

use super::*;

fn git(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.args(["-c", "user.name=Example", "-c", "user.email=example@example.com"]);
    let output = command.args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A repository with an inventory and the manifests of it.
fn repository() -> tempfile::TempDir {
    let folder = example();
    git(folder.path(), &["init", "-q"]);
    assert_eq!(generate(folder.path(), &with(&["-o", "out", "--per-file", "2"])).code, 0);
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-qm", "manifests"]);
    folder
}

#[test]
fn a_check_fails_after_a_change_of_the_inventory_or_of_a_manifest_and_changes_nothing() {
    let folder = repository();
    let path = folder.path();
    let make = |more: &[&str]| {
        let args = [&["-o", "out", "--per-file", "2"], more].concat();
        generate(path, &with(&args))
    };
    let changed = || git(path, &["status", "--porcelain"]);
    assert_eq!((make(&["--check"]).code, changed().as_str()), (0, ""));

    write(&path.join("inventory.csv"), INVENTORY.replace("All orders", "Orders"));
    let ran = make(&["--check"]);
    assert_eq!((ran.code, changed().as_str()), (1, " M inventory.csv\n"), "{ran:?}");
    assert!(ran.err.contains("1 file out of date: 0001.yaml"), "{ran:?}");
    assert_eq!(make(&["--update"]).code, 0);
    assert_eq!(
        (make(&["--check"]).code, changed().as_str()),
        (0, " M inventory.csv\n M out/0001.yaml\n")
    );
    git(path, &["commit", "-qam", "orders"]);

    // An edit by hand is found, and kept until somebody insists.
    let manifest = path.join("out/0002.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    write(&manifest, text.replace("ArtifactName: empty", "ArtifactName: full"));
    let ran = make(&["--check"]);
    assert_eq!((ran.code, changed().as_str()), (1, " M out/0002.yaml\n"), "{ran:?}");
    assert_eq!(make(&["--update"]).code, 1);
    assert_eq!(make(&["--check"]).code, 1);
    assert_eq!(make(&["--update", "--force"]).code, 0);
    assert_eq!((make(&["--check"]).code, changed().as_str()), (0, ""));

    // A row less leaves a file without a row.
    let without =
        INVENTORY.replace("All orders", "Orders").replace("empty,s3://lake/empty/,\n", "");
    write(&path.join("inventory.csv"), without);
    assert_eq!(make(&["--check"]).code, 1);
    assert_eq!(make(&["--update", "--prune"]).code, 0);
    assert_eq!(
        (make(&["--check"]).code, changed().as_str()),
        (0, " M inventory.csv\n D out/0002.yaml\n")
    );
}

#[test]
fn a_clone_with_other_line_ends_is_current() {
    let folder = repository();
    let path = folder.path();
    git(path, &["config", "core.autocrlf", "true"]);
    git(path, &["rm", "-rqf", "out"]);
    git(path, &["checkout", "-q", "HEAD", "--", "out"]);
    let text = fs::read_to_string(path.join("out/0001.yaml")).unwrap();
    assert!(text.contains("ArtifactType: DataSet\r\n"), "{text:?}");
    let check = ["-o", "out", "--per-file", "2", "--check"];
    let ran = generate(path, &with(&check));
    assert_eq!(ran.code, 0, "{ran:?}");
    write(&path.join("out/0001.yaml"), text.replace("orders", "others"));
    assert_eq!(generate(path, &with(&check)).code, 1);
}
