//! `lint --baseline` and `--write-baseline`: known findings stay silent, new ones do not.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, artifact, folder, lineload, run, run_with_input, timeless, write};

const LEGACY: &str = "ArtifactName: a_b\nArtifactType: Dataset\nSource: {SourceUri: s3://lake/1}\n\
                      Properties:\n  rows: 3\n  days: 3\n---\n\
                      ArtifactName: a-c\nArtifactType: Model\nSource: {SourceUri: s3://lake/2}\n\
                      Properties:\n  rows: 3\n";

fn short(folder: &Path, args: &[&str]) -> Ran {
    run(folder, &[&["lint", "m", "--format", "short"], args].concat())
}

/// The rules of what is reported, in order.
fn rules(ran: &Ran) -> Vec<&str> {
    let rule =
        |line: &'_ str| -> Option<(usize, usize)> { Some((line.find('[')? + 1, line.find(']')?)) };
    ran.out.lines().filter_map(|line| rule(line).map(|(from, to)| &line[from..to])).collect()
}

#[test]
fn known_findings_are_silent_and_new_ones_are_not() {
    let folder = folder(&[("m/a.yaml", LEGACY), ("m/b.yaml", &artifact(7))]);
    let here = folder.path();
    let before = short(here, &[]);
    assert_eq!((before.code, before.out.lines().count()), (1, 5), "{}", before.out);
    let wrote = run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    assert_eq!(wrote.code, 0, "{wrote:?}");
    assert_eq!(
        timeless(&wrote.out),
        "2 files, 3 artifacts, 1 valid, 2 invalid: nothing new found\n",
        "what is invalid stays so"
    );
    assert_eq!(wrote.err, "wrote 5 findings in 1 file to known.txt\n");
    let text = fs::read_to_string(here.join("known.txt")).unwrap();
    let mut entries = text.lines().skip(3).map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        assert_eq!((columns.len(), columns[3].len()), (6, 32), "{line}");
        (columns[0], columns[1], columns[2], columns[4])
    });
    assert_eq!(entries.next(), Some(("m/a.yaml", "name-pattern", "/ArtifactName", "1")));
    let numbers: Vec<_> = entries.collect();
    let file = "m/a.yaml";
    assert_eq!(
        numbers,
        [
            (file, "not-a-string", "/Properties/days", "1"),
            // In two artifacts.
            (file, "not-a-string", "/Properties/rows", "2"),
            (file, "type-case", "/ArtifactType", "1"),
        ]
    );
    let lines: Vec<_> = text.lines().skip(3).collect();
    assert!(lines.is_sorted(), "{text}");
    let silent = short(here, &["--baseline", "known.txt", "--fail-on", "warning"]);
    assert_eq!((silent.code, silent.out.as_str()), (0, ""));
    assert_eq!(silent.err, "5 findings hidden by the baseline known.txt\n");
    // Lines move, with the ends that git gives them on Windows.
    write(&here.join("m/a.yaml"), format!("# old\n\n{LEGACY}").replace('\n', "\r\n"));
    let crlf = text.replace('\n', "\r\n");
    write(&here.join("known.txt"), crlf);
    let moved = short(here, &["--baseline", "known.txt"]);
    assert_eq!((moved.code, moved.out.as_str()), (0, ""), "{moved:?}");
    // A third of what was known twice, and another name.
    let more = format!("{LEGACY}---\n{}Properties:\n  rows: 3\n", artifact(3));
    write(&here.join("m/a.yaml"), more.replace("a_b", "a_x"));
    let new = short(here, &["--baseline", "known.txt"]);
    assert_eq!((new.code, rules(&new)), (1, vec!["name-pattern", "not-a-string"]), "{new:?}");
    assert!(new.out.contains("m/a.yaml:19:9: error[not-a-string]"), "{}", new.out);
    assert_eq!(
        new.err,
        "4 findings hidden by the baseline known.txt\n\
         1 finding in the baseline no longer exists; to update it, run `lineload lint m \
         --write-baseline known.txt`\n"
    );
    // An artifact with hidden errors is not imported.
    assert_eq!(run(here, &["lint", "m", "--baseline", "known.txt", "-q"]).err, "");
}

#[test]
fn every_format_and_the_counts_leave_them_out() {
    let folder = folder(&[("m/a.yaml", LEGACY)]);
    let here = folder.path();
    run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    write(&here.join("m/a.yaml"), LEGACY.replace("a-c", "a_c"));
    for format in ["human", "short", "json", "sarif", "github", "junit", "gitlab"] {
        let ran = run(here, &["lint", "m", "--baseline", "known.txt", "--format", format]);
        assert_eq!(ran.code, 1, "{format}");
        assert!(ran.out.contains("a name cannot contain `_`"), "{format}");
        assert!(!ran.out.contains("`rows` is a number"), "{format}");
    }
    let json = run(here, &["lint", "m", "--baseline", "known.txt", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let counts = serde_json::json!({
        "files": 1, "artifacts": 2, "valid": 0, "errors": 1, "warnings": 0, "hidden": 5
    });
    assert_eq!(json["summary"], counts);
    let without = run(here, &["lint", "m", "--format", "json"]);
    let without: Value = serde_json::from_str(&without.out).unwrap();
    assert_eq!(without["summary"].get("hidden"), None);
    let human = run(here, &["lint", "m", "--baseline", "known.txt", "--format", "human"]);
    let hint = "1 fixable with `lineload lint m --baseline known.txt --fix --unsafe-fixes`";
    assert!(human.out.contains(hint), "{}", human.out);
}

#[test]
fn it_holds_wherever_the_tree_is() {
    let folder = folder(&[("one/tree/m/a.yaml", LEGACY)]);
    let tree = folder.path().join("one/tree");
    run(&tree, &["lint", "m", "--write-baseline", "ci/known.txt"]);
    assert!(!tree.join("ci").exists());
    fs::create_dir(tree.join("ci")).unwrap();
    assert_eq!(run(&tree, &["lint", "m", "--write-baseline", "ci/known.txt"]).code, 0);
    let text = fs::read_to_string(tree.join("ci/known.txt")).unwrap();
    assert!(text.contains("\n../m/a.yaml\tname-pattern\t"), "{text}");
    let silent = |working: &Path, path: &str, baseline: &str| {
        let ran = run(working, &["lint", path, "--baseline", baseline, "--format", "short"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{path} in {}", working.display());
    };
    silent(&tree.join("m"), ".", "../ci/known.txt");
    let moved = folder.path().join("two");
    fs::rename(&tree, &moved).unwrap();
    write(&moved.join(".git/HEAD"), "");
    silent(&moved, "./m", "ci/known.txt");
    silent(&moved.join("m"), "a.yaml", "../ci/known.txt");
    let (m, known) = (moved.join("m"), moved.join("ci/known.txt"));
    silent(folder.path(), m.to_str().unwrap(), known.to_str().unwrap());
    // What an editor has not saved yet.
    let args = ["lint", "-", "--stdin-filename", "m/a.yaml", "--baseline", "ci/known.txt"];
    assert_eq!(run_with_input(&moved, &args, LEGACY).code, 0);
}

#[test]
fn fixes_leave_known_findings_alone() {
    let folder = folder(&[("m/a.yaml", LEGACY)]);
    let here = folder.path();
    run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    // One more of what is known twice, which is the third.
    let third = format!("{}Properties:\n  rows: 3\n  seen: no\n", artifact(3));
    write(&here.join("m/a.yaml"), format!("{LEGACY}---\n{third}"));
    let diff = run(here, &["lint", "m", "--baseline", "known.txt", "--diff"]);
    let changed: Vec<_> = diff.out.lines().filter(|line| line.starts_with("+ ")).collect();
    assert_eq!(changed, ["+  rows: '3'", "+  seen: 'no'"], "{}", diff.out);
    let fixed = run(here, &["lint", "m", "--baseline", "known.txt", "--fix"]);
    assert_eq!(fixed.code, 0, "{fixed:?}");
    assert!(fixed.err.starts_with("fixed 2 findings in 1 file\n5 findings hidden"), "{fixed:?}");
    let third = third.replace(": 3\n", ": '3'\n").replace("no", "'no'");
    let text = fs::read_to_string(here.join("m/a.yaml")).unwrap();
    assert_eq!(text, format!("{LEGACY}---\n{third}"));
    // What is written is what the fixes leave.
    let left = run(here, &["lint", "m", "--fix", "--write-baseline", "known.txt"]);
    assert!(left.err.ends_with("wrote 2 findings in 1 file to known.txt\n"), "{left:?}");
}

#[test]
fn nothing_of_a_credential_is_in_it() {
    let secret =
        |key: &str| format!("{}Properties: {{note: {key}, password: p{key}}}\n", artifact(1));
    let folder = folder(&[("m/a.yaml", &secret("AKIAIOSFODNN7EXAMPLE"))]);
    let here = folder.path();
    let wrote = run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    assert_eq!(wrote.code, 1, "{wrote:?}");
    assert_eq!(
        wrote.err,
        "wrote 0 findings in 0 files to known.txt; 2 findings left out: credentials and what cannot be \
         read are always reported\n"
    );
    let one = fs::read_to_string(here.join("known.txt")).unwrap();
    assert!(!one.contains("IOSFODNN7"), "{one}");
    // A line that names the rule does not hide one either.
    let line = format!("{one}m/a.yaml\tcredential\t/Properties/note\t{}\t1\tx\n", "0".repeat(32));
    write(&here.join("known.txt"), line);
    let ran = short(here, &["--baseline", "known.txt"]);
    assert_eq!((ran.code, rules(&ran)), (1, vec!["credential", "credential"]), "{ran:?}");
    assert!(!ran.out.contains("IOSFODNN7"), "{ran:?}");
    // Nor is anything of one in the path to another finding, whose key it is, nor in its hash.
    let keyed = |password: &str| {
        let key = format!("https://u:{password}@h/");
        format!("{}Properties: {{'{key}': 3}}\n", artifact(1))
    };
    let of = |password: &str| {
        write(&here.join("m/a.yaml"), keyed(password));
        run(here, &["lint", "m", "--write-baseline", "known.txt"]);
        let json = run(here, &["lint", "m", "--format", "json"]);
        assert!(json.out.contains("\"/Properties/https:"), "{json:?}");
        assert!(!json.out.contains(password), "{json:?}");
        fs::read_to_string(here.join("known.txt")).unwrap()
    };
    let known = of("hunter2secret");
    assert!(
        known.contains("\tnot-a-string\t/Properties/") && !known.contains("hunter2"),
        "{known}"
    );
    assert_eq!(of("hunter3geheim"), known);
}

#[test]
fn what_was_not_checked_is_never_known() {
    let folder = folder(&[("m/a.yaml", LEGACY)]);
    let here = folder.path();
    write(&here.join("m/b.yaml"), b"ArtifactName: \xff\n");
    std::os::unix::fs::symlink("loop", here.join("m/loop")).unwrap();
    let wrote = run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    assert_eq!(wrote.code, 1, "{wrote:?}");
    let before = short(here, &["--baseline", "known.txt"]);
    let mut found = rules(&before);
    found.sort_unstable();
    assert_eq!(found.len(), 2, "{before:?}");
    assert_eq!((before.code, found[0]), (1, "encoding"), "{before:?}");
    assert!(before.err.starts_with("5 findings hidden by"), "{before:?}");
    // Only what can be read is left, and it is known.
    fs::remove_file(here.join("m/loop")).unwrap();
    fs::remove_file(here.join("m/b.yaml")).unwrap();
    assert_eq!(short(here, &["--baseline", "known.txt"]).code, 0);
}

#[test]
fn entries_that_match_nothing_are_counted_if_they_were_looked_for() {
    let other = LEGACY.replace("lake/", "lake/b").replace("a_b", "b_b").replace("a-c", "b-c");
    let folder = folder(&[("m/a.yaml", LEGACY), ("m/b.yaml", &other)]);
    let here = folder.path();
    run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    let err = |args: &[&str]| {
        let ran =
            run(here, &[&["lint", "--baseline", "known.txt", "--format", "short"], args].concat());
        assert_eq!((ran.code, ran.out.as_str()), (0, ""));
        ran.err
    };
    let gone = |number: &str| {
        format!(
            "{number} in the baseline no longer exist; to update it, run `lineload lint \
             --write-baseline` for all manifests\n"
        )
    };
    let hidden = |number: u32| format!("{number} findings hidden by the baseline known.txt\n");
    assert_eq!(err(&["m/a.yaml"]), hidden(5));
    write(&here.join("m/b.yaml"), other.replace("rows: 3", "rows: '3'"));
    assert_eq!(err(&["m/a.yaml"]), hidden(5), "the other file is not checked");
    assert_eq!(err(&["m/b.yaml"]), hidden(3) + &gone("2 findings"));
    assert_eq!(err(&["m", "--select", "name-pattern"]), hidden(2));
    assert_eq!(err(&["m", "--ignore", "name-pattern"]), hidden(6) + &gone("2 findings"));
    // One is clean now, the other does not exist.
    write(&here.join("m/a.yaml"), artifact(1));
    fs::remove_file(here.join("m/b.yaml")).unwrap();
    let all = "10 findings in the baseline no longer exist; to update it, run `lineload lint m \
               --write-baseline known.txt`\n";
    assert_eq!(err(&["m"]), format!("0 findings hidden by the baseline known.txt\n{all}"));
}

#[test]
fn only_changed_files_count_with_changed_since() {
    let folder = folder(&[("m/a.yaml", LEGACY), ("m/b.yaml", &artifact(7))]);
    let here = folder.path();
    run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(here).env("GIT_CONFIG_GLOBAL", "/dev/null");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args);
        assert!(git.output().unwrap().status.success(), "{args:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let lint = |args: &[&str]| -> Ran {
        let mut command = lineload(here);
        command.env("PATH", &path).args(["lint", "m", "--format", "short"]).args(args);
        command.output().unwrap().into()
    };
    write(&here.join("m/b.yaml"), artifact(7).replace("a7", "a_7"));
    let args = ["--changed-since", "main", "--baseline", "known.txt"];
    let ran = lint(&args);
    assert_eq!((ran.code, rules(&ran)), (1, vec!["name-pattern"]));
    assert_eq!(ran.err, "0 findings hidden by the baseline known.txt\n");
    write(&here.join("m/a.yaml"), format!("# moved\n{LEGACY}"));
    assert_eq!(lint(&args).err, "5 findings hidden by the baseline known.txt\n");
    let both = lint(&["--changed-since", "main", "--write-baseline", "known.txt"]);
    assert_eq!(both.code, 2, "{both:?}");
}

#[test]
fn a_file_that_is_no_baseline_is_neither_read_nor_replaced() {
    let folder = folder(&[("m/a.yaml", LEGACY), ("notes.txt", "mine\n")]);
    let here = folder.path();
    let refused = |args: &[&str], message: &str| {
        let ran = short(here, args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(message), "{args:?}: {}", ran.err);
    };
    refused(&["--baseline", "none.txt"], "cannot read the baseline none.txt");
    refused(&["--baseline", "notes.txt"], "notes.txt is not a baseline");
    refused(&["--baseline", "m"], "cannot read the baseline m");
    refused(&["--write-baseline", "notes.txt"], "notes.txt exists and is not a baseline");
    refused(&["--write-baseline", "m/a.yaml"], "is an input of this run");
    refused(&["--write-baseline", "x.txt", "--index", "x.txt"], "written twice");
    refused(&["--write-baseline", "x.txt", "--output", "sarif=o.sarif"], "cannot be used with");
    assert!(!here.join("o.sarif").exists());
    for format in ["sarif", "gitlab"] {
        let ran = run(here, &["lint", "m", "--write-baseline", "x.txt", "--format", format]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
        assert!(ran.err.contains("cannot be used with `--write-baseline`"), "{ran:?}");
    }
    assert!(!here.join("x.txt").exists());
    refused(&["--write-baseline", "x.txt", "--baseline", "x.txt"], "cannot be used with");
    refused(&["--write-baseline", "x.txt", "--diff"], "cannot be used with");
    // The entries of the others would be lost.
    refused(&["--write-baseline", "x.txt", "--shard", "1/2"], "cannot be used with");
    write(&here.join("later.txt"), "# lineload baseline, version 2\nx\n");
    refused(&["--baseline", "later.txt"], "later.txt is a baseline of version 2");
    run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    refused(&["--baseline", "known.txt", "--output", "json=known.txt"], "is an input of this run");
    let mut text = fs::read_to_string(here.join("known.txt")).unwrap();
    text.push_str("<<<<<<< HEAD\n");
    write(&here.join("known.txt"), &text);
    refused(&["--baseline", "known.txt"], "known.txt line 8 is not an entry");
    assert_eq!(fs::read_to_string(here.join("notes.txt")).unwrap(), "mine\n");
    assert_eq!(fs::read_to_string(here.join("m/a.yaml")).unwrap(), LEGACY);
    // A broken one may be written anew; without manifests nothing is.
    assert_eq!(run(here, &["lint", "m", "--write-baseline", "known.txt"]).code, 0);
    let whole = fs::read_to_string(here.join("known.txt")).unwrap();
    assert_eq!(whole.lines().count(), 7);
    fs::create_dir(here.join("empty")).unwrap();
    assert_eq!(run(here, &["lint", "empty", "--write-baseline", "known.txt"]).code, 2);
    assert_eq!(fs::read_to_string(here.join("known.txt")).unwrap(), whole);
}

#[test]
fn more_findings_of_a_file_than_are_listed_are_known_by_their_number() {
    let list = |bad: usize| {
        (0..bad).fold(String::new(), |mut out, at| {
            let _ = writeln!(out, "- {{ArtifactType: Dataset, Source: {{SourceUri: s3://lake/{at}}}, Properties: {{n: 1}}}}");
            out
        })
    };
    let folder = folder(&[("m/a.yaml", &list(6_000))]);
    let here = folder.path();
    let wrote = run(here, &["lint", "m", "--write-baseline", "known.txt"]);
    assert_eq!(
        (wrote.code, wrote.err.as_str()),
        (0, "wrote 10,001 findings in 1 file to known.txt\n")
    );
    let known = short(here, &["--baseline", "known.txt", "--fail-on", "warning"]);
    assert_eq!((known.code, known.out.as_str()), (0, ""), "{known:?}");
    write(&here.join("m/a.yaml"), list(6_001));
    let more = short(here, &["--baseline", "known.txt"]);
    assert_eq!((more.code, rules(&more)), (1, vec!["findings-limit"]), "{more:?}");
}

#[test]
fn rows_of_an_inventory_have_known_findings_too() {
    let inventory = "name,uri\na_b,s3://lake/1\nb,s3://lake/2\n";
    let template = "ArtifactName: '{{ row.name }}'\nArtifactType: DataSet\nSource:\n  SourceUri: '{{ row.uri }}'\n";
    let folder = folder(&[("rows.csv", inventory), ("rows.yaml", template)]);
    let here = folder.path();
    let lint = |args: &[&str]| {
        let rows =
            ["lint", "--inventory", "rows.csv", "--template", "rows.yaml", "--format", "short"];
        run(here, &[&rows, args].concat())
    };
    let before = lint(&[]);
    assert_eq!((before.code, before.out.lines().count()), (1, 1), "{before:?}");
    assert_eq!(lint(&["--write-baseline", "known.txt"]).code, 0);
    write(&here.join("rows.csv"), inventory.replace("uri\n", "uri\nc,s3://lake/3\n"));
    let silent = lint(&["--baseline", "known.txt"]);
    assert_eq!((silent.code, silent.out.as_str()), (0, ""), "{silent:?}");
    write(&here.join("rows.csv"), inventory.replace("\nb,", "\nb_c,"));
    let new = lint(&["--baseline", "known.txt"]);
    assert_eq!((new.code, new.out.lines().count()), (1, 1), "{new:?}");
    assert!(new.out.starts_with("rows.csv:3:"), "{}", new.out);
    // No row is at fault any more.
    write(&here.join("rows.csv"), inventory.replace("a_b", "ab"));
    let gone = lint(&["--baseline", "known.txt"]);
    assert!(gone.err.contains("1 finding in the baseline no longer exists"), "{gone:?}");
}
