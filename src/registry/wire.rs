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

    /// Returns the error for a request that breaks a constraint, or that creates what already
    /// exists.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// Returns the error for a request that its operation cannot read.
    pub(super) fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// Returns the error for a request that names something that does not exist.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceNotFound", message)
    }

    /// Returns the error for too many requests per second.
    pub(super) fn throttled() -> Self {
        Self::new(400, "ThrottlingException", "Rate exceeded")
    }

    /// Returns the error for a failure of the registry itself.
    pub(super) fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!("the registry failed: {error}");
        Self::new(
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error",
        )
    }

    /// Returns the body. The service writes `Message` for errors that its model has, `message` for
    /// others.
    pub(super) fn body(&self) -> Value {
        let modelled =
            matches!(self.code, "ResourceLimitExceeded" | "ResourceNotFound" | "ConflictException");
        let key = if modelled { "Message" } else { "message" };
        json!({ "__type": self.code, key: self.message })
    }
}

/// Returns seconds since 1970 with milliseconds: a timestamp of the protocol.
pub(super) fn timestamp(millis: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "exact until the year 287396")]
    let seconds = millis as f64 / 1000.0;
    json!(seconds)
}
