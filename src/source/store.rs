//! Source files that are read again for reports: findings have places, not texts, so that a run
//! over any number of files keeps none of them in memory.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{FileId, SourceFile, Span};

/// The number of files that stay in memory. Findings come in the order of the walk, so
/// one would do but for labels in other files.
const KEPT: usize = 8;
/// The number of their bytes, not counting the file that was read last.
const KEPT_BYTES: usize = 16 << 20;

/// The files of a run, by [`FileId`].
#[derive(Debug, Default)]
pub struct SourceStore {
    files: Vec<(Arc<str>, Option<Arc<Path>>)>,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    /// Files that cannot be read again: standard input.
    pinned: HashMap<FileId, Arc<SourceFile>>,
    /// Large files that a check holds just now.
    lent: HashMap<FileId, Weak<SourceFile>>,
    recent: VecDeque<Arc<SourceFile>>,
    /// The spans that must not be shown.
    hidden: HashMap<FileId, Vec<Span>>,
}

impl SourceStore {
    /// Creates a store of the files with these shown names and paths, in the order of their ids;
    /// `None` for one that cannot be read again.
    #[must_use]
    pub fn new(files: Vec<(Arc<str>, Option<Arc<Path>>)>) -> Self {
        Self { files, cache: Mutex::default() }
    }

    /// Adds a file with this shown name, and the path that it is read from.
    pub fn add(&mut self, name: Arc<str>, path: Option<Arc<Path>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push((name, path));
        id
    }

    /// Returns the path of `id` as it is shown.
    #[must_use]
    pub fn name(&self, id: FileId) -> Arc<str> {
        self.files.get(id.0 as usize).map_or_else(|| Arc::from("?"), |(name, _)| Arc::clone(name))
    }

    /// Returns whether `id` is a file, and not standard input.
    #[must_use]
    pub fn can_read_again(&self, id: FileId) -> bool {
        self.files.get(id.0 as usize).is_some_and(|(_, path)| path.is_some())
    }

    /// Keeps `file` for the rest of the run.
    pub fn pin(&self, file: Arc<SourceFile>) {
        self.cache().pinned.insert(file.id(), file);
    }

    /// Returns the path that `id` is read from.
    #[must_use]
    pub fn path(&self, id: FileId) -> Option<Arc<Path>> {
        self.files.get(id.0 as usize)?.1.clone()
    }

    /// Drops everything that is known of the content of `id`.
    pub fn release(&self, id: FileId) {
        let mut cache = self.cache();
        cache.pinned.remove(&id);
        cache.lent.remove(&id);
        cache.hidden.remove(&id);
        cache.recent.retain(|file| file.id() != id);
    }

    /// Drops the cached content of files that can be read again.
    pub fn forget(&self) {
        self.cache().recent.clear();
    }

    /// Hides these spans of `id` from all output.
    pub fn hide(&self, id: FileId, spans: &[Span]) {
        if !spans.is_empty() {
            self.cache().hidden.entry(id).or_default().extend_from_slice(spans);
        }
    }

    /// Returns the spans of `id` that must not be shown.
    #[must_use]
    pub fn hidden(&self, id: FileId) -> Vec<Span> {
        self.cache().hidden.get(&id).cloned().unwrap_or_default()
    }

    /// Shares `file` for as long as it is referenced elsewhere, so that it is not read a second
    /// time.
    pub fn lend(&self, file: &Arc<SourceFile>) {
        let mut cache = self.cache();
        cache.lent.retain(|_, file| file.strong_count() > 0);
        cache.lent.insert(file.id(), Arc::downgrade(file));
    }

    /// Returns the text of `id`, read again if necessary. `None` if it can no longer be read.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<Arc<SourceFile>> {
        let mut cache = self.cache();
        if let Some(file) = cache.pinned.get(&id) {
            return Some(Arc::clone(file));
        }
        if let Some(file) = cache.lent.get(&id).and_then(Weak::upgrade) {
            return Some(file);
        }
        if let Some(at) = cache.recent.iter().position(|file| file.id() == id) {
            let file = cache.recent.remove(at)?;
            cache.recent.push_front(Arc::clone(&file));
            return Some(file);
        }
        let (name, path) = self.files.get(id.0 as usize)?;
        let bytes = std::fs::read(path.as_ref()?).ok()?;
        let file = Arc::new(SourceFile::new(id, Arc::clone(name), bytes));
        cache.recent.push_front(Arc::clone(&file));
        cache.shrink();
        Some(file)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn shrink(&mut self) {
        self.recent.truncate(KEPT);
        let bytes = |files: &VecDeque<Arc<SourceFile>>| -> usize {
            files.iter().map(|file| file.text().len()).sum()
        };
        while self.recent.len() > 1 && bytes(&self.recent) > KEPT_BYTES {
            self.recent.pop_back();
        }
    }
}
