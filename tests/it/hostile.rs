//! Manifests that mean harm: a clear finding, in bounded time and memory.

use std::fmt::Write as _;

use crate::support::{folder, root, run, write};

fn found(text: &str) -> (i32, String) {
    let folder = folder(&[]);
    write(&folder.path().join("m.yaml"), text);
    let ran = run(folder.path(), &["lint", "m.yaml", "--format", "short"]);
    assert_eq!(ran.err, "");
    (ran.code, ran.out)
}

#[test]
fn an_alias_bomb_is_refused_at_the_alias() {
    let mut bomb = "- &a0 {Tags: [x]}\n".to_owned();
    for at in 1..40 {
        let _ = writeln!(bomb, "- &a{at} [*a{0}, *a{0}, *a{0}]", at - 1);
    }
    bomb.push_str("- <<: *a39\n");
    let (code, out) = found(&bomb);
    assert_eq!(code, 1);
    assert!(out.contains("error[alias-limit]") || out.contains("error[merge-key]"), "{out}");

    // A long list that each of many artifacts repeats.
    let mut wide = "- &t\n".to_owned();
    for at in 0..20_000 {
        let _ = writeln!(wide, "  - {{Key: k{at}, Value: v}}");
    }
    for at in 0..500 {
        let _ = writeln!(wide, "- {{ArtifactType: a, Source: {{SourceUri: s3://{at}}}, Tags: *t}}");
    }
    let (code, out) = found(&wide);
    assert_eq!(code, 1);
    assert!(
        out.contains("error[alias-limit]: aliases expand to far more values"),
        "{}",
        &out[..2000]
    );
}

#[test]
fn deep_nesting_is_refused_and_hides_no_other_document() {
    for open in ["[", "{a: ", "- ", "? "] {
        let text = format!("{}\n---\nArtifactName: a_b\n", open.repeat(100_000));
        let (code, out) = found(&text);
        assert_eq!(code, 1);
        assert!(out.contains("error[nesting-depth]"), "{open}: {out}");
        assert!(out.contains("error[name-pattern]"), "{open}: {out}");
    }
}

#[test]
fn a_huge_scalar_is_one_finding() {
    let text = format!(
        "ArtifactType: DataSet\nSource: {{SourceUri: s3://lake}}\nProperties:\n  Huge: \"{}\"\n",
        "lorem \\\"ipsum\\\"|".repeat(1 << 20)
    );
    let (code, out) = found(&text);
    assert_eq!(code, 1);
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(
        out.contains("error[property-value-length]: `Huge` has 14,680,064 characters"),
        "{out}"
    );
}

#[test]
fn findings_are_listed_up_to_ten_thousand_a_file_and_counted_beyond() {
    let text: String = (0..30_000).map(|at| format!("- {{ArtifactName: a_{at}}}\n")).collect();
    let folder = folder(&[("m.yaml", &text)]);
    let ran = run(folder.path(), &["lint", "m.yaml", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let listed = json["diagnostics"].as_array().unwrap();
    assert_eq!(listed.len(), 10_001);
    assert_eq!(listed[10_000]["code"], "findings-limit");
    assert_eq!(listed[10_000]["message"], "80,000 findings more in this file are not shown");
    assert_eq!(json["summary"]["errors"], 90_000);
    assert_eq!(listed[9_999]["span"]["start"]["line"], 3334);
}

#[test]
fn one_artifact_of_a_million_values_is_refused() {
    let (code, out) = found(&format!("Tags: [{}]\n", "a,".repeat(1 << 21)));
    assert_eq!(code, 1);
    assert!(out.contains("error[document-size]: more than 1048576 values"), "{out}");
}

#[test]
fn keys_given_twice_among_a_million_are_found() {
    let mut text = "Properties:\n".to_owned();
    for at in 0..200_000 {
        let _ = writeln!(text, "  k{at}: v");
    }
    text.push_str("  k7: again\n");
    let (_, out) = found(&text);
    assert!(out.contains("error[duplicate-key]: duplicate key `k7`"), "{out}");
    assert!(out.contains("error[property-count]: 200000 properties"), "{out}");
}

#[test]
fn what_fuzzing_found_is_shown_without_anything_that_a_terminal_acts_on() {
    let folder = root().join("tests/fixtures/fuzz");
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let ran = run(&folder, &["lint", &name, "--all"]);
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        let shown = |c: char| c == '\n' || lineload::text::is_printable(c);
        assert!(ran.out.chars().all(shown), "{name}: {:?}", ran.out);
    }
}
