//! Inventories to manifests: rows of a table and one template make any number of artifacts.
//!
//! In: an inventory, read a block of rows at a time, and a template. Out: documents of YAML for a
//! [`tree::Tree`] of files or for a stream, and findings at the cells at fault. Rows are rendered and
//! checked in parallel, by the rules that manifests are checked by; what is written is in the order
//! of the rows. It holds no row longer than it takes to write it, but for names and sources, which
//! must differ.

mod bytes;
mod cells;
mod documents;
mod duplicates;
pub mod dvc;
mod examine;
pub mod expression;
mod filters;
pub mod group;
pub mod init;
pub mod json;
pub mod known;
mod nodes;
pub mod open;
mod places;
mod render;
pub mod rows;
pub mod s3;
pub mod table;
pub mod template;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;

use rayon::prelude::*;

use crate::artifact::Artifact;
use crate::check::{self, Summary};
use crate::diagnostic::{self, Code, Diagnostic, Levels, MAX_PER_FILE, Severity, Unlisted};
use crate::manifest::write;
use crate::source::{FileId, Piece, Region, SourceFile, Span};
pub use documents::Listed;
use duplicates::{First, Used};
use examine::{Entry, Examined, Examiner};
use render::Got;
use rows::{Block, Columns, TEMPLATE, related};
use template::{Compiled, TextId};

/// Blocks that are worked on at a time.
const BATCH: usize = 16;
/// Bytes of lines that are kept for showing findings.
const SHOWN_BYTES: usize = 32 << 20;
/// The longest line that is kept for showing a finding, in bytes.
const SHOWN_LINE: usize = 64 << 10;

/// The treatment of a row whose artifact another row makes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDuplicate {
    /// It is a finding, and the first row's artifact is written.
    #[default]
    Error,
    /// The first row's artifact is written, and nothing is said.
    First,
    /// Rows with the same URI are one artifact that has the source types of all of them.
    MergeSourceTypes,
}

/// A source of rows.
pub trait Input: Send {
    /// Reads as much as it takes to know the columns, if there is a header.
    ///
    /// # Errors
    /// If it cannot be read.
    fn start(&mut self) -> io::Result<()>;
    /// The columns, if every row has the same.
    fn columns(&self) -> Option<Arc<Columns>>;
    /// Returns the text before, between and behind the rows of an inventory of this form; `None` if rows
    /// alone are no inventory.
    fn frame(&self) -> Option<Frame>;
    /// The next rows; `None` behind the last.
    ///
    /// # Errors
    /// If they cannot be read.
    fn next_block(&mut self) -> io::Result<Option<Block>>;
}

/// The text around the rows of an inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Before the first.
    pub before: String,
    /// Between two.
    pub between: &'static str,
    /// Behind the last.
    pub behind: String,
}

/// A destination of artifacts.
pub trait Sink {
    /// Takes an artifact as a document of YAML, and the file that it belongs into, if an expression
    /// says so.
    ///
    /// # Errors
    /// If it cannot be written.
    fn artifact(&mut self, document: &str, file: Option<&str>) -> io::Result<()>;
    /// Takes the text of a row that makes no valid artifact.
    ///
    /// # Errors
    /// If it cannot be written.
    fn invalid(&mut self, row: &str) -> io::Result<()>;
    /// Takes an artifact with its place, valid or not, if [`Options::entries`] is set.
    fn entry(&mut self, entry: check::Entry) {
        let _ = entry;
    }
    /// So many rows and bytes have been read.
    fn progress(&mut self, rows: u64, bytes: u64);
}

/// The options of a generation.
#[derive(Debug)]
pub struct Options<'o> {
    /// The template.
    pub compiled: &'o Compiled<'o>,
    /// Its text.
    pub template: &'o SourceFile,
    /// The severity of each rule.
    pub levels: &'o Levels,
    /// The expression that says which file an artifact goes into.
    pub file: Option<TextId>,
    /// The treatment of duplicates.
    pub on_duplicate: OnDuplicate,
    /// True if artifacts are wanted as entries of a run and not as documents. The artifact of a finding is
    /// then the number of its entry, and not of its row.
    pub entries: bool,
    /// The number of threads; by default as many as there are cores.
    pub threads: Option<usize>,
}

/// The outcome of a generation.
#[derive(Debug, Default)]
pub struct Generated {
    /// The files of the inventory that were read.
    pub files: BTreeSet<FileId>,
    /// Rows that were read, unusable ones included.
    pub rows: u64,
    /// Artifacts, valid and not.
    pub artifacts: usize,
    /// Artifacts that were passed on.
    pub written: usize,
    /// Rows that `$when` left out.
    pub left_out: usize,
    /// Rows that add nothing, since another row makes the artifact.
    pub repeated: usize,
    /// Rows that make no valid artifact.
    pub invalid_rows: usize,
    /// The findings, in order.
    pub findings: Vec<Diagnostic>,
    /// Findings that are not kept.
    pub unlisted: Unlisted,
    /// Lines that the findings are about, by file.
    pub lines: BTreeMap<FileId, Vec<Piece>>,
    /// Spans of the inventory that nobody is to be shown.
    pub hidden: Vec<(FileId, Span)>,
    /// True if the template is at fault, whatever the rows hold.
    pub bad_template: bool,
}

impl Generated {
    /// The counts as reports of a check have them.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let errors = self.findings.iter().filter(|finding| finding.is_error()).count();
        Summary {
            files: self.files.len().max(1),
            artifacts: self.artifacts,
            valid: self.written + self.repeated,
            errors: errors + self.unlisted.errors,
            warnings: self.findings.len() - errors + self.unlisted.warnings,
        }
    }
}

/// Reads every row of `input` and passes artifacts to `sink`.
///
/// # Errors
/// If the input cannot be read or the sink cannot take an artifact.
pub fn run(
    input: &mut dyn Input,
    options: &Options<'_>,
    sink: &mut dyn Sink,
) -> io::Result<Generated> {
    let examiner = Examiner {
        compiled: options.compiled,
        template: options.template,
        levels: options.levels,
        file: options.file,
        artifacts: options.entries || options.on_duplicate == OnDuplicate::MergeSourceTypes,
    };
    let mut consumer = Consumer {
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
    };
    let pool = match options.threads {
        None => None,
        Some(threads) => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            Some(pool.map_err(io::Error::other)?)
        }
    };
    let mut ready: Vec<Examined> = Vec::new();
    let mut batch = read(input)?;
    while !batch.is_empty() || !ready.is_empty() {
        let blocks = std::mem::take(&mut batch);
        let before = std::mem::take(&mut ready);
        let examine = || blocks.into_par_iter().map(|block| examiner.examine(block)).collect();
        // The sink stays on this thread.
        let (examined, next) = std::thread::scope(|scope| {
            let examined = scope.spawn(|| match &pool {
                None => examine(),
                Some(pool) => pool.install(examine),
            });
            let taken = before.into_iter().try_for_each(|examined| consumer.take(examined));
            let next = taken.and_then(|()| {
                if consumer.generated.bad_template { Ok(Vec::new()) } else { read(input) }
            });
            (examined.join(), next)
        });
        ready = examined.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        batch = next?;
        if consumer.generated.bad_template {
            break;
        }
    }
    consumer.finish()
}

fn read(input: &mut dyn Input) -> io::Result<Vec<Arc<Block>>> {
    let mut blocks = Vec::with_capacity(BATCH);
    while blocks.len() < BATCH
        && let Some(block) = input.next_block()?
    {
        blocks.push(Arc::new(block));
    }
    Ok(blocks)
}

struct Consumer<'c> {
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
}

/// An artifact that may get further source types.
struct Waiting {
    artifact: Artifact,
    /// Its file, if an expression says so.
    file: Option<String>,
    /// Its place, if entries are wanted, with the number of its row.
    place: Option<(check::Entry, u32)>,
}

impl Consumer<'_> {
    fn take(&mut self, mut examined: Examined) -> io::Result<()> {
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
        for entry in entries {
            self.generated.artifacts += 1;
            let row = block.rows.get(entry.row as usize).map(|row| row.span);
            if !self.entry(entry, &examined)? {
                bad.extend(row);
            }
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
        let (same_name, same_source) = self.used.take(
            entry.name,
            entry.source,
            First { file: examined.block.file, place: entry.place },
        );
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
                entry.valid &= severity != Severity::Error;
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
                self.merged.push(Waiting { artifact, file: entry.file, place });
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

    /// Passes an entry on, which `row` made.
    fn pass(&mut self, entry: check::Entry, row: u32, artifact: Option<Artifact>) {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push((entry.file, row, artifact.is_some()));
        self.generated.written += usize::from(artifact.is_some());
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
        finding.path =
            if code == Code::DuplicateName { "/ArtifactName" } else { "/Source/SourceUri" }
                .to_owned();
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

    fn finish(mut self) -> io::Result<Generated> {
        for Waiting { artifact, file, place } in std::mem::take(&mut self.merged) {
            match place {
                Some((place, row)) => self.pass(place, row, Some(artifact)),
                None => {
                    self.sink.artifact(&write::artifact(&artifact), file.as_deref())?;
                    self.generated.written += 1;
                }
            }
        }
        let mut generated = self.generated;
        if self.options.entries {
            let mut numbers: HashMap<(FileId, u32), u32> = HashMap::new();
            // Of several artifacts of a row, one that is invalid.
            for (number, (file, row, is_valid)) in (0..).zip(&self.entries) {
                if !is_valid || !numbers.contains_key(&(*file, *row)) {
                    numbers.insert((*file, *row), number);
                }
            }
            for finding in &mut generated.findings {
                let row = finding.artifact.map(|row| (finding.file, row));
                finding.artifact = row.and_then(|row| numbers.get(&row).copied());
            }
        }
        diagnostic::sort(&mut generated.findings);
        for ((file, _), piece) in self.lines {
            generated.lines.entry(file).or_default().push(piece);
        }
        Ok(generated)
    }
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

/// Documents on a stream.
#[derive(Debug)]
pub struct Stream<W> {
    out: W,
    begun: bool,
}

impl<W: Write> Stream<W> {
    /// Writes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, begun: false }
    }

    /// Writes a document.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn document(&mut self, text: &str) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            self.out.write_all(b"---\n")?;
        }
        self.out.write_all(text.as_bytes())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
