//! The entries of mappings: aliases, merges, and keys given twice.

use std::collections::HashMap;

use super::Decoder;
use crate::diagnostic::words::quoted;
use crate::diagnostic::{Code, Draft, Pointer};
use crate::source::Span;
use crate::yaml::{Node, NodeId, Scalar, Style, Tag};

/// How deep merges may merge merges.
const MERGE_DEPTH: usize = 32;

/// A key and its value.
pub(super) struct Entry<'a> {
    pub(super) key: Key<'a>,
    pub(super) value: NodeId,
}

pub(super) struct Key<'a> {
    pub(super) node: NodeId,
    pub(super) scalar: Scalar<'a>,
    pub(super) alias: Option<Span>,
}

/// A value behind its alias, if it has one.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) node: NodeId,
    pub(super) alias: Option<Span>,
}

impl<'a> Decoder<'a, '_, '_> {
    /// The value behind an alias, or the value itself.
    pub(super) fn target(&mut self, node: NodeId, path: &Pointer<'_>) -> Option<Target> {
        let span = self.tree.span(node);
        let (code, message, help) = match self.tree.node(node) {
            Node::Alias(alias) => {
                if let Some(rest) = self.allowance.checked_sub(alias.size) {
                    *self.allowance = rest;
                    return Some(Target { node: alias.target, alias: Some(span) });
                }
                (
                    Code::AliasLimit,
                    "aliases stand for far more values than the file holds".to_owned(),
                    "write the values out, or share less of them",
                )
            }
            Node::RecursiveAlias => (
                Code::RecursiveAlias,
                format!("{} stands inside the value that it names", self.source_text(span)),
                "an alias can only repeat a value that is complete above it",
            ),
            Node::UnknownAlias => (
                Code::UnknownAnchor,
                format!("no anchor of this document has the name of {}", self.source_text(span)),
                "anchor a value above it with `&name`, or quote the text if no alias is meant",
            ),
            _ => return Some(Target { node, alias: None }),
        };
        self.findings.push(Draft::new(code, span, message).help(help).at(path));
        None
    }

    /// The entries of a mapping: its own, then what `<<` brings and its own do not have.
    pub(super) fn entries(&mut self, mapping: NodeId, path: &Pointer<'_>) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        let mut known = Known::default();
        self.collect(mapping, path, &mut entries, &mut known, 0);
        entries
    }

    fn collect(
        &mut self,
        mapping: NodeId,
        path: &Pointer<'_>,
        entries: &mut Vec<Entry<'a>>,
        known: &mut Known<'a>,
        depth: usize,
    ) {
        let Node::Mapping(pairs) = self.tree.node(mapping) else {
            return;
        };
        if !matches!(self.tree.tag(mapping), Tag::None | Tag::Mapping) {
            self.wrong_tag(Target { node: mapping, alias: None }, path);
        }
        let mut own = Known::default();
        let mut merges = Vec::new();
        for (key, value) in pairs {
            let Some(key) = self.key(key, path) else {
                continue;
            };
            if let Some(first) = own.add(key.scalar.value, key.scalar.span) {
                if depth == 0 {
                    self.duplicate(&key, first, path);
                }
                continue;
            }
            if key.scalar.value == "<<" && key.scalar.style == Style::Plain {
                merges.push(value);
            } else if known.add(key.scalar.value, key.scalar.span).is_none() {
                entries.push(Entry { key, value });
            }
        }
        for merged in merges {
            self.merge(merged, path, entries, known, depth);
        }
    }

    fn merge(
        &mut self,
        merged: NodeId,
        path: &Pointer<'_>,
        entries: &mut Vec<Entry<'a>>,
        known: &mut Known<'a>,
        depth: usize,
    ) {
        let Some(target) = self.target(merged, path) else {
            return;
        };
        match self.tree.node(target.node) {
            Node::Mapping(_) if depth < MERGE_DEPTH => {
                self.collect(target.node, path, entries, known, depth + 1);
            }
            Node::Sequence(items) if depth < MERGE_DEPTH => {
                for item in items {
                    self.merge(item, path, entries, known, depth + 1);
                }
            }
            _ => {
                let span = self.opening(target.node);
                let draft = Draft::new(Code::MergeKey, span, "`<<` can only merge mappings");
                let draft = draft.help("name a mapping with `<<: *name`, or list several");
                self.push(draft.at(path), target.alias);
            }
        }
    }

    fn key(&mut self, node: NodeId, path: &Pointer<'_>) -> Option<Key<'a>> {
        let target = self.target(node, path)?;
        if let Node::Scalar(scalar) = self.tree.node(target.node) {
            return Some(Key { node: target.node, scalar, alias: target.alias });
        }
        let span = self.opening(target.node);
        let draft =
            Draft::new(Code::WrongKind, span, "a list or mapping stands where a key belongs");
        self.push(draft.help("write the key as text").at(path), target.alias);
        None
    }

    fn duplicate(&mut self, key: &Key<'a>, first: Span, path: &Pointer<'_>) {
        let name = quoted(key.scalar.value);
        let draft =
            Draft::new(Code::DuplicateKey, key.scalar.span, format!("{name} is given twice"));
        let draft = draft.label("given again").related(first, "given first here");
        let draft = draft.help("remove one of the two: readers of YAML differ in which they keep");
        self.findings.push(draft.at(&path.field(key.scalar.value)));
    }
}

/// The keys of a mapping. Few are compared, many are hashed: a hostile file has a million.
#[derive(Default)]
struct Known<'a> {
    few: Vec<(&'a str, Span)>,
    many: HashMap<&'a str, Span>,
}

impl<'a> Known<'a> {
    const FEW: usize = 16;

    /// Adds a key. The place of the first with that name, if it is not the first.
    fn add(&mut self, name: &'a str, span: Span) -> Option<Span> {
        if self.few.len() < Self::FEW {
            let first = self.few.iter().find(|(known, _)| *known == name).map(|(_, span)| *span);
            if first.is_none() {
                self.few.push((name, span));
            }
            return first;
        }
        if self.many.is_empty() {
            self.many.extend(self.few.iter().copied());
        }
        match self.many.entry(name) {
            std::collections::hash_map::Entry::Occupied(first) => Some(*first.get()),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(span);
                None
            }
        }
    }
}
