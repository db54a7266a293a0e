//! Bytes of a table: those at fault, the delimiter, and line breaks.

use super::rows::Fault;
use crate::diagnostic::Code;
use crate::source::Span;

/// A byte that no table of texts holds.
pub(super) fn bytes_at_fault(bytes: &[u8], start: usize) -> Option<Fault> {
    if let Some(at) = memchr::memchr(0, bytes) {
        let span = Span::new(start + at..start + at + 1);
        return Some(Fault {
            code: Code::InventorySyntax,
            span,
            message: "a NUL character".to_owned(),
            help: "remove it: no text of an artifact holds one".to_owned(),
        });
    }
    let error = std::str::from_utf8(bytes).err()?;
    let at = start + error.valid_up_to();
    let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
    Some(Fault {
        code: Code::Encoding,
        span: Span::new(at..at + error.error_len().unwrap_or(1)),
        message: format!("the byte 0x{byte:02X} is not UTF-8"),
        help: "save it as UTF-8; if it is Latin-1, `iconv -f LATIN1 -t UTF-8` does that".to_owned(),
    })
}

/// Returns the delimiter of the first line.
pub(super) fn delimiter(bytes: &[u8]) -> u8 {
    let mut counts = [(b',', 0), (b'\t', 0), (b';', 0), (b'|', 0)];
    let mut in_quotes = false;
    for byte in bytes {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b'\n' | b'\r' if !in_quotes => break,
            byte if !in_quotes => {
                counts.iter_mut().filter(|(one, _)| one == byte).for_each(|(_, count)| *count += 1);
            }
            _ => {}
        }
    }
    // Of equals the first.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(byte, _)| *byte)
}

/// Line breaks in `bytes`, as [`SourceFile`](crate::source::SourceFile) counts them.
pub(super) fn breaks(bytes: &[u8]) -> u32 {
    let ends = |at: &usize| bytes[*at] == b'\n' || bytes.get(*at + 1) != Some(&b'\n');
    let found = memchr::memchr2_iter(b'\n', b'\r', bytes).filter(ends).count();
    u32::try_from(found).unwrap_or(u32::MAX)
}
