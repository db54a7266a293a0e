//! The fields of each mapping, and common misspellings of them.

use super::{ARTIFACTS, DEFAULTS};
use crate::model::{ARTIFACT, Field, Kind, Mapping, Sense};
use crate::text::either;

/// The root of a document that has artifacts in a list: what they share, and the list.
static WRAPPER: Mapping = Mapping {
    name: "a file of `Defaults` and `Artifacts`",
    main: None,
    form: "",
    read_only: &[],
    fields: &[
        Field::new(ARTIFACTS, Kind::Mapping(&ARTIFACT)).nicknames(&["items", "manifests"]),
        Field::new(DEFAULTS, Kind::Mapping(&ARTIFACT)),
    ],
};

/// The fields that a mapping of a manifest may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) mapping: &'static Mapping,
    /// True if only those that artifacts can share.
    only_shared: bool,
}

impl Shape {
    pub(crate) const ARTIFACT: Self = Self::of(&ARTIFACT);
    pub(crate) const DEFAULTS: Self = Self { mapping: &ARTIFACT, only_shared: true };
    pub(crate) const WRAPPER: Self = Self::of(&WRAPPER);

    /// All fields of `mapping`.
    pub(crate) const fn of(mapping: &'static Mapping) -> Self {
        Self { mapping, only_shared: false }
    }

    /// Returns the mapping of the model.
    pub(crate) const fn mapping(self) -> &'static Mapping {
        self.mapping
    }

    /// Returns whether it is a whole artifact, beside whose fields users may want others.
    pub(crate) fn is_artifact(self) -> bool {
        std::ptr::eq(self.mapping, &ARTIFACT) && !self.only_shared
    }

    fn is_wrapper(self) -> bool {
        std::ptr::eq(self.mapping, &WRAPPER)
    }

    fn fields(self) -> impl Iterator<Item = &'static Field> {
        self.mapping.fields.iter().filter(move |field| field.shared || !self.only_shared)
    }

    /// The field with this name.
    pub(crate) fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == name)
    }

    /// The names of the fields, in the order of the alphabet.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.fields().map(|field| field.name).collect();
        names.sort_unstable();
        names
    }

    /// Returns its name in messages.
    pub(crate) const fn name(self) -> &'static str {
        if self.only_shared { "`Defaults`" } else { self.mapping.name }
    }

    /// The field that was probably meant by `key`, if it is one of this mapping.
    pub(crate) fn meant(self, key: &str) -> Option<&'static Field> {
        let plain = plain(key);
        if let Some(field) = self.fields().find(|field| self::plain(field.name) == plain) {
            return Some(field);
        }
        if let Some(field) = self.fields().find(|field| field.nicknames.contains(&&*plain)) {
            return Some(field);
        }
        let distance =
            |field: &&'static str| strsim::damerau_levenshtein(&self::plain(field), &plain);
        let nearest = self.names().into_iter().min_by_key(distance)?;
        let tolerated = (key.len().min(nearest.len()) / 4).max(1);
        (distance(&nearest) <= tolerated).then(|| self.field(nearest)).flatten()
    }

    /// Returns where the key `key` belongs that is no field of this mapping: the field whose mapping
    /// has such a field, and the field. Case, hyphens and underscores do not count.
    pub(crate) fn misplaced(self, key: &str) -> Option<(&'static Field, &'static Field)> {
        if self.is_wrapper() {
            return None;
        }
        let plain = plain(key);
        self.fields().find_map(|parent| {
            let Kind::Mapping(below) = parent.kind else { return None };
            let field = below.fields.iter().find(|field| self::plain(field.name) == plain)?;
            Some((parent, field))
        })
    }

    /// Returns what to do about the key `key`, which this mapping does not have, in a mapping that
    /// has the fields for which `is_there` returns true.
    pub(crate) fn help(self, key: &str, is_there: &dyn Fn(&str) -> bool) -> String {
        if let Some((below, field)) = self.misplaced(key) {
            return format!("move `{}` under `{}:`", field.name, below.name);
        }
        if let Some(elsewhere) = self.elsewhere(key) {
            return elsewhere;
        }
        if let Some(meant) = self.meant(key).filter(|meant| is_there(meant.name)) {
            return format!("remove it: `{}` is already set", meant.name);
        }
        if let Some(meant) = self.meant(key) {
            return format!("did you mean `{}`?", meant.name);
        }
        let fields = either(self.names());
        let map = |field: &&Field| matches!(field.kind, Kind::Map { .. });
        match self.fields().find(map).filter(|_| self.is_artifact()) {
            Some(map) => {
                format!("expected one of {fields}; anything else goes under `{}:`", map.name)
            }
            None => format!("expected one of {fields}"),
        }
    }

    /// Returns what to do about a key that is a field further down, or of each artifact.
    fn elsewhere(self, key: &str) -> Option<String> {
        if self.is_wrapper() {
            let known = ARTIFACT.field(key).is_some();
            return known.then(|| format!("move `{key}` under `Defaults:`, or into each artifact"));
        }
        if self.only_shared {
            let of_each = |field: &&Field| match field.kind {
                Kind::Mapping(below) => below.main == Some(key),
                _ => false,
            };
            let own = self.mapping.fields.iter().filter(|field| !field.shared);
            let field =
                own.clone().find(|field| field.name == key).or(own.clone().find(of_each))?;
            return Some(match field.sense {
                Sense::Name => "give each artifact its own name: names must be unique".to_owned(),
                _ => format!("give each artifact its own {}", field.name.to_lowercase()),
            });
        }
        // What an artifact does not have may be meant as a property.
        if self.is_artifact() {
            return None;
        }
        let list = self.fields().find(|field| match field.kind {
            Kind::Pairs { item, .. } => item.field(key).is_some(),
            _ => false,
        })?;
        Some(format!("move `{key}` into an item of `{}:`", list.name))
    }
}

/// Returns whether some mapping of a manifest has a field with this name.
pub(crate) fn is_known(name: &str) -> bool {
    WRAPPER.knows(name)
}

/// Returns whether `key` is a field of an artifact or of a file of several, or a misspelling of one.
/// Words that are in use for much else do not count.
pub(crate) fn may_be_field(key: &str) -> bool {
    let plain = plain(key);
    let of = |shape: Shape| {
        shape.meant(key).is_some_and(|field| !field.nicknames.contains(&&*plain))
            || shape.misplaced(key).is_some()
    };
    of(Shape::ARTIFACT) || of(Shape::WRAPPER) || is_read_only(Shape::ARTIFACT, key)
}

/// Returns whether `key` is a field that the service sets and answers with.
pub(crate) fn is_read_only(shape: Shape, key: &str) -> bool {
    let plain = plain(key);
    shape.is_artifact() && shape.mapping.read_only.iter().any(|field| self::plain(field) == plain)
}

/// Returns whether `key` is `Defaults` or `Artifacts`, in any case.
pub(crate) fn is_wrapper_key(key: &str) -> bool {
    let is = |field: &str| key.eq_ignore_ascii_case(field);
    is(ARTIFACTS) || is(DEFAULTS)
}

/// Returns whether two keys are equal but for case, hyphens, underscores and spaces.
pub(crate) fn is_same(key: &str, field: &str) -> bool {
    plain(key) == plain(field)
}

/// Without case, hyphens and underscores.
fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant() {
        let cases = [
            (Shape::ARTIFACT, "artifact_name", Some("ArtifactName")),
            (Shape::ARTIFACT, "ArtifactNmae", Some("ArtifactName")),
            (Shape::ARTIFACT, "Type", Some("ArtifactType")),
            (Shape::ARTIFACT, "Property", None),
            (Shape::ARTIFACT, "Propertys", Some("Properties")),
            (Shape::ARTIFACT, "Tag", Some("Tags")),
            (Shape::ARTIFACT, "Owner", None),
            (Shape::of(&crate::model::SOURCE), "URI", Some("SourceUri")),
            (Shape::of(&crate::model::TAG), "Keys", Some("Key")),
        ];
        for (shape, key, meant) in cases {
            assert_eq!(shape.meant(key).map(|field| field.name), meant, "{key}");
        }
    }
}
