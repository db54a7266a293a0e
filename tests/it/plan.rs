//! Plans: what an import would do, and nothing done.

use std::path::Path;

use serde_json::{Value, json as value};

use crate::support::{Ran, Served, artifact, at, folder, lineload, manifests, write};

fn planned(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// One of each: new, equal, different, a taken name, gone, invalid.
fn one_of_each(folder: &Path) -> Served {
    manifests(folder, 6);
    let served = Served::start(folder, &[]);
    let args = ["--yes", "--rate", "unlimited"];
    assert_eq!(at(folder, &served, "import", &args).code, 0);
    let file = |number: usize| folder.join(format!("manifests/{number:05}.yaml"));
    write(&file(1), artifact(1) + "Properties: {Rows: '<b>2</b>|`@me`'}\n");
    write(&file(2), artifact(2).replace("s3://bucket/2", "s3://moved/2"));
    std::fs::remove_file(file(3)).unwrap();
    write(&file(8), artifact(8));
    write(&file(9), artifact(9).replace("a9", "a_9"));
    served
}

#[test]
fn a_plan_shows_all_that_an_import_would_do_and_changes_nothing() {
    let folder = folder(&[]);
    let served = one_of_each(folder.path());
    let before = served.artifacts();
    let ran = at(folder.path(), &served, "plan", &["--format", "json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("name-pattern"), "findings are reported too: {}", ran.err);
    let plan = planned(&ran);
    assert_eq!(plan["version"], 1);
    assert_eq!(
        plan["counts"],
        // Whether the service refuses a name that another source has, only the import finds out.
        value!({"create": 2, "exists": 3, "differs": 1, "conflict": 1, "unknown": 0,
                // The one whose manifest is gone, and the one whose manifest says another source.
                "gone": 2, "invalid": 1})
    );
    assert_eq!((&plan["calls"]["create"], &plan["calls"]["update"]), (&2.into(), &0.into()));
    let entry = |file: &str| {
        let entries = plan["entries"].as_array().unwrap();
        entries.iter().find(|entry| entry["file"] == *file).unwrap().clone()
    };
    let differs = entry("manifests/00001.yaml");
    assert_eq!(differs["action"], "differs");
    assert_eq!(
        differs["differences"],
        value!([{"field": "Properties.Rows", "there": null, "here": "<b>2</b>|`@me`",
                 "updates": false}])
    );
    assert_eq!(entry("manifests/00002.yaml")["conflict"], "s3://bucket/2");
    assert_eq!(entry("manifests/00008.yaml")["action"], "create");
    assert_eq!(entry("manifests/00009.yaml")["action"], "invalid");
    let gone: Vec<_> = plan["gone"].as_array().unwrap().iter().map(|one| &one["file"]).collect();
    assert_eq!(gone, ["manifests/00002.yaml", "manifests/00003.yaml"]);
    assert_eq!(served.artifacts(), before);

    let ran = at(folder.path(), &served, "plan", &["--color", "never"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let first = ran.out.lines().nth(1).unwrap();
    assert!(first.starts_with("an import would make ") && first.contains("2 creates"), "{first}");
    for line in [
        "  ~ a1  manifests/00001.yaml:1",
        "      Properties.Rows: nothing -> `<b>2</b>|`@me``",
        "      the name is also that of s3://bucket/2",
        "  + a8  manifests/00008.yaml:1",
        "  - a3  manifests/00003.yaml:1, arn:",
    ] {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
    let ran = at(folder.path(), &served, "plan", &["--format", "markdown"]);
    assert!(ran.out.contains("| differs | 1 |"), "{}", ran.out);
    let hostile = "nothing → `` <b>2</b>|`@me` ``";
    assert!(ran.out.contains(hostile), "{}", ran.out);
    let invalid =
        "<details><summary>invalid</summary>\n\n- **name-pattern** `manifests/00009.yaml:1`: ";
    assert!(ran.out.contains(invalid), "{}", ran.out);
    for (rate, cost) in [
        ("2", "; about 1s at 2.0/s as `--rate` says"),
        ("unlimited", ", as fast as they are answered"),
    ] {
        let ran = at(folder.path(), &served, "plan", &["--color", "never", "--rate", rate]);
        assert!(ran.out.lines().nth(1).unwrap().ends_with(cost), "{}", ran.out);
    }
}

#[test]
fn exit_codes_report_changes_only_with_detailed_exitcode() {
    let folder = folder(&[]);
    manifests(folder.path(), 2);
    let served = Served::start(folder.path(), &[]);
    let plan = |args: &[&str]| at(folder.path(), &served, "plan", args).code;
    assert_eq!(plan(&[]), 0);
    assert_eq!(plan(&["--detailed-exitcode"]), 3);
    let args = ["--yes", "--rate", "unlimited"];
    assert_eq!(at(folder.path(), &served, "import", &args).code, 0);
    assert_eq!(plan(&["--detailed-exitcode"]), 0);
    write(&folder.path().join("manifests/00001.yaml"), artifact(1) + "Properties: {a: b}\n");
    assert_eq!(plan(&["--detailed-exitcode"]), 1, "an import would leave it as it is");
    assert_eq!(plan(&["--detailed-exitcode", "--on-exists", "update"]), 3);
    assert_eq!(plan(&["--on-exists", "update"]), 0);
    assert!(!folder.path().join("registry.sqlite3.lock").exists());
}

#[test]
fn a_plan_asks_only_about_what_the_journal_does_not_know() {
    let folder = folder(&[]);
    manifests(folder.path(), 40);
    let served = Served::start(folder.path(), &[]);
    let args = ["--yes", "--rate", "unlimited"];
    assert_eq!(at(folder.path(), &served, "import", &args).code, 0);
    let arn = served.artifacts()[0]["ArtifactArn"].clone();
    std::thread::sleep(std::time::Duration::from_millis(5));
    let change = value!({ "ArtifactArn": arn, "Properties": { "Theirs": "x" } });
    assert_eq!(served.ask("UpdateArtifact", &change).0, 200);
    let describes = || served.calls("DescribeArtifact");
    let plan = |args: &[&str]| {
        let all = [&["--format", "json"], args].concat();
        planned(&at(folder.path(), &served, "plan", &all))["counts"].clone()
    };
    let counts = plan(&[]);
    assert_eq!((&counts["exists"], &counts["differs"]), (&39.into(), &1.into()));
    assert_eq!(describes(), 1, "what was changed since");
    plan(&["--refresh"]);
    // What is so young is read again before it is called different.
    assert_eq!(describes(), 1 + 40 + 1);
}

#[test]
fn a_markdown_plan_fits_into_a_comment() {
    let folder = folder(&[]);
    let all: String = (0..3000).map(|at| format!("---\n{}", artifact(at))).collect();
    write(&folder.path().join("manifests/all.yaml"), all);
    let served = Served::start(folder.path(), &[]);
    let ran = at(folder.path(), &served, "plan", &["--format", "markdown"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.chars().count() < 65_000, "{}", ran.out.chars().count());
    assert!(ran.out.contains("| create | 3,000 |"));
    assert!(ran.out.trim_end().ends_with("</details>"), "it is whole");
    assert!(ran.out.contains(" more\n"), "the number of entries left out is reported");
}

#[test]
fn before_the_first_import_the_local_registry_is_empty_and_a_plan_makes_none() {
    let folder = folder(&[]);
    manifests(folder.path(), 2);
    let plan = |args: &[&str]| -> Ran {
        let ran = lineload(folder.path()).args(["plan", "--local"]).args(args).output();
        ran.unwrap().into()
    };
    let ran = plan(&["--format", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let planned = planned(&ran);
    assert_eq!((&planned["counts"]["create"], &planned["calls"]["create"]), (&2.into(), &2.into()));
    assert_eq!(planned["target"]["file"], ".lineload/registry.sqlite3");
    assert_eq!(plan(&["--detailed-exitcode"]).code, 3);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "only the manifests: {left:?}");
}

#[test]
fn a_large_plan_has_every_entry_in_the_order_of_the_walk() {
    let folder = folder(&[]);
    // More than are compared together, and invalid ones where those end and begin.
    let (all, invalid) = (9_000, [0, 1, 4_095, 4_096, 4_097, 8_191, 8_999]);
    let one = |at: usize| match invalid.contains(&at) {
        true => format!("---\n{}", artifact(at).replace(&format!("a{at}"), &format!("a_{at}"))),
        false => format!("---\n{}", artifact(at)),
    };
    write(&folder.path().join("manifests/all.yaml"), (0..all).map(one).collect::<String>());
    let served = Served::start(folder.path(), &[]);
    let plan = planned(&at(folder.path(), &served, "plan", &["--format", "json"]));
    let entries = plan["entries"].as_array().unwrap();
    assert_eq!(entries.len(), all);
    for (at, entry) in entries.iter().enumerate() {
        let action = if invalid.contains(&at) { "invalid" } else { "create" };
        assert_eq!(entry["action"], action, "{at}: {entry}");
        assert_eq!(entry["source_uri"], format!("s3://bucket/{at}"));
    }
    assert_eq!((&plan["counts"]["create"], &plan["counts"]["invalid"]), (&8_993.into(), &7.into()));
    let ran = at(folder.path(), &served, "plan", &["--all", "--color", "never"]);
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("  + a")).count(), 8_993);
}

#[test]
fn what_the_journal_takes_for_done_is_reported_and_is_no_change_of_an_import() {
    let folder = folder(&[]);
    manifests(folder.path(), 3);
    let served = Served::start(folder.path(), &[]);
    let args = ["--yes", "--rate", "unlimited"];
    assert_eq!(at(folder.path(), &served, "import", &args).code, 0);
    let gone = served.artifacts()[0]["ArtifactArn"].clone();
    assert_eq!(served.ask("DeleteArtifact", &value!({ "ArtifactArn": gone })).0, 200);
    let ran = at(folder.path(), &served, "plan", &["--format", "json", "--detailed-exitcode"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let plan = planned(&ran);
    assert_eq!((&plan["counts"]["create"], &plan["calls"]["create"]), (&1.into(), &0.into()));
    let unseen = |entry: &&Value| entry["needs_recheck"] == true;
    assert_eq!(plan["entries"].as_array().unwrap().iter().filter(unseen).count(), 1);
    assert_eq!(at(folder.path(), &served, "import", &args).code, 0);
    assert_eq!(served.artifacts().len(), 2, "as the plan said");
    let recheck = [&args[..], &["--recheck"]].concat();
    assert_eq!(at(folder.path(), &served, "import", &recheck).code, 0);
    assert_eq!(served.artifacts().len(), 3);
    assert_eq!(at(folder.path(), &served, "plan", &["--detailed-exitcode"]).code, 0);
}

#[test]
fn a_manifest_that_is_invalid_or_left_out_is_not_gone() {
    let folder = folder(&[]);
    manifests(folder.path(), 4);
    let served = Served::start(folder.path(), &[]);
    let args = [".", "--yes", "--rate", "unlimited"];
    assert_eq!(at(folder.path(), &served, "import", &args).code, 0);
    write(&folder.path().join("manifests/00001.yaml"), artifact(1).replace("a1", "a_1"));
    std::fs::remove_file(folder.path().join("manifests/00003.yaml")).unwrap();
    let args = [".", "--format", "json", "--exclude", "00002.yaml"];
    let plan = planned(&at(folder.path(), &served, "plan", &args));
    let gone: Vec<_> = plan["gone"].as_array().unwrap().iter().map(|one| &one["file"]).collect();
    assert_eq!(gone, ["manifests/00003.yaml"]);
}

#[test]
fn no_plan_shows_a_credential() {
    let secret = "AKIAIOSFODNN7ABCDEFG";
    let folder = folder(&[]);
    let uri = format!("https://u:{secret}@h/x?X-Amz-Signature={}", "a".repeat(64));
    write(&folder.path().join("manifests/a.yaml"), artifact(1).replace("s3://bucket/1", &uri));
    write(&folder.path().join("manifests/b.yaml"), artifact(2));
    let served = Served::start(folder.path(), &[]);
    let theirs = value!({
        "ArtifactName": "a2", "ArtifactType": "DataSet", "Source": { "SourceUri": uri },
    });
    assert_eq!(served.ask("CreateArtifact", &theirs).0, 200);
    for format in ["human", "json", "markdown"] {
        let ran = at(folder.path(), &served, "plan", &["--format", format]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{format}: {ran:?}");
    }
}

#[test]
fn a_plan_that_was_reviewed_is_imported_and_no_other() {
    let folder = folder(&[]);
    let served = one_of_each(folder.path());
    let here = folder.path();
    let plan = |args: &[&str]| at(here, &served, "plan", &[&["--out", "p.json"], args].concat());
    let import = |args: &[&str]| {
        let args = [&["--yes", "--rate", "unlimited", "--plan", "p.json"], args].concat();
        at(here, &served, "import", &args)
    };
    let update = ["--on-exists", "update", "--set", "Properties.Batch=hunter2hunter2"];
    let planned = plan(&update);
    assert_eq!(planned.code, 1, "one is invalid: {planned:?}");
    let file = std::fs::read_to_string(here.join("p.json")).unwrap();
    assert!(!file.contains("hunter2") && !file.contains("<b>"), "no value: {file}");
    let creates = served.calls("CreateArtifact");
    let refused = |ran: &Ran, said: &str| {
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
        assert_eq!(served.calls("CreateArtifact"), creates);
        assert_eq!(served.calls("UpdateArtifact"), 0);
    };
    // Other options.
    refused(
        &import(&[]),
        "nothing was submitted: the plan was made with other values of `--on-exists` and `--set`",
    );
    // A manifest that was edited, one that is new.
    let edited = here.join("manifests/00008.yaml");
    write(&edited, artifact(8) + "# edited\n");
    write(&here.join("manifests/00010.yaml"), artifact(10));
    let said = "2 manifests changed since the plan: manifests/00008.yaml, manifests/00010.yaml";
    refused(&import(&update), said);
    write(&edited, artifact(8));
    std::fs::remove_file(here.join("manifests/00010.yaml")).unwrap();
    // The target: an artifact that exists has other tags now.
    let arn = |number: usize| {
        let uri = format!("s3://bucket/{number}");
        let of = |one: &&Value| one["Source"]["SourceUri"] == *uri;
        served.artifacts().iter().find(of).unwrap()["ArtifactArn"].clone()
    };
    let tags = value!({"ResourceArn": arn(1), "Tags": [{"Key": "team", "Value": "x"}]});
    assert_eq!(served.ask("AddTags", &tags).0, 200);
    let pruned = [&update[..], &["--prune"]].concat();
    refused(&import(&pruned), "other values of `--prune`");
    plan(&pruned);
    let tags = value!({"ResourceArn": arn(1), "TagKeys": ["team"]});
    assert_eq!(served.ask("DeleteTags", &tags).0, 200);
    refused(
        &import(&pruned),
        "the plan has changed: the target, or the value of an option, is different now",
    );
    // Another target.
    let other = Served::start_on(here, "other.sqlite3", &[]);
    let args = ["--yes", "--plan", "p.json"];
    let ran = at(here, &other, "import", &[&args[..], &pruned].concat());
    refused(&ran, "the plan is for local:");
    // As it was planned.
    plan(&pruned);
    let ran = import(&[&pruned[..], &["--report", "r.json"]].concat());
    assert_eq!(ran.code, 1, "one is invalid: {ran:?}");
    let counts = &crate::support::json(&here.join("r.json"))["counts"];
    assert_eq!((&counts["created"], &counts["updated"]), (&1.into(), &1.into()), "{counts}");
    // Once.
    let again = import(&pruned);
    assert_eq!(again.code, 2, "{again:?}");
    let said = "the target has changed since the plan, which had 2 to create, 1 to update";
    assert!(again.err.contains(said) && again.err.contains("`lineload resume`"), "{}", again.err);
}

#[test]
fn a_plan_file_is_checked_before_it_is_believed() {
    let folder = folder(&[("m/a.yaml", &artifact(1)), ("p.json", "{\"version\": 7}")]);
    let run = |args: &[&str]| crate::support::run(folder.path(), args);
    let none = run(&["import", "m", "--local", "--plan", "none.json"]);
    assert_eq!(none.code, 2, "{none:?}");
    assert!(none.err.contains("cannot read the plan file `none.json`"), "{}", none.err);
    let bad = run(&["import", "m", "--local", "--plan", "p.json"]);
    assert_eq!(bad.code, 2, "{bad:?}");
    assert!(bad.err.contains("`p.json` is not a plan file"), "{}", bad.err);
    // It is not written over a manifest, or through a symlink.
    let over = run(&["plan", "m", "--local", "--out", "m/a.yaml"]);
    assert_eq!(over.code, 2, "{over:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("m/a.yaml")).unwrap(), artifact(1));
    std::os::unix::fs::symlink("victim", folder.path().join("link")).unwrap();
    assert_eq!(run(&["plan", "m", "--local", "--out", "link"]).code, 2);
    assert!(!folder.path().join("victim").exists());
    // Neither is a registry overwritten by a plan, nor a plan by a report.
    write(&folder.path().join("r.sqlite3"), "kept");
    assert_eq!(run(&["plan", "m", "--local=r.sqlite3", "--out", "r.sqlite3"]).code, 2);
    assert_eq!(std::fs::read_to_string(folder.path().join("r.sqlite3")).unwrap(), "kept");
    // A device never ends.
    let device = run(&["import", "m", "--local", "--plan", "/dev/zero"]);
    assert!(device.err.contains("it is not a file"), "{device:?}");
    // A local registry that does not exist yet, and no other target.
    assert_eq!(run(&["plan", "m", "--local", "--out", "new.json"]).code, 0);
    let other = run(&["import", "m", "--local=other.sqlite3", "--plan", "new.json"]);
    assert_eq!(other.code, 2, "{other:?}");
    assert!(other.err.contains("the plan is for new local registry"), "{}", other.err);
    let over = ["import", "m", "--local", "--plan", "new.json", "--report", "new.json"];
    assert_eq!(run(&over).code, 2);
    let ran = run(&["import", "m", "--local", "--plan", "new.json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("created 1"), "{}", ran.out);
}
