//! The shape of a message: what stays when the same refusal concerns another entry.

use super::Refusal;
use crate::artifact::Artifact;
use crate::model::{ARTIFACT, Kind, Mapping};

/// Stands for a value of the entry that is more than one word.
const ITS_OWN: &str = "…";

/// The code of a refusal and the words of its message, with those that may belong to the entry marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    code: Option<String>,
    words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// The word, with the character after it.
    text: String,
    /// True if it is a value of the entry, or has a digit in it, as a number, a date or an id.
    may_be_its_own: bool,
}

impl Shape {
    /// Returns whether both refusals have one cause, as far as can be told: they are the same but for
    /// words that may belong to the entry in both. A word of the service that is also a value of one of
    /// them makes no difference.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |(one, other): (&Word, &Word)| {
            one.text == other.text || (one.may_be_its_own && other.may_be_its_own)
        };
        self.code == other.code
            && self.words.len() == other.words.len()
            && self.words.iter().zip(&other.words).all(same)
    }
}

impl Refusal {
    /// Returns the shape of the refusal of `artifact`.
    #[must_use]
    pub fn shape(&self, artifact: &Artifact) -> Shape {
        let mut values = Vec::new();
        collect(&ARTIFACT, artifact, &mut values);
        // A value may contain another.
        values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
        let mut message = self.message.clone();
        for value in values.iter().filter(|value| !value.chars().all(is_word)) {
            if message.contains(*value) {
                message = message.replace(*value, ITS_OWN);
            }
        }
        let word = |text: &str| {
            let word = text.trim_end_matches(|c: char| !is_word(c));
            let may_be_its_own = word.bytes().any(|b| b.is_ascii_digit())
                || word.contains(ITS_OWN)
                || values.contains(&word);
            Word { text: text.to_owned(), may_be_its_own }
        };
        let words = message.split_inclusive(|c: char| !is_word(c)).map(word).collect();
        Shape { code: self.code.clone(), words }
    }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '…')
}

/// Collects the texts of `artifact` in `fields`, with the keys of its entries.
fn collect<'a>(mapping: &Mapping, artifact: &'a Artifact, into: &mut Vec<&'a str>) {
    for field in mapping.fields {
        match field.kind {
            Kind::Mapping(mapping) => collect(mapping, artifact, into),
            Kind::Map { .. } | Kind::Pairs { .. } => {
                into.extend(
                    artifact.entries(field).into_iter().flat_map(|(key, value)| [key, value]),
                );
            }
            Kind::Text(_) | Kind::Choice(_) => into.extend(artifact.text(field)),
        }
    }
    into.retain(|text| !text.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Source, SourceType, Tag};
    use crate::submission::Class;

    fn artifact(name: &str, uri: &str) -> Artifact {
        Artifact {
            name: Some(name.to_owned()),
            artifact_type: "DataSet".to_owned(),
            source: Source {
                uri: uri.to_owned(),
                types: vec![SourceType { id_type: "Custom".to_owned(), value: "ab".to_owned() }],
            },
            properties: [("owner".to_owned(), format!("team of {name}"))].into(),
            tags: vec![Tag { key: "k".to_owned(), value: "v".to_owned() }],
            ..Artifact::default()
        }
    }

    fn alike(one: (&str, &Artifact), other: (&str, &Artifact)) -> bool {
        let shape = |(message, artifact): (&str, &Artifact)| {
            Refusal::of(Class::Rejected, message).shape(artifact)
        };
        shape(one).is_like(&shape(other))
    }

    #[test]
    fn values_of_the_entry_and_ids_make_no_difference() {
        let (one, two) = (artifact("churn", "s3://lake/a b"), artifact("t-2", "s3://lake/two"));
        for message in [
            "Value '{uri}' at 'source.sourceUri' failed",
            "'team of {name}' and {name}: no",
            "request {id} at {time}: no",
        ] {
            let of = |name: &str, uri: &str, id: &str, time: &str| {
                let message = message.replace("{name}", name).replace("{uri}", uri);
                message.replace("{id}", id).replace("{time}", time)
            };
            let first = of("churn", "s3://lake/a b", "6f-2b", "2026-11-28T09:00:00Z");
            let second = of("t-2", "s3://lake/two", "7c", "2026-11-28T09:00:07Z");
            assert!(alike((&first, &one), (&second, &two)), "{first} | {second}");
        }
    }

    #[test]
    fn an_entry_that_is_named_like_a_word_of_the_service_makes_no_difference() {
        let (one, two) = (artifact("failed", "s3://lake/a"), artifact("b", "s3://lake/b"));
        let at = |name: &str| format!("Value '{name}' at 'artifactName' failed to satisfy");
        assert!(alike((&at("failed"), &one), (&at("b"), &two)));
        assert!(alike((&at("b"), &two), (&at("failed"), &one)));
    }

    #[test]
    fn different_reasons_have_different_shapes() {
        let (one, two) = (artifact("a", "s3://lake/one"), artifact("b", "s3://lake/two"));
        let at = |member: &str, value: &str| format!("Value '{value}' at '{member}' is not valid");
        let name = at("artifactName", "a");
        assert!(alike((&name, &one), (&at("artifactName", "b"), &two)));
        assert!(!alike((&name, &one), (&at("source.sourceUri", "s3://lake/two"), &two)));
        assert!(!alike((&name, &one), ("the artifact is too large", &two)));
    }
}
