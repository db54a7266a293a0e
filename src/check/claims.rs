//! The parts of an artifact that must be unique: its name and its source.

use crate::artifact::Key;
use crate::manifest::{RawMapping, RawValue, Slot};
use crate::model::Sense;
use crate::source::Span;

/// The keys of an artifact that must be unique.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Claims {
    pub(super) name: Option<Claim>,
    pub(super) source: Option<Claim>,
}

/// A name or a source, and where it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) key: Key,
    pub(super) span: Span,
}

/// Returns the name and the source of an artifact, as far as they are known.
pub(super) fn claims(raw: &RawMapping<'_>) -> Claims {
    Claims { name: name_claim(raw), source: source_claim(raw) }
}

/// Returns the name of an artifact as it is written.
pub(super) fn name_claim(raw: &RawMapping<'_>) -> Option<Claim> {
    let name = raw.text(Sense::Name).filter(|name| !name.value.is_empty())?;
    Some(Claim { key: Key::of_name(name.value), span: name.span })
}

/// Returns the source of an artifact, or of a `Source` alone, as it is written.
pub(super) fn source_claim(raw: &RawMapping<'_>) -> Option<Claim> {
    let uri = raw.text(Sense::Uri).filter(|uri| !uri.value.is_empty())?;
    Some(Claim { key: source_key(uri.value, source_types(raw)?), span: uri.span })
}

/// Returns the source types of an artifact, or of a `Source` alone; `None` if one of them is not
/// known.
pub(super) fn source_types<'a>(raw: &RawMapping<'a>) -> Option<Vec<(&'a str, &'a str)>> {
    match raw.list(Sense::SourceIds) {
        Slot::Faulty => None,
        Slot::Given(RawValue::List(list)) | Slot::Doubtful(RawValue::List(list)) => {
            let pair = |one: &RawMapping<'a>| {
                let [id_type, value] = one.pair();
                Some((id_type?.value, value?.value))
            };
            list.iter().map(pair).collect()
        }
        _ => Some(Vec::new()),
    }
}

/// Returns the key of a source, whose types are a set.
pub(super) fn source_key(uri: &str, mut types: Vec<(&str, &str)>) -> Key {
    types.sort_unstable();
    types.dedup();
    Key::of_identity(uri, types.into_iter())
}
