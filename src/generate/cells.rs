//! Cells as findings show them.

use super::rows::{Block, Cell, Content, Row};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::text::{escaped, quoted, redacted};

/// The longest part of a value that a label shows, in characters.
const SHOWN: usize = 60;

/// The bytes `range` of `value`, which was made of `cell`, in the block's text.
pub(super) fn narrowed(
    block: &Block,
    cell: &Cell,
    value: &str,
    range: std::ops::Range<usize>,
    wanted: &str,
) -> Span {
    let (Content::Raw(content), Some(text)) = (&cell.content, block.text_of(cell)) else {
        return within(block, cell, value, range).unwrap_or(cell.span);
    };
    let start = content.start as usize;
    if text == value {
        return Span::new(start + range.start..start + range.end);
    }
    // Where it is there once, there is no doubt.
    let mut places = text.match_indices(wanted).filter(|_| !wanted.is_empty());
    match (places.next(), places.next()) {
        (Some((at, _)), None) if wanted.len() < value.len() => {
            Span::new(start + at..start + at + wanted.len())
        }
        _ => cell.span,
    }
}

/// The bytes `range` of `value` in a cell that holds values of JSON or YAML, if it is written there as it is
/// and once.
fn within(block: &Block, cell: &Cell, value: &str, range: std::ops::Range<usize>) -> Option<Span> {
    let Content::Value(_) = &cell.content else { return None };
    let text = block.text.get(cell.span.range())?;
    let at = text.find(value).filter(|_| !value.is_empty())?;
    let start = cell.span.start as usize + at;
    let is_once = text.get(at + 1..).is_none_or(|rest| !rest.contains(value));
    is_once.then(|| Span::new(start + range.start..start + range.end))
}

/// A row up to the end of its first line.
pub(super) fn first_line(block: &Block, row: &Row) -> Span {
    let text = block.text.get(row.span.range()).unwrap_or_default();
    let length = text.find(['\n', '\r']).unwrap_or(text.len());
    Span::new(row.span.range().start..row.span.range().start + length)
}

pub(super) fn shown(value: &str) -> String {
    let cut: String = value.chars().take(SHOWN).collect();
    let more = if cut.len() < value.len() { "…" } else { "" };
    quoted(&format!("{}{more}", escaped(&redacted(&cut))))
}

/// Returns what `text` is, a formula of a spreadsheet or the error of one, and the help for it.
pub(super) fn formula(text: &str) -> Option<(&'static str, &'static str)> {
    const ERRORS: [&str; 8] =
        ["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#ERROR!"];
    if ERRORS.iter().any(|error| text.trim_end() == *error) {
        let help = "fix the formula in the sheet, and export it again";
        return Some(("an error of a spreadsheet", help));
    }
    let rest = text.strip_prefix('=')?;
    let name = rest.trim_start_matches(['+', '-', '$', '(']);
    let length =
        name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '$' | '.' | '_' | '!')));
    let (name, behind) = name.split_at(length.unwrap_or(name.len()));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$');
    let is_call = is_name && behind.starts_with('(');
    let is_cell = is_name && name.ends_with(|c: char| c.is_ascii_digit());
    let help = "export the values of the sheet, not its formulas";
    (is_call || is_cell).then_some(("a formula of a spreadsheet", help))
}

/// Returns the help for a finding about a value that an expression makes.
pub(super) const fn help(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::NamePattern | Code::NameLength => {
            "fix the cell, or add the filter `artifact_name` to the expression"
        }
        Code::LineBreak => "fix the cell, or add the filter `one_line` to the expression",
        Code::OuterBlank => "fix the cell, or add the filter `trim` to the expression",
        Code::PropertyValueLength => {
            "shorten the cell, or add the filter `truncate_chars(4096)` to the expression"
        }
        Code::TagValueLength => {
            "shorten the cell, or add the filter `truncate_chars(256)` to the expression"
        }
        _ => return None,
    })
}
