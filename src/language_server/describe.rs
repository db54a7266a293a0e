//! Fields and rules in Markdown: what hovers and completions show.

use std::fmt::Write as _;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::manifest::{ARTIFACTS, DEFAULTS};
use crate::model::{Change, Field, Kind, Pattern, TextLimit};
use crate::text::{either, grouped};

/// Returns what a field means and what it may hold.
pub(super) fn field(field: &Field) -> String {
    let required = if field.required { "required" } else { "optional" };
    let mut out = format!("**{}** ({required})\n\n{}\n\n", field.name, field.description());
    for line in limits(field) {
        let _ = writeln!(out, "- {line}");
    }
    out
}

/// Returns what the field may hold, a line for each limit.
fn limits(field: &Field) -> Vec<String> {
    let mut lines = Vec::new();
    match field.kind {
        Kind::Text(limit) => lines.push(text(limit)),
        Kind::Choice(choices) => lines.push(format!("one of {}", either(choices.iter().copied()))),
        Kind::Mapping(_) => {}
        Kind::Pairs { item, max, .. } => {
            let most = max.map_or_else(String::new, |max| format!("at most {max}; "));
            lines.push(format!("a list: {most}each with `{}`", item.names().join("` and `")));
        }
        Kind::Map { key, value, max } => {
            lines.push(format!("at most {max} entries"));
            lines.push(format!("key: {}", text(key)));
            lines.push(format!("value: {}", text(value)));
        }
    }
    if !field.examples.is_empty() {
        lines.push(format!("for example `{}`", field.examples.join("`, `")));
    }
    if field.shared {
        lines.push(format!("can be in `{DEFAULTS}`"));
    }
    match field.change {
        Change::Update | Change::Tagging => {
            lines.push("can be changed later, with `import --on-exists update`".to_owned());
        }
        Change::Never => {}
    }
    lines
}

fn text(limit: TextLimit) -> String {
    let max = grouped(limit.max as u64);
    let length = match limit.min {
        0 => format!("at most {max} characters"),
        min => format!("{min} to {max} characters"),
    };
    match limit.pattern {
        None => length,
        Some(Pattern::SingleLine) => format!("{length} on one line"),
        Some(pattern) => format!("{length} that match `{}`", pattern.expression()),
    }
}

/// Returns what `Defaults` or `Artifacts` is for.
pub(super) fn wrapper(name: &str) -> Option<&'static str> {
    match name {
        DEFAULTS => Some(
            "What the artifacts of this document have in common. Properties, metadata and tags merge \
             by key; where an artifact sets the same key, the artifact's wins.",
        ),
        ARTIFACTS => Some(
            "The artifacts of this document. Each takes from `Defaults` what it does not set itself.",
        ),
        _ => None,
    }
}

/// Returns a finding with the reason of its rule.
pub(super) fn finding(finding: &Diagnostic) -> String {
    let mut out = format!("**{}** ({}): {}\n\n", finding.code, finding.severity, finding.message);
    if let Some(help) = &finding.help {
        let _ = write!(out, "help: {help}\n\n");
    }
    out.push_str(&reason(finding.code));
    out
}

/// Returns a rule by itself.
pub(super) fn rule(code: Code) -> String {
    let severity = match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    format!("**{code}** ({severity}): {}\n\n{}", code.summary(), reason(code))
}

/// Returns why it is a rule, with an example.
fn reason(code: Code) -> String {
    let explanation = code.explanation();
    let mut out = format!("{}\n", explanation.text);
    if let Some(example) = explanation.example {
        let _ = write!(
            out,
            "\nWrong:\n\n```yaml\n{}```\n\nRight:\n\n```yaml\n{}```\n",
            example.wrong, example.right
        );
    }
    if let Some(source) = explanation.source {
        let _ = write!(out, "\nFrom {source}.\n");
    }
    out
}
