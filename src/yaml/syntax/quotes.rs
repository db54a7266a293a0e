//! Errors of quoted scalars: unclosed quotes, text after them, and escapes.

use super::{SyntaxError, Where};
use crate::source::Span;

pub(super) fn unclosed_quote(place: &Where<'_>) -> SyntaxError {
    let quote = place.rest(place.at).chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        return SyntaxError::new(place.one_char(place.at), "a quote is never closed");
    };
    let kind = if quote == '"' { "double" } else { "single" };
    let doubled = if quote == '"' { "`\\\"`" } else { "`''`" };
    SyntaxError::new(
        place.one_char(place.at),
        format!("this {kind} quote is never closed"),
    )
    .label("opened here")
    .help(format!(
        "close it with `{quote}` at the end of the value; inside, write a {kind} quote as {doubled}"
    ))
}

/// `'it's'`, or `"a" b`: the reported place is after the closing quote or a little further on.
pub(super) fn behind_quote(place: &Where<'_>) -> SyntaxError {
    let at = place.at;
    let span = place.to_line_end(at);
    let head = place.text.get(place.line_start(at)..at).unwrap_or("");
    let quote = head.trim_end().chars().next_back().filter(|c| matches!(c, '"' | '\''));
    let help = match quote {
        Some('\'') => {
            "write a quote inside single quotes twice (`''`), or close the value at its end"
        }
        _ => "write a quote inside double quotes as `\\\"`, or close the value at its end",
    };
    SyntaxError::new(span, "text after the closing quote of a value").help(help)
}

/// Reports an invalid escape: the parser reports the start of the scalar; the escape is inside.
pub(super) fn bad_escape(place: &Where<'_>) -> SyntaxError {
    let rest = place.rest(place.at);
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((from, c)) = chars.next() {
        if c == '"' {
            break;
        }
        if c != '\\' {
            continue;
        }
        let Some((_, escaped)) = chars.next() else {
            break;
        };
        let digits = match escaped {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '0' | 'a' | 'b' | 't' | '\t' | 'n' | 'v' | 'f' | 'r' | 'e' | ' ' | '"' | '/' | '\\'
            | 'N' | '_' | 'L' | 'P' | '\n' | '\r' => continue,
            _ => 0,
        };
        let body = &rest[from + 1 + escaped.len_utf8()..];
        let hex: String = body.chars().take(digits).take_while(char::is_ascii_hexdigit).collect();
        let code = u32::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == digits);
        if digits > 0 && code.is_some_and(|code| char::from_u32(code).is_some()) {
            continue;
        }
        let start = place.at + from;
        let span = Span::new(start..start + 1 + escaped.len_utf8() + hex.len());
        if let Some(code) = code {
            if (0xD800..0xDC00).contains(&code) && followed_by_low_surrogate(&body[digits..]) {
                continue;
            }
            return SyntaxError::new(
                span,
                "this escape is half of a surrogate pair, or not a character",
            )
            .help("write the character itself");
        }
        let message = if digits == 0 {
            format!("invalid escape `\\{}` in double quotes", escaped.escape_debug())
        } else {
            format!("`\\{escaped}` needs {digits} hexadecimal digits")
        };
        return SyntaxError::new(span, message)
            .help("write a backslash as `\\\\`, or use single quotes, which have no escapes");
    }
    SyntaxError::new(place.one_char(place.at), "invalid escape in this value")
        .help("write a backslash as `\\\\`, or use single quotes, which have no escapes")
}

fn followed_by_low_surrogate(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("\\u").and_then(|text| text.get(..4)) else {
        return false;
    };
    u32::from_str_radix(digits, 16).is_ok_and(|code| (0xDC00..0xE000).contains(&code))
}
