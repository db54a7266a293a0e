//! The log on standard error, whose lines hold no credential and nothing that a terminal or a CI system
//! acts on.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::OnceLock;

use serde::de::IgnoredAny;
use tracing_subscriber::fmt::MakeWriter;

use crate::cli::{Global, LogFormat};
use crate::text::secret::{REDACTED, is_named};
use crate::text::{escaped, is_printable, odd_space, redacted};

/// The id of the run of this process, once there is one.
static RUN: OnceLock<String> = OnceLock::new();

/// Notes the id of the run, which is in every line of JSON from now on.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "without the SDK there are no runs"))]
pub(super) fn set_run(id: &str) {
    // Embedded in another program, the log is not this one's.
    let _ = RUN.set(id.to_owned());
}

/// Begins to log.
pub(super) fn start(global: &Global) {
    let filter = match global.verbose {
        0 => "lineload=warn",
        1 => "lineload=info",
        2 => "lineload=debug",
        _ => "lineload=trace,aws=debug,hyper=debug",
    };
    let filter = std::env::var("LINELOAD_LOG").unwrap_or_else(|_| filter.to_owned());
    let filter = tracing_subscriber::EnvFilter::new(filter);
    let colors = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Stderr);
    let started = match global.log_format {
        LogFormat::Text => builder.with_ansi(colors).with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // An embedding program may have a logger already.
    drop(started);
}

/// Standard error for the log.
struct Stderr;

impl<'w> MakeWriter<'w> for Stderr {
    type Writer = Line<io::Stderr>;

    fn make_writer(&'w self) -> Self::Writer {
        Line(io::stderr())
    }
}

/// Writes lines that were made in one piece each.
struct Line<W>(W);

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(fit(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Returns a line as it may be shown. The colours of the log's own stay; those of a message are
/// escaped before they come here.
fn fit(line: &str) -> String {
    const ESCAPE: char = '\u{1b}';
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    if text.starts_with('{')
        && let Some(fit) = fit_json(&with_run(text, RUN.get().map(String::as_str)))
    {
        return format!("{fit}{end}");
    }
    let text = redacted(text);
    let parts: Vec<String> = text.split(ESCAPE).map(escaped).collect();
    format!("{}{end}", parts.join("\u{1b}"))
}

/// Returns a line of JSON as it may be shown, `None` if it is none: each text in it is redacted as what it
/// says, without the escapes of JSON, and the line is JSON still.
fn fit_json(line: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(line).ok()?;
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut last = String::new();
    while let Some(start) = rest.find('"') {
        let (before, from) = rest.split_at(start);
        let mut strings = serde_json::Deserializer::from_str(from).into_iter::<String>();
        let text = strings.next()?.ok()?;
        rest = &from[strings.byte_offset()..];
        out.push_str(before);
        // Between a key and its value is a colon.
        let shown = match before.trim() == ":" && is_named(&last, &text) {
            true => Cow::Borrowed(REDACTED),
            false => redacted(&text),
        };
        push_json(&mut out, &shown);
        last = text;
    }
    out.push_str(rest);
    Some(out)
}

/// Appends `text` as a string of JSON, with nothing in it that may not be printed.
fn push_json(out: &mut String, text: &str) {
    for c in serde_json::Value::from(text).to_string().chars() {
        if is_printable(c) && odd_space(c).is_none() {
            out.push(c);
        } else {
            let escape = |unit: &mut u16| format!("\\u{unit:04x}");
            out.extend(c.encode_utf16(&mut [0; 2]).iter_mut().map(escape));
        }
    }
}

/// Returns a line with the id of the run, if it is JSON.
fn with_run<'l>(line: &'l str, run: Option<&str>) -> Cow<'l, str> {
    match (line.strip_prefix(r#"{"timestamp":"#), run) {
        (Some(rest), Some(run)) => {
            let run = serde_json::Value::from(run);
            Cow::Owned(format!(r#"{{"run":{run},"timestamp":{rest}"#))
        }
        _ => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_is_in_every_line_of_json() {
        let line = r#"{"timestamp":"t","level":"INFO"}"#;
        assert_eq!(with_run(line, Some("r")), r#"{"run":"r","timestamp":"t","level":"INFO"}"#);
        assert_eq!(with_run(line, None), line);
        assert_eq!(with_run("t INFO x", Some("r")), "t INFO x");
    }

    #[test]
    fn a_line_of_json_holds_no_credential_and_stays_json() {
        let shown = |message: &str| {
            let fields = serde_json::json!({ "message": message, "password": "x1", "entry": 7 });
            let line = serde_json::json!({ "fields": fields, "level": "INFO" });
            let mut out = Vec::new();
            Line(&mut out).write_all(format!("{line}\n").as_bytes()).unwrap();
            let shown = String::from_utf8(out).unwrap();
            assert!(shown.ends_with("}\n"), "{shown}");
            assert!(shown.trim_end().chars().all(|c| c.is_ascii_graphic() || c == ' '), "{shown}");
            let line: serde_json::Value = serde_json::from_str(&shown).unwrap();
            assert_eq!((&line["level"], &line["fields"]["entry"]), (&"INFO".into(), &7.into()));
            assert_eq!(line["fields"]["password"], "[redacted]", "{shown}");
            line["fields"]["message"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            shown(r#"got {"password":"hunter2abc"} back"#),
            r#"got {"password":"[redacted]"} back"#
        );
        let key =
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\n-----END RSA PRIVATE KEY-----";
        let pem = shown(&format!("got {key} back"));
        assert!(pem.starts_with("got [redacted]") && !pem.contains("MIIE"), "{pem}");
        // Neither does half of one, nor what turns the line round.
        let half = shown("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq");
        assert!(!half.contains("MIIE"), "{half}");
        assert_eq!(shown("a\u{202e}b\u{85}\u{e0041}\n"), "a\u{202e}b\u{85}\u{e0041}\n");
        assert_eq!(shown("plain \"words\" \\ here"), "plain \"words\" \\ here");
    }

    #[test]
    fn a_line_stays_a_line_and_holds_no_credential() {
        let line = "WARN said AKIAIOSFODNN7EXAMPLE\n::error::x\r\u{1b}[0m\n";
        let mut out = Vec::new();
        Line(&mut out).write_all(line.as_bytes()).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.starts_with("WARN said ") && !shown.contains("AKIA"), "{shown:?}");
        assert!(shown.ends_with("\\n::error::x\\r\u{1b}[0m\n"), "{shown:?}");
    }
}
