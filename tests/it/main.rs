//! What users get: the real binary on real files.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
#![expect(unreachable_pub, reason = "nobody links against a test")]

mod findings;
mod support;
