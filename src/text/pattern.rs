//! Regular expressions that are part of the program.

use regex::Regex;

/// Compiles an expression that stands in the source.
///
/// # Panics
/// If it is not a regular expression. Every test run compiles each of them.
#[expect(clippy::expect_used, reason = "the expressions are constants, compiled by every test run")]
pub(crate) fn compile(expression: &str) -> Regex {
    Regex::new(expression).expect("constant expression")
}
