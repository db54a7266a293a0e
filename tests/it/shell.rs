//! Tests of what a shell has of lineload: completions, man pages, variables, tips and hyperlinks.

use std::fs;

use lineload::cli::environment::{COMMAND_LINE_ONLY, variable};

use crate::support::{Ran, folder, lineload, root, run};

const MANIFEST: (&str, &str) = (
    "manifests/a.yaml",
    "ArtifactName: a_b\nArtifactType: DataSet\nSource: {SourceUri: s3://lake/x}\n",
);

/// What is offered for the last of `words`, as fish gets it: a value and its description.
fn completed(words: &[&str]) -> Vec<String> {
    let folder = folder(&[(
        ".aws/config",
        "[default]\nregion = eu-west-1\n[profile prod]\nregion=us-east-2\n[sso-session corp]\n",
    )]);
    let mut command = lineload(folder.path());
    command.env("LINELOAD_COMPLETE", "fish").arg("--").arg("lineload").args(words);
    let ran: Ran = command.output().unwrap().into();
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn values_are_completed() {
    assert_eq!(
        completed(&["lint", "--select", "name-l"]),
        ["name-length\tan `ArtifactName` is empty or too long"]
    );
    let rules = completed(&["lint", "--ignore", "name-length,name-p"]);
    assert_eq!(rules.len(), 1, "{rules:?}");
    assert!(rules[0].starts_with("name-length,name-pattern\t"), "{rules:?}");
    assert_eq!(completed(&["lint", "--format", "s"]), ["short", "sarif"]);
    assert_eq!(completed(&["lint", "--output", "j"]), ["json=", "junit="]);
    assert_eq!(completed(&["explain", "uri-b"]).len(), 1);
    assert_eq!(completed(&["lint", "--color", "al"]), ["always"]);
    assert_eq!(completed(&["completions", "z"]), ["zsh"]);
    let options = completed(&["lint", "--unsafe"]);
    assert!(options[0].starts_with("--unsafe-fixes\tWith `--fix`"), "{options:?}");
}

#[cfg(feature = "aws")]
#[test]
fn what_the_aws_configuration_names_is_completed() {
    assert_eq!(completed(&["plan", "--profile", ""]), ["default", "prod"]);
    assert_eq!(completed(&["import", "--region", ""]), ["eu-west-1", "us-east-2"]);
    assert_eq!(completed(&["import", "--rate", ""]), ["auto", "unlimited"]);
    let set = completed(&["import", "--set", "MetadataProperties.C"]);
    assert_eq!(set, ["MetadataProperties.CommitId="]);
}

#[cfg(feature = "aws")]
#[test]
fn runs_of_the_journal_are_completed() {
    let manifest = crate::support::artifact(1);
    let folder = folder(&[("manifests/a.yaml", manifest.as_str())]);
    assert_eq!(run(folder.path(), &["import", "--local", "-q"]).code, 0);
    let mut command = lineload(folder.path());
    command.env("LINELOAD_COMPLETE", "fish").args(["--", "lineload", "resume", ""]);
    let ran: Ran = command.output().unwrap().into();
    let status: serde_json::Value =
        serde_json::from_str(&run(folder.path(), &["status", "--format", "json"]).out).unwrap();
    let id = status["runs"][0]["run"].as_str().unwrap();
    assert!(ran.out.lines().any(|line| line.starts_with(id)), "{}", ran.out);
}

#[test]
fn each_shell_gets_a_script_that_asks_lineload() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(&root(), &["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        assert!(ran.out.contains("LINELOAD_COMPLETE"), "{shell}: {}", ran.out);
        assert!(!ran.out.contains(env!("CARGO_BIN_EXE_lineload")), "{shell}: {}", ran.out);
    }
}

#[test]
fn every_command_and_option_has_its_place_in_a_man_page() {
    let folder = folder(&[]);
    let ran = run(folder.path(), &["man", "share/man1"]);
    let mut command = lineload::cli::command();
    command.build();
    let commands: Vec<_> =
        command.get_subcommands().filter(|one| one.get_name() != "help").collect();
    assert_eq!(ran.out, format!("{} pages in share/man1\n", commands.len() + 1), "{}", ran.err);
    for one in commands {
        let page = folder.path().join(format!("share/man1/lineload-{}.1", one.get_name()));
        let page = fs::read_to_string(page).unwrap().replace("\\-", "-");
        assert!(page.contains(".SH EXAMPLES\n"), "{page}");
        assert!(!page.contains(".SH EXTRA"), "{page}");
        for arg in one.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let named = arg.get_long().map_or(String::new(), |long| format!("--{long}"));
            assert!(page.contains(&named), "{}: {named}", one.get_name());
        }
    }
}

#[test]
fn a_variable_sets_an_option_and_the_command_line_wins() {
    let folder = folder(&[MANIFEST]);
    let lint = |variables: &[(&str, &str)], args: &[&str]| -> Ran {
        let mut command = lineload(folder.path());
        command.envs(variables.iter().copied()).arg("lint").args(args).output().unwrap().into()
    };
    let short = "manifests/a.yaml:1:16: error[name-pattern]: a name cannot contain `_`\n";
    assert_eq!(lint(&[("LINELOAD_LINT_FORMAT", "short")], &[]).out, short);
    let both = lint(&[("LINELOAD_LINT_FORMAT", "json")], &["--format", "short"]);
    assert_eq!(both.out, short);
    // Set to nothing is not set.
    assert_eq!(lint(&[("LINELOAD_LINT_FORMAT", "")], &["--format", "short"]).out, short);
    let quiet = lint(&[("LINELOAD_QUIET", "1")], &[]);
    assert!(!quiet.out.contains("1 invalid"), "{}", quiet.out);
    let coloured = lint(&[("LINELOAD_COLOR", "always")], &[]);
    assert!(coloured.out.contains("\x1b["), "{}", coloured.out);
    let plain = lint(&[("LINELOAD_COLOR", "always")], &["--color", "never"]);
    assert!(!plain.out.contains('\x1b'), "{}", plain.out);
    // What hides findings or writes is not set by a variable.
    for (name, value) in [
        ("LINELOAD_FIX", "1"),
        ("LINELOAD_IGNORE", "name-pattern"),
        ("LINELOAD_FAIL_ON", "never"),
        ("LINELOAD_EXCLUDE", "*"),
    ] {
        let ran = lint(&[(name, value)], &["--format", "short"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, short), "{name}");
    }
    let wrong = lint(&[("LINELOAD_LINT_FORMAT", "shrt")], &[]);
    assert_eq!(wrong.code, 2);
    let tip = "tip: the value is that of the variable LINELOAD_LINT_FORMAT";
    assert!(wrong.err.contains(tip), "{}", wrong.err);
    let typed = lint(&[("LINELOAD_LINT_FORMAT", "shrt")], &["--format", "shrt"]);
    assert!(!typed.err.contains("variable"), "{}", typed.err);
}

/// A new option either gets a variable, or is entered among those that must not have one.
#[test]
fn it_is_decided_of_every_option_whether_a_variable_sets_it() {
    let security = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut command = lineload::cli::command();
    command.build();
    let commands = command.get_subcommands().filter(|one| one.get_name() != "help");
    for one in commands {
        for long in one.get_arguments().filter_map(clap::Arg::get_long) {
            let only = COMMAND_LINE_ONLY.iter().find(|(_, options)| options.contains(&long));
            let variable = variable(one.get_name(), long);
            let decided =
                variable.is_some() != only.is_some() || ["help", "version"].contains(&long);
            assert!(
                decided,
                "`{} --{long}`: enter it once, in src/cli/environment.rs",
                one.get_name()
            );
        }
    }
    for (why, options) in COMMAND_LINE_ONLY {
        assert!(security.contains(why), "SECURITY.md does not say {why:?}");
        for option in *options {
            assert!(security.contains(&format!("`--{option}`")), "SECURITY.md: --{option}");
        }
    }
}

#[test]
fn a_usage_error_names_what_was_probably_meant() {
    for (args, tip) in [
        (&["lnt"][..], "tip: a similar subcommand exists: 'lint'"),
        (&["lint", "--fxi"], "tip: a similar argument exists: '--fix'"),
        (&["lint", "--formt", "json"], "tip: a similar argument exists: '--format'"),
        (&["lint", "--format", "jsn"], "tip: a similar value exists: 'json'"),
        (&["lint", "--output", "srif=x"], "did you mean `sarif`?"),
        (&["lint", "--select", "nme-pattern"], "did you mean `name-pattern`?"),
        (&["lint", "--port", "1"], "tip: '--port' is an option of `lineload serve`"),
        (&["completions", "bsh"], "tip: a similar value exists: 'bash'"),
    ] {
        let ran = run(&root(), args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.err.contains(tip), "{args:?}: {}", ran.err);
    }
}

#[test]
fn the_name_of_a_rule_leads_to_its_page_where_a_terminal_shows_links() {
    let folder = folder(&[MANIFEST]);
    let lint = |variable: &str, value: &str, color: &str| -> Ran {
        let args = ["lint", "--color", color, "--output", "human=report.txt"];
        lineload(folder.path()).env(variable, value).args(args).output().unwrap().into()
    };
    let link = format!(
        "\x1b]8;;{}/blob/v{}/docs/rules.md#name-pattern\x1b\\name-pattern\x1b]8;;\x1b\\: a name",
        env!("CARGO_PKG_REPOSITORY"),
        env!("CARGO_PKG_VERSION")
    );
    let shown = lint("FORCE_HYPERLINK", "1", "always");
    assert!(shown.out.contains(&link), "{:?}", shown.out);
    // Neither a file, nor a stream without colours, nor what is no terminal gets one.
    assert!(!fs::read_to_string(folder.path().join("report.txt")).unwrap().contains('\x1b'));
    assert!(!lint("FORCE_HYPERLINK", "1", "never").out.contains('\x1b'));
    assert!(!lint("TERM_PROGRAM", "WezTerm", "always").out.contains("\x1b]8"));
    let rules = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    assert!(rules.contains("\n## name-pattern\n"));
}
