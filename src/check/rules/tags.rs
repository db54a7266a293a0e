//! `Tags`.

use hashbrown::HashMap;

use super::found::push;
use super::limit::{Rule, plain_tag};
use super::repeated::Repeated;
use crate::check::defaults::Unsound;
use crate::diagnostic::{Code, Draft, Findings, Fix, Pointer, Safety};
use crate::manifest::{RawMapping, Text, layout};
use crate::model::{Field, Kind, RESERVED_TAG_PREFIX, is_reserved_tag};
use crate::source::Span;
use crate::text::quoted;

pub(super) fn check(
    field: &'static Field,
    tags: &[RawMapping<'_>],
    path: &Pointer<'_>,
    unsound: &mut Unsound,
    findings: &mut Findings<'_>,
) {
    let Kind::Pairs { item, .. } = field.kind else { return };
    let [of_key, of_value] = item.fields else { return };
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut in_lower_case: HashMap<String, Span> = HashMap::new();
    let keys = tags.iter().filter_map(|tag| tag.pair()[0].map(|key| key.value));
    let corrected = Repeated::new(keys.map(plain_tag));
    for (at, tag) in tags.iter().enumerate() {
        let path = &path.item(at);
        let mut ok = true;
        let [key, value] = tag.pair();
        if let Some(key) = key {
            let path = &path.field(of_key.name);
            if let Some(rule) = Rule::of_field(of_key) {
                let rule = rule.colliding(corrected.has(&plain_tag(key.value)));
                ok &= rule.check(key, path, findings);
            }
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
        if let (Some(value), Some(rule)) = (value, Rule::of_field(of_value)) {
            let rule = rule.of(key.map_or("", |key| key.value));
            ok &= rule.check(value, &path.field(of_value.name), findings);
        }
        unsound.note(field, at, ok);
    }
}

/// Reports a tag with the same key as `first`. `before` is the item before it.
fn duplicate(
    first: &RawMapping<'_>,
    before: Option<&RawMapping<'_>>,
    tag: &RawMapping<'_>,
    key: &Text<'_>,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let value = |tag: &RawMapping<'_>| tag.pair()[1].map(|value| value.value.to_owned());
    let same = value(first).is_some() && value(first) == value(tag);
    let values = if same { "with the same value" } else { "with different values" };
    let message = format!("duplicate tag key {}, {values}", quoted(key.value));
    let edit = before
        .filter(|_| same)
        .and_then(|before| layout::remove_item(findings.source().text(), before.item, tag.item));
    let fix = edit.map(|edit| Fix::new(Safety::Unsafe, vec![edit]));
    let first = first.pair()[0].map_or(first.head, |key| key.span);
    let draft = Draft::new(Code::DuplicateTag, key.span, message).label("again");
    let draft = draft.related(first, "first given here").help("remove one of them").fix(fix);
    push(draft.at(path), key, findings);
}

fn differs_in_case(key: &Text<'_>, first: Span, path: &Pointer<'_>, findings: &mut Findings<'_>) {
    let name = quoted(key.value);
    let message = format!("the tag key {name} differs from another only in case");
    let draft = Draft::new(Code::TagCase, key.span, message)
        .related(first, "the other one")
        .help("keep one of them: tag keys are case-sensitive");
    push(draft.at(path), key, findings);
}

fn check_reserved(key: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) -> bool {
    let reserved = is_reserved_tag(key.value);
    if reserved {
        let message = "a tag key cannot begin with `aws:`: the prefix is reserved";
        let draft =
            Draft::new(Code::TagReserved, key.locate(0..RESERVED_TAG_PREFIX.len()), message);
        push(draft.help("choose another prefix, or remove the tag").at(path), key, findings);
    }
    !reserved
}
