//! The settings of a configuration as they are written, each with its line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::source::{SourceFile, Span};

/// A setting as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its key, as in `pace.max-rate` or `overrides[1].rules.name-pattern`; entries of `overrides`
    /// count from 1.
    pub key: String,
    /// Its value, as TOML.
    pub value: String,
    /// Its line, from 1.
    pub line: u32,
}

/// Returns every setting in `source`, in the order of the lines. A file that is not TOML has none.
#[must_use]
pub fn written(source: &SourceFile) -> Vec<Written> {
    let (root, errors) = DeTable::parse_recoverable(source.text());
    let mut all = Vec::new();
    if errors.is_empty() {
        table(source, "", root.get_ref(), &mut all);
    }
    all.sort_by_key(|one| one.line);
    all
}

fn table(source: &SourceFile, prefix: &str, entries: &DeTable<'_>, all: &mut Vec<Written>) {
    for (key, one) in entries {
        let name = key.get_ref();
        let key = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        value(source, key, one, all);
    }
}

fn value(source: &SourceFile, key: String, one: &Spanned<DeValue<'_>>, all: &mut Vec<Written>) {
    match one.get_ref() {
        DeValue::Table(entries) => table(source, &key, entries, all),
        DeValue::Array(items) if items.iter().any(|item| item.get_ref().is_table()) => {
            for (at, item) in items.iter().enumerate() {
                value(source, format!("{key}[{}]", at + 1), item, all);
            }
        }
        _ => {
            let span = one.span();
            let text = source.text().get(span.clone()).unwrap_or_default();
            // An array may have a line for each item.
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let line = source.region(Span::new(span)).start.line;
            all.push(Written { key, value: text, line });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn every_setting_has_its_key_its_value_and_its_line() {
        let text = "format = \"short\"\nexclude = [\n  'a/**',\n  'b',\n]\n\n[rules]\nname-pattern = \
                    'warn'\n\n[[overrides]]\npaths = ['x']\nrules = { duplicate-name = 'off' }\n\n\
                    [pace]\nmax-rate = 2.5 # slow\n";
        let source = SourceFile::new(FileId(0), "lineload.toml".into(), text.as_bytes().to_vec());
        let found: Vec<_> = written(&source)
            .into_iter()
            .map(|one| format!("{}: {} = {}", one.line, one.key, one.value))
            .collect();
        assert_eq!(
            found,
            [
                "1: format = \"short\"",
                "2: exclude = [ 'a/**', 'b', ]",
                "8: rules.name-pattern = 'warn'",
                "11: overrides[1].paths = ['x']",
                "12: overrides[1].rules.duplicate-name = 'off'",
                "15: pace.max-rate = 2.5",
            ]
        );
    }
}
