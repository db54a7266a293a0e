//! Text in HTML, SVG and XML.
//!
//! In: any text. Out: text in which nothing is markup and nothing is invisible. Every template uses
//! [`Escaper`], which `askama.toml` names, for everything that it does not mark as `|safe`; a test
//! lists what may be marked so.

use std::fmt::{self, Write};

use crate::text::{is_printable, odd_space, push_escaped};

/// The escaper of every template.
///
/// Its output may stand between tags and in a quoted attribute, in HTML as in XML. A character that
/// cannot be seen, or that changes how its neighbours are shown, is replaced by its number: XML does
/// not allow most control characters even as references.
#[derive(Debug, Clone, Copy)]
pub struct Escaper;

impl askama::filters::Escaper for Escaper {
    fn write_escaped_str<W: Write>(&self, mut out: W, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match of(c) {
            Shown::AsItIs(c) => out.write_char(c),
            Shown::Entity(entity) => out.write_str(entity),
            Shown::Number(number) => out.write_str(&number),
        })
    }
}

/// The form in which a character is shown.
enum Shown {
    AsItIs(char),
    Entity(&'static str),
    /// The number of a character that cannot be seen: `\u{202e}`.
    Number(String),
}

fn of(c: char) -> Shown {
    match c {
        '&' => Shown::Entity("&amp;"),
        '<' => Shown::Entity("&lt;"),
        '>' => Shown::Entity("&gt;"),
        '"' => Shown::Entity("&quot;"),
        '\'' => Shown::Entity("&apos;"),
        // XML forbids both.
        '\u{FFFE}' | '\u{FFFF}' => Shown::Number(format!("\\u{{{:x}}}", u32::from(c))),
        c if is_printable(c) && odd_space(c).is_none() => Shown::AsItIs(c),
        c => {
            let mut number = String::new();
            push_escaped(&mut number, c);
            Shown::Number(number)
        }
    }
}

/// The filters that templates of several modules use.
#[expect(missing_docs, reason = "`filter_fn` makes an undocumented struct of each function")]
pub mod filters {
    use std::borrow::Borrow;

    use askama::filters::Safe;
    use askama::{Result, Values};

    use super::{Marked, Unchanged};
    use crate::text;

    /// Escapes a text for between tags, with a border round what stands for an invisible character,
    /// so that it is not taken for a text that says the same. Not for attributes.
    #[askama::filter_fn]
    pub fn marked<T: AsRef<str>>(text: T, _: &dyn Values) -> Result<Safe<Marked<T>>> {
        Ok(Safe(Marked(text)))
    }

    /// Escapes a text for the value of an input field, which the browser sends back as it was: what
    /// is invisible stays so, but for control characters.
    #[askama::filter_fn]
    pub fn unchanged<T: AsRef<str>>(text: T, _: &dyn Values) -> Result<Safe<Unchanged<T>>> {
        Ok(Safe(Unchanged(text)))
    }

    /// Cuts a text after `most` characters.
    #[askama::filter_fn]
    pub fn cut(text: impl AsRef<str>, _: &dyn Values, most: usize) -> Result<String> {
        Ok(text::cut(text.as_ref(), most))
    }

    /// Writes `7264` as `7,264`.
    #[askama::filter_fn]
    pub fn grouped(number: impl Borrow<u64>, _: &dyn Values) -> Result<String> {
        Ok(text::grouped(*number.borrow()))
    }
}

/// A text whose invisible characters are marked as such.
#[derive(Debug)]
pub struct Marked<T>(T);

impl<T: AsRef<str>> fmt::Display for Marked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().chars().try_for_each(|c| match of(c) {
            Shown::AsItIs(c) => f.write_char(c),
            Shown::Entity(entity) => f.write_str(entity),
            Shown::Number(number) => write!(f, "<span class=\"c\">{number}</span>"),
        })
    }
}

/// A text as the value of an input field.
#[derive(Debug)]
pub struct Unchanged<T>(T);

impl<T: AsRef<str>> fmt::Display for Unchanged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().chars().try_for_each(|c| match of(c) {
            Shown::Entity(entity) => f.write_str(entity),
            Shown::AsItIs(c) => f.write_char(c),
            Shown::Number(_) if c.is_control() => f.write_char(char::REPLACEMENT_CHARACTER),
            Shown::Number(_) => write!(f, "&#x{:x};", u32::from(c)),
        })
    }
}

/// Returns `text` escaped, for XML that no template writes.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a string does not fail.
    let _ = askama::filters::Escaper::write_escaped_str(&Escaper, &mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::*;

    #[test]
    fn nothing_is_left_that_is_markup_or_that_xml_forbids() {
        assert_eq!(escaped("<a b=\"c\">'&"), "&lt;a b=&quot;c&quot;&gt;&apos;&amp;");
        assert_eq!(escaped("\u{0}\u{b}\n\u{fffe}é]]>"), "\\u{0}\\u{b}\\n\\u{fffe}é]]&gt;");
        assert_eq!(escaped("\u{202e}x\u{a0}\u{200d}"), "\\u{202e}x\\u{a0}\\u{200d}");
    }

    #[derive(Template)]
    #[template(source = "<p title=\"{{ text }}\">{{ text }} {{ number }}</p>", ext = "html")]
    struct Paragraph<'t> {
        text: &'t str,
        number: u32,
    }

    #[test]
    fn templates_use_this_escaper() {
        let shown = Paragraph { text: "<\u{202e}", number: 7 }.to_string();
        assert_eq!(shown, "<p title=\"&lt;\\u{202e}\">&lt;\\u{202e} 7</p>");
    }
}
