//! The words that journal, service, engine and reports share.
//!
//! In: nothing. Out: what a target is, what an answer of it means, and what became of an entry. It
//! does nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::artifact::Difference;

/// Where artifacts go. What makes it the same target is in [`Target::identity`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Target {
    /// SageMaker.
    Aws {
        /// `aws`, `aws-cn`, `aws-us-gov`.
        partition: String,
        /// Twelve digits.
        account: String,
        /// As in `eu-west-1`.
        region: String,
        /// Who asks, as an ARN.
        caller: String,
    },
    /// The local registry.
    Local {
        /// The random id kept in its file.
        registry: String,
        /// Its file as the user gave it.
        file: String,
    },
    /// Something else that speaks the protocol.
    Endpoint {
        /// Its URL.
        url: String,
        /// The Region that requests are signed for.
        region: String,
    },
}

impl Target {
    /// What makes it the same target in another run.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Aws { partition, account, region, .. } => {
                format!("{partition}:{account}:{region}")
            }
            Self::Local { registry, .. } => format!("local:{registry}"),
            Self::Endpoint { url, region } => format!("{url} {region}"),
        }
    }

    /// Whether it is the embedded registry, which nobody else pays for or reads.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Local { .. })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aws { account, region, .. } => {
                write!(f, "SageMaker in account {account}, {region}")
            }
            Self::Local { file, .. } => write!(f, "the local registry {file}"),
            Self::Endpoint { url, region } => write!(f, "{url} ({region})"),
        }
    }
}

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
    /// The credentials are past their time.
    Expired,
    /// No request left this machine.
    NotSent,
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

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its manifest has an error; it was not sent.
    Invalid,
    /// This run created it.
    Created,
    /// This run created it, though the answer was lost.
    Recovered,
    /// It was there, and equal as far as can be seen.
    Existed,
    /// It was there, and differs.
    Differs,
    /// It was there, and was changed to what the manifest says.
    Updated,
    /// Its name belongs to another source.
    Conflict,
    /// The service will not have it.
    Rejected,
    /// It may be there or not, and nothing could tell.
    Unresolved,
    /// It was not sent, or not yet.
    Pending,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 10] = [
        Self::Invalid,
        Self::Created,
        Self::Recovered,
        Self::Existed,
        Self::Differs,
        Self::Updated,
        Self::Conflict,
        Self::Rejected,
        Self::Unresolved,
        Self::Pending,
    ];

    /// The outcome that [`Outcome::as_str`] calls `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// In one lower-case word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Created => "created",
            Self::Recovered => "recovered",
            Self::Existed => "existed",
            Self::Differs => "differs",
            Self::Updated => "updated",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::Unresolved => "unresolved",
            Self::Pending => "pending",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
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
