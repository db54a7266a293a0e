//! Texts made fit to be shown: shortened, and with nothing in them that a terminal would act on.

use std::fmt::Write as _;

/// The longest user text in a message, in code points.
const LONGEST: usize = 60;

/// Returns whether `c` may be printed as it is. Control characters, and characters that have no width
/// or turn the direction of a line, could make a terminal show what is not there.
#[must_use]
pub fn is_printable(c: char) -> bool {
    !(c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{61C}'
                | '\u{180E}'
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

/// Returns `text` with everything escaped that may not be printed.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out
}

/// Returns `text` in backticks, the middle left out where it is long.
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

/// Returns `text`, ended with `…` where it has more characters than `most`.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns `word` as it is typed in a shell, in quotes where it needs them.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let word = escaped(word);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
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
        assert_eq!(escaped("a\u{180e}b\u{a0}c"), "a\\u{180e}b\\u{a0}c");
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(shell_word("a/b-1.yaml"), "a/b-1.yaml");
        assert_eq!(shell_word("it's a file"), "'it'\\''s a file'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn a_text_that_is_cut_says_so() {
        assert_eq!(cut("éééé", 3), "ééé…");
        assert_eq!(cut("ééé", 3), "ééé");
    }
}
