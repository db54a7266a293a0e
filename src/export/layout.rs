//! The assignment of artifacts to files.
//!
//! File names depend on the artifacts, not on the order in which a target lists them: the same
//! content gives the same files, also from another registry. They are ASCII, and differ in more
//! than case, so that every file system accepts them.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::arns::{Arn, Arns};
use crate::artifact::{Identity, Key};
use crate::service::Found;

/// The maximum length of a name without its suffix.
const LONGEST: usize = 100;
/// Digits of a number of a file, at least.
const DIGITS: usize = 4;

/// The form of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Manifests, in YAML.
    #[default]
    Manifests,
    /// Templates of CloudFormation, in YAML too. Their names are not those of manifests, or `lint` would
    /// read them.
    CloudFormation,
}

impl Form {
    const fn ending(self) -> &'static str {
        match self {
            Self::Manifests => "yaml",
            Self::CloudFormation => "template",
        }
    }
}

/// The artifacts of a target that match.
#[derive(Debug, Default)]
pub struct Catalogue {
    types: HashMap<String, u32>,
    arns: Arns,
    listed: Vec<Listed>,
    left_out: usize,
}

/// A listed artifact. A million of them may be in memory: 80 bytes each, and the name of the file.
#[derive(Debug)]
struct Listed {
    source: Key,
    /// The key of its name; that of no name has only zeros.
    name: Key,
    arn: Arn,
    /// The number of its type; in a [`Layout`], that of its directory.
    artifact_type: u32,
    /// The name of its file, without its ending.
    stem: Box<str>,
}

/// The key of an artifact without a name.
const NAMELESS: Key = Key([0; 16]);

impl Listed {
    fn folder(&self) -> usize {
        self.artifact_type as usize
    }

    /// Returns the name of its file as it is compared: in lower case.
    fn lower(&self) -> impl Iterator<Item = u8> {
        lower(&self.stem)
    }
}

fn lower(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().map(|byte| byte.to_ascii_lowercase())
}

/// Files for all artifacts of a [`Catalogue`].
#[derive(Debug)]
pub struct Layout {
    /// The directories, by type of artifacts, and where the artifacts of each begin.
    folders: Vec<(Box<str>, usize)>,
    arns: Arns,
    listed: Vec<Listed>,
    per_file: usize,
    form: Form,
    left_out: usize,
    duplicates: usize,
}

impl Catalogue {
    /// Adds what a page shows.
    pub fn add(&mut self, found: &Found) {
        let artifact_type = found.artifact_type.as_deref().unwrap_or_default();
        let number = u32::try_from(self.types.len()).unwrap_or(u32::MAX);
        let artifact_type = match self.types.get(artifact_type) {
            Some(number) => *number,
            None => *self.types.entry(artifact_type.to_owned()).or_insert(number),
        };
        let stem = found.name.as_deref().unwrap_or_else(|| last_part(&found.uri));
        self.listed.push(Listed {
            source: Identity::new(&found.uri, &found.types).key(),
            name: found.name.as_deref().map_or(NAMELESS, Key::of_name),
            arn: self.arns.add(&found.arn),
            artifact_type,
            stem: safe(stem, "artifact"),
        });
    }

    /// Counts what a page shows and nobody wants.
    pub const fn leave_out(&mut self) {
        self.left_out += 1;
    }

    /// Gives every artifact its file: as many as `per_file` in each, all of a type where it is 0.
    #[must_use]
    pub fn into_layout(self, per_file: usize, form: Form) -> Layout {
        let Self { types, arns, mut listed, left_out } = self;
        // An artifact may be on two pages if others were created or deleted in the meantime.
        listed.sort_unstable_by(|one, other| arns.cmp(one.arn, other.arn));
        listed.dedup_by_key(|one| one.arn);
        let duplicates = duplicates(&listed);

        let mut types: Vec<_> = types.into_iter().collect();
        types.sort_unstable();
        let mut folders: Vec<_> = types.iter().map(|(name, _)| safe(name, "untyped")).collect();
        make_unique(folders.iter_mut().collect());
        let mut place = vec![0; types.len()];
        for (at, (_, number)) in (0..).zip(&types) {
            place[*number as usize] = at;
        }
        listed.iter_mut().for_each(|one| one.artifact_type = place[one.folder()]);
        listed.sort_unstable_by(|one, other| {
            let order = one.artifact_type.cmp(&other.artifact_type);
            order
                .then_with(|| one.lower().cmp(other.lower()))
                .then_with(|| one.stem.cmp(&other.stem))
                .then_with(|| (one.source, one.name).cmp(&(other.source, other.name)))
                .then_with(|| arns.cmp(one.arn, other.arn))
        });
        for of_type in listed.chunk_by_mut(|one, other| one.artifact_type == other.artifact_type) {
            make_stems_unique(of_type);
        }
        let start = |at| listed.partition_point(|one| one.folder() < at);
        let folders = folders.into_iter().enumerate().map(|(at, name)| (name, start(at))).collect();
        Layout { folders, arns, listed, per_file, form, left_out, duplicates }
    }
}

impl Layout {
    /// Returns the number of artifacts.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.listed.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Returns the form of the files.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Returns the number of artifacts that were listed and are not wanted.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    /// Returns the number of artifacts that have the name, or the source, of another.
    #[must_use]
    pub const fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// Returns the ARN of the artifact with the number `at`.
    #[must_use]
    pub(super) fn arn(&self, at: usize) -> String {
        self.arns.text(self.listed[at].arn)
    }

    /// Returns the file of the artifact with the number `at`, below the directory of the export.
    #[must_use]
    pub fn file(&self, at: usize) -> PathBuf {
        let one = &self.listed[at];
        let (folder, start) = &self.folders[one.folder()];
        let ending = self.form.ending();
        match self.per_file {
            0 => format!("{folder}.{ending}"),
            1 => format!("{folder}/{}.{ending}", one.stem),
            most => {
                let files = (self.end(one.folder()) - start).div_ceil(most);
                let digits = files.to_string().len().max(DIGITS);
                format!("{folder}/{:0digits$}.{ending}", (at - start) / most + 1)
            }
        }
        .into()
    }

    /// Returns whether the artifact with the number `at` is the last of its file.
    #[must_use]
    pub(super) fn ends_file(&self, at: usize) -> bool {
        let folder = self.listed[at].folder();
        let full = match self.per_file {
            0 => false,
            most => (at - self.folders[folder].1 + 1).is_multiple_of(most),
        };
        full || at + 1 == self.end(folder)
    }

    fn end(&self, folder: usize) -> usize {
        self.folders.get(folder + 1).map_or(self.listed.len(), |(_, start)| *start)
    }
}

/// Returns the number of artifacts that have the name, or the source, of one before.
fn duplicates(listed: &[Listed]) -> usize {
    let mut is_one = vec![false; listed.len()];
    let mut places: Vec<usize> = (0..listed.len()).collect();
    for key in [|one: &Listed| one.source, |one: &Listed| one.name] {
        places.sort_unstable_by_key(|at| (key(&listed[*at]), *at));
        for two in places.windows(2) {
            let [before, at] = [two[0], two[1]].map(|at| key(&listed[at]));
            is_one[two[1]] |= before == at && at != NAMELESS;
        }
    }
    is_one.into_iter().filter(|is_one| *is_one).count()
}

/// Appends `-2`, `-3` and so on to the names of files that are equal, ignoring case. They are
/// sorted by their names, and the first of those that are equal stays as it is.
fn make_stems_unique(listed: &mut [Listed]) {
    let is_taken = |name: &str| listed.binary_search_by(|one| one.lower().cmp(lower(name))).is_ok();
    let mut renamed: Vec<(usize, Box<str>)> = Vec::new();
    let mut number = 2;
    for at in 1..listed.len() {
        if listed[at - 1].lower().ne(listed[at].lower()) {
            number = 2;
            continue;
        }
        // Only names that were listed can be taken: another name that was appended to ends in
        // another number, or has another beginning.
        let name = loop {
            let candidate = format!("{}-{number}", listed[at].stem);
            number += 1;
            if !is_taken(&candidate) {
                break candidate;
            }
        };
        renamed.push((at, name.into()));
    }
    for (at, name) in renamed {
        listed[at].stem = name;
    }
}

/// Appends `-2`, `-3` and so on to names that are equal, ignoring case. The first of them stays as
/// it is.
///
/// It keeps all of them in memory, and is for directories.
fn make_unique(names: Vec<&mut Box<str>>) {
    let mut taken = HashSet::with_capacity(names.len());
    let mut others = Vec::new();
    for name in names {
        if !taken.insert(name.to_ascii_lowercase()) {
            others.push(name);
        }
    }
    let mut next: HashMap<String, usize> = HashMap::new();
    for name in others {
        let number = next.entry(name.to_ascii_lowercase()).or_insert(2);
        loop {
            let candidate = format!("{name}-{number}");
            *number += 1;
            if taken.insert(candidate.to_ascii_lowercase()) {
                *name = candidate.into();
                break;
            }
        }
    }
}

/// Returns the last part of a URI that is no parameter: a file, a directory, or a host.
fn last_part(uri: &str) -> &str {
    let bare = uri.split(['?', '#']).next().unwrap_or_default();
    let (host, rest) = match bare.split_once("://") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        None => ("", bare),
    };
    let last = rest.trim_end_matches('/').rsplit(['/', '\\']).next().unwrap_or_default();
    if !last.is_empty() {
        return last;
    }
    // A user and a password may be before a host.
    host.rsplit('@').next().unwrap_or_default()
}

/// Returns `text` as a name of a file or directory that every file system accepts.
fn safe(text: &str, otherwise: &str) -> Box<str> {
    let mut out = String::new();
    for c in text.chars() {
        let fits = c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let replaced = !fits && !out.ends_with('-');
        // Hidden directories are not walked, and a leading hyphen looks like an option.
        let in_front = out.is_empty() && !c.is_ascii_alphanumeric() && c != '_';
        if (fits || replaced) && !in_front {
            out.push(if fits { c } else { '-' });
        }
        if out.len() == LONGEST {
            break;
        }
    }
    out.truncate(out.trim_end_matches(['.', '-']).len());
    if out.is_empty() {
        return otherwise.into();
    }
    let device = out.split('.').next().unwrap_or_default();
    if is_device(device) {
        out.insert(device.len(), '_');
    }
    out.into()
}

/// Returns whether Windows takes `name` for a device, whatever ending it has.
fn is_device(name: &str) -> bool {
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    let name = name.to_ascii_lowercase();
    let numbered = |device: &str| {
        name.strip_prefix(device)
            .is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&name.as_str()) || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(artifacts: &[(Option<&str>, &str, &str)], per_file: usize) -> Layout {
        let mut catalogue = Catalogue::default();
        for (at, (name, artifact_type, uri)) in artifacts.iter().enumerate() {
            catalogue.add(&Found {
                arn: format!("arn/{at}"),
                name: name.map(str::to_owned),
                artifact_type: Some((*artifact_type).to_owned()),
                uri: (*uri).to_owned(),
                types: vec![],
                created: None,
                modified: None,
            });
        }
        catalogue.into_layout(per_file, Form::Manifests)
    }

    /// Returns the files, by the number that an artifact had in the list.
    fn files(layout: &Layout) -> Vec<String> {
        let mut files = vec![String::new(); layout.len()];
        for at in 0..layout.len() {
            let number: usize = layout.arn(at)["arn/".len()..].parse().unwrap();
            files[number] = layout.file(at).to_str().unwrap().to_owned();
        }
        files
    }

    #[test]
    fn names_are_the_artifacts_own_and_differ_in_more_than_case() {
        let artifacts = [
            (Some("foo"), "DataSet", "s3://b/1"),
            (Some("Foo"), "DataSet", "s3://b/2"),
            (None, "DataSet", "s3://b/x/foo?sig=secret"),
            (Some("foo-2"), "DataSet", "s3://b/3"),
            (Some("foo"), "Dataset", "s3://b/4"),
            (Some("foo"), "", "s3://b/5"),
            (None, "../../etc", "https://user:hunter2@host.example"),
            (None, ".git/hooks", "nul"),
        ];
        let one = layout(&artifacts, 1);
        let expected = [
            "DataSet/foo-3.yaml",
            "DataSet/Foo.yaml",
            "DataSet/foo-4.yaml",
            "DataSet/foo-2.yaml",
            "Dataset-2/foo.yaml",
            "untyped/foo.yaml",
            "etc/host.example.yaml",
            "git-hooks/nul_.yaml",
        ];
        let mut found = files(&one);
        // Their sources decide which is first, and those are hashed.
        if found[0] == "DataSet/foo-4.yaml" {
            found.swap(0, 2);
        }
        assert_eq!(found, expected);

        let mut reversed = artifacts;
        reversed.reverse();
        let mut other = files(&layout(&reversed, 1));
        other.reverse();
        assert_eq!(other, files(&one), "the order of the list changes nothing");
    }

    #[test]
    fn files_hold_as_many_as_they_may() {
        let names: Vec<_> = (0..7).map(|at| format!("a{at}")).collect();
        let artifacts: Vec<_> = (0..7)
            .map(|at| {
                (Some(names[at].as_str()), if at < 5 { "DataSet" } else { "Model" }, "s3://b")
            })
            .collect();
        let two = layout(&artifacts, 2);
        let expected = ["DataSet/0001.yaml", "DataSet/0001.yaml", "DataSet/0002.yaml"];
        assert_eq!(files(&two)[..3], expected);
        assert_eq!(files(&two)[4..], ["DataSet/0003.yaml", "Model/0001.yaml", "Model/0001.yaml"]);
        let ends: Vec<_> = (0..7).map(|at| two.ends_file(at)).collect();
        assert_eq!(ends, [false, true, false, true, true, false, true]);
        let all = layout(&artifacts, 0);
        assert_eq!(files(&all)[4..6], ["DataSet.yaml", "Model.yaml"]);
        let ends: Vec<_> = (0..7).map(|at| all.ends_file(at)).collect();
        assert_eq!(ends, [false, false, false, false, true, false, true]);
        assert_eq!(all.duplicates(), 6);
    }

    #[test]
    fn names_that_every_file_system_takes() {
        let cases = [
            ("train.parquet", "train.parquet"),
            ("größe & more", "gr-e-more"),
            ("数据", "x"),
            ("...", "x"),
            ("-rf", "rf"),
            ("CON.txt", "CON_.txt"),
            ("com1", "com1_"),
            ("community", "community"),
            ("a/b\\c:d", "a-b-c-d"),
            ("a. ", "a"),
        ];
        for (text, expected) in cases {
            assert_eq!(&*safe(text, "x"), expected, "{text}");
        }
        assert_eq!(safe(&"a".repeat(300), "x").len(), LONGEST);
        assert_eq!(last_part("s3://bucket"), "bucket");
        assert_eq!(last_part("s3://bucket/train/"), "train");
        assert_eq!(last_part("a.example/team/model:1.2"), "model:1.2");
        assert_eq!(last_part(""), "");
    }
}
