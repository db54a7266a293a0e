//! The admin endpoint: how the registry misbehaves, read and set while it runs, what it was asked,
//! whether it works, and how it is emptied, as JSON. Not part of the service's API, and never
//! throttled, delayed or signed.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use serde_json::{Map, Value, json};

use super::control::Settings;
use super::faults::Misbehaviour;
use super::guard::{Guard, Refusal};
use super::shared::{BODY_BYTES, BodyError, Shared};
use super::store::StoreError;

type Failed = (StatusCode, String);

/// Answers `GET /_lineload/misbehaviour`.
pub(super) async fn misbehaviour(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let allowed = shared.guard.page(&uri, &headers).map_err(refused);
    response(allowed.and_then(|()| settings(&shared)))
}

/// `PUT /_lineload/misbehaviour`: all of it. What the body leaves out does not go wrong any more.
pub(super) async fn misbehave(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let allowed = shared.guard.page(&uri, &headers).map_err(refused);
    response(allowed.and_then(|()| set(&shared, &headers, &body)))
}

/// Answers `GET /_lineload/activity`.
pub(super) async fn activity(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let snapshot =
        || serde_json::to_value(shared.activity.snapshot(Instant::now())).map_err(|e| internal(&e));
    response(shared.guard.page(&uri, &headers).map_err(refused).and_then(|()| snapshot()))
}

/// Answers `GET /_lineload/health`: checks that the registry can read its artifacts.
pub(super) async fn health(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if let Err(refusal) = shared.guard.page(&uri, &headers) {
        return response(Err(refused(refusal)));
    }
    response(match shared.store.count().await {
        Ok(artifacts) => Ok(json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "registry": *shared.store.id(),
            "artifacts": artifacts,
        })),
        Err(error) => Err(broken(&error)),
    })
}

/// `POST /_lineload/reset`: removes every artifact. Also where other machines are let in, it is for
/// those who address the registry as their own machine.
pub(super) async fn reset(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let asked = Guard { open: false }.page(&uri, &headers).map_err(refused).and_then(|()| {
        let body = object(&headers, &body)?;
        match body.keys().next() {
            Some(key) => {
                Err((StatusCode::BAD_REQUEST, format!("unknown field `{key}`; send `{{}}`")))
            }
            None => Ok(()),
        }
    });
    if let Err(failed) = asked {
        return response(Err(failed));
    }
    response(match shared.store.reset().await {
        Ok(removed) => Ok(json!({ "removed": removed, "registry": *shared.store.id() })),
        Err(error) => Err(broken(&error)),
    })
}

/// Returns the answer to a request whose body was not read.
pub(super) fn unread(error: BodyError) -> Response<Body> {
    response(Err(match error {
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body took too long".to_owned()),
        BodyError::TooLarge => {
            let message = format!("the body is larger than {BODY_BYTES} bytes");
            (StatusCode::PAYLOAD_TOO_LARGE, message)
        }
    }))
}

fn set(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<Value, Failed> {
    let bad = |message: String| (StatusCode::BAD_REQUEST, message);
    // An object, and not the list of its values that serde would take as well.
    let wanted = object(headers, body)?;
    let wanted: Settings =
        serde_json::from_value(wanted.into()).map_err(|error| bad(error.to_string()))?;
    let wanted = Misbehaviour::try_from(wanted).map_err(bad)?;
    shared.control.set(wanted);
    settings(shared)
}

/// Reads a body that must be a JSON object, of the type that says so.
fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Failed> {
    // A browser asks before it sends this type to another origin, and gets no leave.
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let message = "send it with `Content-Type: application/json`".to_owned();
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

fn refused(refusal: Refusal) -> Failed {
    (refusal.status, refusal.reason)
}

fn broken(error: &StoreError) -> Failed {
    tracing::error!("the registry failed: {error:?}");
    (StatusCode::SERVICE_UNAVAILABLE, "the registry failed; its log says why".to_owned())
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
