//! A fixed text has nothing left to fix, and its syntax is as good as before.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use lineload::diagnostic::{Code, Diagnostic, Safety};
use lineload::source::{FileId, SourceFile};
use lineload::{check, config, fix};

fn source(bytes: Vec<u8>) -> SourceFile {
    SourceFile::new(FileId(0), Arc::from("m.yaml"), bytes)
}

fn count(findings: &[Diagnostic], wanted: impl Fn(&Diagnostic) -> bool) -> usize {
    findings.iter().filter(|finding| wanted(finding)).count()
}

fuzz_target!(|bytes: &[u8]| {
    let before = source(bytes.to_vec());
    let rules = config::Rules::default();
    let options = check::Options { rules: &rules, allowances: true, threads: None, entries: false, rewrites: None };
    let Some(fixed) = fix::fixed(&before, options, false, |_| true) else { return };
    assert_ne!(fixed.text, before.text());
    let after = source(fixed.text.clone().into_bytes());
    let (old, new) = (check::source(&before, options), check::source(&after, options));
    let syntax = |finding: &Diagnostic| finding.code == Code::Syntax;
    assert!(count(&new, syntax) <= count(&old, syntax), "{:?}\n{:?}", before.text(), fixed.text);
    let safe = |finding: &Diagnostic| {
        finding.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Safe)
    };
    assert_eq!(count(&new, safe), 0, "{:?}\n{:?}", before.text(), fixed.text);
});
