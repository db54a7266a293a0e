//! What a look-up tells of an entry.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::artifact::Artifact;
use crate::service::Found;

/// How far the target's clock may be behind ours for an artifact to count as created after an
/// intent. Larger skews are refused by SigV4 anyway, at five minutes.
const SKEW: Duration = Duration::from_secs(300);

/// What is at the source of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Nothing,
    /// What an attempt of ours made: the same source, with our type and name, and not older than
    /// our intent.
    Ours { arn: String },
    /// The same source, from somebody else or from earlier.
    Same {
        arn: String,
        /// The fields in which it is not what the manifest says, of those that a listing shows.
        differences: Vec<String>,
    },
}

/// What `found`, a page of the artifacts at the entry's URI, tells of it.
pub(super) fn verdict(artifact: &Artifact, found: &[Found], intent: Option<SystemTime>) -> Verdict {
    let wanted: BTreeSet<_> = artifact.source.types.iter().collect();
    let same = found.iter().find(|one| {
        one.uri == artifact.source.uri && one.types.iter().collect::<BTreeSet<_>>() == wanted
    });
    let Some(same) = same else { return Verdict::Nothing };
    let arn = same.arn.clone();
    let alike = same.name == artifact.name
        && same.artifact_type.as_deref() == Some(artifact.artifact_type.as_str());
    let fresh = match (same.created, intent) {
        (Some(created), Some(intent)) => created + SKEW >= intent,
        _ => false,
    };
    if alike && fresh {
        return Verdict::Ours { arn };
    }
    let mut differences = Vec::new();
    if same.name != artifact.name {
        differences.push("ArtifactName".to_owned());
    }
    if same.artifact_type.as_deref() != Some(artifact.artifact_type.as_str()) {
        differences.push("ArtifactType".to_owned());
    }
    Verdict::Same { arn, differences }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Metadata, Source, SourceType};

    fn artifact() -> Artifact {
        Artifact {
            name: Some("a".into()),
            artifact_type: "DataSet".into(),
            source: Source {
                uri: "s3://b".into(),
                types: vec![SourceType { id_type: "Custom".into(), value: "1".into() }],
            },
            properties: std::collections::BTreeMap::new(),
            metadata_properties: Metadata::default(),
            tags: vec![],
        }
    }

    fn found(name: Option<&str>, value: &str, created: SystemTime) -> Found {
        Found {
            arn: "arn".into(),
            name: name.map(str::to_owned),
            artifact_type: Some("DataSet".into()),
            uri: "s3://b".into(),
            types: vec![SourceType { id_type: "Custom".into(), value: value.into() }],
            created: Some(created),
        }
    }

    #[test]
    fn same_and_ours() {
        let now = SystemTime::now();
        let judge = |found: Found| verdict(&artifact(), &[found], Some(now));
        let arn = || "arn".to_owned();
        assert_eq!(judge(found(Some("a"), "1", now)), Verdict::Ours { arn: arn() });
        let named = vec!["ArtifactName".to_owned()];
        let same = |differences: Vec<String>| Verdict::Same { arn: arn(), differences };
        assert_eq!(judge(found(Some("b"), "1", now)), same(named.clone()));
        assert_eq!(judge(found(None, "1", now)), same(named));
        assert_eq!(judge(found(Some("a"), "2", now)), Verdict::Nothing);
        let old = now - Duration::from_secs(3600);
        assert_eq!(judge(found(Some("a"), "1", old)), same(vec![]));
        assert_eq!(verdict(&artifact(), &[], Some(now)), Verdict::Nothing);
    }
}
