//! The filters and tests that the expressions of a text apply.
//!
//! In: a text that compiles. Out: those of its filters and tests that do not exist. minijinja looks for
//! one when it evaluates it, which would be after everything else that is wrong with a template.

use std::ops::Range;

use minijinja::{Environment, ErrorKind};

/// A filter or a test that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unknown {
    pub(super) kind: Applied,
    /// The place of its name in the text.
    pub(super) place: Range<usize>,
}

/// Something that is applied to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// `value | name`.
    Filter,
    /// `value is name`.
    Test,
}

/// Returns the filters and tests in `text` that `environment` does not have. `is_expression` if it is one,
/// and no text with expressions in braces.
pub(super) fn unknown(
    text: &str,
    is_expression: bool,
    environment: &Environment<'_>,
) -> Vec<Unknown> {
    let whole = 0..text.len();
    let expressions = if is_expression { Vec::from([whole]) } else { expressions(text) };
    let mut unknown = Vec::new();
    for expression in expressions {
        for (kind, place) in applied(&text[expression.clone()]) {
            let place = expression.start + place.start..expression.start + place.end;
            if !exists(kind, &text[place.clone()], environment) {
                unknown.push(Unknown { kind, place });
            }
        }
    }
    unknown
}

/// Applies it to some value: whether there is such a filter shows before whether the value fits it.
fn exists(kind: Applied, name: &str, environment: &Environment<'_>) -> bool {
    let (expression, unknown) = match kind {
        Applied::Filter => (format!("0|{name}"), ErrorKind::UnknownFilter),
        Applied::Test => (format!("0 is {name}"), ErrorKind::UnknownTest),
    };
    let value = environment.compile_expression(&expression).and_then(|one| one.eval(()));
    value.err().is_none_or(|error| error.kind() != unknown)
}

/// Returns the places of the expressions and statements in braces.
fn expressions(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|open| at + open) {
        let close = match text.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = open + 1;
                continue;
            }
        };
        let start = open + 2;
        let end = match close {
            "#}" => text[start..].find(close),
            _ => unquoted(&text[start..], close),
        };
        let Some(end) = end.map(|end| start + end) else { break };
        at = end + 2;
        let statement = text[start..end].trim_matches(['-', '+', ' ', '\t', '\n', '\r']);
        if close == "%}" && statement == "raw" {
            at = text[at..].find("endraw").map_or(text.len(), |end| at + end);
        } else if close != "#}" {
            found.push(start..end);
        }
    }
    found
}

/// Returns the place of `wanted` in `text` outside of quotes.
fn unquoted(text: &str, wanted: &str) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(wanted) {
            return Some(at);
        }
        at += string(rest).or_else(|| rest.chars().next().map(char::len_utf8))?;
    }
    None
}

/// Returns the length of the string that `text` begins with.
fn string(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// Returns the places of the names of filters and tests in an expression or a statement.
fn applied(text: &str) -> Vec<(Applied, Range<usize>)> {
    let mut found = Vec::new();
    let mut next = None;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let word = word(rest);
        if let Some(length) = string(rest) {
            next = None;
            at += length;
        } else if word > 0 {
            let is_attribute = text[..at].trim_end().ends_with('.');
            match (next.take(), &rest[..word]) {
                (Some(Applied::Test), "not") => next = Some(Applied::Test),
                (Some(kind), _) => found.push((kind, at..at + word)),
                (None, "is") if !is_attribute => next = Some(Applied::Test),
                // `{% filter name %}`
                (None, "filter") if text[..at].trim_matches(['-', '+', ' ']).is_empty() => {
                    next = Some(Applied::Filter);
                }
                _ => {}
            }
            at += word;
        } else {
            let c = rest.chars().next().unwrap_or_default();
            match c {
                '|' => next = Some(Applied::Filter),
                c if c.is_whitespace() => {}
                _ => next = None,
            }
            at += c.len_utf8();
        }
    }
    found
}

/// Returns the length of the word that `text` begins with.
fn word(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, is_expression: bool) -> Vec<&str> {
        let environment = Environment::new();
        let unknown = unknown(text, is_expression, &environment);
        unknown.into_iter().map(|one| &text[one.place]).collect()
    }

    #[test]
    fn what_does_not_exist_is_found_wherever_it_is_applied() {
        let text = "a|b {{ row.id | slug | lower }}{% if x is oddest %}{{ é|e_2 }}{% endif %}{{ z | tr('}}|q') }}";
        assert_eq!(names(text, false), ["slug", "oddest", "e_2", "tr"]);
        assert_eq!(names("{{ row.a | fold }}", true), ["fold"]);
        assert_eq!(names("row.a is not even and row.is is defined", true), Vec::<&str>::new());
        assert_eq!(
            names("{% filter shout %}a{% endfilter %}{% filter upper %}b{% endfilter %}", false),
            ["shout"]
        );
    }

    #[test]
    fn texts_comments_and_raw_blocks_apply_nothing() {
        for text in [
            "{{ 'a | b' ~ \"c\\\" is d\" }} | e is f",
            "{# a | b #}{% raw %}{{ c | d }}{% endraw %}",
            "{{ a | default(b) is not none }}{{ c is in [1] }}",
        ] {
            assert_eq!(names(text, false), Vec::<&str>::new(), "{text}");
        }
    }
}
