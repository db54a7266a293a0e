//! What errors of the SDK mean.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sagemaker::error::SdkError;
use aws_sdk_sagemaker::operation::RequestId as _;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::service::{Seen, classify};
use crate::submission::Refusal;

/// What an error of the SDK means.
pub(super) fn refusal<E>(error: &SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let code = error.code();
    let seen = match error {
        SdkError::ConstructionFailure(_) => Seen::Unbuilt,
        SdkError::TimeoutError(_) => Seen::NoAnswer,
        SdkError::DispatchFailure(failure) => {
            let connector = failure.as_connector_error();
            if is_of_credentials(error) {
                Seen::NoCredentials
            } else if connector.is_some_and(never_connected) {
                Seen::NoConnection
            } else if failure.is_user() {
                Seen::Unbuilt
            } else {
                Seen::NoAnswer
            }
        }
        SdkError::ResponseError(response) => {
            Seen::Answer { status: response.raw().status().as_u16(), code }
        }
        SdkError::ServiceError(service) => {
            Seen::Answer { status: service.raw().status().as_u16(), code }
        }
        _ => Seen::NoAnswer,
    };
    let message = match error {
        SdkError::ServiceError(_) => error.message().unwrap_or_default().to_owned(),
        SdkError::ResponseError(response) => {
            format!("HTTP {} with an answer that cannot be read", response.raw().status().as_u16())
        }
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        other => innermost(other),
    };
    let message = if message.is_empty() { status_line(seen) } else { message };
    Refusal {
        class: classify(seen),
        code: code.map(str::to_owned),
        message,
        request_id: error.request_id().map(str::to_owned),
    }
}

fn status_line(seen: Seen<'_>) -> String {
    match seen {
        Seen::Answer { status, .. } => format!("HTTP {status}"),
        _ => "no answer".to_owned(),
    }
}

/// What an error and its causes say, each once.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = error.source();
    }
    parts.join(": ")
}

/// What the error at the root says: the layers above it only say that something failed.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Whether the credentials could not be had, so that nothing was sent. The SDK asks for them after it
/// has built the request, and calls what comes of it a dispatch failure.
fn is_of_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<CredentialsError>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether no connection was made, so that nothing can have been sent.
fn never_connected(error: &aws_smithy_runtime_api::client::result::ConnectorError) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return error.is_connect();
        }
        source = error.source();
    }
    false
}
