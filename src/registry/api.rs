//! Calls of the service's API: who asks, what for, what goes wrong on request, and the answer.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::activity;
use super::auth;
use super::faults::FaultKind;
use super::guard::Guard;
use super::http::{BODY_BYTES, BodyError, CutOff, Shared, read};
use super::operations::{Request, targeted};
use super::store::now;
use super::wire::ApiError;

/// How a request ends.
enum End {
    Answer(Vec<u8>),
    CutOff,
    Silence,
}

/// Answers a request, or does not, if that was asked for.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    request: HttpRequest,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let operation = targeted(target(&head));
    let mut fault = None;
    let end = handle(&shared, &head, body, &mut fault).await;
    let outcome = match (&end, fault) {
        (_, Some(kind)) => activity::Outcome::Faulted(kind),
        (Ok(_), None) => activity::Outcome::Answered,
        (Err(error), None) => match error.code {
            "ThrottlingException" => activity::Outcome::Throttled,
            "ResourceLimitExceeded" => activity::Outcome::Limited,
            "InternalFailure" => activity::Outcome::Failed,
            code => activity::Outcome::Refused(code),
        },
    };
    shared.activity.record(operation, outcome, Instant::now(), now());
    match end {
        Ok(End::Answer(body)) => response(StatusCode::OK, body),
        Ok(End::CutOff) => {
            let mut response = response(StatusCode::OK, Vec::new());
            response.extensions_mut().insert(CutOff);
            response
        }
        Ok(End::Silence) => std::future::pending().await,
        Err(error) => {
            let status = StatusCode::from_u16(error.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response(status, error.body().to_string().into_bytes())
        }
    }
}

fn target(head: &Parts) -> Option<&str> {
    head.headers.get("x-amz-target")?.to_str().ok()
}

fn response(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    let request_id = uuid::Uuid::new_v4().to_string();
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-amzn-requestid", request_id);
    }
    response
}

/// `fault` is what went wrong because it was asked for, where that is so.
async fn handle(
    shared: &Shared,
    head: &Parts,
    body: Body,
    fault: &mut Option<FaultKind>,
) -> Result<End, ApiError> {
    // No AWS client sends an origin. Behind a name that leads to loopback a page could sign, too.
    Guard::origin(&head.headers)
        .map_err(|reason| ApiError::new(403, "AccessDeniedException", reason))?;
    let body = read(body).await.map_err(|error| match error {
        BodyError::TooSlow => ApiError::new(408, "RequestTimeout", "The body took too long"),
        BodyError::TooLarge => {
            let message = format!("The body is larger than {BODY_BYTES} bytes");
            ApiError::new(413, "RequestEntityTooLargeException", message)
        }
    })?;
    let active = shared.control.now();
    let latency = active.misbehaviour().latency;
    // To sleep for no time at all would take a millisecond, the timer's tick.
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let caller = auth::caller(&head.headers)?;
    let request = Request::read(target(head), &body)?;
    let meant = active.fault(request.operation);
    let before = match meant {
        Some(FaultKind::DropBeforeCommit) => Some(Ok(End::CutOff)),
        Some(FaultKind::Error500) if coin() => Some(Err(error_500())),
        Some(FaultKind::Hang) if coin() => Some(Ok(End::Silence)),
        _ => None,
    };
    if let Some(end) = before {
        *fault = meant;
        return end;
    }
    if !active.admits(request.operation, Instant::now()) {
        return Err(ApiError::throttled());
    }
    let max_artifacts = active.misbehaviour().max_artifacts;
    let answer = request.run(&shared.store, &caller.region, max_artifacts).await?;
    *fault = meant;
    match meant {
        Some(FaultKind::DropAfterCommit) => Ok(End::CutOff),
        Some(FaultKind::Error500) => Err(error_500()),
        Some(FaultKind::Hang) => Ok(End::Silence),
        Some(FaultKind::Garbage) => Ok(End::Answer(b"<html>It works!</html>".to_vec())),
        Some(FaultKind::DropBeforeCommit) | None => {
            Ok(End::Answer(answer.to_string().into_bytes()))
        }
    }
}

fn coin() -> bool {
    fastrand::bool()
}

fn error_500() -> ApiError {
    ApiError::new(500, "InternalFailure", "The request processing has failed")
}
