//! The page for browsers: artifacts, one artifact, what was asked and what went wrong.
//!
//! In: GET requests. Out: one HTML document, made here, that loads nothing and runs nothing. Whatever
//! it shows of an artifact may be meant to harm: every text goes through [`html`].

mod activity;
mod artifacts;
mod html;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header};

use self::html::Html;
use super::guard::Refusal;
use super::http::Shared;
use super::page_token::PageToken;
use super::store::{Search, StoreError};

/// Artifacts on a page.
const PER_PAGE: usize = 25;
/// Artifacts that one search looks at: a quarter of a second.
const EFFORT: usize = 200_000;
/// Seconds that a page may be told to load itself again after.
const REFRESH: std::ops::RangeInclusive<u8> = 1..=60;
const STYLE: &str = include_str!("page/style.css");

/// What the address asks for.
#[derive(Debug, Clone, Default)]
struct Query {
    text: String,
    after: Option<PageToken>,
    /// As it was given.
    token: Option<String>,
    refresh: Option<u8>,
    arn: String,
}

/// What goes into a document.
struct Document {
    status: StatusCode,
    title: String,
    body: Html,
    refresh: Option<u8>,
}

/// What is asked for, or why it is refused.
fn asked(shared: &Shared, headers: &HeaderMap, uri: &Uri) -> Result<Query, Document> {
    let refused = |refusal: Refusal| failure(refusal.status, &refusal.reason);
    shared.guard.page(uri, headers).map_err(refused)?;
    Query::read(uri).map_err(|reason| failure(StatusCode::BAD_REQUEST, &reason))
}

/// `GET /`
pub(super) async fn home(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response<Body> {
    let document = match asked(&shared, &headers, &uri) {
        Ok(query) => list(&shared, query).await.unwrap_or_else(|error| broken(&error)),
        Err(refusal) => refusal,
    };
    document.response()
}

/// `GET /_lineload/artifact?arn=…`
pub(super) async fn artifact(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response<Body> {
    let document = match asked(&shared, &headers, &uri) {
        Ok(query) => one(&shared, &query).await.unwrap_or_else(|error| broken(&error)),
        Err(refusal) => refusal,
    };
    document.response()
}

async fn list(shared: &Shared, query: Query) -> Result<Document, StoreError> {
    let search =
        Search { text: query.text.clone(), after: query.after, limit: PER_PAGE, effort: EFFORT };
    let found = shared.store.search(search).await?;
    let count = shared.store.count().await?;
    let snapshot = shared.activity.snapshot(Instant::now());
    let active = shared.control.now();
    let mut body = Html::default();
    artifacts::section(&mut body, &query, count, &found);
    activity::section(&mut body, &query, &snapshot, active.misbehaviour());
    body.raw("<footer>file ").code(&shared.store.id()).raw("</footer>");
    let title = "lineload registry".to_owned();
    Ok(Document { status: StatusCode::OK, title, body, refresh: query.refresh })
}

async fn one(shared: &Shared, query: &Query) -> Result<Document, StoreError> {
    let row = match shared.store.describe(query.arn.clone()).await {
        Ok(row) => row,
        Err(StoreError::NotFound) => {
            return Ok(failure(StatusCode::NOT_FOUND, "there is no such artifact"));
        }
        Err(error) => return Err(error),
    };
    let tags = shared.store.tags(row.arn.clone(), None).await?;
    let mut body = Html::default();
    artifacts::detail(&mut body, &row, &tags);
    let title = row.name.clone().unwrap_or_else(|| row.arn.clone());
    Ok(Document { status: StatusCode::OK, title, body, refresh: None })
}

fn failure(status: StatusCode, reason: &str) -> Document {
    let mut body = Html::default();
    body.raw("<section><p>")
        .text(reason)
        .raw("</p><p><a href=\"/\">All artifacts</a></p></section>");
    let title = status.canonical_reason().unwrap_or("Error").to_owned();
    Document { status, title, body, refresh: None }
}

fn broken(error: &StoreError) -> Document {
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
                    query.after = Some(token.map_err(|_| "there is no such page".to_owned())?);
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

    /// The address of the list at a page, as it is asked for now but for that.
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

impl Document {
    fn response(self) -> Response<Body> {
        // Only a style with this word in it counts, so that none can be smuggled in.
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let mut page = Html::default();
        page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
            .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .raw("<meta name=\"color-scheme\" content=\"light dark\"><title>")
            .text(&self.title)
            .raw("</title><style nonce=\"")
            .raw(&nonce)
            .raw("\">")
            .raw(STYLE)
            .raw("</style></head><body><header><a href=\"/\">lineload <b>registry</b></a>")
            .raw("<span>a local stand-in for SageMaker ML Lineage</span></header><main>")
            .append(&self.body)
            .raw("</main></body></html>\n");
        let mut response = Response::new(Body::from(page.finish()));
        *response.status_mut() = self.status;
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
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
        if let Some(seconds) = self.refresh {
            header(HeaderName::from_static("refresh"), &seconds.to_string());
        }
        response
    }
}
