//! Faults of lists and mappings in brackets.

use super::{SyntaxError, Where};
use crate::source::Span;

pub(super) fn unclosed_flow(place: &Where<'_>, open: Span) -> SyntaxError {
    let bracket = place.text.get(open.range()).unwrap_or("[");
    let close = closing(bracket);
    SyntaxError::new(open, format!("this `{bracket}` is never closed"))
        .label("opened here")
        .help(format!("close it with `{close}`, or quote the value if it begins with `{bracket}`"))
}

fn closing(bracket: &str) -> &'static str {
    if bracket == "{" { "}" } else { "]" }
}

pub(super) fn in_flow(place: &Where<'_>) -> SyntaxError {
    let Some(open) = place.open_flow.map(|open| open as usize) else {
        return SyntaxError::new(place.one_char(place.at), "a bracket or brace is never closed");
    };
    let (first_line, line) = (place.line_start(open), place.line_start(place.at));
    let indent = |line: usize| place.rest(line).chars().take_while(|c| *c == ' ').count();
    let back_in_block = line > first_line && indent(line) <= indent(first_line);
    let open = place.one_char(open);
    if place.at_end() || back_in_block {
        return unclosed_flow(place, open);
    }
    let bracket = place.text.get(open.range()).unwrap_or("[");
    let close = closing(bracket);
    SyntaxError::new(place.to_line_end(place.at), format!("expected `,` or `{close}`"))
        .related(open, format!("inside this `{bracket}`"))
        .help("put `,` between items, and quote a value that contains any of `,:[]{}`")
}

/// Reports an unclosed bracket: the parser stands at the bracket that was opened.
pub(super) fn mismatched(place: &Where<'_>, open: char, close: char) -> SyntaxError {
    let right = if open == '{' { '}' } else { ']' };
    let end = place.rest(place.at).find(close).map_or(place.at, |found| place.at + found);
    SyntaxError::new(place.one_char(end), format!("mismatched `{close}`: `{open}` is open"))
        .related(place.one_char(place.at), "opened here")
        .help(format!("write `{right}`"))
}
