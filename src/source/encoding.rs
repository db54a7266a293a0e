//! Bytes to text, and why not.

/// The reason why the bytes of a file are not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodingFault {
    /// The file is UTF-16, recognized by its byte-order mark or its zero bytes.
    Utf16,
    /// The file is UTF-32, recognized by its byte-order mark.
    Utf32,
    /// A byte sequence that UTF-8 does not have.
    Invalid {
        /// Bytes from the start of the file.
        offset: usize,
        /// The number of bytes that are at fault.
        length: usize,
        /// The first of them.
        byte: u8,
    },
}

/// Returns the text of `bytes`, or as much of it as can be shown beside the fault. Before the
/// fault, offsets into the text are offsets into the bytes.
pub(super) fn decode(bytes: Vec<u8>) -> (String, Option<EncodingFault>) {
    if let Some(fault) = wide(&bytes) {
        return (String::new(), Some(fault));
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let fault = error.utf8_error();
            let bytes = error.into_bytes();
            let offset = fault.valid_up_to();
            let length = fault.error_len().unwrap_or(bytes.len() - offset);
            let byte = bytes.get(offset).copied().unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            (text, Some(EncodingFault::Invalid { offset, length, byte }))
        }
    }
}

fn wide(bytes: &[u8]) -> Option<EncodingFault> {
    match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some(EncodingFault::Utf32),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some(EncodingFault::Utf16),
        // Without a mark: YAML starts with an ASCII character, so the first zero byte shows the
        // encoding.
        [first, second, ..]
            if (*first == 0) != (*second == 0)
                && bytes.len().is_multiple_of(2)
                && bytes.len() >= 4 =>
        {
            let zeros = bytes.iter().take(64).filter(|byte| **byte == 0).count();
            (zeros * 3 >= bytes.len().min(64)).then_some(EncodingFault::Utf16)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_is_recognized_with_and_without_a_mark() {
        let text = "ArtifactName: a\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(little.clone()).1, Some(EncodingFault::Utf16));
        assert_eq!(decode(big).1, Some(EncodingFault::Utf16));
        let marked = [vec![0xFF, 0xFE], little].concat();
        assert_eq!(decode(marked).1, Some(EncodingFault::Utf16));
    }

    #[test]
    fn latin1_is_located() {
        let (text, fault) = decode(b"a: caf\xe9 x\n".to_vec());
        assert_eq!(fault, Some(EncodingFault::Invalid { offset: 6, length: 1, byte: 0xE9 }));
        assert_eq!(text, "a: caf\u{FFFD} x\n");
    }
}
