//! Fields that every artifact of a run is created with, whatever its manifest says: a commit id,
//! the name of a pipeline. They are part of no digest and of no comparison, so a new value in each
//! run does not change existing artifacts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Artifact, Difference};
use crate::model::{ARTIFACT, Field, Kind, Path, Sense, TextLimit, Violation, is_reserved_tag};
use crate::text::either;

/// The fields of `--set`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Nested", try_from = "Nested")]
pub struct Stamp(BTreeMap<Path, String>);

/// A stamp as journals keep it: what is set, by key, by field.
type Nested = BTreeMap<String, BTreeMap<String, String>>;

impl From<Stamp> for Nested {
    fn from(stamp: Stamp) -> Self {
        let mut nested = Self::new();
        for (path, value) in stamp.0 {
            let of_field = nested.entry(path.top().name.to_owned()).or_default();
            of_field.insert(path.last().to_owned(), value);
        }
        nested
    }
}

impl TryFrom<Nested> for Stamp {
    type Error = BadStamp;

    fn try_from(nested: Nested) -> Result<Self, BadStamp> {
        let mut stamp = Self::default();
        for (field, entries) in nested {
            for (key, value) in entries {
                let path = Path::parse(&ARTIFACT, &format!("{field}.{key}"));
                let path =
                    path.ok_or_else(|| BadStamp(format!("unknown field `{field}.{key}`")))?;
                stamp.0.insert(path, value);
            }
        }
        Ok(stamp)
    }
}

/// The reason why a field cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadStamp(String);

impl Stamp {
    /// Sets one more field, written as `Properties.Team=lake`. A later value wins.
    ///
    /// # Errors
    /// If there is no such field, or the service does not take its value.
    pub fn set(&mut self, text: &str) -> Result<(), BadStamp> {
        let bad = |reason: String| BadStamp(reason);
        let example = "write it as FIELD=VALUE, such as `Properties.Team=lake`";
        let (field, value) = text.split_once('=').ok_or_else(|| bad(example.to_owned()))?;
        let top = field.split_once('.').and_then(|(name, _)| ARTIFACT.field(name));
        let Some(top) = top.filter(|field| Self::can_set(field)) else {
            let mut kinds: Vec<_> =
                ARTIFACT.fields.iter().filter(|field| Self::can_set(field)).collect();
            kinds.sort_unstable_by_key(|field| field.name);
            let kinds: Vec<_> = kinds.iter().map(|field| format!("{}.*", field.name)).collect();
            let kinds = either(kinds.iter().map(String::as_str));
            return Err(bad(format!("only {kinds} can be set")));
        };
        let Some(path) = Path::parse(&ARTIFACT, field) else {
            let key = field.split_once('.').map_or("", |(_, key)| key);
            let fields = match top.kind {
                Kind::Mapping(below) => either(below.names()),
                _ => String::new(),
            };
            return Err(bad(format!("unknown field `{key}` in `{}`; expected {fields}", top.name)));
        };
        let key_is = format!("the key of a {}", top.entry.one);
        match path.field.kind {
            Kind::Text(limit) => keeps(limit, field, value)?,
            Kind::Map { key, value: limit, .. } => {
                keeps(key, &key_is, path.last())?;
                keeps(limit, field, value)?;
            }
            Kind::Pairs { item, .. } => {
                let texts = [(&*key_is, path.last()), (field, value)];
                for (one, (what, text)) in item.fields.iter().zip(texts) {
                    if let Kind::Text(limit) = one.kind {
                        keeps(limit, what, text)?;
                    }
                }
            }
            Kind::Choice(_) | Kind::Mapping(_) => {}
        }
        if path.field.sense == Sense::Tags && is_reserved_tag(path.last()) {
            return Err(bad("tags that begin with `aws:` are reserved for AWS".to_owned()));
        }
        self.0.insert(path, value.to_owned());
        Ok(())
    }

    /// Returns whether entries of the field can be set: a single text of an artifact is its own.
    #[must_use]
    pub const fn can_set(field: &Field) -> bool {
        field.shared && !field.is_text()
    }

    /// Returns whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `artifact` as it is created.
    #[must_use]
    pub fn on(&self, artifact: &Artifact) -> Artifact {
        let mut stamped = artifact.clone();
        // In the place of a tag with the same key.
        stamped.tags.retain(|tag| !self.sets_entry(|field| field.sense == Sense::Tags, &tag.key));
        for (path, value) in &self.0 {
            match &path.key {
                Some(key) => stamped.insert(path.field, key.clone(), value.clone()),
                None => stamped.set(path.field, value.clone()),
            }
        }
        stamped
    }

    /// Returns the limit that `artifact` exceeds with the fields set, if it does.
    #[must_use]
    pub fn too_much_for(&self, artifact: &Artifact) -> Option<String> {
        ARTIFACT.fields.iter().find_map(|field| {
            let most = field.max()?;
            let there = artifact.entries(field);
            let is_new = |path: &&Path| {
                path.field.is(field) && !there.iter().any(|(key, _)| *key == path.last())
            };
            let new = self.0.keys().filter(is_new).count();
            let total = new + there.len();
            (new > 0 && total > most).then(|| {
                format!("{total} {}; an artifact can have at most {most}", field.entry.many)
            })
        })
    }

    /// Returns whether a property of this key is set.
    #[must_use]
    pub fn sets_property(&self, key: &str) -> bool {
        self.sets_entry(|field| matches!(field.kind, Kind::Map { .. }), key)
    }

    fn sets_entry(&self, of: impl Fn(&Field) -> bool, key: &str) -> bool {
        self.0.keys().any(|path| of(path.field) && path.key.as_deref() == Some(key))
    }

    /// Returns whether a difference is none, since the field is set.
    #[must_use]
    pub fn covers(&self, difference: &Difference) -> bool {
        self.0.contains_key(&difference.field)
    }
}

fn keeps(limit: TextLimit, what: &str, text: &str) -> Result<(), BadStamp> {
    let what = if what.contains(' ') { what.to_owned() } else { format!("`{what}`") };
    match limit.violations(text).first() {
        None => Ok(()),
        Some(Violation::TooShort { .. }) => Err(BadStamp(format!("{what} is empty"))),
        Some(Violation::TooLong { length, .. }) => {
            let most = limit.max;
            Err(BadStamp(format!("{what} has {length} characters; the limit is {most}")))
        }
        Some(Violation::Pattern { offending }) => {
            let offending: String = text[offending.clone()].escape_debug().collect();
            Err(BadStamp(format!("{what} cannot contain `{offending}`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Tag;
    use crate::artifact::tests::artifact;

    fn stamp(fields: &[&str]) -> Stamp {
        let mut stamp = Stamp::default();
        fields.iter().for_each(|field| stamp.set(field).unwrap());
        stamp
    }

    #[test]
    fn a_stamp_is_over_what_the_manifest_says_and_no_difference() {
        let mut one = artifact();
        one.properties.insert("Team".into(), "sea".into());
        one.tags.push(Tag { key: "k".into(), value: "v".into() });
        let stamp = stamp(&["MetadataProperties.CommitId=c=1", "Properties.Team=lake", "Tags.k=w"]);
        let stamped = stamp.on(&one);
        assert_eq!(stamped.texts.get("CommitId").map(String::as_str), Some("c=1"));
        assert_eq!(stamped.properties["Team"], "lake");
        assert_eq!(stamped.tags, [Tag { key: "k".into(), value: "w".into() }]);
        let differences = one.differences(&stamped);
        assert_eq!(differences.len(), 3);
        assert!(differences.iter().all(|difference| stamp.covers(difference)));
    }

    #[test]
    fn what_the_service_would_not_take_is_refused() {
        let refused = |field: &str| Stamp::default().set(field).unwrap_err().to_string();
        let unknown = refused("MetadataProperties.CommitID=1");
        assert!(unknown.starts_with("unknown field `CommitID` in `MetadataProperties`; expected "));
        for name in ["CommitId", "GeneratedBy", "ProjectId", "Repository"] {
            assert!(unknown.contains(&format!("`{name}`")), "{unknown}");
        }
        assert_eq!(
            refused("ArtifactType=x"),
            "only `MetadataProperties.*`, `Properties.*` or `Tags.*` can be set"
        );
        assert_eq!(refused("Tags.AWS:x=1"), "tags that begin with `aws:` are reserved for AWS");
        assert_eq!(refused("Tags.k=a\nb"), "`Tags.k` cannot contain `\\n`");
        assert_eq!(refused("Tags.=a"), "the key of a tag is empty");
        assert!(refused("Properties.a").starts_with("write it as FIELD=VALUE"));
        let long = format!("Tags.k={}", "x".repeat(257));
        assert_eq!(refused(&long), "`Tags.k` has 257 characters; the limit is 256");
    }

    #[test]
    fn a_limit_that_a_stamp_exceeds_is_reported() {
        let mut full = artifact();
        full.properties = (0..30).map(|at| (format!("p{at}"), String::new())).collect();
        assert_eq!(stamp(&["Properties.p3=x"]).too_much_for(&full), None);
        assert_eq!(
            stamp(&["Properties.q=x"]).too_much_for(&full).unwrap(),
            "31 properties; an artifact can have at most 30"
        );
    }

    #[test]
    fn journals_keep_what_is_set_by_field() {
        let stamp = stamp(&["Properties.a.b=x", "MetadataProperties.CommitId=c", "Tags.k=v"]);
        let text =
            r#"{"MetadataProperties":{"CommitId":"c"},"Properties":{"a.b":"x"},"Tags":{"k":"v"}}"#;
        assert_eq!(serde_json::to_string(&stamp).unwrap(), text);
        assert_eq!(serde_json::from_str::<Stamp>(text).unwrap(), stamp);
        assert_eq!(serde_json::from_str::<Stamp>("{}").unwrap(), Stamp::default());
    }
}
