//! Messages of the service about a field, shown at its place in the manifest.

use std::path::PathBuf;

use super::LoggedEntry;
use super::row::Row;
use crate::artifact::Stamp;
use crate::check;
use crate::config::Rules;
use crate::manifest::{self, Checked};
use crate::model::ARTIFACT;
use crate::report::human;
use crate::source::{FileId, MAX_FILE_BYTES, SourceFile};
use crate::text::escaped;

/// The largest manifest, in bytes, that is read again for a message.
const LARGEST: u64 = 64 << 20;

/// The manifests of a run, and the options of an excerpt from one.
#[derive(Debug, Clone)]
pub struct Places {
    /// The directory that their names are relative to.
    pub folder: PathBuf,
    /// True if `--set` adds values that no manifest has.
    pub stamped: bool,
    /// The options of an excerpt.
    pub options: human::Options,
}

impl Places {
    /// Returns the failure of an entry with an excerpt of its manifest, in which each field that the
    /// service names is marked. Returns `None` where it names none, the values may not be the
    /// manifest's, or the manifest has changed since it was checked.
    pub(super) fn show(&self, entry: &LoggedEntry, row: &Row<'_>) -> Option<String> {
        let may_be_set = |pointer: &String| {
            let field = pointer.split('/').nth(1).and_then(|name| ARTIFACT.field(name));
            field.is_some_and(Stamp::can_set)
        };
        let mut pointers: Vec<_> = entry.error.as_ref()?.members().collect();
        pointers.retain(|pointer| !self.stamped || !may_be_set(pointer));
        pointers.sort_unstable();
        pointers.dedup();
        if pointers.is_empty() {
            return None;
        }
        let path = self.folder.join(&*entry.file);
        let size = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
        if size > LARGEST.min(MAX_FILE_BYTES) {
            return None;
        }
        let bytes = std::fs::read(path).ok()?;
        let source = SourceFile::new(FileId(0), std::sync::Arc::clone(&entry.file), bytes);
        let checked = Checked {
            line: entry.line,
            name: entry.name.as_deref(),
            source_uri: entry.source_uri.as_deref(),
        };
        let place = |pointer: &String| manifest::place(&source, checked, pointer);
        let spans: Vec<_> = pointers.iter().filter_map(place).collect();
        let rules = Rules::default();
        let options = check::Options {
            rules: &rules,
            allowances: false,
            threads: None,
            entries: false,
            rewrites: None,
        };
        let hidden = check::hidden(&source, options);
        let message =
            format!("{}: {}: {}", row.outcome, escaped(row.title()), escaped(&row.said()));
        let label = "the service does not accept this value";
        human::render_at(message, label, &source, &spans, &hidden, &self.options)
    }
}
