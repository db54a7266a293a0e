//! `Source`.

use super::text::{self, Rule};
use crate::diagnostic::words::{either, quoted};
use crate::diagnostic::{Code, Draft, Findings, Pointer};
use crate::limits;
use crate::manifest::{RawSource, RawSourceType, Text};

pub(super) fn check(source: &RawSource<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
    if let Some(uri) = source.uri.given() {
        let rule = Rule::new("SourceUri", limits::SOURCE_URI, Code::UriLength);
        rule.check(uri, &path.field("SourceUri"), findings);
    }
    let Some(types) = source.types.given() else {
        return;
    };
    let path = path.field("SourceTypes");
    for (at, source_type) in types.iter().enumerate() {
        check_type(source_type, &path.item(at), findings);
    }
}

fn check_type(source_type: &RawSourceType<'_>, path: &Pointer<'_>, findings: &mut Findings<'_>) {
    if let Some(id_type) = source_type.id_type.given()
        && !limits::SOURCE_ID_TYPES.contains(&id_type.value)
    {
        let draft = unknown_id_type(id_type).at(&path.field("SourceIdType"));
        text::push(draft, id_type, findings);
    }
    if let Some(value) = source_type.value.given() {
        let rule = Rule::new("Value", limits::SOURCE_TYPE_VALUE, Code::SourceValueLength);
        rule.check(value, &path.field("Value"), findings);
    }
}

fn unknown_id_type(id_type: &Text<'_>) -> Draft {
    let message = format!("the service knows no `SourceIdType` {}", quoted(id_type.value));
    let known = either(limits::SOURCE_ID_TYPES);
    let help = match meant(id_type.value) {
        Some(meant) => format!("did you mean `{meant}`? It can be {known}"),
        None => format!("use {known}"),
    };
    Draft::new(Code::SourceIdType, id_type.span, message).help(help)
}

/// The id type that `text` was probably meant to be.
pub(crate) fn meant(text: &str) -> Option<&'static str> {
    let plain: String =
        text.chars().filter(char::is_ascii_alphanumeric).flat_map(char::to_lowercase).collect();
    let known = limits::SOURCE_ID_TYPES.into_iter();
    match plain.as_str() {
        "md5" | "md5sum" => Some("MD5Hash"),
        "etag" => Some("S3ETag"),
        "version" | "versionid" | "s3versionid" => Some("S3Version"),
        plain => known
            .map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), plain), known))
            .min()
            .filter(|(distance, _)| *distance <= 2)
            .map(|(_, known)| known),
    }
}
