//! Filters that inventories need, beside those of minijinja.

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};
use sha2::{Digest as _, Sha256};

use crate::check::near_name;
use crate::model::ARTIFACT_NAME;
use crate::text::hex;

/// Hexadecimal digits of a suffix that makes a name unique.
const SUFFIX: usize = 8;

/// Adds the filters to `environment`.
pub(super) fn add(environment: &mut Environment<'_>) {
    environment
        .add_filter("artifact_name", |text: &str, options: Kwargs| artifact_name(text, &options));
    environment.add_filter("one_line", |text: &str| one_line(text));
    environment.add_filter("truncate_chars", truncate_chars);
    environment.add_filter("url_decode", url_decode);
    environment.add_filter("md5_hex", md5_hex);
    environment.add_filter("sha256_hex", |text: &str| hex(&Sha256::digest(text)));
    environment.add_filter("basename", |text: &str| basename(text).to_owned());
    environment.add_filter("parent", |text: &str, levels: Option<u32>| parent(text, levels));
    environment.add_filter("date", |value: Value, format: Option<&str>| date(&value, format));
    environment.add_test("md5", |text: &str| md5(text).is_some());
    environment.add_filter("strip_prefix", |text: &str, prefix: &str| {
        text.strip_prefix(prefix).unwrap_or(text).to_owned()
    });
    environment.add_filter("strip_suffix", |text: &str, suffix: &str| {
        text.strip_suffix(suffix).unwrap_or(text).to_owned()
    });
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// Letters, digits and single hyphens; with `unique`, a hash of that text behind it.
fn artifact_name(text: &str, options: &Kwargs) -> Result<String, Error> {
    let unique: Option<String> =
        options.get::<Option<Value>>("unique")?.map(|value| value.to_string());
    options.assert_all_used()?;
    let name = near_name(text).ok_or_else(|| wrong("no letter and no digit to make a name of"))?;
    let Some(unique) = unique else { return Ok(name) };
    let suffix = hex(&Sha256::digest(unique));
    let most = ARTIFACT_NAME.max - SUFFIX - 1;
    // A name is ASCII.
    let head = name.get(..most.min(name.len())).unwrap_or(&name).trim_end_matches('-');
    Ok(format!("{head}-{}", &suffix[..SUFFIX]))
}

/// Runs of white space and line breaks as one space, none at the ends.
pub(super) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// As many characters as `most`, the last of them an ellipsis where something was cut off.
fn truncate_chars(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let Some((last, _)) = text[..end].char_indices().next_back() else { return String::new() };
    format!("{}…", text[..last].trim_end())
}

/// `%2B` as `+`, and `+` as a space, as listings of S3 encode keys.
fn url_decode(text: &str) -> Result<String, Error> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                at += 3;
                continue;
            }
            (b'%', ..) => return Err(wrong("a `%` without two hexadecimal digits after it")),
            (b'+', ..) => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8(out).map_err(|_| wrong("what is encoded is not UTF-8"))
}

/// An MD5 in hexadecimal, from the forms that listings have: in quotes, in capitals, in base64.
fn md5_hex(text: &str) -> Result<String, Error> {
    md5(text).ok_or_else(|| wrong("not an MD5, in hexadecimal or base64"))
}

fn md5(text: &str) -> Option<String> {
    let bare = text.trim().trim_matches('"');
    if bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(bare.to_ascii_lowercase());
    }
    let digits = bare.strip_suffix("==").filter(|digits| digits.len() == 22)?;
    let mut bits = 0_u32;
    let mut bytes = Vec::with_capacity(16);
    for (at, digit) in digits.bytes().enumerate() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        if at % 4 != 0 {
            let shift = 6 - 2 * (at % 4);
            bytes.push(u8::try_from(bits >> shift & 0xFF).ok()?);
        }
    }
    Some(hex(&bytes))
}

/// Returns the text behind the last `/`, ignoring one at the end.
pub(super) fn basename(text: &str) -> &str {
    let text = text.trim_end_matches('/');
    text.rsplit('/').next().unwrap_or(text)
}

/// The first parts of a path, as many as `levels` says, with a `/` at the end; without a number,
/// all but the last.
fn parent(text: &str, levels: Option<u32>) -> String {
    let end = match levels {
        None => text.trim_end_matches('/').rfind('/').map(|at| at + 1),
        Some(levels) => match text.match_indices('/').nth((levels as usize).wrapping_sub(1)) {
            _ if levels == 0 => None,
            Some((at, _)) => Some(at + 1),
            // An object that is higher up is in the last directory there is.
            None => text.rfind('/').map(|at| at + 1),
        },
    };
    end.map_or_else(String::new, |end| text[..end].to_owned())
}

/// A time in another form: what `strftime` takes, or a day.
fn date(value: &Value, format: Option<&str>) -> Result<String, Error> {
    let text = value.to_string();
    let format = format.unwrap_or("%Y-%m-%d");
    let time = time(&text)
        .ok_or_else(|| wrong("neither a date nor a time as in `2026-01-31T08:00:00Z`"))?;
    let mut out = String::new();
    jiff::fmt::strtime::BrokenDownTime::from(time)
        .format(format, &mut out)
        .map_err(|error| wrong(error.to_string()))?;
    Ok(out)
}

/// A time in UTC: as ISO 8601 has it, or in seconds or milliseconds since 1970.
fn time(text: &str) -> Option<jiff::civil::DateTime> {
    let utc = jiff::tz::Offset::UTC;
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        // Milliseconds since 1970 are beyond the year 5000 in seconds.
        let seconds = if seconds.abs() >= 1e11 { seconds / 1000.0 } else { seconds };
        let duration = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
        return Some(utc.to_datetime(jiff::Timestamp::from_duration(duration).ok()?));
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(utc.to_datetime(time));
    }
    text.parse::<jiff::civil::DateTime>().ok()
}
