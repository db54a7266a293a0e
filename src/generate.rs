//! Inventories to manifests: rows of a table and one template make any number of artifacts.
//!
//! In: an inventory, read a block of rows at a time, and a template. Out: documents of YAML for a
//! [`tree::Tree`] of files or for a stream, and findings at the cells at fault. Rows are rendered and
//! checked in parallel, by the rules that manifests are checked by; what is written is in the order
//! of the rows. It holds no row longer than it takes to write it, but for names and sources, which
//! must differ.

pub mod answers;
mod applied;
mod bytes;
mod cells;
pub mod cloudformation;
mod consumer;
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
#[cfg(feature = "parquet")]
mod parquet;
mod places;
mod plain;
mod render;
pub mod rows;
pub mod s3;
mod starts;
mod stream;
pub mod table;
pub mod template;
mod texts;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use rayon::prelude::*;

use crate::artifact::Rewrites;
use crate::check::{self, Summary};
use crate::diagnostic::{Diagnostic, Levels, Unlisted};
use crate::source::{FileId, Piece, SourceFile, Span};
use consumer::Consumer;
pub use documents::{Listed, slashed};
use examine::{Examined, Examiner};
use rows::{Block, Columns};
pub use stream::Stream;
use template::{Compiled, TextId};

/// Blocks that are worked on at a time.
const BATCH: usize = 16;

/// The treatment of a row whose artifact another row makes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDuplicate {
    /// It is a finding. The first row's artifact is written; as an entry of a run, neither is valid.
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
    /// Withdraws an entry that looked valid at first: another row has the same name or source.
    fn withdraw(&mut self, entry: check::EntryIndex) {
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
    /// True if artifacts are wanted as entries of a run and not as documents: each row stands for a
    /// manifest, those included that cannot be read. The artifact of a finding is then the number of its
    /// entry, and not of its row.
    pub entries: bool,
    /// The number of threads; by default as many as there are cores.
    pub threads: Option<usize>,
    /// The rewrites of each rendered `SourceUri`.
    pub rewrites: Option<&'o Rewrites>,
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
            hidden: None,
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
        rewrites: options.rewrites,
    };
    let mut consumer = Consumer::new(options, examiner, sink);
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
            let examined = std::thread::Builder::new().spawn_scoped(scope, || match &pool {
                None => examine(),
                Some(pool) => pool.install(examine),
            });
            let taken = before.into_iter().try_for_each(|examined| consumer.take(examined));
            let next = taken
                .and_then(|()| if consumer.is_hopeless() { Ok(Vec::new()) } else { read(input) });
            (examined.map(ScopedJoinHandle::join), next)
        });
        ready = examined?.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        batch = next?;
        if consumer.is_hopeless() {
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
