//! Nodes of YAML to the parts of a template, by the table of an artifact's fields.
//!
//! A template is a manifest whose texts are rendered: its fields, their kinds and the words about
//! them are those of [`crate::model`] and of lint. Only the control keys, which begin with `$`, are
//! its own.

use std::sync::Arc;

use super::{Each, Guarded, Kind, Pair, Part, Source, Template, TextId, Value};
use crate::diagnostic::{Code, Draft, Findings};
use crate::generate::nodes::{Node, Text};
use crate::manifest::{ARTIFACTS, DEFAULTS, RawMapping, Shape};
use crate::model::{self, ARTIFACT, Field, Mapping};
use crate::source::Span;
use crate::text::{either, quoted};

const WHEN: &str = "$when";
const FOR: &str = "$for";
const VALUE: &str = "$value";
const SKIP_EMPTY: &str = "$skip_empty";

/// The control keys of an artifact, which decide about all of it, and of a text, beside `$value`.
const OF_ARTIFACT: [&str; 2] = [WHEN, SKIP_EMPTY];
/// Those of a mapping in it.
const OF_MAPPING: [&str; 1] = [SKIP_EMPTY];
/// Those of an item of a list, or of a property.
const OF_ITEM: [&str; 3] = [FOR, WHEN, SKIP_EMPTY];

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

/// The settings of the mappings around a value.
#[derive(Clone, Copy)]
struct Around {
    /// Left out where it is empty.
    skip: bool,
    /// True in `Defaults`.
    default: bool,
}

/// The fields of a mapping.
#[derive(Default)]
struct Fields {
    /// By the number of the field.
    values: Vec<Value>,
    /// The same: true if a key for it is written, well or not.
    written: Vec<bool>,
}

/// The control keys of a mapping.
#[derive(Default)]
struct Control {
    when: Option<TextId>,
    each: Option<Each>,
    skip_empty: bool,
}

impl Control {
    fn variable(&self) -> Option<Arc<str>> {
        self.each.as_ref().map(|each| Arc::clone(&each.name))
    }

    /// Returns the pair of `key` and `value` beside which the control keys stand.
    fn pair(self, key: TextId, value: TextId, around: Around) -> Pair {
        let Self { when, each, skip_empty } = self;
        let skip_empty = around.skip || skip_empty;
        Pair { each, when, key, value, skip_empty, default: around.default }
    }
}

type Entries = [(Text, Node)];

impl Decoder<'_, '_> {
    fn document(&mut self, node: &Node) {
        let Node::Map(entries, _) = node else {
            if let Node::List(items, _) = node {
                items.iter().for_each(|item| self.artifact(item, None));
            } else {
                self.wrong_kind(node.span(), "the template", node, "a mapping", None);
            }
            return;
        };
        let field = |key: &Text| Shape::WRAPPER.field(&key.value).map(|field| field.name);
        if !entries.iter().any(|(key, _)| field(key).is_some()) {
            self.artifact(node, None);
            return;
        }
        let mut defaults = None;
        for (key, value) in entries {
            match (field(key), value) {
                (Some(DEFAULTS), Node::Map(entries, _)) => {
                    let around = self.around(entries, Around { skip: false, default: true });
                    defaults = Some(self.fields(Shape::DEFAULTS, entries, &OF_MAPPING, around));
                }
                (Some(_), Node::List(..)) if key.value == ARTIFACTS => {}
                (Some(DEFAULTS), other) => {
                    self.wrong_kind(other.head(), DEFAULTS, other, "a mapping", None);
                }
                (Some(name), other) => {
                    self.wrong_kind(other.head(), name, other, "a list", Some(ARTIFACT.form));
                }
                (None, _) => {
                    self.field(key, entries, Shape::WRAPPER, &[]);
                }
            }
        }
        for (key, value) in entries {
            if let (ARTIFACTS, Node::List(items, _)) = (key.value.as_str(), value) {
                items.iter().for_each(|item| self.artifact(item, defaults.as_ref()));
            }
        }
    }

    fn artifact(&mut self, node: &Node, defaults: Option<&Fields>) {
        let Node::Map(entries, _) = node else {
            self.wrong_kind(node.span(), ARTIFACT.name, node, "a mapping", None);
            return;
        };
        let control = self.control(entries, &OF_ARTIFACT, None);
        let around = Around { skip: control.skip_empty, default: false };
        let mut fields = self.fields(Shape::ARTIFACT, entries, &OF_ARTIFACT, around);
        if let Some(defaults) = defaults {
            for (own, shared) in fields.values.iter_mut().zip(&defaults.values) {
                own.take_default(shared);
            }
            for (own, shared) in fields.written.iter_mut().zip(&defaults.written) {
                *own |= shared;
            }
        }
        self.missing(&ARTIFACT, &fields.written, node.head());
        let (head, when, values) = (node.head(), control.when, fields.values);
        self.template.parts.push(Part { head, when, values });
    }

    /// Decodes the fields in `entries` of a mapping of the model, beside the control keys `known`.
    fn fields(
        &mut self,
        shape: Shape,
        entries: &Entries,
        known: &[&str],
        around: Around,
    ) -> Fields {
        let of = shape.mapping();
        let mut values: Vec<Value> = of.fields.iter().map(|_| Value::Absent).collect();
        let mut written = vec![false; of.fields.len()];
        for (key, value) in entries {
            if known.contains(&key.value.as_str()) {
                continue;
            }
            let field = self.field(key, entries, shape, known);
            let Some(at) = field.and_then(|field| position(of, field)) else {
                let parent = shape.misplaced(&key.value).and_then(|(field, _)| position(of, field));
                if let Some(at) = parent {
                    written[at] = true;
                }
                self.visit(value, None);
                continue;
            };
            written[at] = true;
            if matches!(values[at], Value::Absent) {
                values[at] = self.value(&of.fields[at], value, around);
            }
        }
        Fields { values, written }
    }

    /// Returns the field of `shape` that `key` names. A misspelt one is a finding, and is checked all
    /// the same.
    fn field(
        &mut self,
        key: &Text,
        entries: &Entries,
        shape: Shape,
        known: &[&str],
    ) -> Option<&'static Field> {
        if let Some(field) = shape.field(&key.value) {
            return Some(field);
        }
        let name = key.value.as_str();
        let has = |name: &str| entries.iter().any(|(key, _)| key.value == name);
        let (help, meant) = if name.starts_with('$') {
            let help = match known {
                [] => "remove it: a control key stands in an artifact or in a value".to_owned(),
                known => format!("expected one of {}", either(known.iter().copied())),
            };
            (help, None)
        } else {
            (shape.help(name, &has), shape.meant(name).filter(|field| !has(field.name)))
        };
        let message = format!("unknown field {} in {}", quoted(name), shape.name());
        self.findings.push(Draft::new(Code::UnknownField, key.span, message).help(help));
        meant
    }

    /// Reports the required fields of which nothing is written.
    fn missing(&mut self, of: &'static Mapping, written: &[bool], head: Span) {
        for (field, written) in of.fields.iter().zip(written) {
            if field.required && !written {
                let message = RawMapping::new(of, head).missing(field);
                let draft = Draft::new(Code::MissingField, head, message);
                self.findings.push(draft.help(field.help_when_missing()));
            }
        }
    }

    fn value(&mut self, field: &'static Field, node: &Node, around: Around) -> Value {
        match field.kind {
            model::Kind::Text(_) | model::Kind::Choice(_) => {
                let skip = around.skip && !field.required;
                self.guarded(field.name, node, skip).map_or(Value::Absent, Value::Text)
            }
            model::Kind::Mapping(below) => {
                let Node::Map(entries, _) = node else {
                    let help = below.main.map(|main| {
                        format!("write `{}:` and below it, indented, `{main}: …`", field.name)
                    });
                    self.wrong_kind(node.span(), field.name, node, "a mapping", help.as_deref());
                    return Value::Absent;
                };
                let around = self.around(entries, around);
                let fields = self.fields(Shape::of(below), entries, &OF_MAPPING, around);
                self.missing(below, &fields.written, node.head());
                Value::Fields(fields.values)
            }
            model::Kind::Pairs { item, .. } => Value::Pairs(self.items(field, item, node, around)),
            model::Kind::Map { .. } => Value::Pairs(self.entries(field, node, around)),
        }
    }

    /// Returns the settings for the values of a mapping, which may have a `$skip_empty`.
    fn around(&mut self, entries: &Entries, around: Around) -> Around {
        let skip = self.control(entries, &OF_MAPPING, None).skip_empty;
        Around { skip: around.skip || skip, ..around }
    }

    /// Texts by keys of the user's own.
    fn entries(&mut self, field: &Field, node: &Node, around: Around) -> Vec<Pair> {
        let Node::Map(entries, _) = node else {
            self.wrong_kind(node.span(), field.name, node, "a mapping", None);
            return Vec::new();
        };
        let around = self.around(entries, around);
        let mut pairs = Vec::new();
        for (key, value) in entries {
            if key.value == SKIP_EMPTY {
                continue;
            }
            // A key that begins so is written with one more.
            let name = match key.value.strip_prefix('$') {
                Some(name) if name.starts_with('$') => name,
                Some(_) => {
                    let message =
                        format!("unknown field {} in {}", quoted(&key.value), quoted(field.name));
                    let draft = Draft::new(Code::UnknownField, key.span, message);
                    self.findings.push(draft.help(format!(
                        "expected {}; write a name that begins with `$` as `$${}`",
                        either(OF_MAPPING),
                        key.value.trim_start_matches('$'),
                    )));
                    continue;
                }
                None => key.value.as_str(),
            };
            let (control, value) = match value {
                Node::Map(entries, _) => {
                    let control = self.control(entries, &OF_ITEM, Some(VALUE));
                    let Some((_, value)) = entries.iter().find(|(key, _)| key.value == VALUE)
                    else {
                        let help = "write a string, or `$value` with `$when` or `$for`";
                        self.wrong_kind(value.head(), &key.value, value, "a string", Some(help));
                        continue;
                    };
                    (control, value)
                }
                value => (Control::default(), value),
            };
            let variable = control.variable();
            let Some(value) = self.text(&key.value, value, variable.as_ref()) else { continue };
            let named = Text { value: name.to_owned(), ..key.clone() };
            let key = self.add(&named, Kind::Text, variable.as_ref());
            pairs.push(control.pair(key, value, around));
        }
        pairs
    }

    /// Items of two fields.
    fn items(
        &mut self,
        field: &Field,
        item: &'static Mapping,
        node: &Node,
        around: Around,
    ) -> Vec<Pair> {
        let Node::List(items, _) = node else {
            self.wrong_kind(node.span(), field.name, node, "a list", Some(item.form));
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for node in items {
            let Node::Map(entries, _) = node else {
                self.wrong_kind(node.span(), item.name, node, "a mapping", Some(item.form));
                continue;
            };
            let control = self.control(entries, &OF_ITEM, None);
            let variable = control.variable();
            let mut texts: Vec<Option<TextId>> = vec![None; item.fields.len()];
            let mut written = vec![false; item.fields.len()];
            for (key, value) in entries {
                if OF_ITEM.contains(&key.value.as_str()) {
                    continue;
                }
                let field = self.field(key, entries, Shape::of(item), &OF_ITEM);
                match field.and_then(|field| position(item, field)) {
                    Some(at) => {
                        written[at] = true;
                        let text = self.text(item.fields[at].name, value, variable.as_ref());
                        texts[at] = texts[at].or(text);
                    }
                    None => self.visit(value, variable.as_ref()),
                }
            }
            self.missing(item, &written, node.head());
            if let [Some(key), Some(value)] = texts[..] {
                pairs.push(control.pair(key, value, around));
            }
        }
        pairs
    }

    /// A text, or `$value` with `$when`.
    fn guarded(&mut self, name: &str, node: &Node, skip_empty: bool) -> Option<Guarded> {
        if let Node::Map(entries, _) = node {
            let control = self.control(entries, &OF_ARTIFACT, Some(VALUE));
            let value = entries.iter().find(|(key, _)| key.value == VALUE);
            let Some((_, value)) = value else {
                self.wrong_kind(node.span(), name, node, "a string", None);
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
        if let Node::Text(text) = node {
            return Some(self.add(text, Kind::Text, variable));
        }
        self.wrong_kind(node.span(), name, node, "a string", None);
        None
    }

    /// Adds every text in `node`, which is of no use, so that its expressions are checked.
    fn visit(&mut self, node: &Node, variable: Option<&Arc<str>>) {
        match node {
            Node::Text(text) => {
                self.add(text, Kind::Text, variable);
            }
            Node::List(items, _) => items.iter().for_each(|item| self.visit(item, variable)),
            Node::Map(entries, _) => {
                let each = entries.iter().find(|(key, _)| key.value == FOR);
                let each = each.and_then(|(_, node)| self.each(node));
                let inner = each.map(|each| each.name);
                let variable = inner.as_ref().or(variable);
                for (key, value) in entries {
                    match (key.value.as_str(), value) {
                        (FOR, _) => {}
                        (WHEN, Node::Text(text)) => {
                            self.add(text, Kind::Expression, variable);
                        }
                        _ => self.visit(value, variable),
                    }
                }
            }
            Node::Reported(_) => {}
        }
    }

    /// The keys of `entries` that begin with `$`. With `only`, the mapping has no other key.
    fn control(&mut self, entries: &Entries, known: &[&str], only: Option<&str>) -> Control {
        let mut control = Control::default();
        if let Some((_, node)) =
            entries.iter().find(|(key, _)| key.value == FOR && known.contains(&FOR))
        {
            control.each = self.each(node);
        }
        let variable = control.variable();
        for (key, node) in entries {
            let name = key.value.as_str();
            if only.is_some_and(|only| name != only && !known.contains(&name)) {
                let names: Vec<_> = known.iter().copied().chain(only).collect();
                let message = format!("unknown field {}", quoted(name));
                let draft = Draft::new(Code::UnknownField, key.span, message);
                self.findings.push(draft.help(format!("expected one of {}", either(names))));
                self.visit(node, variable.as_ref());
                continue;
            }
            if !known.contains(&name) {
                continue;
            }
            match (name, node) {
                (WHEN, Node::Text(text)) => {
                    control.when = Some(self.add(text, Kind::Expression, variable.as_ref()));
                }
                (SKIP_EMPTY, Node::Text(text)) if text.value == "true" || text.value == "false" => {
                    control.skip_empty = text.value == "true";
                }
                (SKIP_EMPTY, _) => {
                    self.wrong_kind(node.span(), name, node, "`true` or `false`", None);
                }
                (WHEN, _) => self.wrong_kind(node.span(), name, node, "an expression", None),
                _ => {}
            }
        }
        control
    }

    fn each(&mut self, node: &Node) -> Option<Each> {
        let Node::Text(text) = node else {
            self.wrong_kind(node.span(), FOR, node, "`NAME in EXPRESSION`", None);
            return None;
        };
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        let split = text.value.trim().split_once(" in ").map(|(name, over)| (name.trim(), over));
        let Some((name, over)) = split.filter(|(name, _)| is_name(name)) else {
            let draft = Draft::new(Code::TemplateSyntax, node.span(), "invalid `$for`");
            self.findings
                .push(draft.help(
                    "write it as `NAME in EXPRESSION`, as in `tag in row.tags | split('|')`",
                ));
            return None;
        };
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

    /// Reports a value of another kind than `wanted`, and checks the expressions in it.
    fn wrong_kind(
        &mut self,
        span: Span,
        name: &str,
        node: &Node,
        wanted: &str,
        help: Option<&str>,
    ) {
        if matches!(node, Node::Reported(_)) {
            return;
        }
        // A description, as in `a tag`, or a field.
        let name = if name.contains([' ', '`']) { name.to_owned() } else { quoted(name) };
        let message = format!("{name} is {}; expected {wanted}", node.kind());
        let help = help.map_or_else(|| format!("write {wanted}"), str::to_owned);
        self.findings.push(Draft::new(Code::WrongKind, span, message).help(help));
        self.visit(node, None);
    }
}

fn position(of: &Mapping, field: &Field) -> Option<usize> {
    of.fields.iter().position(|one| one.is(field))
}
