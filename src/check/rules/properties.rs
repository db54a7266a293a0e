//! `Properties`.

use super::text::Rule;
use crate::check::defaults::Defaults;
use crate::diagnostic::{Code, Draft, Findings, Pointer, ROOT};
use crate::manifest::{RawArtifact, RawProperty};
use crate::model::{PROPERTIES_MAX, PROPERTY_KEY, PROPERTY_VALUE};
use crate::source::Span;
use crate::text::counted;

pub(super) fn check(
    properties: &[RawProperty<'_>],
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) -> Vec<bool> {
    let mut sound = Vec::with_capacity(properties.len());
    for property in properties {
        let mut ok = true;
        let name = property.key.given().map_or("", |key| key.value);
        let path = &path.field(name);
        if let Some(key) = property.key.given() {
            let rule = Rule::new("a `Properties` key", PROPERTY_KEY, Code::PropertyKeyLength);
            ok &= rule.check(key, path, findings);
        }
        if let Some(value) = property.value.given() {
            let rule = Rule::new(name, PROPERTY_VALUE, Code::PropertyValueLength).of(name);
            ok &= rule.check(value, path, findings);
        }
        sound.push(ok);
    }
    let span = |at: usize| properties[at].key.given().map(|key| key.span);
    if properties.len() > PROPERTIES_MAX {
        let extra = (PROPERTIES_MAX..properties.len()).find_map(span).unwrap_or_default();
        findings.push(too_many(properties.len(), extra).at(path));
    }
    sound
}

fn too_many(count: usize, span: Span) -> Draft {
    let message = format!("{count} properties; an artifact can have at most {PROPERTIES_MAX}");
    Draft::new(Code::PropertyCount, span, message)
        .label(format!("property number {}", PROPERTIES_MAX + 1))
        .help(format!(
            "remove {}, or combine some into one value",
            counted(count - PROPERTIES_MAX, "property")
        ))
}

/// Checks the merge with the defaults. Returns false if a faulty default is used.
pub(super) fn with_defaults(
    raw: &RawArtifact<'_>,
    defaults: &Defaults,
    findings: &mut Findings<'_>,
) -> bool {
    if defaults.properties.is_faulty() {
        return false;
    }
    let Some(shared) = defaults.properties.given() else {
        return true;
    };
    let own = raw.properties.given().map_or(&[][..], Vec::as_slice);
    let overridden =
        |key: &str| own.iter().any(|one| one.key.given().is_some_and(|own| own.value == key));
    let taken: Vec<_> = shared.iter().filter(|one| !overridden(&one.key)).collect();
    let count = own.len() + taken.len();
    if count > PROPERTIES_MAX
        && own.len() <= PROPERTIES_MAX
        && let Some(first) = taken.first()
    {
        let message = format!(
            "{count} properties including `Defaults`; an artifact can have at most {PROPERTIES_MAX}"
        );
        let draft = Draft::new(Code::PropertyCount, raw.head, message)
            .help(format!("remove {}", counted(count - PROPERTIES_MAX, "property")))
            .related(first.span, format!("{} come from here", taken.len()));
        findings.push(draft.at(&ROOT.field("Properties")));
    }
    taken.iter().all(|one| !one.value.is_faulty())
}
