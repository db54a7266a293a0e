//! The conversion of the SDK's errors into refusals.

use std::error::Error;
use std::time::SystemTime;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sagemaker::error::SdkError;
use aws_sdk_sagemaker::operation::RequestId as _;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use rustls::CertificateError;

use super::clock;
use super::http::{HandedOver, TooLong};
use super::registry_at::OtherRegistry;
use crate::service::{Seen, classify};
use crate::submission::{Class, NOT_THE_SERVICE, Refusal, UNTRUSTED, bounded};

/// Characters that a code and a request id may have.
const LONGEST_NAME: usize = 128;

/// Returns what an error of the SDK means.
pub(super) fn refusal<E>(error: &SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let answer = match error {
        SdkError::ResponseError(response) => Some(response.raw()),
        SdkError::ServiceError(service) => Some(service.raw()),
        _ => None,
    };
    // A value that cannot be a code is no verdict of the service.
    let code = error.code().and_then(name);
    let said = error.message().unwrap_or_default();
    let (seen, message) = match (answer, error) {
        (Some(answer), _) => {
            let status = answer.status().as_u16();
            let message = if said.is_empty() || code.is_none() {
                unexplained(answer, code.is_some(), said, find::<TooLong>(error).is_some())
            } else {
                said.to_owned()
            };
            (Seen::Answer { status, code: code.as_deref(), message: said }, message)
        }
        (None, SdkError::TimeoutError(_)) => (Seen::NoAnswer, "the request timed out".to_owned()),
        // The client's own timer may fire first.
        (None, SdkError::DispatchFailure(failure))
            if failure.is_timeout()
                && find::<HandedOver>(error).is_some()
                && !connecting(error) =>
        {
            (Seen::NoAnswer, "the request timed out".to_owned())
        }
        (None, other) => unanswered(other),
    };
    let class = classify(seen);
    let message = match (class, answer) {
        (Class::ClockOff, Some(answer)) => {
            clock::words(answer.headers().get("date"), SystemTime::now(), said)
        }
        (Class::Unsendable, Some(_)) => "the proxy requires authentication (HTTP 407)".to_owned(),
        _ => message,
    };
    let request_id = error.request_id().and_then(name);
    Refusal { class, code, message: bounded(message), request_id }
}

/// Returns whether a connection was being made.
fn connecting<E: Error + Send + Sync + 'static>(error: &SdkError<E, HttpResponse>) -> bool {
    find::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
}

/// Returns the observation of a request without a response, and its message.
fn unanswered<E>(error: &SdkError<E, HttpResponse>) -> (Seen<'static>, String)
where
    E: Error + Send + Sync + 'static,
{
    if find::<CredentialsError>(error).is_some() {
        return (Seen::NoCredentials, innermost(error));
    }
    if find::<HandedOver>(error).is_none() {
        // The endpoint, the identity or the signature failed: the SDK calls that a failure to
        // dispatch, but nothing was submitted.
        return (Seen::Unbuilt, innermost(error));
    }
    if let Some(other) = find::<OtherRegistry>(error) {
        return (Seen::NoPassage, other.to_string());
    }
    if let Some(rustls::Error::InvalidCertificate(reason)) = find::<rustls::Error>(error) {
        return (Seen::NoPassage, untrusted(reason));
    }
    let connecting = connecting(error);
    let reason = innermost(error);
    let seen = match connecting {
        true if reason.contains("proxy authorization required") => Seen::NoPassage,
        true => Seen::NoConnection,
        false => Seen::NoAnswer,
    };
    (seen, reason)
}

/// Describes a response that has no message of the service.
fn unexplained(answer: &HttpResponse, has_code: bool, said: &str, too_long: bool) -> String {
    let status = answer.status().as_u16();
    if too_long {
        return format!("HTTP {status}: {TooLong}");
    }
    let body = answer.body().bytes().unwrap_or_default().trim_ascii_start();
    let kind = answer.headers().get("content-type").unwrap_or_default().to_ascii_lowercase();
    if status < 500 && !has_code && (kind.contains("html") || body.starts_with(b"<")) {
        return format!("{NOT_THE_SERVICE}: HTTP {status} with an HTML page");
    }
    // The SDK reads the message only if there is a code.
    let read = if said.is_empty() { message_in(body) } else { None };
    let said = read.as_deref().unwrap_or(said);
    match (status, has_code) {
        (_, true) => format!("HTTP {status}"),
        (200..=299, false) => format!("HTTP {status} with an unreadable response"),
        _ if body.is_empty() => format!("HTTP {status} with an empty response"),
        (300..=499, false) if said.is_empty() => format!("HTTP {status} without an error code"),
        (300..=499, false) => format!("HTTP {status} without an error code: {said}"),
        _ => format!("HTTP {status} with an unreadable response"),
    }
}

/// Returns the message in a body of JSON.
fn message_in(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Body {
        #[serde(alias = "Message")]
        message: Option<String>,
    }
    serde_json::from_slice::<Body>(body).ok()?.message
}

/// Says why a certificate is not trusted.
fn untrusted(reason: &CertificateError) -> String {
    let why = match reason {
        CertificateError::UnknownIssuer => "unknown issuer".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it was issued for another host name".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired, according to this machine's clock".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet, according to this machine's clock".to_owned()
        }
        other => other.to_string(),
    };
    format!("{UNTRUSTED}: {why}")
}

/// Returns `text` if it can be a code or an id: short, and made of characters that names have.
fn name(text: &str) -> Option<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/+=#@".contains(&b);
    let is_one = !text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(fits);
    is_one.then(|| text.to_owned())
}

/// Returns what an error and its causes say, each once.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for error in causes(error) {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    bounded(parts.join(": "))
}

/// Returns what the error at the root says: the layers above it only say that something failed.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let text = causes(error).last().map(ToString::to_string).unwrap_or_default();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Returns the error of type `E` among an error and its causes.
fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    causes(error).find_map(<dyn Error>::downcast_ref)
}

/// Returns an error and its causes. The inner error of an I/O error is not its source, but the
/// inner error's source is.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<std::io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}
