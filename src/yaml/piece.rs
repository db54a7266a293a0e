//! The pieces that a text is passed on in.

use std::ops::Range;

use super::syntax::SyntaxError;
use super::tree::NodeId;

/// A piece of a stream, as a [`Reader`](super::Reader) returns it.
#[derive(Debug)]
pub enum Piece {
    /// A list of artifacts begins, at the root or as the value of the root's list key. Its items
    /// follow. With a mapping as root, what stands before the list is in the tree.
    List {
        /// The root mapping, not complete yet, or `None` where the list is the root.
        root: Option<NodeId>,
        /// The start of its document.
        document: u32,
    },
    /// An item of that list. It is dropped with the next piece.
    Item(NodeId),
    /// A document is complete.
    Document {
        /// Its root; `None` where it is empty.
        root: Option<NodeId>,
    },
    /// A document broke off.
    Broken {
        /// A description of the fault.
        error: SyntaxError,
        /// The part that was read, with open collections closed at that point; `None` in a list.
        root: Option<NodeId>,
    },
}

/// A section of a document that is a list, or has one under its list key as its last value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The bytes before the first item of the list: the same in all sections of a document.
    pub head: Range<usize>,
    /// Its items, and what stands between them.
    pub items: Range<usize>,
    /// True if more items follow in another section: the document is complete with the last.
    pub goes_on: bool,
}

impl Section {
    /// Returns whether it has the first items of its document.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.head.end == self.items.start
    }
}
