//! Text in Markdown.

use crate::text::escaped;

/// The longest text of a code span, in characters.
const LONGEST: usize = 500;

/// `text` as a code span: nothing in it is Markdown, and it mentions nobody. The end is left out
/// where it is long.
pub(super) fn code(text: &str) -> String {
    let mut text = escaped(text);
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
        text.push('…');
    }
    if text.trim().is_empty() {
        text = "-".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_a_code_span() {
        assert_eq!(code("@me *x*"), "`@me *x*`");
        assert_eq!(code("a``b\n"), "```a``b\\n```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" "), "`-`");
        assert_eq!(code(&"x".repeat(600)).chars().count(), 503);
    }
}
