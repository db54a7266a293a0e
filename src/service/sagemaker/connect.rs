//! Connects to a target: finds its account, and checks that requests can be sent to it.

use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::config::Credentials;
use aws_smithy_types::retry::RetryConfig;
use aws_types::region::Region;

use super::connect_error::ConnectError;
use super::endpoint::is_loopback;
use super::error::refusal;
use super::http::{self, Route, Trust};
use super::options::ConnectOptions;
use super::registry_at::{Expected, Server, server_at};
use super::setup::{Setup, from_environment, made_up, ourselves, timeouts};
use super::{Account, SageMaker};
use crate::submission::{Class, ELSEWHERE, Refusal, Target, partition_of};
use crate::text::quoted;

/// A target that can be asked.
#[derive(Debug)]
pub struct Connected {
    /// It.
    pub service: SageMaker,
    /// The target.
    pub target: Target,
    /// Notes for the user about how it was found.
    pub notes: Vec<String>,
}

/// Finds AWS, or another endpoint.
///
/// # Errors
/// If there is no Region, or there are no credentials, or no request can be sent, or AWS rejects
/// the credentials.
pub async fn connect(options: &ConnectOptions) -> Result<Connected, ConnectError> {
    let setup = Setup::read(options).await?;
    let mut notes = setup.notes.clone();
    let region = setup.shared.region().map(ToString::to_string).ok_or(ConnectError::NoRegion)?;
    if region.is_empty() || !region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(ConnectError::BadRegion(region));
    }
    setup.sendable(&region).await?;
    let credentials = setup.credentials().await?;
    let (registry, expected) = match &setup.endpoint {
        Some(url) => match server_at(url).await {
            Server::Registry(id) => (Some(id.clone()), Some(Expected::Id(id.into()))),
            // Elsewhere a proxy may be the only way to it.
            Server::Unreachable(_) if is_loopback(url) => (None, Expected::none(url)),
            Server::Unreachable(_) | Server::Other => (None, None),
        },
        None => (None, None),
    };
    let client = setup.client(expected.clone());
    let target = match (&setup.endpoint, &options.account) {
        (Some(url), _) => Target::Endpoint { url: url.clone(), region, registry },
        (None, Some(account)) => Target::Aws {
            partition: partition_of(&region).to_owned(),
            account: account.clone(),
            region,
            caller: String::new(),
        },
        (None, None) => identify(&setup.shared, region, &credentials).await?,
    };
    let from_environment = from_environment(&credentials);
    if !from_environment && let Some(profile) = setup.profiles.wants_mfa() {
        notes.push(format!(
            "`mfa_serial` in the profile {} is ignored; {}",
            quoted(profile),
            "actions that require MFA will be denied"
        ));
    }
    let account =
        Account { registry: expected, ..Account::of(&target, options.account.as_deref()) };
    let service = SageMaker::new(client, account, from_environment, Some(options.clone()));
    if let Some(account) = &options.account {
        notes.push(taken_as_given(&service, account, &credentials).await?);
    }
    Ok(Connected { service, target, notes })
}

/// Reads all settings again; returns a client with the current credentials.
pub(super) async fn again(
    options: &ConnectOptions,
    registry: Option<Expected>,
) -> Result<Client, ConnectError> {
    Ok(Setup::read(options).await?.client(registry))
}

/// Checks that nothing contradicts the account from the command line; returns a note about it.
async fn taken_as_given(
    service: &SageMaker,
    account: &str,
    credentials: &Credentials,
) -> Result<String, ConnectError> {
    let said = credentials.account_id().map(|id| id.as_str());
    if let Some(other) = said.filter(|said| *said != account) {
        let message =
            format!("{ELSEWHERE}: the credentials belong to {other}, but `--account` is {account}");
        return Err(ConnectError::Unsendable(Refusal::of(Class::Unsendable, message)));
    }
    let seen = match service.any_artifact().await {
        Ok(seen) => seen,
        Err(refusal) if refusal.class == Class::Unsendable => {
            return Err(ConnectError::Unsendable(refusal));
        }
        // The run asks again, and says what it gets.
        Err(_) => None,
    };
    let known = match seen {
        Some(_) => "the ARN of an existing artifact confirms the account",
        None => "every returned ARN is checked against it",
    };
    Ok(format!(
        "using account {account} from `--account` without asking STS, so the caller is unknown; \
         {known}"
    ))
}

/// Returns a client of the local registry at `endpoint`. Its requests are signed like any others,
/// with placeholder credentials.
#[must_use]
pub fn local(endpoint: &str, timeout: Duration) -> SageMaker {
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .credentials_provider(made_up())
        .endpoint_url(endpoint)
        .http_client(http::client(Route::Direct, &Trust::Nobody, None))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(timeout))
        .disable_clock_skew_correction(true);
    config.set_framework_metadata(ourselves());
    SageMaker::new(Client::new(&config.build()), Account::default(), false, None)
}

/// Asks STS whose credentials they are.
async fn identify(
    shared: &SdkConfig,
    region: String,
    credentials: &Credentials,
) -> Result<Target, ConnectError> {
    let client = aws_sdk_sts::Client::new(shared);
    let identity = client.get_caller_identity().send().await.map_err(|error| {
        let mut refusal = refusal(&error);
        if refusal.class == Class::Expired && from_environment(credentials) {
            refusal.class = Class::ExpiredForGood;
        }
        match refusal.class {
            Class::Unsendable => ConnectError::Unsendable(refusal),
            Class::NotSent | Class::NoResponse | Class::Ambiguous | Class::Throttled => {
                let account = credentials.account_id().map(|id| id.as_str().to_owned());
                ConnectError::Unreachable { refusal, account }
            }
            _ => ConnectError::NotIdentified(refusal),
        }
    })?;
    let caller = identity.arn().unwrap_or_default().to_owned();
    let partition = caller.split(':').nth(1).filter(|part| !part.is_empty());
    let partition = partition.unwrap_or_else(|| partition_of(&region)).to_owned();
    let account = identity.account().unwrap_or_default().to_owned();
    Ok(Target::Aws { partition, account, region, caller })
}
