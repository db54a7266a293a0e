//! The order of the house: a module imports only from those below it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

/// Low to high.
const ORDER: &[&str] = &[
    "text",
    "markup",
    "exit",
    "model",
    "source",
    "diagnostic",
    "artifact",
    "config",
    "yaml",
    "walk",
    "destination",
    "manifest",
    "check",
    "schema",
    "fix",
    "submission",
    "event",
    "journal",
    "service",
    "pace",
    "run",
    "plan",
    "export",
    "registry",
    "report",
    "cli",
    "commands",
    "lib",
    "main",
];

/// All that the registry may know of lineload: it stands in for the service, and a mistake that both
/// sides share would not be seen.
const USED_BY_REGISTRY: &[&str] = &["registry", "markup", "model", "text", "exit"];

pub fn files(folder: &Path, wanted: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path, wanted));
        } else if path.extension().is_some_and(|ending| ending == wanted) {
            all.push(path);
        }
    }
    all
}

fn place(module: &str) -> usize {
    let place = ORDER.iter().position(|one| *one == module);
    place.unwrap_or_else(|| panic!("the module `{module}` has no place in the order of the house"))
}

#[test]
fn modules_import_only_from_those_below_them() {
    let src = root().join("src");
    let mut wrong = Vec::new();
    for path in files(&src, "rs") {
        let below = path.strip_prefix(&src).unwrap().with_extension("");
        let module = below.iter().next().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            let line = line.trim_start();
            if line.starts_with("//") {
                continue;
            }
            for used in line.match_indices("crate::").map(|(at, _)| &line[at + "crate::".len()..]) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                if place(used) > place(&module)
                    || (module == "registry" && !USED_BY_REGISTRY.contains(&used))
                {
                    wrong.push(format!("{}:{}: {used}", path.display(), number + 1));
                }
            }
            let names_sdk = line.contains("aws_sdk") || line.contains("aws_config");
            if names_sdk && !below.starts_with("service/sagemaker") {
                wrong.push(format!("{}:{}: names the AWS SDK", path.display(), number + 1));
            }
            if line.contains("granit_parser") && module != "yaml" {
                wrong.push(format!("{}:{}: names the YAML parser", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn templates_escape_every_text() {
    let src = root().join("src");
    let mut unescaped = Vec::new();
    let templates = files(&src, "html");
    assert!(templates.len() > 3, "{templates:?}");
    for path in templates {
        let text = fs::read_to_string(&path).unwrap();
        let shown = text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().trim());
        unescaped.extend(shown.filter(|shown| shown.contains("safe")).map(str::to_owned));
    }
    unescaped.sort();
    // Both are templates themselves.
    assert_eq!(unescaped, ["failures.rows|safe", "over_time.picture|safe"]);
    for path in files(&src, "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let templates = text.split("#[template(").skip(1);
        let marked = templates.filter(|rest| rest.split(")]").next().unwrap().contains("escape"));
        assert_eq!(marked.count(), 0, "{}", path.display());
    }
}
