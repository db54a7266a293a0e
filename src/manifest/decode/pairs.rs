//! Lists of mappings with two required texts: `Tags` and `SourceTypes`.

use super::Decoder;
use super::entries::{Entry, Key, Target};
use super::faults::Advice;
use crate::diagnostic::{Code, Draft, Pointer};
use crate::manifest::fields::{Shape, is_same};
use crate::manifest::raw::{RawMapping, RawValue, Slot, Text};
use crate::model::Mapping;
use crate::yaml::{Node, NodeId};

impl<'a> Decoder<'a, '_, '_> {
    /// A list of mappings `of`. Where they are keyed, a mapping of texts can be meant as one.
    pub(super) fn pairs(
        &mut self,
        of: &'static Mapping,
        keyed: bool,
        key: &Key<'a>,
        value: NodeId,
        path: &Pointer<'_>,
    ) -> Slot<Vec<RawMapping<'a>>> {
        let Some(list) = self.target(value, path) else {
            return Slot::Faulty;
        };
        let items = match self.tree.node(list.node) {
            Node::Sequence(items) => items,
            Node::Mapping(_) => return self.pairs_of_mapping(of, keyed, key, list, path),
            _ => {
                self.wrong_kind_of(key, list, "a list", path, of.form.into());
                return Slot::Faulty;
            }
        };
        let items = items.enumerate();
        let mut pairs = Vec::new();
        for (index, item) in items {
            let path = &path.item(index);
            let span = self.tree.span(item);
            let mut pair = RawMapping::unreadable(of, span);
            if let Some(target) = self.target(item, path) {
                if matches!(self.tree.node(target.node), Node::Mapping(_)) {
                    pair = RawMapping::new(of, self.head(target.node));
                    pair.item = span;
                    self.pair(target.node, path, &mut pair);
                } else {
                    self.no_mapping(target, Shape::of(of), path, of.form.to_owned());
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
        of: &'static Mapping,
        keyed: bool,
        key: &Key<'a>,
        list: Target,
        path: &Pointer<'_>,
    ) -> Slot<Vec<RawMapping<'a>>> {
        let entries = self.entries(list.node, path);
        let is_field = |entry: &Entry<'_>| {
            of.fields.iter().any(|field| is_same(entry.key.scalar.value, field.name))
        };
        let is_one = entries.iter().all(is_field);
        let fix = match (entries.is_empty(), is_one) {
            (true, _) => self.empty_list(list.node),
            (false, true) => self.one_item(list.node, &entries),
            (false, false) if keyed => self.list_of_tags(key, list.node, &entries),
            _ => None,
        };
        let fix = fix.filter(|_| list.alias.is_none());
        self.wrong_kind_of(key, list, "a list", path, Advice::from(of.form).fix(fix));
        let head = self.head(list.node);
        if entries.is_empty() {
            return Slot::Doubtful(Vec::new());
        }
        if is_one {
            let mut pair = RawMapping::new(of, head);
            pair.item = self.tree.span(list.node);
            self.pair(list.node, path, &mut pair);
            return Slot::Doubtful(vec![pair]);
        }
        let (true, [first, second]) = (keyed, of.fields) else { return Slot::Faulty };
        let pairs = entries.iter().map(|Entry { key, value }| {
            let path = &path.field(key.scalar.value);
            let Key { scalar, alias, .. } = *key;
            let name = Text { value: scalar.value, span: scalar.span, alias, scalar };
            let value = self.text(key, *value, None, path);
            let mut pair = RawMapping::new(of, scalar.span);
            pair.set(first, Slot::Given(RawValue::Text(name)));
            pair.set(second, value.map(RawValue::Text));
            pair
        });
        Slot::Doubtful(pairs.collect())
    }

    fn pair(&mut self, node: NodeId, path: &Pointer<'_>, pair: &mut RawMapping<'a>) {
        let of = pair.of;
        let entries = self.entries(node, path);
        for entry in &entries {
            self.take(pair, entry, &entries, Shape::of(of), node, path);
        }
        if self.broken {
            return;
        }
        for field in of.fields.iter().filter(|field| field.required) {
            if pair.slot(field).is_absent() {
                pair.set(field, Slot::Faulty);
                let message = pair.missing(field);
                let draft = Draft::new(Code::MissingField, pair.head, message).at(path);
                self.findings.push(draft.help(format!("add `{}: …`", field.name)));
            }
        }
    }
}
