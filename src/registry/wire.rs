//! awsJson 1.1: answers and errors as they go over the wire.

use std::fmt;

use serde_json::{Value, json};

/// An error as the service answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl ApiError {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The request breaks a constraint, or what it asks for exists.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// The request is not what its operation takes.
    pub(super) fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// Something that the request names is not there.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceNotFound", message)
    }

    /// Too many requests a second.
    pub(super) fn throttled() -> Self {
        Self::new(400, "ThrottlingException", "Rate exceeded")
    }

    /// The registry itself failed.
    pub(super) fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!("the registry failed: {error}");
        Self::new(
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error",
        )
    }

    /// The body. The service writes `Message` for errors that its model has, `message` for others.
    pub(super) fn body(&self) -> Value {
        let modelled =
            matches!(self.code, "ResourceLimitExceeded" | "ResourceNotFound" | "ConflictException");
        let key = if modelled { "Message" } else { "message" };
        json!({ "__type": self.code, key: self.message })
    }
}

/// Seconds since 1970 with milliseconds, as the protocol has timestamps.
pub(super) fn timestamp(millis: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
    let seconds = millis as f64 / 1000.0;
    json!(seconds)
}
