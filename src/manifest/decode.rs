//! Nodes to raw values, by hand: a derive would stop at the first fault.

mod entries;
mod faults;
mod scalars;

use entries::{Entry, Key, Target};
use faults::{shape_help, shortened};

use super::fields::Shape;
use super::raw::{
    RawArtifact, RawMetadata, RawProperty, RawSource, RawSourceType, RawTag, Slot, Text,
};
use super::{ARTIFACTS, DEFAULTS};
use crate::diagnostic::words::either;
use crate::diagnostic::{Code, Draft, Findings, Pointer, ROOT};
use crate::limits;
use crate::source::Span;
use crate::yaml::{Node, NodeId, Tree};

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

impl<'a, 'f, 's> Decoder<'a, 'f, 's> {
    pub(super) fn new(
        tree: &'a Tree<'a>,
        findings: &'f mut Findings<'s>,
        allowance: &'f mut usize,
    ) -> Self {
        Self { tree, findings, allowance, broken: false }
    }

    /// For a document that broke off: nothing is missing from it.
    pub(super) const fn of_broken(mut self) -> Self {
        self.broken = true;
        self
    }

    /// An artifact, or `None` where the node is no mapping.
    pub(super) fn artifact(&mut self, node: NodeId) -> Option<RawArtifact<'a>> {
        self.fields_of(node, Shape::Artifact)
    }

    /// The defaults of a list.
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
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            let name = key.scalar.value;
            let path = &root.field(name);
            let known = shape.fields().contains(&name);
            match name {
                "ArtifactName" if known => raw.name = self.text(key, value, path),
                "ArtifactType" if known => raw.artifact_type = self.text(key, value, path),
                "Source" if known => raw.source = self.source(key, value, path),
                "Properties" if known => raw.properties = self.properties(key, value, path),
                "MetadataProperties" if known => raw.metadata = self.metadata(key, value, path),
                "Tags" if known => raw.tags = self.tags(key, value, path),
                _ => {
                    self.unknown(key, &entries, shape, path);
                    raw.mark_meant(shape.instead_of(name));
                }
            }
        }
        Some(raw)
    }

    /// The keys of a root mapping with `Defaults` or `Artifacts`.
    pub(super) fn wrapper(&mut self, root: NodeId) -> Wrapper {
        let path = &ROOT;
        let mut found = Wrapper::default();
        let mut has_list = false;
        let entries = self.entries(root, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            match key.scalar.value {
                DEFAULTS => found.defaults = Some(value),
                ARTIFACTS => {
                    has_list = true;
                    let Some(target) = self.target(value, path) else {
                        continue;
                    };
                    match self.tree.node(target.node) {
                        Node::Streamed => {}
                        Node::Sequence(_) => found.artifacts = Some(target.node),
                        _ => {
                            let help =
                                Some("write each artifact as `- ArtifactType: …`".to_owned());
                            self.wrong_kind_of(key, target, "a list", path, help);
                        }
                    }
                }
                _ => self.unknown(key, &entries, Shape::Wrapper, path),
            }
        }
        if !has_list && !self.broken {
            let draft = Draft::new(
                Code::MissingField,
                self.head(root),
                "`Defaults` is here, and no `Artifacts` that would take them",
            );
            self.findings.push(draft.help("add `Artifacts:` with a list of artifacts"));
        }
        found
    }

    fn source(&mut self, key: &Key<'a>, value: NodeId, path: &Pointer<'_>) -> Slot<RawSource<'a>> {
        let tree = self.tree;
        let help = || {
            let uri = match tree.node(value) {
                Node::Scalar(scalar) if !scalar.span.is_empty() => scalar.value,
                _ => "…",
            };
            format!("write `Source:` and below it, indented, `SourceUri: {}`", shortened(uri))
        };
        let Some(target) = self.mapping(key, value, path, help) else {
            return Slot::Faulty;
        };
        let mut source = RawSource { head: self.head(target.node), ..RawSource::default() };
        let entries = self.entries(target.node, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            let path = &path.field(key.scalar.value);
            match key.scalar.value {
                "SourceUri" => source.uri = self.text(key, value, path),
                "SourceTypes" => source.types = self.source_types(key, value, path),
                _ => {
                    self.unknown(key, &entries, Shape::Source, path);
                    if Shape::Source.meant(key.scalar.value) == Some("SourceUri") {
                        source.uri = source.uri.or_faulty();
                    }
                }
            }
        }
        Slot::Given(source)
    }

    fn source_types(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<Vec<RawSourceType<'a>>> {
        let help = "write each as `- SourceIdType: Custom` and below it `Value: …`";
        self.pairs(key, value, path, Shape::SourceType, help).map_into(|pair| RawSourceType {
            head: pair.head,
            id_type: pair.values[0],
            value: pair.values[1],
        })
    }

    fn tags(&mut self, key: &Key<'a>, value: NodeId, path: &Pointer<'_>) -> Slot<Vec<RawTag<'a>>> {
        let help = "write each tag as `- Key: …` and below it `Value: …`";
        self.pairs(key, value, path, Shape::Tag, help).map_into(|pair| RawTag {
            head: pair.head,
            key: pair.values[0],
            value: pair.values[1],
        })
    }

    /// A list of mappings with the two fields of `shape`, both required.
    fn pairs(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
        shape: Shape,
        help: &str,
    ) -> Slot<Vec<Pair<'a>>> {
        let Some(list) = self.target(value, path) else {
            return Slot::Faulty;
        };
        let Node::Sequence(items) = self.tree.node(list.node) else {
            self.wrong_kind_of(key, list, "a list", path, Some(help.to_owned()));
            return Slot::Faulty;
        };
        let items = items.enumerate();
        let mut pairs = Vec::new();
        for (index, item) in items {
            let path = &path.item(index);
            let mut pair =
                Pair { head: self.tree.span(item), values: [Slot::Faulty, Slot::Faulty] };
            if let Some(target) = self.target(item, path) {
                if matches!(self.tree.node(target.node), Node::Mapping(_)) {
                    pair.head = self.head(target.node);
                    pair.values = [Slot::Absent, Slot::Absent];
                    self.pair(target.node, path, shape, &mut pair);
                } else {
                    self.no_mapping(target, shape, path, help.to_owned());
                }
            }
            pairs.push(pair);
        }
        Slot::Given(pairs)
    }

    fn pair(&mut self, node: NodeId, path: &Pointer<'_>, shape: Shape, pair: &mut Pair<'a>) {
        let names = shape.fields();
        let entries = self.entries(node, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            let field = names.iter().position(|name| *name == key.scalar.value);
            let path = &path.field(key.scalar.value);
            match field {
                Some(field) => pair.values[field] = self.text(key, value, path),
                None => {
                    self.unknown(key, &entries, shape, path);
                    let meant = shape.meant(key.scalar.value);
                    if let Some(field) = names.iter().position(|name| Some(*name) == meant) {
                        pair.values[field] = pair.values[field].or_faulty();
                    }
                }
            }
        }
        if self.broken {
            return;
        }
        for (name, slot) in names.iter().zip(&mut pair.values) {
            if slot.is_absent() {
                *slot = Slot::Faulty;
                let message = format!("{} without `{name}`", shape.name());
                let draft = Draft::new(Code::MissingField, pair.head, message).at(path);
                self.findings.push(draft.help(format!("add `{name}: …`")));
            }
        }
    }

    fn properties(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<Vec<RawProperty<'a>>> {
        let help = || "write each property as `name: text`, indented".to_owned();
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
        let help = || format!("use {}, indented", either(limits::METADATA_FIELDS));
        let Some(target) = self.mapping(key, value, path, help) else {
            return Slot::Faulty;
        };
        let mut metadata = RawMetadata::default();
        let entries = self.entries(target.node, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            let name = key.scalar.value;
            let path = &path.field(name);
            match limits::METADATA_FIELDS.iter().position(|field| *field == name) {
                Some(field) => metadata.values[field] = self.text(key, value, path),
                None => self.unknown(key, &entries, Shape::Metadata, path),
            }
        }
        Slot::Given(metadata)
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
        self.wrong_kind_of(key, target, "a mapping", path, Some(help()));
        None
    }
}

struct Pair<'a> {
    head: Span,
    values: [Slot<Text<'a>>; 2],
}

impl<T> Slot<Vec<T>> {
    fn map_into<U>(self, change: impl Fn(T) -> U) -> Slot<Vec<U>> {
        match self {
            Self::Absent => Slot::Absent,
            Self::Faulty => Slot::Faulty,
            Self::Given(list) => Slot::Given(list.into_iter().map(change).collect()),
        }
    }
}
