//! Artifacts to the text of manifests.
//!
//! In: an artifact. Out: a document of its own, that every YAML reader reads the same, whether it
//! follows YAML 1.1 or 1.2. Fields are in the order of the manifests of this project. Texts are
//! written here and not by `yaml_serde`, which leaves `2024-01-01`, `1_000` and `12:30:45` without
//! quotes, and what is written here must not be what [`crate::check`] warns of.

use std::fmt::Write as _;

use crate::artifact::Artifact;
use crate::diagnostic::MARKER;
use crate::model::{ARTIFACT, Kind, Mapping};
use crate::text::is_printable;

/// Bytes of a key, as it is written, before a `:`. YAML has 1024 characters at most, and some
/// readers count bytes; a longer key is written after a `?`.
const LONGEST_KEY: usize = 1000;
/// Bytes of most documents, at most.
const USUAL: usize = 512;

/// `artifact` as a document.
#[must_use]
pub fn artifact(artifact: &Artifact) -> String {
    let mut out = String::with_capacity(USUAL);
    push(&mut out, artifact);
    out
}

/// `artifact` as the value of a key of YAML, each line of it below `indent`.
#[must_use]
pub fn indented(artifact: &Artifact, indent: &str) -> String {
    let mut out = String::new();
    push_fields(&mut out, artifact, &ARTIFACT, indent);
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
    push_fields(out, artifact, &ARTIFACT, "");
}

/// Single texts come first, in the order of the alphabet, then the rest.
fn push_fields(out: &mut String, artifact: &Artifact, mapping: &'static Mapping, indent: &str) {
    let mut fields: Vec<_> = mapping.texts_first().filter(|field| artifact.has(field)).collect();
    fields.sort_by_key(|field| if field.is_text() { (false, field.name) } else { (true, "") });
    for field in fields {
        if let Some(text) = artifact.text(field).filter(|_| field.is_text()) {
            entry(out, [indent, ""], field.name, text);
            continue;
        }
        out.push_str(indent);
        out.push_str(field.name);
        out.push_str(":\n");
        if let Kind::Mapping(below) = field.kind {
            push_fields(out, artifact, below, &format!("{indent}  "));
        }
        for (key, value) in artifact.entries(field) {
            match field.kind {
                Kind::Pairs { item, .. } => {
                    for (at, (field, text)) in item.fields.iter().zip([key, value]).enumerate() {
                        let dash = if at == 0 { "- " } else { "  " };
                        entry(out, [indent, dash], field.name, text);
                    }
                }
                _ => entry(out, [indent, "  "], key, value),
            }
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

/// Writes a key and its text on a line, which begins with `indent`.
fn entry(out: &mut String, indent: [&str; 2], key: &str, value: &str) {
    let start = out.len();
    indent.into_iter().for_each(|part| out.push_str(part));
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
    matches!(c, ' '..='~') || is_printable(c) && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
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
    begins && !last.is_whitespace() && last != ':' && is_inside(text) && !is_word(text)
}

/// Returns whether `text` holds nothing that needs quotes anywhere: no character that is not shown, no colon
/// before a space and no `#` behind one.
fn is_inside(text: &str) -> bool {
    let mut before = 0;
    let mut is_ascii = true;
    for byte in text.bytes() {
        match (before, byte) {
            (b':', b' ') | (b' ', b'#') => return false,
            (_, b' '..=b'~') => {}
            _ => is_ascii = false,
        }
        before = byte;
    }
    // Most texts are of ASCII.
    is_ascii || text.chars().all(|c| is_shown(c) && c != '\t')
}

/// Returns whether some reader takes `text` for a boolean, for nothing, or for no number.
fn is_word(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    // None is longer.
    text.len() <= 5 && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}
