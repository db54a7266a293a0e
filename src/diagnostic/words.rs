//! Text from manifests made fit for messages: shortened, and with nothing in it that a terminal
//! would act on.

use std::fmt::Write as _;

/// The longest user text in a message, in code points.
const LONGEST: usize = 60;

/// Whether `c` may be printed as it is. Control characters, and the characters that turn the
/// direction of a line or take no room, could make a terminal show what is not there.
#[must_use]
pub fn is_printable(c: char) -> bool {
    !(c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{61C}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{E0000}'..='\u{E007F}'
        ))
}

/// Appends `c`, escaped where it may not be printed.
pub fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // It looks like a space and is none.
        c if is_printable(c) && odd_space(c).is_none() => out.push(c),
        c => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

/// `text` with everything escaped that may not be printed.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out
}

/// `text` in backticks, the middle left out where it is long.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::from("`");
    let longer = text.chars().nth(LONGEST).is_some();
    if longer {
        let head = LONGEST * 2 / 3;
        let tail_start = text.char_indices().rev().nth(LONGEST - head - 2).map_or(0, |(at, _)| at);
        text.chars().take(head).for_each(|c| push_escaped(&mut out, c));
        out.push('…');
        text[tail_start..].chars().for_each(|c| push_escaped(&mut out, c));
    } else {
        text.chars().for_each(|c| push_escaped(&mut out, c));
    }
    out.push('`');
    out
}

/// `1 error`, `2 errors`, `7,264 artifacts`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    let plural = match (number, noun) {
        (1, noun) => noun.to_owned(),
        (_, "entry") => "entries".to_owned(),
        (_, "property") => "properties".to_owned(),
        (_, "directory") => "directories".to_owned(),
        (_, noun) => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number as u64))
}

/// `7264` as `7,264`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `a`, `b` or `c`.
#[must_use]
pub fn either<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}

/// `a, b and c`.
#[must_use]
pub fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// `a, b or c`.
#[must_use]
pub fn any(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}

/// Returns the name of a space that is not the one of the keyboard, as in `a no-break space
/// (U+00A0)`.
#[must_use]
pub fn odd_space(c: char) -> Option<String> {
    let name = match c {
        '\u{A0}' => "a no-break space",
        '\u{202F}' => "a narrow no-break space",
        '\u{2007}' => "a figure space",
        '\u{3000}' => "an ideographic space",
        '\u{1680}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200A}' | '\u{205F}' => {
            "a typographic space"
        }
        _ => return None,
    };
    Some(format!("{name} (U+{:04X})", u32::from(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_lose_their_middle() {
        let text = format!("{}{}", "a".repeat(100), "é".repeat(100));
        let short = quoted(&text);
        assert_eq!(short, format!("`{}…{}`", "a".repeat(40), "é".repeat(19)));
        assert_eq!(quoted("short"), "`short`");
    }

    #[test]
    fn nothing_a_terminal_acts_on_is_left() {
        assert_eq!(quoted("\u{1b}[2J\u{202e}x\n\u{9b}"), "`\\u{1b}[2J\\u{202e}x\\n\\u{9b}`");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(7264), "7,264");
        assert_eq!(grouped(100), "100");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "error"), "1 error");
        assert_eq!(counted(0, "entry"), "0 entries");
    }
}
