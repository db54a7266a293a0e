//! `ArtifactName`.

use super::content::Content;
use super::text;
use crate::diagnostic::words::quoted;
use crate::diagnostic::{Code, Draft, Findings, Pointer};
use crate::limits::{ARTIFACT_NAME, Violation};
use crate::manifest::Text;

pub(super) fn check(name: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
    let violations = ARTIFACT_NAME.violations(name.value);
    if violations.is_empty() {
        Content::new("ArtifactName", None).check(name, path, findings);
    } else {
        text::note_secret(name, findings);
    }
    for violation in violations {
        match violation {
            Violation::Pattern { offending } => {
                let found = &name.value[offending.clone()];
                let what = if !found.starts_with('-') {
                    format!("a name cannot hold {}", quoted(found))
                } else if offending.start == 0 {
                    "a name cannot begin with `-`".to_owned()
                } else {
                    "a name cannot end with `-`".to_owned()
                };
                let draft = Draft::new(Code::NamePattern, name.locate(offending), what);
                text::push(draft.help(help(name.value)).at(path), name, findings);
            }
            _ => {
                let rule = text::Rule::new("ArtifactName", ARTIFACT_NAME, Code::NameLength);
                text::push(rule.draft_of(name, &violation).at(path), name, findings);
            }
        }
    }
}

/// A name near to `name` that the service takes.
fn help(name: &str) -> String {
    let mut near = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            near.push(c);
        } else if !near.ends_with('-') {
            near.push('-');
        }
    }
    let near: String = near.trim_matches('-').chars().take(ARTIFACT_NAME.max).collect();
    let near = near.trim_end_matches('-');
    let rule = "letters and digits of ASCII, with hyphens between them";
    if near.is_empty() {
        format!("use {rule}")
    } else {
        format!("use {rule}, as in {}", quoted(near))
    }
}
