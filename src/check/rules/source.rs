//! `SourceTypes`.

use super::found::{push, replaced};
use super::limit::Rule;
use crate::diagnostic::{Code, Draft, Findings, Fix, Pointer, Safety};
use crate::manifest::{RawMapping, Text, layout};
use crate::model::{SOURCE_ID_TYPES, SOURCE_TYPE_VALUE};
use crate::source::Span;
use crate::text::{either, quoted};

/// Checks the ids of what is at a URI.
pub(super) fn check(types: &[RawMapping<'_>], path: &Pointer<'_>, findings: &mut Findings<'_>) {
    let mut seen: Vec<(&str, &str, Span)> = Vec::new();
    let mut before: Option<Span> = None;
    for (at, source_type) in types.iter().enumerate() {
        let path = &path.item(at);
        let before = before.replace(source_type.item);
        check_type(source_type, path, findings);
        let [Some(id_type), Some(value)] = source_type.pair() else { continue };
        // Of a misspelt type, the value has the form of the one that is meant.
        let is_known = SOURCE_ID_TYPES.contains(&id_type.value);
        let meant = (!is_known).then(|| meant(id_type.value)).flatten();
        let meant = meant.map_or(id_type.value, |(meant, _)| meant);
        format_of(meant, value, &path.field("Value"), findings);
        let first = seen.iter().find(|(a, b, _)| (*a, *b) == (id_type.value, value.value));
        if let Some((.., first)) = first {
            let message = format!("duplicate {} {}", id_type.value, quoted(value.value));
            let text = findings.source().text();
            let edit =
                before.and_then(|before| layout::remove_item(text, before, source_type.item));
            let fix = edit.map(|edit| Fix { safety: Safety::Unsafe, edits: vec![edit] });
            let draft = Draft::new(Code::DuplicateSourceType, value.span, message)
                .label("again")
                .related(*first, "first given here")
                .help("remove one of them: source types are a set")
                .fix(fix);
            push(draft.at(path), value, findings);
        } else if seen.len() < COMPARED {
            seen.push((id_type.value, value.value, value.span));
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

fn check_type(source_type: &RawMapping<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
    let [id_type, value] = source_type.pair();
    if let Some(id_type) = id_type
        && !SOURCE_ID_TYPES.contains(&id_type.value)
    {
        let draft = unknown_id_type(id_type).at(&path.field("SourceIdType"));
        push(draft, id_type, findings);
    }
    if let Some(value) = value {
        let rule = Rule::new("Value", SOURCE_TYPE_VALUE);
        rule.check(value, &path.field("Value"), findings);
    }
}

fn unknown_id_type(id_type: &Text<'_>) -> Draft {
    let message = format!("invalid `SourceIdType` {}", quoted(id_type.value));
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
