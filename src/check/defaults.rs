//! The `Defaults` of a document, checked once.

use crate::manifest::{RawArtifact, Slot};
use crate::model::{METADATA_FIELDS, PROPERTIES_MAX, TAGS_MAX};
use crate::source::Span;

/// `Defaults:`, each value either sound or faulty. A bad default is one finding, at the default;
/// the artifacts that use it are invalid without another finding.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    pub(super) artifact_type: Slot<String>,
    pub(super) properties: Slot<Vec<Shared>>,
    pub(super) metadata: Slot<[Slot<String>; METADATA_FIELDS.len()]>,
    pub(super) tags: Slot<Vec<Shared>>,
}

/// A property or tag of the defaults.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) key: String,
    pub(super) value: Slot<String>,
    /// The place of the key.
    pub(super) span: Span,
}

/// The values of a raw artifact that broke no rule, in the order in which [`super::rules`] checked
/// them.
#[derive(Debug, Default)]
pub(super) struct Sound {
    pub(super) artifact_type: bool,
    pub(super) properties: Vec<bool>,
    pub(super) metadata: [bool; METADATA_FIELDS.len()],
    pub(super) tags: Vec<bool>,
}

impl Defaults {
    pub(super) fn new(raw: &RawArtifact<'_>, sound: &Sound) -> Self {
        let keep = |value: &Slot<crate::manifest::Text<'_>>, sound: bool| match value {
            Slot::Absent => Slot::Absent,
            Slot::Given(text) if sound => Slot::Given(text.value.to_owned()),
            Slot::Given(_) | Slot::Doubtful(_) | Slot::Faulty => Slot::Faulty,
        };
        let shared = |pairs: Vec<Option<Shared>>| {
            // An unreadable key could be any key, so no default can be used.
            pairs.into_iter().collect::<Option<Vec<_>>>().map_or(Slot::Faulty, Slot::Given)
        };
        let sound_at = |list: &[bool], at: usize| list.get(at).copied().unwrap_or(false);
        Self {
            artifact_type: keep(&raw.artifact_type, sound.artifact_type),
            properties: match &raw.properties {
                Slot::Absent => Slot::Absent,
                Slot::Faulty | Slot::Doubtful(_) => Slot::Faulty,
                Slot::Given(list) if list.len() > PROPERTIES_MAX => Slot::Faulty,
                Slot::Given(list) => shared(
                    list.iter()
                        .enumerate()
                        .map(|(at, property)| {
                            let key = property.key.given()?;
                            let value = keep(&property.value, sound_at(&sound.properties, at));
                            Some(Shared { key: key.value.to_owned(), value, span: key.span })
                        })
                        .collect(),
                ),
            },
            metadata: match &raw.metadata {
                Slot::Absent => Slot::Absent,
                Slot::Faulty | Slot::Doubtful(_) => Slot::Faulty,
                Slot::Given(raw) => {
                    Slot::Given(std::array::from_fn(|at| keep(&raw.values[at], sound.metadata[at])))
                }
            },
            tags: match &raw.tags {
                Slot::Absent => Slot::Absent,
                Slot::Faulty | Slot::Doubtful(_) => Slot::Faulty,
                Slot::Given(list) if list.len() > TAGS_MAX => Slot::Faulty,
                Slot::Given(list) => shared(
                    list.iter()
                        .enumerate()
                        .map(|(at, tag)| {
                            let key = tag.key.given()?;
                            let value = keep(&tag.value, sound_at(&sound.tags, at));
                            Some(Shared { key: key.value.to_owned(), value, span: key.span })
                        })
                        .collect(),
                ),
            },
        }
    }
}
