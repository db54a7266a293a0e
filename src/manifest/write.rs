//! Artifacts to the text of manifests.
//!
//! In: an artifact. Out: a document of its own, that every YAML reader reads the same, whether it
//! follows YAML 1.1 or 1.2. Fields are in the order of the manifests of this project. Texts are
//! written here and not by `yaml_serde`, which leaves `2024-01-01`, `1_000` and `12:30:45` without
//! quotes, and what is written here must not be what [`crate::check`] warns of.

use std::fmt::Write as _;

use crate::artifact::{Artifact, Metadata};
use crate::diagnostic::MARKER;
use crate::text::is_printable;

/// Bytes of a key, as it is written, before a `:`. YAML has 1024 characters at most, and some
/// readers count bytes; a longer key is written after a `?`.
const LONGEST_KEY: usize = 1000;

/// `artifact` as a document.
#[must_use]
pub fn artifact(artifact: &Artifact) -> String {
    let mut out = String::new();
    push(&mut out, artifact);
    out
}

/// `artifact` as a document, below a comment of as many lines as `comment` has. No comment has an
/// effect on what lineload makes of the document.
#[must_use]
pub fn commented(artifact: &Artifact, comment: &str) -> String {
    let mut out = String::new();
    for line in comment.lines() {
        push_comment(&mut out, line);
    }
    push(&mut out, artifact);
    out
}

fn push(out: &mut String, artifact: &Artifact) {
    if let Some(name) = &artifact.name {
        entry(out, "", "ArtifactName", name);
    }
    entry(out, "", "ArtifactType", &artifact.artifact_type);
    out.push_str("Source:\n");
    entry(out, "  ", "SourceUri", &artifact.source.uri);
    if !artifact.source.types.is_empty() {
        out.push_str("  SourceTypes:\n");
    }
    for one in &artifact.source.types {
        entry(out, "  - ", "SourceIdType", &one.id_type);
        entry(out, "    ", "Value", &one.value);
    }
    if !artifact.properties.is_empty() {
        out.push_str("Properties:\n");
    }
    for (key, value) in &artifact.properties {
        entry(out, "  ", key, value);
    }
    push_metadata(out, &artifact.metadata_properties);
    if !artifact.tags.is_empty() {
        out.push_str("Tags:\n");
    }
    for tag in &artifact.tags {
        entry(out, "- ", "Key", &tag.key);
        entry(out, "  ", "Value", &tag.value);
    }
}

fn push_metadata(out: &mut String, metadata: &Metadata) {
    if metadata.is_empty() {
        return;
    }
    out.push_str("MetadataProperties:\n");
    let fields = [
        ("CommitId", &metadata.commit_id),
        ("GeneratedBy", &metadata.generated_by),
        ("ProjectId", &metadata.project_id),
        ("Repository", &metadata.repository),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            entry(out, "  ", name, value);
        }
    }
}

fn push_comment(out: &mut String, line: &str) {
    out.push('#');
    if !line.is_empty() {
        out.push(' ');
    }
    // A comment that begins like this would be one for lineload, and might allow a finding further
    // down.
    if line.trim_start_matches(['#', ' ', '\t']).starts_with(MARKER) {
        out.push_str("> ");
    }
    for c in line.chars() {
        if is_shown(c) { out.push(c) } else { push_code(out, c) }
    }
    out.push('\n');
}

/// Writes a key and its text on a line.
fn entry(out: &mut String, indent: &str, key: &str, value: &str) {
    let start = out.len();
    out.push_str(indent);
    let key_start = out.len();
    push_scalar(out, key);
    if out.len() - key_start > LONGEST_KEY {
        out.insert_str(key_start, "? ");
        out.push('\n');
        // Only properties have such keys, and they are never behind a `-`.
        out.extend(std::iter::repeat_n(' ', key_start - start));
    }
    out.push_str(": ");
    push_scalar(out, value);
    out.push('\n');
}

fn push_scalar(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    let mut before = '\0';
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_shown(c) || joins(before, c) => out.push(c),
            c => push_code(out, c),
        }
        before = c;
    }
    out.push('"');
}

fn push_code(out: &mut String, c: char) {
    // Four digits are what JSON has too.
    let code = u32::from(c);
    let _ = if code > 0xFFFF { write!(out, "\\U{code:08X}") } else { write!(out, "\\u{code:04X}") };
}

/// Returns whether `c` stands in a file as it is: people see it, and YAML allows it.
fn is_shown(c: char) -> bool {
    is_printable(c) && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// Joiners are meaningful between letters of some scripts, and in emoji.
const fn joins(before: char, c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}') && !before.is_ascii()
}

/// Returns whether `text` needs no quotes for any reader. What begins as a number or a date might,
/// is quoted whatever follows.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    let (Some(first), Some(last)) = (text.chars().next(), text.chars().next_back()) else {
        return false;
    };
    let begins = first.is_alphabetic() || matches!(first, '/' | '_' | '(');
    let inside = |c: char| is_shown(c) && c != '\t';
    begins
        && !last.is_whitespace()
        && last != ':'
        && text.chars().all(inside)
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_word(text)
}

/// Returns whether some reader takes `text` for a boolean, for nothing, or for no number.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}
