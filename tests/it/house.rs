//! The order of the house: a module imports only from those below it, and no files of one use each
//! other in a circle.

mod graph;

use std::fs;
use std::path::{Path, PathBuf};

use graph::{Graph, Use};

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
    "shards",
    "schema",
    "fix",
    "language_server",
    "generate",
    "submission",
    "event",
    "journal",
    "service",
    "pace",
    "run",
    "plan",
    "export",
    "doctor",
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
fn no_file_has_more_than_500_lines() {
    let long = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count() > 500;
    let all = ["src", "tests", "benches"].map(|folder| files(&root().join(folder), "rs"));
    let long: Vec<_> = all.concat().into_iter().filter(long).collect();
    assert!(long.is_empty(), "more than one subject? {long:#?}");
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

/// The circles of a made-up crate, as the names of the files in each.
fn circles<'t>(tree: &[(&'t str, &'t str)]) -> Vec<Vec<String>> {
    let circles = Graph::new(tree.iter().copied()).circles();
    let names = |circle: Vec<Use>| {
        let mut names: Vec<_> = circle.iter().map(|one| one.from.join("::")).collect();
        names.dedup();
        names
    };
    circles.into_iter().map(names).collect()
}

#[test]
fn no_files_of_a_module_use_each_other_in_a_circle() {
    let src = root().join("src");
    let tree: Vec<(String, String)> = files(&src, "rs")
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    let graph = Graph::new(tree.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    // It has read something: the linter uses the manifests, and a rule what another file exports.
    let uses =
        |from: &[&str], to: &[&str]| graph.uses().iter().any(|u| u.from == from && u.to == to);
    assert!(uses(&["check", "rules", "content"], &["manifest", "raw"]));
    assert!(uses(&["journal", "lock"], &["text", "reason"]));
    let circles: Vec<_> = graph.circles().iter().flatten().map(Use::to_string).collect();
    assert!(circles.is_empty(), "files use each other in a circle:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    // By `crate::` and by `super::`, in a `use` and in code, and in a macro.
    let circle = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::{self, B}; pub fn a(b: B) { b::b() }"),
        ("b.rs", "pub struct B; pub fn b() { println!(\"{}\", super::a::a(B)) }"),
        ("c.rs", "pub struct C;"),
    ];
    assert_eq!(circles(&circle), [["a", "b"]]);
    // Through what a parent exports.
    let circle = [
        ("lib.rs", "mod m;"),
        ("m.rs", "mod x; mod y; pub use x::X; pub use y::Y as Z;"),
        ("m/x.rs", "use super::Z; pub struct X(Z);"),
        ("m/y.rs", "pub struct Y; impl Y { fn y(_: crate::m::X) {} }"),
    ];
    assert_eq!(circles(&circle), [["m::x", "m::y"]]);
    // Where a module and what it defines have one name.
    let circle = [
        ("lib.rs", "mod m; mod a;"),
        ("m.rs", "mod x; pub use x::x;"),
        ("m/x.rs", "pub fn x() { crate::a::a() }"),
        ("a.rs", "use crate::m::x; pub fn a() { x() }"),
    ];
    assert_eq!(circles(&circle), [["a", "m::x"]]);
    // Of three, and a fourth that only uses them.
    let circle = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "pub fn f() { crate::b::f() }"),
        ("b.rs", "pub fn f() { crate::c::f() }"),
        ("c.rs", "use super::a; pub fn f() { a::f() }"),
        ("d.rs", "use crate::a::f;"),
    ];
    assert_eq!(circles(&circle), [["a", "b", "c"]]);
}

#[test]
fn what_is_no_circle_is_none() {
    // A parent that declares, exports and calls a child which speaks its words.
    let parent = [
        ("lib.rs", "mod m;"),
        ("m.rs", "mod x; pub use x::X; pub struct M; pub fn m(_: M) { x::x(M) }"),
        ("m/x.rs", "use super::M; pub struct X; pub fn x(m: M) { super::m(m) }"),
    ];
    assert!(circles(&parent).is_empty());
    // Tests, comments and texts.
    let seen = [
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
        ("a.rs", "pub fn a() {} #[cfg(test)] mod tests { use crate::b::b; fn t() { b() } }"),
        ("b.rs", "// crate::b\nuse crate::a::a; pub fn b() { a() }"),
        ("tests.rs", "use crate::a::a; use crate::b::b;"),
        ("a/x.rs", "const TEXT: &str = \"crate::b::b()\";"),
    ];
    assert!(circles(&seen).is_empty());
}
