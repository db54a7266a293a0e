//! `lineload.toml`, allow-comments, and what narrows a report.

use crate::support::{Ran, folder, lineload, run, timeless};

const IMAGE: &str = "ArtifactType: Image\nSource:\n  SourceUri: acme/model\n";

#[test]
fn faults_of_the_configuration_have_their_places_and_nothing_is_checked() {
    let folder = folder(&[
        (
            "lineload.toml",
            "profile = \"prod\"\n[rules]\nname-patern = \"off\"\nuri-length = \"warn\"\n",
        ),
        ("a.yaml", IMAGE),
    ]);
    let ran = run(folder.path(), &["lint", "a.yaml"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    insta::assert_snapshot!(ran.err);
    let isolated = run(folder.path(), &["lint", "a.yaml", "--isolated"]);
    assert_eq!(isolated.code, 0, "{isolated:?}");
}

#[test]
fn rules_excludes_and_formats_are_found_upward() {
    let folder = folder(&[
        (
            "lineload.toml",
            "exclude = [\"vendor\"]\nformat = \"short\"\nfail-on = \"warning\"\n\
             [rules]\nuri-scheme = \"error\"\n\
             [[overrides]]\npaths = [\"data/old/**\"]\nrules = { uri-scheme = \"off\" }\n",
        ),
        (".git/HEAD", ""),
        ("data/a.yaml", IMAGE),
        ("data/old/b.yaml", &IMAGE.replace("model", "old")),
        ("data/vendor/c.yaml", &IMAGE.replace("model", "vendor")),
    ]);
    let ran = run(&folder.path().join("data"), &["lint", "."]);
    assert_eq!(ran.out, "a.yaml:3:14: error[uri-scheme]: `acme/model` has no scheme\n");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    // No further than the root of the repository.
    let inner = folder.path().join("data/old");
    crate::support::write(&inner.join(".git/HEAD"), "");
    let ran = run(&inner, &["lint", "."]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("uri-scheme"), "{}", ran.out);
}

#[test]
fn a_comment_allows_in_one_place_what_can_be_allowed() {
    let text = "ArtifactType: Image\nSource:\n  SourceUri: acme/a # lineload: allow uri-scheme\n\
                ---\nArtifactType: Image\nSource:\n  # by decision 12 -- lineload: allow uri-scheme\n  \
                # lineload: allow uri-scheme, by decision 12\n  SourceUri: acme/b\n\
                ---\nArtifactType: Image\nSource:\n  SourceUri: acme/c\nProperties:\n  \
                Note: | # lineload: allow line-break\n    one\n    two\n";
    let folder = folder(&[("a.yaml", text)]);
    let ran = run(folder.path(), &["lint", "a.yaml", "--format", "short"]);
    assert_eq!(ran.out, "a.yaml:13:14: warning[uri-scheme]: `acme/c` has no scheme\n");
    let isolated = run(folder.path(), &["lint", "a.yaml", "--format", "short", "--isolated"]);
    assert_eq!(isolated.out.lines().count(), 4, "{}", isolated.out);
    assert_eq!(isolated.code, 1);
}

#[test]
fn a_narrower_report_is_counted_as_it_is_shown() {
    let text = "ArtifactName: a_b\nArtifactType: dataset\nSource:\n  SourceUri: x/y\n";
    let folder = folder(&[("a.yaml", text)]);
    let ran = |args: &[&str]| {
        let ran = run(folder.path(), &[&["lint", "a.yaml", "--format", "short"], args].concat());
        let codes = ran
            .out
            .lines()
            .filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned()));
        (ran.code, codes.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(ran(&[]), (1, "name-pattern type-case uri-scheme".to_owned()));
    assert_eq!(ran(&["--select", "type-case,uri-scheme"]), (0, "type-case uri-scheme".to_owned()));
    assert_eq!(
        ran(&["--ignore", "name-pattern", "--ignore", "type-case"]),
        (0, "uri-scheme".to_owned())
    );
    assert_eq!(ran(&["--ignore", "name-pattern", "--fail-on", "warning"]).0, 1);
    assert_eq!(ran(&["--fail-on", "never"]).0, 0);
    let wrong = run(folder.path(), &["lint", "a.yaml", "--select", "name-patern"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("did you mean `name-pattern`?"), "{}", wrong.err);
    let human = run(folder.path(), &["lint", "a.yaml", "--select", "uri-scheme"]);
    let closing = timeless(&human.out);
    let closing = closing.lines().find(|line| line.starts_with("1 file")).unwrap();
    assert_eq!(closing, "1 file, 1 artifact: 1 warning");
}

#[test]
fn no_credential_is_shown_in_any_format_whatever_is_reported() {
    let text = "ArtifactName: a_b\nArtifactType: DataSet\nSource:\n  \
                SourceUri: https://u:hunter22@h/x\nProperties:\n  a: 1\n  Password: tr0ub4dor\n  \
                b: 2\n  AKIAIOSFODNN7EXAMPLE: 4\n  secret_key: 123456789\n  \
                d: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n  Token: |-\n    s3cr3t-and\n  c: 3\n---\nArtifactType: DataSet\nSource:\n  \
                SourceUri: https://u:hunter22@h/x\n";
    let folder = folder(&[("a.yaml", text)]);
    for format in ["human", "short", "json", "sarif", "github", "junit", "gitlab"] {
        for more in [&[][..], &["--select", "not-a-string,duplicate-source"], &["--all"]] {
            let ran = run(folder.path(), &[&["lint", "a.yaml", "--format", format], more].concat());
            let secrets =
                ["hunter22", "tr0ub4dor", "s3cr3t-and", "AKIAIOSF", "123456789", "wJalrXUtn"];
            for secret in secrets {
                assert!(!ran.out.contains(secret), "{format} {more:?}: {}", ran.out);
            }
        }
    }
    let diff = run(folder.path(), &["lint", "a.yaml", "--diff"]);
    assert!(diff.out.contains("+  c: '3'"), "{}", diff.out);
    // Right behind these two is a secret.
    assert!(diff.err.contains("2 changes not shown"), "{}", diff.err);
    assert!(!diff.out.contains("hunter22") && !diff.out.contains("tr0ub4dor"), "{}", diff.out);
}

#[test]
fn the_settings_in_force_are_shown_with_where_they_come_from() {
    let toml = "fail-on = \"warning\"\n\n[rules]\ntype-case = \"off\"\n\n[pace]\nmax-rate = 5\n";
    let folder = folder(&[("lineload.toml", toml), ("m/a.yaml", "")]);
    let config = |directory: &str, args: &[&str], variables: &[(&str, &str)]| {
        let mut command = lineload(&folder.path().join(directory));
        command.arg("config").args(args).envs(variables.iter().copied());
        Ran::from(command.output().unwrap())
    };
    let columns = |ran: &Ran| -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        ran.out.lines().map(words).filter(|line| !line.is_empty()).collect()
    };
    let variables = [("LINELOAD_MAX_RATE", "3"), ("LINELOAD_RATE", "")];
    let ran = config("", &[], &variables);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        columns(&ran),
        [
            "configuration file: lineload.toml",
            "fail-on \"warning\" lineload.toml:1",
            "rules.type-case \"off\" lineload.toml:4",
            "pace.max-rate 5 lineload.toml:7",
            "--max-rate 3 LINELOAD_MAX_RATE",
            "exclude [] default",
            "format \"human\" default",
            "guard.expect-account none default",
            "guard.expect-region none default",
        ]
    );
    // The nearest file above is found, in a repository, and each rule has its default.
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    let below = config("m", &["--all"], &[]);
    let columns = columns(&below);
    assert_eq!(
        columns[0],
        format!("configuration file: {}/lineload.toml", folder.path().display())
    );
    assert!(columns.contains(&"rules.name-pattern \"error\" default".to_owned()), "{}", below.out);
    assert!(columns.contains(&"rules.uri-scheme \"warn\" default".to_owned()), "{}", below.out);
    let json = config("", &["--format", "json"], &variables);
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(document["settings"][1]["name"], "rules.type-case");
    assert_eq!(
        document["settings"][1]["from"],
        serde_json::json!({ "kind": "file", "file": "lineload.toml", "line": 4 })
    );
    let isolated = config("", &["--isolated"], &[]);
    assert!(
        isolated.out.starts_with("configuration file: ignored (`--isolated`)\n"),
        "{isolated:?}"
    );
    assert!(!isolated.out.contains("type-case"), "{}", isolated.out);
    // A file with a fault is no setting.
    std::fs::write(folder.path().join("lineload.toml"), "rates = 1\n").unwrap();
    let ran = config("", &[], &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
}
