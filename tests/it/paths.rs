//! Findings against paths.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use crate::support::{artifact, folder, run, write};

#[test]
fn links_sockets_and_pipes_are_findings_and_the_run_continues() {
    let folder = folder(&[("m/a.yaml", &artifact(1)), ("secret/key.yaml", "password: hunter2\n")]);
    let at = |path: &str| folder.path().join(path);
    symlink("..", at("m/loop")).unwrap();
    symlink("../secret/key.yaml", at("m/out.yaml")).unwrap();
    symlink("gone", at("m/dangling.yaml")).unwrap();
    let _socket = UnixListener::bind(at("m/socket.yaml")).unwrap();
    let made = Command::new("mkfifo").arg(at("m/pipe.yaml")).status().unwrap();
    assert!(made.success());
    let ran = run(folder.path(), &["lint", "m", "--format", "short"]);
    let out = ran.out.replace(&folder.path().display().to_string(), "<folder>");
    insta::assert_snapshot!(out, @r"
    m/dangling.yaml: error[path-unreadable]: cannot be read: no such file or directory
    m/loop: warning[link-outside]: a symlink to `<folder>`, outside the given directories, is not followed
    m/out.yaml: warning[link-outside]: a symlink to `<folder>/secret/key.yaml`, outside the given directories, is not followed
    m/pipe.yaml: error[path-kind]: a pipe, not a file
    m/socket.yaml: error[path-kind]: a socket, not a file
    ");
    assert_eq!(ran.code, 1);
    assert!(!ran.out.contains("hunter2"));
}

#[test]
fn links_round_in_a_circle_are_found() {
    let folder = folder(&[("m/a.yaml", &artifact(1))]);
    symlink(".", folder.path().join("m/loop")).unwrap();
    symlink("me.yaml", folder.path().join("m/me.yaml")).unwrap();
    let ran = run(folder.path(), &["lint", "m", "--format", "short"]);
    insta::assert_snapshot!(ran.out, @r"
    m/loop: error[link-loop]: a loop of symlinks
    m/me.yaml: error[link-loop]: a loop of symlinks
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_a_finding() {
    let folder = folder(&[("m/a.yaml", &artifact(1)), ("m/locked.yaml", "")]);
    let locked = folder.path().join("m/locked.yaml");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o000);
    std::fs::set_permissions(&locked, mode).unwrap();
    if std::fs::read(&locked).is_ok() {
        // Nothing is locked for root; what stands for it is a folder with a file's name.
        std::fs::remove_file(&locked).unwrap();
        write(&folder.path().join("m/locked.yaml/x.txt"), "");
        let ran =
            run(folder.path(), &["lint", "m", "m/locked.yaml/x.txt/y.yaml", "--format", "short"]);
        assert!(
            ran.out.contains("error[path-unreadable]: cannot be read: not a directory"),
            "{}",
            ran.out
        );
        return;
    }
    let ran = run(folder.path(), &["lint", "m", "--format", "short"]);
    assert_eq!(
        ran.out,
        "m/locked.yaml: error[path-unreadable]: cannot be read: permission denied\n"
    );
}
