//! The rules, for people: the list, one of them explained, and the page that the documentation has.
//!
//! In: the registry of rules. Out: text. What an example shows is what `lint` says of it: the example
//! is checked when it is shown.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use super::human;
use crate::check;
use crate::config::Rules;
use crate::diagnostic::{Code, Diagnostic, Severity, expanded};
use crate::source::{FileId, SourceFile, SourceStore};

/// The file name of an example.
const EXAMPLE: &str = "manifest.yaml";

/// Writes one line a rule.
///
/// # Errors
/// If the writer fails.
pub fn list(mut out: impl Write) -> io::Result<()> {
    let widest = Code::ALL.iter().map(|code| code.as_str().len()).max().unwrap_or_default();
    for code in Code::ALL {
        let name = code.as_str();
        writeln!(out, "{name:<widest$}  {:<16}  {}", coloured(*code), code.summary())?;
    }
    writeln!(out, "\n`lineload explain CODE` explains one, with a wrong and a right example.")?;
    out.flush()
}

/// Returns the severity, sixteen bytes wide with its colour.
fn coloured(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "\x1b[31merror\x1b[0m  ",
        Severity::Warning => "\x1b[33mwarning\x1b[0m",
    }
}

/// Writes what a rule is about, in lines of at most `options.width` cells.
///
/// # Errors
/// If the writer fails.
pub fn explain(code: Code, options: &human::Options, mut out: impl Write) -> io::Result<()> {
    let explanation = code.explanation();
    let wrap = |text: &str| textwrap::fill(text, options.width.min(100));
    let severity = coloured(code).trim_end();
    writeln!(out, "\x1b[1m{code}\x1b[0m ({severity}): {}\n", code.summary())?;
    for paragraph in explanation.text.split("\n\n") {
        writeln!(out, "{}\n", wrap(paragraph))?;
    }
    writeln!(out, "{}\n", wrap(&change(code)))?;
    if let Some(example) = explanation.example {
        writeln!(out, "\x1b[1mWrong:\x1b[0m\n\n{}", indented(example.wrong))?;
        for finding in shown(code, example.wrong, options) {
            writeln!(out, "{finding}")?;
        }
        writeln!(out, "\x1b[1mRight:\x1b[0m\n\n{}", indented(example.right))?;
    }
    if let Some(source) = explanation.source {
        writeln!(out, "{}", wrap(&format!("From: {source}")))?;
    }
    out.flush()
}

/// Returns in a sentence whether configuration can lower it.
fn change(code: Code) -> String {
    match (code, code.can_be_changed()) {
        (_, false) => "Neither `lineload.toml` nor a comment can change its severity.".to_owned(),
        (Code::UnusedAllow | Code::LinkOutside, true) => {
            "`[rules]` in `lineload.toml` can set it to `error`, `warn` or `off`.".to_owned()
        }
        (_, true) => format!(
            "`[rules]` in `lineload.toml` can set it to `error`, `warn` or `off`; a comment \
             `# lineload: allow {code}` allows it in one place."
        ),
    }
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "    {line}");
        out
    })
}

/// Returns what `lint` reports of an example, about `code`.
fn shown(code: Code, example: &str, options: &human::Options) -> Vec<String> {
    // Most terminals would need many screens for two thousand characters.
    let name: Arc<str> = Arc::from(EXAMPLE);
    let text = expanded(example).into_bytes();
    let source = Arc::new(SourceFile::new(FileId(0), Arc::clone(&name), text));
    let rules = Rules::default();
    let settings = check::Options {
        rules: &rules,
        allowances: true,
        threads: None,
        entries: false,
        rewrites: None,
    };
    let store = SourceStore::new(vec![(name, None)]);
    store.pin(Arc::clone(&source));
    let findings = check::whole(&source, &store, settings);
    let about = |finding: &&Diagnostic| finding.code == code;
    findings.iter().filter(about).map(|finding| human::render(finding, &store, options)).collect()
}

/// Returns the page of all rules, in Markdown.
#[must_use]
pub fn page() -> String {
    let options = human::Options {
        width: 90,
        unicode: true,
        all: true,
        quiet: true,
        command: String::new(),
        can_fix: true,
        links: false,
    };
    let mut page = String::from(
        "# Rules\n\n<!-- Written by `just docs` from the registry of rules; a test holds it current. -->\n\n\
         An error keeps an entry from being sent; a warning does not. Rules marked *can be changed* can be \
         made an `error`, a `warn` or `off` in `lineload.toml`, and allowed in one place by a comment \
         `# lineload: allow CODE` at the end of the line, or alone on the line above. \
         `lineload explain CODE` shows the same in a terminal.\n\n\
         | rule | severity | can be changed | what it finds |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let can = if code.can_be_changed() { "yes" } else { "" };
        let severity = code.severity();
        let _ = writeln!(page, "| [`{code}`](#{code}) | {severity} | {can} | {} |", code.summary());
    }
    for code in Code::ALL {
        let explanation = code.explanation();
        let _ = writeln!(page, "\n## {code}\n\n{}\n", explanation.text);
        if let Some(example) = explanation.example {
            let _ = writeln!(page, "Wrong:\n\n```yaml\n{}```\n", example.wrong);
            let findings = shown(*code, example.wrong, &options);
            if !findings.is_empty() {
                let findings: Vec<_> = findings.iter().map(|finding| plain(finding)).collect();
                let _ = writeln!(page, "```text\n{}\n```\n", findings.join("\n").trim_end());
            }
            let _ = writeln!(page, "Right:\n\n```yaml\n{}```", example.right);
        }
        if let Some(source) = explanation.source {
            let _ = writeln!(page, "\nFrom: {source}");
        }
    }
    page
}

/// Returns a finding without colours and without spaces at the ends of lines.
fn plain(finding: &str) -> String {
    let finding = anstream::adapter::strip_str(finding).to_string();
    finding.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
}
