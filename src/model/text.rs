//! Texts: how long they may be, and what they must look like.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::text::compile;

/// The constraints on one text member of the service's model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    /// The shape's name in the service model.
    pub shape: &'static str,
    /// Fewest code points.
    pub min: usize,
    /// Most code points.
    pub max: usize,
    /// The pattern that the whole text must match.
    pub pattern: Option<Pattern>,
    /// The rule about a length out of bounds, by its code; empty where no manifest has the text.
    pub rule: &'static str,
}

/// A pattern of the service's model, matched against the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Names of lineage entities: letters and digits of ASCII, with hyphens between them.
    EntityName,
    /// `.*`: anything without a line terminator, since the service's expressions are Java's.
    SingleLine,
    /// Keys and values of tags.
    TagText,
    /// The ARN of an artifact.
    ArtifactArn,
    /// The ARN of any resource of the service.
    ResourceArn,
}

/// One way in which a text breaks its [`TextLimit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Fewer code points than the minimum.
    TooShort {
        /// Code points in the text.
        length: usize,
    },
    /// More code points than the maximum.
    TooLong {
        /// Code points in the text.
        length: usize,
        /// The bytes of the text from the first code point that is too many.
        excess: Range<usize>,
    },
    /// The pattern does not match.
    Pattern {
        /// The bytes of the text that the pattern cannot take: the first run of them.
        offending: Range<usize>,
    },
}

impl TextLimit {
    /// Returns every violation of this limit in `text`.
    #[must_use]
    pub fn violations(&self, text: &str) -> Vec<Violation> {
        let mut found = Vec::new();
        // A text has at most as many code points as bytes, so most need no count.
        if text.len() > self.max || self.min > 0 {
            let length = text.chars().count();
            if length < self.min {
                found.push(Violation::TooShort { length });
            }
            if length > self.max {
                let start = text.char_indices().nth(self.max).map_or(text.len(), |(at, _)| at);
                found.push(Violation::TooLong { length, excess: start..text.len() });
            }
        }
        if let Some(pattern) = self.pattern
            && !text.is_empty()
            && let Some(offending) = pattern.offending(text)
        {
            found.push(Violation::Pattern { offending });
        }
        found
    }
}

impl Pattern {
    /// Returns the regular expression as the service's model has it, without anchors.
    #[must_use]
    pub const fn expression(self) -> &'static str {
        match self {
            Self::EntityName => "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}",
            Self::SingleLine => ".*",
            Self::TagText => r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)",
            Self::ArtifactArn => r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:artifact/.*",
            Self::ResourceArn => r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+",
        }
    }

    /// Returns the first run of bytes that keeps `text` from matching, or `None` if it matches.
    ///
    /// An empty text is left to the minimum length.
    #[must_use]
    pub fn offending(self, text: &str) -> Option<Range<usize>> {
        match self {
            Self::EntityName => offending_in_name(text),
            Self::SingleLine => line_terminators(text),
            Self::TagText => offending_in_tag(text),
            Self::ArtifactArn => whole(&ARTIFACT_ARN_EXPRESSION, text),
            Self::ResourceArn => whole(&RESOURCE_ARN_EXPRESSION, text),
        }
    }
}

impl Pattern {
    /// Returns every run of bytes that keeps `text` from matching, in order.
    #[must_use]
    pub fn all_offending(self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::EntityName => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
                let mut found = runs(text, |c| !allowed(c));
                let leading = text.len() - text.trim_start_matches('-').len();
                if leading > 0 {
                    found.insert(0, 0..leading);
                }
                let end = text.trim_end_matches('-').len();
                if end > leading && end < text.len() {
                    found.push(end..text.len());
                }
                found
            }
            Self::SingleLine => runs(text, is_line_terminator),
            Self::TagText => NOT_TAG_TEXT.find_iter(text).map(|found| found.range()).collect(),
            Self::ArtifactArn | Self::ResourceArn => self.offending(text).into_iter().collect(),
        }
    }
}

/// Returns the runs of characters of `text` for which `is` returns true.
fn runs(text: &str, is: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| is(*c)) {
        match found.last_mut() {
            Some(last) if last.end == at => last.end += c.len_utf8(),
            _ => found.push(at..at + c.len_utf8()),
        }
    }
    found
}

static ARTIFACT_ARN_EXPRESSION: LazyLock<Regex> =
    LazyLock::new(|| compile(&format!("^(?:{})$", Pattern::ArtifactArn.expression())));
static RESOURCE_ARN_EXPRESSION: LazyLock<Regex> =
    LazyLock::new(|| compile(&format!("^(?:{})$", Pattern::ResourceArn.expression())));
static NOT_TAG_TEXT: LazyLock<Regex> = LazyLock::new(|| compile(r"[^\p{L}\p{Z}\p{N}_.:/=+\-@]+"));

fn whole(expression: &Regex, text: &str) -> Option<Range<usize>> {
    (!expression.is_match(text)).then_some(0..text.len())
}

fn offending_in_name(text: &str) -> Option<Range<usize>> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if let Some(start) = text.find(|c: char| !allowed(c)) {
        let length = text[start..].find(allowed).unwrap_or(text.len() - start);
        return Some(start..start + length);
    }
    let leading = text.len() - text.trim_start_matches('-').len();
    if leading > 0 {
        return Some(0..leading);
    }
    let end = text.trim_end_matches('-').len();
    (end < text.len()).then_some(end..text.len())
}

/// Returns whether `c` ends a line, so that `.` does not match it in Java's regular expressions.
#[must_use]
pub const fn is_line_terminator(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn line_terminators(text: &str) -> Option<Range<usize>> {
    // The wide ones have the lead bytes C2 and E2; a text without these four bytes is clean.
    let suspicious = |b: u8| matches!(b, b'\n' | b'\r' | 0xC2 | 0xE2);
    if !text.bytes().any(suspicious) {
        return None;
    }
    let start = text.find(is_line_terminator)?;
    let length = text[start..].find(|c| !is_line_terminator(c)).unwrap_or(text.len() - start);
    Some(start..start + length)
}

fn offending_in_tag(text: &str) -> Option<Range<usize>> {
    const fn plain(b: u8) -> bool {
        b.is_ascii_alphanumeric()
            || matches!(b, b' ' | b'_' | b'.' | b':' | b'/' | b'=' | b'+' | b'-' | b'@')
    }
    if text.bytes().all(plain) {
        return None;
    }
    NOT_TAG_TEXT.find(text).map(|found| found.range())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pattern as the service's engine reads it: Java's `.`, whole match.
    fn as_java(pattern: Pattern) -> Regex {
        let dot = "[^\n\r\u{85}\u{2028}\u{2029}]";
        let expression = match pattern {
            Pattern::TagText => pattern.expression().to_owned(),
            other => other.expression().replace(".*", &format!("{dot}*")),
        };
        Regex::new(&format!(r"\A(?:{expression})\z")).unwrap()
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9_ -]{0,8}",
            "[a-b\u{85}\u{2028}\n\ré#@:-]{0,8}",
            "\\PC{0,6}",
            "-{0,2}[a-c]-{0,2}",
        ]
    }

    proptest! {
        #[test]
        fn hand_written_matchers_agree_with_the_expressions(text in texts()) {
            for pattern in [Pattern::EntityName, Pattern::SingleLine, Pattern::TagText] {
                if text.is_empty() { continue; }
                let offending = pattern.offending(&text);
                prop_assert_eq!(
                    offending.is_none(), as_java(pattern).is_match(&text),
                    "{:?} on {:?}", pattern, text);
                prop_assert_eq!(pattern.all_offending(&text).is_empty(), offending.is_none());
                if let Some(range) = offending {
                    prop_assert!(!text[range].is_empty());
                }
            }
        }
    }

    #[test]
    fn lengths_count_code_points() {
        let limit = TextLimit { shape: "", min: 1, max: 3, pattern: None, rule: "" };
        assert_eq!(limit.violations("ééé"), []);
        assert_eq!(limit.violations("éééx"), [Violation::TooLong { length: 4, excess: 6..7 }]);
        assert_eq!(limit.violations(""), [Violation::TooShort { length: 0 }]);
    }

    #[test]
    fn the_run_at_fault_is_named() {
        assert_eq!(Pattern::EntityName.offending("a b"), Some(1..2));
        assert_eq!(Pattern::EntityName.offending("a__b_"), Some(1..3));
        assert_eq!(Pattern::EntityName.offending("--a"), Some(0..2));
        assert_eq!(Pattern::EntityName.offending("a-"), Some(1..2));
        assert_eq!(Pattern::SingleLine.offending("a\r\nb"), Some(1..3));
        assert_eq!(Pattern::TagText.offending("a#b"), Some(1..2));
        assert_eq!(Pattern::TagText.offending("größe é"), None);
        assert_eq!(Pattern::EntityName.all_offending("-a_b c-"), [0..1, 2..3, 4..5, 6..7]);
        assert_eq!(
            Pattern::EntityName.all_offending("--").as_slice(),
            std::slice::from_ref(&(0..2))
        );
        assert_eq!(Pattern::TagText.all_offending("a#b(c)"), [1..2, 3..4, 5..6]);
        assert_eq!(Pattern::SingleLine.all_offending("a\r\nb\nc"), [1..3, 4..5]);
    }
}
