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
use super::raw::{RawArtifact, RawMetadata, RawProperty, RawSource, Slot, Text};
use crate::diagnostic::{Code, Draft, Findings, Pointer, ROOT};
use crate::model;
use crate::text::either;
use crate::yaml::{Node, NodeId, Resolved, Scalar, Style, Tree, resolve};

pub(super) struct Decoder<'a, 'f, 's> {
    tree: &'a Tree<'a>,
    findings: &'f mut Findings<'s>,
    allowance: &'f mut usize,
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
struct Field {
    name: &'static str,
    /// True if the key is written as it should be.
    exact: bool,
}

/// A key of an artifact whose field belongs to a mapping below it.
struct Misplaced {
    /// Its number among the entries.
    entry: usize,
    parent: Shape,
    field: &'static str,
}

impl<'a, 'f, 's> Decoder<'a, 'f, 's> {
    pub(super) fn new(
        tree: &'a Tree<'a>,
        findings: &'f mut Findings<'s>,
        allowance: &'f mut usize,
    ) -> Self {
        Self { tree, findings, allowance, broken: false }
    }

    /// Decodes a document with a syntax error: no field is reported as missing from it.
    pub(super) const fn of_broken(mut self) -> Self {
        self.broken = true;
        self
    }

    /// Decodes an artifact, or returns `None` if the node is not a mapping.
    pub(super) fn artifact(&mut self, node: NodeId) -> Option<RawArtifact<'a>> {
        self.fields_of(node, Shape::Artifact)
    }

    /// Returns the defaults of a list.
    pub(super) fn defaults(&mut self, node: NodeId) -> RawArtifact<'a> {
        let defaults = self.fields_of(node, Shape::Defaults);
        defaults.unwrap_or_else(|| RawArtifact::unreadable(self.tree.span(node)))
    }

    fn fields_of(&mut self, node: NodeId, shape: Shape) -> Option<RawArtifact<'a>> {
        let root = &ROOT;
        let target = self.target(node, root)?;
        if !matches!(self.tree.node(target.node), Node::Mapping(_)) {
            self.no_mapping(target, shape, root, shape_help(shape));
            return None;
        }
        let mut raw = RawArtifact { head: self.head(target.node), ..RawArtifact::default() };
        raw.broken = self.broken;
        let entries = self.entries(target.node, root);
        let mut read_only = Vec::new();
        let mut misplaced = Vec::new();
        for (at, Entry { key, value }) in entries.iter().enumerate() {
            let value = *value;
            let name = key.scalar.value;
            let known = shape.fields().iter().copied().find(|field| *field == name);
            if known.is_none() {
                if shape == Shape::Artifact && is_read_only(name) {
                    read_only.push(at);
                    continue;
                }
                if let Some((parent, field)) = shape.misplaced(name) {
                    misplaced.push(Misplaced { entry: at, parent, field });
                    continue;
                }
            }
            let path = &root.field(name);
            let known = known.map(|name| Field { name, exact: true });
            let known = known.or_else(|| self.field(key, &entries, shape, path));
            let Some(Field { name: field, exact }) = known else {
                raw.mark_meant(shape.meant(name));
                continue;
            };
            match field {
                "ArtifactName" => raw.name = self.text(key, value, path).known_if(exact),
                "ArtifactType" => raw.artifact_type = self.text(key, value, path).known_if(exact),
                "Source" => {
                    let parent = target.node;
                    raw.source = self.source(key, value, parent, path).known_if(exact);
                }
                "Properties" => raw.properties = self.properties(key, value, path).known_if(exact),
                "MetadataProperties" => {
                    raw.metadata = self.metadata(key, value, path).known_if(exact);
                }
                _ => raw.tags = self.tags(key, value, path).known_if(exact),
            }
        }
        self.read_only(target.node, &entries, &read_only);
        self.misplaced(target.node, shape, &entries, &misplaced, &mut raw);
        Some(raw)
    }

    /// Returns the field that a key of `shape` stands for. An unknown field is a finding, even if
    /// its correction is clear.
    fn field(
        &mut self,
        key: &Key<'a>,
        entries: &[Entry<'a>],
        shape: Shape,
        path: &Pointer<'_>,
    ) -> Option<Field> {
        let name = key.scalar.value;
        if let Some(name) = shape.fields().iter().find(|field| **field == name) {
            return Some(Field { name, exact: true });
        }
        let meant = faults::correction(name, entries, shape);
        self.unknown(key, shape, meant, path);
        meant.map(|name| Field { name, exact: false })
    }

    /// Decodes misplaced keys as the fields of the mapping that they belong to.
    fn misplaced(
        &mut self,
        node: NodeId,
        shape: Shape,
        entries: &[Entry<'a>],
        misplaced: &[Misplaced],
        raw: &mut RawArtifact<'a>,
    ) {
        for one in misplaced {
            let Entry { key, value } = &entries[one.entry];
            let path = &ROOT.field(key.scalar.value);
            let fix = self.gather(node, entries, misplaced, one);
            self.belongs_below(key, shape, one.parent, fix, path);
            if one.parent == Shape::Source {
                let source = match std::mem::take(&mut raw.source) {
                    Slot::Faulty => {
                        raw.source = Slot::Faulty;
                        continue;
                    }
                    Slot::Absent => RawSource { head: key.scalar.span, ..RawSource::default() },
                    Slot::Given(source) | Slot::Doubtful(source) => source,
                };
                raw.source = Slot::Doubtful(self.with_misplaced(source, key, *value, one, path));
            } else {
                let mut metadata = match std::mem::take(&mut raw.metadata) {
                    Slot::Faulty => {
                        raw.metadata = Slot::Faulty;
                        continue;
                    }
                    Slot::Absent => RawMetadata::default(),
                    Slot::Given(metadata) | Slot::Doubtful(metadata) => metadata,
                };
                let at = model::METADATA_FIELDS.iter().position(|field| *field == one.field);
                if let Some(slot) = at.and_then(|at| metadata.values.get_mut(at))
                    && slot.is_absent()
                {
                    *slot = self.text(key, *value, path).doubtful();
                }
                raw.metadata = Slot::Doubtful(metadata);
            }
        }
    }

    fn with_misplaced(
        &mut self,
        mut source: RawSource<'a>,
        key: &Key<'a>,
        value: NodeId,
        one: &Misplaced,
        path: &Pointer<'_>,
    ) -> RawSource<'a> {
        if one.field == "SourceUri" && source.uri.is_absent() {
            source.uri = self.text(key, value, path).doubtful();
        } else if one.field == "SourceTypes" && source.types.is_absent() {
            source.types = self.source_types(key, value, path).doubtful();
        }
        source
    }

    /// Decodes the keys of a root mapping with `Defaults` or `Artifacts`.
    pub(super) fn wrapper(&mut self, root: NodeId) -> Wrapper {
        let path = &ROOT;
        let mut found = Wrapper::default();
        let mut has_list = false;
        let entries = self.entries(root, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            match self.field(key, &entries, Shape::Wrapper, path).map(|field| field.name) {
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
                            let help = "write each artifact as `- ArtifactType: …`";
                            self.wrong_kind_of(key, target, "a list", path, help.into());
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

    fn source(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        parent: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<RawSource<'a>> {
        let Some(target) = self.target(value, path) else {
            return Slot::Faulty;
        };
        let mut source = RawSource { head: self.head(target.node), ..RawSource::default() };
        if !matches!(self.tree.node(target.node), Node::Mapping(_)) {
            let uri = self.lone_uri(target);
            let shown = uri.map_or("…".to_owned(), |uri| shortened(uri.value));
            let help = format!("write `Source:` and below it, indented, `SourceUri: {shown}`");
            let fix = uri.and_then(|uri| self.source_mapping(key, &uri.scalar, parent));
            let fix = fix.filter(|_| target.alias.is_none());
            self.wrong_kind_of(key, target, "a mapping", path, Advice::from(help).fix(fix));
            return uri.map_or(Slot::Faulty, |uri| {
                source.uri = Slot::Doubtful(uri);
                Slot::Doubtful(source)
            });
        }
        let entries = self.entries(target.node, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            let path = &path.field(key.scalar.value);
            match self.field(key, &entries, Shape::Source, path) {
                Some(Field { name: "SourceUri", exact }) => {
                    source.uri = self.text(key, value, path).known_if(exact);
                }
                Some(Field { exact, .. }) => {
                    source.types = self.source_types(key, value, path).known_if(exact);
                }
                None => {
                    if Shape::Source.meant(key.scalar.value) == Some("SourceUri") {
                        source.uri = source.uri.or_faulty();
                    }
                }
            }
        }
        Slot::Given(source)
    }

    /// Returns the text in place of a `Source`, if it can be its `SourceUri`.
    fn lone_uri(&self, target: Target) -> Option<Text<'a>> {
        let Node::Scalar(scalar) = self.tree.node(target.node) else { return None };
        // `SourceUri:s3://…` is missing a space and is not a URI.
        let holds_key = Shape::Source.fields().iter().any(|field| scalar.value.starts_with(field));
        let text = self.untagged(target.node) && is_text(&scalar) && !holds_key;
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
            let value = self.text(key, value, path);
            let key = self.key_text(key, path);
            properties.push(RawProperty { key, value });
        }
        Slot::Given(properties)
    }

    fn metadata(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<RawMetadata<'a>> {
        let help = || format!("use {}, indented", either(model::METADATA_FIELDS));
        let Some(target) = self.mapping(key, value, path, help) else {
            return Slot::Faulty;
        };
        let mut metadata = RawMetadata::default();
        let entries = self.entries(target.node, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            let path = &path.field(key.scalar.value);
            let Some(Field { name, exact }) = self.field(key, &entries, Shape::Metadata, path)
            else {
                continue;
            };
            let at = model::METADATA_FIELDS.iter().position(|field| *field == name);
            let text = self.text(key, value, path).known_if(exact);
            if let Some(slot) = at.and_then(|at| metadata.values.get_mut(at)) {
                *slot = text;
            }
        }
        Slot::Given(metadata)
    }

    /// Returns the mapping behind `value`, or a finding.
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
