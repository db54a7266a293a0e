//! Texts of a template that hold columns and no other expression, such as `s3://{{ row.bucket }}/{{ row.key }}`.
//! Most texts are of this kind, and each is evaluated for every row.
//!
//! In: the text, and a row. Out: what minijinja would make of it, in a tenth of the time.

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    Column(Box<str>),
    /// The variable of `$for`.
    Variable,
}

/// A text of columns.
#[derive(Debug, PartialEq, Eq)]
pub struct Plain(Vec<Part>);

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
            let expression = expression.trim_matches([' ', '\n', '\t', '\r']);
            if !before.is_empty() {
                parts.push(Part::Literal(before.into()));
            }
            parts.push(match expression.strip_prefix("row.") {
                _ if variable == Some(expression) => Part::Variable,
                Some(column) if variable != Some("row") && is_name(column) => {
                    Part::Column(column.into())
                }
                _ => return None,
            });
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.into()));
        }
        Some(Self(parts))
    }

    /// Appends the text for a row with these columns, and this value of the variable, to `out`. Returns
    /// false, and leaves `out` as it is, if one of them is no text.
    pub(super) fn render<'r>(
        &self,
        column: impl Fn(&str) -> Option<&'r str>,
        variable: Option<&'r str>,
        out: &mut String,
    ) -> bool {
        let start = out.len();
        for part in &self.0 {
            let text = match part {
                Part::Literal(text) => Some(&**text),
                Part::Column(name) => column(name),
                Part::Variable => variable,
            };
            let Some(text) = text else {
                out.truncate(start);
                return false;
            };
            out.push_str(text);
        }
        true
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_variables_are_plain_and_nothing_else_is() {
        let column = |name: &str| Part::Column(name.into());
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
        assert_eq!(Plain::read("{{ tag }}", Some("tag")), Some(Plain(vec![Part::Variable])));
        for text in [
            "{{ tag }}",
            "{{ row }}",
            "{{ row.a | upper }}",
            "{{ row.a.b }}",
            "{{- row.a }}",
            "{{ row.1 }}",
            "{{ row.a",
            "{% if x %}{{ row.a }}{% endif %}",
            "{# no #}{{ row.a }}",
            "{{ row.a }}\n",
            "{{ number }}",
        ] {
            assert_eq!(Plain::read(text, None), None, "{text}");
        }
        assert_eq!(Plain::read("{{ row.a }}", Some("row")), None);
    }
}
