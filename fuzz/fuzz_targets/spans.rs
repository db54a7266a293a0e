//! Every span of every finding and edit is inside its file and on character boundaries, whether the
//! file is read whole or in parts.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use lineload::source::{FileId, Region, SourceFile};
use lineload::{check, config};

fuzz_target!(|bytes: &[u8]| {
    let source = SourceFile::new(FileId(0), Arc::from("m.yaml"), bytes.to_vec());
    if source.fault().is_some() {
        return;
    }
    let text = source.text();
    let rules = config::Rules::default();
    let options = check::Options { rules: &rules, allowances: true, threads: None, entries: true, rewrites: None };
    let inside = |region: &Region| {
        let (start, end) = (region.start, region.end);
        assert!(start.offset <= end.offset);
        assert!(text.is_char_boundary(start.offset as usize), "{region:?} {text:?}");
        assert!(text.is_char_boundary(end.offset as usize), "{region:?} {text:?}");
        assert_eq!(source.position(start.offset), start);
        assert_eq!(source.position(end.offset), end);
    };
    for finding in check::source(&source, options) {
        finding.region.iter().for_each(inside);
        finding.related.iter().filter_map(|related| related.region.as_ref()).for_each(inside);
        for edit in finding.fix.iter().flat_map(|fix| &fix.edits) {
            assert!(text.get(edit.span.range()).is_some(), "{edit:?} {text:?}");
        }
    }
});
