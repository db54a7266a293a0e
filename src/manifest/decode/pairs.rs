//! Lists of mappings with two required fields: `Tags` and `SourceTypes`.

use super::entries::{Entry, Key, Target};
use super::faults::Advice;
use super::{Decoder, Field};
use crate::diagnostic::{Code, Draft, Pointer};
use crate::manifest::fields::{Shape, is_same};
use crate::manifest::raw::{RawSourceType, RawTag, Slot, Text};
use crate::source::Span;
use crate::yaml::{Node, NodeId};

struct Pair<'a> {
    head: Span,
    item: Span,
    values: [Slot<Text<'a>>; 2],
}

impl<'a> Decoder<'a, '_, '_> {
    pub(super) fn source_types(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<Vec<RawSourceType<'a>>> {
        let help = "write each as `- SourceIdType: Custom` and below it `Value: …`";
        self.pairs(key, value, path, Shape::SourceType, help).map_into(|pair| RawSourceType {
            head: pair.head,
            item: pair.item,
            id_type: pair.values[0],
            value: pair.values[1],
        })
    }

    pub(super) fn tags(
        &mut self,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<Vec<RawTag<'a>>> {
        let help = "write each tag as `- Key: …` and below it `Value: …`";
        self.pairs(key, value, path, Shape::Tag, help).map_into(|pair| RawTag {
            head: pair.head,
            item: pair.item,
            key: pair.values[0],
            value: pair.values[1],
        })
    }

    /// Decodes a list of mappings with the two fields of `shape`, both required.
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
        let items = match self.tree.node(list.node) {
            Node::Sequence(items) => items,
            Node::Mapping(_) => return self.pairs_of_mapping(key, list, path, shape, help),
            _ => {
                self.wrong_kind_of(key, list, "a list", path, help.into());
                return Slot::Faulty;
            }
        };
        let items = items.enumerate();
        let mut pairs = Vec::new();
        for (index, item) in items {
            let path = &path.item(index);
            let span = self.tree.span(item);
            let mut pair = Pair { head: span, item: span, values: [Slot::Faulty, Slot::Faulty] };
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

    /// Decodes a mapping where a list of pairs belongs: one pair without its `- `, or tags as `key:
    /// value`.
    fn pairs_of_mapping(
        &mut self,
        key: &Key<'a>,
        list: Target,
        path: &Pointer<'_>,
        shape: Shape,
        help: &str,
    ) -> Slot<Vec<Pair<'a>>> {
        let entries = self.entries(list.node, path);
        let is_field = |entry: &Entry<'_>| {
            shape.fields().iter().any(|field| is_same(entry.key.scalar.value, field))
        };
        let (is_one, is_tags) = (entries.iter().all(is_field), shape == Shape::Tag);
        let fix = match (entries.is_empty(), is_one) {
            (true, _) => self.empty_list(list.node),
            (false, true) => self.one_item(list.node, &entries),
            (false, false) if is_tags => self.list_of_tags(key, list.node, &entries),
            _ => None,
        };
        let fix = fix.filter(|_| list.alias.is_none());
        self.wrong_kind_of(key, list, "a list", path, Advice::from(help).fix(fix));
        let head = self.head(list.node);
        if entries.is_empty() {
            return Slot::Doubtful(Vec::new());
        }
        if is_one {
            let item = self.tree.span(list.node);
            let mut pair = Pair { head, item, values: [Slot::Absent, Slot::Absent] };
            self.pair(list.node, path, shape, &mut pair);
            return Slot::Doubtful(vec![pair]);
        }
        if !is_tags {
            return Slot::Faulty;
        }
        let pairs = entries.iter().map(|Entry { key, value }| {
            let path = &path.field(key.scalar.value);
            let Key { scalar, alias, .. } = *key;
            let name = Text { value: scalar.value, span: scalar.span, alias, scalar };
            let value = self.text(key, *value, path);
            Pair { head: scalar.span, item: scalar.span, values: [Slot::Given(name), value] }
        });
        Slot::Doubtful(pairs.collect())
    }

    fn pair(&mut self, node: NodeId, path: &Pointer<'_>, shape: Shape, pair: &mut Pair<'a>) {
        let names = shape.fields();
        let entries = self.entries(node, path);
        for Entry { key, value } in &entries {
            let (key, value) = (key, *value);
            let path = &path.field(key.scalar.value);
            let number = |field: &str| names.iter().position(|name| *name == field);
            if let Some(slot) = number(key.scalar.value).and_then(|at| pair.values.get_mut(at)) {
                *slot = self.text(key, value, path);
                continue;
            }
            match self.field(key, &entries, shape, path) {
                Some(Field { name, exact }) => {
                    let text = self.text(key, value, path).known_if(exact);
                    if let Some(slot) = number(name).and_then(|at| pair.values.get_mut(at)) {
                        *slot = text;
                    }
                }
                None => {
                    let meant = shape.meant(key.scalar.value).and_then(number);
                    if let Some(slot) = meant.and_then(|at| pair.values.get_mut(at)) {
                        *slot = slot.or_faulty();
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
                let message = format!("missing field `{name}` in {}", shape.name());
                let draft = Draft::new(Code::MissingField, pair.head, message).at(path);
                self.findings.push(draft.help(format!("add `{name}: …`")));
            }
        }
    }
}

impl<T> Slot<Vec<T>> {
    fn map_into<U>(self, change: impl Fn(T) -> U) -> Slot<Vec<U>> {
        let list = |list: Vec<T>| list.into_iter().map(change).collect();
        match self {
            Self::Absent => Slot::Absent,
            Self::Faulty => Slot::Faulty,
            Self::Doubtful(pairs) => Slot::Doubtful(list(pairs)),
            Self::Given(pairs) => Slot::Given(list(pairs)),
        }
    }
}
