//! A template as YAML: owned nodes with their places.
//!
//! In: the text of a template. Out: [`Node`]s of its documents, or what is wrong with the YAML.

use crate::diagnostic::{Code, Draft, Findings};
use crate::manifest::{ARTIFACTS, filled};
use crate::source::Span;
use crate::text::quoted;
use crate::yaml::{self, NodeId, Piece, Reader, Style, SyntaxFault, Tree};

/// Aliases within aliases.
const DEPTH: usize = 64;
/// Nodes of a template, what aliases repeat included.
const MOST: usize = 10_000;

/// A text and its place.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) span: Span,
    /// The start of the value in the file, if it stands there as it reads.
    pub(super) verbatim: Option<u32>,
}

/// A node.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Text(Text),
    List(Vec<Self>, Span),
    Map(Vec<(Text, Self)>, Span),
    /// Something that has a finding already.
    Reported(Span),
}

impl Node {
    pub(super) const fn span(&self) -> Span {
        match self {
            Self::Text(text) => text.span,
            Self::List(_, span) | Self::Map(_, span) | Self::Reported(span) => *span,
        }
    }

    /// Returns its kind, with an article.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::List(..) => "a list",
            Self::Map(..) | Self::Reported(_) => "a mapping",
        }
    }

    /// The place that stands for all of it: its first key, its first item.
    pub(super) fn head(&self) -> Span {
        match self {
            Self::Text(text) => text.span,
            Self::List(items, span) => items.first().map_or(*span, Self::head),
            Self::Map(entries, span) => entries.first().map_or(*span, |(key, _)| key.span),
            Self::Reported(span) => *span,
        }
    }
}

/// The documents of the template that `findings` are about. Items of a list at the root, or of
/// `Artifacts`, come as a list.
pub(super) fn read(findings: &mut Findings<'_>) -> Vec<Node> {
    let text = findings.source().text();
    let mut documents = Vec::new();
    let parts = yaml::parts(text).into_iter().flat_map(|part| yaml::documents(text, part));
    for part in parts {
        // With strings in place of expressions without quotes, everything else can be checked.
        let filled = filled(text, part.clone());
        let unquoted = filled.as_ref().map_or(&[][..], |filled| &filled.placeholders);
        let unquoted: Vec<Span> = unquoted.iter().map(|one| one.value).collect();
        let text = filled.as_ref().map_or(text, |filled| &filled.text);
        let mut reader = Reader::new(text, part, ARTIFACTS);
        let mut items: Option<Vec<Node>> = None;
        let mut copied = Copied { nodes: 0, unquoted };
        while let Some(piece) = reader.next_piece() {
            match piece {
                Piece::List { .. } => items = Some(Vec::new()),
                Piece::Item(item) => {
                    let node = copied.node(reader.tree(), item, 0, findings);
                    if let (Some(items), Some(node)) = (&mut items, node) {
                        items.push(node);
                    }
                }
                Piece::Document { root } => {
                    let list = items.take();
                    let Some(root) = root else { continue };
                    let node = copied.node(reader.tree(), root, 0, findings);
                    documents.extend(node.map(|node| with_items(node, list)));
                }
                Piece::Broken { error, .. } => {
                    let code = match error.fault {
                        SyntaxFault::Syntax => Code::Syntax,
                        SyntaxFault::Nesting => Code::NestingDepth,
                        SyntaxFault::Size => Code::DocumentSize,
                    };
                    let draft = Draft::new(code, error.span, error.message);
                    findings.push(match error.help {
                        Some(help) => draft.help(help),
                        None => draft,
                    });
                    items = None;
                }
            }
        }
    }
    documents
}

/// `node` with the items that were handed over before it.
fn with_items(node: Node, list: Option<Vec<Node>>) -> Node {
    let Some(list) = list else { return node };
    match node {
        Node::Map(mut entries, span) => {
            for (key, value) in &mut entries {
                if key.value == ARTIFACTS {
                    *value = Node::List(list, value.span());
                    break;
                }
            }
            Node::Map(entries, span)
        }
        other => {
            let span = other.span();
            Node::List(list, span)
        }
    }
}

struct Copied {
    nodes: usize,
    /// The places of expressions without quotes, for which strings are read.
    unquoted: Vec<Span>,
}

/// Reports an expression without quotes.
fn unquoted(span: Span, findings: &mut Findings<'_>) -> Node {
    let draft = Draft::new(Code::UnquotedPlaceholder, span, "an expression without quotes");
    findings.push(draft.help("quote the whole value, as in `'{{ row.name }}'`"));
    Node::Reported(span)
}

/// Returns the span of the expression that begins at the mapping `span`, since YAML takes its braces
/// for two mappings.
fn expression(text: &str, span: Span) -> Option<Span> {
    let rest = text.get(span.range().start..)?;
    let line = rest.strip_prefix("{{")?.lines().next()?;
    let end = line.find("}}")? + "{{}}".len();
    Some(Span::new(span.range().start..span.range().start + end))
}

impl Copied {
    fn node(
        &mut self,
        tree: &Tree<'_>,
        id: NodeId,
        depth: usize,
        findings: &mut Findings<'_>,
    ) -> Option<Node> {
        let span = tree.span(id);
        self.nodes += 1;
        if self.nodes > MOST || depth > DEPTH {
            if self.nodes <= MOST + DEPTH {
                let message = "the template has too many values";
                findings.push(Draft::new(Code::DocumentSize, span, message));
                self.nodes += DEPTH;
            }
            return None;
        }
        let fault = |message: &str, code| Draft::new(code, span, message);
        match tree.node(id) {
            yaml::Node::Scalar(scalar) if self.unquoted.contains(&scalar.span) => {
                Some(unquoted(scalar.span, findings))
            }
            yaml::Node::Scalar(scalar) => {
                let value = scalar.value.to_owned();
                let source = scalar.source(scalar.span);
                let quotes = u32::from(matches!(scalar.style, Style::Single | Style::Double));
                let cut = quotes as usize;
                let inner = source.get(cut..source.len().saturating_sub(cut));
                let verbatim = (inner == Some(&value)).then_some(scalar.span.start + quotes);
                if value.contains("\u{0}") {
                    findings.push(fault("a NUL character", Code::TemplateSyntax));
                }
                Some(Node::Text(Text { value, span: scalar.span, verbatim }))
            }
            yaml::Node::Sequence(items) => {
                let nodes = items.filter_map(|item| self.node(tree, item, depth + 1, findings));
                let nodes: Vec<_> = nodes.collect();
                Some(Node::List(nodes, span))
            }
            yaml::Node::Streamed => Some(Node::List(Vec::new(), span)),
            yaml::Node::Mapping(_) if expression(tree.text(), span).is_some() => {
                Some(unquoted(expression(tree.text(), span).unwrap_or(span), findings))
            }
            yaml::Node::Mapping(entries) => {
                let mut copied: Vec<(Text, Node)> = Vec::new();
                for (key, value) in entries {
                    let key = self.node(tree, key, depth + 1, findings);
                    let value = self.node(tree, value, depth + 1, findings);
                    let (Some(key), Some(value)) = (key, value) else { continue };
                    let key = match key {
                        Node::Text(key) => key,
                        Node::Reported(_) => continue,
                        key => {
                            let message = format!("a key cannot be {}", key.kind());
                            let draft = Draft::new(Code::WrongKind, key.span(), message);
                            findings.push(draft.help("write the key as a string"));
                            continue;
                        }
                    };
                    if let Some((first, _)) =
                        copied.iter().find(|(other, _)| other.value == key.value)
                    {
                        let message = format!("duplicate key {}", quoted(&key.value));
                        let draft = Draft::new(Code::DuplicateKey, key.span, message);
                        let draft = draft.label("duplicate");
                        findings.push(
                            draft
                                .related(first.span, "first given here")
                                .help("remove one of them"),
                        );
                        continue;
                    }
                    copied.push((key, value));
                }
                Some(Node::Map(copied, span))
            }
            yaml::Node::Alias(alias) => self.node(tree, alias.target, depth + 1, findings),
            yaml::Node::RecursiveAlias => {
                findings.push(fault("an alias inside of what it names", Code::RecursiveAlias));
                None
            }
            yaml::Node::UnknownAlias => {
                findings.push(fault("an alias without its anchor", Code::UnknownAnchor));
                None
            }
        }
    }
}
