//! Findings about names and sources that more than one artifact has.

use crate::artifact::{Key, Rewrites};
use crate::diagnostic::{Code, Diagnostic, Related, Severity, Unique};
use crate::model::{ARTIFACT, Path as FieldPath, Sense};
use crate::source::{FileId, Region, SourceFile, Span};
use crate::text::{quoted, redacted};

/// A name or a source of an artifact, for whoever compares it with those of other checks.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// A name, or a source.
    pub what: Unique,
    /// Its key.
    pub key: Key,
    /// Its file.
    pub file: FileId,
    /// The number of the artifact in the file, from 0.
    pub artifact: u32,
    /// Its place, and how findings show it, if the file can be read again.
    pub written: Option<Written>,
    /// The severity of a finding that it is used again; `None` if the rule is off, or a comment allows
    /// it.
    pub severity: Option<Severity>,
}

/// A name or a source as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its place.
    pub region: Region,
    /// Its text in quotes, without what looks like a credential.
    pub text: String,
}

impl Written {
    /// Reads what is written at `span`, and shows it as `rewrites` make it.
    pub(super) fn at(source: &SourceFile, span: Span, rewrites: Option<&Rewrites>) -> Self {
        let text = source.slice(span).trim_matches(['"', '\'']);
        let rewritten = rewrites.and_then(|rewrites| rewrites.apply(text));
        let text = redacted(rewritten.as_deref().unwrap_or(text)).into_owned();
        Self { region: source.region(span), text: quoted(&text) }
    }
}

/// A name or a source that an earlier artifact has.
#[derive(Debug, Clone)]
pub struct Duplicate {
    /// A name, or a source.
    pub what: Unique,
    /// Its file.
    pub file: FileId,
    /// The number of the artifact in the file.
    pub artifact: Option<u32>,
    /// Its place, and how it is shown.
    pub written: Option<Written>,
    /// The severity of the finding.
    pub severity: Severity,
    /// The first artifact that has it: its file, and its place.
    pub first: (FileId, Option<Region>),
}

impl Duplicate {
    /// Returns the finding.
    #[must_use]
    pub fn finding(self) -> Diagnostic {
        let Self { what, file, artifact, written, severity, first } = self;
        let (code, sense, plain, help) = match what {
            Unique::Name => (
                Code::DuplicateName,
                Sense::Name,
                "duplicate `ArtifactName`",
                "give each artifact its own name: names must be unique in an account and Region",
            ),
            Unique::Source => (
                Code::DuplicateSource,
                Sense::Uri,
                "duplicate `SourceUri` with the same `SourceTypes`",
                "remove one, or give them different `SourceTypes`",
            ),
        };
        let mut finding = Diagnostic::of_file(code, file, plain).with_help(help);
        finding.artifact = artifact;
        finding.severity = severity;
        finding.path = path_of(sense);
        if let Some(Written { region, text }) = written {
            finding.message = match what {
                Unique::Name => format!("duplicate name {text}"),
                Unique::Source => format!("duplicate source {text} with the same `SourceTypes`"),
            };
            finding.region = Some(region);
        }
        finding.label = Some("used again".to_owned());
        let (file, region) = first;
        let message = "first used here".to_owned();
        finding.related.push(Related { message, file, region });
        finding
    }
}

/// Returns the place of the field with this sense in an artifact, as a JSON Pointer.
#[must_use]
pub fn path_of(sense: Sense) -> String {
    FieldPath::of_sense(&ARTIFACT, sense).map(|path| path.pointer()).unwrap_or_default()
}
