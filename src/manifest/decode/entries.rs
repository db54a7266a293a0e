//! The entries of mappings: aliases, merges, and keys given twice.

use std::collections::HashMap;

use super::Decoder;
use crate::diagnostic::{Code, Draft, Pointer};
use crate::source::Span;
use crate::text::quoted;
use crate::yaml::{Node, NodeId, Scalar, Style, Tag};

/// The maximum depth of nested merges.
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
    /// Returns the value behind an alias, or the value itself.
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
                    "aliases expand to far more values than the file contains".to_owned(),
                    "write the values out, or use fewer aliases",
                )
            }
            Node::RecursiveAlias => (
                Code::RecursiveAlias,
                format!("{} is used inside the value that it refers to", self.source_text(span)),
                "an alias can only refer to a value that is complete before it",
            ),
            Node::UnknownAlias => (
                Code::UnknownAnchor,
                format!("undefined alias {}", self.source_text(span)),
                "define its anchor above it with `&name`, or quote the value if it is not an alias",
            ),
            _ => return Some(Target { node, alias: None }),
        };
        self.findings.push(Draft::new(code, span, message).help(help).at(path));
        None
    }

    /// Returns the entries of a mapping: its own, then what `<<` brings and its own do not have.
    pub(super) fn entries(&mut self, mapping: NodeId, path: &Pointer<'_>) -> Vec<Entry<'a>> {
        let mut found = Found { entries: Vec::with_capacity(8), index: HashMap::new() };
        self.collect(mapping, path, &mut found, 0);
        found.entries
    }

    fn collect(
        &mut self,
        mapping: NodeId,
        path: &Pointer<'_>,
        found: &mut Found<'a>,
        depth: usize,
    ) {
        let Node::Mapping(pairs) = self.tree.node(mapping) else { return };
        if !matches!(self.tree.tag(mapping), Tag::None | Tag::Mapping) {
            self.wrong_tag(Target { node: mapping, alias: None }, path);
        }
        let mut merges: Vec<(NodeId, Span)> = Vec::new();
        for (key, value) in pairs {
            let Some(key) = self.key(key, path) else { continue };
            let merge = key.scalar.value == "<<" && key.scalar.style == Style::Plain;
            // Merges come last, so at the top what is known already is the mapping's own.
            let first = match merges.first() {
                Some((_, first)) if merge => Some(*first),
                _ => found.first(key.scalar.value),
            };
            match first {
                Some(first) if depth == 0 => self.duplicate(&key, first, path),
                Some(_) => {}
                None if merge => merges.push((value, key.scalar.span)),
                None => found.add(Entry { key, value }),
            }
        }
        for (merged, _) in merges {
            self.merge(merged, path, found, depth);
        }
    }

    fn merge(&mut self, merged: NodeId, path: &Pointer<'_>, found: &mut Found<'a>, depth: usize) {
        let Some(target) = self.target(merged, path) else { return };
        match self.tree.node(target.node) {
            Node::Mapping(_) if depth < MERGE_DEPTH => {
                self.collect(target.node, path, found, depth + 1);
            }
            Node::Sequence(items) if depth < MERGE_DEPTH => {
                for item in items {
                    self.merge(item, path, found, depth + 1);
                }
            }
            _ => {
                let span = self.opening(target.node);
                let draft = Draft::new(Code::MergeKey, span, "`<<` can only merge mappings");
                let draft = draft.help(
                    "merge one mapping with `<<: *name`, or several with `<<: \
                                        [*a, *b]`",
                );
                self.push(draft.at(path), target.alias);
            }
        }
    }

    fn key(&mut self, node: NodeId, path: &Pointer<'_>) -> Option<Key<'a>> {
        let target = self.target(node, path)?;
        if let Node::Scalar(scalar) = self.tree.node(target.node)
            && !self.placeholder_at(scalar.span, path)
        {
            return Some(Key { node: target.node, scalar, alias: target.alias });
        }
        if matches!(self.tree.node(target.node), Node::Scalar(_)) || self.placeholder(target, path)
        {
            return None;
        }
        let span = self.opening(target.node);
        let draft = Draft::new(Code::WrongKind, span, "a key cannot be a list or a mapping");
        self.push(draft.help("write the key as a string").at(path), target.alias);
        None
    }

    fn duplicate(&mut self, key: &Key<'a>, first: Span, path: &Pointer<'_>) {
        let name = quoted(key.scalar.value);
        let draft =
            Draft::new(Code::DuplicateKey, key.scalar.span, format!("duplicate key {name}"));
        let draft = draft.label("duplicate").related(first, "first given here");
        let draft = draft.help("remove one of them: YAML parsers differ in which one they keep");
        self.findings.push(draft.at(&path.field(key.scalar.value)));
    }
}

/// The entries of a mapping, found by key. A few are compared, many are hashed: a hostile file may
/// have a million.
struct Found<'a> {
    entries: Vec<Entry<'a>>,
    index: HashMap<&'a str, Span>,
}

impl<'a> Found<'a> {
    const INDEX_FROM: usize = 16;

    /// Returns the span of the key `name`, if it exists.
    fn first(&self, name: &str) -> Option<Span> {
        if self.index.is_empty() {
            let same = |entry: &&Entry<'_>| entry.key.scalar.value == name;
            return self.entries.iter().find(same).map(|entry| entry.key.scalar.span);
        }
        self.index.get(name).copied()
    }

    fn add(&mut self, entry: Entry<'a>) {
        let place = |entry: &Entry<'a>| (entry.key.scalar.value, entry.key.scalar.span);
        if !self.index.is_empty() {
            self.index.extend([place(&entry)]);
        } else if self.entries.len() >= Self::INDEX_FROM {
            self.index.extend(self.entries.iter().map(place).chain([place(&entry)]));
        }
        self.entries.push(entry);
    }
}
