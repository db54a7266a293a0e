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
    assert!(none.err.contains("requires a git repository"), "{}", none.err);
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
    assert!(ran.err.contains("unknown commit `origin/old`"), "{}", ran.err);
    assert!(ran.err.contains("git fetch origin old"), "{}", ran.err);
    assert!(ran.err.contains("fetch-depth: 0"), "{}", ran.err);
    // There, but with nothing in common as far as the shallow clone knows.
    git(&shallow, &["fetch", "-q", "--depth", "1", "origin", "old:refs/remotes/origin/old"]);
    let ran = lint(&shallow, &["m", "--changed-since", "origin/old"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("in common"), "{}", ran.err);
    let option = lint(&shallow, &["m", "--changed-since=--output=x"]);
    assert_eq!(option.code, 2);
    assert!(option.err.contains("unknown commit"), "{}", option.err);
}

#[test]
fn summary_and_hint_are_about_what_is_reported() {
    let number = |at: usize| format!("{}Properties: {{n: {at}}}\n", artifact(at));
    let folder = folder(&[("m/a.yaml", &number(1)), ("m/b.yaml", &artifact(2))]);
    let here = folder.path();
    git(here, &["init", "-q"]);
    git(here, &["add", "-A"]);
    git(here, &["commit", "-qm", "one"]);
    git(here, &["switch", "-qc", "work"]);
    let human = |args: &[&str]| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut command = lineload(here);
        command.env("PATH", path).args(["lint", "m"]).args(args);
        let ran: Ran = command.output().expect("the binary runs").into();
        (ran.code, crate::support::timeless(&ran.out))
    };
    // Nothing has changed: the fault of another file is not counted.
    let none = human(&["--changed-since", "main"]);
    assert_eq!(none, (0, "0 files, 0 artifacts: nothing found\n".to_owned()));
    write(&here.join("m/c.yaml"), number(3));
    write(&here.join("m/d.yaml"), artifact(4));
    let (code, out) = human(&["--changed-since", "main"]);
    let end = "2 files, 2 artifacts, 1 valid, 1 invalid: 1 error\n\
               1 fixable with `lineload lint m --changed-since main --fix`; `--diff` shows the changes\n";
    assert!(code == 1 && out.ends_with(end), "{out}");
    let (code, out) = human(&["--ignore", "not-a-string"]);
    assert_eq!((code, out.as_str()), (0, "4 files, 4 artifacts: nothing found\n"));
    let (_, out) = human(&["--select", "not-a-string", "--exclude", "c.*", "--isolated"]);
    let hint = "`lineload lint m --exclude 'c.*' --select not-a-string --isolated --fix`";
    assert!(out.contains(hint), "{out}");
    // The hint does what it says: the fault on main stays.
    let ran = lint(here, &["m", "--changed-since", "main", "--fix"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "fixed 1 finding in 1 file\n"));
    assert_eq!(std::fs::read_to_string(here.join("m/a.yaml")).unwrap(), number(1));
}

#[test]
fn what_git_says_is_passed_on_with_the_way_out() {
    let folder = folder(&[("m/a.yaml", &artifact(1))]);
    git(folder.path(), &["init", "-q"]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = lineload(folder.path());
    // Git takes every repository for one of another owner.
    command.env("PATH", path).env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    command.args(["lint", "m", "--changed-since", "main"]);
    let ran: Ran = command.output().expect("the binary runs").into();
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("detected dubious ownership in repository"), "{}", ran.err);
    assert!(ran.err.contains("git config --global --add safe.directory "), "{}", ran.err);
}
