//! The documentation says what the program does.

mod cli;
#[cfg(unix)]
mod console;
#[cfg(unix)]
mod page;
#[cfg(unix)]
mod volatile;

use crate::support::root;

#[test]
fn the_page_of_rules_is_current() {
    hold("docs/rules.md", &lineload::report::rules::page());
}

#[test]
fn the_schema_beside_the_examples_is_current() {
    hold("manifests/examples/lineload.schema.json", &lineload::schema::text());
}

#[test]
fn every_field_is_on_the_page_of_manifests_and_in_the_template_of_cloudformation() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let page = read("docs/manifests.md");
    let template = read("src/generate/templates/cloudformation.yaml");
    for field in lineload::model::ARTIFACT.all_fields() {
        let name = field.name;
        let named = regex::Regex::new(&format!(r"`([A-Za-z]+\.)?{name}[`.]")).unwrap();
        assert!(named.is_match(&page), "docs/manifests.md does not name {name}");
        let key = regex::Regex::new(&format!(r"(?m)^[- ]*{name}:")).unwrap();
        assert!(key.is_match(&template), "the template does not have {name}");
    }
}

/// Asserts that the file at `path` has this text. With `LINELOAD_UPDATE_DOCS` set it is written.
fn hold(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("LINELOAD_UPDATE_DOCS").is_some() {
        crate::support::write(&file, text);
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == text, "{path} is not current: `just docs` writes it");
}

/// Makes a test of each page that people write, and the list of them.
#[cfg(unix)]
macro_rules! pages {
    ($($test:ident $page:literal)+) => {
        const PAGES: &[&str] = &[$($page),+];
        $(
            #[test]
            fn $test() {
                console::check($page);
            }
        )+
    };
}

#[cfg(unix)]
pages! {
    the_readme_shows_what_is_printed "README.md"
    pacing_shows_what_is_printed "docs/pacing.md"
    architecture_shows_what_is_printed "ARCHITECTURE.md"
    contributing_shows_what_is_printed "CONTRIBUTING.md"
    security_shows_what_is_printed "SECURITY.md"
    manifests_shows_what_is_printed "docs/manifests.md"
    lint_shows_what_is_printed "docs/lint.md"
    plan_and_ci_shows_what_is_printed "docs/plan-and-ci.md"
    import_shows_what_is_printed "docs/import.md"
    journal_shows_what_is_printed "docs/journal.md"
    registry_shows_what_is_printed "docs/registry.md"
}

/// The pages that have no test of their own yet, so that none needs to be entered above.
#[cfg(unix)]
#[test]
fn other_pages_show_what_is_printed() {
    let generated = ["docs/rules.md", "docs/cli.md", "CHANGELOG.md"];
    for directory in ["", "docs", "docs/sources"] {
        for entry in std::fs::read_dir(root().join(directory)).unwrap() {
            let path = std::path::Path::new(directory).join(entry.unwrap().file_name());
            let path = path.to_str().unwrap();
            if path.ends_with(".md") && !generated.contains(&path) && !PAGES.contains(&path) {
                console::check(path);
            }
        }
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)#:]+)(#[^)]*)?\)").unwrap();
    let sources = std::fs::read_dir(root().join("docs/sources")).unwrap();
    let sources =
        sources.map(|entry| format!("docs/sources/{}", entry.unwrap().file_name().display()));
    let pages = PAGES.iter().map(|page| (*page).to_owned()).chain(sources);
    for page in pages.chain(["docs/migrate.md".to_owned()]) {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        for found in link.captures_iter(&text) {
            let to = root().join(&page).parent().unwrap().join(&found[1]);
            assert!(to.exists(), "{page}: a link to {}", &found[1]);
        }
    }
}

#[test]
fn paths_that_the_pages_name_exist() {
    let path = regex::Regex::new(r"\b((?:src|tests|benches|fuzz|docs|manifests)/[A-Za-z0-9_./-]*)")
        .unwrap();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        for found in path.captures_iter(&text) {
            let named = found[1].trim_end_matches('.');
            // A name in capitals is the reader's to choose.
            let free =
                named.split(['/', '.']).any(|part| part.len() > 2 && part.to_uppercase() == part);
            assert!(free || root().join(named).exists(), "{page} names {named}");
        }
    }
}

#[test]
fn the_readme_is_short() {
    let lines = std::fs::read_to_string(root().join("README.md")).unwrap().lines().count();
    assert!(lines <= 150, "README.md has {lines} lines: what does not fit belongs in docs/");
}
