//! `Tags`.

use std::collections::HashMap;

use super::text::{self, Rule};
use crate::check::defaults::Defaults;
use crate::diagnostic::{Code, Draft, Findings, Fix, Pointer, ROOT, Safety};
use crate::manifest::{RawArtifact, RawTag, Text, layout};
use crate::model::{RESERVED_TAG_PREFIX, TAG_KEY, TAG_VALUE, TAGS_MAX, is_reserved_tag};
use crate::source::Span;
use crate::text::{counted, quoted};

pub(super) fn check(
    tags: &[RawTag<'_>],
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) -> Vec<bool> {
    let mut sound = Vec::with_capacity(tags.len());
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut in_lower_case: HashMap<String, Span> = HashMap::new();
    for (at, tag) in tags.iter().enumerate() {
        let path = &path.item(at);
        let mut ok = true;
        if let Some(key) = tag.key.given() {
            let path = &path.field("Key");
            ok &= Rule::new("Key", TAG_KEY, Code::TagKeyLength).check(key, path, findings);
            ok &= check_reserved(key, path, findings);
            let other_case = (tags.len() > 1)
                .then(|| in_lower_case.insert(key.value.to_lowercase(), key.span))
                .flatten();
            if let Some(first) = seen.get(key.value).and_then(|first| tags.get(*first)) {
                duplicate(first, tags.get(at.wrapping_sub(1)), tag, key, path, findings);
                ok = false;
            } else {
                seen.insert(key.value, at);
                if let Some(first) = other_case {
                    differs_in_case(key, first, path, findings);
                }
            }
        }
        if let Some(value) = tag.value.given() {
            let name = tag.key.given().map_or("", |key| key.value);
            let rule = Rule::new("Value", TAG_VALUE, Code::TagValueLength).of(name);
            ok &= rule.check(value, &path.field("Value"), findings);
        }
        sound.push(ok);
    }
    if tags.len() > TAGS_MAX {
        let message = format!("{} tags; an artifact can have at most {TAGS_MAX}", tags.len());
        let draft = Draft::new(Code::TagCount, tags[TAGS_MAX].head, message)
            .label(format!("tag number {}", TAGS_MAX + 1))
            .help(format!("remove {}", counted(tags.len() - TAGS_MAX, "tag")));
        findings.push(draft.at(path));
    }
    sound
}

/// Reports a tag with the same key as `first`. `before` is the item before it.
fn duplicate(
    first: &RawTag<'_>,
    before: Option<&RawTag<'_>>,
    tag: &RawTag<'_>,
    key: &Text<'_>,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let value = |tag: &RawTag<'_>| tag.value.given().map(|value| value.value.to_owned());
    let same = value(first).is_some() && value(first) == value(tag);
    let values = if same { "with the same value" } else { "with different values" };
    let message = format!("duplicate tag key {}, {values}", quoted(key.value));
    let edit = before
        .filter(|_| same)
        .and_then(|before| layout::remove_item(findings.source().text(), before.item, tag.item));
    let fix = edit.map(|edit| Fix { safety: Safety::Unsafe, edits: vec![edit] });
    let first = first.key.given().map_or(first.head, |key| key.span);
    let draft = Draft::new(Code::DuplicateTag, key.span, message).label("again");
    let draft = draft.related(first, "first given here").help("remove one of them").fix(fix);
    text::push(draft.at(path), key, findings);
}

fn differs_in_case(key: &Text<'_>, first: Span, path: &Pointer<'_>, findings: &mut Findings<'_>) {
    let name = quoted(key.value);
    let message = format!("the tag key {name} differs from another only in case");
    let draft = Draft::new(Code::TagCase, key.span, message)
        .related(first, "the other one")
        .help("keep one of them: tag keys are case-sensitive");
    text::push(draft.at(path), key, findings);
}

fn check_reserved(key: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) -> bool {
    let reserved = is_reserved_tag(key.value);
    if reserved {
        let message = "a tag key cannot begin with `aws:`: the prefix is reserved";
        let draft =
            Draft::new(Code::TagReserved, key.locate(0..RESERVED_TAG_PREFIX.len()), message);
        text::push(draft.help("choose another prefix, or remove the tag").at(path), key, findings);
    }
    !reserved
}

/// Checks the merge with the defaults. Returns false if a faulty default is used.
pub(super) fn with_defaults(
    raw: &RawArtifact<'_>,
    defaults: &Defaults,
    findings: &mut Findings<'_>,
) -> bool {
    if defaults.tags.is_faulty() {
        return false;
    }
    let Some(shared) = defaults.tags.given() else {
        return true;
    };
    let own = raw.tags.given().map_or(&[][..], Vec::as_slice);
    let overridden =
        |key: &str| own.iter().any(|one| one.key.given().is_some_and(|own| own.value == key));
    let taken: Vec<_> = shared.iter().filter(|one| !overridden(&one.key)).collect();
    let count = own.len() + taken.len();
    if count > TAGS_MAX
        && own.len() <= TAGS_MAX
        && let Some(first) = taken.first()
    {
        let message =
            format!("{count} tags including `Defaults`; an artifact can have at most {TAGS_MAX}");
        let draft = Draft::new(Code::TagCount, raw.head, message)
            .help(format!("remove {}", counted(count - TAGS_MAX, "tag")))
            .related(first.span, format!("{} come from here", taken.len()));
        findings.push(draft.at(&ROOT.field("Tags")));
    }
    taken.iter().all(|one| !one.value.is_faulty())
}
