//! Any bytes are checked and every finding is shown, without a panic and with nothing in the output
//! that a terminal would act on.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use lineload::report::human::{Options, render};
use lineload::source::{FileId, SourceFile, SourceStore};
use lineload::{check, config};

fuzz_target!(|bytes: &[u8]| {
    let name: Arc<str> = Arc::from("m.yaml");
    let source = Arc::new(SourceFile::new(FileId(0), Arc::clone(&name), bytes.to_vec()));
    let rules = config::Rules::default();
    let options = check::Options { rules: &rules, allowances: true, threads: None, entries: true, rewrites: None };
    let findings = check::source(&source, options);
    let store = SourceStore::new(vec![(name, None)]);
    store.pin(source);
    let options = Options {
        width: 80,
        unicode: true,
        all: true,
        quiet: true,
        command: String::new(),
        can_fix: true,
        links: false,
    };
    for finding in findings.iter().take(50) {
        let shown = render(finding, &store, &options);
        // miette's own colours are the only escapes.
        let plain = anstream_strip(&shown);
        assert!(
            plain.chars().all(|c| c == '\n' || lineload::text::is_printable(c)),
            "{plain:?}"
        );
    }
});

fn anstream_strip(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        match tail.find(|c: char| !(c.is_ascii_digit() || c == ';')) {
            Some(end) if tail[end..].starts_with('m') => rest = &tail[end + 1..],
            _ => {
                out.push('\u{1b}');
                rest = tail;
            }
        }
    }
    out + rest
}
