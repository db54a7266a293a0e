//! The rules for one artifact, one file for each group.
//!
//! A rule checks a raw value and returns whether it is valid; a fault is a finding with the exact
//! characters. No rule looks at another manifest.

mod artifact_type;
mod content;
mod corrected;
mod entries;
mod found;
mod limit;
mod name;
mod properties;
mod repeated;
mod source;
mod tags;
mod uri;

pub use name::near as near_name;

use super::defaults::{Defaults, Taken, Unsound};
use crate::diagnostic::{Code, Draft, Findings, Pointer, ROOT};
use crate::manifest::{RawMapping, RawValue, Slot, Text};
use crate::model::{Field, Sense};
use limit::Rule;

/// Checks one artifact, which takes something from the defaults of its document, against the
/// service's constraints.
pub(super) fn artifact(
    raw: &RawMapping<'_>,
    defaults: &Defaults,
    taken: &Taken<'_>,
    findings: &mut Findings<'_>,
) {
    own_values(raw, &ROOT, &mut Unsound::default(), findings);
    required(raw, &ROOT, defaults, findings);
    entries::with_defaults(raw, taken, findings);
}

/// Checks the defaults of a document.
pub(super) fn defaults(raw: &RawMapping<'_>, findings: &mut Findings<'_>) -> Defaults {
    let mut unsound = Unsound::default();
    own_values(raw, &ROOT, &mut unsound, findings);
    Defaults::new(raw, &unsound)
}

fn own_values(
    raw: &RawMapping<'_>,
    path: &Pointer<'_>,
    unsound: &mut Unsound,
    findings: &mut Findings<'_>,
) {
    for (field, slot) in raw.fields() {
        let Some(value) = slot.given() else { continue };
        let path = &path.field(field.name);
        let fixes = findings.fixes();
        match value {
            RawValue::Text(value) => {
                let sound = one_text(field, value, path, findings);
                unsound.note(field, 0, sound);
            }
            RawValue::Mapping(below) => own_values(below, path, unsound, findings),
            RawValue::List(items) if field.sense == Sense::Tags => {
                tags::check(field, items, path, unsound, findings);
            }
            RawValue::List(items) => source::check(field, items, path, findings),
            RawValue::Map(list) => properties::check(field, list, path, unsound, findings),
        }
        entries::check(field, value, path, findings);
        if findings.fixes() != fixes
            && let Some(becomes) = corrected::becomes(raw, field.sense)
        {
            findings.fixes_become(fixes, &becomes);
        }
    }
}

/// Returns whether the text of a field is sound.
fn one_text(
    field: &Field,
    value: &Text<'_>,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) -> bool {
    let errors = findings.errors();
    match field.sense {
        Sense::Name => name::check(field, value, path, findings),
        Sense::Type => artifact_type::check(field, value, path, findings),
        _ => {
            if let Some(rule) = Rule::of_field(field) {
                rule.check(value, path, findings);
            }
        }
    }
    if field.sense == Sense::Uri {
        uri::check(field, value, path, findings);
    }
    findings.errors() == errors
}

/// Reports the fields that are missing from `raw` and, in an artifact, from the defaults. Those of
/// items of lists have been reported.
fn required(
    raw: &RawMapping<'_>,
    path: &Pointer<'_>,
    defaults: &Defaults,
    findings: &mut Findings<'_>,
) {
    if raw.broken {
        return;
    }
    for (field, slot) in raw.fields() {
        match slot {
            Slot::Absent if field.required && defaults.lack(field) => {
                let message = raw.missing(field);
                let draft = Draft::new(Code::MissingField, raw.head, message).at(path);
                findings.push(draft.help(field.help_when_missing()));
            }
            Slot::Given(RawValue::Mapping(below)) | Slot::Doubtful(RawValue::Mapping(below)) => {
                required(below, &path.field(field.name), defaults, findings);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ARTIFACT, Kind, Mapping, TextLimit};

    fn limits(mapping: &Mapping, found: &mut Vec<TextLimit>) {
        for field in mapping.fields {
            match field.kind {
                Kind::Text(limit) => found.push(limit),
                Kind::Map { key, value, .. } => found.extend([key, value]),
                Kind::Mapping(below) | Kind::Pairs { item: below, .. } => limits(below, found),
                Kind::Choice(_) => {}
            }
        }
    }

    #[test]
    fn the_rules_that_the_model_names_are_there() {
        let mut found = Vec::new();
        limits(&ARTIFACT, &mut found);
        assert!(!found.is_empty());
        for limit in found {
            assert!(Code::from_name(limit.rule).is_some(), "{}: {}", limit.shape, limit.rule);
        }
        for field in ARTIFACT.fields.iter().filter(|field| field.max().is_some()) {
            assert!(Code::from_name(field.entry.rule).is_some(), "{}", field.name);
        }
    }
}
