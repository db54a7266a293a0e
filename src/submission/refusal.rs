//! An unsuccessful response: its class, which decides what the run does, and its message.
//!
//! Text that is taken out of a message here is shown to people and decides nothing.

mod advice;
mod member;
mod quota;
mod shape;

use std::fmt;

use crate::artifact::Difference;

pub use advice::{ELSEWHERE, NOT_THE_SERVICE, REPLACED, UNTRUSTED};
pub use quota::Quota;
pub use shape::Shape;

/// The maximum length of a message in bytes. A faulty service may return megabytes, and a message
/// goes to the terminal, to the journal and to every report.
const LONGEST_MESSAGE: usize = 2048;

/// The class of an unsuccessful response, which decides what the run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The service rejects this request, or already has the artifact: a look-up decides.
    Rejected,
    /// Too many requests a second.
    Throttled,
    /// The quota of artifacts is used up, or another limit is reached.
    Limit,
    /// The caller may not do this.
    Denied,
    /// The credentials have expired, and may be refreshed from where they came.
    Expired,
    /// The credentials have expired and cannot be refreshed: they are in the environment.
    ExpiredForGood,
    /// No request was sent, for a temporary reason: no connection, or no address for the name.
    NotSent,
    /// No request can be sent until the configuration changes: an endpoint that cannot be combined
    /// with FIPS, a certificate that is not trusted, an account that is not the expected one.
    Unsendable,
    /// The service refuses the signature because the clock of this machine is off.
    ClockOff,
    /// The effect is unknown, and there was a response.
    Ambiguous,
    /// The effect is unknown, and there was no response.
    NoResponse,
}

impl Class {
    /// Every class, in the order of the enum.
    pub const ALL: [Self; 11] = [
        Self::Rejected,
        Self::Throttled,
        Self::Limit,
        Self::Denied,
        Self::Expired,
        Self::ExpiredForGood,
        Self::NotSent,
        Self::Unsendable,
        Self::ClockOff,
        Self::Ambiguous,
        Self::NoResponse,
    ];

    /// Returns its name in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Throttled => "throttled",
            Self::Limit => "limit",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::ExpiredForGood => "expired_for_good",
            Self::NotSent => "not_sent",
            Self::Unsendable => "unsendable",
            Self::ClockOff => "clock_off",
            Self::Ambiguous => "ambiguous",
            Self::NoResponse => "no_response",
        }
    }
}

/// An unsuccessful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The class.
    pub class: Class,
    /// The service's code, as in `ValidationException`.
    pub code: Option<String>,
    /// The message of the service, or of the transport.
    pub message: String,
    /// The service's name for the request.
    pub request_id: Option<String>,
}

impl Refusal {
    /// Returns a refusal without a code or a request id.
    #[must_use]
    pub fn of(class: Class, message: impl Into<String>) -> Self {
        Self { class, code: None, message: bounded(message.into()), request_id: None }
    }

    /// Returns an error that lineload itself reports for an entry, rather than the target.
    #[must_use]
    pub fn by_lineload(message: impl Into<String>) -> Self {
        Self { class: Class::Rejected, code: None, message: message.into(), request_id: None }
    }

    /// Returns whether no request can have reached the intended account: one that created something
    /// in another account was sent.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.class == Class::Unsendable && !self.is_from_elsewhere()
    }

    /// Returns whether another account, Region or registry than the intended one responded, and so
    /// may have done what was requested.
    #[must_use]
    pub fn is_from_elsewhere(&self) -> bool {
        [ELSEWHERE, REPLACED].iter().any(|begins| self.message.starts_with(begins))
    }

    /// Returns the refusal of an existing artifact that differs in these fields.
    #[must_use]
    pub fn differs(differences: &[Difference]) -> Self {
        Self::by_lineload(format!("it differs in {}", listed(differences)))
    }
}

/// Truncates a message to its maximum length, between two characters.
#[must_use]
pub fn bounded(mut message: String) -> String {
    if message.len() > LONGEST_MESSAGE {
        let mut end = LONGEST_MESSAGE - '…'.len_utf8();
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message.push('…');
        // The rest may have been megabytes.
        message.shrink_to_fit();
    }
    message
}

/// Returns the fields of differences, as in a sentence.
#[must_use]
pub fn listed(differences: &[Difference]) -> String {
    let fields: Vec<_> = differences.iter().map(ToString::to_string).collect();
    fields.join(", ")
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{code}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_characters() {
        assert_eq!(bounded("short".to_owned()), "short");
        let longest = "a".repeat(2048);
        assert_eq!(bounded(longest.clone()), longest);
        for lead in 0..4 {
            let cut = bounded(format!("{}{}", "a".repeat(lead), "🦀".repeat(1_000_000)));
            assert!(cut.len() <= 2048 && cut.len() > 2040, "{}", cut.len());
            assert!(cut.ends_with('…'));
            assert!(cut.capacity() < 4096);
        }
    }
}
