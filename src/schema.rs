//! The model to a JSON Schema of a manifest, for editors and for validators of other makers.
//!
//! In: nothing. Out: a schema that takes what `lint` has no error about, as far as a schema can say
//! that: it sees values, so neither keys given twice nor anything across artifacts, and not what
//! the merge with `Defaults` makes. It reads no manifest.
//!
//! Two things follow from editors, which show one message at a place in the text. The forms of a
//! manifest are distinguished with `if`, not `oneOf`, so that a wrong field is reported at the
//! field. And `patternErrorMessage`, which the language servers for YAML and JSON show in place of
//! the expression, says what is wanted; other validators pass over it.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use crate::manifest::{ARTIFACTS, DEFAULTS};
use crate::model::{self, ARTIFACT, Field, Kind, Mapping, Pattern, Sense, TextLimit};

/// Returns the schema as text: indented JSON in ASCII with a line break at its end. Some expressions hold
/// characters that cannot be seen.
#[must_use]
pub fn text() -> String {
    let mut text = String::new();
    for c in format!("{:#}\n", schema()).chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            // Outside of its strings, JSON has nothing but ASCII.
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// Returns the schema of one YAML document of a manifest.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = entries(json!({
        "artifact": {
            "title": "artifact",
            "description": "One artifact, with the fields of a `CreateArtifact` request.",
            "allOf": [reference("artifactFields")],
            "required": shared_and_required(),
        },
        "artifactsWithDefaults": artifacts_with_defaults(),
        "artifactFields": artifact_fields(),
        "defaults": defaults(),
        "singleLine": pattern(Pattern::SingleLine),
        "tagText": pattern(Pattern::TagText),
    }));
    define(&ARTIFACT, &mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:lineload:manifest:1",
        "title": "lineload manifest",
        "description": "Artifacts of SageMaker ML Lineage: one artifact, a list of them, or `Defaults` \
                        and `Artifacts`. A file may hold several documents, each in any of these forms.",
        // A document without content, such as one of comments alone, reads as null.
        "type": ["object", "array", "null"],
        "if": { "type": "array" },
        "then": { "items": reference("artifact") },
        "else": {
            "if": {
                "type": "object",
                "anyOf": [{ "required": [ARTIFACTS] }, { "required": [DEFAULTS] }],
            },
            "then": reference("artifactsWithDefaults"),
            // What is no mapping has been reported by the type.
            "else": { "if": { "type": "object" }, "then": reference("artifact") },
        },
        "$defs": definitions,
    })
}

/// Returns the required fields that may come from `Defaults`.
fn shared_and_required() -> Vec<&'static str> {
    let fields = ARTIFACT.fields.iter().filter(|field| field.required && field.shared);
    fields.map(|field| field.name).collect()
}

fn artifacts_with_defaults() -> Value {
    let required = shared_and_required();
    json!({
        "type": "object",
        "properties": {
            DEFAULTS: reference("defaults"),
            ARTIFACTS: {
                "description": "The artifacts of this document. Each takes from `Defaults` what it \
                                does not set itself.",
                "type": "array",
                "items": reference("artifactFields"),
            },
        },
        "required": [ARTIFACTS],
        "additionalProperties": false,
        "if": {
            "required": [DEFAULTS],
            "properties": { DEFAULTS: { "required": required } },
        },
        "else": { "properties": { ARTIFACTS: { "items": { "required": required } } } },
    })
}

fn artifact_fields() -> Value {
    let own = ARTIFACT.fields.iter().filter(|field| field.required && !field.shared);
    let mut schema = structure(&ARTIFACT);
    schema.insert("title".into(), "artifact".into());
    schema.insert("required".into(), own.map(|field| field.name).collect());
    schema.into()
}

fn defaults() -> Value {
    let shared = ARTIFACT.fields.iter().filter(|field| field.shared);
    let properties: Map<_, _> = shared.map(|field| (field.name.to_owned(), value(field))).collect();
    json!({
        "description": "What the artifacts of this document have in common. Properties, metadata and \
                        tags merge by key; where an artifact sets the same key, the artifact's wins.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Adds the definitions of the fields of `mapping`, and of what is below them.
fn define(mapping: &Mapping, definitions: &mut Map<String, Value>) {
    for field in mapping.fields.iter().filter(|field| is_defined(field)) {
        definitions.insert(definition(field), described(field));
        if let Kind::Mapping(below) = field.kind {
            define(below, definitions);
        }
    }
}

/// Returns whether a field has a definition of its own: it holds more than a text, or stands in two
/// places.
const fn is_defined(field: &Field) -> bool {
    !field.is_text() || field.shared
}

fn definition(field: &Field) -> String {
    let mut chars = field.name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

/// Returns the schema of the value of `field`, or where it is.
fn value(field: &Field) -> Value {
    if is_defined(field) { reference(&definition(field)) } else { described(field) }
}

fn described(field: &Field) -> Value {
    let mut schema = match field.kind {
        Kind::Text(limit) if field.sense == Sense::TagKey => tag_key(limit),
        Kind::Text(limit) => text_of(limit),
        Kind::Choice(choices) => entries(json!({ "enum": choices })),
        Kind::Mapping(mapping) => structure(mapping),
        Kind::Pairs { item, max, .. } => {
            let mut list = entries(json!({ "type": "array", "items": structure(item) }));
            list.extend(max.map(|max| ("maxItems".to_owned(), max.into())));
            list
        }
        Kind::Map { key, value, max } => entries(json!({
            "type": "object",
            "maxProperties": max,
            "propertyNames": text_of(key),
            "additionalProperties": text_of(value),
        })),
    };
    schema.insert("description".into(), field.description().into());
    if !field.examples.is_empty() {
        schema.insert("examples".into(), json!(field.examples));
    }
    schema.into()
}

fn structure(mapping: &Mapping) -> Map<String, Value> {
    let fields = mapping.fields.iter();
    let properties: Map<_, _> = fields.map(|field| (field.name.to_owned(), value(field))).collect();
    let mut schema = entries(json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    }));
    let required = mapping.required();
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn tag_key(limit: TextLimit) -> Map<String, Value> {
    entries(json!({
        // Beside a `$ref`, some validators take one of two patterns.
        "allOf": [text_of(limit)],
        "pattern": not_beginning_with(model::RESERVED_TAG_PREFIX),
        "patternErrorMessage": format!(
            "A tag key cannot begin with `{}`, which only AWS may write.",
            model::RESERVED_TAG_PREFIX
        ),
    }))
}

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

/// Returns the entries of a `json!` object.
fn entries(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(entries) => entries,
        _ => Map::new(),
    }
}

/// Returns the schema of one text. Lengths count code points in JSON Schema as they do in the service.
fn text_of(limit: TextLimit) -> Map<String, Value> {
    let mut schema = match limit.pattern {
        None => entries(json!({ "type": "string" })),
        Some(Pattern::SingleLine) => entries(reference("singleLine")),
        Some(Pattern::TagText) => entries(reference("tagText")),
        Some(other) => pattern(other),
    };
    if limit.min > 0 {
        schema.insert("minLength".into(), limit.min.into());
    }
    schema.insert("maxLength".into(), limit.max.into());
    schema
}

/// Texts of that pattern.
///
/// Engines differ more than the standard wants, so expressions keep to what all of them read alike:
/// ECMA-262 with the flag `u`, Python's `re`, Go's `regexp`, Java's and .NET's.
/// - No `\p{…}`, which Python does not have.
/// - No `\u`, which Go does not have: characters stand for themselves.
/// - No lookahead, which Go does not have.
/// - `$` is the end of the text in ECMA-262 and Go, and stands before a last line break too in
///   Python, Java and .NET. What only those take, `$` with a line break behind it takes only there.
fn pattern(pattern: Pattern) -> Map<String, Value> {
    let line_breaks = line_breaks();
    let (expression, message) = match pattern {
        Pattern::EntityName => (
            format!("^(?:{})$", pattern.expression()),
            "Use letters and digits of ASCII, with hyphens between them.",
        ),
        Pattern::SingleLine => (
            format!("^[^{line_breaks}]*$"),
            "Write it on one line; in a block scalar, write `|-` or `>-`, which leave out the line \
             break at the end.",
        ),
        Pattern::TagText => (
            format!("^[{}]*$", tag_characters()),
            "Use letters, digits, spaces and any of _ . : / = + - @",
        ),
        Pattern::ArtifactArn | Pattern::ResourceArn => {
            (format!("^(?:{})$", pattern.expression()), "Write an ARN.")
        }
    };
    entries(json!({
        "type": "string",
        "pattern": expression,
        "patternErrorMessage": message,
        "not": { "type": "string", "pattern": format!("$[{line_breaks}]") },
    }))
}

fn line_breaks() -> String {
    ('\0'..='\u{FFFF}').filter(|c| model::is_line_terminator(*c)).collect()
}

/// Returns an expression for texts that do not begin with `prefix`, in any case: those that leave it at its
/// first character, or at its second, and so on.
fn not_beginning_with(prefix: &str) -> String {
    let mut begun = String::new();
    let mut ways = Vec::new();
    for c in prefix.chars() {
        let (lower, upper) = (c.to_ascii_lowercase(), c.to_ascii_uppercase());
        let cases = if lower == upper { lower.to_string() } else { format!("{lower}{upper}") };
        ways.push(format!("{begun}(?:[^{cases}]|$)"));
        begun.push_str(&format!("[{cases}]"));
    }
    format!("^(?:{})", ways.join("|"))
}

/// Returns what tags can hold, as the inside of a character class. Up to U+00FF that is exactly
/// what the limit says. Beyond, the letters, blanks and digits of Unicode are over seven hundred
/// ranges, which would bury every message that shows the expression; so there all is taken but the
/// large blocks of [`NEVER_IN_TAGS`], and the rest is left to `lint`.
fn tag_characters() -> String {
    let mut class = String::new();
    let mut run: Option<(char, char)> = None;
    for c in ('\0'..=char::MAX).map(Some).chain([None]) {
        match (c.filter(|c| may_be_in_tags(*c)), run) {
            (Some(c), None) => run = Some((c, c)),
            (Some(c), Some((first, _))) => run = Some((first, c)),
            (None, Some((first, last))) => {
                push_run(&mut class, first, last);
                run = None;
            }
            (None, None) => {}
        }
    }
    class
}

fn may_be_in_tags(c: char) -> bool {
    if c > '\u{FF}' {
        return !NEVER_IN_TAGS.iter().any(|block| block.contains(&c));
    }
    Pattern::TagText.offending(c.encode_utf8(&mut [0; 4])).is_none()
}

fn push_run(class: &mut String, first: char, last: char) {
    for c in [first, last] {
        // The hyphen between the two that differ.
        if c == last && first < last && u32::from(last) - u32::from(first) > 1 {
            class.push('-');
        }
        if matches!(c, '-' | '\\' | ']' | '[' | '^') {
            class.push('\\');
        }
        class.push(c);
        if first == last {
            return;
        }
    }
}

/// Blocks beyond U+00FF without a letter, a space or a digit: what is most often pasted into a tag,
/// in the order of Unicode.
const NEVER_IN_TAGS: [RangeInclusive<char>; 24] = [
    '\u{0300}'..='\u{036F}',    // combining accents
    '\u{200B}'..='\u{2027}',    // zero-width characters, dashes, quotation marks, bullets
    '\u{202A}'..='\u{202E}',    // directions of writing
    '\u{2030}'..='\u{205E}',    // more punctuation
    '\u{2060}'..='\u{206F}',    // invisible operators
    '\u{20A0}'..='\u{2101}',    // currencies
    '\u{2116}'..='\u{2118}',    // numero
    '\u{211E}'..='\u{2123}',    // trade mark
    '\u{2190}'..='\u{245F}',    // arrows, mathematics, technical symbols
    '\u{249C}'..='\u{24E9}',    // letters in parentheses and circles
    '\u{2500}'..='\u{2775}',    // boxes, shapes, symbols, dingbats
    '\u{2794}'..='\u{2BFF}',    // dingbats, arrows, mathematics
    '\u{3001}'..='\u{3004}',    // punctuation of Chinese and Japanese
    '\u{3008}'..='\u{3020}',    // and its brackets
    '\u{E000}'..='\u{F8FF}',    // private use
    '\u{FE00}'..='\u{FE6F}',    // variation selectors, small forms
    '\u{FEFF}'..='\u{FF0F}',    // the byte order mark, punctuation in full width
    '\u{FF1A}'..='\u{FF20}',    //
    '\u{FF3B}'..='\u{FF40}',    //
    '\u{FF5B}'..='\u{FF65}',    //
    '\u{FFE0}'..='\u{FFFF}',    // currencies in full width, specials
    '\u{1D000}'..='\u{1D24F}',  // music
    '\u{1F110}'..='\u{1FBEF}',  // emoji and pictographs
    '\u{E0000}'..='\u{10FFFF}', // tags of flags, private use
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_tag_may_hold_is_refused() {
        let class = regex::Regex::new(&format!("^[{}]$", tag_characters())).unwrap();
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            let taken = class.is_match(&text);
            assert_eq!(taken, may_be_in_tags(c), "{c:?}");
            assert!(taken || Pattern::TagText.offending(&text).is_some(), "{c:?}");
        }
    }

    #[test]
    fn prefixes_are_left_at_any_character() {
        let expression = not_beginning_with("aws:");
        let pattern = regex::Regex::new(&expression).unwrap();
        for text in ["aws:", "AWS:x", "aWs:team"] {
            assert!(!pattern.is_match(text), "{text}");
        }
        for text in ["", "a", "aw", "AWS", "aws-x", "team", ":aws:", "aws\n:"] {
            assert!(pattern.is_match(text), "{text}");
        }
    }
}
