//! Text in the markup of XML and HTML.

use std::fmt::Write as _;

use crate::text::escaped;

/// `text` as XML takes it, in a value as between tags. Most control characters are not allowed even
/// as references, so what may not be printed is escaped as everywhere.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in escaped(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{FFFE}' | '\u{FFFF}' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_xml_forbids() {
        assert_eq!(xml("<a b=\"c\">'&"), "&lt;a b=&quot;c&quot;&gt;&apos;&amp;");
        assert_eq!(xml("\u{0}\u{b}\n\u{fffe}é]]>"), "\\u{0}\\u{b}\\n\\u{fffe}é]]&gt;");
    }
}
