//! `--rewrite-uri`: the same tree for another account, Region or bucket.

#[cfg(feature = "aws")]
use std::fs;

use serde_json::Value;

use crate::support::{artifact, folder, run};
#[cfg(feature = "aws")]
use crate::support::{timeless, write};

/// The findings of `lint m` with these options, in one line each.
fn short(here: &std::path::Path, args: &[&str]) -> (i32, String, String) {
    let ran = run(here, &[&["lint", "m", "--format", "short"], args].concat());
    (ran.code, ran.out, ran.err)
}

#[test]
fn what_is_checked_is_the_rewritten_uri_at_the_place_of_the_old_one() {
    let uri = |uri: &str| format!("ArtifactType: Model\nSource:\n  SourceUri: {uri}\n");
    let folder =
        folder(&[("m/a.yaml", &uri("'s3://old/a b'")), ("m/b.yaml", &uri("s3://other/b"))]);
    let here = folder.path();
    assert_eq!(short(here, &[]), (0, String::new(), String::new()));
    let new = short(here, &["--rewrite-uri", "s3://old/=s3://New_Lake/"]);
    let finding = "m/a.yaml:3:14: warning[bucket-name]: invalid bucket name `New_Lake`: ";
    assert!(new.1.starts_with(finding) && new.1.lines().count() == 1, "{new:?}");
    assert_eq!(new.2, "");
    // The excerpt is the manifest's text, and no fix would write anything else there.
    let human = run(here, &["lint", "m", "--rewrite-uri", "s3://old/=s3://New_Lake/"]);
    assert!(human.out.contains("SourceUri: 's3://old/a b'"), "{}", human.out);
    assert!(!human.out.contains("fixable"), "{}", human.out);
    let json = ["lint", "m", "--rewrite-uri", "s3://o=S3://o", "--format", "json"];
    let json: Value = serde_json::from_str(&run(here, &json).out).unwrap();
    let findings = json["diagnostics"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{json}");
    assert!(findings.iter().all(|finding| finding["fix"].is_null()), "{json}");
    assert_eq!(findings[0]["span"]["start"]["column"], 14, "{json}");
    // What the service would refuse is an error.
    let long = format!("s3://old/=s3://lake/{}", "x".repeat(2048));
    let (code, out, _) = short(here, &["--rewrite-uri", &long]);
    assert!(code == 1 && out.starts_with("m/a.yaml:3:14: error[uri-length]"), "{out}");
    for option in ["--fix", "--diff"] {
        let ran = run(here, &["lint", "m", "--rewrite-uri", "a=b", option]);
        assert!(ran.code == 2 && ran.err.contains("cannot be used with"), "{ran:?}");
    }
}

#[test]
fn duplicates_are_those_of_the_rewritten_uris() {
    let same = artifact(2).replace("bucket/2", "copy/1");
    let folder = folder(&[("m/a.yaml", &artifact(1)), ("m/b.yaml", &same)]);
    let here = folder.path();
    assert_eq!(short(here, &[]).0, 0);
    let (code, out, err) = short(here, &["--rewrite-uri", "s3://bucket/=s3://copy/"]);
    let finding = "m/b.yaml:4:14: error[duplicate-source]: duplicate source `s3://copy/1` with the \
                   same `SourceTypes`\n";
    assert_eq!((code, out.as_str(), err.as_str()), (1, finding, ""));
    let (code, out, _) = short(here, &["--rewrite-uri", "s3://copy/=s3://bucket/"]);
    assert!(code == 1 && out.contains("duplicate source `s3://bucket/1`"), "{out}");
    // The longer beginning wins, in any order.
    let apart = ["--rewrite-uri", "s3://=s3://copy/", "--rewrite-uri", "s3://copy/=s3://apart/"];
    assert_eq!(short(here, &apart), (0, String::new(), String::new()));
}

#[test]
fn a_beginning_that_no_uri_has_is_a_warning() {
    let folder = folder(&[("m/a.yaml", &artifact(1))]);
    let here = folder.path();
    let args =
        ["--rewrite-uri", "s3://bukcet/=s3://b/", "--rewrite-uri", "s3://bucket/=s3://copy/"];
    let ran = short(here, &args);
    let warning = "warning: `--rewrite-uri`: no `SourceUri` begins with `s3://bukcet/`\n";
    assert_eq!(ran, (0, String::new(), warning.to_owned()));
    for (wrong, message) in
        [("s3://a", "write it as OLD=NEW"), ("=s3://a", "add the beginning to replace")]
    {
        let (code, _, err) = short(here, &["--rewrite-uri", wrong]);
        assert!(code == 2 && err.contains(message), "{err}");
    }
    let (code, _, err) = short(here, &["--rewrite-uri", "a=b", "--rewrite-uri", "a=c"]);
    assert!(code == 2 && err.contains("two replacements for `a`"), "{err}");
}

#[test]
fn rendered_uris_of_an_inventory_are_rewritten() {
    let template = "ArtifactName: '{{ row.name }}'\nArtifactType: DataSet\nSource:\n  \
                    SourceUri: '{{ row.uri }}'\n";
    let rows = "name,uri\na,s3://old/1\nb,s3://other/2\n";
    let folder = folder(&[("rows.csv", rows), ("t.yaml", template)]);
    let lint = |rewrite: &str| {
        let rows = ["lint", "--inventory", "rows.csv", "--template", "t.yaml"];
        run(folder.path(), &[&rows[..], &["--format", "short", "--rewrite-uri", rewrite]].concat())
    };
    assert_eq!(lint("s3://old/=s3://new/").code, 0);
    let ran = lint("s3://old/=s3://A/");
    let finding = "rows.csv:2:3: warning[bucket-name]: invalid bucket name `A`";
    assert!(ran.out.starts_with(finding), "{ran:?}");
    let ran = lint("s3://old/1=s3://other/2");
    assert!(ran.code == 1 && ran.out.contains("duplicate-source"), "{ran:?}");
}

#[cfg(feature = "aws")]
#[test]
fn import_plan_and_journal_know_the_rewritten_uri() {
    let folder = folder(&[("manifests/a.yaml", &artifact(1)), ("manifests/b.yaml", &artifact(2))]);
    let here = folder.path();
    let local = |args: &[&str]| run(here, &[args, &["--local", "--color", "never"]].concat());
    let rewrite = ["--rewrite-uri", "s3://bucket/=s3://copy/"];
    let dry = run(here, &[&["import", "--dry-run", "-v"], &rewrite[..]].concat());
    assert!(dry.code == 0 && !dry.out.contains("s3://bucket/"), "{dry:?}");
    let plan = local(&[&["plan", "--out", "plan.json"], &rewrite[..]].concat());
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(!fs::read_to_string(here.join("plan.json")).unwrap().contains("s3://"));
    let other = local(&["import", "--plan", "plan.json"]);
    assert!(other.code == 2 && other.err.contains("`--rewrite-uri`"), "{other:?}");
    let same = local(&[&["import", "--plan", "plan.json"], &rewrite[..]].concat());
    assert_eq!(same.code, 0, "{same:?}");
    // The journal knows them; without the option the tree is another one.
    let again = local(&[&["import", "--report", "r.json"], &rewrite[..]].concat());
    assert!(again.out.contains("2 artifacts: created 0, existed 2"), "{}", again.out);
    let report: Value = serde_json::from_slice(&fs::read(here.join("r.json")).unwrap()).unwrap();
    assert_eq!(report["entries"][1]["source_uri"], "s3://copy/2");
    write(&here.join("manifests/a.yaml"), artifact(1).replace("a1", "b1"));
    write(&here.join("manifests/b.yaml"), artifact(2).replace("a2", "b2"));
    let old = local(&["import"]);
    assert!(old.out.contains("2 artifacts: created 2"), "{}", old.out);
    let misspelt = local(&["import", "--rewrite-uri", "s3://bukcet/=s3://b/"]);
    assert!(misspelt.err.contains("no `SourceUri` begins with `s3://bukcet/`"), "{misspelt:?}");
}

#[cfg(feature = "aws")]
#[test]
fn an_export_is_written_for_another_account() {
    let nameless = "ArtifactType: Model\nSource: {SourceUri: s3://bucket/z/model}\n\
                    Tags: [{Key: z, Value: y}]\n";
    let folder = folder(&[("manifests/a.yaml", &artifact(1)), ("manifests/b.yaml", nameless)]);
    let here = folder.path();
    assert_eq!(run(here, &["import", "--local"]).code, 0);
    let args = ["--rewrite-uri", "s3://bucket/=s3://copy/", "--set", "Tags.from=111122223333"];
    let more = ["--set", "MetadataProperties.CommitId=c1", "--uri-prefix", "s3://bucket/"];
    let ran = run(here, &[&["export", "--local", "-o", "out"], &args[..], &more[..]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert!(timeless(&ran.out).starts_with("2 artifacts in 2 files in out"), "{}", ran.out);
    let text = fs::read_to_string(here.join("out/Model/model.yaml")).unwrap();
    for line in ["SourceUri: s3://copy/z/model", "CommitId: c1", "Key: from"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let tags = [text.find("Key: from").unwrap(), text.find("Key: z").unwrap()];
    assert!(tags.is_sorted(), "{text}");
    // Two that become one are said to be.
    let ran = run(
        here,
        &["export", "--local", "-o", "one", "--rewrite-uri", "s3://bucket/1=s3://bucket/z/model"],
    );
    assert!(ran.err.contains("the source of another"), "{ran:?}");
    let ran = run(here, &["export", "--local", "-o", "none", "--rewrite-uri", "s3://x/=s3://y/"]);
    assert!(ran.code == 0 && ran.err.contains("no `SourceUri` begins with `s3://x/`"), "{ran:?}");
    for wrong in ["ArtifactType=x", "Tags.k=AKIAIOSFODNN7EXAMPLE"] {
        let ran = run(here, &["export", "--local", "-o", "wrong", "--set", wrong]);
        assert!(ran.code == 2 && !ran.err.contains("IOSFODNN7"), "{ran:?}");
        assert!(!here.join("wrong").exists());
    }
}
