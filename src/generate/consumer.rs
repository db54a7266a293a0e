//! The last step of a row: in the order of the rows artifacts go to the sink, and names and sources that
//! two rows have are found.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use super::duplicates::{First, Used};
use super::examine::{Entry, Examined, Examiner};
use super::render::Got;
use super::rows::{Block, TEMPLATE, related};
use super::{Generated, OnDuplicate, Options, Sink};
use crate::artifact::Artifact;
use crate::check;
use crate::diagnostic::{self, Code, Diagnostic, MAX_PER_FILE, Severity};
use crate::manifest::write;
use crate::model::Sense;
use crate::source::{FileId, Piece, Region, Span};

/// Bytes of lines that are kept for showing findings.
const SHOWN_BYTES: usize = 32 << 20;
/// The longest line that is kept for showing a finding, in bytes.
const SHOWN_LINE: usize = 64 << 10;

/// Takes examined rows in their order.
pub(super) struct Consumer<'c> {
    options: &'c Options<'c>,
    examiner: Examiner<'c>,
    sink: &'c mut dyn Sink,
    generated: Generated,
    used: Used,
    /// Findings against the template, each of which comes with every row.
    seen: HashSet<(Code, Option<Region>, String)>,
    lines: BTreeMap<(FileId, u32), Piece>,
    line_bytes: usize,
    /// Artifacts that wait for further source types.
    merged: Vec<Waiting>,
    by_uri: HashMap<String, usize>,
    bytes: u64,
    /// The row of each entry that was passed on, and whether it is valid.
    entries: Vec<(FileId, u32, bool)>,
    /// Rows that could not be read, each with the number of its entry.
    unreadable: Vec<(FileId, Span, u32)>,
}

/// An artifact that may get further source types.
struct Waiting {
    artifact: Artifact,
    /// Its file, if an expression says so.
    file: Option<String>,
    /// Its place, if entries are wanted, with the number of its row.
    place: Option<(check::Entry, u32)>,
    /// True if another row uses its name.
    withdrawn: bool,
}

/// The row of an entry that has none among the rows of its block.
const NO_ROW: u32 = u32::MAX;

impl<'c> Consumer<'c> {
    pub(super) fn new(
        options: &'c Options<'c>,
        examiner: Examiner<'c>,
        sink: &'c mut dyn Sink,
    ) -> Self {
        Self {
            options,
            examiner,
            sink,
            generated: Generated::default(),
            used: Used::default(),
            seen: HashSet::new(),
            lines: BTreeMap::new(),
            line_bytes: 0,
            merged: Vec::new(),
            by_uri: HashMap::new(),
            bytes: 0,
            entries: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// Returns whether the template can be used for no row.
    pub(super) const fn is_hopeless(&self) -> bool {
        self.generated.bad_template
    }

    /// Takes what came of a block of rows.
    pub(super) fn take(&mut self, mut examined: Examined) -> io::Result<()> {
        if let Some(fatal) = examined.fatal.take() {
            self.generated.bad_template = true;
            self.generated.findings.push(fatal);
            return Ok(());
        }
        let entries = std::mem::take(&mut examined.entries);
        let block = Arc::clone(&examined.block);
        self.generated.files.insert(block.file);
        self.generated.rows += (block.rows.len() + block.unusable.len()) as u64;
        self.generated.left_out += examined.left_out;
        let hidden = std::mem::take(&mut examined.hidden);
        self.generated.hidden.extend(hidden.into_iter().map(|span| (block.file, span)));
        let mut bad: Vec<Span> = block.unusable.clone();
        self.findings(std::mem::take(&mut examined.findings));
        self.keep_lines(block.file, std::mem::take(&mut examined.lines));
        let mut unreadable = bad.clone();
        unreadable.sort_unstable();
        let mut unreadable = unreadable.into_iter().filter(|_| self.options.entries).peekable();
        for entry in entries {
            let row = block.rows.get(entry.row as usize).map(|row| row.span);
            while let Some(span) = unreadable.next_if(|span| row.is_some_and(|row| *span < row)) {
                self.unreadable(span, &block);
            }
            self.generated.artifacts += 1;
            if !self.entry(entry, &examined)? {
                bad.extend(row);
            }
        }
        for span in unreadable {
            self.unreadable(span, &block);
        }
        bad.sort_unstable();
        bad.dedup();
        self.generated.invalid_rows += bad.len();
        for span in bad {
            self.sink.invalid(block.text.get(span.range()).unwrap_or_default())?;
        }
        self.bytes += block.size() as u64;
        self.sink.progress(self.generated.rows, self.bytes);
        Ok(())
    }

    /// Passes an artifact on. False where it is not a valid one.
    fn entry(&mut self, mut entry: Entry, examined: &Examined) -> io::Result<bool> {
        if self.options.on_duplicate == OnDuplicate::MergeSourceTypes
            && let Some(artifact) = &entry.artifact
            && let Some(number) = self.by_uri.get(&artifact.source.uri)
        {
            let types = &mut self.merged[*number].artifact.source.types;
            for one in &artifact.source.types {
                if !types.contains(one) {
                    types.push(one.clone());
                }
            }
            self.generated.repeated += 1;
            return Ok(true);
        }
        let on_duplicate = self.options.on_duplicate;
        let number = match on_duplicate {
            OnDuplicate::MergeSourceTypes if entry.artifact.is_none() => NO_ROW,
            OnDuplicate::MergeSourceTypes => index(self.merged.len()),
            _ => index(self.entries.len()),
        };
        let row = First { file: examined.block.file, place: entry.place, entry: number };
        // As between manifests, a duplicate uses what it has: the third of a kind is one too.
        let all = self.options.entries && on_duplicate == OnDuplicate::Error;
        let (same_name, same_source) = self.used.take(entry.name, entry.source, row, all);
        if same_name.is_some() || same_source.is_some() {
            if self.options.on_duplicate == OnDuplicate::First && same_source.is_some() {
                self.generated.repeated += usize::from(entry.valid);
                return Ok(entry.valid);
            }
            let firsts = [
                (Code::DuplicateName, same_name, entry.name_at),
                (Code::DuplicateSource, same_source, entry.uri_at),
            ];
            for (code, first, got) in firsts {
                let Some((first, severity)) = first.zip(self.options.levels.severity(code)) else {
                    continue;
                };
                if severity == Severity::Error {
                    entry.valid = false;
                    self.withdraw(first.entry);
                }
                self.duplicate(code, severity, first, got, &entry, examined);
            }
        }
        let place = self.options.entries.then(|| placed(&entry, examined));
        if !entry.valid {
            if let Some((place, row)) = place {
                self.pass(place, row, None);
            }
            return Ok(false);
        }
        if let Some(artifact) = entry.artifact {
            if self.options.on_duplicate == OnDuplicate::MergeSourceTypes {
                self.by_uri.insert(artifact.source.uri.clone(), self.merged.len());
                let (file, withdrawn) = (entry.file, false);
                self.merged.push(Waiting { artifact, file, place, withdrawn });
            } else if let Some((place, row)) = place {
                self.pass(place, row, Some(artifact));
            }
            return Ok(true);
        }
        if let Some(text) = &entry.text {
            self.sink.artifact(text, entry.file.as_deref())?;
            self.generated.written += 1;
        }
        Ok(true)
    }

    /// Withdraws an entry that another row repeats: where rows stand in the place of manifests, neither of
    /// two is sent.
    fn withdraw(&mut self, number: u32) {
        if !self.options.entries {
            return;
        }
        if self.options.on_duplicate == OnDuplicate::MergeSourceTypes {
            if let Some(waiting) = self.merged.get_mut(number as usize) {
                waiting.withdrawn = true;
            }
        } else if let Some((_, _, is_valid)) = self.entries.get_mut(number as usize)
            && std::mem::take(is_valid)
        {
            self.generated.written -= 1;
            self.sink.withdraw(check::EntryIndex(number));
        }
    }

    /// Passes on a row that could not be read: reports name it too.
    fn unreadable(&mut self, span: Span, block: &Block) {
        self.generated.artifacts += 1;
        let number = index(self.entries.len());
        self.unreadable.push((block.file, block.in_file(span), number));
        let entry = check::Entry {
            id: check::EntryIndex(number),
            file: block.file,
            line: block.region(Span::empty(span.start)).start.line,
            name: None,
            source_uri: None,
            artifact: None,
        };
        self.pass(entry, NO_ROW, None);
    }

    /// Returns the number of the entry of a finding about a row that could not be read.
    fn unreadable_at(&self, finding: &Diagnostic) -> Option<u32> {
        let at = (finding.file, finding.region?.start.offset);
        let before = self.unreadable.partition_point(|(file, span, _)| (*file, span.start) <= at);
        let (file, _, number) = self.unreadable.get(before.checked_sub(1)?)?;
        (*file == finding.file).then_some(*number)
    }

    /// Passes an entry on, which `row` made.
    fn pass(&mut self, entry: check::Entry, row: u32, artifact: Option<Artifact>) {
        let number = index(self.entries.len());
        self.entries.push((entry.file, row, artifact.is_some()));
        self.generated.written += usize::from(artifact.is_some());
        let artifact = artifact.map(check::Valid::new);
        self.sink.entry(check::Entry { id: check::EntryIndex(number), artifact, ..entry });
    }

    fn duplicate(
        &mut self,
        code: Code,
        severity: Severity,
        first: First,
        got: Got,
        entry: &Entry,
        examined: &Examined,
    ) {
        let what = if code == Code::DuplicateName { "name" } else { "source" };
        let value = examined.sheet.value(got).unwrap_or_default();
        let value = crate::text::quoted(&crate::text::redacted(value));
        let message = match code {
            Code::DuplicateName => format!("the {what} {value} is used twice"),
            _ => format!("the {what} {value} is used twice, with the same `SourceTypes`"),
        };
        let mut finding = Diagnostic::of_file(code, examined.block.file, message);
        finding.severity = severity;
        let sense = if code == Code::DuplicateName { Sense::Name } else { Sense::Uri };
        finding.path = check::path_of(sense);
        finding.help = Some(match code {
            Code::DuplicateName => {
                "make the name of something that differs, as with `artifact_name(unique=row.location)`"
            }
            _ => "remove one of the rows, or add `--on-duplicate first` or `merge-source-types`",
        }.to_owned());
        let (region, template) = self.examiner.cell_of(got, examined, entry.row);
        finding.region = Some(region);
        finding.label = Some("used again".to_owned());
        finding.artifact =
            examined.block.rows.get(entry.row as usize).map(|row| row.number.saturating_sub(1));
        finding.related.push(related(
            "used first in this row",
            first.file,
            Region { start: first.place, end: first.place },
        ));
        finding.related.extend(template);
        self.keep_lines(examined.block.file, examined.block.lines_around(region));
        self.findings(vec![finding]);
    }

    fn findings(&mut self, findings: Vec<Diagnostic>) {
        for finding in findings {
            if finding.file == TEMPLATE {
                let key = (finding.code, finding.region, finding.message.clone());
                if !self.seen.insert(key) {
                    continue;
                }
            }
            if self.generated.findings.len() >= MAX_PER_FILE {
                self.generated.unlisted.add(finding.severity);
            } else {
                self.generated.findings.push(finding);
            }
        }
    }

    fn keep_lines(&mut self, file: FileId, lines: Vec<Piece>) {
        for piece in lines {
            let length = piece.text.len();
            if length <= SHOWN_LINE && self.line_bytes + length <= SHOWN_BYTES {
                self.line_bytes += length;
                self.lines.entry((file, piece.line)).or_insert(piece);
            }
        }
    }

    /// Gives each finding the number of its entry in the place of that of its row.
    fn number_findings(&mut self) {
        let mut findings = std::mem::take(&mut self.generated.findings);
        let row_of = |finding: &Diagnostic| finding.artifact.map(|row| (finding.file, row));
        let mut numbers: HashMap<(FileId, u32), Option<u32>> =
            findings.iter().filter_map(row_of).map(|row| (row, None)).collect();
        // Of several artifacts of a row, one that is invalid.
        for (number, (file, row, is_valid)) in (0..).zip(&self.entries) {
            if let Some(found) = numbers.get_mut(&(*file, *row))
                && (found.is_none() || !is_valid)
            {
                *found = Some(number);
            }
        }
        for finding in findings.iter_mut().filter(|finding| finding.file != TEMPLATE) {
            finding.artifact = match row_of(finding) {
                Some(row) => numbers.get(&row).copied().flatten(),
                None => self.unreadable_at(finding),
            };
        }
        self.generated.findings = findings;
    }

    /// Passes on what waited, and returns the result.
    pub(super) fn finish(mut self) -> io::Result<Generated> {
        for Waiting { artifact, file, place, withdrawn } in std::mem::take(&mut self.merged) {
            match place {
                Some((place, row)) => self.pass(place, row, Some(artifact).filter(|_| !withdrawn)),
                None => {
                    self.sink.artifact(&write::artifact(&artifact), file.as_deref())?;
                    self.generated.written += 1;
                }
            }
        }
        if self.options.entries {
            self.number_findings();
        }
        let mut generated = self.generated;
        diagnostic::sort(&mut generated.findings);
        for ((file, _), piece) in self.lines {
            generated.lines.entry(file).or_default().push(piece);
        }
        Ok(generated)
    }
}

/// Returns `at` as the number of an entry.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The place of `entry`, and the number of its row, from 0.
fn placed(entry: &Entry, examined: &Examined) -> (check::Entry, u32) {
    let text = |got| examined.sheet.value(got).map(str::to_owned);
    let row = examined.block.rows.get(entry.row as usize);
    let place = check::Entry {
        id: check::EntryIndex(0),
        file: examined.block.file,
        line: entry.place.line,
        name: text(entry.name_at),
        source_uri: text(entry.uri_at),
        artifact: None,
    };
    (place, row.map_or(0, |row| row.number.saturating_sub(1)))
}
