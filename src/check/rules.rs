//! The rules for one artifact, one file for each group.
//!
//! A rule checks a raw value and returns whether it is valid; a fault is a finding with the exact
//! characters. No rule looks at another manifest.

mod artifact_type;
mod content;
mod metadata;
mod name;
mod properties;
mod source;
mod tags;
mod text;
mod uri;

pub use name::near as near_name;

use super::defaults::{Defaults, Sound};
use crate::diagnostic::{Code, Draft, Findings, ROOT};
use crate::manifest::{RawArtifact, Slot};

/// Checks one artifact against the service's constraints. Returns false if it uses a faulty
/// default, which has been reported at the default.
pub(super) fn artifact(
    raw: &RawArtifact<'_>,
    defaults: &Defaults,
    findings: &mut Findings<'_>,
) -> bool {
    let mut sound = Sound::default();
    own_values(raw, &mut sound, findings);
    required(raw, defaults, findings);
    let properties = properties::with_defaults(raw, defaults, findings);
    let tags = tags::with_defaults(raw, defaults, findings);
    let metadata = metadata::with_defaults(raw, defaults);
    let artifact_type = !raw.artifact_type.is_absent() || !defaults.artifact_type.is_faulty();
    properties && tags && metadata && artifact_type
}

/// Checks the defaults of a document.
pub(super) fn defaults(raw: &RawArtifact<'_>, findings: &mut Findings<'_>) -> Defaults {
    let mut sound = Sound::default();
    own_values(raw, &mut sound, findings);
    Defaults::new(raw, &sound)
}

fn own_values(raw: &RawArtifact<'_>, sound: &mut Sound, findings: &mut Findings<'_>) {
    if let Some(name) = raw.name.given() {
        name::check(name, &ROOT.field("ArtifactName"), findings);
    }
    if let Some(text) = raw.artifact_type.given() {
        sound.artifact_type = artifact_type::check(text, &ROOT.field("ArtifactType"), findings);
    }
    if let Some(source) = raw.source.given() {
        source::check(source, &ROOT.field("Source"), findings);
    }
    if let Some(list) = raw.properties.given() {
        sound.properties = properties::check(list, &ROOT.field("Properties"), findings);
    }
    if let Some(raw) = raw.metadata.given() {
        sound.metadata = metadata::check(raw, &ROOT.field("MetadataProperties"), findings);
    }
    if let Some(list) = raw.tags.given() {
        sound.tags = tags::check(list, &ROOT.field("Tags"), findings);
    }
}

fn required(raw: &RawArtifact<'_>, defaults: &Defaults, findings: &mut Findings<'_>) {
    if raw.broken {
        return;
    }
    if raw.artifact_type.is_absent() && defaults.artifact_type.is_absent() {
        let message = "missing field `ArtifactType`";
        let draft = Draft::new(Code::MissingField, raw.head, message).at(&ROOT);
        findings.push(draft.help(
            "add `ArtifactType: DataSet`, or `Model`, `Image` or another \
                                  type",
        ));
    }
    match &raw.source {
        Slot::Absent => {
            let message = "missing field `Source`";
            let draft = Draft::new(Code::MissingField, raw.head, message).at(&ROOT);
            findings.push(draft.help("add `Source:` and below it, indented, `SourceUri: …`"));
        }
        Slot::Given(source) | Slot::Doubtful(source) if source.uri.is_absent() => {
            let draft = Draft::new(
                Code::MissingField,
                source.head,
                "missing field `SourceUri` in \
                                                             `Source`",
            );
            findings.push(draft.help("add `SourceUri: …`").at(&ROOT.field("Source")));
        }
        Slot::Given(_) | Slot::Doubtful(_) | Slot::Faulty => {}
    }
}
