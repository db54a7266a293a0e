//! Messages in a stream of bytes: a header with the length, and JSON.
//!
//! What is malformed is skipped and reported, so that a client's mistake does not end the session.

use std::io::{self, BufRead, Read, Write};

use lsp_server::Message;
use serde::Serialize;

use crate::text::{escaped, redacted};

/// The largest message, in bytes.
const MAX_MESSAGE: u64 = 512 << 20;
/// The longest line of a header, in bytes.
const MAX_HEADER: u64 = 8 << 10;

/// Something that a client has sent.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A message.
    Message(Message),
    /// Bytes that are no message, and why not.
    Malformed(String),
}

impl Incoming {
    /// Returns whether it is a notification with this method.
    pub(super) fn is(&self, method: &str) -> bool {
        matches!(self, Self::Message(Message::Notification(one)) if one.method == method)
    }
}

/// The messages of an input.
#[derive(Debug)]
pub(super) struct Incomings<R> {
    input: R,
    /// True if bytes are skipped until the next header that can be read.
    lost: bool,
}

impl<R: BufRead> Incomings<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, lost: false }
    }

    /// Reads the next message; `None` at the end of the input.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub(super) fn read(&mut self) -> io::Result<Option<Incoming>> {
        let malformed = |why: String| Ok(Some(Incoming::Malformed(why)));
        let length = match self.length()? {
            None => return Ok(None),
            Some(Ok(length)) => length,
            Some(Err(why)) => return malformed(why.to_owned()),
        };
        let mut body = self.input.by_ref().take(length);
        if length > MAX_MESSAGE {
            io::copy(&mut body, &mut io::sink())?;
            return malformed(format!("a message of {length} bytes; the limit is {MAX_MESSAGE}"));
        }
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length {
            return Ok(None);
        }
        match serde_json::from_slice(&bytes) {
            Ok(message) => Ok(Some(Incoming::Message(message))),
            Err(error) => {
                malformed(format!("not a message: {}", escaped(&redacted(&error.to_string()))))
            }
        }
    }

    /// Reads the header of a message: its length, or what is wrong; `None` at the end of the input.
    /// Whatever is behind a fault is skipped until there is a header again.
    fn length(&mut self) -> io::Result<Option<Result<u64, &'static str>>> {
        let mut length = None;
        loop {
            let mut line = Vec::new();
            if self.input.by_ref().take(MAX_HEADER).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            let fault = match (line.split_once(':'), length) {
                (Some((name, value)), _) if name.eq_ignore_ascii_case("Content-Length") => {
                    length = value.trim().parse::<u64>().ok();
                    self.lost &= length.is_none();
                    if length.is_some() {
                        continue;
                    }
                    "a Content-Length that is not a number"
                }
                (None, Some(length)) if line.is_empty() => return Ok(Some(Ok(length))),
                (None, None) if line.is_empty() => "a message without Content-Length",
                (Some(_), _) => continue,
                (None, _) => "a header without a colon",
            };
            length = None;
            if !std::mem::replace(&mut self.lost, true) {
                return Ok(Some(Err(fault)));
            }
        }
    }
}

/// Writes a message.
///
/// # Errors
/// If the output cannot be written to.
pub(super) fn write(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    #[derive(Serialize)]
    struct Body<'m, M> {
        jsonrpc: &'static str,
        #[serde(flatten)]
        message: &'m M,
    }
    let body = serde_json::to_vec(&Body { jsonrpc: "2.0", message })?;
    write!(out, "Content-Length: {}\r\n\r\n", body.len())?;
    out.write_all(&body)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_between_messages_is_reported_once_and_skipped() {
        let message = br#"{"method":"x"}"#;
        let header = format!("content-length: {}\r\nContent-Type: y\r\n\r\n", message.len());
        let mut bytes = Vec::new();
        for garbage in
            [b"".as_slice(), b"a\n\nb\r\n\r\n", b"Content-Length: -1\r\n\r\n", &[255; 20_000]]
        {
            bytes.extend_from_slice(garbage);
            bytes.extend_from_slice(if garbage.len() > 10_000 { b"\n" } else { b"" });
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(message);
        }
        bytes.extend_from_slice(b"Content-Length: 3\r\n\r\n{x}Content-Length: 99\r\n\r\n{");
        let mut incomings = Incomings::new(bytes.as_slice());
        let mut seen = Vec::new();
        while let Some(incoming) = incomings.read().unwrap() {
            seen.push(if incoming.is("x") { "x" } else { "malformed" });
        }
        assert_eq!(seen, ["x", "malformed", "x", "malformed", "x", "malformed", "x", "malformed"]);
    }
}
