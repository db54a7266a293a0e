//! A baseline: the findings that are known, and not reported again.
//!
//! In: the text of a baseline, and the findings of a file. Out: which of them are known, and the text of a
//! new baseline. A finding is known by its fingerprint, so lines may move. Paths start from the
//! directory of the baseline, so that it holds wherever the tree is. Nothing is derived from what looks
//! like a credential.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::fingerprint::{self, FileText};
use super::root::Root;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, SourceFile, SourceStore, Span};
use crate::text::{escaped, redacted};

/// The first line of a baseline, up to its version.
const HEAD: &str = "# lineload baseline, version ";
/// The version of the format.
const VERSION: &str = "1";
/// The digits of a fingerprint.
const FINGERPRINT: usize = 32;

/// The reason why a text is not a baseline.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// It has another first line.
    #[error("is not a baseline: its first line is not `{HEAD}{VERSION}`")]
    Foreign,
    /// It has another version.
    #[error("is a baseline of version {0}; this lineload reads version {VERSION}")]
    Version(String),
    /// A line, counted from 1, is not an entry.
    #[error(
        "line {0} is not an entry of a baseline: file, rule, field, fingerprint, number and \
         message, separated by tabs"
    )]
    Line(usize),
}

/// The findings that are known, by the file that they are in.
#[derive(Debug)]
pub struct Baseline {
    root: Root,
    files: BTreeMap<String, BTreeMap<Key, Known>>,
}

/// The identity of equal findings of one file, as a line shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    code: Cow<'static, str>,
    field: String,
    fingerprint: String,
}

/// Equal findings.
#[derive(Debug)]
struct Known {
    number: usize,
    message: String,
}

/// The comparison of the findings of one file with a baseline.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// For each finding, whether it is known.
    pub known: Vec<bool>,
    /// The known findings that the file no longer has, by the name of their rule.
    pub gone: Vec<(String, usize)>,
}

impl Baseline {
    /// Returns one without findings, which is kept in `file`, a path from `working`.
    #[must_use]
    pub fn new(file: &Path, working: &Path) -> Self {
        Self { root: Root::beside(file, working), files: BTreeMap::new() }
    }

    /// Parses `text`, the content of `file`, a path from `working`.
    ///
    /// # Errors
    /// If it is anything but a baseline of this version.
    pub fn parse(text: &str, file: &Path, working: &Path) -> Result<Self, BaselineError> {
        let mut baseline = Self::new(file, working);
        let mut lines = text.strip_prefix('\u{FEFF}').unwrap_or(text).lines();
        is_baseline(lines.next().unwrap_or_default())?;
        for (number, line) in (2..).zip(lines) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (file, key, known) = entry(line).ok_or(BaselineError::Line(number))?;
            match baseline.files.entry(file).or_default().entry(key) {
                Entry::Vacant(free) => {
                    free.insert(known);
                }
                // A merge of two branches may keep the line of each.
                Entry::Occupied(mut same) => {
                    let same = same.get_mut();
                    same.number = same.number.max(known.number);
                }
            }
        }
        Ok(baseline)
    }

    /// Returns whether a finding of `code` can be known. What means that a path, a file or all rows were not
    /// checked cannot, nor can credentials: of those a baseline tells no new one from an old one.
    #[must_use]
    pub const fn may_hold(code: Code) -> bool {
        !matches!(
            code,
            Code::PathUnreadable
                | Code::PathKind
                | Code::LinkLoop
                | Code::LinkOutside
                | Code::FileSize
                | Code::Encoding
                | Code::InventorySyntax
                | Code::TemplateSyntax
                | Code::Credential
        )
    }

    /// Returns whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the number of findings, and that of the files that they are in.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let findings = self.files.values().flat_map(BTreeMap::values).map(|known| known.number);
        (findings.fold(0, usize::saturating_add), self.files.len())
    }

    /// Returns the path of a file, which findings name `name`, as the baseline has it.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        escaped(&self.root.relative(name))
    }

    /// Returns the files with known findings, each as the baseline has it and with its path.
    pub fn files(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.files.keys().map(|path| (path.as_str(), self.root.resolve(path)))
    }

    /// Returns the number of known findings of the file at `path` by rule.
    pub fn known_of(&self, path: &str) -> impl Iterator<Item = (&str, usize)> {
        let known = self.files.get(path).into_iter().flatten();
        known.map(|(key, known)| (&*key.code, known.number))
    }

    /// Compares all findings of the file `id`, which is at `path`, in their order.
    #[must_use]
    pub fn compare(
        &self,
        path: &str,
        findings: &[Diagnostic],
        id: FileId,
        sources: &SourceStore,
    ) -> Comparison {
        if !self.files.contains_key(path) {
            return Comparison { known: vec![false; findings.len()], gone: Vec::new() };
        }
        let source = if findings.is_empty() { None } else { sources.get(id) };
        self.compare_in(path, findings, source.as_deref(), sources.hidden(id))
    }

    /// Compares all findings of `source`, of which nobody may see `hidden`.
    #[must_use]
    pub fn compare_in(
        &self,
        path: &str,
        findings: &[Diagnostic],
        source: Option<&SourceFile>,
        hidden: Vec<Span>,
    ) -> Comparison {
        let Some(of_file) = self.files.get(path) else {
            return Comparison { known: vec![false; findings.len()], gone: Vec::new() };
        };
        let mut left: BTreeMap<&Key, usize> =
            of_file.iter().map(|(key, known)| (key, known.number)).collect();
        let text = FileText::new(source, hidden);
        let mut is_known = |finding: &Diagnostic| {
            if !Self::may_hold(finding.code) {
                return false;
            }
            let left = left.get_mut(&Key::of(finding, path, &text));
            left.filter(|left| **left > 0).map(|left| *left -= 1).is_some()
        };
        let known = findings.iter().map(&mut is_known).collect();
        let gone = left.into_iter().filter(|(_, number)| *number > 0);
        Comparison { known, gone: gone.map(|(key, left)| (key.code.to_string(), left)).collect() }
    }

    /// Adds the findings of the file `id` that can be known.
    pub fn add(&mut self, findings: &[Diagnostic], id: FileId, sources: &SourceStore) {
        let mut findings =
            findings.iter().filter(|finding| Self::may_hold(finding.code)).peekable();
        if findings.peek().is_none() {
            return;
        }
        let path = self.path(&sources.name(id));
        let source = sources.get(id);
        let text = FileText::new(source.as_deref(), sources.hidden(id));
        for finding in findings {
            let key = Key::of(finding, &path, &text);
            let of_file = self.files.entry(path.clone()).or_default();
            let message = || escaped(&redacted(&finding.message));
            let known = of_file.entry(key);
            known.or_insert_with(|| Known { number: 0, message: message() }).number += 1;
        }
    }

    /// Writes the baseline, sorted: the same findings make the same text.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{HEAD}{VERSION}")?;
        writeln!(out, "# Findings that `lineload lint --baseline` does not report.")?;
        writeln!(out, "# file, rule, field, fingerprint, number, message")?;
        for (path, known) in &self.files {
            for (Key { code, field, fingerprint }, Known { number, message }) in known {
                writeln!(out, "{path}\t{code}\t{field}\t{fingerprint}\t{number}\t{message}")?;
            }
        }
        Ok(())
    }
}

impl Key {
    fn of(finding: &Diagnostic, path: &str, text: &FileText<'_>) -> Self {
        let code = finding.code;
        let mut fingerprint = fingerprint::of_first(finding, path, text);
        if code == Code::FindingsLimit {
            // Its number is all that it says of the findings that are not listed.
            let number: String = finding.message.chars().filter(char::is_ascii_digit).collect();
            fingerprint.truncate(FINGERPRINT.saturating_sub(number.len()));
            fingerprint.push_str(&number);
        }
        let field = escaped(&fingerprint::pointer(&finding.path));
        Self { code: Cow::Borrowed(code.as_str()), field, fingerprint }
    }
}

/// Checks the first line of a baseline.
///
/// # Errors
/// If it is that of something else.
pub fn is_baseline(first_line: &str) -> Result<(), BaselineError> {
    match first_line.trim_end().strip_prefix(HEAD) {
        Some(VERSION) => Ok(()),
        Some(version) => Err(BaselineError::Version(version.chars().take(20).collect())),
        None => Err(BaselineError::Foreign),
    }
}

/// Parses a line: the file, the identity of the findings, and the rest.
fn entry(line: &str) -> Option<(String, Key, Known)> {
    let mut columns = line.splitn(6, '\t');
    let mut column = || columns.next().map(str::to_owned);
    let (file, code, field) = (column()?, column()?, column()?);
    let (fingerprint, number, message) = (column()?, column()?, column()?);
    let number = number.parse::<u32>().ok().filter(|number| *number > 0)?;
    let number = usize::try_from(number).ok()?;
    let is_hash =
        fingerprint.len() == FINGERPRINT && fingerprint.bytes().all(|b| b.is_ascii_hexdigit());
    let code = match Code::from_name(&code) {
        Some(code) => Cow::Borrowed(code.as_str()),
        // That of another version.
        None => Cow::Owned(code),
    };
    let key = Key { code, field, fingerprint };
    (is_hash && !file.is_empty()).then_some((file, key, Known { number, message }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn findings(code: Code, messages: &[&str]) -> Vec<Diagnostic> {
        messages.iter().map(|message| Diagnostic::of_file(code, FileId(0), *message)).collect()
    }

    fn sources() -> SourceStore {
        SourceStore::new(vec![(Arc::from("m/a.yaml"), None)])
    }

    fn written(baseline: &Baseline) -> String {
        let mut out = Vec::new();
        baseline.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn parse(text: &str) -> Result<Baseline, BaselineError> {
        Baseline::parse(text, Path::new("known.txt"), Path::new("/r"))
    }

    #[test]
    fn as_many_are_known_as_were_written() {
        let mut baseline = Baseline::new(Path::new("known.txt"), Path::new("/r"));
        let two = findings(Code::UriScheme, &["`x` has no scheme", "`x` has no scheme"]);
        baseline.add(&two, FileId(0), &sources());
        assert_eq!(baseline.size(), (2, 1));
        let again = parse(&written(&baseline)).unwrap();
        assert_eq!(written(&again), written(&baseline));
        let compare = |messages: &[&str]| {
            let findings = findings(Code::UriScheme, messages);
            again.compare("m/a.yaml", &findings, FileId(0), &sources())
        };
        let x = "`x` has no scheme";
        assert_eq!(compare(&[x, "`y` has no scheme", x, x]).known, [true, false, true, false]);
        let one = compare(&["`x`, in other words"]);
        assert_eq!(one.known, [true]);
        assert_eq!(one.gone, [("uri-scheme".to_owned(), 1)]);
        assert_eq!(again.compare("m/b.yaml", &two, FileId(0), &sources()).known, [false, false]);
        let rule = findings(Code::TypeCase, &[x]);
        assert_eq!(again.compare("m/a.yaml", &rule, FileId(0), &sources()).known, [false]);
    }

    #[test]
    fn one_finding_beyond_the_limit_more_is_not_known() {
        let mut baseline = Baseline::new(Path::new("known.txt"), Path::new("/r"));
        let limit = |number: u32| {
            let message = format!("{number} findings more in this file are not shown");
            findings(Code::FindingsLimit, &[&message])
        };
        baseline.add(&limit(12), FileId(0), &sources());
        let known =
            |number| baseline.compare("m/a.yaml", &limit(number), FileId(0), &sources()).known[0];
        assert!(known(12) && !known(13) && !known(11));
        assert!(parse(&written(&baseline)).is_ok());
    }

    #[test]
    fn no_text_of_a_manifest_makes_a_line() {
        let name = Arc::from("m/a\nb\t.yaml");
        let sources = SourceStore::new(vec![(name, None)]);
        let mut baseline = Baseline::new(Path::new("known.txt"), Path::new("/r"));
        let message = "`AKIAIOSFODNN7EXAMPLE`\n# \t\u{1b}[2J";
        baseline.add(&findings(Code::UriScheme, &[message]), FileId(0), &sources);
        let text = written(&baseline);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("m/a\\nb\\t.yaml\turi-scheme\t\t"), "{text}");
        assert!(!text.contains("AKIAIOSFODNN7EXAMPLE") && !text.contains('\u{1b}'), "{text}");
        assert!(parse(&text).is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        let line = "a.yaml\turi-scheme\t/Source\t0123456789abcdef0123456789abcdef\t1\tmessage";
        let head = "# lineload baseline, version 1";
        assert_eq!(parse(&format!("{head}\r\n\r\n# why\r\n{line}\r\n")).unwrap().size(), (1, 1));
        // Of two lines of a merge the larger number holds.
        let more = line.replace("\t1\t", "\t3\t");
        assert_eq!(parse(&format!("{head}\n{line}\n{more}\n")).unwrap().size(), (3, 1));
        assert_eq!(parse("").unwrap_err(), BaselineError::Foreign);
        assert_eq!(parse(line).unwrap_err(), BaselineError::Foreign);
        let newer = parse("# lineload baseline, version 2\n").unwrap_err();
        assert_eq!(newer, BaselineError::Version("2".to_owned()));
        for wrong in [
            "<<<<<<< HEAD".to_owned(),
            line.replace("\t1\t", "\t0\t"),
            line.replace("\t1\t", "\tx\t"),
            line.replace("\t1\t", "\t18446744073709551615\t"),
            line.replace("cdef\t", "cde\t"),
            line.replace("0123", "g123"),
            line.replace("a.yaml", ""),
            line.replace("\tmessage", ""),
        ] {
            let text = format!("{head}\n{line}\n{wrong}\n");
            assert_eq!(parse(&text).unwrap_err(), BaselineError::Line(3), "{wrong}");
        }
    }
}
