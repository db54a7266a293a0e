//! An answer that is no success: its class, which decides what the run does, and its words.

use std::fmt;

use crate::artifact::Difference;

/// What an answer that is no success means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The service will not have this request, or has the artifact already: a look-up tells.
    Rejected,
    /// Too many requests a second.
    Throttled,
    /// The quota of artifacts is used up, or another limit is reached.
    Limit,
    /// The caller may not do this.
    Denied,
    /// The credentials are past their time, and newer ones may be found where these came from.
    Expired,
    /// The credentials are past their time and cannot come back: they stand in the environment.
    ExpiredForGood,
    /// No request left this machine, for a reason that may pass: no connection, no name.
    NotSent,
    /// No request can leave this machine until somebody changes its configuration: an endpoint that
    /// does not go with FIPS, a certificate that is not trusted.
    Unsendable,
    /// The service refuses the signature because the clock of this machine is off.
    ClockOff,
    /// It may have happened or not, and the service did answer something.
    Ambiguous,
    /// It may have happened or not, and no answer came.
    Lost,
}

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means.
    pub class: Class,
    /// The service's code, as in `ValidationException`.
    pub code: Option<String>,
    /// What the service, or the way to it, said.
    pub message: String,
    /// The service's name for the request.
    pub request_id: Option<String>,
}

impl Refusal {
    /// The limit that was reached and how much of it is used, where the service's usual text says so:
    /// "The account-level service limit 'Artifacts' is 6000 Artifacts, with current utilization of
    /// 6000 Artifacts and a request delta of 1 Artifacts." It decides nothing.
    #[must_use]
    pub fn quota(&self) -> Option<(u64, u64)> {
        let number = |behind: &str| -> Option<u64> {
            let (_, rest) = self.message.split_once(behind)?;
            rest.split_whitespace().next()?.parse().ok()
        };
        Some((number("' is ")?, number("utilization of ")?))
    }

    /// Not a refusal by the target, but something that lineload itself tells of an entry.
    #[must_use]
    pub fn ours(message: impl Into<String>) -> Self {
        Self { class: Class::Rejected, code: None, message: message.into(), request_id: None }
    }

    /// What is there differs in these fields.
    #[must_use]
    pub fn differs(differences: &[Difference]) -> Self {
        Self::ours(format!("what is there differs in {}", listed(differences)))
    }
}

/// The fields of differences, as in a sentence.
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
    fn a_quota_is_read_where_it_is_told() {
        let text = "The account-level service limit 'Artifacts' is 6000 Artifacts, with current \
                    utilization of 5990 Artifacts and a request delta of 1 Artifacts. Please use \
                    AWS Service Quotas to request an increase for this quota.";
        assert_eq!(Refusal::ours(text).quota(), Some((6000, 5990)));
        assert_eq!(Refusal::ours("too much").quota(), None);
    }
}
