//! DVC: what `.dvc` and `dvc.lock` files say about data.
//!
//! In: the files of a repository, and its `.dvc/config`. Out: a row for each output, with the place in the
//! remote that DVC keeps it at. No file of data is looked at, and nothing is asked of a remote.

mod config;
mod location;
mod path;
mod pipeline;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use minijinja::Value;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::documents::{self, Documents, Listed, Made, MadeRow, Source};
use super::json;
use super::places::Places;
use super::rows::Fault;
pub use config::Config;
use location::Location;
use pipeline::{Flags, Pipeline};

/// The columns of a row. All but `uri` have a value in every row, if only an empty one.
const COLUMNS: [&str; 20] = [
    "path",
    "file",
    "stage",
    "uri",
    "md5",
    "etag",
    "version_id",
    "size",
    "nfiles",
    "is_dir",
    "cached",
    "imported",
    "remote",
    "desc",
    "type",
    "labels",
    "meta",
    "cmd",
    "repository",
    "commit",
];

/// A repository, as far as git knows it.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The URL of its remote `origin`, without credentials.
    pub repository: Option<String>,
    /// The commit that last changed a file, by the name of the file below the root. A file with changes
    /// that are not committed has none.
    pub commits: HashMap<String, String>,
}

/// The outputs of a repository.
pub type Outputs = Documents<Repository>;

/// A repository of DVC.
#[derive(Debug)]
pub struct Repository {
    config: Config,
    history: History,
}

/// Returns the rows of `files`, in a repository with this configuration and this history.
#[must_use]
pub fn outputs(files: Vec<Listed>, config: Config, history: History) -> Outputs {
    Documents::new(Repository { config, history }, files)
}

/// Returns the `.dvc` and `dvc.lock` files below `directory`, in order, with their names below it. Hidden
/// directories are left out.
///
/// # Errors
/// If a directory cannot be read.
pub fn files(directory: &Path) -> io::Result<Vec<Listed>> {
    documents::listed(directory, is_file)
}

/// Returns whether `path` is named as a file in which DVC keeps what data there is.
#[must_use]
pub fn is_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name == "dvc.lock" || (name.len() > ".dvc".len() && name.ends_with(".dvc"))
}

/// Returns the root of the repository that `path` is in.
#[must_use]
pub fn root(path: &Path) -> Option<&Path> {
    path.ancestors().find(|directory| directory.join(".dvc").join("config").is_file())
}

/// A `.dvc` file.
#[derive(Debug, Deserialize)]
struct DotDvc {
    #[serde(default)]
    wdir: Option<String>,
    #[serde(default)]
    desc: Option<String>,
    #[serde(default)]
    meta: Map<String, Json>,
    #[serde(default)]
    deps: Vec<Dep>,
    #[serde(default)]
    outs: Vec<Out>,
}

/// The origin of an import.
#[derive(Debug, Deserialize)]
struct Dep {
    #[serde(default)]
    repo: Option<Json>,
}

/// `dvc.lock`.
#[derive(Debug, Deserialize)]
struct Lock {
    schema: String,
    #[serde(default)]
    stages: BTreeMap<String, Stage>,
}

#[derive(Debug, Deserialize)]
struct Stage {
    #[serde(default)]
    cmd: Option<Json>,
    #[serde(default)]
    outs: Vec<Out>,
}

/// An output.
#[derive(Debug, Deserialize)]
pub(super) struct Out {
    path: String,
    /// The kind of its hash; none before DVC 3.
    #[serde(default)]
    hash: Option<String>,
    #[serde(default)]
    md5: Option<String>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    version_id: Option<String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    nfiles: Option<u64>,
    #[serde(default)]
    cache: Option<bool>,
    #[serde(default)]
    push: Option<bool>,
    #[serde(default)]
    remote: Option<String>,
    #[serde(default)]
    desc: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    meta: Map<String, Json>,
    /// Its versions in remotes that keep versions.
    #[serde(default)]
    cloud: BTreeMap<String, Cloud>,
    /// The files of a directory, in a remote with versions.
    #[serde(default)]
    files: Vec<Inside>,
}

/// A version of a file in a remote.
#[derive(Debug, Clone, Default, Deserialize)]
struct Cloud {
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    version_id: Option<String>,
}

/// A file of a directory.
#[derive(Debug, Deserialize)]
struct Inside {
    relpath: String,
    #[serde(default)]
    md5: Option<String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    version_id: Option<String>,
    #[serde(default)]
    cloud: BTreeMap<String, Cloud>,
}

/// The things that the outputs of a file have in common.
struct Context<'c> {
    file: &'c str,
    directory: String,
    stage: &'c str,
    cmd: Value,
    desc: Option<&'c str>,
    meta: &'c Map<String, Json>,
    imported: bool,
}

impl Out {
    /// Adds what the pipeline says.
    fn add(&mut self, flags: Flags) {
        let Flags { cache, push, remote, desc, kind, labels, meta } = flags;
        self.cache = self.cache.or(cache);
        self.push = self.push.or(push);
        self.remote = self.remote.take().or(remote);
        self.desc = self.desc.take().or(desc);
        self.kind = self.kind.take().or(kind);
        if self.labels.is_empty() {
            self.labels = labels;
        }
        if self.meta.is_empty() {
            self.meta = meta;
        }
    }
}

impl Source for Repository {
    fn columns(&self) -> &'static [&'static str] {
        &COLUMNS
    }

    fn rows(&self, file: &Listed, text: &str) -> Result<Vec<MadeRow>, Fault> {
        let name = file.name.as_str();
        let places = Places::read(text);
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut rows = Vec::new();
        if name.rsplit('/').next() == Some("dvc.lock") {
            let lock: Lock = serde_yaml::from_str(text).map_err(|error| {
                documents::fault(text, "a `dvc.lock` of DVC 1.0 or later", &error)
            })?;
            tracing::debug!("{name}: schema {}", lock.schema);
            let stages = places.key("stages");
            let none = Map::new();
            let pipeline = std::fs::read_to_string(file.path.with_file_name("dvc.yaml"));
            let pipeline = Pipeline::read(&pipeline.unwrap_or_default());
            for (stage, Stage { cmd, mut outs }) in lock.stages {
                for out in &mut outs {
                    let flags = pipeline.flags(&stage, &out.path);
                    out.add(flags);
                }
                let context = Context {
                    file: name,
                    directory: directory.to_owned(),
                    stage: &stage,
                    cmd: cmd.as_ref().map_or(Value::from(""), json::value),
                    desc: None,
                    meta: &none,
                    imported: false,
                };
                let at = stages.and_then(|stages| stages.key(&stage)?.key("outs"));
                self.outs(&outs, at, &context, &mut rows);
            }
        } else {
            let dot_dvc: DotDvc = serde_yaml::from_str(text)
                .map_err(|error| documents::fault(text, "a `.dvc` file", &error))?;
            let context = Context {
                file: name,
                directory: path::joined(directory, dot_dvc.wdir.as_deref().unwrap_or("")),
                stage: "",
                cmd: Value::from(""),
                desc: dot_dvc.desc.as_deref(),
                meta: &dot_dvc.meta,
                imported: dot_dvc.deps.iter().any(|dep| dep.repo.is_some()),
            };
            self.outs(&dot_dvc.outs, places.key("outs"), &context, &mut rows);
        }
        Ok(rows)
    }
}

impl Repository {
    fn outs(
        &self,
        outs: &[Out],
        places: Option<&Places>,
        context: &Context<'_>,
        rows: &mut Vec<MadeRow>,
    ) {
        for (out, index) in outs.iter().zip(0..) {
            let at = places.and_then(|places| places.item(index));
            if out.files.is_empty() {
                rows.push(self.row(out, None, at, at, context));
            }
            for (inside, index) in out.files.iter().zip(0..) {
                let within = at.and_then(|at| at.key("files")?.item(index));
                rows.push(self.row(out, Some(inside), at, within, context));
            }
        }
    }

    /// Returns the row of `out` at `at`, or of the file `inside` of it at `within`.
    fn row(
        &self,
        out: &Out,
        inside: Option<&Inside>,
        at: Option<&Places>,
        within: Option<&Places>,
        context: &Context<'_>,
    ) -> MadeRow {
        let key = |name: &str| at.and_then(|at| at.key(name));
        let own = |name: &str| within.and_then(|within| within.key(name));
        let path = path::joined(&context.directory, &out.path);
        let (path, named) = match inside {
            Some(inside) => (path::joined(&path, &inside.relpath), own("relpath")),
            None => (path, key("path")),
        };
        let clouds = inside.map_or(&out.cloud, |inside| &inside.cloud);
        let remote = out.remote.as_deref().or_else(|| clouds.keys().next().map(String::as_str));
        let remote = self.config.remote(remote);
        let cloud =
            remote.and_then(|(name, _)| clouds.get(name)).or_else(|| clouds.values().next());
        let cloud_at = remote.and_then(|(name, _)| own("cloud")?.key(name));
        let md5 = inside.map_or(out.md5.as_deref(), |inside| inside.md5.as_deref());
        let known = |name: &'static str, of_cloud: Option<&str>, of_file: Option<&str>| {
            let place = of_cloud.and_then(|_| cloud_at?.key(name)).or_else(|| own(name));
            Made::new(name, of_cloud.or(of_file).unwrap_or_default(), place)
        };
        let (etag, version) = match inside {
            Some(inside) => (inside.etag.as_deref(), inside.version_id.as_deref()),
            None => (out.etag.as_deref(), out.version_id.as_deref()),
        };
        let cached = out.cache.unwrap_or(true) && out.push.unwrap_or(true);
        let location =
            Location { path: &path, md5, hash: out.hash.as_deref(), versioned: !clouds.is_empty() };
        let uri = if context.imported || !cached && !location.is_external() {
            None
        } else {
            location.uri(remote.map(|(_, remote)| remote))
        };
        let uri_at = if md5.is_some() { own("md5").or(named) } else { named };
        let size = inside.map_or(out.size, |inside| inside.size);
        let number = |number: Option<u64>| number.map_or(Value::from(""), Value::from);
        let desc = out.desc.as_deref().or(context.desc).unwrap_or_default();
        let meta = if out.meta.is_empty() { context.meta } else { &out.meta };
        let meta = meta.iter().map(|(key, value)| (key.clone(), json::value(value)));
        let is_dir = md5.is_some_and(|md5| md5.ends_with(".dir"));
        let commit = self.history.commits.get(context.file);
        let cells = vec![
            Made::new("path", path.as_str(), named),
            Made::new("file", context.file, None),
            Made::new("stage", context.stage, None),
            Made::new("uri", uri.map_or(Value::UNDEFINED, Value::from), uri_at),
            Made::new("md5", md5.unwrap_or_default(), own("md5")),
            known("etag", cloud.and_then(|cloud| cloud.etag.as_deref()), etag),
            known("version_id", cloud.and_then(|cloud| cloud.version_id.as_deref()), version),
            Made::new("size", number(size), own("size")),
            Made::new("nfiles", number(out.nfiles.filter(|_| inside.is_none())), key("nfiles")),
            Made::new("is_dir", is_dir, own("md5")),
            Made::new("cached", cached, key("cache").or(key("push"))),
            Made::new("imported", context.imported, None),
            Made::new("remote", remote.map_or("", |(name, _)| name), key("remote")),
            Made::new("desc", desc, key("desc")),
            Made::new("type", out.kind.as_deref().unwrap_or_default(), key("type")),
            Made::new("labels", out.labels.clone(), key("labels")),
            Made::new("meta", Value::from_pairs(meta), key("meta")),
            Made::new("cmd", context.cmd.clone(), None),
            Made::new("repository", self.history.repository.as_deref().unwrap_or_default(), None),
            Made::new("commit", commit.map_or("", String::as_str), None),
        ];
        MadeRow {
            span: within.map_or_else(Default::default, |within| within.span),
            cells,
            faults: Vec::new(),
        }
    }
}
