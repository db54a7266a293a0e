//! The place of the cursor in a text that need not be YAML yet: found by the indentation of lines.

use crate::diagnostic::{Code, MARKER, names_at};
use crate::source::{SourceFile, Span};

/// A step on the way from the root of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The value of a key.
    Key(String),
    /// An item of a list.
    Item,
}

/// The text that a completion replaces, and what belongs there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// A key of the mapping at `path`.
    Key {
        /// The way to the mapping.
        path: Vec<Step>,
        /// The keys that the mapping has.
        present: Vec<String>,
        /// The way it is written.
        layout: Layout,
        /// The part of it that is written.
        typed: Span,
    },
    /// The value of the last step of `path`.
    Value {
        /// The way to the value.
        path: Vec<Step>,
        /// The part of it that is written.
        typed: Span,
        /// True if no space follows the colon yet.
        needs_space: bool,
    },
    /// A rule in an allow comment.
    Rule(Span),
    /// A comment that may become an allow comment.
    Comment(Span),
}

/// The way a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// On a line of its own.
    Block,
    /// In braces.
    Flow,
    /// Alone: a colon follows already, or it is in quotes.
    Bare,
}

/// A line that has a key or begins an item.
#[derive(Debug, Default)]
struct Line<'t> {
    /// The columns of its dashes.
    dashes: Vec<usize>,
    /// The column of what follows them.
    column: usize,
    /// Its key.
    key: Option<&'t str>,
}

/// Returns the rule that an allow comment names at `offset`, and where.
pub(super) fn allowed_code(source: &SourceFile, offset: u32) -> Option<(Code, Span)> {
    let line = source.line_span(source.line(offset))?;
    let text = source.slice(line);
    let comment = comment_start(text)?;
    let at = (offset - line.start) as usize;
    if at < comment || !text[comment..].contains(MARKER) {
        return None;
    }
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let start = text[..at].trim_end_matches(part).len();
    let end = text[at..].find(|c| !part(c)).map_or(text.len(), |length| at + length);
    let base = line.start as usize;
    Code::from_name(&text[start..end]).map(|code| (code, Span::new(base + start..base + end)))
}

/// Returns where the comment of a line begins. A `#` in quotes is not one.
pub(super) fn comment_start(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '#' && before.is_whitespace() => return Some(at),
            None if matches!(c, '"' | '\'') && matches!(before, ' ' | '[' | '{' | ',') => {
                quote = Some(c);
            }
            None => {}
        }
        before = c;
    }
    None
}

/// Returns what belongs at the byte `offset`.
pub(super) fn spot(source: &SourceFile, offset: u32) -> Option<Spot> {
    let line = source.line_span(source.line(offset))?;
    let before = source.slice(Span { start: line.start, end: offset });
    let before = before.trim_start_matches('\u{FEFF}');
    let behind = source.slice(Span { start: offset, end: line.end });
    if let Some(at) = comment_start(before) {
        return comment(before[at + 1..].trim_start(), offset);
    }
    let parsed = parse(before)?;
    let above = source.text().get(..line.start as usize)?.lines().rev();
    let mut present = Vec::new();
    let mut path = ancestors(&parsed, above.take_while(|line| !is_separator(line)), &mut present);
    let rest = before.get(parsed.column..).unwrap_or_default();
    let value = parsed.key.map_or(rest, |_| rest.split_once(':').map_or("", |(_, value)| value));
    let inner = value.trim_start();
    if inner.starts_with(['{', '[']) {
        path.extend(parsed.key.map(|key| Step::Key(key.to_owned())));
        return flow(inner, path, offset, behind);
    }
    if let Some(key) = parsed.key {
        path.push(Step::Key(key.to_owned()));
        let needs_space = value.is_empty();
        return Some(Spot::Value { path, typed: typed(unquoted(inner), offset), needs_space });
    }
    let below = source.text().get(line.end as usize..)?.lines().skip(1);
    siblings(parsed.column, below, &mut present);
    key(Key { path, present, layout: Layout::Block }, rest, offset, behind)
}

/// Returns the span of the text `typed`, which ends at `offset`.
fn typed(typed: &str, offset: u32) -> Span {
    Span { start: offset.saturating_sub(Span::new(0..typed.len()).end), end: offset }
}

/// Returns a text without the quote that it begins with.
fn unquoted(text: &str) -> &str {
    text.strip_prefix(['"', '\'']).unwrap_or(text)
}

/// Returns what belongs into a comment, of which `text` is written.
fn comment(text: &str, offset: u32) -> Option<Spot> {
    if let Some(at) = names_at(text) {
        let names = &text[at..];
        let name = names.rsplit([' ', ',']).next().filter(|_| !names.is_empty())?;
        return Some(Spot::Rule(typed(name, offset)));
    }
    let begun = format!("{MARKER} allow").starts_with(text);
    begun.then(|| Spot::Comment(typed(text, offset)))
}

/// A key that may be written.
struct Key {
    path: Vec<Step>,
    present: Vec<String>,
    layout: Layout,
}

/// Returns a key of which `word` is written, and `behind` follows.
fn key(key: Key, word: &str, offset: u32, behind: &str) -> Option<Spot> {
    let Key { path, present, layout } = key;
    let quoted = word.starts_with(['"', '\'']);
    let word = unquoted(word);
    let is_part = |c: char| c.is_ascii_alphanumeric();
    if !word.chars().all(is_part) {
        return None;
    }
    // The rest of a key that is there already is replaced too.
    let rest = behind.trim_start_matches(is_part);
    let has_colon = rest.trim_start_matches(['"', '\'']).starts_with(':');
    let mut span = typed(word, offset);
    if has_colon {
        span.end += Span::new(0..behind.len() - rest.len()).end;
    }
    let layout = if has_colon || quoted { Layout::Bare } else { layout };
    Some(Spot::Key { path, present, layout, typed: span })
}

/// A collection in braces or brackets that is open.
enum Open<'t> {
    Mapping { present: Vec<String>, key: Option<&'t str> },
    Sequence,
}

/// Returns what belongs at the end of `text`, which begins with a brace or a bracket, below `path`.
fn flow(text: &str, mut path: Vec<Step>, offset: u32, behind: &str) -> Option<Spot> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut token = 0;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if text[token..at].trim().is_empty() => quote = Some(c),
            (None, '{' | '[') => {
                open.push(match c {
                    '{' => Open::Mapping { present: Vec::new(), key: None },
                    _ => Open::Sequence,
                });
                token = at + 1;
            }
            (None, '}' | ']') => {
                open.pop();
                token = at + 1;
            }
            (None, ',') => {
                if let Some(Open::Mapping { key, .. }) = open.last_mut() {
                    *key = None;
                }
                token = at + 1;
            }
            (None, ':') => {
                let rest = &text[at + 1..];
                let name = text[token..at].trim();
                let ends = rest.is_empty() || rest.starts_with(' ') || name.ends_with(['"', '\'']);
                if let Some(Open::Mapping { present, key: key @ None }) = open.last_mut()
                    && ends
                {
                    let name = name.trim_matches(['"', '\'']);
                    present.push(name.to_owned());
                    *key = Some(name);
                    token = at + 1;
                }
            }
            (None, _) => {}
        }
    }
    let last = open.pop()?;
    path.extend(open.into_iter().map(|outer| match outer {
        Open::Mapping { key, .. } => Step::Key(key.unwrap_or_default().to_owned()),
        Open::Sequence => Step::Item,
    }));
    let word = text[token..].trim_start();
    match last {
        Open::Mapping { key: Some(name), .. } => {
            path.push(Step::Key(name.to_owned()));
            let needs_space = text[token..].is_empty();
            Some(Spot::Value { path, typed: typed(unquoted(word), offset), needs_space })
        }
        Open::Mapping { present, key: None } => {
            key(Key { path, present, layout: Layout::Flow }, word, offset, behind)
        }
        Open::Sequence => None,
    }
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Returns the key that `text` begins with, without its quotes, if a colon follows it.
fn key_of(text: &str) -> Option<&str> {
    let end = text.find(':').filter(|end| *end > 0 && !text.starts_with(['{', '[']))?;
    let rest = &text[end + 1..];
    let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
    ends.then(|| text[..end].trim_matches(['"', '\'']))
}

/// Reads a line; `None` if it is a tab's or a separator.
fn parse(line: &str) -> Option<Line<'_>> {
    if is_separator(line) {
        return None;
    }
    let mut column = line.len() - line.trim_start_matches(' ').len();
    let mut dashes = Vec::new();
    while let Some(rest) =
        line[column..].strip_prefix("- ").or_else(|| (&line[column..] == "-").then_some(""))
    {
        dashes.push(column);
        column = line.len() - rest.trim_start_matches(' ').len();
    }
    Some(Line { dashes, column, key: key_of(&line[column..]) })
}

/// Returns the lines among `lines` that have a key or begin an item.
fn parsed<'t>(lines: impl Iterator<Item = &'t str>) -> impl Iterator<Item = Line<'t>> {
    let counts = |line: &&str| {
        let text = line.trim_start();
        !text.is_empty() && !text.starts_with('#')
    };
    lines.filter(counts).filter_map(parse)
}

/// Returns the way to the mapping that `line` is in, from the lines above it, the nearest first, and
/// adds the keys above to `present`.
fn ancestors<'t>(
    line: &Line<'_>,
    above: impl Iterator<Item = &'t str>,
    present: &mut Vec<String>,
) -> Vec<Step> {
    let mut path = Vec::new();
    let (mut column, mut dashes) = (line.column, line.dashes.clone());
    let mut first = true;
    let mut lines = parsed(above);
    loop {
        // Out of the lists that begin on this line, then to the key above.
        let in_list = !dashes.is_empty();
        path.extend(dashes.iter().map(|_| Step::Item));
        let limit = dashes.first().copied().unwrap_or(column);
        let parent = loop {
            let Some(next) = lines.next() else {
                path.reverse();
                return path;
            };
            let begins = next.dashes.first().copied().unwrap_or(next.column);
            if in_list {
                // A list may stand as far left as its key.
                let is_parent = next.key.is_some()
                    && (begins < limit || (begins == limit && next.dashes.is_empty()))
                    && next.column <= limit;
                if is_parent {
                    break next;
                }
            } else if next.column == column {
                if first {
                    present.extend(next.key.map(str::to_owned));
                }
                if !next.dashes.is_empty() {
                    break next;
                }
            } else if next.column < column && next.key.is_some() {
                break next;
            }
        };
        if in_list || parent.column < column {
            path.extend(parent.key.map(|key| Step::Key(key.to_owned())));
        }
        first = false;
        column = parent.column;
        dashes = parent.dashes;
    }
}

/// Adds the keys of the same mapping below.
fn siblings<'t>(column: usize, below: impl Iterator<Item = &'t str>, present: &mut Vec<String>) {
    for line in below {
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let Some(line) = parse(line) else { return };
        if line.column < column || line.dashes.first().is_some_and(|dash| *dash < column) {
            return;
        }
        if line.column == column {
            present.extend(line.key.map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests;
