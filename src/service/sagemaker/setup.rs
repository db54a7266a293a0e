//! The settings from the configuration files, the environment and the command line.
//!
//! The order of precedence is the AWS CLI's. Credentials: `--profile`, then keys in the
//! environment, then AWS_PROFILE or the profile `default`, a web identity, a container, the
//! machine. So keys in the environment win over AWS_PROFILE and lose to `--profile`. Region:
//! `--region`, then AWS_REGION and AWS_DEFAULT_REGION, then the profile in force, then the machine.

use std::time::Duration;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{BehaviorVersion, FrameworkMetadata, SdkConfig};
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_sdk_sagemaker::config::{Credentials, ProvideCredentials as _, SharedCredentialsProvider};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;

use super::connect_error::ConnectError;
use super::endpoint::{endpoint_of, is_loopback, is_url};
use super::error::chain;
use super::http::{self, Route, Trust};
use super::options::ConnectOptions;
use super::profile::{Profiles, set};
use super::registry_at::Expected;
use crate::submission::{Class, Refusal};
use crate::text::quoted;

/// The timeout of connecting.
const CONNECT: Duration = Duration::from_secs(5);

/// The default Region of requests to localhost. Other emulators of AWS accept no other Region name.
const MADE_UP_REGION: &str = "us-east-1";

/// The settings from the configuration files, the environment and the command line.
pub(super) struct Setup {
    pub(super) shared: SdkConfig,
    pub(super) endpoint: Option<String>,
    pub(super) profiles: Profiles,
    trust: Trust,
    pub(super) notes: Vec<String>,
}

impl Setup {
    pub(super) async fn read(options: &ConnectOptions) -> Result<Self, ConnectError> {
        let profiles = Profiles::read(options.profile.as_deref()).await?;
        let trust = profiles.trust()?;
        let mut notes = Vec::new();
        let mut region = match &options.region {
            Some(region) => Some(Region::new(region.clone())),
            None => region(&profiles, &mut notes).await,
        };
        let shared = load(options, &profiles, &trust, region.clone()).await;
        let endpoint = match options.endpoint_url.clone().or_else(|| endpoint_of(&shared)) {
            Some(url) if !is_url(&url) => return Err(ConnectError::BadEndpoint(url)),
            endpoint => endpoint,
        };
        let here = endpoint.as_deref().is_some_and(is_loopback);
        if region.is_none() && here {
            let note = "no Region is set: requests to localhost are signed for";
            notes.push(format!("{note} {MADE_UP_REGION}"));
            region = Some(Region::new(MADE_UP_REGION));
        } else if region.is_none() {
            // Only the machine is left to name it.
            region =
                DefaultRegionChain::builder().profile_name(profiles.name()).build().region().await;
        }
        let config = ProviderConfig::without_region()
            .with_region(region.clone())
            .with_use_fips(shared.use_fips())
            .with_use_dual_stack(shared.use_dual_stack())
            .with_timeout_config(timeouts(options.timeout))
            .with_http_client(http::client(Route::Environment, &trust, None));
        let credentials = credentials(options, &profiles, &config, here);
        let shared = shared.into_builder().region(region).credentials_provider(credentials).build();
        let mut setup = Self { shared, endpoint, profiles, trust, notes };
        if here {
            setup.make_up_credentials().await;
        }
        Ok(setup)
    }

    /// Uses placeholder credentials if there are none, for requests to localhost.
    async fn make_up_credentials(&mut self) {
        let Some(provider) = self.shared.credentials_provider() else { return };
        if let Err(CredentialsError::CredentialsNotLoaded(_)) = provider.provide_credentials().await
        {
            self.notes.push(
                "no credentials found: requests to localhost are signed with placeholder \
                 credentials"
                    .to_owned(),
            );
            let builder = self.shared.clone().into_builder();
            self.shared = builder.credentials_provider(made_up()).build();
        }
    }

    /// Checks that requests have an endpoint: not all settings can be combined.
    pub(super) async fn sendable(&self, region: &str) -> Result<(), ConnectError> {
        let unsendable =
            |message: String| ConnectError::Unsendable(Refusal::of(Class::Unsendable, message));
        let params = Params::builder()
            .region(region)
            .set_use_fips(self.shared.use_fips())
            .set_use_dual_stack(self.shared.use_dual_stack())
            .set_endpoint(self.endpoint.clone())
            .build()
            .map_err(|error| unsendable(chain(&error)))?;
        let resolved = DefaultResolver::new().resolve_endpoint(&params).await;
        resolved.map(drop).map_err(|error| unsendable(chain(error.as_ref())))
    }

    pub(super) async fn credentials(&self) -> Result<Credentials, ConnectError> {
        let provider = self.shared.credentials_provider().ok_or(ConnectError::NoCredentials)?;
        let credentials = provider.provide_credentials().await.map_err(|error| match error {
            CredentialsError::CredentialsNotLoaded(_) => ConnectError::NoCredentials,
            other => ConnectError::BadCredentials {
                reason: chain(&other),
                mfa: self.profiles.wants_mfa().map(str::to_owned),
            },
        })?;
        // `aws configure export-credentials --format env` sets it beside the keys.
        let expiry = set("AWS_CREDENTIAL_EXPIRATION");
        let expiry = expiry.and_then(|time| time.parse::<jiff::Timestamp>().ok());
        match expiry {
            Some(time) if time < jiff::Timestamp::now() && from_environment(&credentials) => {
                Err(ConnectError::ExpiredKeys(time.to_string()))
            }
            _ => Ok(credentials),
        }
    }

    /// Returns the client of a target, of which `registry` says what registry it is.
    pub(super) fn client(&self, registry: Option<Expected>) -> Client {
        let mut config = aws_sdk_sagemaker::config::Builder::from(&self.shared);
        if let Some(endpoint) = &self.endpoint {
            config = config.endpoint_url(endpoint);
            if is_loopback(endpoint) {
                let trust = match endpoint.split_once("://") {
                    Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => &Trust::Nobody,
                    _ => &self.trust,
                };
                config = config.http_client(http::client(Route::Direct, trust, registry));
            } else if registry.is_some() {
                let route = Route::Environment;
                config = config.http_client(http::client(route, &self.trust, registry));
            }
        }
        Client::from_conf(config.build())
    }
}

/// Returns the Region that the environment or the profile names.
async fn region(profiles: &Profiles, notes: &mut Vec<String>) -> Option<Region> {
    let by_profile = profiles.region();
    match (EnvironmentVariableRegionProvider::new().region().await, by_profile) {
        (Some(region), Some(other)) if region.as_ref() != other => {
            notes.push(format!(
                "using the Region {region} from the environment, not {other} from the profile {}, \
                 as the AWS CLI does",
                quoted(profiles.name())
            ));
            Some(region)
        }
        (Some(region), _) => Some(region),
        (None, region) => region.map(|region| Region::new(region.to_owned())),
    }
}

/// Reads all settings but the credentials.
async fn load(
    options: &ConnectOptions,
    profiles: &Profiles,
    trust: &Trust,
    region: Option<Region>,
) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .profile_name(profiles.name())
        .http_client(http::client(Route::Environment, trust, None))
        .no_credentials()
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(options.timeout))
        // The user has to know of clock skew: look-ups of a run depend on the clock too.
        .disable_clock_skew_correction(true);
    if let Some(ourselves) = ourselves() {
        loader = loader.framework_metadata(ourselves);
    }
    loader.load().await
}

/// Returns where credentials are looked for, in the AWS CLI's order.
fn credentials(
    options: &ConnectOptions,
    profiles: &Profiles,
    config: &ProviderConfig,
    here: bool,
) -> SharedCredentialsProvider {
    let profile = ProfileFileCredentialsProvider::builder()
        .profile_name(profiles.name())
        .configure(config)
        .build();
    let mut chain = if options.profile.is_some() {
        CredentialsProviderChain::first_try("Profile", profile)
    } else {
        let web = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
        CredentialsProviderChain::first_try(
            "Environment",
            EnvironmentVariableCredentialsProvider::new(),
        )
        .or_else("Profile", profile)
        .or_else("WebIdentityToken", web)
    };
    chain =
        chain.or_else("EcsContainer", EcsCredentialsProvider::builder().configure(config).build());
    if !here {
        let machine = ImdsCredentialsProvider::builder().configure(config).build();
        chain = chain.or_else("Ec2InstanceMetadata", machine);
    }
    SharedCredentialsProvider::new(chain)
}

/// Credentials that mean nothing.
pub(super) fn made_up() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "local"))
}

/// Returns whether credentials stand in the environment, where nobody can renew them.
pub(super) fn from_environment(credentials: &Credentials) -> bool {
    let ways = credentials.get_property::<Vec<AwsCredentialFeature>>();
    ways.is_some_and(|ways| ways.contains(&AwsCredentialFeature::CredentialsEnvVars))
}

/// Puts `lineload/VERSION` into the user agent.
pub(super) fn ourselves() -> Option<FrameworkMetadata> {
    FrameworkMetadata::new("lineload", Some(env!("CARGO_PKG_VERSION"))).ok()
}

pub(super) fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT.min(attempt))
        .read_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .build()
}
