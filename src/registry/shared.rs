//! The state that all requests share, and the limits of a body.

use super::activity::Activity;
use super::control::Control;
use super::guard::Guard;
use super::store::Store;

/// The largest body: an artifact with everything in it, in four-byte characters, has 1 MB.
pub(super) const BODY_BYTES: usize = 4 << 20;

/// The state that all requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) control: Control,
    pub(super) activity: Activity,
    pub(super) guard: Guard,
}

/// An error that keeps a body from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    TooSlow,
    TooLarge,
}
