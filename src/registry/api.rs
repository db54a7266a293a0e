//! Calls of the service's API: who asks, what for, what goes wrong on request, and the answer.

use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::activity;
use super::auth;
use super::faults::{Answer, FaultKind, When};
use super::names::targeted;
use super::operations::Request;
use super::shared::{BODY_BYTES, BodyError, Shared};
use super::store::now;
use super::wire::ApiError;

/// The end of a request.
enum End {
    Answer(Vec<u8>),
    CutOff,
    Silence,
}

/// Answers a request, or does not, if that was asked for.
pub(super) async fn answer(
    shared: &Shared,
    head: &Parts,
    body: Result<Bytes, BodyError>,
) -> Option<Response<Body>> {
    let operation = targeted(target(head));
    let mut fault = None;
    let end = handle(shared, head, body, &mut fault).await;
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
        Ok(End::Answer(body)) => Some(response(StatusCode::OK, body)),
        Ok(End::CutOff) => None,
        Ok(End::Silence) => std::future::pending().await,
        Err(error) => {
            let status = StatusCode::from_u16(error.status);
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Some(response(status, error.body().to_string().into_bytes()))
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
    // Nobody needs to be unable to guess it.
    let random = fastrand::u128(..).to_be_bytes();
    let request_id = uuid::Builder::from_random_bytes(random).into_uuid().to_string();
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        headers.insert("x-amzn-requestid", request_id);
    }
    response
}

/// `fault` is what went wrong because it was asked for, where that is so.
async fn handle(
    shared: &Shared,
    head: &Parts,
    body: Result<Bytes, BodyError>,
    fault: &mut Option<FaultKind>,
) -> Result<End, ApiError> {
    shared.guard.api(&head.uri, &head.headers).map_err(|refusal| {
        let bad = refusal.status == StatusCode::BAD_REQUEST;
        let code = if bad { "BadRequestException" } else { "AccessDeniedException" };
        // The service denies access with this status too.
        ApiError::new(400, code, refusal.reason)
    })?;
    let body = body.map_err(|error| match error {
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
    if let Some(kind) = meant.filter(|kind| strikes_before(kind.when)) {
        *fault = meant;
        return faulty(kind.answer);
    }
    if !active.admits(request.operation, Instant::now()) {
        return Err(ApiError::throttled());
    }
    let answer = request.run(&shared.store, &caller.region, active.misbehaviour()).await?;
    *fault = meant;
    match meant {
        Some(kind) => faulty(kind.answer),
        None => Ok(End::Answer(answer.to_string().into_bytes())),
    }
}

/// Returns whether a fault strikes before the request has any effect; otherwise it strikes after
/// the commit.
fn strikes_before(when: When) -> bool {
    match when {
        When::BeforeCommit => true,
        When::AfterCommit => false,
        When::Either => fastrand::bool(),
    }
}

fn faulty(answer: Answer) -> Result<End, ApiError> {
    match answer {
        Answer::Drop => Ok(End::CutOff),
        Answer::Hang => Ok(End::Silence),
        Answer::Garbage => Ok(End::Answer(b"<html>It works!</html>".to_vec())),
        Answer::Error500 => {
            Err(ApiError::new(500, "InternalFailure", "The request processing has failed"))
        }
    }
}
