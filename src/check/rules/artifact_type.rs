//! `ArtifactType`.

use super::found::{push, replaced};
use super::limit::Rule;
use crate::diagnostic::{Code, Draft, Findings, Fix, Pointer};
use crate::manifest::Text;
use crate::model::{ARTIFACT_TYPE, Field, USUAL_ARTIFACT_TYPES};
use crate::text::{either, quoted};

pub(super) fn check(
    field: &Field,
    artifact_type: &Text<'_>,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    Rule::new(field.name, ARTIFACT_TYPE).check(artifact_type, path, findings);
    let value = artifact_type.value;
    if value.is_empty() {
        let message = format!(
            "`{}` is empty: lists filtered by type will not show this artifact",
            field.name
        );
        let help = format!("write {}, or another type", either(USUAL_ARTIFACT_TYPES[..3].to_vec()));
        let draft = Draft::new(Code::TypeEmpty, artifact_type.span, message).help(help);
        push(draft.at(path), artifact_type, findings);
    }
    let usual = USUAL_ARTIFACT_TYPES.into_iter().find(|usual| usual.eq_ignore_ascii_case(value));
    if let Some(usual) = usual.filter(|usual| *usual != value) {
        let message = format!("{} differs from the usual `{usual}` only in case", quoted(value));
        let fix = replaced(artifact_type, usual, Fix::unsafely);
        let draft = Draft::new(Code::TypeCase, artifact_type.span, message)
            .help(format!("write `{usual}`: lists filtered by type are case-sensitive"))
            .fix(fix);
        push(draft.at(path), artifact_type, findings);
    }
}
