//! Texts as people read them.
//!
//! In: words, numbers, errors of the system, and texts from anywhere. Out: the same as a message may
//! show it: counted, joined, shortened, with control characters escaped and secrets redacted. Every
//! message, report and page takes these from here, so that there is one table of what may be printed
//! and one of what looks like a credential.

mod escape;
mod list;
mod number;
mod pattern;
mod reason;
pub mod secret;

pub use escape::{cut, escaped, is_printable, odd_space, push_escaped, quoted, shell_word};
pub use list::{any, either, list};
pub use number::{counted, duration, grouped, hex, rate, time_left};
pub(crate) use pattern::compile;
pub use reason::reason;
pub use secret::redacted;
