//! A folder of the workspace: its settings, its files, and the names and sources in them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Options;
use crate::check::{self, Register};
use crate::config::{self, Config, Loaded};
use crate::diagnostic::Diagnostic;
use crate::source::{Base, FileId, MAX_FILE_BYTES, Pattern, SourceFile, SourceStore};
use crate::text::reason;
use crate::walk::{self, Origin};

/// A folder with its manifests.
#[derive(Debug)]
pub(super) struct Workspace {
    /// The folder.
    pub(super) root: PathBuf,
    /// The configuration that it has, if that has faults.
    pub(super) faulty: Option<(PathBuf, Loaded)>,
    /// True if it was made for one file, outside of any folder of the workspace.
    alone: bool,
    walk: walk::Options,
    config: Config,
    allowances: bool,
    store: SourceStore,
    ids: HashMap<Arc<Path>, FileId>,
    /// The files whose text is that of an editor.
    open: HashSet<FileId>,
    register: Register,
    /// The number of files that the scan has found; those with later ids were not on the disk then.
    read: usize,
}

/// The result of the check of a document.
#[derive(Debug)]
pub(super) struct Checked {
    /// The text that was checked, which findings refer to.
    pub(super) source: Arc<SourceFile>,
    /// The findings, in order.
    pub(super) findings: Vec<Diagnostic>,
}

impl Workspace {
    /// Reads the settings of the folder `root`, and none of its manifests. If `paths` are given, they
    /// replace those of the options.
    pub(super) fn new(root: &Path, options: &Options, paths: Option<&[PathBuf]>) -> Self {
        let base = Arc::new(Base { working: root.to_owned(), root: root.to_owned() });
        let file = match &options.config {
            _ if options.isolated => None,
            Some(file) => Some(file.clone()),
            None => config::find(root),
        };
        let loaded = file.and_then(|file| {
            let loaded = config::load(&file, root);
            let failed =
                |error| tracing::warn!("cannot read {}: {}", file.display(), reason(&error));
            loaded.map_err(failed).ok().map(|loaded| (file, loaded))
        });
        let (config, faulty) = match loaded {
            Some((file, mut loaded)) => {
                let config = std::mem::take(&mut loaded.config);
                (config, (!loaded.findings.is_empty()).then_some((file, loaded)))
            }
            None => (Config::default(), None),
        };
        let relative = |patterns: &[Pattern]| {
            let patterns = patterns.iter().cloned();
            patterns.map(|pattern| pattern.relative_to(&base)).collect::<Vec<_>>()
        };
        let mut exclude = relative(&options.exclude);
        exclude.extend(config.exclude.iter().cloned());
        Self {
            root: root.to_owned(),
            faulty,
            alone: paths.is_some(),
            walk: walk::Options {
                paths: paths.unwrap_or(&options.paths).iter().map(|path| root.join(path)).collect(),
                follow_links: options.follow_links,
                exclude,
                include: relative(&options.include),
                stdin_name: None,
                shard: None,
            },
            config,
            allowances: !options.isolated,
            store: SourceStore::default(),
            ids: HashMap::new(),
            open: HashSet::new(),
            register: Register::default(),
            read: 0,
        }
    }

    /// Reads every manifest of the folder for its names and sources.
    pub(super) fn scan(&mut self) {
        let mut walk = walk::walk(&self.walk);
        for found in &mut walk.found {
            if let Ok(Origin::Path(path)) = &found.what {
                found.name = name(&self.root, path);
            }
        }
        self.store = check::sources(&walk);
        self.read = walk.found.len();
        let ids = (0..).map(FileId).zip(&walk.found);
        let path = |(id, found): (FileId, &walk::Found)| match &found.what {
            Ok(Origin::Path(path)) => Some((Arc::clone(path), id)),
            _ => None,
        };
        self.ids = ids.filter_map(path).collect();
        match check::registered(&walk, &self.store, self.options()) {
            Ok(register) => self.register = register,
            Err(error) => tracing::warn!("duplicates across files are not found: {error}"),
        }
    }

    /// Returns whether one of the paths with manifests exists.
    pub(super) fn has_paths(&self) -> bool {
        self.walk.paths.iter().any(|path| path.exists())
    }

    /// Returns the number of its files.
    pub(super) fn files(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether the file at `path`, which need not exist yet, is one of its manifests.
    pub(super) fn takes(&self, path: &Path) -> bool {
        self.ids.contains_key(path) || self.walk.take(path)
    }

    /// Returns whether it was made for one file.
    pub(super) const fn is_alone(&self) -> bool {
        self.alone
    }

    /// Returns whether the file at `path` is a manifest that was not there when the folder was read.
    pub(super) fn is_new(&self, path: &Path) -> bool {
        self.walk.take(path) && self.ids.get(path).is_none_or(|id| id.0 as usize >= self.read)
    }

    /// Returns whether the scan has read the file at `path`.
    pub(super) fn knows(&self, path: &Path) -> bool {
        self.ids.get(path).is_some_and(|id| (id.0 as usize) < self.read)
    }

    /// Returns the id of the file at `path`, if it is known.
    pub(super) fn id_of(&self, path: &Path) -> Option<FileId> {
        self.ids.get(path).copied()
    }

    /// Returns whether the text of a file is that of an editor.
    pub(super) fn is_open(&self, id: FileId) -> bool {
        self.open.contains(&id)
    }

    /// Checks `text` as that of the file at `path`, which is open. Returns the other files, too, whose
    /// findings may have changed by that. `None` if the file is not one of its manifests, or as soon as
    /// `stop` returns true; the register has not changed then.
    pub(super) fn check(
        &mut self,
        path: &Path,
        text: &str,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<(Checked, BTreeSet<FileId>)> {
        let id = self.id(path)?;
        let source = Arc::new(SourceFile::new(id, self.store.name(id), text.into()));
        let findings_and_shared = self.check_among(&source, stop)?;
        self.open.insert(id);
        let (findings, shared) = findings_and_shared;
        Some((Checked { source, findings }, shared))
    }

    fn check_among(
        &mut self,
        source: &Arc<SourceFile>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<(Vec<Diagnostic>, BTreeSet<FileId>)> {
        let id = source.id();
        self.store.release(id);
        self.store.pin(Arc::clone(source));
        let mut shared = self.register.sharing_with(id);
        let options = options(&self.config, self.allowances);
        let findings = check::among(source, &self.store, options, &mut self.register, stop)?;
        shared.extend(self.register.sharing_with(id));
        Some((findings, shared))
    }

    /// Reads the file at `path` again, which is not open any more. Returns the other files whose
    /// findings may have changed by that.
    pub(super) fn reread(&mut self, path: &Path) -> BTreeSet<FileId> {
        let Some(id) = self.id_of(path) else { return BTreeSet::new() };
        let small = std::fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_FILE_BYTES);
        let bytes = if small { std::fs::read(path).ok() } else { None };
        let checked = bytes.and_then(|bytes| {
            let source = Arc::new(SourceFile::new(id, self.store.name(id), bytes));
            self.check_among(&source, &|| false)
        });
        let shared = checked.map(|(_, shared)| shared).unwrap_or_else(|| {
            let shared = self.register.sharing_with(id);
            self.register.forget(id);
            shared
        });
        self.store.release(id);
        self.open.remove(&id);
        shared
    }

    /// Returns how the files of this folder are checked.
    pub(super) const fn options(&self) -> check::Options<'_> {
        options(&self.config, self.allowances)
    }

    /// Returns the text of a file.
    pub(super) fn source(&self, id: FileId) -> Option<Arc<SourceFile>> {
        self.store.get(id)
    }

    /// Returns the path of a file.
    pub(super) fn path(&self, id: FileId) -> Option<Arc<Path>> {
        self.store.path(id)
    }

    /// Returns the names and sources of its files.
    pub(super) const fn register(&self) -> &Register {
        &self.register
    }

    fn id(&mut self, path: &Path) -> Option<FileId> {
        if let Some(id) = self.id_of(path) {
            return Some(id);
        }
        if !self.walk.take(path) {
            return None;
        }
        let path: Arc<Path> = Arc::from(path);
        let id = self.store.add(name(&self.root, &path), Some(Arc::clone(&path)));
        self.ids.insert(path, id);
        Some(id)
    }
}

const fn options(config: &Config, allowances: bool) -> check::Options<'_> {
    check::Options {
        rules: &config.rules,
        allowances,
        threads: None,
        entries: false,
        rewrites: None,
    }
}

/// Returns the path of a file as `lint` shows it in the folder.
fn name(root: &Path, path: &Path) -> Arc<str> {
    Arc::from(path.strip_prefix(root).unwrap_or(path).to_string_lossy())
}
