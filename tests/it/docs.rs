//! The documentation says what the program does.

use crate::support::root;

#[test]
fn the_page_of_rules_is_current() {
    let path = root().join("docs/rules.md");
    let page = lineload::report::rules::page();
    if std::env::var_os("LINELOAD_UPDATE_DOCS").is_some() {
        crate::support::write(&path, &page);
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/rules.md is not current: `just docs` writes it");
}
