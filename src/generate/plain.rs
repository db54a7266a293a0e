//! Texts of a template that hold columns and no other expression, such as `s3://{{ row.bucket }}/{{ row.key }}`
//! or `{{ row.name | artifact_name }}`. Most texts are of this kind, and each is evaluated for every row.
//!
//! In: the text, and a row. Out: what minijinja would make of it, in a tenth of the time. What is not text, and
//! whatever fails, is left to minijinja.

use std::borrow::Cow;

use super::filters::{basename, one_line};
use crate::check::near_name;

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    Value(Chain),
}

/// A text of columns.
#[derive(Debug, PartialEq, Eq)]
pub struct Plain(Vec<Part>);

/// A column or the variable of `$for`, and the filters that it goes through.
#[derive(Debug, PartialEq, Eq)]
pub struct Chain {
    of: Of,
    filters: Vec<Filter>,
}

#[derive(Debug, PartialEq, Eq)]
enum Of {
    Column(Box<str>),
    /// The variable of `$for`.
    Variable,
}

/// A filter of minijinja or of lineload, with texts that are written out.
#[derive(Debug, PartialEq, Eq)]
enum Filter {
    ArtifactName,
    Basename,
    /// A text is there.
    Default,
    Lower,
    OneLine,
    Replace(Box<str>, Box<str>),
    StripPrefix(Box<str>),
    StripSuffix(Box<str>),
    Trim,
    Upper,
}

/// An expression of `$when` or `$for`.
#[derive(Debug, PartialEq, Eq)]
pub enum PlainExpression {
    /// A value, which holds unless it is empty.
    Value(Chain),
    /// The parts of a value between separators.
    Split(Chain, Box<str>),
}

/// A row as plain texts see it.
pub(super) trait Row {
    /// Returns the text in a column.
    fn column(&self, name: &str) -> Option<&str>;
    /// Returns the text of the variable of `$for`.
    fn variable(&self) -> Option<&str>;
}

impl Plain {
    /// Reads `text`, in which `$for` defines `variable`. Returns `None` if it holds anything else.
    pub(super) fn read(text: &str, variable: Option<&str>) -> Option<Self> {
        // A template loses the line break at its end.
        if text.contains("{%") || text.contains("{#") || text.ends_with(['\n', '\r']) {
            return None;
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (expression, behind) = behind.split_once("}}")?;
            if !before.is_empty() {
                parts.push(Part::Literal(before.into()));
            }
            parts.push(Part::Value(Chain::read(&pieces(expression), variable)?));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.into()));
        }
        Some(Self(parts))
    }

    /// Appends the text for a row to `out`. Returns false, and leaves `out` as it is, if one of its values is no
    /// text.
    pub(super) fn render(&self, row: &impl Row, out: &mut String) -> bool {
        let start = out.len();
        for part in &self.0 {
            let text = match part {
                Part::Literal(text) => Some(Cow::Borrowed(&**text)),
                Part::Value(chain) => chain.text(row),
            };
            let Some(text) = text else {
                out.truncate(start);
                return false;
            };
            out.push_str(&text);
        }
        true
    }
}

impl PlainExpression {
    /// Reads `expression`, which is written without braces. Returns `None` if it is anything else.
    pub(super) fn read(expression: &str, variable: Option<&str>) -> Option<Self> {
        let pieces = pieces(expression);
        let (last, before) = pieces.split_last()?;
        match call(last) {
            Some(("split", arguments)) => match arguments.as_slice() {
                [separator] if !separator.is_empty() => {
                    Some(Self::Split(Chain::read(before, variable)?, (*separator).into()))
                }
                _ => None,
            },
            _ => Chain::read(&pieces, variable).map(Self::Value),
        }
    }
}

impl Chain {
    /// Reads a value and its filters.
    fn read(pieces: &[&str], variable: Option<&str>) -> Option<Self> {
        let (value, filters) = pieces.split_first()?;
        let name = value.trim_matches(is_space);
        let of = match name.strip_prefix("row.") {
            _ if variable == Some(name) => Of::Variable,
            Some(column) if variable != Some("row") && is_name(column) => Of::Column(column.into()),
            _ => return None,
        };
        let filters = filters.iter().map(|filter| Filter::read(filter)).collect::<Option<_>>()?;
        Some(Self { of, filters })
    }

    /// Returns the text for a row; `None` if there is none, or no filter makes it.
    pub(super) fn text<'r>(&self, row: &'r impl Row) -> Option<Cow<'r, str>> {
        let text = match &self.of {
            Of::Column(name) => row.column(name)?,
            Of::Variable => row.variable()?,
        };
        let mut text = Cow::Borrowed(text);
        for filter in &self.filters {
            filter.apply(&mut text)?;
        }
        Some(text)
    }
}

impl Filter {
    fn read(text: &str) -> Option<Self> {
        let (name, arguments) = call(text)?;
        Some(match (name, arguments.as_slice()) {
            ("artifact_name", []) => Self::ArtifactName,
            ("basename", []) => Self::Basename,
            ("default", [] | [_]) => Self::Default,
            ("lower", []) => Self::Lower,
            ("one_line", []) => Self::OneLine,
            ("replace", [from, to]) if !from.is_empty() => {
                Self::Replace((*from).into(), (*to).into())
            }
            ("strip_prefix", [prefix]) => Self::StripPrefix((*prefix).into()),
            ("strip_suffix", [suffix]) => Self::StripSuffix((*suffix).into()),
            ("trim", []) => Self::Trim,
            ("upper", []) => Self::Upper,
            _ => return None,
        })
    }

    /// Replaces `text` by what the filter makes of it; `None` if it makes nothing.
    fn apply(&self, text: &mut Cow<'_, str>) -> Option<()> {
        match self {
            Self::Default => {}
            Self::ArtifactName => *text = Cow::Owned(near_name(text)?),
            Self::Lower => *text = Cow::Owned(text.to_lowercase()),
            Self::Upper => *text = Cow::Owned(text.to_uppercase()),
            Self::OneLine => *text = Cow::Owned(one_line(text)),
            Self::Replace(from, to) => {
                if text.contains(&**from) {
                    *text = Cow::Owned(text.replace(&**from, to));
                }
            }
            Self::Basename => cut(text, basename),
            Self::Trim => cut(text, str::trim),
            Self::StripPrefix(prefix) => {
                cut(text, |text| text.strip_prefix(&**prefix).unwrap_or(text));
            }
            Self::StripSuffix(suffix) => {
                cut(text, |text| text.strip_suffix(&**suffix).unwrap_or(text));
            }
        }
        Some(())
    }
}

/// Replaces `text` by the part of it that `part` returns.
fn cut(text: &mut Cow<'_, str>, part: impl Fn(&str) -> &str) {
    match text {
        Cow::Borrowed(whole) => *whole = part(whole),
        Cow::Owned(whole) => *whole = part(whole).to_owned(),
    }
}

/// Returns what stands between the `|` of an expression that are in no quotes.
fn pieces(expression: &str) -> Vec<&str> {
    let mut quote = None;
    let is_bar = |c: char| {
        match quote {
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        quote.is_none() && c == '|'
    };
    expression.split(is_bar).collect()
}

/// Returns the name and the arguments of a call such as `replace("a", 'b')`, if all are texts that are written
/// out.
fn call(text: &str) -> Option<(&str, Vec<&str>)> {
    let text = text.trim_matches(is_space);
    let Some((name, arguments)) = text.split_once('(') else {
        return is_name(text).then(|| (text, Vec::new()));
    };
    let mut rest = arguments.strip_suffix(')')?.trim_matches(is_space);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (argument, behind) = rest[1..].split_once(quote)?;
        if argument.contains('\\') {
            return None;
        }
        found.push(argument);
        let behind = behind.trim_start_matches(is_space);
        rest = match behind.strip_prefix(',') {
            Some(behind) => behind.trim_start_matches(is_space),
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    is_name(name).then_some((name, found))
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\t' | '\r')
}

const fn is_inside(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(is_inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> Part {
        Part::Value(Chain { of: Of::Column(name.into()), filters: Vec::new() })
    }

    #[test]
    fn columns_and_variables_are_plain_and_nothing_else_is() {
        let literal = |text: &str| Part::Literal(text.into());
        assert_eq!(
            Plain::read("s3://{{ row.bucket }}/{{row.key}}.csv", None),
            Some(Plain(vec![
                literal("s3://"),
                column("bucket"),
                literal("/"),
                column("key"),
                literal(".csv")
            ]))
        );
        let variable = Chain { of: Of::Variable, filters: Vec::new() };
        assert_eq!(Plain::read("{{ tag }}", Some("tag")), Some(Plain(vec![Part::Value(variable)])));
        for text in [
            "{{ tag }}",
            "{{ row }}",
            "{{ row.a | join }}",
            "{{ row.a.b }}",
            "{{- row.a }}",
            "{{ row.a -}}",
            "{{ row.1 }}",
            "{{ row.a",
            "{% if x %}{{ row.a }}{% endif %}",
            "{# no #}{{ row.a }}",
            "{{ row.a }}\n",
            "{{ number }}",
            "{{ row.a b }}",
            "{{ row.a | }}",
            "{{ row.a | replace(row.b, '-') }}",
            "{{ row.a | replace('a' '-') }}",
            "{{ row.a | replace('\\n', '-') }}",
            "{{ row.a | replace('', '-') }}",
            "{{ row.a | artifact_name(unique='x') }}",
            "{{ row.a | upper ~ 'x' }}",
            "{{ row.a | default('a', true) }}",
            "{{ row.a | upper if row.b }}",
        ] {
            assert_eq!(Plain::read(text, None), None, "{text}");
        }
        assert_eq!(Plain::read("{{ row.a }}", Some("row")), None);
        assert_eq!(
            PlainExpression::read("row.a | split('|')", None),
            Some(PlainExpression::Split(
                Chain { of: Of::Column("a".into()), filters: Vec::new() },
                "|".into()
            ))
        );
        assert_eq!(PlainExpression::read("row.a | split", None), None);
        assert_eq!(PlainExpression::read("row.a | split('')", None), None);
        assert_eq!(PlainExpression::read("row.a and tag", Some("tag")), None);
    }
}
