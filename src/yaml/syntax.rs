//! Messages for documents that are not YAML.
//!
//! The parser reports where it stopped; users need to know what is wrong, which is often a little
//! further up: the quote that was never closed, the line without a colon.

mod flow;
mod quotes;
mod rare;

use granit_parser::ErrorKind;

use crate::source::Span;

/// The kind of a syntax error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxFault {
    /// The text is not YAML.
    Syntax,
    /// Collections are nested deeper than the parser follows.
    Nesting,
    /// There are more values than are read.
    Size,
}

/// The error at which a document broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The kind of the error.
    pub fault: SyntaxFault,
    /// The text at fault.
    pub span: Span,
    /// A description of the fault.
    pub message: String,
    /// Sets the label under the text at fault.
    pub label: Option<String>,
    /// The edit that fixes it.
    pub help: Option<String>,
    /// Another place that belongs to it.
    pub related: Option<(Span, String)>,
}

/// The state of the reader when the parser gave up.
pub(super) struct Where<'t> {
    pub(super) text: &'t str,
    /// The start of the document.
    pub(super) document: usize,
    /// The position of the parser.
    pub(super) at: usize,
    /// The bracket or brace that is still open.
    pub(super) open_flow: Option<u32>,
    /// The columns of the open block collections, the outermost first.
    pub(super) open_blocks: Vec<u32>,
    /// The scalar read last in this document.
    pub(super) last_scalar: Option<Span>,
}

/// Returns the finding for an artifact of more than `limit` nodes.
pub(super) fn too_many_values(at: Span, limit: usize) -> SyntaxError {
    SyntaxError {
        fault: SyntaxFault::Size,
        span: at,
        message: format!("more than {limit} values in one artifact"),
        label: None,
        help: Some("split the file: an artifact has at most a few hundred values".into()),
        related: None,
    }
}

impl SyntaxError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            fault: SyntaxFault::Syntax,
            span,
            message: message.into(),
            label: None,
            help: None,
            related: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related = Some((span, message.into()));
        self
    }
}

impl Where<'_> {
    fn rest(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or("")
    }

    fn line_start(&self, at: usize) -> usize {
        let head = self.text.get(..at).unwrap_or("");
        head.rfind(['\n', '\r']).map_or(0, |found| found + 1).max(self.document)
    }

    /// Returns the rest of the line from `at`, without comments and spaces at its end.
    fn to_line_end(&self, at: usize) -> Span {
        let rest = self.rest(at);
        let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
        let line = line.find(" #").map_or(line, |comment| &line[..comment]).trim_end();
        if line.is_empty() { self.one_char(at) } else { Span::new(at..at + line.len()) }
    }

    fn one_char(&self, at: usize) -> Span {
        let length = self.rest(at).chars().next().map_or(0, char::len_utf8);
        Span::new(at..at + length)
    }

    fn at_end(&self) -> bool {
        self.rest(self.at).trim_start_matches([' ', '\t', '\n', '\r']).is_empty()
    }

    /// Returns whether nothing but spaces stands before `at` on its line.
    fn leads_its_line(&self, at: usize) -> bool {
        let line = self.text.get(self.line_start(at)..at).unwrap_or("");
        line.chars().all(|c| matches!(c, ' ' | '\t' | '\u{FEFF}'))
    }

    /// Returns the columns at which a line could begin: those of what is open, and of the line
    /// above.
    fn columns(&self) -> Vec<usize> {
        let column = |start: usize| start - self.line_start(start);
        let mut columns: Vec<_> =
            self.open_blocks.iter().map(|start| column(*start as usize)).collect();
        if let Some(last) = self.last_scalar {
            let line = self.line_start(last.start as usize);
            columns.push(self.rest(line).chars().take_while(|c| *c == ' ').count());
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

/// Explains the parser's error `kind` at `place` to the author of the document.
pub(super) fn explain(kind: &ErrorKind, place: &Where<'_>) -> SyntaxError {
    use ErrorKind as K;
    let at = place.at;
    let here = place.one_char(at);
    match kind {
        K::RecursionLimitExceeded => SyntaxError {
            fault: SyntaxFault::Nesting,
            ..SyntaxError::new(here, "lists and mappings are nested more than 255 deep")
                .help("flatten the value: an artifact needs six levels")
        },
        K::UnclosedQuotedScalar | K::DocumentIndicatorInQuotedScalar => {
            quotes::unclosed_quote(place)
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            quotes::behind_quote(place)
        }
        K::UnknownQuotedScalarEscape
        | K::InvalidQuotedScalarHexEscape
        | K::InvalidLowSurrogateHexEscape
        | K::InvalidLowSurrogate
        | K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidUnicodeEscape => quotes::bad_escape(place),
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart
        | K::TabInPlainScalar => tab(place),
        K::MappingValueNotAllowed | K::InvalidColonPlacement | K::InvalidSimpleKey
            if place.open_flow.is_none() =>
        {
            stray_colon(place)
        }
        K::SimpleKeyExpected => no_colon(place),
        K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping
        | K::ExpectedFlowMappingSeparator
        | K::ExpectedFlowSequenceSeparator
        | K::InvalidColonPlacement
        | K::MappingValueNotAllowed
        | K::InvalidSimpleKey
        | K::InvalidFlowScalarIndent
        | K::BlockEntryInFlowCollection => flow::in_flow(place),
        K::UnclosedFlowCollection { .. } => flow::unclosed_flow(place, here),
        K::MisplacedFlowCollectionEnd => {
            let found = place.text.get(here.range()).unwrap_or("");
            SyntaxError::new(here, format!("unmatched `{found}`"))
                .help(format!("remove `{found}`, or quote the value that it belongs to"))
        }
        K::MismatchedFlowCollectionEnd { open, close } => flow::mismatched(place, *open, *close),
        K::ExpectedBlockMappingKey
        | K::ExpectedBlockSequenceEntry
        | K::InvalidIndentation
        | K::InvalidBlockScalarIndent
        | K::InvalidQuotedScalarIndent
        | K::BlockSequenceEntryNotAllowed
        | K::MappingKeyNotAllowed => out_of_line(kind, place),
        K::UnexpectedCharacter { character } => unexpected(*character, place),
        K::BomInsideDocument => {
            SyntaxError::new(here, "a byte-order mark (U+FEFF) inside the document")
                .help("remove it: concatenated files often contain one")
        }
        K::CommentNotSeparated => {
            SyntaxError::new(here, "`#` follows the value without a space between them")
                .help("put a space before the comment, or quote the value if `#` belongs to it")
        }
        K::CommentInterceptedScalar => {
            SyntaxError::new(here, "a comment inside an unquoted multi-line value")
                .help("move the comment above the value")
        }
        K::InvalidDocumentEnd => {
            SyntaxError::new(place.to_line_end(at), "text after `...`, which ends the document")
                .help("begin the next document on a new line with `---`")
        }
        K::InvalidBlockScalarHeader | K::ZeroBlockScalarIndent => block_header(place),
        K::ExpectedNodeContent | K::UnexpectedEof => expected_value(place),
        other => rare::explain(other, place),
    }
}

fn tab(place: &Where<'_>) -> SyntaxError {
    let start = place.line_start(place.at);
    let line = place.rest(start);
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    // The parser may be after the tab, at it, or at the start of the value that contains it.
    let tab = match line[..indent].find('\t') {
        Some(found) => start + found,
        None => place.rest(place.at).find('\t').map_or(place.at, |found| place.at + found),
    };
    let length = place.rest(tab).chars().take_while(|c| *c == '\t').count().max(1);
    let span = Span::new(tab..(tab + length).min(place.text.len()));
    let (message, help) = if place.leads_its_line(tab) {
        ("a tab indents this line", "indent with spaces: YAML does not allow tabs there")
    } else {
        ("YAML does not allow a tab here", "use a space")
    };
    SyntaxError::new(span, message).help(help)
}

/// `a: b: c`, a line without a colon above, or `key : value` in a place for a value.
fn stray_colon(place: &Where<'_>) -> SyntaxError {
    let colon = place.one_char(place.at);
    if let Some(scalar) = place.last_scalar {
        let raw = place.text.get(scalar.range()).unwrap_or("");
        if let Some(end) = raw.find(['\n', '\r'])
            && scalar.end as usize <= place.at
        {
            return lines_without_colon(place, scalar, end);
        }
        if scalar.end as usize <= place.at && !place.leads_its_line(scalar.start as usize) {
            let value = place.to_line_end(scalar.start as usize);
            let text = place.text.get(value.range()).unwrap_or("");
            if !raw.starts_with(['"', '\'']) {
                return SyntaxError::new(colon, "a second `: ` on one line")
                    .label("this colon would begin a mapping")
                    .help(format!("quote the value: `{}`", quoted(text)));
            }
        }
    }
    SyntaxError::new(colon, "a mapping cannot begin at this `:`")
        .help("quote the value that it belongs to, or begin the mapping on a line of its own")
}

/// Lines that YAML joined into one value, since the upper ones have no `: `.
fn lines_without_colon(place: &Where<'_>, scalar: Span, end: usize) -> SyntaxError {
    let start = scalar.start as usize;
    let first = Span::new(start..start + end);
    let text = place.text.get(first.range()).unwrap_or("").trim_end();
    let first = Span::new(start..start + text.len());
    if place.leads_its_line(start) {
        let help = match text.find(':') {
            Some(at) if at + 1 < text.len() => {
                format!("put a space after the colon: `{}: {}`", &text[..at], &text[at + 1..])
            }
            _ => "write it as `key: value`".to_owned(),
        };
        return SyntaxError::new(first, "this line is not `key: value`").help(help);
    }
    let last = place.text.get(scalar.range()).unwrap_or("");
    let last_line = last.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let key = last[last_line..].trim_start();
    let key_start = scalar.end as usize - key.len();
    SyntaxError::new(
        Span::new(key_start..scalar.end as usize),
        format!("`{key}:` is indented like a continuation of the value above"),
    )
    .related(first, "this value would be continued")
    .help("indent it like the key that it belongs with")
}

fn no_colon(place: &Where<'_>) -> SyntaxError {
    let span = place.last_scalar.filter(|scalar| scalar.end as usize <= place.at);
    let span = span.map_or_else(
        || place.to_line_end(place.at),
        |scalar| {
            let raw = place.text.get(scalar.range()).unwrap_or("");
            let end = raw.find(['\n', '\r']).unwrap_or(raw.len());
            Span::new(scalar.start as usize..scalar.start as usize + end)
        },
    );
    let span = if place.leads_its_line(place.at) { place.to_line_end(place.at) } else { span };
    SyntaxError::new(span, "this line is not `key: value`").help("write it as `key: value`")
}

fn out_of_line(kind: &ErrorKind, place: &Where<'_>) -> SyntaxError {
    // For a list item the parser may report what follows its dash.
    let line = place.line_start(place.at);
    let head = place.text.get(line..place.at).unwrap_or("");
    let only_dashes = head.trim_start().chars().all(|c| matches!(c, '-' | ' '));
    let at = if only_dashes { line + head.len() - head.trim_start().len() } else { place.at };
    let span = place.to_line_end(at);
    let text = place.text.get(span.range()).unwrap_or("");
    let is_item = text == "-" || text.starts_with("- ");
    if !place.leads_its_line(at) {
        if is_item {
            return SyntaxError::new(
                place.one_char(at),
                "a list cannot begin on the line of its key",
            )
            .help("put the first `- ` on a line of its own");
        }
        return SyntaxError::new(span, "unexpected text at the end of the line")
            .help("quote the value before it, or start a new line");
    }
    let indent = at - place.line_start(at);
    let columns = place.columns();
    if *kind == ErrorKind::ExpectedBlockSequenceEntry && !is_item {
        let message = "this line is among the items of a list, but has no `- `";
        return SyntaxError::new(span, message)
            .help("write `- ` before it, or indent it to belong to the item above");
    }
    if is_item && columns.contains(&indent) {
        return SyntaxError::new(span, "a list item among the keys of a mapping")
            .help("indent it under the key that it belongs to");
    }
    let spaces = if indent == 1 { "space" } else { "spaces" };
    let columns: Vec<_> = columns.iter().map(usize::to_string).collect();
    let columns = columns.join(" or ");
    let message =
        format!("this line is indented by {indent} {spaces}, which matches no line above");
    SyntaxError::new(span, message)
        .help(format!("indent it by {columns}, like the lines that it belongs with"))
}

fn unexpected(character: char, place: &Where<'_>) -> SyntaxError {
    // The parser may report the start of the scalar that contains the character.
    let found = place.rest(place.at).find(character).map_or(place.at, |found| place.at + found);
    let span = place.one_char(found);
    if character.is_control() || !is_printable(character) {
        let code = u32::from(character);
        return SyntaxError::new(
            span,
            format!("the control character U+{code:04X} is not allowed in YAML"),
        )
        .help(format!("remove it, or write it as `\\u{code:04X}` in double quotes"));
    }
    let value = place.to_line_end(found);
    let text = place.text.get(value.range()).unwrap_or("");
    let reason = match character {
        '@' | '`' => "is reserved in YAML",
        '%' => "begins a directive",
        _ => "is special in YAML",
    };
    SyntaxError::new(
        span,
        format!("a value without quotes cannot begin with `{character}`: it {reason}"),
    )
    .help(format!("quote the value: `{}`", quoted(text)))
}

const fn is_printable(c: char) -> bool {
    !matches!(c, '\u{FFFE}' | '\u{FFFF}' | '\u{80}'..='\u{84}' | '\u{86}'..='\u{9F}')
}

fn block_header(place: &Where<'_>) -> SyntaxError {
    SyntaxError::new(place.to_line_end(place.at), "text after `|` or `>` on the same line").help(
        "begin the text on the next line, indented; quote a value that begins with `|` or `>`",
    )
}

fn expected_value(place: &Where<'_>) -> SyntaxError {
    if place.at_end() {
        return SyntaxError::new(
            place.one_char(place.at),
            "the document ends in the middle of a value",
        );
    }
    let here = place.one_char(place.at);
    let found = place.text.get(here.range()).unwrap_or("");
    SyntaxError::new(here, format!("expected a value, found `{found}`"))
        .help("quote the value if the character belongs to it")
}

/// `text` in single quotes, shortened.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("'{}'", short.replace('\'', "''"))
}
