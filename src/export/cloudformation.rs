//! Artifacts as resources of CloudFormation templates.
//!
//! In: artifacts. Out: the text of templates, in YAML. A logical id depends on its artifact alone, so
//! that no other artifact changes it.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::artifact::{Artifact, Key};
use crate::manifest::write;
use crate::model::CLOUDFORMATION_TYPE;

/// The longest part of a logical id that is a name: CloudFormation accepts 255 characters.
const LONGEST: usize = 200;
/// Bytes of the digest in a logical id.
const DIGEST: usize = 4;

/// The text before the first resource.
pub(super) const HEAD: &str = "AWSTemplateFormatVersion: \"2010-09-09\"\n\
     Description: Artifacts of SageMaker ML Lineage, exported by lineload\n\
     Resources:\n";

/// Returns `artifact` as a resource. Its logical id differs from all that are `taken`, and is added to
/// them.
pub(super) fn resource(artifact: &Artifact, taken: &mut HashSet<String>) -> String {
    let first = logical_id(artifact);
    let mut id = first.clone();
    let mut number = 2;
    while !taken.insert(id.clone()) {
        id = format!("{first}{number}");
        number += 1;
    }
    let fields = write::indented(artifact, "      ");
    format!("  {id}:\n    Type: {CLOUDFORMATION_TYPE}\n    Properties:\n{fields}")
}

/// Returns whether CloudFormation reads a text of `artifact` as something else: a function, or a dynamic
/// reference. No template can say such an artifact.
pub(super) fn is_misread(artifact: &Artifact, text: &str) -> bool {
    let is_function = |key: &String| key == "Ref" || key.starts_with("Fn::");
    artifact.properties.keys().any(is_function) || text.contains("{{resolve:")
}

/// Returns letters and digits of the name, or of the end of the URI, and a digest behind them.
fn logical_id(artifact: &Artifact) -> String {
    let name = artifact.name.as_deref().unwrap_or_else(|| {
        artifact.source.uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    });
    let mut id = String::new();
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = part.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.extend(letters);
    }
    id.truncate(LONGEST);
    let Key(of_source) = artifact.identity().key();
    let Key(of_name) = artifact.name.as_deref().map_or(Key([0; 16]), Key::of_name);
    for (one, other) in of_source.iter().zip(of_name).take(DIGEST) {
        let _ = write!(id, "{:02X}", one ^ other);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(name: Option<&str>, uri: &str) -> Artifact {
        let mut artifact = Artifact { name: name.map(str::to_owned), ..Artifact::default() };
        artifact.artifact_type = "DataSet".to_owned();
        artifact.source.uri = uri.to_owned();
        artifact
    }

    #[test]
    fn logical_ids_are_letters_and_digits_and_differ() {
        let mut taken = HashSet::new();
        let ids = [
            artifact(Some("churn-training-set"), "s3://lake/churn/"),
            artifact(Some("churn-trainingSet"), "s3://lake/churn/"),
            artifact(None, "s3://lake/über/2026_01.csv"),
            artifact(Some("churn-training-set"), "s3://lake/churn/"),
            artifact(None, "s3://ü"),
        ]
        .map(|one| {
            let text = resource(&one, &mut taken);
            text.lines().next().unwrap().trim().trim_end_matches(':').to_owned()
        });
        assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_alphanumeric())), "{ids:?}");
        assert!(ids[0].starts_with("ChurnTrainingSet"), "{ids:?}");
        assert!(ids[2].starts_with("202601Csv"), "{ids:?}");
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids[3], format!("{}2", ids[0]));
        assert_eq!(ids[4].len(), 8);
    }

    #[test]
    fn what_cloudformation_would_evaluate_is_known() {
        let is_misread = |one: &Artifact| is_misread(one, &write::artifact(one));
        let mut one = artifact(None, "s3://lake/a");
        assert!(!is_misread(&one));
        one.properties.insert("Ref".to_owned(), "x".to_owned());
        assert!(is_misread(&one));
        assert!(is_misread(&artifact(None, "s3://lake/{{resolve:ssm:name}}")));
    }
}
