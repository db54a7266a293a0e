//! The order of the house: a module imports only from those below it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::root;

/// Low to high.
const ORDER: &[&str] = &[
    "text",
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
const USED_BY_REGISTRY: &[&str] = &["registry", "model", "text", "exit"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
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
    for path in files(&src) {
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
