//! Inventories in the place of manifests.

use super::*;

#[test]
fn lint_reads_an_inventory_in_the_place_of_manifests() {
    let inventory = format!("{INVENTORY}no_name,s3://lake/no,\n");
    let folder = folder(&[("inventory.csv", &inventory), ("t.yaml", TEMPLATE)]);
    let args = ["lint", "--inventory", "inventory.csv", "-t", "t.yaml"];
    let ran = run(folder.path(), &[&args[..], &["--format", "short"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.starts_with("inventory.csv:5:3: error[name-pattern]"), "{}", ran.out);
    // What is reported is narrowed as it is for manifests.
    let ran = run(folder.path(), &[&args[..], &["--ignore", "name-pattern"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(folder.path(), &[&args[..], &["--threads", "1", "--format", "json"]].concat());
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["summary"]["artifacts"], 4, "{report:#}");
    assert_eq!(report["summary"]["valid"], 3, "{report:#}");
    assert_eq!(report["diagnostics"][0]["related"][0]["file"], "t.yaml");
    // From standard input, with the template of its source.
    let listing =
        r#"{"Contents": [{"Key": "a", "LastModified": "2026-01-02T00:00:00Z", "Size": 1}]}"#;
    let args = ["lint", "--inventory", "-", "--var", "bucket=example-lake"];
    let ran = run_with_input(folder.path(), &args, listing);
    assert!(ran.out.contains("1 artifact: nothing found"), "{ran:?}");
}

#[test]
fn an_inventory_is_read_alone_and_its_options_are_of_no_use_without_it() {
    let folder = example();
    for args in [
        &["lint", "manifests", "--inventory", "inventory.csv", "-t", "t.yaml"][..],
        &["lint", "-t", "t.yaml"],
        &["lint", "--inventory", "inventory.csv"],
        &["lint", "--inventory", "inventory.csv", "-t", "t.yaml", "--fix"],
    ] {
        let ran = run(folder.path(), args);
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
    }
    write(&folder.path().join("t.yaml"), TEMPLATE.replace("row.name", "row.nam"));
    let ran = run(folder.path(), &["lint", "--inventory", "inventory.csv", "-t", "t.yaml"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.out.contains("unknown column `nam`"), "{}", ran.out);
    assert!(ran.err.contains("the template is at fault"), "{}", ran.err);
}

/// The second repeats the name of the first, the third the source of the second; the fourth cannot be read.
const REPEATING: &str = "\
name,location,title
a,s3://lake/a,x
a,s3://lake/b,x
b,s3://lake/b,x
c,s3://lake/c
d,s3://lake/d,x
";

#[test]
fn of_rows_that_repeat_each_other_none_is_valid_as_between_manifests() {
    let folder = folder(&[("inventory.csv", REPEATING), ("t.yaml", TEMPLATE)]);
    let summary = |args: &[&str]| {
        let ran = run(folder.path(), &[args, &["--format", "json"]].concat());
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
        let of = |finding: &Value| format!("{} {}", finding["code"], finding["artifact"]);
        let found: Vec<_> = report["diagnostics"].as_array().unwrap().iter().map(of).collect();
        let summary = &report["summary"];
        (summary["artifacts"].clone(), summary["valid"].clone(), found.join(", "), ran.code)
    };
    let rows = ["lint", "--inventory", "inventory.csv", "-t", "t.yaml"];
    let duplicates = "\"duplicate-name\" 1, \"duplicate-source\" 2";
    let found = format!("{duplicates}, \"row-length\" 3");
    assert_eq!(summary(&rows), (5.into(), 1.into(), found, 1));
    let manifest = |name: &str, key: &str| {
        format!(
            "ArtifactName: {name}\nArtifactType: DataSet\nSource: {{SourceUri: s3://lake/{key}}}\n"
        )
    };
    let all =
        [("a", "a"), ("a", "b"), ("b", "b"), ("d", "d")].map(|(name, key)| manifest(name, key));
    write(&folder.path().join("m.yaml"), all.join("---\n"));
    assert_eq!(summary(&["lint", "m.yaml"]), (4.into(), 1.into(), duplicates.to_owned(), 1));
    // The first of each is taken if that is asked for; the third has a source of its own then.
    let first = [&rows[..], &["--on-duplicate", "first"]].concat();
    let (artifacts, valid, ..) = summary(&first);
    assert_eq!((artifacts, valid), (5.into(), 2.into()));
}

#[cfg(feature = "aws")]
#[test]
fn rows_that_are_invalid_are_in_the_report_of_an_import_each_by_its_line() {
    let folder = folder(&[("inventory.csv", REPEATING), ("t.yaml", TEMPLATE)]);
    let path = folder.path();
    let rows = ["--inventory", "inventory.csv", "-t", "t.yaml"];
    let dry = run(path, &[&["import", "--dry-run"], &rows[..]].concat());
    assert!(dry.out.contains("would create up to 1 artifact"), "{dry:?}");
    let plan = run(path, &[&["plan", "--local"], &rows[..]].concat());
    assert!(plan.out.contains("1 create"), "{plan:?}");
    let report = ["--report", "report.json"];
    let ran = run(path, &[&["import", "--local"], &rows[..], &report].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("invalid 4, created 1"), "{ran:?}");
    let report = crate::support::json(&path.join("report.json"));
    let entry = |entry: &Value| format!("{} {}", entry["line"], entry["outcome"].as_str().unwrap());
    let entries: Vec<_> = report["entries"].as_array().unwrap().iter().map(entry).collect();
    assert_eq!(entries, ["2 invalid", "3 invalid", "4 invalid", "5 invalid", "6 created"]);
}

#[cfg(feature = "aws")]
#[test]
fn an_inventory_is_planned_and_imported_without_manifests_in_between() {
    let inventory = format!("{INVENTORY}no_name,s3://lake/no,\n");
    let folder = folder(&[("inventory.csv", &inventory), ("t.yaml", TEMPLATE)]);
    let path = folder.path();
    let rows = ["--inventory", "inventory.csv", "-t", "t.yaml"];
    let dry = run(path, &[&["import", "--dry-run"], &rows[..]].concat());
    assert!(dry.out.contains("would create up to 3 artifacts"), "{dry:?}");
    let import = |more: &[&str]| run(path, &[&["import", "--local"], &rows[..], more].concat());
    let ran = import(&["--report", "report.json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("created 3"), "{ran:?}");
    let report = crate::support::json(&path.join("report.json"));
    let entry = |entry: &Value| {
        format!("{}:{} {}", entry["file"], entry["line"], entry["outcome"]).replace('"', "")
    };
    let entries: Vec<_> = report["entries"].as_array().unwrap().iter().map(entry).collect();
    assert_eq!(
        entries,
        [
            "inventory.csv:2 created",
            "inventory.csv:3 created",
            "inventory.csv:4 created",
            "inventory.csv:5 invalid"
        ]
    );
    write(&path.join("inventory.csv"), inventory.replace("no_name", "now-named"));
    let plan = run(path, &[&["plan", "--local"], &rows[..]].concat());
    assert!(plan.out.contains("1 create"), "{plan:?}");
    assert!(plan.out.contains("now-named  inventory.csv:5"), "{plan:?}");
    let ran = import(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("created 1, existed 3"), "{ran:?}");
    // The same from a tree in between.
    assert_eq!(generate(path, &with(&["-o", "out"])).code, 0);
    let ran = run(path, &["import", "--local", "out"]);
    assert!(ran.out.contains("created 0, existed 4"), "{ran:?}");
}
