//! A starter template, from the columns of an inventory and what they hold.
//!
//! In: every row. Out: a template that works for them as it stands, with comments that say what was
//! guessed.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;

use super::Input;
use super::rows::{Block, Content};
use crate::model::{PROPERTIES_MAX, PROPERTY_VALUE};

/// Values of a column that are remembered to find out whether any comes twice.
const REMEMBERED: usize = 1 << 20;

/// The contents of a column.
#[derive(Debug, Default)]
struct Column {
    name: String,
    cells: usize,
    filled: usize,
    /// Values with a scheme, as in `s3://`.
    uris: usize,
    /// ARNs.
    arns: usize,
    /// ARNs of buckets and objects of S3.
    buckets: usize,
    /// Paths from a root.
    paths: usize,
    longest: usize,
    has_breaks: bool,
    has_outer_spaces: bool,
    is_nested: bool,
    repeats: bool,
    seen: HashSet<u64>,
}

/// Reads `input` to its end and writes a template for it; `None` where it has no row.
///
/// # Errors
/// If the input cannot be read.
pub fn template(input: &mut dyn Input, inventory: &str) -> io::Result<Option<String>> {
    let mut columns: Vec<Column> = Vec::new();
    let mut rows = 0;
    while let Some(block) = input.next_block()? {
        rows += block.rows.len();
        take(&block, &mut columns);
    }
    Ok((rows > 0).then(|| write(&columns, rows, inventory)))
}

fn take(block: &Block, columns: &mut Vec<Column>) {
    let mut places: Vec<usize> = Vec::new();
    for name in block.columns.names() {
        let at = columns.iter().position(|column| *column.name == **name).unwrap_or_else(|| {
            columns.push(Column { name: name.to_string(), ..Column::default() });
            columns.len() - 1
        });
        places.push(at);
    }
    for row in &block.rows {
        for cell in block.cells(row) {
            let Some(column) = places.get(cell.column as usize).and_then(|at| columns.get_mut(*at))
            else {
                continue;
            };
            column.cells += 1;
            match &cell.content {
                Content::Value(value) if value.is_none() => column.cells -= 1,
                Content::Value(value) => {
                    column.is_nested |= value.as_object().is_some();
                    column.add(&value.to_string());
                }
                _ => column.add(block.text_of(cell).unwrap_or_default()),
            }
        }
    }
}

impl Column {
    fn add(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.filled += 1;
        let has_scheme = text.split_once("://").is_some_and(|(scheme, rest)| {
            !rest.is_empty()
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
        });
        self.uris += usize::from(has_scheme);
        // ARNs of access points and of other services are no less a location.
        self.buckets += usize::from(text.starts_with(ARN));
        self.arns += usize::from(text.starts_with("arn:"));
        self.paths += usize::from(text.starts_with('/'));
        self.longest = self.longest.max(text.chars().count());
        self.has_breaks |= text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        self.has_outer_spaces |= text.trim() != text;
        if self.seen.len() < REMEMBERED && !self.repeats {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            self.repeats = !self.seen.insert(hasher.finish());
        }
    }

    /// As an expression names it.
    fn reference(&self) -> String {
        let plain = self.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        // What a mapping has as a method cannot be named behind a dot.
        let is_method = ["items", "keys", "values", "get"].contains(&self.name.as_str());
        if plain && !is_method {
            return format!("row.{}", self.name);
        }
        let escaped = self.name.replace('\\', "\\\\").replace('"', "\\\"");
        format!("row[\"{escaped}\"]")
    }

    /// Its value as a text of an artifact.
    fn value(&self, rows: usize) -> String {
        let mut value = self.reference();
        if self.cells < rows {
            value.push_str(" | default('')");
        }
        if self.has_breaks {
            value.push_str(" | one_line");
        } else if self.has_outer_spaces {
            value.push_str(" | trim");
        }
        if self.longest > PROPERTY_VALUE.max {
            let _ = write!(value, " | truncate_chars({})", PROPERTY_VALUE.max);
        }
        value
    }

    fn is_called(&self, names: &[&str]) -> Option<usize> {
        let name = self.name.to_lowercase().replace([' ', '-'], "_");
        names.iter().position(|one| *one == name || name.ends_with(&format!("_{one}")))
    }
}

const ARN: &str = "arn:aws:s3:::";
const LOCATIONS: [&str; 9] =
    ["source_uri", "uri", "location", "s3_uri", "url", "href", "path", "key", "arn"];
const NAMES: [&str; 8] =
    ["artifact_name", "name", "dataset", "id", "identifier", "key", "model", "title"];
const TYPES: [&str; 4] = ["artifact_type", "type", "kind", "asset_type"];

fn write(columns: &[Column], rows: usize, inventory: &str) -> String {
    let full = |column: &&Column| column.filled == rows && !column.is_nested;
    let location = columns
        .iter()
        .filter(full)
        .filter(|column| column.uris + column.arns == column.filled)
        .min_by_key(|column| column.is_called(&LOCATIONS).unwrap_or(usize::MAX))
        .or_else(|| {
            let named =
                columns.iter().filter(full).filter(|one| one.is_called(&LOCATIONS).is_some());
            named.min_by_key(|column| column.is_called(&LOCATIONS))
        })
        .or_else(|| columns.iter().find(|column| column.uris > 0));
    let name = columns
        .iter()
        .filter(full)
        .filter(|column| column.is_called(&NAMES).is_some())
        .min_by_key(|column| (column.repeats, column.is_called(&NAMES)))
        .or_else(|| columns.iter().find(full));
    let kind = columns.iter().filter(full).find(|column| column.is_called(&TYPES).is_some());

    let mut out = format!(
        "# A starter template for {}, generated by `lineload generate --init` from {rows} rows.\n\
         # Change what it guessed, then: lineload generate INVENTORY --template THIS -o manifests\n",
        crate::text::escaped(inventory)
    );
    if let Some(name) = name {
        let unique = match location {
            Some(location) if name.repeats => {
                format!("(unique={})", location.reference())
            }
            _ => String::new(),
        };
        if !unique.is_empty() {
            let _ =
                writeln!(out, "# `{}` is not unique: `unique` appends a hash.", shown(&name.name));
        }
        let _ = writeln!(
            out,
            "ArtifactName: '{{{{ {} | artifact_name{unique} }}}}'",
            quoted(&name.reference())
        );
    }
    match kind {
        Some(kind) => {
            let _ = writeln!(out, "ArtifactType: '{{{{ {} }}}}'", quoted(&kind.reference()));
        }
        None => {
            out.push_str("# DataSet, Model, Image, or any other string.\nArtifactType: DataSet\n");
        }
    }
    out.push_str("Source:\n");
    out.push_str(&uri(location));
    let properties: Vec<&Column> = columns
        .iter()
        .filter(|column| column.filled > 0 && !column.is_nested)
        .filter(|column| location.is_none_or(|location| location.name != column.name))
        .take(PROPERTIES_MAX)
        .collect();
    if !properties.is_empty() {
        out.push_str(
            "Properties:\n  # A property whose value is empty is left out.\n  $skip_empty: true\n",
        );
    }
    for column in properties {
        let key = key(&column.name);
        let _ = writeln!(out, "  {key}: '{{{{ {} }}}}'", quoted(&column.value(rows)));
    }
    out.push_str(
        "# Tags:\n# - Key: team\n#   Value: data\n# - $for: tag in row.tags | split('|')\n#   $when: tag\n\
         #   Key: '{{ tag }}'\n#   Value: topic\n",
    );
    out
}

fn uri(location: Option<&Column>) -> String {
    let Some(location) = location else {
        return "  # No column holds URIs: write where the data is.\n  SourceUri: 's3://BUCKET/{{ number }}'\n"
            .to_owned();
    };
    let reference = quoted(&location.reference());
    if location.uris == location.filled {
        return format!("  SourceUri: '{{{{ {reference} }}}}'\n");
    }
    if location.buckets == location.filled {
        return format!("  SourceUri: 's3://{{{{ {reference} | strip_prefix(\"{ARN}\") }}}}'\n");
    }
    if location.paths == location.filled {
        return format!("  SourceUri: 'file://{{{{ {reference} }}}}'\n");
    }
    if location.uris + location.arns == location.filled {
        return format!("  SourceUri: '{{{{ {reference} | replace(\"{ARN}\", \"s3://\") }}}}'\n");
    }
    format!(
        "  # `{}` is not a URI: add the bucket before it.\n  \
         SourceUri: 's3://BUCKET/{{{{ {reference} }}}}'\n",
        shown(&location.name)
    )
}

/// A name in a comment.
fn shown(name: &str) -> String {
    crate::text::escaped(name)
}

/// A text inside of single quotes.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

/// A key of YAML that no template reads as anything else.
fn key(name: &str) -> String {
    let name = match name.strip_prefix('$') {
        Some(rest) => format!("$${rest}"),
        None => name.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #"),
    };
    if crate::manifest::write::is_plain(&name) { name } else { format!("'{}'", quoted(&name)) }
}
