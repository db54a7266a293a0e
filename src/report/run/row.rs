//! An entry as the reports for programs have it, what looks like a credential masked.

use std::borrow::Cow;

use serde::Serialize;

use super::LoggedEntry;
use crate::submission::{Outcome, Target};
use crate::text::redacted;

#[derive(Serialize)]
pub(super) struct Row<'r> {
    pub(super) file: &'r str,
    pub(super) line: u32,
    pub(super) name: Option<Cow<'r, str>>,
    pub(super) source_uri: Option<Cow<'r, str>>,
    pub(super) outcome: Outcome,
    pub(super) arn: Option<&'r str>,
    pub(super) attempts: u32,
    pub(super) request_id: Option<&'r str>,
    pub(super) error: Option<Error<'r>>,
}

#[derive(Serialize)]
pub(super) struct Error<'r> {
    pub(super) code: Option<&'r str>,
    /// The field that the service names, as a JSON Pointer into the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<Cow<'r, str>>,
    /// The service's message, which often repeats what it was sent.
    pub(super) message: Cow<'r, str>,
}

impl<'r> Row<'r> {
    pub(super) fn of(entry: &'r LoggedEntry) -> Self {
        Self {
            file: &entry.file,
            line: entry.line,
            name: entry.name.as_deref().map(redacted),
            source_uri: entry.source_uri.as_deref().map(redacted),
            outcome: entry.outcome,
            arn: entry.arn.as_deref(),
            attempts: entry.attempts,
            request_id: entry.request_id.as_deref(),
            error: entry.error.as_ref().map(|refusal| Error {
                code: refusal.code.as_deref(),
                path: refusal.member().map(|path| redacted(&path).into_owned().into()),
                message: redacted(&refusal.message),
            }),
        }
    }

    /// Returns the name of the entry, or its URI where it has none.
    pub(super) fn title(&self) -> &str {
        self.name.as_deref().or(self.source_uri.as_deref()).unwrap_or_default()
    }

    /// Returns the message, where it was refused.
    pub(super) fn said(&self) -> String {
        match &self.error {
            Some(Error { code: Some(code), message, .. }) => format!("{code}: {message}"),
            Some(Error { code: None, message, .. }) => message.to_string(),
            None => String::new(),
        }
    }
}

/// Returns the target without the password that its URL may have.
pub(in crate::report) fn shown_target(target: &Target) -> Target {
    match target {
        Target::Endpoint { url, region, registry } => Target::Endpoint {
            url: redacted(url).into_owned(),
            region: region.clone(),
            registry: registry.clone(),
        },
        other => other.clone(),
    }
}
