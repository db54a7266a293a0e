//! The admin endpoint: how the registry misbehaves, read and set while it runs, and what it was
//! asked, as JSON. Not part of the service's API, and never throttled, delayed or signed.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::control::Settings;
use super::faults::Misbehaviour;
use super::http::{BodyError, Shared, read};

type Failed = (StatusCode, String);

/// `GET /_lineload/misbehaviour`
pub(super) async fn misbehaviour(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Response<Body> {
    let result = guarded(&shared, &headers).and_then(|()| settings(&shared));
    response(result)
}

/// `PUT /_lineload/misbehaviour`: all of it. What the body leaves out does not go wrong any more.
pub(super) async fn misbehave(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    response(set(&shared, &head.headers, body).await)
}

/// `GET /_lineload/activity`
pub(super) async fn activity(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Response<Body> {
    let snapshot =
        || serde_json::to_value(shared.activity.snapshot(Instant::now())).map_err(|e| internal(&e));
    response(guarded(&shared, &headers).and_then(|()| snapshot()))
}

async fn set(shared: &Shared, headers: &HeaderMap, body: Body) -> Result<Value, Failed> {
    guarded(shared, headers)?;
    // A browser asks before it sends this type to another origin, and gets no leave.
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let message = "send it with `Content-Type: application/json`".to_owned();
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = read(body).await.map_err(|error| match error {
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body took too long".to_owned()),
        BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large".to_owned()),
    })?;
    let bad = |message: String| (StatusCode::BAD_REQUEST, message);
    // An object, and not the list of its values that serde would take as well.
    let wanted: Map<String, Value> =
        serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?;
    let wanted: Settings =
        serde_json::from_value(wanted.into()).map_err(|error| bad(error.to_string()))?;
    let wanted = Misbehaviour::try_from(wanted).map_err(bad)?;
    shared.control.set(wanted);
    settings(shared)
}

fn guarded(shared: &Shared, headers: &HeaderMap) -> Result<(), Failed> {
    shared.guard.host_and_origin(headers).map_err(|reason| (StatusCode::FORBIDDEN, reason))
}

fn settings(shared: &Shared) -> Result<Value, Failed> {
    let settings = Settings::from(shared.control.now().misbehaviour());
    serde_json::to_value(settings).map_err(|error| internal(&error))
}

fn internal(error: &serde_json::Error) -> Failed {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

fn response(result: Result<Value, Failed>) -> Response<Body> {
    let (status, value) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err((status, message)) => (status, json!({ "error": message })),
    };
    let mut response = Response::new(Body::from(format!("{value:#}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
