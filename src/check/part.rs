//! One part of a file: what a worker does.

use super::claims::{Claims, claims};
use super::defaults::{Defaults, Taken};
use super::{Options, Valid, rewritten_uri, rules};
use crate::artifact::Artifact;
use crate::diagnostic::{Allowances, Becomes, Code, Diagnostic, Findings, MARKER, Unlisted};
use crate::manifest::{self, Part, RawMapping, RawValue, Slot, Visit};
use crate::model::{Field, Sense};
use crate::source::{EncodingFault, LineCursor, SourceFile, Span};
use crate::yaml;

/// The number of artifacts of a long list that are passed on at a time.
const BATCH: usize = 512;

/// An artifact as a worker knows it: its number counts from 0 in the part.
#[derive(Debug)]
pub(super) struct PartEntry {
    pub(super) line: u32,
    pub(super) valid: bool,
    pub(super) claims: Claims,
    /// True if a comment allows it a name that another artifact has.
    pub(super) shares_name: bool,
    pub(super) name: Option<String>,
    pub(super) source_uri: Option<String>,
    pub(super) artifact: Option<Valid>,
}

/// The result of a worker for a part of a file.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<PartEntry>,
    pub(super) findings: Vec<Diagnostic>,
    pub(super) unlisted: Unlisted,
    /// The spans that must not be shown.
    pub(super) hidden: Vec<Span>,
    /// The names and sources that artifacts would get by fixes.
    pub(super) becoming: Vec<Becomes>,
    /// The number in the part from which on entries are of a document that broke off: they are not
    /// valid, whatever was said before.
    pub(super) broken_from: Option<u32>,
}

/// Checks a part of `source`, and passes every batch to `pass_on`.
pub(super) fn check(
    source: &SourceFile,
    part: &Part,
    options: Options<'_>,
    pass_on: &mut dyn FnMut(Batch),
) {
    if let Some(fault) = source.fault() {
        pass_on(Batch { findings: vec![encoding(source, fault)], ..Batch::default() });
        return;
    }
    let levels = options.rules.levels(source.name());
    let own = part.own();
    let text = source.text().get(own.clone()).unwrap_or_default();
    let has_marker = memchr::memmem::find(text.as_bytes(), MARKER.as_bytes()).is_some();
    let allowances = if options.allowances && has_marker {
        Allowances::new(source, &yaml::comments(source.text(), own.clone()))
    } else {
        Allowances::default()
    };
    let mut findings = Findings::new(source, &levels, allowances);
    let mut visitor = Visitor {
        options,
        pass_on,
        defaults: Defaults::default(),
        batch: Batch::default(),
        passed: 0,
        document_start: 0,
        errors: 0,
        lines: LineCursor::default(),
    };
    // A credential in the defaults is one of each artifact, in every section.
    findings.screen([part.head(), own].map(|range| source.text().get(range).unwrap_or_default()));
    manifest::read(part, &mut findings, &mut visitor);
    findings.close_allowances();
    visitor.pass(&mut findings);
}

struct Visitor<'p> {
    options: Options<'p>,
    pass_on: &'p mut dyn FnMut(Batch),
    defaults: Defaults,
    batch: Batch,
    /// Entries passed on before this batch.
    passed: usize,
    /// The number of the document's first entry.
    document_start: usize,
    /// Errors when the present artifact began.
    errors: usize,
    /// The start of the last artifact.
    lines: LineCursor,
}

impl Visitor<'_> {
    fn pass(&mut self, findings: &mut Findings<'_>) {
        let mut batch = std::mem::take(&mut self.batch);
        (batch.findings, batch.unlisted) = findings.take();
        batch.hidden = findings.take_hidden();
        batch.becoming = findings.take_becoming();
        self.passed += batch.entries.len();
        (self.pass_on)(batch);
    }

    fn whole(&mut self, raw: &RawMapping<'_>, findings: &mut Findings<'_>) {
        let taken = self.defaults.taken_by(raw);
        rules::artifact(raw, &self.defaults, &taken, findings);
        let valid = !taken.faulty && !raw.broken && findings.errors() == self.errors;
        let name = raw.text(Sense::Name);
        let text = |sense| raw.text(sense).map(|text| text.value.to_owned());
        let wanted = self.options.entries;
        let line = match wanted {
            true => findings.source().next_line(&mut self.lines, raw.head.start),
            false => 0,
        };
        let claims = claims(raw);
        let entry = PartEntry {
            line,
            valid,
            claims,
            shares_name: name
                .is_some_and(|name| findings.allows(Code::DuplicateName, [name.span, name.head()])),
            name: if wanted { text(Sense::Name) } else { None },
            source_uri: if wanted { text(Sense::Uri) } else { None },
            artifact: if wanted && valid { valid_artifact(raw, &taken, &claims) } else { None },
        };
        self.add(entry, findings);
    }

    fn add(&mut self, entry: PartEntry, findings: &mut Findings<'_>) {
        self.batch.entries.push(entry);
        self.errors = findings.errors();
        if self.batch.entries.len() >= BATCH {
            self.pass(findings);
        }
    }
}

impl Visit for Visitor<'_> {
    fn document(&mut self) {
        self.defaults = Defaults::default();
        self.document_start = self.passed + self.batch.entries.len();
    }

    fn defaults(&mut self, raw: &RawMapping<'_>, findings: &mut Findings<'_>) {
        self.defaults = rules::defaults(raw, findings);
        self.errors = findings.errors();
    }

    fn artifact(&mut self, raw: &RawMapping<'_>, findings: &mut Findings<'_>) {
        match rewritten_uri(raw, self.options.rewrites) {
            None => self.whole(raw, findings),
            Some(uri) => self.whole(&raw.with_text(Sense::Uri, &uri), findings),
        }
    }

    fn not_an_artifact(&mut self, place: Span, findings: &mut Findings<'_>) {
        let entry = PartEntry {
            line: findings.source().next_line(&mut self.lines, place.start),
            valid: false,
            claims: Claims::default(),
            shares_name: false,
            name: None,
            source_uri: None,
            artifact: None,
        };
        self.add(entry, findings);
    }

    fn broken(&mut self) {
        for entry in
            self.batch.entries.iter_mut().skip(self.document_start.saturating_sub(self.passed))
        {
            entry.valid = false;
            entry.artifact = None;
        }
        if self.document_start < self.passed {
            let start = u32::try_from(self.document_start).unwrap_or(u32::MAX);
            self.batch.broken_from = Some(start);
        }
    }
}

/// Returns a valid artifact with what it takes from the defaults, and what a journal knows it by:
/// workers compute that, each for its own part.
fn valid_artifact(raw: &RawMapping<'_>, taken: &Taken<'_>, claims: &Claims) -> Option<Valid> {
    let artifact = build(raw, taken)?;
    let key = claims.source.map_or_else(|| artifact.key(), |claim| claim.key);
    let digest = artifact.digest();
    Some(Valid { artifact, key, digest })
}

/// The request of a valid artifact with what it takes from the defaults. `None` only where it is not
/// valid after all.
pub(super) fn build(raw: &RawMapping<'_>, taken: &Taken<'_>) -> Option<Artifact> {
    let mut artifact = Artifact::default();
    copy(raw, &mut artifact)?;
    for (field, text) in &taken.texts {
        artifact.set(field, (*text).to_owned());
    }
    for (field, entries) in &taken.entries {
        for entry in entries {
            artifact.insert(field, entry.key.clone(), entry.value()?.to_owned());
        }
    }
    Some(artifact)
}

/// Copies what is written. `None` where something has a fault.
fn copy(raw: &RawMapping<'_>, artifact: &mut Artifact) -> Option<()> {
    let insert = |artifact: &mut Artifact, field: &Field, pair: [Option<&str>; 2]| {
        let [key, value] = pair;
        artifact.insert(field, key?.to_owned(), value?.to_owned());
        Some(())
    };
    for (field, slot) in raw.fields() {
        if slot.is_absent() {
            continue;
        }
        match slot.given()? {
            RawValue::Text(text) => artifact.set(field, text.value.to_owned()),
            RawValue::Mapping(below) => copy(below, artifact)?,
            RawValue::List(items) => {
                for item in items {
                    let pair = item.pair().map(|text| text.map(|text| text.value));
                    insert(artifact, field, pair)?;
                }
            }
            RawValue::Map(entries) => {
                for one in entries {
                    let text =
                        |slot: &Slot<_>| slot.given().map(|text: &manifest::Text<'_>| text.value);
                    insert(artifact, field, [text(&one.key), text(&one.value)])?;
                }
            }
        }
    }
    Some(())
}

fn encoding(source: &SourceFile, fault: &EncodingFault) -> Diagnostic {
    let file = source.id();
    let to_utf8 = "save it as UTF-8";
    match fault {
        EncodingFault::Utf16 => {
            Diagnostic::of_file(Code::Encoding, file, "the file is UTF-16; manifests must be UTF-8")
                .with_help(format!("{to_utf8}, as with `iconv -f UTF-16 -t UTF-8`"))
        }
        EncodingFault::Utf32 => {
            Diagnostic::of_file(Code::Encoding, file, "the file is UTF-32; manifests must be UTF-8")
                .with_help(format!("{to_utf8}, as with `iconv -f UTF-32 -t UTF-8`"))
        }
        EncodingFault::Invalid { offset, length, byte } => {
            let message = format!("the byte 0x{byte:02X} is not UTF-8");
            let help = format!("{to_utf8}; if it is Latin-1, `iconv -f LATIN1 -t UTF-8` does that");
            let mut finding = Diagnostic::of_file(Code::Encoding, file, message).with_help(help);
            let mut region = source.region(Span::empty(u32::try_from(*offset).unwrap_or(u32::MAX)));
            // One replacement character is shown for the bytes, however many they are.
            region.end.offset += u32::try_from(*length).unwrap_or(1);
            region.end.column += 1;
            finding.region = Some(region);
            finding
        }
    }
}
