//! The types that journal, service, engine and reports share.
//!
//! They describe a target, the class of a response, and the outcome of an entry. There is no I/O.

mod arn;
mod id;
mod kind;
mod operation;
mod refusal;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::exit::Exit;
pub use arn::{Arn, is_account, partition_of};
pub use id::EntryId;
pub use kind::RunKind;
pub use operation::Operation;
pub use refusal::{
    Class, ELSEWHERE, NOT_THE_SERVICE, Quota, REPLACED, Refusal, Shape, UNTRUSTED, bounded, listed,
};

/// A target of imports. Two are the same if their [`Target::identity`] is.
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
        /// The caller's ARN.
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
        /// The id of the local registry that answers there, if one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        registry: Option<String>,
    },
}

impl Target {
    /// Returns the identity of the target, by which another run recognizes it.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Aws { partition, account, region, .. } => {
                format!("{partition}:{account}:{region}")
            }
            // The same registry by either way; its URL may be another one's tomorrow.
            Self::Local { registry, .. } | Self::Endpoint { registry: Some(registry), .. } => {
                format!("local:{registry}")
            }
            Self::Endpoint { url, region, registry: None } => format!("{url} {region}"),
        }
    }

    /// Returns whether it is a server on this machine, which no account limits.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let Self::Endpoint { url, .. } = self else { return false };
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let host = host.split(['/', '?']).next().unwrap_or_default();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let ip = host.parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// Returns whether it is the embedded registry, which costs nothing and is private to this
    /// machine.
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
            Self::Endpoint { url, region, .. } => write!(f, "{url} ({region})"),
        }
    }
}

/// The outcome of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Its manifest has an error; it was not sent.
    Invalid,
    /// This run created it.
    Created,
    /// This run created it, though the response was lost.
    Recovered,
    /// It already exists, and is equal as far as known.
    Existed,
    /// It was there, and differs.
    Differs,
    /// It already existed, and was updated to match the manifest.
    Updated,
    /// This run deleted it, or it was gone already.
    Deleted,
    /// Its name belongs to another source.
    Conflict,
    /// The service will not have it.
    Rejected,
    /// Its state at the target is not known: it may or may not exist, or could not be compared.
    Unresolved,
    /// It was not sent, or not yet.
    Pending,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 11] = [
        Self::Invalid,
        Self::Created,
        Self::Recovered,
        Self::Existed,
        Self::Differs,
        Self::Updated,
        Self::Deleted,
        Self::Conflict,
        Self::Rejected,
        Self::Unresolved,
        Self::Pending,
    ];

    /// Returns the outcome whose [`Outcome::as_str`] is `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Returns whether it counts as an error for `--max-errors`: the target refused the entry, or
    /// its outcome is unknown.
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(self, Self::Rejected | Self::Conflict | Self::Unresolved)
    }

    /// Returns whether the entry needs attention: it was submitted, but does not match the
    /// manifest.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        self.is_error() || matches!(self, Self::Differs)
    }

    /// Returns whether this run created, updated or deleted the artifact.
    #[must_use]
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Created | Self::Recovered | Self::Updated | Self::Deleted)
    }

    /// Returns the exit code for an entry with this outcome.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Invalid | Self::Rejected | Self::Conflict | Self::Differs => Exit::Findings,
            Self::Unresolved => Exit::Stopped,
            Self::Created
            | Self::Recovered
            | Self::Existed
            | Self::Updated
            | Self::Deleted
            | Self::Pending => Exit::Success,
        }
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
            Self::Deleted => "deleted",
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
