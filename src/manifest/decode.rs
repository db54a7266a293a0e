//! Decodes nodes to raw values, by hand: a derived decoder would stop at the first fault.
//!
//! A value in a wrong place, under a wrong key or of a wrong kind is decoded as what it was clearly
//! meant to be, so that its fault does not hide another.

mod entries;
mod faults;
mod fixes;
mod pairs;
mod scalars;

use entries::{Entry, Key, Target};
use faults::{Advice, shape_help, shortened};

use super::DEFAULTS;
use super::fields::{Shape, is_read_only};
use super::placeholders::Placeholder;
use super::raw::{RawMapping, RawProperty, RawValue, Slot, Text};
use crate::diagnostic::{Code, Draft, Findings, Pointer, ROOT};
use crate::model::{ARTIFACT, Field, Kind, Mapping};
use crate::text::either;
use crate::yaml::{Node, NodeId, Resolved, Scalar, Style, Tree, resolve};

pub(super) struct Decoder<'a, 'f, 's> {
    tree: &'a Tree<'a>,
    findings: &'f mut Findings<'s>,
    allowance: &'f mut usize,
    /// Placeholders for which strings are read.
    placeholders: &'f mut [Placeholder],
    broken: bool,
}

/// The two keys of a wrapper.
#[derive(Default)]
pub(super) struct Wrapper {
    pub(super) defaults: Option<NodeId>,
    /// The list, if it is one and has not been taken item by item.
    pub(super) artifacts: Option<NodeId>,
}

/// A field that a key stands for.
#[derive(Clone, Copy)]
struct Known {
    field: &'static Field,
    /// True if the key is written as it should be.
    exact: bool,
}

/// A key of an artifact whose field belongs to a mapping below it.
struct Misplaced {
    /// Its number among the entries.
    entry: usize,
    parent: &'static Field,
    field: &'static Field,
}

impl<'a, 'f, 's> Decoder<'a, 'f, 's> {
    pub(super) fn new(
        tree: &'a Tree<'a>,
        findings: &'f mut Findings<'s>,
        allowance: &'f mut usize,
        placeholders: &'f mut [Placeholder],
    ) -> Self {
        Self { tree, findings, allowance, placeholders, broken: false }
    }

    /// Decodes a document with a syntax error: no field is reported as missing from it.
    pub(super) const fn of_broken(mut self) -> Self {
        self.broken = true;
        self
    }

    /// An artifact, or `None` where the node is no mapping.
    pub(super) fn artifact(&mut self, node: NodeId) -> Option<RawMapping<'a>> {
        self.root(node, Shape::ARTIFACT)
    }

    /// The defaults of a list.
    pub(super) fn defaults(&mut self, node: NodeId) -> RawMapping<'a> {
        let defaults = self.root(node, Shape::DEFAULTS);
        defaults.unwrap_or_else(|| RawMapping::unreadable(&ARTIFACT, self.tree.span(node)))
    }

    fn root(&mut self, node: NodeId, shape: Shape) -> Option<RawMapping<'a>> {
        let root = &ROOT;
        let target = self.target(node, root)?;
        if !matches!(self.tree.node(target.node), Node::Mapping(_)) {
            self.no_mapping(target, shape, root, shape_help(shape));
            return None;
        }
        let mut raw = RawMapping::new(shape.mapping, self.head(target.node));
        raw.broken = self.broken;
        let entries = self.entries(target.node, root);
        let mut read_only = Vec::new();
        let mut misplaced = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let name = entry.key.scalar.value;
            let known = shape.field(name);
            if known.is_none() {
                if is_read_only(shape, name) {
                    read_only.push(at);
                    continue;
                }
                if let Some((parent, field)) = shape.misplaced(name) {
                    misplaced.push(Misplaced { entry: at, parent, field });
                    continue;
                }
            }
            self.take(&mut raw, entry, &entries, shape, target.node, root);
        }
        self.read_only(target.node, &entries, &read_only);
        self.misplaced(target.node, shape, &entries, &misplaced, &mut raw);
        Some(raw)
    }

    /// Takes an entry of the mapping `node` at `path`.
    fn take(
        &mut self,
        raw: &mut RawMapping<'a>,
        entry: &Entry<'a>,
        entries: &[Entry<'a>],
        shape: Shape,
        node: NodeId,
        path: &Pointer<'_>,
    ) {
        let Entry { key, value } = entry;
        let path = &path.field(key.scalar.value);
        match self.field(key, entries, shape, path) {
            Some(Known { field, exact }) => {
                let value = self.value(field, key, *value, node, path);
                raw.set(field, value.known_if(exact));
            }
            None => {
                if let Some(meant) = shape.meant(key.scalar.value).filter(|field| field.required) {
                    raw.mark_meant(meant);
                }
            }
        }
    }

    /// The value of `field`, whose key stands in the mapping `parent`.
    fn value(
        &mut self,
        field: &'static Field,
        key: &Key<'a>,
        value: NodeId,
        parent: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<RawValue<'a>> {
        match field.kind {
            Kind::Text(_) | Kind::Choice(_) => {
                self.text(key, value, Some(field), path).map(RawValue::Text)
            }
            Kind::Mapping(mapping) => {
                self.below(field, mapping, key, value, parent, path).map(RawValue::Mapping)
            }
            Kind::Pairs { item, keyed, .. } => {
                self.pairs(item, keyed, key, value, path).map(RawValue::List)
            }
            Kind::Map { .. } => self.properties(key, value, path).map(RawValue::Map),
        }
    }

    /// The field that a key of `shape` stands for. One that is no field of it is a finding, whether or
    /// not it is plain what was meant.
    fn field(
        &mut self,
        key: &Key<'a>,
        entries: &[Entry<'a>],
        shape: Shape,
        path: &Pointer<'_>,
    ) -> Option<Known> {
        let name = key.scalar.value;
        if let Some(field) = shape.field(name) {
            return Some(Known { field, exact: true });
        }
        let meant = faults::correction(name, entries, shape);
        self.unknown(key, shape, meant, entries, path);
        meant.map(|field| Known { field, exact: false })
    }

    /// Decodes misplaced keys as the fields of the mapping that they belong to.
    fn misplaced(
        &mut self,
        node: NodeId,
        shape: Shape,
        entries: &[Entry<'a>],
        misplaced: &[Misplaced],
        raw: &mut RawMapping<'a>,
    ) {
        for one in misplaced {
            let Entry { key, value } = &entries[one.entry];
            let path = &ROOT.field(key.scalar.value);
            let fix = self.gather(node, entries, misplaced, one);
            self.belongs_below(key, shape, one.parent, fix, path);
            let Kind::Mapping(mapping) = one.parent.kind else { continue };
            let Some(slot) = raw.slot_mut(one.parent) else { continue };
            let mut below = match std::mem::take(slot) {
                Slot::Given(RawValue::Mapping(below))
                | Slot::Doubtful(RawValue::Mapping(below)) => below,
                Slot::Absent => RawMapping::new(mapping, key.scalar.span),
                faulty => {
                    *slot = faulty;
                    continue;
                }
            };
            if below.slot(one.field).is_absent() {
                let value = self.value(one.field, key, *value, node, path);
                below.set(one.field, value.doubtful());
            }
            raw.set(one.parent, Slot::Doubtful(RawValue::Mapping(below)));
        }
    }

    /// The keys of a root mapping with `Defaults` or `Artifacts`.
    pub(super) fn wrapper(&mut self, root: NodeId) -> Wrapper {
        let path = &ROOT;
        let mut found = Wrapper::default();
        let mut has_list = false;
        let entries = self.entries(root, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            match self.field(key, &entries, Shape::WRAPPER, path).map(|known| known.field.name) {
                Some(DEFAULTS) => found.defaults = Some(value),
                Some(_) => {
                    has_list = true;
                    let Some(target) = self.target(value, path) else {
                        continue;
                    };
                    match self.tree.node(target.node) {
                        Node::Streamed => {}
                        Node::Sequence(_) => found.artifacts = Some(target.node),
                        _ => {
                            let advice = Advice::from(ARTIFACT.form).required(true);
                            self.wrong_kind_of(key, target, "a list", path, advice);
                        }
                    }
                }
                None => {}
            }
        }
        if !has_list && !self.broken {
            let draft = Draft::new(
                Code::MissingField,
                self.head(root),
                "`Defaults` without `Artifacts` has no effect",
            );
            self.findings.push(draft.help("add `Artifacts:` with a list of artifacts"));
        }
        found
    }

    /// The mapping that `field` holds, whose key stands in the mapping `parent`.
    fn below(
        &mut self,
        field: &'static Field,
        mapping: &'static Mapping,
        key: &Key<'a>,
        value: NodeId,
        parent: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<RawMapping<'a>> {
        let Some(target) = self.target(value, path) else {
            return Slot::Faulty;
        };
        let shape = Shape::of(mapping);
        let mut raw = RawMapping::new(mapping, self.head(target.node));
        if !matches!(self.tree.node(target.node), Node::Mapping(_)) {
            let Some(main) = mapping.main.and_then(|main| mapping.field(main)) else {
                let help = format!("use {}, indented", either(shape.names()));
                let advice = Advice::from(help).required(field.required);
                self.wrong_kind_of(key, target, "a mapping", path, advice);
                return Slot::Faulty;
            };
            let lone = self.lone_text(target, mapping);
            let shown = lone.map_or("…".to_owned(), |text| shortened(text.value));
            let (name, main_name) = (field.name, main.name);
            let help = format!("write `{name}:` and below it, indented, `{main_name}: {shown}`");
            let fix = lone.and_then(|text| self.main_mapping(key, main, &text.scalar, parent));
            let fix = fix.filter(|_| target.alias.is_none());
            self.wrong_kind_of(
                key,
                target,
                "a mapping",
                path,
                Advice::from(help).fix(fix).required(field.required),
            );
            return lone.map_or(Slot::Faulty, |text| {
                raw.set(main, Slot::Doubtful(RawValue::Text(text)));
                Slot::Doubtful(raw)
            });
        }
        let entries = self.entries(target.node, path);
        for entry in &entries {
            self.take(&mut raw, entry, &entries, shape, target.node, path);
        }
        Slot::Given(raw)
    }

    /// The text that stands where `mapping` belongs, if it can be meant as its main field.
    fn lone_text(&self, target: Target, mapping: &Mapping) -> Option<Text<'a>> {
        let Node::Scalar(scalar) = self.tree.node(target.node) else { return None };
        if self.stands_in(scalar.span) {
            return None;
        }
        // `SourceUri:s3://…` lacks a space and is no URI.
        let holds_key = mapping.fields.iter().any(|field| scalar.value.starts_with(field.name));
        let is_empty = scalar.value.trim().is_empty();
        let text = self.untagged(target.node) && is_text(&scalar) && !holds_key && !is_empty;
        text.then_some(Text { value: scalar.value, span: scalar.span, alias: target.alias, scalar })
    }

    fn properties(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<Vec<RawProperty<'a>>> {
        let help = || "write each property as `name: value`, indented".to_owned();
        let Some(target) = self.mapping(key, value, path, help) else {
            return Slot::Faulty;
        };
        let mut properties = Vec::new();
        let entries = self.entries(target.node, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            let path = &path.field(key.scalar.value);
            let value = self.text(key, value, None, path);
            let key = self.key_text(key, path);
            properties.push(RawProperty { key, value });
        }
        Slot::Given(properties)
    }

    /// The mapping behind `value`, or a finding.
    fn mapping(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
        help: impl FnOnce() -> String,
    ) -> Option<Target> {
        let target = self.target(value, path)?;
        if matches!(self.tree.node(target.node), Node::Mapping(_)) {
            return Some(target);
        }
        self.wrong_kind_of(key, target, "a mapping", path, help().into());
        None
    }
}

/// Returns whether `scalar`, which has no tag, is a string in YAML 1.2.
fn is_text(scalar: &Scalar<'_>) -> bool {
    match scalar.style {
        Style::Plain => !scalar.span.is_empty() && resolve(scalar.value) == Resolved::Text,
        _ => true,
    }
}

impl<T> Slot<T> {
    /// Returns the same where `exact`, doubtful otherwise.
    fn known_if(self, exact: bool) -> Self {
        if exact { self } else { self.doubtful() }
    }
}
