//! The documentation says what the program does.

use crate::support::root;

#[test]
fn the_page_of_rules_is_current() {
    hold("docs/rules.md", &lineload::report::rules::page());
}

#[test]
fn the_schema_beside_the_examples_is_current() {
    hold("manifests/examples/lineload.schema.json", &lineload::schema::text());
}

/// That the file at `path` has this text. With `LINELOAD_UPDATE_DOCS` set it is written.
fn hold(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("LINELOAD_UPDATE_DOCS").is_some() {
        crate::support::write(&file, text);
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == text, "{path} is not current: `just docs` writes it");
}
