//! Requests against the service's model, with the service's own words for what is wrong.

use std::fmt;

use serde_json::{Map, Value};

use super::wire::ApiError;
use crate::limits::{self, TextLimit, Violation};

/// What a member of a request must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text(TextLimit),
    /// A text of which the model says nothing.
    AnyText,
    Enum(&'static [&'static str]),
    Integer {
        min: i64,
        max: i64,
    },
    Timestamp,
    Structure(&'static [Member]),
    List {
        item: &'static Shape,
        min: usize,
        max: usize,
    },
    Map {
        key: TextLimit,
        value: TextLimit,
        max: usize,
    },
}

/// A member of a structure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    name: &'static str,
    shape: Shape,
    required: bool,
}

const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, required: true }
}

const fn optional(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, required: false }
}

const SOURCE: Shape = Shape::Structure(&[
    required("SourceUri", Shape::Text(limits::SOURCE_URI)),
    optional(
        "SourceTypes",
        Shape::List {
            item: &Shape::Structure(&[
                required("SourceIdType", Shape::Enum(&limits::SOURCE_ID_TYPES)),
                required("Value", Shape::Text(limits::SOURCE_TYPE_VALUE)),
            ]),
            min: 0,
            max: usize::MAX,
        },
    ),
]);
const PROPERTIES: Shape = Shape::Map {
    key: limits::PROPERTY_KEY,
    value: limits::PROPERTY_VALUE,
    max: limits::PROPERTIES_MAX,
};
const METADATA: Shape = Shape::Structure(&[
    optional("CommitId", Shape::Text(limits::METADATA_VALUE)),
    optional("Repository", Shape::Text(limits::METADATA_VALUE)),
    optional("GeneratedBy", Shape::Text(limits::METADATA_VALUE)),
    optional("ProjectId", Shape::Text(limits::METADATA_VALUE)),
]);
const TAGS: Shape = Shape::List {
    item: &Shape::Structure(&[
        required("Key", Shape::Text(limits::TAG_KEY)),
        required("Value", Shape::Text(limits::TAG_VALUE)),
    ]),
    min: 0,
    max: limits::TAGS_MAX,
};
const ARN: Shape = Shape::Text(limits::ARTIFACT_ARN);
const RESOURCE_ARN: Shape = Shape::Text(limits::RESOURCE_ARN);

pub(super) const CREATE_ARTIFACT: &[Member] = &[
    optional("ArtifactName", Shape::Text(limits::ARTIFACT_NAME)),
    required("Source", SOURCE),
    required("ArtifactType", Shape::Text(limits::ARTIFACT_TYPE)),
    optional("Properties", PROPERTIES),
    optional("MetadataProperties", METADATA),
    optional("Tags", TAGS),
];
pub(super) const DESCRIBE_ARTIFACT: &[Member] = &[required("ArtifactArn", ARN)];
pub(super) const LIST_ARTIFACTS: &[Member] = &[
    optional("SourceUri", Shape::Text(limits::SOURCE_URI)),
    optional("ArtifactType", Shape::Text(limits::ARTIFACT_TYPE)),
    optional("CreatedAfter", Shape::Timestamp),
    optional("CreatedBefore", Shape::Timestamp),
    optional("SortBy", Shape::Enum(&["CreationTime"])),
    optional("SortOrder", Shape::Enum(&["Ascending", "Descending"])),
    optional("NextToken", Shape::Text(limits::NEXT_TOKEN)),
    optional("MaxResults", Shape::Integer { min: 1, max: limits::LIST_PAGE_MAX as i64 }),
];
pub(super) const UPDATE_ARTIFACT: &[Member] = &[
    required("ArtifactArn", ARN),
    optional("ArtifactName", Shape::Text(limits::ARTIFACT_NAME)),
    optional("Properties", PROPERTIES),
    optional(
        "PropertiesToRemove",
        Shape::List { item: &Shape::Text(limits::PROPERTY_KEY), min: 0, max: usize::MAX },
    ),
];
pub(super) const DELETE_ARTIFACT: &[Member] =
    &[optional("ArtifactArn", ARN), optional("Source", SOURCE)];
pub(super) const ADD_TAGS: &[Member] =
    &[required("ResourceArn", RESOURCE_ARN), required("Tags", TAGS)];
pub(super) const LIST_TAGS: &[Member] = &[
    required("ResourceArn", RESOURCE_ARN),
    optional("NextToken", Shape::Text(limits::NEXT_TOKEN)),
    optional(
        "MaxResults",
        Shape::Integer { min: limits::LIST_TAGS_PAGE_MIN as i64, max: i64::MAX },
    ),
];
pub(super) const DELETE_TAGS: &[Member] = &[
    required("ResourceArn", RESOURCE_ARN),
    required(
        "TagKeys",
        Shape::List { item: &Shape::Text(limits::TAG_KEY), min: 1, max: limits::TAGS_MAX },
    ),
];

/// Checks the members of a request: first that each is of the right kind, as a client's serializer
/// would have it, then that each keeps its constraints.
pub(super) fn request(input: &Map<String, Value>, members: &[Member]) -> Result<(), ApiError> {
    kinds(input, members)?;
    let mut found = Vec::new();
    structure(input, members, Place::Root, &mut found);
    match found.len() {
        0 => Ok(()),
        1 => Err(ApiError::validation(format!("1 validation error detected: {}", found[0]))),
        count => Err(ApiError::validation(format!(
            "{count} validation errors detected: {}",
            found.join("; ")
        ))),
    }
}

fn kinds(input: &Map<String, Value>, members: &[Member]) -> Result<(), ApiError> {
    for member in members {
        match input.get(member.name) {
            None | Some(Value::Null) => {}
            Some(value) => kind(value, &member.shape)?,
        }
    }
    Ok(())
}

fn kind(value: &Value, shape: &Shape) -> Result<(), ApiError> {
    let wrong = |wanted: &str| {
        let message = match value {
            Value::Null => return Ok(()),
            Value::Array(_) => "Start of list found where not expected".to_owned(),
            Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
            Value::Bool(true) => format!("TRUE_VALUE can not be converted to {wanted}"),
            Value::Bool(false) => format!("FALSE_VALUE can not be converted to {wanted}"),
            Value::Number(_) => format!("NUMBER_VALUE can not be converted to {wanted}"),
            Value::String(_) => format!("STRING_VALUE can not be converted to {wanted}"),
        };
        Err(ApiError::serialization(message))
    };
    match (shape, value) {
        (Shape::Text(_) | Shape::AnyText | Shape::Enum(_), Value::String(_)) => Ok(()),
        (Shape::Text(_) | Shape::AnyText | Shape::Enum(_), _) => wrong("a String"),
        (Shape::Integer { .. }, Value::Number(number)) if number.is_i64() => Ok(()),
        (Shape::Integer { .. }, _) => wrong("an Integer"),
        (Shape::Timestamp, Value::Number(_)) => Ok(()),
        (Shape::Timestamp, _) => wrong("a Timestamp"),
        (Shape::Structure(members), Value::Object(input)) => kinds(input, members),
        (Shape::Structure(_), _) => wrong("a structure"),
        (Shape::List { item, .. }, Value::Array(items)) => {
            items.iter().try_for_each(|value| kind(value, item))
        }
        (Shape::List { .. }, _) => wrong("a list"),
        (Shape::Map { .. }, Value::Object(entries)) => {
            entries.values().try_for_each(|value| kind(value, &Shape::AnyText))
        }
        (Shape::Map { .. }, _) => wrong("a map"),
    }
}

/// The place of a member in a request. It becomes a text only where something is wrong.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    Root,
    Member(&'a Self, &'a str),
    /// An item of a list; they count from 1.
    Item(&'a Self, usize),
}

impl fmt::Display for Place<'_> {
    /// Writes `SourceUri` in `Source` as `source.sourceUri`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(parent, name) => {
                if !matches!(parent, Self::Root) {
                    write!(f, "{parent}.")?;
                }
                let mut chars = name.chars();
                let first = chars.next().map(|c| c.to_ascii_lowercase());
                first.into_iter().try_for_each(|c| write!(f, "{c}"))?;
                f.write_str(chars.as_str())
            }
            Self::Item(parent, number) => write!(f, "{parent}.{number}.member"),
        }
    }
}

fn missing(place: Place<'_>, found: &mut Vec<String>) {
    found.push(format!(
        "Value null at '{place}' failed to satisfy constraint: Member must not be null"
    ));
}

fn structure(
    input: &Map<String, Value>,
    members: &[Member],
    within: Place<'_>,
    found: &mut Vec<String>,
) {
    for member in members {
        let place = Place::Member(&within, member.name);
        match input.get(member.name) {
            None | Some(Value::Null) if member.required => missing(place, found),
            None | Some(Value::Null) => {}
            Some(value) => check(value, &member.shape, place, found),
        }
    }
}

fn check(value: &Value, shape: &Shape, place: Place<'_>, found: &mut Vec<String>) {
    let mut failed = |value: &str, constraint: String| {
        found.push(format!(
            "Value '{value}' at '{place}' failed to satisfy constraint: {constraint}"
        ));
    };
    match (shape, value) {
        (Shape::Text(limit), Value::String(text)) => {
            for violation in limit.violations(text) {
                failed(text, member_must(limit, &violation));
            }
        }
        (Shape::Enum(names), Value::String(text)) if !names.contains(&text.as_str()) => {
            failed(text, format!("Member must satisfy enum value set: [{}]", names.join(", ")));
        }
        (Shape::Integer { min, max }, Value::Number(number)) => {
            let number = number.as_i64().unwrap_or_default();
            if number > *max {
                failed(
                    &number.to_string(),
                    format!("Member must have value less than or equal to {max}"),
                );
            }
            if number < *min {
                failed(
                    &number.to_string(),
                    format!("Member must have value greater than or equal to {min}"),
                );
            }
        }
        (Shape::Structure(members), Value::Object(input)) => {
            structure(input, members, place, found);
        }
        (Shape::List { item, min, max }, Value::Array(items)) => {
            if items.len() > *max {
                failed(&listed(items), less_or_equal("length", *max));
            }
            if items.len() < *min {
                failed(&listed(items), greater_or_equal("length", *min));
            }
            for (at, value) in items.iter().enumerate() {
                let place = Place::Item(&place, at + 1);
                if value.is_null() {
                    missing(place, found);
                } else {
                    check(value, item, place, found);
                }
            }
        }
        (Shape::Map { key, value, max }, Value::Object(entries)) => {
            if entries.len() > *max {
                failed(&mapped(entries), less_or_equal("length", *max));
            }
            let breaks = |limit: &TextLimit, text: &str| !limit.violations(text).is_empty();
            if entries.keys().any(|text| breaks(key, text)) {
                let constraint = format!("Map keys must satisfy constraint: {}", all_of(key));
                failed(&mapped(entries), constraint);
            }
            if entries.values().any(|text| breaks(value, text.as_str().unwrap_or_default())) {
                let constraint = format!("Map value must satisfy constraint: {}", all_of(value));
                failed(&mapped(entries), constraint);
            }
        }
        _ => {}
    }
}

fn less_or_equal(what: &str, max: usize) -> String {
    format!("Member must have {what} less than or equal to {max}")
}

fn greater_or_equal(what: &str, min: usize) -> String {
    format!("Member must have {what} greater than or equal to {min}")
}

fn member_must(limit: &TextLimit, violation: &Violation) -> String {
    match violation {
        Violation::TooShort { .. } => greater_or_equal("length", limit.min),
        Violation::TooLong { .. } => less_or_equal("length", limit.max),
        Violation::Pattern { .. } => regular_expression(limit),
    }
}

fn regular_expression(limit: &TextLimit) -> String {
    let expression = limit.pattern.map_or("", limits::Pattern::expression);
    format!("Member must satisfy regular expression pattern: {expression}")
}

/// Of keys and values of maps, all constraints are named, whichever is broken.
fn all_of(limit: &TextLimit) -> String {
    let mut all = vec![less_or_equal("length", limit.max), greater_or_equal("length", limit.min)];
    if limit.pattern.is_some() {
        all.push(regular_expression(limit));
    }
    format!("[{}]", all.join(", "))
}

fn listed(items: &[Value]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(", "))
}

fn mapped(entries: &Map<String, Value>) -> String {
    let entries =
        entries.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(input: Value) -> String {
        let Value::Object(input) = input else { panic!("an object") };
        request(&input, CREATE_ARTIFACT).map_or_else(|error| error.message, |()| "fine".into())
    }

    #[test]
    fn a_good_request_is_fine() {
        assert_eq!(said(json!({"ArtifactType": "", "Source": {"SourceUri": "x"}})), "fine");
    }

    #[test]
    fn the_words_are_those_of_the_service() {
        assert_eq!(
            said(json!({"ArtifactName": "a_b", "ArtifactType": "x", "Source": {"SourceUri": "s"}})),
            "1 validation error detected: Value 'a_b' at 'artifactName' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}"
        );
        assert_eq!(
            said(
                json!({"Source": {"SourceUri": "", "SourceTypes": [{"SourceIdType": "x", "Value": "y"}]}})
            ),
            "3 validation errors detected: Value '' at 'source.sourceUri' failed to satisfy constraint: \
             Member must have length greater than or equal to 1; Value 'x' at \
             'source.sourceTypes.1.member.sourceIdType' failed to satisfy constraint: Member must satisfy \
             enum value set: [MD5Hash, S3ETag, S3Version, Custom]; Value null at 'artifactType' failed to \
             satisfy constraint: Member must not be null"
        );
        assert_eq!(
            said(
                json!({"ArtifactType": "x", "Source": {"SourceUri": "s"}, "Properties": {"a": "1\n2"}})
            ),
            "1 validation error detected: Value '{a=1\n2}' at 'properties' failed to satisfy constraint: \
             Map value must satisfy constraint: [Member must have length less than or equal to 4096, \
             Member must have length greater than or equal to 0, Member must satisfy regular expression \
             pattern: .*]"
        );
    }

    #[test]
    fn wrong_kinds_are_serialization_errors() {
        assert_eq!(
            said(json!({"ArtifactName": 1})),
            "NUMBER_VALUE can not be converted to a String"
        );
        assert_eq!(
            said(json!({"Source": "s3://x"})),
            "STRING_VALUE can not be converted to a structure"
        );
        assert_eq!(
            said(json!({"Tags": {}})),
            "Start of structure or map found where not expected."
        );
    }
}
