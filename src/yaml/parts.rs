//! Splits a long stream of documents, so that all cores can read it.

use std::ops::Range;

use super::regular::is_marker;

/// Files below this many bytes are read whole, and parts are about this long.
const PART_BYTES: usize = 256 << 10;

/// Returns the parts of `text`, each a whole number of documents.
///
/// `---` at the start of a line, followed by white space or the end, cannot stand inside any scalar,
/// so a stream may be cut there. With directives (`%` at the start of a line) it is not cut, since a
/// directive belongs to the `---` behind it.
#[must_use]
pub fn parts(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    if bytes.len() <= PART_BYTES || memchr::memmem::find(bytes, b"\n%").is_some() {
        return std::iter::once(0..bytes.len()).collect();
    }
    let mut parts = Vec::new();
    let mut start = 0;
    while bytes.len() - start > PART_BYTES {
        let from = start + PART_BYTES;
        let Some(at) = document_start(bytes, from) else {
            break;
        };
        parts.push(start..at);
        start = at;
    }
    parts.push(start..bytes.len());
    parts
}

/// Returns the documents in the bytes `part` of `text`, what stands before each included. With
/// directives there is one, however many there are.
#[must_use]
pub fn documents(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    let Some(bytes) = text.as_bytes().get(..part.end) else { return Vec::new() };
    let mut documents = Vec::new();
    let mut start = part.start;
    if memchr::memmem::find(&bytes[start..], b"\n%").is_none() && !bytes[start..].starts_with(b"%")
    {
        while let Some(at) = document_start(bytes, start) {
            documents.push(start..at);
            start = at;
        }
    }
    documents.push(start..part.end);
    documents
}

/// Returns the first `---` line at or behind `from`.
fn document_start(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find_iter(&bytes[from..], b"\n---")
        .map(|at| from + at + 1)
        .find(|at| is_marker(bytes, *at, b"---"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_join_up_and_start_at_documents() {
        let document = format!("---\na: {}\n---b: 1\n", "x".repeat(1000));
        let text = document.repeat(900);
        let parts = parts(&text);
        assert!(parts.len() > 2, "{}", parts.len());
        let mut end = 0;
        for part in &parts {
            assert_eq!(part.start, end);
            assert!(text[part.start..].starts_with("---\n"));
            end = part.end;
        }
        assert_eq!(end, text.len());
    }

    #[test]
    fn documents_begin_at_their_dashes() {
        let text = "a: 1\n---\nb: '---'\n--- # c\nc: 2\n";
        let found: Vec<_> =
            documents(text, 0..text.len()).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["a: 1\n", "---\nb: '---'\n", "--- # c\nc: 2\n"]);
        let text = "%YAML 1.2\n---\na: 1\n---\nb: 1\n";
        assert_eq!(documents(text, 0..text.len()).len(), 1);
    }

    #[test]
    fn a_file_with_directives_stays_whole() {
        let text = format!("{}%YAML 1.2\n---\na: 1\n", "---\na: 1\n".repeat(100_000));
        assert_eq!(parts(&text).len(), 1);
    }
}
