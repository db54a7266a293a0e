//! The member of a request that a message of the service names.

use super::Refusal;
use crate::diagnostic::{Pointer, ROOT};
use crate::model::{ARTIFACT, Kind, Mapping};

const FAILED: &str = "' failed to satisfy constraint";

impl Refusal {
    /// Returns the place in the manifest of the first value that the service names, as a JSON
    /// Pointer: `/Source/SourceUri` for "1 validation error detected: Value 'x' at
    /// 'source.sourceUri' failed to satisfy constraint: …".
    #[must_use]
    pub fn member(&self) -> Option<String> {
        self.members().next()
    }

    /// Returns the places in the manifest of all values that the service names, as
    /// [`Refusal::member`] does.
    pub fn members(&self) -> impl Iterator<Item = String> {
        let is_path = |c: char| c.is_ascii_alphanumeric() || "._-:/ ".contains(c);
        let ends = self.message.match_indices(FAILED).map(|(at, _)| &self.message[..at]);
        ends.filter_map(move |before| {
            let path = &before[before.rfind(" at '")? + " at '".len()..];
            path.chars().all(is_path).then(|| pointer(&ARTIFACT, &ROOT, path)).flatten()
        })
    }
}

/// Translates `tags.3.member.key`, in a mapping of the model at `at`, into `/Tags/2/Key`. The service
/// begins names with a small letter, counts from 1, and says `member` between a list and its items'
/// fields.
fn pointer(of: &Mapping, at: &Pointer<'_>, path: &str) -> Option<String> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let field = of.fields.iter().find(|field| is_member(field.name, name))?;
    let place = at.field(field.name);
    let Some(rest) = rest else { return Some(String::from(&place)) };
    match field.kind {
        Kind::Text(_) | Kind::Choice(_) => None,
        Kind::Mapping(below) => pointer(below, &place, rest),
        // A key may have dots in it.
        Kind::Map { .. } => {
            let key = rest.strip_suffix(".member").unwrap_or(rest);
            Some(String::from(&place.field(key)))
        }
        Kind::Pairs { item, .. } => {
            let mut steps = rest.split('.');
            let index = steps.next()?.parse::<usize>().ok()?.checked_sub(1)?;
            let place = place.item(index);
            match steps.find(|step| *step != "member") {
                None => Some(String::from(&place)),
                Some(field) => pointer(item, &place, field),
            }
        }
    }
}

/// Returns whether the service calls the field `field` `name`: with a small first letter.
fn is_member(field: &str, name: &str) -> bool {
    let small = field.chars().next().map(|first| first.to_ascii_lowercase());
    small == name.chars().next() && field.get(1..) == name.get(1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Option<String> {
        let message = format!(
            "1 validation error detected: Value 'at 'x'' at '{path}' failed to satisfy \
             constraint: Member must have length less than or equal to 2048"
        );
        Refusal::by_lineload(message).member()
    }

    #[test]
    fn members_are_places_in_the_manifest() {
        for (member, place) in [
            ("artifactName", "/ArtifactName"),
            ("artifactType", "/ArtifactType"),
            ("source", "/Source"),
            ("source.sourceUri", "/Source/SourceUri"),
            ("source.sourceTypes", "/Source/SourceTypes"),
            ("source.sourceTypes.1.member.sourceIdType", "/Source/SourceTypes/0/SourceIdType"),
            ("source.sourceTypes.12.member.value", "/Source/SourceTypes/11/Value"),
            ("properties", "/Properties"),
            ("properties.a.b/c", "/Properties/a.b~1c"),
            ("properties.rows.member", "/Properties/rows"),
            ("metadataProperties.commitId", "/MetadataProperties/CommitId"),
            ("metadataProperties.generatedBy", "/MetadataProperties/GeneratedBy"),
            ("tags", "/Tags"),
            ("tags.3.member", "/Tags/2"),
            ("tags.3.member.key", "/Tags/2/Key"),
            ("tags.1.member.value", "/Tags/0/Value"),
        ] {
            assert_eq!(named(member).as_deref(), Some(place), "{member}");
        }
        for other in
            ["", "maxResults", "tags.0.member.key", "tags.x.member.key", "tags.1.member.colour"]
        {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn the_first_of_several_is_named() {
        let text = "2 validation errors detected: Value '' at 'resourceArn' failed to satisfy \
                    constraint: Member must not be null; Value 'é' at 'tags.2.member.key' failed \
                    to satisfy constraint: Member must satisfy regular expression pattern: ^a$; \
                    Value 'x' at 'artifactName' failed to satisfy constraint: …";
        assert_eq!(Refusal::by_lineload(text).member().as_deref(), Some("/Tags/1/Key"));
        assert_eq!(Refusal::by_lineload("Artifact already exists.").member(), None);
        assert_eq!(Refusal::by_lineload("' failed to satisfy constraint").member(), None);
    }
}
