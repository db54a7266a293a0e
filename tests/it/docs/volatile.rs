//! Parts of shown output that differ from one run to the next.

use std::sync::LazyLock;

use regex::Regex;

/// Patterns that are compared as equal, and the text that stands for them. CONTRIBUTING.md lists
/// them.
const RULES: [(&str, &str); 8] = [
    // The id of a run or a registry, and its beginning.
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\bartifact/[0-9a-f]{32}\b", "artifact/<id>"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"\bprocess \d+ on [^\s,:]+", "process <number> on <host>"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\b", "<time>"),
    (r"\b[\d,]+(\.\d+)?/s\b", "<rate>"),
    (r"\b\d+(\.\d+)? ?(ms|s|m|h)\b( \d+(ms|s|m)\b)*", "<duration>"),
    // A port that the system chose.
    (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
];

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let pattern = |text| Regex::new(text).expect("a pattern");
    RULES.iter().map(|(text, name)| (pattern(text), *name)).collect()
});

/// Returns whether the output that a page shows is what was printed, but for what is volatile. A
/// line `…` stands for any number of lines.
pub fn same(shown: &[String], printed: &[String]) -> bool {
    let steady = |lines: &[String]| lines.iter().map(|line| steady(line)).collect::<Vec<_>>();
    fits(&steady(without_empty_ends(shown)), &steady(without_empty_ends(printed)))
}

fn fits(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((elided, rest)) if elided.trim() == "…" => {
            (0..=printed.len()).any(|at| fits(rest, &printed[at..]))
        }
        Some((line, rest)) => {
            printed.split_first().is_some_and(|(first, behind)| line == first && fits(rest, behind))
        }
    }
}

fn without_empty_ends(lines: &[String]) -> &[String] {
    let empty = |line: &&String| line.trim().is_empty();
    let first = lines.iter().take_while(empty).count();
    let last = lines[first..].iter().rev().take_while(empty).count();
    &lines[first..lines.len() - last]
}

/// Returns a line with names in the place of what is volatile.
fn steady(line: &str) -> String {
    PATTERNS.iter().fold(line.trim_end().to_owned(), |line, (pattern, name)| {
        pattern.replace_all(&line, *name).into_owned()
    })
}

#[test]
fn only_what_is_volatile_may_differ() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let same = |shown, printed| same(&lines(shown), &lines(printed));
    assert!(same("took 54ms, created 4,133/s", "took 1m 3s, created 8/s"));
    assert!(same("nothing found (0.02 s)", "nothing found (1.10 s)\n"));
    assert!(same("a\n…\nz", "a\nb\nc\nz"));
    assert!(same("listening on http://127.0.0.1:1", "listening on http://127.0.0.1:22"));
    assert!(!same("created 225", "created 224"));
    assert!(!same("a\n…\nz", "a\nb"));
    assert!(!same("a\nb", "a"));
}
