//! Spanned nodes to raw artifacts: values that may be partial, and the findings about their shape.
//!
//! In: one part of a source file. Out: calls of [`Visit`], one an artifact, in the order of the
//! file, with whatever could be read of it. Every fault of shape is a finding (fields that do not
//! exist, keys given twice, numbers where strings belong), none hides the next. What the values
//! must be like is the business of [`crate::check`].

mod decode;
mod fields;
pub(crate) mod layout;
mod other;
mod parts;
mod place;
mod placeholders;
mod raw;
mod spaces;
pub mod write;

use std::ops::Range;

use decode::Decoder;
pub(crate) use fields::Shape;
pub use parts::{Part, parts};
use parts::{has_placeholder, may_be_odd};
pub use place::{Checked, place};
pub use raw::{RawMapping, RawProperty, RawValue, Slot, Text};

use other::Other;
pub(crate) use placeholders::filled;
use placeholders::{Filled, Placeholder, placeholder_on_line};
use spaces::Spaces;

use crate::diagnostic::{Code, Draft, Findings};
use crate::model::{ARTIFACT, Field};
use crate::source::Span;
use crate::yaml::{self, Node, NodeId, OddSpace, Piece, Reader, SyntaxError, SyntaxFault, Tree};

/// The key of a root mapping that contains the defaults of its artifacts.
pub const DEFAULTS: &str = "Defaults";
/// The key of a root mapping that holds its artifacts.
pub const ARTIFACTS: &str = "Artifacts";

/// The number of nodes that aliases may expand to in one part of a file, besides as many as sixteen
/// times the part's bytes: repeating a block of defaults in each artifact is fine, doubling thirty
/// times over is not.
const ALIAS_ALLOWANCE: usize = 1 << 20;

/// The number of bytes that the copies of documents with placeholders or odd spaces may have in one part
/// of a file: each begins with as many as stand before its document. Beyond that, such a document is
/// only reported for them.
const COPIES_ALLOWANCE: usize = 512 << 20;
/// The number of copies that a document with odd spaces may take.
const COPIES_OF_SPACES: usize = 8;

/// Takes what [`read`] finds, in the order of the file.
pub trait Visit {
    /// Begins a document.
    fn document(&mut self);
    /// Returns what the artifacts of this document have in common. Comes before the first of them.
    fn defaults(&mut self, defaults: &RawMapping<'_>, findings: &mut Findings<'_>);
    /// An artifact.
    fn artifact(&mut self, artifact: &RawMapping<'_>, findings: &mut Findings<'_>);
    /// Something where an artifact belongs that is none, at `place`.
    fn not_an_artifact(&mut self, place: Span, findings: &mut Findings<'_>);
    /// Notes a syntax error at the last artifact: none of the document's artifacts can be trusted.
    fn broken(&mut self);
}

/// Reads a part of a source.
pub fn read(part: &Part, findings: &mut Findings<'_>, visit: &mut impl Visit) {
    let text = findings.source().text();
    let Part { range, section } = part;
    let mut state = State {
        part: range.clone(),
        allowance: ALIAS_ALLOWANCE + 16 * range.len(),
        artifact: 0,
        document: Document::default(),
        others: Vec::new(),
        ended: false,
        placeholders: Vec::new(),
        is_copy: false,
        copies_allowance: COPIES_ALLOWANCE,
    };
    if let Some(section) = section {
        state.section(text, section, findings, visit);
        return;
    }
    if range.start == 0
        && let Some(other) = Other::of_json(&text[range.clone()])
    {
        visit.document();
        state.other(other, layout::first_line(text), findings, visit);
        return;
    }
    if !may_be_odd(text, range.clone()) {
        state.read(text, range.clone(), findings, visit);
        return;
    }
    // A line that is indented with an odd space does not mean what it seems to, and so may the
    // whole document.
    let odd = yaml::odd_spaces(text, range.clone());
    for document in yaml::documents(text, range.clone()) {
        let is_here = |odd: &&OddSpace| document.contains(&odd.span.range().start);
        let here: Vec<_> = odd.iter().filter(is_here).collect();
        if !here.is_empty() {
            state.odd_spaces(document, &here, findings, visit);
        } else if has_placeholder(&text[document.clone()])
            && state.may_copy(&document, 1)
            && let Some(filled) = filled(text, document.clone())
        {
            state.filled(filled, document, findings, visit);
        } else {
            state.read(text, document, findings, visit);
        }
    }
}

struct State {
    part: Range<usize>,
    allowance: usize,
    artifact: u32,
    document: Document,
    /// The kinds of other documents that have been reported.
    others: Vec<Other>,
    /// True if nothing more of the part is a manifest.
    ended: bool,
    /// The placeholders of the document for which strings are read.
    placeholders: Vec<Placeholder>,
    /// True if documents are read as they were plainly meant: none of their artifacts is valid.
    is_copy: bool,
    /// The bytes that copies may still have.
    copies_allowance: usize,
}

/// The state of the current document.
#[derive(Default)]
struct Document {
    begun: bool,
    in_list: bool,
    defaults_read: bool,
}

impl State {
    /// Reads the bytes `part` of `text`, which is that of the file but for its placeholders.
    fn read(
        &mut self,
        text: &str,
        part: Range<usize>,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        let mut reader = Reader::new(text, part.clone(), ARTIFACTS);
        self.part = part;
        while !self.ended
            && let Some(piece) = reader.next_piece()
        {
            self.piece(&piece, reader.tree(), findings, visit);
        }
    }

    /// Returns whether so many copies may be made of the text up to the end of a document.
    fn may_copy(&mut self, document: &Range<usize>, copies: usize) -> bool {
        let left = self.copies_allowance.checked_sub(document.end.saturating_mul(copies));
        self.copies_allowance = left.unwrap_or(0);
        left.is_some()
    }

    /// Reads a document with strings in place of its placeholders.
    fn filled(
        &mut self,
        filled: Filled,
        document: Range<usize>,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        self.placeholders = filled.placeholders;
        self.read(&filled.text, document, findings, visit);
        // Those in values that are not decoded, as of an unknown field.
        for placeholder in self.placeholders.drain(..).filter(|one| !one.reported) {
            findings.push(placeholder.draft);
        }
    }

    /// Reports spaces that YAML treats as letters, and reads the document as it looks. Other findings have
    /// no fixes until those are fixed, and none of its artifacts is valid.
    fn odd_spaces(
        &mut self,
        document: Range<usize>,
        odd: &[&OddSpace],
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        let may_copy = self.may_copy(&document, COPIES_OF_SPACES);
        let spaces = Spaces::new(findings.source().text(), &document, odd, may_copy);
        findings.set_artifact(Some(self.artifact));
        spaces.drafts.into_iter().for_each(|draft| findings.push(draft));
        if let Some(text) = spaces.as_meant {
            findings.offer_fixes(false);
            self.is_copy = true;
            match filled(&text, document.clone()) {
                Some(filled) => self.filled(filled, document, findings, visit),
                None => self.read(&text, document, findings, visit),
            }
            self.is_copy = false;
            findings.offer_fixes(true);
            return;
        }
        visit.document();
        visit.not_an_artifact(odd.first().map_or_else(Span::default, |odd| odd.span), findings);
        findings.spare_allowances(document);
        self.artifact += 1;
        findings.set_artifact(None);
    }

    /// Reports a document that is not a manifest. Each kind is reported once.
    fn other(
        &mut self,
        other: Other,
        place: Span,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        findings.set_artifact(Some(self.artifact));
        if !self.others.contains(&other) {
            findings.push(other.draft(place));
            self.others.push(other);
        }
        visit.not_an_artifact(place, findings);
        self.artifact += 1;
        findings.set_artifact(None);
        self.ended = other.whole_file;
    }

    fn piece(
        &mut self,
        piece: &Piece,
        tree: &Tree<'_>,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        if !self.document.begun {
            visit.document();
            self.document.begun = true;
        }
        match piece {
            Piece::List { root, document } => {
                self.document.in_list = true;
                if let Some(root) = *root {
                    self.defaults_of_list(tree, root, *document, findings, visit);
                }
            }
            Piece::Item(item) => self.artifact(tree, *item, findings, visit),
            Piece::Document { root } => {
                if let Some(root) = *root {
                    self.root(tree, root, findings, visit);
                }
                if self.is_copy {
                    visit.broken();
                }
                self.document = Document::default();
            }
            Piece::Broken { error, root } => {
                self.broken(tree, error, *root, findings, visit);
                self.document = Document::default();
            }
        }
    }

    /// Artifacts are read one at a time, so their defaults are needed before the first one, even if
    /// they are written after the last.
    fn defaults_of_list(
        &mut self,
        tree: &Tree<'_>,
        root: NodeId,
        document: u32,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        if let Some(defaults) = entry(tree, root, DEFAULTS) {
            self.defaults(tree, defaults, findings, visit);
            return;
        }
        // What stands beside the list may be meant as a default.
        let is_there = |field: &&Field| {
            field.required && field.shared && entry(tree, root, field.name).is_some()
        };
        if let Some(meant) = ARTIFACT.fields.iter().find(is_there) {
            let mut defaults = RawMapping::new(&ARTIFACT, Span::default());
            defaults.mark_meant(meant);
            visit.defaults(&defaults, findings);
            return;
        }
        let rest = document as usize..self.part.end;
        let text = tree.text();
        let bytes = text.as_bytes().get(rest.clone()).unwrap_or_default();
        if memchr::memmem::find(bytes, DEFAULTS.as_bytes()).is_none() {
            return;
        }
        let mut ahead = Reader::new(text, rest, ARTIFACTS);
        while let Some(piece) = ahead.next_piece() {
            match piece {
                Piece::Document { root: Some(root) } => {
                    if let Some(defaults) = entry(ahead.tree(), root, DEFAULTS) {
                        self.defaults(ahead.tree(), defaults, findings, visit);
                    }
                    return;
                }
                Piece::Document { root: None } => return,
                Piece::Broken { .. } => {
                    // Whatever they were: no field is reported as missing.
                    visit.defaults(&RawMapping::unreadable(&ARTIFACT, Span::default()), findings);
                    return;
                }
                Piece::List { .. } | Piece::Item(_) => {}
            }
        }
    }

    fn defaults(
        &mut self,
        tree: &Tree<'_>,
        node: NodeId,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        if std::mem::replace(&mut self.document.defaults_read, true) {
            return;
        }
        findings.set_artifact(None);
        let mut decoder = Decoder::new(tree, findings, &mut self.allowance, &mut self.placeholders);
        let defaults = decoder.defaults(node);
        visit.defaults(&defaults, findings);
    }

    fn artifact(
        &mut self,
        tree: &Tree<'_>,
        node: NodeId,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        findings.set_artifact(Some(self.artifact));
        let decoded = Decoder::new(tree, findings, &mut self.allowance, &mut self.placeholders)
            .artifact(node);
        match decoded {
            Some(artifact) => visit.artifact(&artifact, findings),
            None => visit.not_an_artifact(tree.span(node), findings),
        }
        self.artifact += 1;
        findings.set_artifact(None);
    }

    fn root(
        &mut self,
        tree: &Tree<'_>,
        root: NodeId,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        match tree.node(root) {
            // Its items have been taken.
            Node::Streamed => {}
            Node::Sequence(items) => {
                items.for_each(|item| self.artifact(tree, item, findings, visit));
            }
            Node::Mapping(_) => {
                if is_wrapper(tree, root) {
                    self.wrapper(tree, root, findings, visit);
                } else if let Some(other) = Other::of(tree, root) {
                    self.other(other, first_key(tree, root), findings, visit);
                } else {
                    self.artifact(tree, root, findings, visit);
                }
            }
            _ => match self.other_text(findings) {
                Some(other) => self.other(other, layout::first_line(tree.text()), findings, visit),
                None => self.artifact(tree, root, findings, visit),
            },
        }
    }

    /// Returns the kind of the whole file, determined by its text, when its first document is not a
    /// mapping.
    fn other_text(&self, findings: &Findings<'_>) -> Option<Other> {
        let source = findings.source();
        let is_first = self.part.start == 0 && self.artifact == 0;
        is_first.then(|| Other::of_text(source.name(), source.text())).flatten()
    }

    /// `Defaults:` and `Artifacts:`.
    fn wrapper(
        &mut self,
        tree: &Tree<'_>,
        root: NodeId,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        findings.set_artifact(None);
        let wrapper =
            Decoder::new(tree, findings, &mut self.allowance, &mut self.placeholders).wrapper(root);
        if let Some(defaults) = wrapper.defaults {
            self.defaults(tree, defaults, findings, visit);
        }
        match wrapper.artifacts {
            Some(list) => {
                if let Node::Sequence(items) = tree.node(list) {
                    items.for_each(|item| self.artifact(tree, item, findings, visit));
                }
            }
            None if self.document.in_list => {}
            None => visit.not_an_artifact(tree.span(root), findings),
        }
    }

    fn broken(
        &mut self,
        tree: &Tree<'_>,
        error: &SyntaxError,
        root: Option<NodeId>,
        findings: &mut Findings<'_>,
        visit: &mut impl Visit,
    ) {
        if let Some(other) = self.other_text(findings) {
            self.other(other, layout::first_line(tree.text()), findings, visit);
            visit.broken();
            return;
        }
        findings.set_artifact(Some(self.artifact));
        let code = match error.fault {
            SyntaxFault::Syntax => Code::Syntax,
            SyntaxFault::Nesting => Code::NestingDepth,
            SyntaxFault::Size => Code::DocumentSize,
        };
        let mut draft = Draft::new(code, error.span, error.message.clone());
        if let Some(label) = &error.label {
            draft = draft.label(label.clone());
        }
        if let Some(help) = &error.help {
            draft = draft.help(help.clone());
        }
        if let Some((span, message)) = &error.related {
            draft = draft.related(*span, message.clone());
        }
        if code == Code::Syntax
            && let Some((_, placeholder)) =
                placeholder_on_line(tree.text(), error.span.range().start)
        {
            draft = placeholder;
        }
        findings.push(draft);
        // Findings before the error are useful, missing fields after it are not. If nesting is too
        // deep or the document too large, nothing more is reported.
        if let Some(root) = root.filter(|_| code == Code::Syntax)
            && let Node::Mapping(_) = tree.node(root)
            && !is_wrapper(tree, root)
        {
            let mut decoder =
                Decoder::new(tree, findings, &mut self.allowance, &mut self.placeholders)
                    .of_broken();
            if let Some(artifact) = decoder.artifact(root) {
                visit.artifact(&artifact, findings);
            }
        } else {
            visit.not_an_artifact(error.span, findings);
        }
        visit.broken();
        self.artifact += 1;
        findings.set_artifact(None);
    }
}

/// Returns the value of the plain key `name` in a mapping.
fn entry(tree: &Tree<'_>, mapping: NodeId, name: &str) -> Option<NodeId> {
    let Node::Mapping(mut entries) = tree.node(mapping) else {
        return None;
    };
    let is = |key| matches!(tree.node(key), Node::Scalar(scalar) if scalar.value == name);
    entries.find(|(key, _)| is(*key)).map(|(_, value)| value)
}

/// Returns whether a root mapping has `Defaults` or `Artifacts`, or a misspelling of one.
fn is_wrapper(tree: &Tree<'_>, root: NodeId) -> bool {
    let Node::Mapping(mut entries) = tree.node(root) else { return false };
    entries.any(|(key, _)| match tree.node(key) {
        Node::Scalar(scalar) => fields::is_wrapper_key(scalar.value),
        _ => false,
    })
}

/// Returns the first key of a mapping.
fn first_key(tree: &Tree<'_>, mapping: NodeId) -> Span {
    let Node::Mapping(mut entries) = tree.node(mapping) else { return tree.span(mapping) };
    entries.next().map_or_else(|| tree.span(mapping), |(key, _)| tree.span(key))
}
