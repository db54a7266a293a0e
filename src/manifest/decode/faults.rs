//! The words for what is not as it should be.

use super::Decoder;
use super::entries::{Entry, Key, Target};
use crate::diagnostic::{Code, Draft, Fix, Pointer, USED_BY_ALIAS};
use crate::manifest::fields::{Shape, is_known, is_same};
use crate::manifest::placeholders::placeholder;
use crate::model::Field;
use crate::source::Span;
use crate::text::{counted, either, list, quoted};
use crate::yaml::{Node, NodeId, Resolved, Scalar, Style, Tag, resolve};

/// Read-only fields that a message names.
const NAMED: usize = 3;
/// Read-only fields that are shown besides the first.
const SHOWN: usize = 8;

/// The help and the fix of a finding.
#[derive(Default)]
pub(super) struct Advice {
    help: Option<String>,
    fix: Option<Fix>,
    /// True if the field cannot be left out.
    required: bool,
}

impl Advice {
    pub(super) const fn required(mut self, required: bool) -> Self {
        self.required = required;
        self
    }

    pub(super) fn fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }
}

impl From<String> for Advice {
    fn from(help: String) -> Self {
        Self { help: Some(help), ..Self::default() }
    }
}

impl From<&str> for Advice {
    fn from(help: &str) -> Self {
        help.to_owned().into()
    }
}

impl<'a> Decoder<'a, '_, '_> {
    /// Reports a key that is not a field of `shape`. `meant` is its certain correction.
    pub(super) fn unknown(
        &mut self,
        key: &Key<'a>,
        shape: Shape,
        meant: Option<&'static Field>,
        others: &[Entry<'a>],
        path: &Pointer<'_>,
    ) {
        let message = format!("unknown field {} in {}", quoted(key.scalar.value), shape.name());
        let draft = Draft::new(Code::UnknownField, key.scalar.span, message);
        let is_there = |name: &str| others.iter().any(|other| other.key.scalar.value == name);
        let help = shape.help(key.scalar.value, &is_there);
        let fix = meant.and_then(|meant| rename(key, meant.name));
        self.push(draft.help(help).fix(fix).at(path), key.alias);
    }

    /// A key whose field belongs to the mapping of `parent` further down.
    pub(super) fn belongs_below(
        &mut self,
        key: &Key<'a>,
        shape: Shape,
        parent: &'static Field,
        fix: Option<Fix>,
        path: &Pointer<'_>,
    ) {
        let name = key.scalar.value;
        let message = match shape.misplaced(name) {
            Some((_, field)) if field.name == name => {
                format!("{} is a field of `{}`, not of {}", quoted(name), parent.name, shape.name())
            }
            _ => format!("unknown field {} in {}", quoted(name), shape.name()),
        };
        let draft = Draft::new(Code::UnknownField, key.scalar.span, message);
        self.push(draft.help(shape.help(name, &|_| false)).fix(fix).at(path), key.alias);
    }

    /// Reports read-only fields in one finding.
    pub(super) fn read_only(&mut self, node: NodeId, entries: &[Entry<'a>], found: &[usize]) {
        let fields = || found.iter().filter_map(|at| entries.get(*at));
        let Some(first) = fields().next() else { return };
        let named: Vec<_> =
            fields().take(NAMED).map(|entry| quoted(entry.key.scalar.value)).collect();
        let verb = if found.len() == 1 { "is" } else { "are" };
        let names = match found.len().saturating_sub(NAMED) {
            0 => list(&named),
            more => format!("{} and {}", named.join(", "), counted(more, "other field")),
        };
        let is_answer = fields().any(|entry| is_same(entry.key.scalar.value, "ArtifactArn"));
        let message = if is_answer && found.len() > 1 {
            format!("this is a `DescribeArtifact` response: {names} {verb} read-only")
        } else {
            format!("{names} {verb} read-only, part of a `DescribeArtifact` response")
        };
        let it = if found.len() == 1 {
            "it: the service sets it"
        } else {
            "them: the service sets them"
        };
        let mut draft = Draft::new(Code::UnknownField, first.key.scalar.span, message)
            .help(format!("remove {it}"))
            .fix(self.remove(node, entries, found))
            .at(&crate::diagnostic::ROOT.field(first.key.scalar.value));
        for other in fields().skip(1).take(SHOWN) {
            draft = draft.related(other.key.scalar.span, "also read-only");
        }
        self.push(draft, first.key.alias);
    }

    pub(super) fn wrong_tag(&mut self, target: Target, path: &Pointer<'_>) {
        let span = self.tree.tag_span(target.node);
        let tag = quoted(self.tree.text().get(span.range()).unwrap_or("!"));
        let message = format!("the YAML tag {tag} is not allowed in a manifest");
        let draft = Draft::new(Code::YamlTag, span, message).at(path);
        self.push(draft.help("remove the tag; quote the value if it is a string"), target.alias);
    }

    /// Reports a value of another kind than its key requires.
    pub(super) fn wrong_kind_of(
        &mut self,
        key: &Key<'a>,
        target: Target,
        wanted: &str,
        path: &Pointer<'_>,
        advice: Advice,
    ) {
        let name = quoted(key.scalar.value);
        if let Node::Scalar(scalar) = self.tree.node(target.node)
            && scalar.span.is_empty()
        {
            let message = format!("{name} has no value; expected {wanted}");
            let draft = Draft::new(Code::WrongKind, key.scalar.span, message).at(path);
            let help = match (advice.help, advice.required) {
                (Some(help), true) => help,
                (None, true) => "fill it in".to_owned(),
                (Some(help), false) => format!("fill it in, or remove the line; {help}"),
                (None, false) => "fill it in, or remove the line".to_owned(),
            };
            self.push(draft.help(help), target.alias);
            return;
        }
        let found = self.found(target.node);
        self.misfit(target, format!("{name} is {found}; expected {wanted}"), path, advice);
    }

    /// Reports a document or an item of a list of the wrong kind.
    pub(super) fn no_mapping(
        &mut self,
        target: Target,
        shape: Shape,
        path: &Pointer<'_>,
        help: String,
    ) {
        let found = self.found(target.node);
        let message = format!("expected {}, found {found}", shape.name());
        self.misfit(target, message, path, help.into());
    }

    pub(super) fn found(&self, node: NodeId) -> &'static str {
        match self.tree.node(node) {
            Node::Scalar(scalar) if scalar.span.is_empty() => "nothing",
            Node::Scalar(scalar) if self.is_null(&scalar, node) => "null",
            Node::Scalar(_) => "a scalar",
            Node::Mapping(_) => "a mapping",
            _ => "a list",
        }
    }

    pub(super) fn misfit(
        &mut self,
        target: Target,
        message: String,
        path: &Pointer<'_>,
        advice: Advice,
    ) {
        if self.tree.is_partial(target.node) || self.placeholder(target, path) {
            return;
        }
        let draft = Draft::new(Code::WrongKind, self.opening(target.node), message).at(path);
        let draft = match advice.help {
            Some(help) => draft.help(help),
            None => draft,
        };
        self.push(draft.fix(advice.fix), target.alias);
    }

    /// Returns whether `{{name}}` without quotes stands at `target`, which YAML takes for two
    /// mappings. It is a finding.
    pub(super) fn placeholder(&mut self, target: Target, path: &Pointer<'_>) -> bool {
        let span = self.tree.span(target.node);
        match self.tree.node(target.node) {
            Node::Mapping(_) => {}
            Node::Scalar(_) => return self.placeholder_at(span, path),
            _ => return false,
        }
        let Some((_, draft)) = placeholder(self.tree.text(), span.range().start) else {
            return false;
        };
        self.push(draft.at(path), target.alias);
        true
    }

    /// Returns whether the string at `span` stands in for a placeholder, which is a finding.
    pub(super) fn placeholder_at(&mut self, span: Span, path: &Pointer<'_>) -> bool {
        let Some(one) = self.placeholders.iter_mut().find(|one| one.value == span) else {
            return false;
        };
        if !std::mem::replace(&mut one.reported, true) {
            self.findings.push(one.draft.clone().at(path));
        }
        true
    }

    /// Returns whether the string at `span` stands in for a placeholder.
    pub(super) fn stands_in(&self, span: Span) -> bool {
        self.placeholders.iter().any(|one| one.value == span)
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

    /// Adds a finding about a value, with the alias that brought it here.
    pub(super) fn push(&mut self, draft: Draft, alias: Option<Span>) {
        self.findings.push(match alias {
            Some(alias) => draft.related(alias, USED_BY_ALIAS),
            None => draft,
        });
    }

    /// Returns the first key of a mapping, or its braces.
    pub(super) fn head(&self, node: NodeId) -> Span {
        match self.tree.node(node) {
            Node::Mapping(mut entries) => {
                entries.next().map_or_else(|| self.tree.span(node), |(key, _)| self.tree.span(key))
            }
            _ => self.tree.span(node),
        }
    }

    /// Returns the span that is underlined for a value: never more than its first line.
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

/// Returns the field that was meant by the key `name`, if there is no doubt about it: no field of
/// another mapping has the name, and neither the field itself nor another key that could mean it is
/// there.
pub(super) fn correction(name: &str, others: &[Entry<'_>], shape: Shape) -> Option<&'static Field> {
    // What is a field elsewhere is in the wrong place, not misspelt.
    if is_known(name) {
        return None;
    }
    let meant = shape.meant(name)?;
    let taken = |other: &Entry<'_>| other.key.scalar.value == meant.name;
    let means = |other: &&Entry<'_>| {
        shape.meant(other.key.scalar.value).is_some_and(|field| field.is(meant))
    };
    let rivals = others.iter().filter(means);
    (!others.iter().any(taken) && rivals.count() == 1).then_some(meant)
}

/// Returns the edit that writes `meant` in place of `key`. It is safe where nothing but case,
/// hyphens and underscores differ, as in the names of other SDKs.
fn rename(key: &Key<'_>, meant: &str) -> Option<Fix> {
    if key.alias.is_some() {
        return None;
    }
    let name = key.scalar.value;
    let written = renamed(key, meant)?;
    let edit = if is_same(name, meant) { Fix::safe } else { Fix::unsafely };
    Some(edit(key.scalar.span, written))
}

/// Returns `name` as it would be written in place of `key`.
pub(super) fn renamed(key: &Key<'_>, name: &str) -> Option<String> {
    let raw = key.scalar.source(key.scalar.span);
    match raw.chars().next()? {
        quote @ ('"' | '\'') => Some(format!("{quote}{name}{quote}")),
        _ => (raw == key.scalar.value).then(|| name.to_owned()),
    }
}

pub(super) fn quote_it(text: &str) -> String {
    format!("quote it: `'{}'`", shortened(text))
}

pub(super) fn shape_help(shape: Shape) -> String {
    if shape.is_artifact() {
        return "a manifest contains one artifact, several documents with one artifact each, a list \
                of artifacts, or `Defaults:` and `Artifacts:`"
            .to_owned();
    }
    format!("expected {}", either(shape.names()))
}

/// `text` for a help line.
pub(super) fn shortened(text: &str) -> String {
    let quoted = quoted(text);
    quoted.trim_matches('`').to_owned()
}
