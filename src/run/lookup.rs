//! What a look-up tells of an entry.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::KnownThere;
use crate::artifact::{Artifact, Difference};
use crate::service::Found;

/// How far the target's clock may be behind ours for an artifact to count as created after an
/// intent. Larger skews are refused by SigV4 anyway, at five minutes.
const SKEW: Duration = Duration::from_secs(300);

/// How far a time may be off by being written down: the service tells milliseconds as a fraction.
const ROUNDING: Duration = Duration::from_millis(2);

/// What is at the source of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Nothing,
    /// What an attempt of ours may have made: the same source, with our type and name, and not older
    /// than our intent.
    Ours(Found),
    /// The same, but older than our intent by less than clocks may differ.
    OursPerhaps(Found),
    /// The same source, from somebody else or from earlier.
    Same(Found),
}

/// What `found`, a page of the artifacts at the entry's URI, tells of it.
pub(super) fn verdict(
    artifact: &Artifact,
    found: Vec<Found>,
    intent: Option<SystemTime>,
) -> Verdict {
    let wanted: BTreeSet<_> = artifact.source.types.iter().collect();
    let same = found.into_iter().find(|one| {
        one.uri == artifact.source.uri && one.types.iter().collect::<BTreeSet<_>>() == wanted
    });
    let Some(same) = same else { return Verdict::Nothing };
    let alike = same.name == artifact.name
        && same.artifact_type.as_deref() == Some(artifact.artifact_type.as_str());
    let (Some(created), Some(intent)) = (same.created, intent) else {
        return Verdict::Same(same);
    };
    if alike && created + ROUNDING >= intent {
        Verdict::Ours(same)
    } else if alike && created + SKEW >= intent {
        Verdict::OursPerhaps(same)
    } else {
        Verdict::Same(same)
    }
}

/// The differences that a listing shows.
#[must_use]
pub fn seen_differences(wanted: &Artifact, found: &Found) -> Vec<Difference> {
    let mut there = wanted.clone();
    there.name.clone_from(&found.name);
    there.artifact_type = found.artifact_type.clone().unwrap_or_default();
    wanted.differences(&there)
}

/// Whether the journal knows that what was found is equal, and nobody has changed it since.
#[must_use]
pub fn is_unchanged(known: &KnownThere, found: &Found) -> bool {
    let millis = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH).map(|since| since.as_millis()).unwrap_or_default()
    };
    let equal = |one: SystemTime, other: SystemTime| millis(one) == millis(other);
    known.differences.is_empty()
        && match (known.modified, found.modified, found.created) {
            (Some(then), Some(now), _) => equal(then, now),
            // What we created is as we created it.
            (None, Some(modified), Some(created)) => known.made && equal(modified, created),
            (_, modified, _) => modified.is_none(),
        }
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
            modified: Some(created),
        }
    }

    #[test]
    fn same_and_ours() {
        let now = SystemTime::now();
        let judge = |found: Found| verdict(&artifact(), vec![found], Some(now));
        let ours = found(Some("a"), "1", now);
        assert_eq!(judge(ours.clone()), Verdict::Ours(ours));
        for name in [Some("b"), None] {
            let same = found(name, "1", now);
            assert_eq!(judge(same.clone()), Verdict::Same(same));
        }
        assert_eq!(judge(found(Some("a"), "2", now)), Verdict::Nothing);
        let perhaps = found(Some("a"), "1", now - Duration::from_secs(3));
        assert_eq!(judge(perhaps.clone()), Verdict::OursPerhaps(perhaps));
        let old = found(Some("a"), "1", now - Duration::from_secs(3600));
        assert_eq!(judge(old.clone()), Verdict::Same(old));
        assert_eq!(verdict(&artifact(), vec![], Some(now)), Verdict::Nothing);
    }
}
