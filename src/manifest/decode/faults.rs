//! The words for what is not as it should be.

use super::Decoder;
use super::entries::{Entry, Key, Target};
use crate::diagnostic::words::{either, quoted};
use crate::diagnostic::{Code, Draft, Fix, Pointer, USED_BY_ALIAS};
use crate::manifest::fields::Shape;
use crate::source::Span;
use crate::yaml::{Node, NodeId, Resolved, Scalar, Style, Tag, resolve};

impl<'a> Decoder<'a, '_, '_> {
    /// A key that is no field of `shape`. `others` are the entries of the mapping.
    pub(super) fn unknown(
        &mut self,
        key: &Key<'a>,
        others: &[Entry<'a>],
        shape: Shape,
        path: &Pointer<'_>,
    ) {
        let message = format!("{} has no field {}", shape.name(), quoted(key.scalar.value));
        let draft = Draft::new(Code::UnknownField, key.scalar.span, message);
        let help = shape.help(key.scalar.value);
        let draft = draft.help(help).fix(rename(key, others, shape)).at(path);
        self.push(draft, key.alias);
    }

    pub(super) fn wrong_tag(&mut self, target: Target, path: &Pointer<'_>) {
        let span = self.tree.tag_span(target.node);
        let tag = quoted(self.tree.text().get(span.range()).unwrap_or("!"));
        let message = format!("the tag {tag} means nothing in a manifest");
        let draft = Draft::new(Code::YamlTag, span, message).at(path);
        self.push(
            draft.help("remove the tag, and quote the value if it is to be text"),
            target.alias,
        );
    }

    /// A value of another kind than its key wants.
    pub(super) fn wrong_kind_of(
        &mut self,
        key: &Key<'a>,
        target: Target,
        wanted: &str,
        path: &Pointer<'_>,
        help: Option<String>,
    ) {
        let name = quoted(key.scalar.value);
        if let Node::Scalar(scalar) = self.tree.node(target.node)
            && scalar.span.is_empty()
        {
            let message = format!("{name} has no value, and {wanted} belongs there");
            let draft = Draft::new(Code::WrongKind, key.scalar.span, message).at(path);
            let help = help.map_or_else(String::new, |help| format!("; {help}"));
            self.push(draft.help(format!("remove the line, or fill it in{help}")), target.alias);
            return;
        }
        self.wrong_kind(target, &name, wanted, path, help);
    }

    pub(super) fn wrong_kind(
        &mut self,
        target: Target,
        name: &str,
        wanted: &str,
        path: &Pointer<'_>,
        help: Option<String>,
    ) {
        let found = self.found(target.node);
        self.misfit(target, format!("{name} is {found}, and {wanted} belongs there"), path, help);
    }

    /// A document or an item of a list that is not what it should be.
    pub(super) fn no_mapping(
        &mut self,
        target: Target,
        shape: Shape,
        path: &Pointer<'_>,
        help: String,
    ) {
        let found = self.found(target.node);
        let message = format!("{found} stands where {} belongs", shape.name());
        self.misfit(target, message, path, Some(help));
    }

    pub(super) fn found(&self, node: NodeId) -> &'static str {
        match self.tree.node(node) {
            Node::Scalar(scalar) if scalar.span.is_empty() => "nothing",
            Node::Scalar(scalar) if self.is_null(&scalar, node) => "null",
            Node::Scalar(_) => "a single value",
            Node::Mapping(_) => "a mapping",
            _ => "a list",
        }
    }

    pub(super) fn misfit(
        &mut self,
        target: Target,
        message: String,
        path: &Pointer<'_>,
        help: Option<String>,
    ) {
        if self.tree.is_partial(target.node) {
            return;
        }
        let mut draft = Draft::new(Code::WrongKind, self.opening(target.node), message).at(path);
        if let Some(help) = help {
            draft = draft.help(help);
        }
        self.push(draft, target.alias);
    }

    pub(super) fn is_null(&self, scalar: &Scalar<'_>, node: NodeId) -> bool {
        scalar.style == Style::Plain
            && self.untagged(node)
            && resolve(scalar.value) == Resolved::Null
    }

    pub(super) fn untagged(&self, node: NodeId) -> bool {
        self.tree.tag(node) == Tag::None
    }

    pub(super) fn source_text(&self, span: Span) -> String {
        quoted(self.tree.text().get(span.range()).unwrap_or("*"))
    }

    /// A finding about a value, with the alias that brought it here.
    pub(super) fn push(&mut self, draft: Draft, alias: Option<Span>) {
        self.findings.push(match alias {
            Some(alias) => draft.related(alias, USED_BY_ALIAS),
            None => draft,
        });
    }

    /// The first key of a mapping, or its braces.
    pub(super) fn head(&self, node: NodeId) -> Span {
        match self.tree.node(node) {
            Node::Mapping(mut entries) => {
                entries.next().map_or_else(|| self.tree.span(node), |(key, _)| self.tree.span(key))
            }
            _ => self.tree.span(node),
        }
    }

    /// What of a value is underlined: never more than its first line.
    pub(super) fn opening(&self, node: NodeId) -> Span {
        let span = match self.tree.node(node) {
            Node::Mapping(_) => self.head(node),
            _ => self.tree.span(node),
        };
        let raw = self.tree.text().get(span.range()).unwrap_or("");
        let line = raw.find(['\n', '\r']).map_or(raw, |end| &raw[..end]);
        Span::new(span.start as usize..span.start as usize + line.trim_end().len())
    }
}

/// The field that was meant in place of `key`, unless the mapping has that too. Case alone is safe to
/// mend; anything more is a guess.
fn rename(key: &Key<'_>, others: &[Entry<'_>], shape: Shape) -> Option<Fix> {
    let name = key.scalar.value;
    // What is a field elsewhere is in the wrong place, not misspelt.
    if Shape::ALL.iter().any(|shape| shape.fields().contains(&name)) {
        return None;
    }
    let meant = shape.meant(name)?;
    let taken = |other: &Entry<'_>| other.key.scalar.value == meant;
    let rivals = others.iter().filter(|other| shape.meant(other.key.scalar.value) == Some(meant));
    if others.iter().any(taken) || rivals.count() > 1 || key.alias.is_some() {
        return None;
    }
    let raw = key.scalar.source(key.scalar.span);
    let written = match raw.chars().next()? {
        quote @ ('"' | '\'') => format!("{quote}{meant}{quote}"),
        _ if raw == name => meant.to_owned(),
        _ => return None,
    };
    let edit = if meant.eq_ignore_ascii_case(name) { Fix::safe } else { Fix::unsafely };
    Some(edit(key.scalar.span, written))
}

pub(super) fn quote_it(text: &str) -> String {
    format!("quote it: `'{}'`", shortened(text))
}

pub(super) fn shape_help(shape: Shape) -> String {
    match shape {
        Shape::Artifact => {
            "a manifest holds one artifact, several documents of one each, a list of them, \
             or `Defaults:` and `Artifacts:`"
                .to_owned()
        }
        _ => format!("use {}", either(shape.fields().iter().copied())),
    }
}

/// `text` for a help line.
pub(super) fn shortened(text: &str) -> String {
    let quoted = quoted(text);
    quoted.trim_matches('`').to_owned()
}
