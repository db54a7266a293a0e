//! `MetadataProperties`.

use super::text::Rule;
use crate::check::defaults::Defaults;
use crate::diagnostic::{Code, Findings, Pointer};
use crate::manifest::{RawArtifact, RawMetadata, Slot};
use crate::model::{METADATA_FIELDS, METADATA_VALUE};

pub(super) fn check(
    metadata: &RawMetadata<'_>,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) -> [bool; METADATA_FIELDS.len()] {
    std::array::from_fn(|at| {
        let Some(value) = metadata.values[at].given() else {
            return true;
        };
        let name = METADATA_FIELDS[at];
        let rule = Rule::new(name, METADATA_VALUE, Code::MetadataLength);
        rule.check(value, &path.field(name), findings)
    })
}

/// False where a faulty default is taken.
pub(super) fn with_defaults(raw: &RawArtifact<'_>, defaults: &Defaults) -> bool {
    let shared = match &defaults.metadata {
        Slot::Absent => return true,
        Slot::Faulty | Slot::Doubtful(_) => return false,
        Slot::Given(shared) => shared,
    };
    let overridden =
        |at: usize| raw.metadata.given().is_some_and(|own| !own.values[at].is_absent());
    (0..METADATA_FIELDS.len()).all(|at| overridden(at) || !shared[at].is_faulty())
}
