//! The shape of a message: what stays when the same refusal concerns another entry.

use super::Refusal;
use crate::artifact::Artifact;
use crate::model::{ARTIFACT, Kind, Mapping};

/// Stands for a text that belongs to the entry.
const ITS_OWN: &str = "…";

/// The minimum length, in characters, of a value that is replaced within a word. A shorter one may
/// be part of the service's own words.
const WITHIN_WORDS: usize = 4;

impl Refusal {
    /// Returns the code and the message, without what belongs to one entry: values of `artifact`,
    /// and numbers, dates and ids, which are the words with a digit in them.
    ///
    /// Refusals of two entries that have the same shape have one cause, as far as can be told.
    #[must_use]
    pub fn shape(&self, artifact: &Artifact) -> (Option<String>, String) {
        let mut values = Vec::new();
        collect(&ARTIFACT, artifact, &mut values);
        // A value may contain another.
        values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
        let mut message = self.message.clone();
        for value in values.iter().filter(|value| value.chars().count() >= WITHIN_WORDS) {
            if message.contains(*value) {
                message = message.replace(*value, ITS_OWN);
            }
        }
        let mut shape = String::with_capacity(message.len());
        for piece in message.split_inclusive(|c: char| !is_word(c)) {
            let word = piece.trim_end_matches(|c: char| !is_word(c));
            let own = word.bytes().any(|b| b.is_ascii_digit()) || values.contains(&word);
            shape.push_str(if own { ITS_OWN } else { word });
            shape.push_str(&piece[word.len()..]);
        }
        (self.code.clone(), shape)
    }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
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

    fn shape(message: &str, artifact: &Artifact) -> String {
        Refusal::of(Class::Rejected, message).shape(artifact).1
    }

    #[test]
    fn values_of_the_entry_and_ids_are_left_out() {
        let one = artifact("churn", "s3://lake/a b");
        assert_eq!(
            shape("Value 's3://lake/a b' at 'source.sourceUri' failed", &one),
            "Value '…' at 'source.sourceUri' failed"
        );
        assert_eq!(shape("'team of churn' and churn, as churned", &one), "'…' and …, as …ed");
        assert_eq!(
            shape("request 6f-2b at 2026-11-28T09:00:00Z: no", &one),
            "request … at …:…:…: no"
        );
        // Short values are replaced as words alone.
        assert_eq!(shape("v of k: ab, above", &one), "… of …: …, above");
        assert_eq!(shape("an item of DataSet", &one), "an item of …");
    }

    #[test]
    fn different_reasons_have_different_shapes() {
        let (one, two) = (artifact("a", "s3://lake/one"), artifact("b", "s3://lake/two"));
        let at = |member: &str, value: &str| format!("Value '{value}' at '{member}' is not valid");
        assert_eq!(shape(&at("artifactName", "a"), &one), shape(&at("artifactName", "b"), &two),);
        assert_ne!(
            shape(&at("artifactName", "a"), &one),
            shape(&at("source.sourceUri", "s3://lake/two"), &two),
        );
    }
}
