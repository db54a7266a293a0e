//! A template as YAML: owned nodes with their places.
//!
//! In: the text of a template. Out: [`Node`]s of its documents, or what is wrong with the YAML.

use crate::diagnostic::{Code, Draft, Findings};
use crate::manifest::ARTIFACTS;
use crate::source::Span;
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
}

impl Node {
    pub(super) const fn span(&self) -> Span {
        match self {
            Self::Text(text) => text.span,
            Self::List(_, span) | Self::Map(_, span) => *span,
        }
    }

    /// Returns its kind, with an article.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::List(..) => "a list",
            Self::Map(..) => "a mapping",
        }
    }

    /// The place that stands for all of it: its first key, its first item.
    pub(super) fn head(&self) -> Span {
        match self {
            Self::Text(text) => text.span,
            Self::List(items, span) => items.first().map_or(*span, Self::head),
            Self::Map(entries, span) => entries.first().map_or(*span, |(key, _)| key.span),
        }
    }
}

/// The documents of the template that `findings` are about. Items of a list at the root, or of
/// `Artifacts`, come as a list.
pub(super) fn read(findings: &mut Findings<'_>) -> Vec<Node> {
    let text = findings.source().text();
    let mut documents = Vec::new();
    for part in yaml::parts(text) {
        let mut reader = Reader::new(text, part, ARTIFACTS);
        let mut items: Option<Vec<Node>> = None;
        let mut copied = Copied { nodes: 0 };
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
                    let unquoted = unquoted(text, error.span.range().start);
                    let mut draft = match unquoted {
                        Some(span) => Draft::new(
                            Code::UnquotedPlaceholder,
                            span,
                            "an expression without quotes",
                        ),
                        None => Draft::new(code, error.span, error.message),
                    };
                    if let Some(help) = error.help.filter(|_| unquoted.is_none()) {
                        draft = draft.help(help);
                    } else if unquoted.is_some() {
                        draft = draft.help("quote the whole value, as in `'{{ row.name }}'`");
                    }
                    findings.push(draft);
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

/// The first braces of the line of `at`, if they stand without quotes.
fn unquoted(text: &str, at: usize) -> Option<Span> {
    let at = text.floor_char_boundary(at.min(text.len()));
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next()?;
    let (open, close) = (line.find("{{")?, line.find("}}")? + 2);
    let before = line[..open].trim_end();
    let is_bare = before.ends_with(':') || before.ends_with('-');
    (is_bare && open < close).then(|| Span::new(start + open..start + close))
}

struct Copied {
    nodes: usize,
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
            yaml::Node::Mapping(entries) => {
                let mut copied: Vec<(Text, Node)> = Vec::new();
                for (key, value) in entries {
                    let key = self.node(tree, key, depth + 1, findings);
                    let value = self.node(tree, value, depth + 1, findings);
                    let (Some(key), Some(value)) = (key, value) else { continue };
                    let Node::Text(key) = key else {
                        let message = format!("{} is the key of a mapping", key.kind());
                        let draft = Draft::new(Code::UnquotedPlaceholder, key.span(), message);
                        findings.push(draft.help("quote an expression, as in `'{{ row.name }}'`"));
                        continue;
                    };
                    if let Some((first, _)) =
                        copied.iter().find(|(other, _)| other.value == key.value)
                    {
                        let message = format!("the key `{}` twice", key.value);
                        let draft = Draft::new(Code::DuplicateKey, key.span, message);
                        findings.push(draft.related(first.span, "first here").help("remove one"));
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
