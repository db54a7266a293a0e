//! Findings as SARIF 2.1.0, which GitHub code scanning, Azure DevOps and editors read.
//!
//! All rules stand in front, used or not: results name them by their number. Nothing of the source is
//! in it but what messages and fixes say.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::bounded::{Bounded, LeftOut};
use super::json::write_value;
use super::redact::Redactions;
use super::root::{Place, Root};
use super::{FindingsReport, fingerprint};
use crate::check::Summary;
use crate::diagnostic::{Code, Diagnostic, Edit, Explanation, Fix, Related, Safety};
use crate::source::{self, SourceFile, SourceStore};
use crate::text::{counted, escaped, grouped, list};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The base of relative paths: the root of the repository, by the name that every reader
/// knows it by.
const SOURCE_ROOT: &str = "%SRCROOT%";

/// Findings as a SARIF log of one run.
#[derive(Debug)]
pub struct Sarif<W> {
    out: W,
    root: Root,
    results: Bounded<Vec<u8>>,
}

/// The most results of a run that GitHub's code scanning takes. It refuses the whole file beyond.
const MOST_RESULTS: usize = 25_000;

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help: Help,
    default_configuration: Configuration,
}

/// The words of [`Explanation`] are text and Markdown alike.
#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

impl Invocation {
    /// Returns a run that was successful, whatever it found, and of which some results are left
    /// out.
    fn new(left_out: LeftOut) -> Self {
        let notification = (left_out.total() > 0).then(|| {
            let kinds = [(left_out.errors, "error"), (left_out.warnings, "warning")];
            let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
            let what: Vec<_> = kinds.map(|(number, what)| counted(number, what)).collect();
            let what = list(&what);
            let most = grouped(MOST_RESULTS as u64);
            let text =
                format!("{what} omitted: code scanning accepts at most {most} results per run");
            Notification { level: "warning", message: Message::new(&text) }
        });
        Self {
            execution_successful: true,
            tool_execution_notifications: notification.into_iter().collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'f> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixes: Option<[SarifFix; 1]>,
    partial_fingerprints: Fingerprints<'f>,
}

#[derive(Serialize)]
struct Fingerprints<'f> {
    #[serde(rename = "lineload/v1")]
    lineload: &'f str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Message>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Region {
    Text(TextRegion),
    /// The fault is the file's. GitHub asks for a line all the same.
    #[serde(rename_all = "camelCase")]
    File {
        start_line: u32,
    },
}

/// Ends are exclusive here as in [`source::Region`]. Columns count code points, and so the log says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TextRegion {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
    byte_offset: u32,
    byte_length: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifFix {
    description: Message,
    artifact_changes: [ArtifactChange; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    #[serde(skip_serializing_if = "Option::is_none")]
    inserted_content: Option<InsertedContent>,
}

#[derive(Serialize)]
struct InsertedContent {
    text: String,
}

impl Tool {
    fn new() -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let rules = Code::ALL.iter().map(|code| Rule::from(*code)).collect();
        Self { driver: Driver { name: "lineload", version, semantic_version: version, rules } }
    }
}

impl From<Code> for Rule {
    fn from(code: Code) -> Self {
        let explanation = code.explanation();
        let first = explanation.text.split("\n\n").next().unwrap_or_default();
        Self {
            id: code.as_str(),
            short_description: Message::new(code.summary()),
            full_description: Message::new(first),
            help: explanation.into(),
            default_configuration: Configuration { level: code.severity().as_str() },
        }
    }
}

impl From<Explanation> for Help {
    /// Without the example: one is of a credential, which a log must not seem to hold.
    fn from(explanation: Explanation) -> Self {
        let mut text = explanation.text;
        if let Some(source) = explanation.source {
            let _ = write!(text, "\n\nFrom: {source}");
        }
        Self { markdown: text.clone(), text }
    }
}

impl Message {
    /// Returns `text` with nothing in it that a reader would take for a link, `[text](target)`.
    fn new(text: &str) -> Self {
        let text = escaped(text);
        if text.contains("](") {
            return Self { text: text.replace('[', "\\[").replace(']', "\\]") };
        }
        Self { text }
    }

    /// Returns the message of a finding, and its help.
    fn of(finding: &Diagnostic) -> Self {
        let mut message = Self::new(&finding.message);
        if let Some(help) = &finding.help {
            message.text.push_str("\nhelp: ");
            message.text.push_str(&Self::new(help).text);
        }
        message
    }
}

impl From<&Place> for ArtifactLocation {
    fn from(place: &Place) -> Self {
        let is_below = matches!(place, Place::Below(_));
        Self {
            uri: place.uri(),
            uri_base_id: is_below.then_some(SOURCE_ROOT),
            description: (*place == Place::Stdin).then(|| Message::new("standard input")),
        }
    }
}

impl From<source::Region> for Region {
    fn from(region: source::Region) -> Self {
        let source::Region { start, end } = region;
        Self::Text(TextRegion {
            start_line: start.line,
            start_column: start.column,
            end_line: end.line,
            end_column: end.column,
            byte_offset: start.offset,
            byte_length: end.offset.saturating_sub(start.offset),
        })
    }
}

impl From<Option<source::Region>> for Region {
    fn from(region: Option<source::Region>) -> Self {
        region.map_or(Self::File { start_line: 1 }, Self::from)
    }
}

/// The parts of a file that go with its findings.
struct File<'s> {
    place: Place,
    source: Option<Arc<SourceFile>>,
    redactions: Redactions,
    sources: &'s SourceStore,
}

impl File<'_> {
    fn fix(&self, finding: &Diagnostic, fix: &Fix) -> Option<SarifFix> {
        // Without the text, nobody can say on which lines an edit is.
        let source = self.source.as_deref()?;
        // A value that looks like a credential is not repeated, though its fix would be right.
        if fix.edits.iter().any(|edit| self.redactions.cover(source, edit.span)) {
            return None;
        }
        let replacement = |Edit { span, text }: &Edit| Replacement {
            deleted_region: source.region(*span).into(),
            inserted_content: (!text.is_empty()).then(|| InsertedContent { text: text.clone() }),
        };
        let what = finding.help.as_ref().unwrap_or(&finding.message);
        let description = match fix.safety {
            Safety::Safe => Message::new(what),
            Safety::Unsafe => Message::new(&format!("unsafe: {what}")),
        };
        let replacements = fix.edits.iter().map(replacement).collect();
        let artifact_location = ArtifactLocation::from(&self.place);
        let artifact_changes = [ArtifactChange { artifact_location, replacements }];
        Some(SarifFix { description, artifact_changes })
    }

    fn location(&self, root: &Root, id: usize, related: &Related) -> Location {
        Location {
            id: Some(id),
            physical_location: PhysicalLocation {
                artifact_location: (&root.place(related.file, self.sources)).into(),
                region: related.region.into(),
            },
            message: Some(Message::new(&related.message)),
        }
    }
}

impl<W: Write> Sarif<W> {
    /// Writes findings to `out`, their paths from `root`.
    pub const fn new(out: W, root: Root) -> Self {
        Self { out, root, results: Bounded::new(MOST_RESULTS) }
    }

    fn begin(&mut self) -> io::Result<()> {
        write!(self.out, "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":")?;
        write_value(&mut self.out, &Tool::new())?;
        write!(self.out, ",\n\"columnKind\":\"unicodeCodePoints\",\"results\":[")
    }
}

impl<W: Write> FindingsReport for Sarif<W> {
    fn file(&mut self, findings: &[Diagnostic], sources: &SourceStore) -> io::Result<()> {
        let Some(first) = findings.first() else { return Ok(()) };
        let file = File {
            place: self.root.place(first.file, sources),
            source: sources.get(first.file),
            redactions: Redactions::new(first.file, sources),
            sources,
        };
        let fingerprints = fingerprint::of_file(findings, &file.place, sources);
        for (finding, fingerprint) in findings.iter().zip(&fingerprints) {
            if self.results.is_full_for(finding.severity) {
                self.results.leave_out(finding.severity);
                continue;
            }
            let related = finding.related.iter().enumerate();
            let result = SarifResult {
                rule_id: finding.code.as_str(),
                rule_index: finding.code as usize,
                level: finding.severity.as_str(),
                message: Message::of(finding),
                locations: [Location {
                    id: None,
                    physical_location: PhysicalLocation {
                        artifact_location: (&file.place).into(),
                        region: finding.region.into(),
                    },
                    message: None,
                }],
                related_locations: related
                    .map(|(id, related)| file.location(&self.root, id, related))
                    .collect(),
                fixes: finding.fix.as_ref().and_then(|fix| file.fix(finding, fix)).map(|fix| [fix]),
                partial_fingerprints: Fingerprints { lineload: fingerprint },
            };
            let mut text = Vec::with_capacity(512);
            write_value(&mut text, &result)?;
            self.results.push(finding.severity, text);
        }
        Ok(())
    }

    fn finish(&mut self, _: &Summary, _: &SourceStore, _: Duration) -> io::Result<()> {
        self.begin()?;
        let (results, left_out) = self.results.take();
        for (number, result) in results.iter().enumerate() {
            self.out.write_all(if number == 0 { b"\n" } else { b",\n" })?;
            self.out.write_all(result)?;
        }
        let end = if results.is_empty() { "" } else { "\n" };
        write!(self.out, "{end}],\n\"invocations\":[")?;
        write_value(&mut self.out, &Invocation::new(left_out))?;
        writeln!(self.out, "]}}]}}")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_numbered_as_results_name_them() {
        let rules = Tool::new().driver.rules;
        for code in Code::ALL {
            assert_eq!(rules[*code as usize].id, code.as_str());
        }
    }

    #[test]
    fn no_text_of_a_manifest_becomes_a_link() {
        assert_eq!(Message::new("`a[0]`").text, "`a[0]`");
        assert_eq!(Message::new("`[a](http://b)`").text, "`\\[a\\](http://b)`");
    }
}
