//! `--changed-since`, in real git repositories.

use std::path::Path;
use std::process::Command;

use crate::support::{Ran, artifact, folder, lineload, write};

fn git(folder: &Path, args: &[&str]) {
    let ran = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    assert!(ran.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

fn lint(folder: &Path, args: &[&str]) -> Ran {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = lineload(folder);
    command.env("PATH", path).args(["lint", "--format", "short"]).args(args);
    command.output().expect("the binary runs").into()
}

fn bad(name: &str) -> String {
    artifact(0).replace("a0", &format!("{name}_")).replace("bucket/0", &format!("bucket/{name}"))
}

#[test]
fn only_what_touches_a_changed_file_is_reported() {
    let folder = folder(&[
        ("m/a.yaml", &bad("a")),
        ("m/b.yaml", &artifact(1)),
        ("m/é c.yaml", &artifact(2)),
    ]);
    let here = folder.path();
    git(here, &["init", "-q"]);
    git(here, &["add", "-A"]);
    git(here, &["commit", "-qm", "one"]);
    git(here, &["switch", "-qc", "work"]);
    // On the branch: one committed, one in the working tree alone, one that git does not know.
    write(&here.join("m/é c.yaml"), bad("c"));
    git(here, &["commit", "-qam", "two"]);
    write(&here.join("m/d.yaml"), bad("d"));
    // A duplicate, of which the later place is in a file that nobody touched.
    write(&here.join("m/a0.yaml"), artifact(1));
    let all = lint(here, &["m"]);
    assert_eq!(all.out.lines().count(), 5, "{}", all.out);
    let ran = lint(here, &["m", "--changed-since", "main"]);
    let places: Vec<_> = ran
        .out
        .lines()
        .map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        places,
        [
            "m/b.yaml:1:15 error[duplicate-name]",
            "m/b.yaml:4:14 error[duplicate-source]",
            "m/d.yaml:1:16 error[name-pattern]",
            "m/é c.yaml:1:16 error[name-pattern]",
        ]
    );
    assert_eq!(ran.code, 1);
    // From a folder further down it is the same.
    let below = lint(&here.join("m"), &[".", "--changed-since", "main"]);
    assert_eq!(below.out.lines().count(), 4, "{}", below.out);
    // What main did meanwhile is not a change of this branch.
    git(here, &["stash", "-qu"]);
    git(here, &["switch", "-q", "main"]);
    write(&here.join("m/a.yaml"), bad("aa"));
    git(here, &["commit", "-qam", "three"]);
    git(here, &["switch", "-q", "work"]);
    let ran = lint(here, &["m", "--changed-since", "main"]);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
}

#[test]
fn a_ref_that_is_not_there_says_how_to_get_it() {
    let upstream = folder(&[("m/a.yaml", &artifact(0))]);
    let here = upstream.path();
    let none = lint(here, &["m", "--changed-since", "main"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("wants a git repository"), "{}", none.err);
    git(here, &["init", "-q"]);
    for (at, message) in ["one", "two"].iter().enumerate() {
        write(&here.join("m/a.yaml"), artifact(at));
        git(here, &["add", "-A"]);
        git(here, &["commit", "-qm", message]);
    }
    git(here, &["branch", "old", "HEAD~1"]);
    let clones = folder(&[]);
    let url = format!("file://{}", here.display());
    git(clones.path(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    let shallow = clones.path().join("shallow");
    let ran = lint(&shallow, &["m", "--changed-since", "origin/old"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("git knows no commit `origin/old`"), "{}", ran.err);
    assert!(ran.err.contains("git fetch origin old"), "{}", ran.err);
    assert!(ran.err.contains("fetch-depth: 0"), "{}", ran.err);
    // There, but with nothing in common as far as the shallow clone knows.
    git(&shallow, &["fetch", "-q", "--depth", "1", "origin", "old:refs/remotes/origin/old"]);
    let ran = lint(&shallow, &["m", "--changed-since", "origin/old"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("in common"), "{}", ran.err);
    let option = lint(&shallow, &["m", "--changed-since=--output=x"]);
    assert_eq!(option.code, 2);
    assert!(option.err.contains("git knows no commit"), "{}", option.err);
}
