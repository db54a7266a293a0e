//! YAML text to spanned nodes. The only module that names the YAML parser.
//!
//! In: the text of a file, or a part of it cut at document starts. Out: [`Piece`]s, one document at a
//! time and one item at a time for lists of artifacts, each a compact [`Tree`] of nodes that know
//! where they stand. A document that is not YAML gives a [`SyntaxError`] and never hides the next
//! one. It must not know what a manifest looks like, but for the key whose list it hands over item
//! by item.

mod comments;
#[cfg(any(test, fuzzing))]
pub mod compare;
mod events;
mod locate;
mod parts;
mod piece;
mod reader;
mod regular;
mod scalar;
mod sections;
mod spaces;
mod style;
mod syntax;
mod tree;

pub use comments::comments;
pub use parts::{documents, parts};
pub use piece::{Piece, Section};
pub use reader::Reader;
pub use scalar::{OtherReading, Resolved, other_reading, resolve};
pub use sections::sections;
pub use spaces::{OddSpace, Place, odd_spaces, parses};
pub use style::Style;
pub use syntax::{SyntaxError, SyntaxFault};
pub use tree::{Alias, Entries, Items, Node, NodeId, Scalar, Tag, Tree};
