//! Fixes of structure: values that are wrapped, moved or removed with their lines.
//!
//! Each keeps comments and everything outside its edits. If the text is ambiguous (an alias, a tag,
//! several lines where one is expected), there is no fix.

use std::ops::Range;

use super::entries::{Entry, Key};
use super::faults::renamed;
use super::{Decoder, Misplaced, is_text};
use crate::diagnostic::{Edit, Fix, Safety};
use crate::manifest::fields::{Shape, is_same};
use crate::manifest::layout::{
    indent_more, indentation, insert, line_end, line_start, newline, next_line, replace,
    whole_lines,
};
use crate::model::{Field, Kind};
use crate::yaml::{Node, NodeId, Scalar, Style};

impl<'a> Decoder<'a, '_, '_> {
    /// Returns whether a collection is written in brackets or braces.
    fn is_flow(&self, node: NodeId) -> bool {
        let raw = self.tree.text().get(self.tree.span(node).range()).unwrap_or("");
        (raw.starts_with('{') && raw.ends_with('}')) || (raw.starts_with('[') && raw.ends_with(']'))
    }

    /// Returns whether an entry is written in the mapping `node` itself, and not merged into it.
    fn is_own(&self, node: NodeId, entry: &Entry<'a>) -> bool {
        let (mapping, key) = (self.tree.span(node), entry.key.scalar.span);
        entry.key.alias.is_none() && mapping.start <= key.start && key.end <= mapping.end
    }

    /// Returns whether `entries` are all that is written in the mapping `node`: no key of it is there
    /// twice or unreadable.
    fn are_all(&self, node: NodeId, entries: &[Entry<'a>]) -> bool {
        let Node::Mapping(pairs) = self.tree.node(node) else { return false };
        pairs.count() == entries.len()
    }

    /// Returns the bytes of an entry, from its key to the end of its value.
    fn extent(&self, entry: &Entry<'a>) -> Range<usize> {
        let (key, value) = (entry.key.scalar.span.range(), self.tree.span(entry.value).range());
        let end = if value.is_empty() { key.end + 1 } else { value.end.max(key.end) };
        key.start..end.min(self.tree.text().len())
    }

    /// Returns the bytes between a key and its value, if there is nothing but the colon and spaces.
    fn separator(&self, key: &Scalar<'_>, value: &Scalar<'_>) -> Option<Range<usize>> {
        let range = key.span.range().end..value.span.range().start;
        let text = self.tree.text().get(range.clone())?;
        let only_spaces = |text: &str| text.chars().all(|c| c == ' ');
        let (before, behind) = text.split_once(':')?;
        (only_spaces(before) && only_spaces(behind)).then_some(range)
    }

    /// Returns a value on one line that is a text.
    fn line_of_text(&self, node: NodeId) -> Option<Scalar<'a>> {
        let Node::Scalar(scalar) = self.tree.node(node) else { return None };
        let raw = scalar.source(scalar.span);
        let simple = matches!(scalar.style, Style::Plain | Style::Single | Style::Double)
            && !raw.contains(['\n', '\r'])
            && self.untagged(node);
        (simple && is_text(&scalar)).then_some(scalar)
    }

    /// `Source: URI` becomes a mapping with that text as its field `main`.
    pub(super) fn main_mapping(
        &self,
        key: &Key<'a>,
        main: &Field,
        uri: &Scalar<'a>,
        parent: NodeId,
    ) -> Option<Fix> {
        if self.broken || key.alias.is_some() || uri.source(uri.span).contains(['\n', '\r']) {
            return None;
        }
        let between = self.separator(&key.scalar, uri)?;
        if self.is_flow(parent) {
            let quote = quote_of(key);
            let span = uri.span.range();
            let open = insert(span.start, format!("{{{quote}{}{quote}: ", main.name));
            return Some(safe(vec![open, insert(span.end, "}")]));
        }
        let text = self.tree.text();
        let indent = indentation(text, key.scalar.span.range().start)?;
        let head = format!(":{}{indent}  {}: ", newline(text), main.name);
        Some(safe(vec![replace(between, head)]))
    }

    /// Replaces an empty mapping with an empty list.
    pub(super) fn empty_list(&self, node: NodeId) -> Option<Fix> {
        let span = self.tree.span(node);
        self.is_flow(node).then(|| Fix::safe(span, "[]"))
    }

    /// A pair without its `- ` becomes an item.
    pub(super) fn one_item(&self, node: NodeId, entries: &[Entry<'a>]) -> Option<Fix> {
        let all_own = entries.iter().all(|entry| self.is_own(node, entry));
        if self.broken || !all_own || !self.are_all(node, entries) {
            return None;
        }
        let span = self.tree.span(node).range();
        let edits = if self.is_flow(node) {
            vec![insert(span.start, "["), insert(span.end, "]")]
        } else {
            let text = self.tree.text();
            whole_lines(text, span.start, span.end)?;
            let mut edits = vec![insert(span.start, "- ")];
            edits.extend(indent_more(text, span));
            edits
        };
        Some(Fix::new(Safety::Unsafe, edits))
    }

    /// Tags as `key: value` become a list of `Key` and `Value`.
    pub(super) fn list_of_tags(
        &self,
        field: &Key<'a>,
        node: NodeId,
        entries: &[Entry<'a>],
    ) -> Option<Fix> {
        let text = self.tree.text();
        let span = self.tree.span(node).range();
        let head = text.get(field.scalar.span.range().end..span.start)?;
        if self.broken || head.contains(['&', '!']) || !self.are_all(node, entries) {
            return None;
        }
        let flow = self.is_flow(node);
        let (line, quote) = (newline(text), quote_of(field));
        let mut edits = Vec::new();
        if flow {
            edits.push(replace(span.start..span.start + 1, "["));
        }
        for entry in entries {
            let key = &entry.key.scalar;
            let value = self.line_of_text(entry.value)?;
            if !self.is_own(node, entry) || key.source(key.span).contains(['\n', '\r']) {
                return None;
            }
            let between = self.separator(key, &value)?;
            let start = key.span.range().start;
            if flow {
                edits.push(insert(start, format!("{{{quote}Key{quote}: ")));
                edits.push(replace(between, format!(", {quote}Value{quote}: ")));
                edits.push(insert(value.span.range().end, "}"));
            } else {
                let indent = indentation(text, start)?;
                edits.push(insert(start, "- Key: "));
                edits.push(replace(between, format!("{line}{indent}  Value: ")));
            }
        }
        if flow {
            edits.push(replace(span.end - 1..span.end, "]"));
        }
        Some(safe(edits))
    }

    /// Removes some entries of a mapping, with the lines that they take.
    pub(super) fn remove(
        &self,
        node: NodeId,
        entries: &[Entry<'a>],
        removed: &[usize],
    ) -> Option<Fix> {
        let own: Vec<_> =
            entries.iter().enumerate().filter(|(_, entry)| self.is_own(node, entry)).collect();
        let goes = |at: &usize| removed.contains(at);
        if self.broken || own.iter().all(|(at, _)| goes(at)) {
            return None;
        }
        if !removed.iter().all(|gone| own.iter().any(|(at, _)| at == gone)) {
            return None;
        }
        let text = self.tree.text();
        let flow = self.is_flow(node);
        let mut edits: Vec<Edit> = Vec::new();
        let mut from = 0;
        while from < own.len() {
            if !goes(&own[from].0) {
                from += 1;
                continue;
            }
            let run = own[from..].iter().take_while(|(at, _)| goes(at)).count();
            let (first, last) = (self.extent(own[from].1), self.extent(own[from + run - 1].1));
            let next = own.get(from + run).map(|(_, entry)| self.extent(entry).start);
            let before = from.checked_sub(1).map(|at| self.extent(own[at].1).end);
            edits.push(match (flow, next, before) {
                (true, Some(next), _) => replace(first.start..next, ""),
                (true, None, Some(before)) => replace(before..last.end, ""),
                (false, next, _) => match (whole_lines(text, first.start, last.end), next) {
                    (Some(lines), _) => replace(lines, ""),
                    // The first key behind a dash: the next one takes its place.
                    (None, Some(next)) if from == 0 => replace(first.start..next, ""),
                    _ => return None,
                },
                (true, None, None) => return None,
            });
            from += run;
        }
        Some(Fix::new(Safety::Unsafe, edits))
    }

    /// Puts a field where it belongs: into the mapping for it, or, with all others that belong
    /// there, into a new one.
    pub(super) fn gather(
        &self,
        node: NodeId,
        entries: &[Entry<'a>],
        misplaced: &[Misplaced],
        one: &Misplaced,
    ) -> Option<Fix> {
        let group: Vec<_> = misplaced.iter().filter(|other| other.parent.is(one.parent)).collect();
        let fields = |field: &Field| group.iter().filter(|other| other.field.is(field)).count();
        let sound = group.iter().all(|other| {
            let entry = &entries[other.entry];
            self.is_own(node, entry) && fields(other.field) == 1
        });
        if self.broken || !sound {
            return None;
        }
        let parent = one.parent.name;
        let there = entries.iter().find(|entry| is_same(entry.key.scalar.value, parent));
        let edits = match there {
            Some(there) if there.key.scalar.value == parent => {
                self.move_into(node, there, entries, one)?
            }
            Some(_) => return None,
            None if self.is_flow(node) => self.wrap_flow(entries, &group, parent)?,
            None => self.wrap_block(node, entries, &group, parent)?,
        };
        Some(safe(edits))
    }

    fn wrap_flow(
        &self,
        entries: &[Entry<'a>],
        group: &[&Misplaced],
        parent: &str,
    ) -> Option<Vec<Edit>> {
        let mut edits = Vec::new();
        for (number, one) in group.iter().enumerate() {
            if group[0].entry + number != one.entry {
                return None;
            }
            let key = &entries[one.entry].key;
            let mut written = renamed(key, one.field.name)?;
            if number == 0 {
                let quote = quote_of(key);
                written = format!("{quote}{parent}{quote}: {{{written}");
            }
            edits.push(replace(key.scalar.span.range(), written));
        }
        let last = &entries[group.last()?.entry];
        if self.tree.span(last.value).is_empty() {
            return None;
        }
        edits.push(insert(self.extent(last).end, "}"));
        Some(edits)
    }

    fn wrap_block(
        &self,
        node: NodeId,
        entries: &[Entry<'a>],
        group: &[&Misplaced],
        parent: &str,
    ) -> Option<Vec<Edit>> {
        let text = self.tree.text();
        let line = newline(text);
        let first = &entries[group.first()?.entry];
        let indent = indentation(text, first.key.scalar.span.range().start)?;
        let name = renamed(&first.key, group[0].field.name)?;
        let head = format!("{parent}:{line}{indent}  {name}");
        let mut edits = vec![replace(first.key.scalar.span.range(), head)];
        let first_extent = self.extent(first);
        edits.extend(indent_more(text, first_extent.clone()));
        let mut end = first_extent.end;
        let mut next = group[0].entry + 1;
        let mut moved = String::new();
        let mut removed = Vec::new();
        for one in &group[1..] {
            let entry = &entries[one.entry];
            let extent = self.extent(entry);
            if one.entry == next && moved.is_empty() {
                whole_lines(text, extent.start, extent.end)?;
                edits.push(insert(line_start(text, extent.start), "  "));
                let name = renamed(&entry.key, one.field.name)?;
                edits.push(replace(entry.key.scalar.span.range(), name));
                edits.extend(indent_more(text, extent.clone()));
                end = extent.end;
                next += 1;
            } else {
                moved.push_str(&self.lines_below(entry, one.field.name, &indent)?);
                removed.push(self.without(node, entry)?);
            }
        }
        if !moved.is_empty() {
            edits.push(insert(line_end(text, end), moved));
            edits.extend(removed);
        }
        edits.sort_by_key(|edit| edit.span);
        Some(edits)
    }

    fn move_into(
        &self,
        node: NodeId,
        there: &Entry<'a>,
        entries: &[Entry<'a>],
        one: &Misplaced,
    ) -> Option<Vec<Edit>> {
        let Node::Mapping(mut children) = self.tree.node(there.value) else { return None };
        let mut has = children.clone();
        let Kind::Mapping(below) = one.parent.kind else { return None };
        let is_meant =
            |name: &str| Shape::of(below).meant(name).is_some_and(|meant| meant.is(one.field));
        let same = |key| matches!(self.tree.node(key), Node::Scalar(s) if is_meant(s.value));
        if self.is_flow(node) || self.is_flow(there.value) || has.any(|(key, _)| same(key)) {
            return None;
        }
        let text = self.tree.text();
        let (first, _) = children.next()?;
        let column = indentation(text, self.tree.span(first).range().start)?;
        let indent = column.strip_suffix("  ")?;
        let entry = &entries[one.entry];
        let end = line_end(text, self.tree.span(there.value).range().end);
        let below = self.lines_below(entry, one.field.name, indent)?;
        let mut edits = vec![insert(end, below), self.without(node, entry)?];
        edits.sort_by_key(|edit| edit.span);
        Some(edits)
    }

    /// Returns the lines of an entry, one level below `indent`, under the key `name`; a line break in
    /// front.
    fn lines_below(&self, entry: &Entry<'a>, name: &str, indent: &str) -> Option<String> {
        let text = self.tree.text();
        let extent = self.extent(entry);
        let own = indentation(text, extent.start)?;
        let end = line_end(text, extent.end);
        let key_end = entry.key.scalar.span.range().end;
        let rest = text.get(key_end..end)?;
        let line = newline(text);
        let mut out = format!("{line}{indent}  {}", renamed(&entry.key, name)?);
        for (number, part) in rest.lines().enumerate() {
            if number > 0 {
                out.push_str(line);
                if !part.is_empty() {
                    // A block list may stand as far left as its key.
                    let part = part.strip_prefix(own.as_str())?;
                    out.push_str(indent);
                    out.push_str("  ");
                    out.push_str(part);
                }
                continue;
            }
            out.push_str(part);
        }
        Some(out)
    }

    /// Returns the edit that takes the lines of an entry out.
    fn without(&self, node: NodeId, entry: &Entry<'a>) -> Option<Edit> {
        let text = self.tree.text();
        let extent = self.extent(entry);
        if let Some(lines) = whole_lines(text, extent.start, extent.end) {
            // The last line of a file may have no break: then the one before it goes.
            let ends = next_line(text, extent.end) > line_end(text, extent.end);
            if ends || lines.start == 0 {
                return Some(replace(lines, ""));
            }
            let head = text.get(..lines.start)?;
            let start = head.strip_suffix("\r\n").or_else(|| head.strip_suffix(['\n', '\r']));
            return Some(replace(start?.len()..lines.end, ""));
        }
        let Node::Mapping(entries) = self.tree.node(node) else { return None };
        let next = entries.map(|(key, _)| self.tree.span(key).range().start);
        let next = next.into_iter().find(|start| *start > extent.start)?;
        Some(replace(extent.start..next, ""))
    }
}

fn safe(edits: Vec<Edit>) -> Fix {
    Fix::new(Safety::Safe, edits)
}

/// Returns the quotes of keys in the style of `key`: those of JSON, or none.
fn quote_of(key: &Key<'_>) -> &'static str {
    if key.scalar.source(key.scalar.span).starts_with('"') { "\"" } else { "" }
}
