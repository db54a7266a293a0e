//! The language of the code and of what it prints.

use std::fs;

use crate::house::files;
use crate::support::root;

/// Words that have a standard term, and the term to use instead.
const PRIVATE: [(&str, &str); 17] = [
    ("blank", "space"),
    ("blanks", "spaces"),
    ("cannot be had", "cannot be loaded, read or created"),
    ("gone on with", "resumed"),
    ("go on with", "resume"),
    ("heed", "respect, ignore"),
    ("heeds", "respects, ignores"),
    ("if nothing is said", "the default"),
    ("masked", "redacted"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("symbolic link", "symlink"),
    ("there is no such", "unknown, not found"),
    ("there is no operation", "unknown operation"),
    ("findings more", "more findings"),
    ("is no registry", "is not a registry"),
    ("told", "reported"),
];

/// Words with which no doc comment begins: a function's begins with a verb, any other with a noun.
const FIRST: [&str; 7] = ["What", "How", "Whether", "Where", "Who", "That", "Is"];

/// Files and directories, below `src`, whose doc comments may begin with them: the help texts of the
/// command line and the explanations of rules are written for users.
const EXEMPT: [&str; 2] = ["cli", "diagnostic/explanation"];

fn exempt(path: &str) -> bool {
    EXEMPT.iter().any(|one| path.starts_with(one))
}

/// Returns the source files, by their paths below `src`.
fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    let read = |path: std::path::PathBuf| {
        let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    files(&src, "rs").into_iter().map(read).collect()
}

#[test]
fn no_doc_comment_begins_with_a_question_word() {
    let mut wrong = Vec::new();
    for (path, text) in sources().iter().filter(|(path, _)| !exempt(path)) {
        let mut before = "";
        for (number, line) in text.lines().map(str::trim_start).enumerate() {
            let doc = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "));
            let first = doc.and_then(|doc| doc.split([' ', '.']).next()).unwrap_or_default();
            let begins = !before.starts_with("//") || before.starts_with("/// # ");
            if begins && FIRST.contains(&first) {
                wrong.push(format!("src/{path}:{}: {line}", number + 1));
            }
            before = line;
        }
    }
    assert!(wrong.is_empty(), "begin with a verb or with a noun:\n{}", wrong.join("\n"));
}

#[test]
fn no_message_has_a_private_word() {
    let mut wrong = Vec::new();
    for (path, text) in &sources() {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        if path.contains("tests") || path.starts_with("schema") {
            continue;
        }
        for (number, line) in code.lines().enumerate().filter(|(_, line)| line.contains('"')) {
            let line = line.trim_start();
            if line.starts_with("//") {
                continue;
            }
            // The parts between quotes, near enough: what follows an escaped quote counts as code.
            for literal in line.split('"').skip(1).step_by(2).filter(|text| text.contains(' ')) {
                let padded = format!(
                    " {} ",
                    literal.replace(|c: char| !c.is_alphanumeric() && c != '-', " ")
                );
                for (word, term) in PRIVATE {
                    if padded.contains(&format!(" {word} ")) {
                        wrong.push(format!(
                            "src/{path}:{}: `{word}`, say {term}: {literal}",
                            number + 1
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Words in names of functions that have a standard term.
const IN_NAMES: [(&str, &str); 7] = [
    ("gone_on", "resumed, continued"),
    ("goes_on", "resumes, continues"),
    ("go_on", "resume, continue"),
    ("heed", "respect"),
    ("mend", "fix"),
    ("tell", "report"),
    ("told", "reported"),
];

#[test]
fn no_function_has_a_private_word_in_its_name() {
    let mut wrong = Vec::new();
    let folders = [root().join("src"), root().join("tests/it")];
    for path in folders.iter().flat_map(|folder| files(folder, "rs")) {
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let Some((_, rest)) = line.split_once("fn ") else { continue };
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let padded = format!("_{name}_");
            for (word, term) in IN_NAMES {
                if padded.contains(&format!("_{word}_")) {
                    wrong.push(format!("{}: `{name}`, say {term}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
