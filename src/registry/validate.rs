//! Requests against the service's model, with the service's own words for what is wrong.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::names::NAMES;
use super::wire::ApiError;
use crate::model::{self, ARTIFACT, Change, Field, Kind, Mapping, Sense, TextLimit, Violation};

/// The shape that a member of a request must have.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// The shape of an artifact's field.
    Field(Kind),
    /// A list of texts.
    Texts {
        item: TextLimit,
        min: usize,
        max: usize,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Timestamp,
}

/// A member of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    name: &'static str,
    shape: Shape,
    required: bool,
}

impl Member {
    const fn required(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, required: true }
    }

    const fn optional(name: &'static str, shape: Shape) -> Self {
        Self { name, shape, required: false }
    }

    /// Returns the field `field` of an artifact, as the member that an operation wants or not.
    const fn field(field: &Field, required: bool) -> Self {
        Self { name: field.name, shape: Shape::Field(field.kind), required }
    }
}

const fn text(limit: TextLimit) -> Shape {
    Shape::Field(Kind::Text(limit))
}

const fn choice(choices: &'static [&'static str]) -> Shape {
    Shape::Field(Kind::Choice(choices))
}

/// Returns the members of a request of the operation `name`.
pub(super) fn members(name: &str) -> &'static [Member] {
    static MEMBERS: LazyLock<HashMap<&str, Vec<Member>>> =
        LazyLock::new(|| NAMES.iter().map(|name| (*name, members_of(name))).collect());
    MEMBERS.get(name).map_or(&[], Vec::as_slice)
}

fn members_of(name: &str) -> Vec<Member> {
    let fields = |wanted: &dyn Fn(&Field) -> bool| -> Vec<Member> {
        let fields = ARTIFACT.fields.iter().filter(|field| wanted(field));
        fields.map(|field| Member::field(field, false)).collect()
    };
    let arn = Member::required("ArtifactArn", text(model::ARTIFACT_ARN));
    let resource = Member::required("ResourceArn", text(model::RESOURCE_ARN));
    let token = Member::optional("NextToken", text(model::NEXT_TOKEN));
    let page = |min: usize, max: i64| {
        let min = i64::try_from(min).unwrap_or(1);
        Member::optional("MaxResults", Shape::Integer { min, max })
    };
    match name {
        "CreateArtifact" => {
            ARTIFACT.fields.iter().map(|field| Member::field(field, field.required)).collect()
        }
        "DescribeArtifact" => vec![arn],
        "ListArtifacts" => {
            let most = i64::try_from(model::LIST_PAGE_MAX).unwrap_or(i64::MAX);
            let filters = [Sense::Uri, Sense::Type].into_iter();
            let filters = filters.filter_map(|sense| ARTIFACT.of_sense(sense));
            let mut members: Vec<_> = filters.map(|field| Member::field(field, false)).collect();
            members.extend([
                Member::optional("CreatedAfter", Shape::Timestamp),
                Member::optional("CreatedBefore", Shape::Timestamp),
                Member::optional("SortBy", choice(&["CreationTime"])),
                Member::optional("SortOrder", choice(&["Ascending", "Descending"])),
                token,
                page(1, most),
            ]);
            members
        }
        "UpdateArtifact" => {
            let item = model::PROPERTY_KEY;
            let remove = Shape::Texts { item, min: 0, max: usize::MAX };
            let mut members = vec![arn];
            members.extend(fields(&|field| field.change == Change::Update));
            members.push(Member::optional("PropertiesToRemove", remove));
            members
        }
        "DeleteArtifact" => {
            let mut members = vec![Member { required: false, ..arn }];
            let holds_uri = |below: &Mapping| below.of_sense(Sense::Uri).is_some();
            members.extend(fields(
                &|field| matches!(field.kind, Kind::Mapping(below) if holds_uri(below)),
            ));
            members
        }
        "AddTags" => {
            let tags = ARTIFACT.fields.iter().filter(|field| field.change == Change::Tagging);
            [resource].into_iter().chain(tags.map(|field| Member::field(field, true))).collect()
        }
        "ListTags" => vec![resource, token, page(model::LIST_TAGS_PAGE_MIN, i64::MAX)],
        _ => {
            let keys = Shape::Texts { item: model::TAG_KEY, min: 1, max: model::TAGS_MAX };
            vec![resource, Member::required("TagKeys", keys)]
        }
    }
}

/// Checks the members of a request: first that each is of the right kind, as a client's serializer
/// would have it, then that each keeps its constraints.
pub(super) fn request(input: &Map<String, Value>, members: &[Member]) -> Result<(), ApiError> {
    kinds(input, members)?;
    let mut found = Vec::new();
    request_members(input, members, &mut found);
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
        let Some(value) = input.get(member.name).filter(|value| !value.is_null()) else { continue };
        match (&member.shape, value) {
            (Shape::Field(kind), _) => of_kind(value, kind)?,
            (Shape::Integer { .. }, Value::Number(number)) if number.is_i64() => {}
            (Shape::Integer { .. }, _) => return Err(wrong(value, "an Integer")),
            (Shape::Timestamp, Value::Number(_)) => {}
            (Shape::Timestamp, _) => return Err(wrong(value, "a Timestamp")),
            (Shape::Texts { .. }, Value::Array(items)) => items.iter().try_for_each(any_text)?,
            (Shape::Texts { .. }, _) => return Err(wrong(value, "a list")),
        }
    }
    Ok(())
}

fn of_kind(value: &Value, kind: &Kind) -> Result<(), ApiError> {
    match (kind, value) {
        (_, Value::Null) => Ok(()),
        (Kind::Text(_) | Kind::Choice(_), _) => any_text(value),
        (Kind::Mapping(mapping), _) => of_mapping(value, mapping),
        (Kind::Pairs { item, .. }, Value::Array(items)) => {
            items.iter().try_for_each(|value| of_mapping(value, item))
        }
        (Kind::Pairs { .. }, _) => Err(wrong(value, "a list")),
        (Kind::Map { .. }, Value::Object(entries)) => entries.values().try_for_each(any_text),
        (Kind::Map { .. }, _) => Err(wrong(value, "a map")),
    }
}

fn of_mapping(value: &Value, mapping: &Mapping) -> Result<(), ApiError> {
    match value {
        Value::Null => Ok(()),
        Value::Object(input) => mapping.fields.iter().try_for_each(|field| {
            input.get(field.name).map_or(Ok(()), |value| of_kind(value, &field.kind))
        }),
        _ => Err(wrong(value, "a structure")),
    }
}

fn any_text(value: &Value) -> Result<(), ApiError> {
    match value {
        Value::Null | Value::String(_) => Ok(()),
        _ => Err(wrong(value, "a String")),
    }
}

/// Returns what the service says of a value of another kind than `wanted`.
fn wrong(value: &Value, wanted: &str) -> ApiError {
    let message = match value {
        Value::Null => format!("NULL_VALUE can not be converted to {wanted}"),
        Value::Array(_) => "Start of list found where not expected".to_owned(),
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        Value::Bool(true) => format!("TRUE_VALUE can not be converted to {wanted}"),
        Value::Bool(false) => format!("FALSE_VALUE can not be converted to {wanted}"),
        Value::Number(_) => format!("NUMBER_VALUE can not be converted to {wanted}"),
        Value::String(_) => format!("STRING_VALUE can not be converted to {wanted}"),
    };
    ApiError::serialization(message)
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

/// Checks a member, or the field of a structure.
fn member(
    value: Option<&Value>,
    required: bool,
    place: Place<'_>,
    found: &mut Vec<String>,
    check: impl FnOnce(&Value, &mut Vec<String>),
) {
    match value {
        None | Some(Value::Null) if required => missing(place, found),
        None | Some(Value::Null) => {}
        Some(value) => check(value, found),
    }
}

fn request_members(input: &Map<String, Value>, members: &[Member], found: &mut Vec<String>) {
    for one in members {
        let place = Place::Member(&Place::Root, one.name);
        member(input.get(one.name), one.required, place, found, |value, found| match &one.shape {
            Shape::Field(kind) => check(value, kind, place, found),
            Shape::Texts { item, min, max } => {
                let kind = Kind::Text(*item);
                list(value, *min, *max, place, found, |value, place, found| {
                    check(value, &kind, place, found);
                });
            }
            Shape::Integer { min, max } => integer(value, *min, *max, place, found),
            Shape::Timestamp => {}
        });
    }
}

fn structure(
    input: &Map<String, Value>,
    mapping: &Mapping,
    within: Place<'_>,
    found: &mut Vec<String>,
) {
    for field in mapping.fields {
        let place = Place::Member(&within, field.name);
        member(input.get(field.name), field.required, place, found, |value, found| {
            check(value, &field.kind, place, found);
        });
    }
}

fn failed(value: &str, place: Place<'_>, constraint: &str, found: &mut Vec<String>) {
    found.push(format!("Value '{value}' at '{place}' failed to satisfy constraint: {constraint}"));
}

fn integer(value: &Value, min: i64, max: i64, place: Place<'_>, found: &mut Vec<String>) {
    let number = value.as_i64().unwrap_or_default();
    let text = number.to_string();
    if number > max {
        let constraint = format!("Member must have value less than or equal to {max}");
        failed(&text, place, &constraint, found);
    }
    if number < min {
        let constraint = format!("Member must have value greater than or equal to {min}");
        failed(&text, place, &constraint, found);
    }
}

fn list(
    value: &Value,
    min: usize,
    max: usize,
    place: Place<'_>,
    found: &mut Vec<String>,
    check: impl Fn(&Value, Place<'_>, &mut Vec<String>),
) {
    let Value::Array(items) = value else { return };
    if items.len() > max {
        failed(&listed(items), place, &less_or_equal("length", max), found);
    }
    if items.len() < min {
        failed(&listed(items), place, &greater_or_equal("length", min), found);
    }
    for (at, value) in items.iter().enumerate() {
        let place = Place::Item(&place, at + 1);
        member(Some(value), true, place, found, |value, found| check(value, place, found));
    }
}

fn check(value: &Value, kind: &Kind, place: Place<'_>, found: &mut Vec<String>) {
    match (kind, value) {
        (Kind::Text(limit), Value::String(text)) => {
            for violation in limit.violations(text) {
                failed(text, place, &member_must(limit, &violation), found);
            }
        }
        (Kind::Choice(names), Value::String(text)) if !names.contains(&text.as_str()) => {
            let constraint = format!("Member must satisfy enum value set: [{}]", names.join(", "));
            failed(text, place, &constraint, found);
        }
        (Kind::Mapping(mapping), Value::Object(input)) => structure(input, mapping, place, found),
        (Kind::Pairs { item, max, .. }, _) => {
            list(value, 0, max.unwrap_or(usize::MAX), place, found, |value, place, found| {
                if let Value::Object(input) = value {
                    structure(input, item, place, found);
                }
            });
        }
        (Kind::Map { key, value, max }, Value::Object(entries)) => {
            if entries.len() > *max {
                failed(&mapped(entries), place, &less_or_equal("length", *max), found);
            }
            let breaks = |limit: &TextLimit, text: &str| !limit.violations(text).is_empty();
            if entries.keys().any(|text| breaks(key, text)) {
                let constraint = format!("Map keys must satisfy constraint: {}", all_of(key));
                failed(&mapped(entries), place, &constraint, found);
            }
            if entries.values().any(|text| breaks(value, text.as_str().unwrap_or_default())) {
                let constraint = format!("Map value must satisfy constraint: {}", all_of(value));
                failed(&mapped(entries), place, &constraint, found);
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
    let expression = limit.pattern.map_or("", model::Pattern::expression);
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
        request(&input, members("CreateArtifact"))
            .map_or_else(|error| error.message, |()| "fine".into())
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
