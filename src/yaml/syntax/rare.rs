//! Errors of features that manifests do not use: directives, tags, and marks in odd places.

use granit_parser::ErrorKind;

use super::{SyntaxError, Where};

/// Explains the parser's error `kind` at `place` to the author of the document.
pub(super) fn explain(kind: &ErrorKind, place: &Where<'_>) -> SyntaxError {
    use ErrorKind as K;
    let line = place.to_line_end(place.at);
    let here = place.one_char(place.at);
    match kind {
        K::ExpectedDocumentStart => SyntaxError::new(line, "expected the start of a document")
            .help("begin the document with `---` on a line of its own"),
        K::MissingDocumentEndBeforeDirective => SyntaxError::new(
            line,
            "a line that begins with `%` is a directive, which is not allowed here",
        )
        .help("end the document before it with `...`, or quote the value it belongs to"),
        K::DuplicateVersionDirective | K::DuplicateTagDirective => {
            SyntaxError::new(line, "a document has the same directive twice")
                .help("remove one of them")
        }
        K::UnsupportedYamlMajorVersion
        | K::MissingYamlVersionSeparator
        | K::YamlVersionTooLong
        | K::MissingYamlVersion => SyntaxError::new(line, "unknown YAML version")
            .help("write `%YAML 1.2`, or remove the line"),
        K::InvalidDirectiveTerminator
        | K::DirectiveDisallowed
        | K::MissingDirectiveName
        | K::InvalidDirectiveName
        | K::DirectiveByteLimitExceeded { .. }
        | K::TooManyReservedDirectiveParams { .. }
        | K::InvalidTagDirectiveTerminator
        | K::ExpectedTagDirectiveBang => SyntaxError::new(
            line,
            "a line that begins with `%` is a directive, and this is not a valid one",
        )
        .help("remove the line; a manifest needs no directives"),
        K::UndeclaredTagHandle => {
            SyntaxError::new(word(place), "the handle of this YAML tag is not declared")
                .help("remove the tag, or quote the value if it begins with `!`")
        }
        K::InvalidTagTerminator
        | K::MissingTagUri
        | K::UnclosedVerbatimTag
        | K::InvalidTagEscape
        | K::ExpectedTagBang
        | K::InvalidGlobalTagCharacter => SyntaxError::new(
            word(place),
            "a value that begins with `!` is a tag, and this is not a valid one",
        )
        .help("remove the tag, or quote the value if it begins with `!`"),
        K::MissingAnchorOrAliasName => {
            SyntaxError::new(here, "`&` and `*` must be followed by the name of an anchor")
                .help("quote the value that begins with it")
        }
        K::PlainScalarStartsWithDashFlowIndicator => {
            SyntaxError::new(here, "a value without quotes cannot begin with `-` and a bracket")
                .help("quote the value, or put a space after the `-` of a list item")
        }
        K::InvalidBlockEntryWhitespace => {
            SyntaxError::new(here, "a space must follow the `-` of a list item")
                .help("write `- ` before the item, with a space and not a tab")
        }
        K::InvalidMappingValueWhitespace => {
            SyntaxError::new(here, "a space must follow the `:` of a key")
                .help("write `key: value`, with a space and not a tab")
        }
        K::UnexpectedEofBlockSequence | K::UnexpectedEofBlockMapping => {
            SyntaxError::new(here, "the file ends in the middle of a list or mapping")
                .help("complete it, or remove the unfinished part")
        }
        K::UnexpectedEndOfPlainScalar => {
            SyntaxError::new(here, "the value ends too early").help("quote the value")
        }
        K::FlowMappingValueAdjacentCollection => {
            SyntaxError::new(here, "a value right after a bracket")
                .help("put a `,` or a `: ` between them")
        }
        other => SyntaxError::new(here, in_our_words(&other.to_string())),
    }
}

/// Returns the word at the place, up to a space.
fn word(place: &Where<'_>) -> crate::source::Span {
    let rest = place.rest(place.at);
    let length = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
    if length == 0 {
        place.one_char(place.at)
    } else {
        crate::source::Span::new(place.at..place.at + length)
    }
}

/// Returns the parser's own message, for errors that are too rare to have a better one.
fn in_our_words(message: &str) -> String {
    let message = message.strip_suffix('.').unwrap_or(message);
    message.replace('\'', "`").replace("EOF", "end of the file")
}
