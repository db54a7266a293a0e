//! The classification of errors.

use crate::submission::Class;

/// The observation of an attempt that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// The request could not be built, or failed before it was handed to HTTP.
    Unbuilt,
    /// No connection could be made.
    NoConnection,
    /// A connection was refused by this machine or by a proxy, for a permanent reason: the
    /// certificate is not trusted, or the proxy requires authentication.
    NoPassage,
    /// There are no credentials, or they could not sign.
    NoCredentials,
    /// The connection ended or timed out after the request may have been sent.
    NoAnswer,
    /// An answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The service's code if it had one, as in `ThrottlingException`.
        code: Option<&'a str>,
        /// The message of the service. It only distinguishes a clock that is off from a key that is
        /// wrong, which have one code.
        message: &'a str,
    },
}

/// Classifies `seen`. No message decides anything on its own.
#[must_use]
pub fn classify(seen: Seen<'_>) -> Class {
    let (status, code, message) = match seen {
        Seen::Unbuilt | Seen::NoPassage => return Class::Unsendable,
        Seen::NoConnection => return Class::NotSent,
        Seen::NoCredentials => return Class::Expired,
        Seen::NoAnswer => return Class::NoResponse,
        Seen::Answer { status, code, message } => (status, code, message),
    };
    if let Some(class) = code.and_then(|code| of_code(code, message)) {
        // A "denied" code with a 5xx status comes from a proxy, and is no verdict.
        if status < 500 || class == Class::Throttled {
            return class;
        }
    }
    match (status, code) {
        (429, _) => Class::Throttled,
        // Only a proxy asks for its password.
        (407, _) => Class::Unsendable,
        (401 | 403, Some(_)) => Class::Denied,
        // The server gave up waiting for the request; it may have had it all.
        (408, _) => Class::Ambiguous,
        (400..=499, Some(_)) => Class::Rejected,
        // 4xx without a code, which among the service's responses only a certain throttle lacks;
        // unreadable 2xx, 5xx, and responses that a proxy makes up.
        _ => Class::Ambiguous,
    }
}

fn of_code(code: &str, message: &str) -> Option<Class> {
    let class = match code {
        "ResourceLimitExceeded" => Class::Limit,
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "LimitExceededException"
        | "ProvisionedThroughputExceededException"
        | "BandwidthLimitExceeded"
        | "TransactionInProgressException"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException" => Class::Throttled,
        "ExpiredToken" | "ExpiredTokenException" => Class::Expired,
        "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture" => Class::ClockOff,
        "InvalidSignatureException" | "SignatureDoesNotMatch"
            if ["Signature expired", "not yet current"].iter().any(|say| message.contains(say)) =>
        {
            Class::ClockOff
        }
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
            (400, Some("ThrottledException"), Class::Throttled),
            (400, Some("RequestThrottled"), Class::Throttled),
            (400, Some("RequestLimitExceeded"), Class::Throttled),
            (400, Some("LimitExceededException"), Class::Throttled),
            (400, Some("ProvisionedThroughputExceededException"), Class::Throttled),
            (400, Some("BandwidthLimitExceeded"), Class::Throttled),
            (400, Some("TransactionInProgressException"), Class::Throttled),
            (503, Some("ThrottlingException"), Class::Throttled),
            (503, Some("SlowDown"), Class::Throttled),
            (429, Some("TooManyRequestsException"), Class::Throttled),
            (429, Some("Whatever"), Class::Throttled),
            (429, None, Class::Throttled),
            (400, Some("ValidationException"), Class::Rejected),
            (400, Some("ConflictException"), Class::Rejected),
            (400, Some("UnknownOperationException"), Class::Rejected),
            (404, Some("ResourceNotFound"), Class::Rejected),
            (403, Some("SomethingElse"), Class::Denied),
            (400, Some("AccessDeniedException"), Class::Denied),
            (403, Some("AccessDenied"), Class::Denied),
            (400, Some("UnrecognizedClientException"), Class::Denied),
            (403, Some("SignatureDoesNotMatch"), Class::Denied),
            (403, Some("InvalidSignatureException"), Class::Denied),
            (403, Some("ExpiredToken"), Class::Expired),
            (400, Some("ExpiredTokenException"), Class::Expired),
            (403, Some("RequestTimeTooSkewed"), Class::ClockOff),
            (400, Some("RequestExpired"), Class::ClockOff),
            (407, None, Class::Unsendable),
            (408, None, Class::Ambiguous),
            (500, None, Class::Ambiguous),
            (500, Some("InternalFailure"), Class::Ambiguous),
            (502, None, Class::Ambiguous),
            (503, Some("ServiceUnavailable"), Class::Ambiguous),
            (504, None, Class::Ambiguous),
            (503, Some("AccessDenied"), Class::Ambiguous),
            (200, None, Class::Ambiguous),
            (302, None, Class::Ambiguous),
            (400, None, Class::Ambiguous),
            (401, None, Class::Ambiguous),
            (403, None, Class::Ambiguous),
            (404, None, Class::Ambiguous),
            (413, None, Class::Ambiguous),
        ];
        for (status, code, class) in cases {
            let seen = Seen::Answer { status, code, message: "no" };
            assert_eq!(classify(seen), class, "{status} {code:?}");
        }
        assert_eq!(classify(Seen::NoConnection), Class::NotSent);
        assert_eq!(classify(Seen::NoAnswer), Class::NoResponse);
        assert_eq!(classify(Seen::Unbuilt), Class::Unsendable);
        assert_eq!(classify(Seen::NoPassage), Class::Unsendable);
        assert_eq!(classify(Seen::NoCredentials), Class::Expired);
    }

    #[test]
    fn a_clock_that_is_off_is_distinguished_from_a_wrong_key() {
        let said =
            |code, message| classify(Seen::Answer { status: 400, code: Some(code), message });
        for message in [
            "Signature expired: 20261127T100000Z is now earlier than 20261127T114500Z",
            "Signature not yet current: 20261127T100000Z is still later than 20261127T090000Z",
        ] {
            assert_eq!(said("InvalidSignatureException", message), Class::ClockOff);
            assert_eq!(said("SignatureDoesNotMatch", message), Class::ClockOff);
            // The words alone mean nothing.
            assert_eq!(said("ValidationException", message), Class::Rejected);
        }
        let message = "The request signature we calculated does not match";
        assert_eq!(said("SignatureDoesNotMatch", message), Class::Denied);
    }
}
