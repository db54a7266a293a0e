//! `SourceTypes`.

use std::borrow::Cow;

use super::found::{push, replaced};
use super::limit::{Rule, plain};
use super::repeated::Repeated;
use crate::diagnostic::{Code, Draft, Findings, Fix, Pointer, Safety};
use crate::manifest::{RawMapping, Text, layout};
use crate::model::{Field, Kind, SOURCE_ID_TYPES};
use crate::source::Span;
use crate::text::{either, quoted};

/// Checks the ids of what is at a URI.
pub(super) fn check(
    field: &Field,
    types: &[RawMapping<'_>],
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let Kind::Pairs { item, .. } = field.kind else { return };
    let [of_type, of_value] = item.fields else { return };
    let mut seen: Vec<(&str, &str, Span)> = Vec::new();
    let mut before: Option<Span> = None;
    let pairs = types.iter().filter_map(|one| match one.pair() {
        [Some(id_type), Some(value)] => Some((id_type.value, value.value)),
        _ => None,
    });
    let corrected = Repeated::new(pairs.map(|(id_type, value)| corrected(id_type, value)));
    for (at, source_type) in types.iter().enumerate() {
        let path = &path.item(at);
        let before = before.replace(source_type.item);
        let [id_type, value] = source_type.pair();
        if let Some(id_type) = id_type
            && !SOURCE_ID_TYPES.contains(&id_type.value)
        {
            let draft = unknown_id_type(of_type, id_type).at(&path.field(of_type.name));
            push(draft, id_type, findings);
        }
        if let (Some(value), Some(rule)) = (value, Rule::of_field(of_value)) {
            let repeated = id_type
                .is_some_and(|id_type| corrected.has(&self::corrected(id_type.value, value.value)));
            rule.colliding(repeated).check(value, &path.field(of_value.name), findings);
        }
        let (Some(id_type), Some(value)) = (id_type, value) else { continue };
        // Of a misspelt type, the one that is meant counts.
        let id_type = known_or_meant(id_type.value);
        format_of(id_type, value, &path.field(of_value.name), findings);
        let first = seen.iter().find(|(a, b, _)| (*a, *b) == (id_type, value.value));
        if let Some((.., first)) = first {
            let message = format!("duplicate {id_type} {}", quoted(value.value));
            let text = findings.source().text();
            let edit =
                before.and_then(|before| layout::remove_item(text, before, source_type.item));
            let fix = edit.map(|edit| Fix::new(Safety::Unsafe, vec![edit]));
            let draft = Draft::new(Code::DuplicateSourceType, value.span, message)
                .label("again")
                .related(*first, "first given here")
                .help("remove one of them: source types are a set")
                .fix(fix);
            push(draft.at(path), value, findings);
        } else if seen.len() < COMPARED {
            seen.push((id_type, value.value, value.span));
        }
    }
}

/// The number of source types that are compared with each other: only a hostile file has more.
const COMPARED: usize = 64;

/// Checks that a value has the form of its type.
fn format_of(id_type: &str, value: &Text<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
    let (fits, form) = match id_type {
        "MD5Hash" => (is_md5(value.value), "32 hexadecimal digits"),
        "S3ETag" => (
            is_etag(value.value),
            "32 hexadecimal digits, then `-` and the number of parts if it was a multipart upload",
        ),
        _ => return,
    };
    if fits || value.value.is_empty() {
        return;
    }
    let base64 = value.value.len() == 24 && value.value.ends_with("==");
    let help = if id_type == "MD5Hash" && base64 {
        "it looks like base64, as in a `Content-MD5` header: write it in hexadecimal, or use \
         `Custom`"
            .to_owned()
    } else {
        format!("expected {form}; use `Custom` for anything else")
    };
    let message = format!("{} is not a valid {id_type}", quoted(value.value));
    let draft = Draft::new(Code::SourceValueFormat, value.span, message).help(help);
    push(draft.at(path), value, findings);
}

fn is_md5(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_etag(value: &str) -> bool {
    let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let (digest, parts) = bare.split_once('-').unwrap_or((bare, "1"));
    is_md5(digest) && (1..=5).contains(&parts.len()) && parts.bytes().all(|b| b.is_ascii_digit())
}

/// Returns a source type as it is after every fix of it. What is only longer or shorter in its
/// spaces becomes the same.
pub(super) fn corrected<'t>(id_type: &'t str, value: &'t str) -> (&'t str, Cow<'t, str>) {
    (known_or_meant(id_type), plain(value))
}

/// Returns the id type that is meant by `text`, or `text` if that is one or none is.
fn known_or_meant(text: &str) -> &str {
    if SOURCE_ID_TYPES.contains(&text) {
        text
    } else {
        meant(text).map_or(text, |(meant, _)| meant)
    }
}

fn unknown_id_type(field: &Field, id_type: &Text<'_>) -> Draft {
    let message = format!("invalid `{}` {}", field.name, quoted(id_type.value));
    let known = either(SOURCE_ID_TYPES);
    let meant = meant(id_type.value);
    let help = match meant {
        Some((meant, _)) => format!("did you mean `{meant}`? Expected one of {known}"),
        None => format!("expected one of {known}"),
    };
    let fix = meant.and_then(|(meant, safety)| {
        replaced(id_type, meant, |span, text| Fix { safety, ..Fix::safe(span, text) })
    });
    Draft::new(Code::SourceIdType, id_type.span, message).help(help).fix(fix)
}

/// Returns the id type that `text` was meant to be, and the safety of the fix.
fn meant(text: &str) -> Option<(&'static str, Safety)> {
    let plain: String =
        text.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect();
    let known = SOURCE_ID_TYPES.into_iter();
    match plain.as_str() {
        "md5" | "md5sum" => Some(("MD5Hash", Safety::Safe)),
        "etag" => Some(("S3ETag", Safety::Safe)),
        "version" | "versionid" | "s3versionid" => Some(("S3Version", Safety::Unsafe)),
        plain => known
            .map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), plain), known))
            .min()
            .filter(|(distance, _)| *distance <= 2)
            .map(|(distance, known)| {
                (known, if distance == 0 { Safety::Safe } else { Safety::Unsafe })
            }),
    }
}
