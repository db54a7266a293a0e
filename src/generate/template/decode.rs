//! Nodes of YAML to the parts of a template.

use std::sync::Arc;

use super::{Each, Guarded, Kind, Pair, Part, Source, Template, TextId, near};
use crate::diagnostic::{Code, Draft, Findings};
use crate::generate::nodes::{Node, Text};
use crate::manifest::{ARTIFACTS, DEFAULTS};
use crate::model::METADATA;
use crate::source::Span;
use crate::text::{either, quoted};

const WHEN: &str = "$when";
const FOR: &str = "$for";
const VALUE: &str = "$value";
const SKIP_EMPTY: &str = "$skip_empty";

const FIELDS: [&str; 8] = [
    "ArtifactName",
    "ArtifactType",
    "Source",
    "Properties",
    "MetadataProperties",
    "Tags",
    WHEN,
    SKIP_EMPTY,
];

/// The template that `documents` make.
pub(super) fn template(documents: &[Node], findings: &mut Findings<'_>) -> Template {
    let mut decoder = Decoder { template: Template::default(), findings };
    for document in documents {
        decoder.document(document);
    }
    decoder.template
}

struct Decoder<'f, 's> {
    template: Template,
    findings: &'f mut Findings<'s>,
}

/// The control keys of a mapping.
#[derive(Default)]
struct Control {
    when: Option<TextId>,
    each: Option<Each>,
    skip_empty: bool,
}

impl Control {
    /// The pair of `key` and `value` beside which the control keys stand. `skip` is whether empty ones are
    /// left out by what the mapping says.
    fn pair(self, key: TextId, value: TextId, skip: bool, default: bool) -> Pair {
        let Self { when, each, skip_empty } = self;
        Pair { each, when, key, value, skip_empty: skip || skip_empty, default }
    }
}

type Entries = Vec<(Text, Node)>;

impl Decoder<'_, '_> {
    fn document(&mut self, node: &Node) {
        let Node::Map(entries, _) = node else {
            if let Node::List(items, _) = node {
                items.iter().for_each(|item| self.artifact(item, None));
            } else {
                self.wrong_kind(node.span(), "the template", node, "a mapping");
            }
            return;
        };
        let is_wrapper = |(key, _): &&(Text, Node)| key.value == ARTIFACTS || key.value == DEFAULTS;
        if !entries.iter().any(|entry| is_wrapper(&entry)) {
            self.artifact(node, None);
            return;
        }
        let mut defaults = None;
        for (key, value) in entries {
            match (key.value.as_str(), value) {
                (DEFAULTS, Node::Map(entries, _)) => {
                    for (key, _) in entries {
                        if ["ArtifactName", "Source", WHEN].contains(&key.value.as_str()) {
                            let message = format!("`Defaults` with {}", quoted(&key.value));
                            let draft = Draft::new(Code::UnknownField, key.span, message);
                            self.findings.push(draft.help("write it in the artifact"));
                        }
                    }
                    defaults = Some(self.part(entries, value.head(), true));
                }
                (ARTIFACTS, Node::List(..)) => {}
                (DEFAULTS, other) => self.wrong_kind(other.head(), DEFAULTS, other, "a mapping"),
                (ARTIFACTS, other) => self.wrong_kind(other.head(), ARTIFACTS, other, "a list"),
                _ => self.unknown(key, &[DEFAULTS, ARTIFACTS]),
            }
        }
        for (key, value) in entries {
            if let (ARTIFACTS, Node::List(items, _)) = (key.value.as_str(), value) {
                items.iter().for_each(|item| self.artifact(item, defaults.as_ref()));
            }
        }
    }

    fn artifact(&mut self, node: &Node, defaults: Option<&Part>) {
        let Node::Map(entries, _) = node else {
            self.wrong_kind(node.span(), "an artifact", node, "a mapping");
            return;
        };
        let mut part = self.part(entries, node.head(), false);
        if let Some(defaults) = defaults {
            take_defaults(&mut part, defaults);
        }
        let has = |field: &str| entries.iter().any(|(key, _)| key.value == field);
        if part.artifact_type.is_none() && !has("ArtifactType") {
            let draft = Draft::new(Code::MissingField, node.head(), "missing field `ArtifactType`");
            self.findings
                .push(draft.help("add `ArtifactType: DataSet`, `Model`, `Image`, or what it is"));
        }
        if part.uri.is_none() && !has("Source") {
            let draft = Draft::new(Code::MissingField, node.head(), "missing field `Source`");
            self.findings.push(
                draft.help(
                    "add `Source:` and below it, indented, `SourceUri: '{{ row.location }}'`",
                ),
            );
        }
        self.template.parts.push(part);
    }

    fn part(&mut self, entries: &Entries, head: Span, default: bool) -> Part {
        let control = self.control(entries, &[WHEN, SKIP_EMPTY], None);
        let skip = control.skip_empty;
        let mut part = Part { head, when: control.when, ..Part::default() };
        for (key, value) in entries {
            match key.value.as_str() {
                "ArtifactName" => part.name = self.guarded(&key.value, value, skip),
                "ArtifactType" => part.artifact_type = self.guarded(&key.value, value, false),
                "Source" => self.source(value, skip, &mut part),
                "Properties" => part.properties = self.properties(value, skip, default),
                "MetadataProperties" => self.metadata(value, skip, &mut part),
                "Tags" => part.tags = self.items(value, "Tags", ["Key", "Value"], skip, default),
                WHEN | SKIP_EMPTY => {}
                _ => self.unknown(key, &FIELDS),
            }
        }
        part
    }

    fn source(&mut self, node: &Node, skip: bool, part: &mut Part) {
        let Node::Map(entries, _) = node else {
            self.wrong_kind(node.span(), "Source", node, "a mapping");
            return;
        };
        for (key, value) in entries {
            match key.value.as_str() {
                "SourceUri" => part.uri = self.guarded(&key.value, value, false),
                "SourceTypes" => {
                    let fields = ["SourceIdType", "Value"];
                    part.types = self.items(value, "SourceTypes", fields, skip, false);
                }
                _ => self.unknown(key, &["SourceUri", "SourceTypes"]),
            }
        }
        if !entries.iter().any(|(key, _)| key.value == "SourceUri") {
            let draft = Draft::new(
                Code::MissingField,
                node.head(),
                "missing field `SourceUri` in `Source`",
            );
            self.findings.push(draft.help("add `SourceUri: '{{ row.location }}'`"));
        }
    }

    fn properties(&mut self, node: &Node, skip: bool, default: bool) -> Vec<Pair> {
        let Node::Map(entries, _) = node else {
            self.wrong_kind(node.span(), "Properties", node, "a mapping");
            return Vec::new();
        };
        let skip = skip || self.control(entries, &[SKIP_EMPTY], None).skip_empty;
        let mut pairs = Vec::new();
        for (key, value) in entries {
            if key.value == SKIP_EMPTY {
                continue;
            }
            // A property whose name begins so is written with one more.
            let name = match key.value.strip_prefix('$') {
                Some(name) if name.starts_with('$') => name,
                Some(_) => {
                    self.unknown(key, &[SKIP_EMPTY]);
                    continue;
                }
                None => key.value.as_str(),
            };
            let (control, value) = match value {
                Node::Map(entries, _) => {
                    let control = self.control(entries, &[FOR, WHEN, SKIP_EMPTY], Some(VALUE));
                    let head = value.head();
                    let Some((_, value)) = entries.iter().find(|(key, _)| key.value == VALUE)
                    else {
                        let message =
                            format!("{} is a mapping; expected a string", quoted(&key.value));
                        let draft = Draft::new(Code::WrongKind, head, message);
                        self.findings
                            .push(draft.help("write a text, or `$value` with `$when` or `$for`"));
                        continue;
                    };
                    (control, value)
                }
                value => (Control::default(), value),
            };
            let variable = control.each.as_ref().map(|each| Arc::clone(&each.name));
            let Some(value) = self.text(&key.value, value, variable.as_ref()) else { continue };
            let named = Text { value: name.to_owned(), ..key.clone() };
            let key = self.add(&named, Kind::Text, variable.as_ref());
            pairs.push(control.pair(key, value, skip, default));
        }
        pairs
    }

    fn metadata(&mut self, node: &Node, skip: bool, part: &mut Part) {
        let Node::Map(entries, _) = node else {
            self.wrong_kind(node.span(), "MetadataProperties", node, "a mapping");
            return;
        };
        let skip = skip || self.control(entries, &[SKIP_EMPTY], None).skip_empty;
        for (key, value) in entries {
            match METADATA.fields.iter().position(|field| field.name == key.value) {
                Some(at) => part.metadata[at] = self.guarded(&key.value, value, skip),
                None if key.value == SKIP_EMPTY => {}
                None => {
                    let names: Vec<_> = METADATA.fields.iter().map(|field| field.name).collect();
                    self.unknown(key, &names);
                }
            }
        }
    }

    /// Items of two fields.
    fn items(
        &mut self,
        node: &Node,
        name: &str,
        fields: [&str; 2],
        skip: bool,
        default: bool,
    ) -> Vec<Pair> {
        let Node::List(items, _) = node else {
            self.wrong_kind(node.span(), name, node, "a list");
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for item in items {
            let Node::Map(entries, _) = item else {
                self.wrong_kind(item.span(), &format!("an item of {name}"), item, "a mapping");
                continue;
            };
            let known = [fields[0], fields[1], FOR, WHEN, SKIP_EMPTY];
            for (key, _) in entries {
                if !known.contains(&key.value.as_str()) {
                    self.unknown(key, &known);
                }
            }
            let control = self.control(entries, &known, None);
            let variable = control.each.as_ref().map(|each| Arc::clone(&each.name));
            let mut texts = fields.map(|field| {
                let value = entries.iter().find(|(key, _)| key.value == field);
                let Some((_, value)) = value else {
                    let message = format!("missing field `{field}` in an item of `{name}`");
                    let draft = Draft::new(Code::MissingField, item.head(), message);
                    self.findings.push(draft.help(format!("add `{field}: …`")));
                    return None;
                };
                self.text(field, value, variable.as_ref())
            });
            if let (Some(key), Some(value)) = (texts[0].take(), texts[1].take()) {
                pairs.push(control.pair(key, value, skip, default));
            }
        }
        pairs
    }

    /// A text, or `$value` with `$when`.
    fn guarded(&mut self, name: &str, node: &Node, skip_empty: bool) -> Option<Guarded> {
        if let Node::Map(entries, _) = node {
            // Its only key was reported: an expression without quotes reads as such a mapping.
            if entries.is_empty() {
                return None;
            }
            let control = self.control(entries, &[WHEN, SKIP_EMPTY], Some(VALUE));
            let value = entries.iter().find(|(key, _)| key.value == VALUE);
            let Some((_, value)) = value else {
                self.wrong_kind(node.span(), name, node, "a string");
                return None;
            };
            let value = self.text(name, value, None)?;
            let skip_empty = skip_empty || control.skip_empty;
            return Some(Guarded { when: control.when, value, skip_empty });
        }
        let value = self.text(name, node, None)?;
        Some(Guarded { when: None, value, skip_empty })
    }

    fn text(&mut self, name: &str, node: &Node, variable: Option<&Arc<str>>) -> Option<TextId> {
        match node {
            Node::Text(text) => Some(self.add(text, Kind::Text, variable)),
            Node::Map(entries, span)
                if entries.iter().any(|(key, _)| key.value.contains('{')) || entries.is_empty() =>
            {
                let draft =
                    Draft::new(Code::UnquotedPlaceholder, *span, "an expression without quotes");
                self.findings.push(draft.help("quote it, as in `'{{ row.name }}'`"));
                None
            }
            other => {
                self.wrong_kind(other.span(), name, other, "a string");
                None
            }
        }
    }

    /// The keys of `entries` that begin with `$`. With `only`, the mapping has no other key.
    fn control(&mut self, entries: &Entries, known: &[&str], only: Option<&str>) -> Control {
        let mut control = Control::default();
        if let Some((key, node)) =
            entries.iter().find(|(key, _)| key.value == FOR && known.contains(&FOR))
        {
            control.each = self.each(key, node);
        }
        let variable = control.each.as_ref().map(|each| Arc::clone(&each.name));
        for (key, node) in entries {
            let name = key.value.as_str();
            if only.is_some_and(|only| name != only && !known.contains(&name)) {
                let mut names: Vec<_> = known.to_vec();
                names.extend(only);
                self.unknown(key, &names);
                continue;
            }
            match (name, node) {
                (WHEN, Node::Text(text)) => {
                    control.when = Some(self.add(text, Kind::Expression, variable.as_ref()));
                }
                (SKIP_EMPTY, Node::Text(text)) if text.value == "true" || text.value == "false" => {
                    control.skip_empty = text.value == "true";
                }
                (SKIP_EMPTY, _) => self.wrong_kind(node.span(), name, node, "`true` or `false`"),
                (WHEN, _) => self.wrong_kind(node.span(), name, node, "an expression"),
                _ => {}
            }
        }
        control
    }

    fn each(&mut self, key: &Text, node: &Node) -> Option<Each> {
        let Node::Text(text) = node else {
            self.wrong_kind(node.span(), FOR, node, "`NAME in EXPRESSION`");
            return None;
        };
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        let split = text.value.trim().split_once(" in ").map(|(name, over)| (name.trim(), over));
        let Some((name, over)) = split.filter(|(name, _)| is_name(name)) else {
            let draft =
                Draft::new(Code::TemplateSyntax, node.span(), "`$for` goes through nothing");
            self.findings
                .push(draft.help(
                    "write it as `NAME in EXPRESSION`, as in `tag in row.tags | split('|')`",
                ));
            return None;
        };
        let _ = key;
        let at = text.value.find(" in ").map_or(0, |at| at + " in ".len());
        let offset = u32::try_from(at).unwrap_or_default();
        let over = Text {
            value: over.to_owned(),
            verbatim: text.verbatim.map(|start| start + offset),
            ..text.clone()
        };
        let over = self.add(&over, Kind::Expression, None);
        Some(Each { name: Arc::from(name), over })
    }

    fn add(&mut self, text: &Text, kind: Kind, variable: Option<&Arc<str>>) -> TextId {
        self.template.add(Source {
            text: text.value.clone(),
            span: text.span,
            verbatim: text.verbatim,
            kind,
            variable: variable.cloned(),
        })
    }

    fn wrong_kind(&mut self, span: Span, name: &str, node: &Node, wanted: &str) {
        // A description, as in `an item of Tags`, or a field.
        let name = if name.contains(' ') { name.to_owned() } else { quoted(name) };
        let message = format!("{name} is {}; expected {wanted}", node.kind());
        let draft = Draft::new(Code::WrongKind, span, message);
        self.findings.push(draft.help(format!("write {wanted}")));
    }

    fn unknown(&mut self, key: &Text, known: &[&str]) {
        let help = match near(&key.value, known) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None => format!("expected one of {}", either(known.iter().copied())),
        };
        let message = format!("unknown field {}", quoted(&key.value));
        self.findings.push(Draft::new(Code::UnknownField, key.span, message).help(help));
    }
}

/// Gives `part` what it does not set itself. Of properties and tags, that is known for each row.
fn take_defaults(part: &mut Part, defaults: &Part) {
    part.artifact_type = part.artifact_type.or(defaults.artifact_type);
    part.properties.extend(defaults.properties.iter().cloned());
    part.tags.extend(defaults.tags.iter().cloned());
    for (own, shared) in part.metadata.iter_mut().zip(&defaults.metadata) {
        *own = own.or(*shared);
    }
}
