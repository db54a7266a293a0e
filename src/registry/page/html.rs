//! HTML in the making. Texts are escaped here and nowhere else.

use std::fmt::Write as _;

use crate::text::{grouped, is_printable};

/// A piece of a document.
#[derive(Debug, Clone, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup, which is never from a request or an artifact.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Another piece.
    pub(super) fn append(&mut self, piece: &Self) -> &mut Self {
        self.0.push_str(&piece.0);
        self
    }

    /// Any text. What would not be seen, or would change how the rest is seen, is shown by its number.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match entity(c) {
                Some(entity) => self.0.push_str(entity),
                None if !is_printable(c) => {
                    // Writing to a string does not fail.
                    let _ = write!(self.0, "<span class=\"c\">\\u{{{:x}}}</span>", u32::from(c));
                }
                None => self.0.push(c),
            }
        }
        self
    }

    /// At most so many characters of a text.
    pub(super) fn cut(&mut self, text: &str, most: usize) -> &mut Self {
        match text.char_indices().nth(most) {
            Some((end, _)) => self.text(&text[..end]).raw("…"),
            None => self.text(text),
        }
    }

    /// A text in a fixed width.
    pub(super) fn code(&mut self, text: &str) -> &mut Self {
        self.raw("<code>").text(text).raw("</code>")
    }

    /// The value of an attribute, with its quotes.
    pub(super) fn attribute(&mut self, text: &str) -> &mut Self {
        self.0.push('"');
        for c in text.chars() {
            match entity(c) {
                Some(entity) => self.0.push_str(entity),
                None if c.is_control() => self.0.push('\u{fffd}'),
                None => self.0.push(c),
            }
        }
        self.0.push('"');
        self
    }

    /// A number.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.raw(&grouped(number))
    }

    /// A moment.
    pub(super) fn time(&mut self, millis: i64) -> &mut Self {
        let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
        let shown = moment.strftime("%Y-%m-%d %H:%M:%S").to_string();
        self.raw("<time datetime=\"").raw(&moment.to_string()).raw("\">").raw(&shown).raw("</time>")
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

const fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup_and_everything_is_seen() {
        let mut html = Html::default();
        html.text("<b a='1' c=\"2\">&amp;\u{202e}\0é");
        assert_eq!(
            html.finish(),
            "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;<span class=\"c\">\\u{202e}</span>\
             <span class=\"c\">\\u{0}</span>é"
        );
        let mut html = Html::default();
        html.attribute("\" onclick='x'\0");
        assert_eq!(html.finish(), "\"&quot; onclick=&#39;x&#39;\u{fffd}\"");
    }

    #[test]
    fn numbers_have_groups_and_long_texts_end() {
        let mut html = Html::default();
        html.number(1_234_567).raw(" ").number(12).raw(" ").cut("éééé", 3).raw(" ").cut("ééé", 3);
        assert_eq!(html.finish(), "1,234,567 12 ééé… ééé");
    }
}
