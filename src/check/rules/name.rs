//! `ArtifactName`.

use super::content::Content;
use super::found::{note_secret, push, replaced};
use super::limit::Rule;
use crate::diagnostic::{Code, Draft, Findings, Fix, Pointer};
use crate::manifest::Text;
use crate::model::{ARTIFACT_NAME, Field, Violation};
use crate::text::{any, odd_space, quoted};

/// Places of one name that are shown.
const SHOWN: usize = 8;

pub(super) fn check(
    field: &Field,
    name: &Text<'_>,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let violations = ARTIFACT_NAME.violations(name.value);
    if violations.is_empty() {
        Content::new(field.name, None).check(name, path, findings);
        return;
    }
    note_secret(name, findings);
    let near = corrected(name.value);
    let fix = near.as_deref().and_then(|near| replaced(name, near, Fix::unsafely));
    // Whether another artifact has the name is known of a fix alone.
    let near = near.as_deref().filter(|_| fix.is_some());
    for violation in violations {
        let draft = match violation {
            Violation::Pattern { .. } => pattern(name, near),
            _ => {
                let rule = Rule::new(field.name, ARTIFACT_NAME);
                rule.draft_of(name, &violation)
            }
        };
        push(draft.fix(fix.clone()).at(path), name, findings);
    }
}

/// Returns the valid name that a fix writes in place of `name`, which is not valid. Letters that
/// ASCII lacks would be lost, and with them what the name says.
pub(super) fn corrected(name: &str) -> Option<String> {
    let lost = |c: char| !c.is_ascii() && c.is_alphanumeric();
    near(name).filter(|_| !name.contains(lost))
}

/// Returns one finding for all characters that a name cannot have.
fn pattern(name: &Text<'_>, near: Option<&str>) -> Draft {
    let value = name.value;
    let pattern = ARTIFACT_NAME.pattern;
    let runs = pattern.map_or_else(Vec::new, |pattern| pattern.all_offending(value));
    let mut held: Vec<String> = Vec::new();
    let (mut begins, mut ends) = (false, false);
    for run in &runs {
        let found = &value[run.clone()];
        if found.starts_with('-') {
            begins |= run.start == 0;
            ends |= run.start > 0;
        } else {
            let found = called(found);
            if !held.contains(&found) {
                held.push(found);
            }
        }
    }
    let edge = match (begins, ends) {
        (true, true) => Some("begin or end with `-`"),
        (true, false) => Some("begin with `-`"),
        (false, true) => Some("end with `-`"),
        (false, false) => None,
    };
    let hold = (!held.is_empty()).then(|| format!("contain {}", any(&held)));
    let both: Vec<_> = hold.into_iter().chain(edge.map(str::to_owned)).collect();
    let rule = "use ASCII letters and digits, with hyphens between them";
    let help = match near {
        Some(near) => format!("{rule}, such as {}", quoted(near)),
        None => rule.to_owned(),
    };
    let first = runs.first().cloned().unwrap_or(0..value.len());
    let message = format!("a name cannot {}", both.join(", or "));
    let mut draft = Draft::new(Code::NamePattern, name.locate(first), message).help(help);
    for run in runs.into_iter().skip(1).take(SHOWN) {
        draft = draft.related(name.locate(run), "not allowed here either");
    }
    draft
}

/// Returns the name of the characters `found`.
fn called(found: &str) -> String {
    let mut chars = found.chars();
    match (chars.next(), chars.next()) {
        (Some(' '), None) => "a space".to_owned(),
        (Some(c), None) => odd_space(c).unwrap_or_else(|| quoted(found)),
        _ if found.chars().all(|c| c == ' ') => "spaces".to_owned(),
        _ => quoted(found),
    }
}

/// Returns a valid name that is similar to `name`, if any characters are left.
#[must_use]
pub fn near(name: &str) -> Option<String> {
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
    (!near.is_empty()).then(|| near.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mapped_to_names_that_the_service_takes() {
        assert_eq!(near("churn_training set.v2").as_deref(), Some("churn-training-set-v2"));
        assert_eq!(near("__a--b__").as_deref(), Some("a-b"));
        assert_eq!(near("é"), None);
        let long = near(&format!("{}-x", "a".repeat(119))).unwrap();
        assert_eq!(long, "a".repeat(119));
        assert_eq!(ARTIFACT_NAME.violations(&long), []);
    }
}
