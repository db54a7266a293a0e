//! Findings as a person reads them: one snapshot a code.

use std::collections::BTreeSet;
use std::fs;

use lineload::diagnostic::Code;

use crate::support::{root, run, timeless};

/// Codes whose faults cannot be kept in git, and the tests that show them.
const ELSEWHERE: [Code; 9] = [
    Code::PathUnreadable, // paths::…
    Code::PathKind,
    Code::LinkLoop,
    Code::LinkOutside,
    Code::FileSize,
    Code::FindingsLimit, // hostile::…
    Code::DocumentSize,
    Code::AliasLimit,
    Code::Config, // config::…
];

#[test]
fn every_code_is_shown_at_the_fault_with_its_help() {
    let fixtures = root().join("tests/fixtures");
    let mut shown = BTreeSet::new();
    let mut folders: Vec<_> = fs::read_dir(fixtures.join("err")).unwrap().collect();
    folders.sort_by_key(|entry| entry.as_ref().unwrap().file_name());
    for folder in folders {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let code = Code::from_name(&name).unwrap_or_else(|| panic!("no code {name}"));
        let ran = run(&fixtures, &["lint", "--all", &format!("err/{name}")]);
        assert!(ran.out.contains(&format!("{name}: ")), "{name} is not found in its fixtures");
        assert_eq!(ran.code, i32::from(code.severity() == lineload::diagnostic::Severity::Error));
        assert_eq!(ran.err, "");
        insta::with_settings!({ description => code.summary(), omit_expression => true }, {
            insta::assert_snapshot!(name, timeless(&ran.out));
        });
        shown.insert(code);
    }
    let missing: Vec<_> = Code::ALL
        .iter()
        .filter(|code| !shown.contains(code) && !ELSEWHERE.contains(code))
        .collect();
    assert!(missing.is_empty(), "codes without a case in tests/fixtures/err: {missing:?}");
}

#[test]
fn nothing_is_found_in_what_is_right() {
    let fixtures = root().join("tests/fixtures/ok");
    let ran = run(&fixtures, &["lint", ".", "json.json"]);
    insta::assert_snapshot!(timeless(&ran.out), @"10 files, 17 artifacts: nothing found");
    assert_eq!(ran.code, 0);
}
