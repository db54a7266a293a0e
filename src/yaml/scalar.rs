//! The meaning of plain scalars in YAML 1.2's core schema, and to parsers that follow YAML 1.1.

use std::sync::LazyLock;

use regex::Regex;

use crate::text::compile;

/// The type of a plain scalar in YAML 1.2's core schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// A text.
    Text,
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number with a fraction or an exponent, an infinity, or not a number.
    Float,
}

/// The type that PyYAML and the AWS CLI give to a plain scalar that is a string in YAML 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherReading {
    /// `yes`, `off` and the like.
    Boolean,
    /// `1_000`, `0b1`, and base 60 as in `12:30:45`.
    Number,
    /// `2024-01-01` and the like.
    Date,
}

/// Resolves the plain scalar `text` by YAML 1.2's core schema.
#[must_use]
pub fn resolve(text: &str) -> Resolved {
    let Some(first) = text.bytes().next() else {
        return Resolved::Null;
    };
    match first {
        b'~' if text.len() == 1 => Resolved::Null,
        b'n' | b'N' if matches!(text, "null" | "Null" | "NULL") => Resolved::Null,
        b't' | b'T' if matches!(text, "true" | "True" | "TRUE") => Resolved::Boolean,
        b'f' | b'F' if matches!(text, "false" | "False" | "FALSE") => Resolved::Boolean,
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text),
        _ => Resolved::Text,
    }
}

fn number(text: &str) -> Resolved {
    if let Some(digits) = text.strip_prefix("0x") {
        return text_unless(digits, |b| b.is_ascii_hexdigit(), Resolved::Integer);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return text_unless(digits, |b| matches!(b, b'0'..=b'7'), Resolved::Integer);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Resolved::Float;
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = match mantissa.find('.') {
        Some(at) => (&mantissa[..at], Some(&mantissa[at + 1..])),
        None => (mantissa, None),
    };
    let some_digit = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    if !some_digit || !digits(whole) || !fraction.is_none_or(digits) {
        return Resolved::Text;
    }
    match exponent {
        None if fraction.is_none() => Resolved::Integer,
        None => Resolved::Float,
        Some(exponent) => {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            text_unless(unsigned, |b| b.is_ascii_digit(), Resolved::Float)
        }
    }
}

fn text_unless(digits: &str, digit: impl Fn(u8) -> bool, otherwise: Resolved) -> Resolved {
    if !digits.is_empty() && digits.bytes().all(digit) { otherwise } else { Resolved::Text }
}

/// PyYAML's integers and floats, without those that the core schema reads as numbers too.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?[1-9][0-9_]*|[-+]?0x[0-9a-fA-F_]+",
        r"|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+",
        r"|[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?",
        r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$",
    ))
});
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)",
        r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$",
    ))
});

/// Returns how other parsers read the plain scalar `text` that [`resolve`] takes for a string.
#[must_use]
pub fn other_reading(text: &str) -> Option<OtherReading> {
    match text.bytes().next()? {
        b'y' | b'Y' if matches!(text, "yes" | "Yes" | "YES") => Some(OtherReading::Boolean),
        b'n' | b'N' if matches!(text, "no" | "No" | "NO") => Some(OtherReading::Boolean),
        b'o' | b'O' if matches!(text, "on" | "On" | "ON" | "off" | "Off" | "OFF") => {
            Some(OtherReading::Boolean)
        }
        b'0'..=b'9' if DATE.is_match(text) => Some(OtherReading::Date),
        b'0'..=b'9' | b'+' | b'-' | b'.' if NUMBER.is_match(text) => Some(OtherReading::Number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema() {
        let cases = [
            ("", Resolved::Null),
            ("~", Resolved::Null),
            ("NULL", Resolved::Null),
            ("nUll", Resolved::Text),
            ("True", Resolved::Boolean),
            ("yes", Resolved::Text),
            ("0", Resolved::Integer),
            ("-12", Resolved::Integer),
            ("0o17", Resolved::Integer),
            ("0o18", Resolved::Text),
            ("0xFf", Resolved::Integer),
            ("007", Resolved::Integer),
            ("1.0", Resolved::Float),
            ("1.", Resolved::Float),
            (".5", Resolved::Float),
            ("1e3", Resolved::Float),
            ("1e+3", Resolved::Float),
            ("1e", Resolved::Text),
            ("e3", Resolved::Text),
            (".", Resolved::Text),
            ("-", Resolved::Text),
            ("+", Resolved::Text),
            ("-.inf", Resolved::Float),
            (".nan", Resolved::Float),
            ("+.nan", Resolved::Text),
            ("1.2.3", Resolved::Text),
            ("1_000", Resolved::Text),
            ("2024-01-01", Resolved::Text),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_other_readers_make_of_texts() {
        let cases = [
            ("no", Some(OtherReading::Boolean)),
            ("On", Some(OtherReading::Boolean)),
            ("y", None),
            ("1_000", Some(OtherReading::Number)),
            ("0b11", Some(OtherReading::Number)),
            ("12:30:45", Some(OtherReading::Number)),
            ("2024-01-01", Some(OtherReading::Date)),
            ("2024-1-1", None),
            ("2024-01-01 10:00:00", Some(OtherReading::Date)),
            ("2024-01-01T10:00:00Z", Some(OtherReading::Date)),
            ("1.2.3", None),
            ("v1", None),
            ("10.5_0", Some(OtherReading::Number)),
        ];
        for (text, expected) in cases {
            assert_eq!(other_reading(text), expected, "{text:?}");
        }
    }
}
