//! Documents that are clearly not manifests.
//!
//! In: the root of a document, or the text of one that is not YAML. Out: its kind, with a help.
//! Such a document has one finding: as a broken manifest it would have one for each field, and none
//! would help.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::fields::may_be_field;
use crate::diagnostic::{Code, Draft};
use crate::model::{ARTIFACT, Field, Kind as FieldKind, Mapping, Sense};
use crate::source::Span;
use crate::text::{list, quoted};
use crate::yaml::{Entries, Node, NodeId, Tree};

/// A document of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Other {
    /// The name.
    name: &'static str,
    help: &'static str,
    /// True if no other document of the file is one either.
    pub(super) whole_file: bool,
}

/// A kind of document, recognized by the keys of its root.
struct Kind {
    /// Keys that must all be present.
    keys: &'static [&'static str],
    /// At least one of these, if there are any.
    any: &'static [&'static str],
    name: &'static str,
    help: &'static str,
}

const EXCLUDE: &str = "exclude it with `--exclude`, or pass only the manifests";
const ONE_EACH: &str = "write a manifest for each artifact: see `lineload explain missing-field` \
                        for an example and `lineload schema` for every field";

const GENERATE: &str = "make manifests from it with `lineload generate`; `lineload generate --help` \
                        has examples";

const TEMPLATE: &str = "`lineload generate` makes manifests from the `AWS::SageMaker::Artifact` \
                        resources of a template; if it has none, exclude it with `--exclude`";

const fn kind(
    keys: &'static [&'static str],
    any: &'static [&'static str],
    name: &'static str,
    help: &'static str,
) -> Kind {
    Kind { keys, any, name, help }
}

/// The first that fits is taken.
const KINDS: [Kind; 24] = [
    kind(&["AWSTemplateFormatVersion"], &[], "a CloudFormation template", TEMPLATE),
    kind(
        &["ArtifactSummaries"],
        &[],
        "a `ListArtifacts` response",
        "use `lineload export` to write manifests of existing artifacts; this response lacks \
         their properties and tags",
    ),
    kind(&["ActionSummaries"], &[], "a `ListActions` response", EXCLUDE),
    kind(&["ContextSummaries"], &[], "a `ListContexts` response", EXCLUDE),
    kind(&["AssociationSummaries"], &[], "a `ListAssociations` response", EXCLUDE),
    kind(&["ActionArn", "ActionName"], &[], "a `DescribeAction` response", EXCLUDE),
    kind(&["ContextArn", "ContextName"], &[], "a `DescribeContext` response", EXCLUDE),
    kind(&["TableList"], &[], "a Glue `GetTables` response", GENERATE),
    kind(
        &["Contents"],
        &["KeyCount", "Prefix", "IsTruncated", "Name"],
        "a `ListObjectsV2` response",
        GENERATE,
    ),
    kind(&["Buckets", "Owner"], &[], "a `ListBuckets` response", ONE_EACH),
    kind(&["fileSchema", "files"], &[], "an S3 Inventory manifest", GENERATE),
    kind(
        &["services"],
        &["version", "volumes", "networks", "configs", "secrets", "name"],
        "a Docker Compose file",
        EXCLUDE,
    ),
    kind(&["apiVersion", "kind"], &[], "a Kubernetes resource", EXCLUDE),
    kind(&["jobs"], &["on", "true"], "a GitHub Actions workflow", EXCLUDE),
    kind(&["openapi"], &["paths", "info"], "an OpenAPI document", EXCLUDE),
    kind(&["swagger"], &["paths", "info"], "an OpenAPI document", EXCLUDE),
    kind(&["@context"], &["@type", "@graph"], "JSON-LD, as in Croissant", GENERATE),
    kind(&["$schema"], &["properties", "type", "$defs"], "a JSON Schema", EXCLUDE),
    kind(&["resources"], &["name", "profile", "licenses"], "a Data Package descriptor", GENERATE),
    kind(&["outs"], &[], "a DVC file", GENERATE),
    kind(&["stages"], &[], "a DVC or GitLab pipeline", EXCLUDE),
    kind(&["flavors"], &["model_uuid", "run_id"], "an MLflow MLmodel file", ONE_EACH),
    kind(
        &["repos"],
        &["default_stages", "ci", "minimum_pre_commit_version"],
        "a pre-commit configuration",
        EXCLUDE,
    ),
    kind(
        &["license"],
        &["task_categories", "size_categories", "pretty_name", "dataset_info", "language", "tags"],
        CARD,
        ONE_EACH,
    ),
];

const CARD: &str = "Hugging Face card metadata";

impl Kind {
    /// Returns whether a mapping with the keys for which `has` returns true is of this kind.
    fn fits(&self, has: impl Fn(&str) -> bool) -> bool {
        self.keys.iter().all(|key| has(key))
            && (self.any.is_empty() || self.any.iter().any(|key| has(key)))
    }
}

impl Other {
    /// Returns the finding about a document at `span`.
    pub(super) fn draft(self, span: Span) -> Draft {
        let message = format!("this is {}, not a lineload manifest", self.name);
        Draft::new(Code::NotAManifest, span, message).help(self.help)
    }

    /// Returns the kind of the document at `root`, if it is not a manifest.
    pub(super) fn of(tree: &Tree<'_>, root: NodeId) -> Option<Self> {
        let Node::Mapping(entries) = tree.node(root) else { return None };
        // Almost every manifest begins with a field that has a value.
        let (key, first) = entries.clone().next()?;
        if let Node::Scalar(key) = tree.node(key)
            && ARTIFACT.field(key.value).is_some()
            && !is_empty(tree, first)
        {
            return None;
        }
        let has = |name: &str| value(tree, entries.clone(), name).is_some();
        let identifies = |field: &&Field| field.required || field.sense == Sense::Name;
        if ARTIFACT.fields.iter().filter(identifies).any(|field| has(field.name)) {
            return is_skeleton(tree, &entries).then_some(Self {
                name: "an AWS CLI skeleton with nothing filled in",
                help: &SKELETON,
                whole_file: false,
            });
        }
        if let Some(kind) = KINDS.iter().find(|kind| kind.fits(has)) {
            let Kind { name, help, .. } = *kind;
            return Some(Self { name, help, whole_file: name == CARD });
        }
        let resources = value(tree, entries, "Resources")?;
        has_resource_types(tree, resources).then_some(Self {
            name: "a CloudFormation template",
            help: TEMPLATE,
            whole_file: false,
        })
    }

    /// Returns the kind of `text` if it is an inventory in JSON: a list of objects, objects one
    /// after another, or an object with such a list, none of which is an artifact.
    pub(super) fn of_json(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{FEFF}').trim_start();
        let is_inventory = match text.strip_prefix('[') {
            Some(items) => objects(items).next().is_some_and(|first| is_record(&first)),
            None if text.starts_with('{') => {
                // What begins with a field is not read: it may be a manifest of a million artifacts.
                let head = serde_json::Deserializer::from_str(text.get(1..)?);
                let key = head.into_iter::<String>().next()?.ok()?;
                if may_be_field(&key) {
                    return None;
                }
                let mut objects = objects(text);
                let first = objects.next()?;
                if KINDS.iter().any(|kind| kind.fits(|key| first.contains_key(key))) {
                    return None;
                }
                let lists = first.values().any(|value| {
                    let items = value.as_array();
                    let item = items.and_then(|items| items.first()).and_then(Value::as_object);
                    item.is_some_and(is_record)
                });
                is_record(&first) && (lists || objects.next().is_some_and(|next| is_record(&next)))
            }
            None => false,
        };
        is_inventory.then_some(Self {
            name: "an inventory in JSON",
            help: GENERATE,
            whole_file: true,
        })
    }

    /// Returns the kind of `text`, which is not YAML or not a mapping, by its file's name or its
    /// lines.
    pub(super) fn of_text(name: &str, text: &str) -> Option<Self> {
        let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        let table = match ending.as_str() {
            "csv" | "tsv" | "psv" => true,
            "yaml" | "yml" | "json" | "md" => is_table(text),
            _ => is_table(text),
        };
        if table {
            let quoted = text.starts_with('"');
            return Some(Self {
                name: if quoted {
                    "a CSV file, such as an S3 Inventory report"
                } else {
                    "a CSV \
                                   file"
                },
                help: GENERATE,
                whole_file: true,
            });
        }
        (ending == "md" || ending == "markdown").then_some(Self {
            name: "a Markdown file",
            help: EXCLUDE,
            whole_file: true,
        })
    }
}

/// Returns the objects at the beginning of `text`, as far as it is JSON.
fn objects(text: &str) -> impl Iterator<Item = Map<String, Value>> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    values.map_while(Result::ok)
}

/// Returns whether an object is no artifact: it has no field of one, misspelt or not.
fn is_record(object: &Map<String, Value>) -> bool {
    !object.is_empty() && !object.keys().any(|key| may_be_field(key))
}

fn value(tree: &Tree<'_>, mut entries: Entries<'_>, name: &str) -> Option<NodeId> {
    let is = |key| matches!(tree.node(key), Node::Scalar(scalar) if scalar.value == name);
    entries.find(|(key, _)| is(*key)).map(|(_, value)| value)
}

/// Returns whether an entry of `resources` has a CloudFormation type.
fn has_resource_types(tree: &Tree<'_>, resources: NodeId) -> bool {
    let Node::Mapping(mut entries) = tree.node(resources) else { return false };
    entries.any(|(_, resource)| {
        let Node::Mapping(fields) = tree.node(resource) else { return false };
        let kind = value(tree, fields, "Type").map(|kind| tree.node(kind));
        matches!(kind, Some(Node::Scalar(scalar)) if scalar.value.contains("::"))
    })
}

/// Returns whether every field is present, and none has a value: what `--generate-cli-skeleton`
/// prints.
fn is_skeleton(tree: &Tree<'_>, entries: &Entries<'_>) -> bool {
    let is_there = |field: &&Field| value(tree, entries.clone(), field.name).is_some();
    ARTIFACT.fields.iter().filter(is_there).count() >= 3
        && ARTIFACT.fields.iter().filter(|field| field.required).all(|field| is_there(&field))
        && entries.clone().all(|(_, value)| is_empty(tree, value))
}

/// Returns whether nothing is written at `node` or below it, but for the values that a skeleton
/// has.
fn is_empty(tree: &Tree<'_>, node: NodeId) -> bool {
    match tree.node(node) {
        Node::Scalar(scalar) => scalar.value.is_empty() || scalar.span.is_empty(),
        Node::Sequence(mut items) => items.all(|item| is_empty(tree, item)),
        Node::Mapping(mut entries) => entries.all(|(key, value)| {
            let has_choice = |name: &str| CHOICES.contains(&name);
            let is_choice = matches!(tree.node(key), Node::Scalar(key) if has_choice(key.value));
            is_choice || is_empty(tree, value)
        }),
        _ => false,
    }
}

/// The fields that a skeleton fills in: with the first of the values that they may have.
static CHOICES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let all = ARTIFACT.all_fields().into_iter();
    all.filter(|field| matches!(field.kind, FieldKind::Choice(_))).map(|field| field.name).collect()
});

/// The help for a skeleton.
static SKELETON: LazyLock<String> = LazyLock::new(|| {
    let mut required = Vec::new();
    texts_required(&ARTIFACT, &mut required);
    required.sort_unstable();
    let names: Vec<_> = required.into_iter().map(quoted).collect();
    format!("fill in {}, and remove the empty fields", list(&names))
});

/// Adds the texts that an artifact must have.
fn texts_required(of: &Mapping, found: &mut Vec<&'static str>) {
    for field in of.fields.iter().filter(|field| field.required) {
        match field.kind {
            FieldKind::Mapping(below) => texts_required(below, found),
            _ => found.push(field.name),
        }
    }
}

/// Lines that are looked at.
const LINES: usize = 8;

/// Returns whether the lines of `text` are rows of at least three columns, each of the same number.
fn is_table(text: &str) -> bool {
    let text = text.trim_start_matches('\u{FEFF}');
    // A list, a mapping or a document in JSON has commas too.
    if text.trim_start().starts_with(['{', '[', '-', '%']) {
        return false;
    }
    [',', ';', '\t'].into_iter().any(|separator| {
        let mut rows = text.lines().filter(|line| !line.trim().is_empty()).take(LINES);
        let Some(columns) = rows.next().and_then(|row| columns(row, separator)) else {
            return false;
        };
        columns >= 3 && rows.all(|row| self::columns(row, separator) == Some(columns))
    })
}

/// Returns the columns of a row; none if a quote is not closed, or if a cell looks like `key:
/// value`.
fn columns(row: &str, separator: char) -> Option<usize> {
    let (mut columns, mut in_quotes) = (1, false);
    for c in row.chars() {
        match c {
            '"' => in_quotes = !in_quotes,
            c if c == separator && !in_quotes => columns += 1,
            _ => {}
        }
    }
    let first = row.split(separator).next().unwrap_or_default();
    (!in_quotes && !first.contains(": ")).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_table_have_the_same_number_of_columns() {
        assert!(is_table("bucket,key,size\na,b,1\n"));
        assert!(is_table("\"a\",\"b, c\",\"d\""));
        assert!(is_table("a\tb\tc\r\n1\t2\t3\r\n"));
        assert!(!is_table("a,b,c\na,b\n"));
        assert!(!is_table("Description: one, two, three\n"));
        assert!(!is_table("[a, b, c]\n"));
        assert!(!is_table("a text, of one line\n"));
    }
}
