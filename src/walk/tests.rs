use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

use super::*;

/// Returns what a walk of `paths` (below `root`) finds, in one line each.
fn walked(root: &Path, paths: &[&str], change: impl Fn(&mut Options)) -> Vec<String> {
    let paths = paths.iter().map(|path| root.join(path)).collect();
    let mut options = Options { paths, ..Options::default() };
    change(&mut options);
    let prefix = format!("{}/", root.display());
    let show = |found: &Found| match &found.what {
        Ok(_) => found.name.replace(&prefix, ""),
        Err(fault) => format!("{}: {fault:?}", found.name).replace(&prefix, ""),
    };
    walk(&options).found.iter().map(show).collect()
}

fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    root
}

#[test]
fn directories_give_yaml_in_order_and_hidden_ones_are_skipped() {
    let root = tree(&["m/b.yml", "m/a/z.yaml", "m/a.yaml", "m/x.json", "m/.git/c.yaml", "n.txt"]);
    assert_eq!(walked(root.path(), &["m"], |_| ()), ["m/a/z.yaml", "m/a.yaml", "m/b.yml"]);
    assert_eq!(walked(root.path(), &["m/.git"], |_| ()), ["m/.git/c.yaml"]);
    assert_eq!(walked(root.path(), &["n.txt"], |_| ()), ["n.txt"]);
    let json = |options: &mut Options| options.include = vec!["*.json".parse().unwrap()];
    assert_eq!(walked(root.path(), &["m"], json).last().unwrap(), "m/x.json");
}

#[test]
fn a_file_reached_twice_is_read_once() {
    let root = tree(&["m/a.yaml", "m/sub/b.yaml"]);
    symlink("a.yaml", root.path().join("m/link.yaml")).unwrap();
    let paths = ["m/sub", "m", "m/a.yaml"];
    assert_eq!(walked(root.path(), &paths, |_| ()), ["m/a.yaml", "m/sub/b.yaml"]);
}

#[test]
fn excludes_hold_for_named_paths_too() {
    let root = tree(&["m/a.yaml", "m/old/b.yaml", "m/old/c.yaml"]);
    let no_old = |options: &mut Options| options.exclude = vec!["old/".parse().unwrap()];
    assert_eq!(walked(root.path(), &["m", "m/old/b.yaml"], no_old), ["m/a.yaml"]);
    let pattern = format!("{}/m/*/c.yaml", root.path().display());
    let no_c = |options: &mut Options| options.exclude = vec![pattern.parse().unwrap()];
    assert_eq!(walked(root.path(), &["m"], no_c), ["m/a.yaml", "m/old/b.yaml"]);
}

#[test]
fn symlinks_out_of_the_named_directories_are_reported_and_not_followed() {
    let root = tree(&["m/a.yaml", "secret/key.yaml"]);
    symlink("../secret/key.yaml", root.path().join("m/b.yaml")).unwrap();
    symlink("../secret", root.path().join("m/c")).unwrap();
    let found = walked(root.path(), &["m"], |_| ());
    assert_eq!(found[0], "m/a.yaml");
    assert!(found[1].starts_with("m/b.yaml: LinkOutside"), "{found:?}");
    assert!(found[2].starts_with("m/c: LinkOutside"), "{found:?}");
    let follow = |options: &mut Options| options.follow_links = true;
    assert_eq!(walked(root.path(), &["m"], follow), ["m/a.yaml", "m/b.yaml"]);
    // Naming the target makes it an inside.
    let both = walked(root.path(), &["m", "secret"], |_| ());
    assert_eq!(both, ["m/a.yaml", "m/b.yaml"]);
}

#[test]
fn loops_sockets_pipes_and_unreadable_paths_do_not_stop_the_walk() {
    let root = tree(&["m/a.yaml", "m/z.yaml", "m/locked/x.yaml"]);
    let at = |path: &str| root.path().join(path);
    symlink(".", at("m/loop")).unwrap();
    symlink("self.yaml", at("m/self.yaml")).unwrap();
    symlink("nowhere", at("m/gone.yaml")).unwrap();
    symlink("nowhere", at("m/gone.txt")).unwrap();
    let _listener = UnixListener::bind(at("m/socket.yaml")).unwrap();
    assert!(
        std::process::Command::new("mkfifo").arg(at("m/pipe.yaml")).status().unwrap().success()
    );
    fs::set_permissions(at("m/locked"), fs::Permissions::from_mode(0o0)).unwrap();
    let found = walked(root.path(), &["m", "m/missing"], |_| ());
    fs::set_permissions(at("m/locked"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut expected = vec![
        "m/a.yaml",
        "m/gone.yaml: Unreadable(\"no such file or directory\")",
        "m/locked: Unreadable(\"permission denied\")",
        "m/loop: LinkLoop",
        "m/missing: Unreadable(\"no such file or directory\")",
        "m/pipe.yaml: NotAFile(\"a pipe\")",
        "m/self.yaml: LinkLoop",
        "m/socket.yaml: NotAFile(\"a socket\")",
        "m/z.yaml",
    ];
    // Nothing is locked for root.
    if found.iter().any(|line| line == "m/locked/x.yaml") {
        expected[2] = "m/locked/x.yaml";
    }
    assert_eq!(found, expected);
}
