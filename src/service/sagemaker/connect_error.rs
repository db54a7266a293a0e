//! The reasons why a target cannot be used, and the help for each.

use super::http::BadBundle;
use crate::exit::Fatal;
use crate::submission::Refusal;
use crate::text::{either, quoted};

/// The reason why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody says which Region.
    #[error("no AWS Region is set")]
    NoRegion,
    /// Nobody says with which credentials.
    #[error("no AWS credentials found")]
    NoCredentials,
    /// The configured credentials cannot be loaded.
    #[error("cannot load the AWS credentials: {reason}")]
    BadCredentials {
        /// The reason.
        reason: String,
        /// The profile that asks for MFA, if one does.
        mfa: Option<String>,
    },
    /// The keys in the environment have expired.
    #[error("the AWS credentials in the environment expired at {0}")]
    ExpiredKeys(String),
    /// There is no such profile.
    #[error(
        "AWS profile {} not found{}",
        quoted(name),
        if *by_environment { " (set by AWS_PROFILE)" } else { "" }
    )]
    NoProfile {
        /// As it was asked for.
        name: String,
        /// True if AWS_PROFILE did.
        by_environment: bool,
        /// Profiles that there are.
        near: Vec<String>,
    },
    /// The configuration files cannot be read.
    #[error("cannot read the AWS configuration: {0}")]
    BadFiles(String),
    /// The certificates to trust cannot be read.
    #[error(transparent)]
    BadBundle(#[from] BadBundle),
    /// STS, or what is between, gives no answer.
    #[error("cannot identify the caller, AWS STS does not respond: {refusal}")]
    Unreachable {
        /// The failure that came instead.
        refusal: Refusal,
        /// The account that the credentials name themselves, if they do.
        account: Option<String>,
    },
    /// The endpoint is not a URL.
    #[error("invalid endpoint URL {}", quoted(.0))]
    BadEndpoint(String),
    /// The Region cannot be one.
    #[error("invalid Region {}", quoted(.0))]
    BadRegion(String),
    /// The credentials are not accepted, or this machine's clock is wrong.
    #[error("AWS rejected the credentials: {0}")]
    NotIdentified(Refusal),
    /// The configuration allows no request to be sent.
    #[error("{0}")]
    Unsendable(Refusal),
}

impl Fatal for ConnectError {
    fn help(&self) -> Vec<String> {
        let local = "or add `--local` for the embedded local registry, which needs no account";
        let log_in = "log in with `aws sso login` or `aws configure`, or set AWS_ACCESS_KEY_ID and \
                      AWS_SECRET_ACCESS_KEY";
        let lines: Vec<&str> = match self {
            Self::NoRegion => {
                vec!["set a Region with `--region`, AWS_REGION or a profile", local]
            }
            Self::BadCredentials { mfa: Some(profile), .. } => return vec![export(profile)],
            Self::NoCredentials | Self::BadCredentials { .. } => vec![log_in, local],
            Self::ExpiredKeys(_) => vec![
                "set new keys, or unset AWS_ACCESS_KEY_ID and use a profile, whose credentials \
                 can be refreshed during a run",
            ],
            Self::NoProfile { near, .. } if near.is_empty() => {
                vec![
                    "no profile is configured: create one with `aws configure sso` or `aws \
                      configure`",
                ]
            }
            Self::NoProfile { near, .. } => {
                let near = either(near.iter().map(String::as_str));
                return vec![format!(
                    "did you mean {near}? `aws configure list-profiles` lists them"
                )];
            }
            Self::BadFiles(_) => vec![
                "check ~/.aws/config and ~/.aws/credentials, or the files set by AWS_CONFIG_FILE \
                 and AWS_SHARED_CREDENTIALS_FILE",
            ],
            Self::BadBundle(_) => vec!["set it to a PEM file of certificates, or unset it"],
            Self::Unreachable { refusal, account } => {
                let account = account.as_deref().unwrap_or("ID");
                return std::iter::once(format!(
                    "if STS cannot be reached, as in a closed network, add `--account {account}`: \
                     every returned ARN is checked against it"
                ))
                .chain(refusal.help("sts:GetCallerIdentity"))
                .collect();
            }
            Self::NotIdentified(refusal) | Self::Unsendable(refusal) => {
                return refusal.help("sts:GetCallerIdentity");
            }
            Self::BadEndpoint(_) => vec!["write it as `https://HOST` or `http://HOST:PORT`"],
            Self::BadRegion(_) => vec!["use the code of a Region, such as `eu-west-1`"],
        };
        lines.into_iter().map(str::to_owned).collect()
    }
}

/// Returns the command that exports the credentials of a profile which requires MFA.
fn export(profile: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@+=,".contains(c);
    let profile = if profile.chars().all(plain) { profile } else { "NAME" };
    format!(
        "the profile requires MFA (`mfa_serial`), and lineload cannot ask for the code: run `eval \
         \"$(aws \
         configure export-credentials --profile {profile} --format env)\"`, then run this again \
                                                                         without `--profile`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_for_mfa_has_no_foreign_text_in_it() {
        assert!(export("team-prod").contains("--profile team-prod --format env"));
        assert!(export("x\"; rm -rf ~").contains("--profile NAME --format env"));
    }
}
