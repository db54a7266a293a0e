//! The pages for browsers: the list of artifacts with the latest requests, and one artifact.
//!
//! In: GET requests. Out: one HTML document that loads nothing and runs nothing. Texts of artifacts
//! may be hostile: templates render them, and these escape every text.

mod artifact;
mod filters;
mod list;

use std::sync::Arc;
use std::time::Instant;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header};

use self::artifact::Artifact;
use self::list::List;
use super::guard::Refusal;
use super::page_token::PageToken;
use super::shared::Shared;
use super::store::{Search, StoreError};

/// Artifacts on a page.
const PER_PAGE: usize = 25;
/// Artifacts that one search looks at, which takes a quarter of a second.
const EFFORT: usize = 200_000;
/// Seconds after which a page can reload itself.
const REFRESH: std::ops::RangeInclusive<u8> = 1..=60;

/// The query of a page's address.
#[derive(Debug, Clone, Default)]
struct Query {
    text: String,
    after: Option<PageToken>,
    /// The page token as it was given.
    token: Option<String>,
    refresh: Option<u8>,
    arn: String,
}

/// The parts that all pages have in common.
struct Layout {
    title: String,
    /// The one-time word that lets this page's style, and no other, take effect.
    nonce: String,
}

impl Layout {
    fn new(title: &str) -> Self {
        Self { title: title.to_owned(), nonce: uuid::Uuid::new_v4().simple().to_string() }
    }
}

/// The page that says why there is no other.
#[derive(Template)]
#[template(path = "registry/page/failure.html")]
struct Failure<'p> {
    layout: Layout,
    reason: &'p str,
}

/// Returns the query of a request, or why it is refused.
fn query(shared: &Shared, headers: &HeaderMap, uri: &Uri) -> Result<Query, Refusal> {
    shared.guard.page(uri, headers)?;
    Query::read(uri).map_err(|reason| Refusal { status: StatusCode::BAD_REQUEST, reason })
}

/// Answers `GET /`.
pub(super) async fn home(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response<Body> {
    match query(&shared, &headers, &uri) {
        Ok(query) => list(&shared, &query).await.unwrap_or_else(|error| broken(&error)),
        Err(refusal) => failure(refusal.status, &refusal.reason),
    }
}

/// Answers `GET /_lineload/artifact?arn=…`.
pub(super) async fn artifact(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response<Body> {
    match query(&shared, &headers, &uri) {
        Ok(query) => one(&shared, &query).await.unwrap_or_else(|error| broken(&error)),
        Err(refusal) => failure(refusal.status, &refusal.reason),
    }
}

async fn list(shared: &Shared, query: &Query) -> Result<Response<Body>, StoreError> {
    let search =
        Search { text: query.text.clone(), after: query.after, limit: PER_PAGE, effort: EFFORT };
    let found = shared.store.search(search).await?;
    let count = shared.store.count().await?;
    let snapshot = shared.activity.snapshot(Instant::now());
    let active = shared.control.now();
    let file = shared.store.id();
    let page = List::new(query, count, &found, &snapshot, active.misbehaviour(), &file);
    Ok(response(StatusCode::OK, &page, &page.layout, query.refresh))
}

async fn one(shared: &Shared, query: &Query) -> Result<Response<Body>, StoreError> {
    let row = match shared.store.describe(query.arn.clone()).await {
        Ok(row) => row,
        Err(StoreError::NotFound) => {
            return Ok(failure(StatusCode::NOT_FOUND, "this artifact does not exist"));
        }
        Err(error) => return Err(error),
    };
    let tags = shared.store.tags(row.arn.clone(), None).await?;
    let page = Artifact::new(&row, &tags);
    Ok(response(StatusCode::OK, &page, &page.layout, None))
}

fn failure(status: StatusCode, reason: &str) -> Response<Body> {
    let layout = Layout::new(status.canonical_reason().unwrap_or("Error"));
    let page = Failure { layout, reason };
    response(status, &page, &page.layout, None)
}

fn broken(error: &StoreError) -> Response<Body> {
    tracing::error!("the registry failed: {error:?}");
    failure(StatusCode::INTERNAL_SERVER_ERROR, "the registry failed; its log says why")
}

impl Query {
    fn read(uri: &Uri) -> Result<Self, String> {
        let mut query = Self::default();
        for (key, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match key.as_ref() {
                "q" => query.text = value.trim().to_owned(),
                "after" => {
                    let token = PageToken::decode(&value);
                    query.after =
                        Some(token.map_err(|_| "this page of the list does not exist".to_owned())?);
                    query.token = Some(value.into_owned());
                }
                "refresh" => {
                    query.refresh = value.parse().ok().filter(|seconds| REFRESH.contains(seconds));
                }
                "arn" => query.arn = value.into_owned(),
                _ => {}
            }
        }
        Ok(query)
    }

    /// Returns the address of the list after the artifact at `after`, with the same search.
    fn address(&self, after: Option<&str>, refresh: Option<u8>) -> String {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        if !self.text.is_empty() {
            pairs.append_pair("q", &self.text);
        }
        if let Some(after) = after {
            pairs.append_pair("after", after);
        }
        if let Some(refresh) = refresh {
            pairs.append_pair("refresh", &refresh.to_string());
        }
        let pairs = pairs.finish();
        if pairs.is_empty() { "/".to_owned() } else { format!("/?{pairs}") }
    }
}

/// Returns a page as an answer that no other site can use, and that reloads itself after `refresh`
/// seconds.
fn response(
    status: StatusCode,
    page: &impl Template,
    layout: &Layout,
    refresh: Option<u8>,
) -> Response<Body> {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = page.render_into(&mut text);
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
        layout.nonce
    );
    let mut header = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    header(header::CONTENT_TYPE, "text/html; charset=utf-8");
    header(header::CONTENT_SECURITY_POLICY, &policy);
    header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    header(header::X_FRAME_OPTIONS, "DENY");
    header(header::REFERRER_POLICY, "no-referrer");
    header(header::CACHE_CONTROL, "no-store");
    header(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    header(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if let Some(seconds) = refresh {
        header(HeaderName::from_static("refresh"), &seconds.to_string());
    }
    response
}
