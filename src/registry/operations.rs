//! The operations: requests that keep the model, to rows, to answers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::faults::Misbehaviour;
use super::fields::{self, Members};
use super::names::targeted;
use super::page_token::PageToken;
use super::pairs::items;
use super::store::{Change, Filter, NewArtifact, Row, Store, StoreError, Unique, Which, now};
use super::validate;
use super::wire::{ApiError, timestamp};
use crate::model::{LIST_PAGE_MAX, RESERVED_TAG_PREFIX, Sense, TAG};

/// Artifacts on a page where the request does not say.
const DEFAULT_PAGE: usize = 10;

/// A request, read and checked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) operation: &'static str,
    input: Members,
}

impl Request {
    /// Reads the body of a request for the operation in `target`, as in `SageMaker.CreateArtifact`.
    pub(super) fn read(target: Option<&str>, body: &[u8]) -> Result<Self, ApiError> {
        let Some(operation) = targeted(target) else {
            let message = format!("Unknown operation {}", target.unwrap_or_default());
            return Err(ApiError::new(400, "UnknownOperationException", message));
        };
        let input = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(body) };
        let Ok(Value::Object(input)) = input else {
            return Err(ApiError::serialization(
                "Unable to parse the request body as a JSON object",
            ));
        };
        validate::request(&input, validate::members(operation))?;
        Ok(Self { operation, input })
    }

    /// Does what is asked.
    pub(super) async fn run(
        &self,
        store: &Store,
        region: &str,
        misbehaviour: &Misbehaviour,
    ) -> Result<Value, ApiError> {
        match self.operation {
            "CreateArtifact" => self.create(store, region, misbehaviour).await,
            "DescribeArtifact" => self.describe(store).await,
            "ListArtifacts" => self.list(store, misbehaviour.list_lag).await,
            "UpdateArtifact" => self.update(store, misbehaviour.unique_names).await,
            "DeleteArtifact" => self.delete(store).await,
            "AddTags" => self.add_tags(store).await,
            "ListTags" => self.list_tags(store, misbehaviour.tag_lag).await,
            _ => self.delete_tags(store).await,
        }
    }

    async fn create(
        &self,
        store: &Store,
        region: &str,
        misbehaviour: &Misbehaviour,
    ) -> Result<Value, ApiError> {
        let tags = fields::tags(&self.input);
        check_tags(&tags)?;
        let new = NewArtifact {
            name: fields::text(&self.input, Sense::Name),
            artifact_type: fields::text(&self.input, Sense::Type).unwrap_or_default(),
            uri: fields::text(&self.input, Sense::Uri).unwrap_or_default(),
            source_types: fields::source_types(&self.input),
            properties: object(&fields::properties(&self.input)),
            texts: object(&fields::texts(&self.input)),
            tags,
            region: region.to_owned(),
            unique: Unique {
                names: misbehaviour.unique_names,
                sources: misbehaviour.unique_sources,
            },
            max_artifacts: misbehaviour.max_artifacts,
        };
        let arn = store.create(new).await.map_err(api_error)?;
        Ok(json!({ "ArtifactArn": arn }))
    }

    async fn describe(&self, store: &Store) -> Result<Value, ApiError> {
        let row = store.describe(self.arn("ArtifactArn")).await.map_err(api_error)?;
        let mut answer = answer(&row, fields::whole(&row));
        answer.insert("CreatedBy".to_owned(), json!({}));
        answer.insert("LastModifiedBy".to_owned(), json!({}));
        Ok(Value::Object(answer))
    }

    async fn list(&self, store: &Store, lag: Duration) -> Result<Value, ApiError> {
        let token = self.text("NextToken").filter(|token| !token.is_empty());
        let page = self.input.get("MaxResults").and_then(Value::as_u64);
        let page = page.map_or(DEFAULT_PAGE, |page| usize::try_from(page).unwrap_or(LIST_PAGE_MAX));
        let filter = Filter {
            uri: self.text(fields::name_of(Sense::Uri)),
            artifact_type: self.text(fields::name_of(Sense::Type)),
            created_after: self.millis("CreatedAfter"),
            created_before: self.millis("CreatedBefore"),
            ascending: self.text("SortOrder").as_deref() == Some("Ascending"),
            after: token.as_deref().map(PageToken::decode).transpose()?,
            // One more shows whether there is a next page.
            limit: page + 1,
            as_of: moment(lag),
        };
        let mut rows = store.list(filter).await.map_err(api_error)?;
        let more = rows.len() > page;
        rows.truncate(page);
        let next = rows.last().filter(|_| more);
        let next = next.map(|row| PageToken { created: row.created, row: row.row }.encode());
        let summaries: Vec<_> = rows.iter().map(|row| answer(row, fields::summary(row))).collect();
        let mut answer = json!({ "ArtifactSummaries": summaries });
        if let Some(next) = next {
            answer["NextToken"] = Value::from(next);
        }
        Ok(answer)
    }

    async fn update(&self, store: &Store, unique_names: bool) -> Result<Value, ApiError> {
        let change = Change {
            arn: self.arn("ArtifactArn"),
            name: fields::text(&self.input, Sense::Name),
            properties: owned(fields::properties(&self.input)),
            texts: owned(fields::changed_texts(&self.input)),
            remove: self.texts("PropertiesToRemove"),
            unique_names,
        };
        let arn = store.update(change).await.map_err(|error| match error {
            StoreError::NameTaken { .. } => {
                let name = fields::text(&self.input, Sense::Name).unwrap_or_default();
                let message = format!("An artifact with the name {name} already exists");
                ApiError::new(400, "ConflictException", message)
            }
            other => api_error(other),
        })?;
        Ok(json!({ "ArtifactArn": arn }))
    }

    async fn delete(&self, store: &Store) -> Result<Value, ApiError> {
        let which = match (self.text("ArtifactArn"), fields::text(&self.input, Sense::Uri)) {
            (Some(arn), None) => Which::Arn(arn),
            (None, Some(uri)) => Which::Source { uri, types: fields::source_types(&self.input) },
            _ => {
                let message = "Exactly one of ArtifactArn and Source must be given";
                return Err(ApiError::validation(message));
            }
        };
        let arn = store.delete(which).await.map_err(api_error)?;
        Ok(json!({ "ArtifactArn": arn }))
    }

    async fn add_tags(&self, store: &Store) -> Result<Value, ApiError> {
        let tags = fields::tags(&self.input);
        check_tags(&tags)?;
        let arn = self.arn("ResourceArn");
        let tags = store.add_tags(arn.clone(), tags).await.map_err(|e| tag_error(e, &arn))?;
        Ok(json!({ fields::name_of(Sense::Tags): items(&tags, &TAG) }))
    }

    async fn list_tags(&self, store: &Store, lag: Duration) -> Result<Value, ApiError> {
        // An artifact has 50 tags at most, and no page may be smaller than that: there is no next
        // page, and so no token that could be right.
        if self.text("NextToken").is_some_and(|token| !token.is_empty()) {
            return Err(ApiError::validation("Invalid NextToken"));
        }
        let arn = self.arn("ResourceArn");
        let tags = store.tags(arn.clone(), moment(lag)).await;
        let tags = tags.map_err(|error| tag_error(error, &arn))?;
        Ok(json!({ fields::name_of(Sense::Tags): items(&tags, &TAG) }))
    }

    async fn delete_tags(&self, store: &Store) -> Result<Value, ApiError> {
        let keys = self.texts("TagKeys");
        let arn = self.arn("ResourceArn");
        store.delete_tags(arn.clone(), keys).await.map_err(|error| tag_error(error, &arn))?;
        Ok(json!({}))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.input.get(name)?.as_str().map(str::to_owned)
    }

    fn arn(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let items = self.input.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    fn millis(&self, name: &str) -> Option<i64> {
        let seconds = self.input.get(name)?.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "a float out of range is cut to it")]
        Some((seconds * 1000.0).round() as i64)
    }
}

/// Returns the moment of which a read is that lags behind, in milliseconds since 1970.
fn moment(lag: Duration) -> Option<i64> {
    let lag = i64::try_from(lag.as_millis()).unwrap_or(i64::MAX);
    (lag > 0).then(|| now().saturating_sub(lag))
}

/// Returns texts by key as JSON.
fn object(texts: &BTreeMap<&str, &str>) -> String {
    serde_json::to_string(texts).unwrap_or_else(|_| "{}".to_owned())
}

fn owned(texts: BTreeMap<&str, &str>) -> Vec<(String, String)> {
    texts.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}

/// Returns the answer about an artifact with these members.
fn answer(row: &Row, members: Members) -> Members {
    let mut answer = members;
    answer.insert("ArtifactArn".to_owned(), json!(row.arn));
    answer.insert("CreationTime".to_owned(), timestamp(row.created));
    answer.insert("LastModifiedTime".to_owned(), timestamp(row.modified));
    answer
}

/// Checks what the model does not say of tags: keys are unique, and `aws:` is reserved.
fn check_tags(tags: &[(String, String)]) -> Result<(), ApiError> {
    let mut keys: Vec<_> = tags.iter().map(|(key, _)| key).collect();
    keys.sort();
    if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("Duplicate tag keys found: {}", pair[0]);
        return Err(ApiError::validation(message));
    }
    let reserved = |key: &&&String| {
        let head = key.get(..RESERVED_TAG_PREFIX.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(RESERVED_TAG_PREFIX))
    };
    if let Some(key) = keys.iter().find(reserved) {
        let message = format!("Tag keys cannot start with 'aws:': {key}");
        return Err(ApiError::validation(message));
    }
    Ok(())
}

/// Returns the error of a tag operation. The model has none for them: a missing artifact is
/// invalid.
fn tag_error(error: StoreError, arn: &str) -> ApiError {
    match error {
        StoreError::NotFound => ApiError::validation(format!("Could not find resource: {arn}")),
        other => api_error(other),
    }
}

fn api_error(error: StoreError) -> ApiError {
    match error {
        StoreError::NameTaken { arn } => {
            ApiError::validation(format!("An artifact with this name already exists: {arn}"))
        }
        StoreError::SourceTaken { arn } => {
            ApiError::validation(format!("An artifact with this source already exists: {arn}"))
        }
        StoreError::Limit { limit, used } => ApiError::new(
            400,
            "ResourceLimitExceeded",
            format!(
                "The account-level service limit 'Total number of artifacts allowed, excluding \
                 those automatically created by SageMaker' is {limit} Artifacts, with current \
                 utilization of {used} Artifacts and a request delta of 1 Artifacts. Please use \
                 AWS Service Quotas to request an increase for this quota."
            ),
        ),
        StoreError::NotFound => ApiError::not_found("The artifact does not exist"),
        StoreError::TooMany { what, limit } => {
            ApiError::validation(format!("An artifact can have at most {limit} {what}"))
        }
        StoreError::Sqlite(error) => ApiError::internal(&error),
        StoreError::Failed(reason) => ApiError::internal(&reason),
        StoreError::Gone => ApiError::internal(&"the writer of the registry ended"),
    }
}
