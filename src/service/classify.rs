//! What an error of the target means.

use crate::submission::Class;

/// What was seen of an attempt that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// The request could not be built.
    Unbuilt,
    /// No connection could be made.
    NoConnection,
    /// No credentials could be had, or they could not sign.
    NoCredentials,
    /// The connection ended, or time ran out, after the request may have left.
    NoAnswer,
    /// An answer with this status, and the service's code if it had one.
    Answer {
        /// The HTTP status.
        status: u16,
        /// As in `ThrottlingException`.
        code: Option<&'a str>,
    },
}

/// What `seen` means for the run. The message is never looked at.
#[must_use]
pub fn classify(seen: Seen<'_>) -> Class {
    let (status, code) = match seen {
        Seen::Unbuilt => return Class::Rejected,
        Seen::NoConnection => return Class::NotSent,
        Seen::NoCredentials => return Class::Expired,
        Seen::NoAnswer => return Class::Lost,
        Seen::Answer { status, code } => (status, code),
    };
    if let Some(class) = code.and_then(of_code) {
        // A code that says "denied" behind a 5xx is a proxy's, and tells nothing.
        if status < 500 || class == Class::Throttled {
            return class;
        }
    }
    match status {
        429 => Class::Throttled,
        401 | 403 => Class::Denied,
        // The server gave up waiting for the request; it may have had it all.
        408 => Class::Ambiguous,
        400..=499 => Class::Rejected,
        // 2xx that cannot be read, 5xx, and whatever a proxy makes up.
        _ => Class::Ambiguous,
    }
}

fn of_code(code: &str) -> Option<Class> {
    let class = match code {
        "ResourceLimitExceeded" => Class::Limit,
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException" => Class::Throttled,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Class::Expired,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired" => Class::Denied,
        "InternalFailure"
        | "InternalServerError"
        | "InternalError"
        | "ServiceUnavailable"
        | "RequestTimeout"
        | "RequestTimeoutException" => Class::Ambiguous,
        _ => return None,
    };
    Some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_answers() {
        let cases = [
            (400, Some("ResourceLimitExceeded"), Class::Limit),
            (400, Some("ThrottlingException"), Class::Throttled),
            (400, Some("RequestLimitExceeded"), Class::Throttled),
            (503, Some("ThrottlingException"), Class::Throttled),
            (503, Some("SlowDown"), Class::Throttled),
            (429, Some("TooManyRequestsException"), Class::Throttled),
            (429, Some("Whatever"), Class::Throttled),
            (429, None, Class::Throttled),
            (400, Some("ValidationException"), Class::Rejected),
            (400, Some("ConflictException"), Class::Rejected),
            (400, Some("UnknownOperationException"), Class::Rejected),
            (413, None, Class::Rejected),
            (404, None, Class::Rejected),
            (403, None, Class::Denied),
            (400, Some("AccessDeniedException"), Class::Denied),
            (403, Some("AccessDenied"), Class::Denied),
            (400, Some("UnrecognizedClientException"), Class::Denied),
            (403, Some("ExpiredToken"), Class::Expired),
            (400, Some("ExpiredTokenException"), Class::Expired),
            (408, None, Class::Ambiguous),
            (500, None, Class::Ambiguous),
            (500, Some("InternalFailure"), Class::Ambiguous),
            (502, None, Class::Ambiguous),
            (503, Some("ServiceUnavailable"), Class::Ambiguous),
            (504, None, Class::Ambiguous),
            (503, Some("AccessDenied"), Class::Ambiguous),
            (200, None, Class::Ambiguous),
            (302, None, Class::Ambiguous),
        ];
        for (status, code, class) in cases {
            assert_eq!(classify(Seen::Answer { status, code }), class, "{status} {code:?}");
        }
        assert_eq!(classify(Seen::NoConnection), Class::NotSent);
        assert_eq!(classify(Seen::NoAnswer), Class::Lost);
        assert_eq!(classify(Seen::Unbuilt), Class::Rejected);
    }
}
