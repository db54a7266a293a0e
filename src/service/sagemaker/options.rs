//! The options of a connection.

use std::time::Duration;

/// The target, and how to reach it.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// The Region; the AWS CLI's own sources without one.
    pub region: Option<String>,
    /// The profile; the AWS CLI's own sources without one.
    pub profile: Option<String>,
    /// Another endpoint than AWS's.
    pub endpoint_url: Option<String>,
    /// The account, if STS is not to be asked for the caller's.
    pub account: Option<String>,
    /// The timeout of one attempt.
    pub timeout: Duration,
}
