//! Finds where the value of a field is written, for errors that are found after the check.

use crate::diagnostic::{Allowances, Findings, Levels};
use crate::manifest::{Part, RawMapping, RawProperty, RawValue, Visit, read};
use crate::model::{ARTIFACT, Field, Kind, Sense};
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
/// an artifact is written in `source`: in the artifact, or in its document's `Defaults`. Returns
/// `None` if neither has it, or the artifact is not there any more.
#[must_use]
pub fn place(source: &SourceFile, artifact: Checked<'_>, pointer: &str) -> Option<Span> {
    let levels = Levels::default();
    let mut findings = Findings::new(source, &levels, Allowances::default());
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    let mut finder =
        Finder { artifact, steps: steps.collect(), defaults: Shared::default(), found: None };
    read(&Part::whole(source.text()), &mut findings, &mut finder);
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
    /// The items of the list that is asked about, by key.
    items: Vec<(String, Span)>,
}

impl Visit for Finder<'_> {
    fn document(&mut self) {
        self.defaults = Shared::default();
    }

    fn defaults(&mut self, defaults: &RawMapping<'_>, _: &mut Findings<'_>) {
        // Of an item that comes from here, [`Finder::shared_item`] knows the place.
        let list = self.list();
        self.defaults.value = if list.is_some() { None } else { self.value_in(defaults) };
        let items = list.and_then(|list| defaults.slot(list).given()).map(items);
        self.defaults.items = items.into_iter().flatten().collect();
    }

    fn artifact(&mut self, raw: &RawMapping<'_>, findings: &mut Findings<'_>) {
        let name = raw.text(Sense::Name).map(|name| name.value);
        let uri = raw.text(Sense::Uri).map(|uri| uri.value);
        let wanted = self.artifact;
        let is_it = findings.source().line(raw.head.start) == wanted.line
            && name == wanted.name
            && uri == wanted.source_uri;
        if is_it && self.found.is_none() {
            let value = self.value_in(raw).or_else(|| self.shared_item(raw));
            self.found = value.or(self.defaults.value);
        }
    }

    fn not_an_artifact(&mut self, _: Span, _: &mut Findings<'_>) {}

    fn broken(&mut self) {}
}

impl Finder<'_> {
    /// Returns where the value is written in `raw` itself.
    fn value_in(&self, raw: &RawMapping<'_>) -> Option<Span> {
        value_at(raw, &self.steps)
    }

    /// Returns the field whose item is asked about, if items of it are merged by key.
    fn list(&self) -> Option<&'static Field> {
        let [name, _, ..] = self.steps.as_slice() else { return None };
        ARTIFACT.field(name).filter(|field| matches!(field.kind, Kind::Pairs { keyed: true, .. }))
    }

    /// Returns where an item is written that the artifact takes from its defaults: those come behind
    /// its own in a request.
    fn shared_item(&self, raw: &RawMapping<'_>) -> Option<Span> {
        let list = self.list()?;
        let at = self.steps.get(1)?.parse::<usize>().ok()?;
        let own: Vec<_> = raw.slot(list).given().map(items).unwrap_or_default();
        let is_own = |key: &str| own.iter().any(|(own, _)| own == key);
        let mut shared = self.defaults.items.iter().filter(|(key, _)| !is_own(key));
        shared.nth(at.checked_sub(own.len())?).map(|(_, span)| *span)
    }
}

/// Returns where the value is written that `steps` lead to from `raw`.
fn value_at(raw: &RawMapping<'_>, steps: &[String]) -> Option<Span> {
    let (name, rest) = steps.split_first()?;
    let (_, slot) = raw.fields().find(|(field, _)| field.name == *name)?;
    match (slot.given()?, rest) {
        (RawValue::Text(text), []) => Some(text.span),
        (RawValue::Text(_), _) => None,
        (RawValue::Mapping(below), []) => Some(below.head),
        (RawValue::Mapping(below), rest) => value_at(below, rest),
        (RawValue::List(items), []) => items.first().map(|item| item.item),
        (RawValue::List(items), [at, rest @ ..]) => {
            let item = items.get(at.parse::<usize>().ok()?)?;
            Some(value_at(item, rest).unwrap_or(item.item))
        }
        (RawValue::Map(entries), []) => entries.first()?.key.given().map(|key| key.span),
        (RawValue::Map(entries), [key, ..]) => {
            let is_it = |of: &&RawProperty<'_>| of.key.given().is_some_and(|own| own.value == key);
            entries.iter().find(is_it)?.value.given().map(|text| text.span)
        }
    }
}

/// Returns the items of a list, by key.
fn items(value: &RawValue<'_>) -> Vec<(String, Span)> {
    let RawValue::List(items) = value else { return Vec::new() };
    let key = |item: &RawMapping<'_>| Some((item.pair()[0]?.value.to_owned(), item.item));
    items.iter().filter_map(key).collect()
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
    fn what_defaults_give_is_found_there_and_what_is_missing_is_not() {
        let one = |pointer: &str| at(7, "one", "s3://b/one", pointer);
        let two = |pointer: &str| at(12, "two", "s3://b/two", pointer);
        assert_eq!(one("/ArtifactType").as_deref(), Some("2:DataSet"));
        let stage = Some("5:{Key: stage, Value: shared}");
        assert_eq!(one("/Tags/1/Value").as_deref(), stage);
        // Its own tag replaces the shared one with the same key.
        assert_eq!(two("/Tags/1/Key").as_deref(), Some("4:{Key: team, Value: lake}"));
        assert_eq!(one("/Properties/x"), None);
    }

    #[test]
    fn an_artifact_that_changed_is_not_found() {
        assert_eq!(at(7, "one", "s3://b/other", "/ArtifactName"), None);
        assert_eq!(at(8, "one", "s3://b/one", "/ArtifactName"), None);
    }
}
