//! The file of a plan, so that what was reviewed is what is imported.
//!
//! `plan --out` writes it; `import --plan` makes the plan again and refuses to begin if anything is not
//! as it was: the target, the options, a manifest, or what is to be done. It holds digests and counts,
//! and no value of a manifest.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::staging::fingerprint;
use crate::artifact::UriRewrite;
use crate::cli::{CheckDrift, Existing, WhenExists};
use crate::commands::failure::Failure;
use crate::commands::manifests::ManifestSet;
use crate::destination;
use crate::exit::Exit;
use crate::plan::{Fate, Gone, Planned, Sink};
use crate::submission::Target;
use crate::text::{counted, escaped, hex, list, reason};
use crate::walk::Origin;

/// The version of the file's format.
const VERSION: u32 = 1;
/// The largest file that is read, in bytes: a tree of a million manifests fits.
const LARGEST: u64 = 128 << 20;
/// The number of changed manifests that a message names.
const NAMED: usize = 3;

/// The plan of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    version: u32,
    /// The identity of the target, or of a local registry that did not exist.
    target: String,
    options: Options,
    actions: Actions,
    /// SHA-256 of what is planned for each entry, in the order of the walk.
    digest: String,
    /// SHA-256 of each manifest, by its path.
    files: BTreeMap<String, String>,
}

/// The options that decide what an import does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    on_exists: String,
    prune: bool,
    check_drift: String,
    /// The fields of `--set`. Their values are in the digest: one may be a secret.
    set: Vec<String>,
    /// SHA-256 of what `--rewrite-uri` replaces, and by what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rewrite_uri: Option<String>,
}

/// The number of entries by what an import does with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Actions {
    invalid: u64,
    create: u64,
    update: u64,
    leave: u64,
}

impl Options {
    /// Returns the options of a command line.
    pub(super) fn of(existing: &Existing, rewrites: &[UriRewrite]) -> Self {
        let field = |set: &String| set.split('=').next().unwrap_or_default().to_owned();
        let on_exists = match existing.on_exists {
            WhenExists::Skip => "skip",
            WhenExists::Update => "update",
            WhenExists::Fail => "fail",
        };
        let check_drift = match existing.check_drift {
            CheckDrift::Unknown => "unknown",
            CheckDrift::Always => "always",
            CheckDrift::Never => "never",
        };
        Self {
            on_exists: on_exists.to_owned(),
            prune: existing.prune,
            check_drift: check_drift.to_owned(),
            set: existing.set.iter().map(field).collect(),
            rewrite_uri: rewrites_of(rewrites),
        }
    }

    /// Returns the options that are not as in `other`, as they are entered.
    fn differing(&self, other: &Self) -> Vec<String> {
        let named = [
            ("`--on-exists`", self.on_exists != other.on_exists),
            ("`--prune`", self.prune != other.prune),
            ("`--check-drift`", self.check_drift != other.check_drift),
            ("`--set`", self.set != other.set),
            ("`--rewrite-uri`", self.rewrite_uri != other.rewrite_uri),
        ];
        named.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
    }
}

/// Takes in what is planned, and passes it on.
pub(super) struct Recorder<'s> {
    next: Option<&'s mut dyn Sink>,
    actions: Actions,
    unknown: u64,
    hasher: Sha256,
}

impl<'s> Recorder<'s> {
    /// Returns a recorder that passes everything on to `next`. `set` are the values of `--set`.
    pub(super) fn new(next: Option<&'s mut dyn Sink>, set: &[String]) -> Self {
        let mut hasher = Sha256::new();
        set.iter().for_each(|field| hash(field.as_bytes(), &mut hasher));
        Self { next, actions: Actions::default(), unknown: 0, hasher }
    }

    /// Returns the plan of an import to `target`. `failed` begins the message if there is none.
    ///
    /// # Errors
    /// If an entry could not be compared: nobody knows what an import would do with it.
    pub(super) fn finish(
        self,
        failed: &str,
        target: String,
        options: Options,
        files: BTreeMap<String, String>,
    ) -> Result<PlanFile, Failure> {
        if self.unknown > 0 {
            let unknown = counted(usize::try_from(self.unknown).unwrap_or(usize::MAX), "artifact");
            let message = format!("{failed}: {unknown} could not be compared");
            return Err(Failure { exit: Exit::Stopped, message, help: Vec::new() });
        }
        Ok(PlanFile {
            version: VERSION,
            target,
            options,
            actions: self.actions,
            digest: hex(&self.hasher.finalize()),
            files,
        })
    }
}

impl Sink for Recorder<'_> {
    fn entry(&mut self, entry: &Planned<'_>) -> io::Result<()> {
        let actions = &mut self.actions;
        hash(entry.file.as_bytes(), &mut self.hasher);
        hash(&entry.line.to_le_bytes(), &mut self.hasher);
        if let Some(artifact) = entry.artifact {
            hash(&artifact.digest().0, &mut self.hasher);
        }
        if let Some(taken) = entry.item.and_then(|item| item.name_also_at.as_deref()) {
            hash(taken.as_bytes(), &mut self.hasher);
        }
        let (count, words) = match entry.item.map(|item| (&item.fate, item)) {
            None => (&mut actions.invalid, "invalid".to_owned()),
            Some((Fate::Create, item)) if item.unseen => (&mut actions.leave, "missing".to_owned()),
            Some((Fate::Create, _)) => (&mut actions.create, "create".to_owned()),
            Some((Fate::Exists, item)) => {
                (&mut actions.leave, format!("exists, refused: {}", item.refused))
            }
            Some((Fate::Differs { differences, change }, _)) => {
                let changes = change.as_ref().is_some_and(|change| !change.ends.is_empty());
                let count = if changes { &mut actions.update } else { &mut actions.leave };
                (count, format!("differs: {differences:?}, {change:?}"))
            }
            Some((Fate::Unknown { .. }, _)) => (&mut self.unknown, "unknown".to_owned()),
        };
        *count += 1;
        hash(words.as_bytes(), &mut self.hasher);
        self.next.as_mut().map_or(Ok(()), |next| next.entry(entry))
    }

    fn gone(&mut self, gone: &Gone) -> io::Result<()> {
        // An import leaves it.
        self.next.as_mut().map_or(Ok(()), |next| next.gone(gone))
    }
}

/// Returns the digest of rewrites; `None` if there are none.
pub(super) fn rewrites_of(rewrites: &[UriRewrite]) -> Option<String> {
    (!rewrites.is_empty()).then(|| digest_of(rewrites))
}

/// Returns the digest of rewrites, whose order does not matter.
fn digest_of(rewrites: &[UriRewrite]) -> String {
    let mut sorted: Vec<_> = rewrites.iter().map(|one| [&one.old, &one.new]).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut hasher = Sha256::new();
    sorted.iter().flatten().for_each(|text| hash(text.as_bytes(), &mut hasher));
    hex(&hasher.finalize())
}

fn hash(bytes: &[u8], hasher: &mut Sha256) {
    hasher.update((bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

/// Returns the name of `target` in a plan. A local registry that does not exist has no id yet.
pub(super) fn target_name(target: &Target, new: Option<&Path>) -> String {
    new.map_or_else(|| target.identity(), |file| format!("new local registry {}", file.display()))
}

/// Returns SHA-256 of every file of the walk, to name those that change. What a file holds is in the
/// digest of the plan, that of standard input too.
pub(super) fn files(manifest: &ManifestSet) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for found in &manifest.walk.found {
        if let Ok(Origin::Path(path)) = &found.what {
            let digest = fingerprint(path).map(|digest| hex(&digest)).unwrap_or_default();
            files.insert(found.name.to_string(), digest);
        }
    }
    files
}

impl PlanFile {
    /// Writes it to `path`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let write = || {
            let mut file = destination::create(path)?;
            serde_json::to_writer_pretty(&mut file, self).map_err(io::Error::from)?;
            file.write_all(b"\n")?;
            file.sync_all()
        };
        let failure = |error| {
            let path = escaped(&path.display().to_string());
            Failure::usage(format!("cannot write the plan file `{path}`: {}", reason(&error)))
        };
        write().map_err(failure)
    }

    /// Reads it from `path`.
    ///
    /// # Errors
    /// If it cannot be read, or is not the file of a plan.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = escaped(&path.display().to_string());
        let read = || {
            // A device or a pipe may never end.
            if !std::fs::metadata(path)?.is_file() {
                return Err(io::Error::other("it is not a file"));
            }
            let mut text = Vec::new();
            std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut text)?;
            if text.len() as u64 > LARGEST {
                return Err(io::Error::other("it is too large"));
            }
            Ok(text)
        };
        let text = read().map_err(|error| {
            Failure::usage(format!("cannot read the plan file `{shown}`: {}", reason(&error)))
                .help("write one with `lineload plan --out FILE`")
        })?;
        let file: Self = serde_json::from_slice(&text).map_err(|error| {
            Failure::usage(format!("`{shown}` is not a plan file of this version: {error}"))
                .help("write one with `lineload plan --out FILE`")
        })?;
        if file.version != VERSION {
            let message =
                format!("`{shown}` has plan format version {}; expected {VERSION}", file.version);
            return Err(
                Failure::usage(message).help("write a new one with `lineload plan --out FILE`")
            );
        }
        Ok(file)
    }

    /// Returns whether it is for the local registry in `file`, which did not exist.
    pub(super) fn is_for_new(&self, target: &Target, file: &Path) -> bool {
        self.target == target_name(target, Some(file))
    }

    /// Checks that `now`, the plan made again, is this one.
    ///
    /// # Errors
    /// For the first reason why an import would not do what this plan says.
    pub(super) fn check(&self, now: &Self) -> Result<(), Failure> {
        let differs = |message: String| {
            Err(Failure::usage(format!("nothing was submitted: {message}"))
                .help("to make a new plan, run `lineload plan --out FILE`")
                .help("to resume an import of this plan that stopped early, run `lineload resume`"))
        };
        if self.target != now.target {
            let (planned, there) = (escaped(&self.target), escaped(&now.target));
            return differs(format!(
                "the plan is for {planned}, but the target of this import is {there}"
            ));
        }
        let options = self.options.differing(&now.options);
        if !options.is_empty() {
            return differs(format!("the plan was made with other values of {}", list(&options)));
        }
        let changed = self.changed(now);
        if !changed.is_empty() {
            let more = if changed.len() > NAMED { ", …" } else { "" };
            let named: Vec<_> = changed.iter().take(NAMED).map(|name| escaped(name)).collect();
            let count = counted(changed.len(), "manifest");
            return differs(format!("{count} changed since the plan: {}{more}", named.join(", ")));
        }
        if self.actions != now.actions {
            return differs(format!(
                "the target has changed since the plan, which had {}; now it is {}",
                self.actions, now.actions
            ));
        }
        if self.digest != now.digest {
            let message =
                "the plan has changed: the target, or the value of an option, is different now";
            return differs(message.to_owned());
        }
        Ok(())
    }

    /// Returns the manifests that are new, removed or changed in `now`.
    fn changed<'n>(&'n self, now: &'n Self) -> Vec<&'n str> {
        let mut changed: Vec<&str> = Vec::new();
        let differs =
            |one: &Self, name: &String, digest: &String| one.files.get(name) != Some(digest);
        changed.extend(
            self.files
                .iter()
                .filter(|(name, digest)| differs(now, name, digest))
                .map(|(name, _)| &**name),
        );
        let new = now.files.keys().filter(|name| !self.files.contains_key(*name));
        changed.extend(new.map(|name| &**name));
        changed.sort_unstable();
        changed
    }
}

impl std::fmt::Display for Actions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { invalid, create, update, leave } = self;
        write!(f, "{create} to create, {update} to update, {leave} to leave, {invalid} invalid")
    }
}
