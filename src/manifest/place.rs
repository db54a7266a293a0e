//! Finds where the value of a field is written, for errors that are found after the check.

use crate::diagnostic::{Allowances, Findings, Levels};
use crate::manifest::{RawArtifact, RawTag, Slot, Text, Visit, read};
use crate::source::{SourceFile, Span};

/// An artifact as it was when it was checked.
#[derive(Debug, Clone, Copy)]
pub struct Checked<'c> {
    /// The line that it begins on, from 1.
    pub line: u32,
    /// Its name.
    pub name: Option<&'c str>,
    /// Its `SourceUri`.
    pub source_uri: Option<&'c str>,
}

/// Returns where the value at `pointer` (a JSON Pointer into the request, as in `/Tags/2/Key`) of
/// an artifact is written in `source`: in the artifact, in its document's `Defaults`, or, where it
/// is missing, the artifact's first key. Returns `None` where the artifact is not there any more.
#[must_use]
pub fn place(source: &SourceFile, artifact: Checked<'_>, pointer: &str) -> Option<Span> {
    let levels = Levels::default();
    let mut findings = Findings::new(source, &levels, Allowances::default());
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    let mut finder =
        Finder { artifact, steps: steps.collect(), defaults: Shared::default(), found: None };
    read(0..source.text().len(), &mut findings, &mut finder);
    finder.found
}

struct Finder<'c> {
    artifact: Checked<'c>,
    steps: Vec<String>,
    /// Of the current document.
    defaults: Shared,
    found: Option<Span>,
}

/// The values that the artifacts of a document share.
#[derive(Default)]
struct Shared {
    value: Option<Span>,
    tags: Vec<(String, Span)>,
}

impl Visit for Finder<'_> {
    fn document(&mut self) {
        self.defaults = Shared::default();
    }

    fn defaults(&mut self, defaults: &RawArtifact<'_>, _: &mut Findings<'_>) {
        // The place of a tag from the defaults is found by [`Finder::shared_tag`].
        let is_tag = self.steps.len() > 1 && self.steps.first().is_some_and(|step| step == "Tags");
        self.defaults.value = if is_tag { None } else { self.value_in(defaults) };
        let tags = defaults.tags.given().into_iter().flatten();
        let tags = tags.filter_map(|tag| Some((tag.key.given()?.value.to_owned(), tag.item)));
        self.defaults.tags = tags.collect();
    }

    fn artifact(&mut self, raw: &RawArtifact<'_>, findings: &mut Findings<'_>) {
        let name = text(&raw.name).map(|name| name.value);
        let uri = raw.source.given().and_then(|source| text(&source.uri)).map(|uri| uri.value);
        let wanted = self.artifact;
        let is_it = findings.source().line(raw.head.start) == wanted.line
            && name == wanted.name
            && uri == wanted.source_uri;
        if is_it && self.found.is_none() {
            let value = self.value_in(raw).or_else(|| self.shared_tag(raw));
            self.found = Some(value.or(self.defaults.value).unwrap_or(raw.head));
        }
    }

    fn not_an_artifact(&mut self, _: Span, _: &mut Findings<'_>) {}

    fn broken(&mut self) {}
}

impl Finder<'_> {
    /// Returns where the value is written in `raw` itself.
    fn value_in(&self, raw: &RawArtifact<'_>) -> Option<Span> {
        let steps: Vec<&str> = self.steps.iter().map(String::as_str).collect();
        let index = |step: &str| step.parse::<usize>().ok();
        match *steps.as_slice() {
            ["ArtifactName"] => text(&raw.name).map(|text| text.span),
            ["ArtifactType"] => text(&raw.artifact_type).map(|text| text.span),
            ["Source"] => raw.source.given().map(|source| source.head),
            ["Source", field, ref rest @ ..] => {
                let source = raw.source.given()?;
                match (field, rest) {
                    ("SourceUri", []) => text(&source.uri).map(|text| text.span),
                    ("SourceTypes", []) => source.types.given()?.first().map(|one| one.item),
                    ("SourceTypes", [at, rest @ ..]) => {
                        let one = source.types.given()?.get(index(at)?)?;
                        match rest {
                            ["SourceIdType"] => text(&one.id_type).map(|text| text.span),
                            ["Value"] => text(&one.value).map(|text| text.span),
                            _ => Some(one.item),
                        }
                    }
                    _ => None,
                }
            }
            ["Properties"] => {
                raw.properties.given()?.first().and_then(|one| text(&one.key)).map(|text| text.span)
            }
            ["Properties", key] => {
                let of_key =
                    |slot: &Slot<Text<'_>>| text(slot).is_some_and(|text| text.value == key);
                let property = raw.properties.given()?.iter().find(|one| of_key(&one.key))?;
                text(&property.value).map(|text| text.span)
            }
            ["MetadataProperties", field] => {
                let at = crate::model::METADATA_FIELDS.iter().position(|one| *one == field)?;
                text(raw.metadata.given()?.values.get(at)?).map(|text| text.span)
            }
            ["Tags"] => raw.tags.given()?.first().map(|tag| tag.item),
            ["Tags", at, ref rest @ ..] => tag(raw.tags.given()?.get(index(at)?)?, rest),
            _ => None,
        }
    }

    /// Returns where a tag is written that the artifact takes from its defaults: those come behind
    /// its own in a request.
    fn shared_tag(&self, raw: &RawArtifact<'_>) -> Option<Span> {
        let [field, at, ..] = self.steps.as_slice() else { return None };
        let at = at.parse::<usize>().ok().filter(|_| field == "Tags")?;
        let own: Vec<&RawTag<'_>> = raw.tags.given().into_iter().flatten().collect();
        let is_own =
            |key: &str| own.iter().any(|tag| text(&tag.key).is_some_and(|own| own.value == key));
        let mut shared = self.defaults.tags.iter().filter(|(key, _)| !is_own(key));
        shared.nth(at.checked_sub(own.len())?).map(|(_, span)| *span)
    }
}

fn tag(tag: &RawTag<'_>, rest: &[&str]) -> Option<Span> {
    match rest {
        ["Key"] => text(&tag.key).map(|text| text.span),
        ["Value"] => text(&tag.value).map(|text| text.span),
        _ => Some(tag.item),
    }
}

const fn text<'t, 'a>(slot: &'t Slot<Text<'a>>) -> Option<&'t Text<'a>> {
    slot.given()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    const TEXT: &str = "\
Defaults:
  ArtifactType: DataSet
  Tags:
    - {Key: team, Value: lake}
    - {Key: stage, Value: shared}
Artifacts:
  - ArtifactName: one
    Source:
      SourceUri: s3://b/one
      SourceTypes:
        - {SourceIdType: Custom, Value: v1}
  - ArtifactName: two
    Source: {SourceUri: s3://b/two}
    Properties: {a/b: x}
    MetadataProperties: {Repository: r}
    Tags:
      - {Key: stage, Value: own}
";

    fn at(line: u32, name: &str, uri: &str, pointer: &str) -> Option<String> {
        let source = SourceFile::new(FileId(0), "m.yaml".into(), TEXT.as_bytes().to_vec());
        let artifact = Checked { line, name: Some(name), source_uri: Some(uri) };
        let span = place(&source, artifact, pointer)?;
        Some(format!("{}:{}", source.line(span.start), source.slice(span)))
    }

    #[test]
    fn a_value_is_found_where_it_is_written() {
        let one = |pointer: &str| at(7, "one", "s3://b/one", pointer);
        let two = |pointer: &str| at(12, "two", "s3://b/two", pointer);
        let found = |text: &str| Some(text.to_owned());
        assert_eq!(one("/ArtifactName"), found("7:one"));
        assert_eq!(one("/Source/SourceUri"), found("9:s3://b/one"));
        assert_eq!(one("/Source/SourceTypes/0/Value"), found("11:v1"));
        assert_eq!(two("/Properties/a~1b"), found("14:x"));
        assert_eq!(two("/MetadataProperties/Repository"), found("15:r"));
        assert_eq!(two("/Tags/0/Value"), found("17:own"));
    }

    #[test]
    fn what_defaults_give_is_found_there_and_what_is_missing_at_the_artifact() {
        let one = |pointer: &str| at(7, "one", "s3://b/one", pointer);
        let two = |pointer: &str| at(12, "two", "s3://b/two", pointer);
        assert_eq!(one("/ArtifactType").as_deref(), Some("2:DataSet"));
        let stage = Some("5:{Key: stage, Value: shared}");
        assert_eq!(one("/Tags/1/Value").as_deref(), stage);
        // Its own tag replaces the shared one with the same key.
        assert_eq!(two("/Tags/1/Key").as_deref(), Some("4:{Key: team, Value: lake}"));
        assert_eq!(one("/Properties/x").as_deref(), Some("7:ArtifactName"));
    }

    #[test]
    fn an_artifact_that_changed_is_not_found() {
        assert_eq!(at(7, "one", "s3://b/other", "/ArtifactName"), None);
        assert_eq!(at(8, "one", "s3://b/one", "/ArtifactName"), None);
    }
}
