//! SageMaker, and whatever speaks its protocol, through the AWS SDK for Rust.

mod error;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, FrameworkMetadata, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::config::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_sagemaker::operation::RequestId as _;
use aws_sdk_sagemaker::types;
use aws_smithy_types::DateTime;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;
use error::{chain, refusal};

use super::{Answer, Created, Described, Filter, Found, Page, Service, TagPage, Update};
use crate::artifact::{Artifact, Metadata, Source, SourceType, Tag};
use crate::limits::{LIST_PAGE_MAX, LIST_TAGS_PAGE};
use crate::submission::{Class, Refusal, Target};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// Which target, and how to reach it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The Region; the SDK's own sources where nothing is said.
    pub region: Option<String>,
    /// The profile; the SDK's own sources where nothing is said.
    pub profile: Option<String>,
    /// Another endpoint than AWS's.
    pub endpoint_url: Option<String>,
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// Why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody says which Region.
    #[error("no AWS Region is set")]
    NoRegion,
    /// Nobody says with which credentials.
    #[error("no AWS credentials are found")]
    NoCredentials,
    /// The credentials that are configured cannot be had.
    #[error("the AWS credentials cannot be had: {0}")]
    BadCredentials(String),
    /// STS gives no answer.
    #[error("AWS cannot be reached: {0}")]
    Unreachable(String),
    /// The endpoint is no URL.
    #[error("the endpoint `{0}` is no URL")]
    BadEndpoint(String),
    /// The Region cannot be one.
    #[error("there is no Region `{0}`")]
    BadRegion(String),
    /// The credentials are not taken.
    #[error("AWS does not take the credentials: {0}")]
    NotIdentified(String),
}

/// A target that can be asked.
#[derive(Debug, Clone)]
pub struct SageMaker {
    client: Arc<RwLock<Client>>,
    /// How its credentials are read again; `None` where they mean nothing.
    options: Option<Arc<Options>>,
}

impl SageMaker {
    fn new(client: Client, options: Option<Options>) -> Self {
        Self { client: Arc::new(RwLock::new(client)), options: options.map(Arc::new) }
    }

    fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Passes an answer on. Where it says that the credentials are past their time, they are read
    /// again for what comes next: the SDK would keep those that it has read from a file.
    async fn heed<T>(&self, answer: Answer<T>) -> Answer<T> {
        if let (Err(Refusal { class: Class::Expired, .. }), Some(options)) =
            (&answer, &self.options)
        {
            let (shared, endpoint) = load(options).await;
            let client = client(&shared, endpoint.as_deref());
            *self.client.write().unwrap_or_else(PoisonError::into_inner) = client;
        }
        answer
    }
}

/// The local registry at `endpoint`. Its requests are signed like any others, with credentials that
/// mean nothing.
#[must_use]
pub fn local(endpoint: &str, timeout: Duration) -> SageMaker {
    let credentials =
        aws_sdk_sagemaker::config::Credentials::new("local", "local", None, None, "local");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(without_proxy())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(timeout));
    config.set_framework_metadata(ourselves());
    SageMaker::new(Client::new(&config.build()), None)
}

/// AWS, or another endpoint, with the SDK's own ways to credentials.
///
/// # Errors
/// Where there is no Region, or there are no credentials, or AWS does not take them.
pub async fn connect(options: &Options) -> Result<(SageMaker, Target), ConnectError> {
    let (shared, endpoint) = load(options).await;
    let region = shared.region().map(ToString::to_string).ok_or(ConnectError::NoRegion)?;
    if region.is_empty() || !region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(ConnectError::BadRegion(region));
    }
    if let Some(url) = endpoint.as_ref().filter(|url| !is_url(url)) {
        return Err(ConnectError::BadEndpoint(url.clone()));
    }
    let credentials = shared.credentials_provider().ok_or(ConnectError::NoCredentials)?;
    credentials.provide_credentials().await.map_err(|error| match error {
        CredentialsError::CredentialsNotLoaded(_) => ConnectError::NoCredentials,
        other => ConnectError::BadCredentials(chain(&other)),
    })?;
    let client = client(&shared, endpoint.as_deref());
    let target = match endpoint {
        Some(url) => Target::Endpoint { url, region },
        None => identify(&shared, region).await?,
    };
    Ok((SageMaker::new(client, Some(options.clone())), target))
}

/// Whether `url` has a scheme that requests can be sent by, and a host.
fn is_url(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':', '?', '#']))
}

/// What the environment and the profile say, and the endpoint if it is another than AWS's.
async fn load(options: &Options) -> (SdkConfig, Option<String>) {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(options.timeout));
    if let Some(ourselves) = ourselves() {
        loader = loader.framework_metadata(ourselves);
    }
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    let shared = loader.load().await;
    // AWS_ENDPOINT_URL_SAGEMAKER and the profile's endpoint_url are heeded by the SDK.
    let endpoint = options.endpoint_url.clone().or_else(|| endpoint_of(&shared));
    (shared, endpoint)
}

fn client(shared: &SdkConfig, endpoint: Option<&str>) -> Client {
    let mut config = aws_sdk_sagemaker::config::Builder::from(shared);
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
        if is_loopback(endpoint) {
            config = config.http_client(without_proxy());
        }
    }
    Client::from_conf(config.build())
}

/// The endpoint that the environment or the profile names for SageMaker.
fn endpoint_of(shared: &SdkConfig) -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let ignored = set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if ignored {
        return None;
    }
    set("AWS_ENDPOINT_URL_SAGEMAKER").or_else(|| shared.endpoint_url().map(str::to_owned))
}

/// Whose credentials they are.
async fn identify(shared: &SdkConfig, region: String) -> Result<Target, ConnectError> {
    let client = aws_sdk_sts::Client::new(shared);
    let identity = client.get_caller_identity().send().await.map_err(|error| {
        let said = refusal(&error);
        match said.class {
            Class::NotSent | Class::Lost => ConnectError::Unreachable(said.message),
            _ => ConnectError::NotIdentified(chain(&error)),
        }
    })?;
    let caller = identity.arn().unwrap_or_default().to_owned();
    let partition = caller.split(':').nth(1).filter(|part| !part.is_empty()).unwrap_or("aws");
    Ok(Target::Aws {
        partition: partition.to_owned(),
        account: identity.account().unwrap_or_default().to_owned(),
        region,
        caller,
    })
}

/// Puts `lineload/VERSION` into the user agent.
fn ourselves() -> Option<FrameworkMetadata> {
    FrameworkMetadata::new("lineload", Some(env!("CARGO_PKG_VERSION"))).ok()
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT.min(attempt))
        .read_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .build()
}

/// Whether the host of `url` is this machine. A proxy would look for it on its own.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An HTTP client that goes straight to its target, whatever `HTTP_PROXY` says.
fn without_proxy() -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    use aws_smithy_http_client::{Builder, Connector, proxy, tls};
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy::ProxyConfig::disabled());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        let crypto = tls::rustls_provider::CryptoMode::AwsLc;
        connector.tls_provider(tls::Provider::Rustls(crypto)).build()
    })
}

impl Service for SageMaker {
    async fn create(&self, artifact: &Artifact) -> Answer<Created> {
        let client = self.client();
        let request = client
            .create_artifact()
            .set_artifact_name(artifact.name.clone())
            .artifact_type(&artifact.artifact_type)
            .source(source(artifact))
            .set_properties(non_empty(
                artifact
                    .properties
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
                HashMap::is_empty,
            ))
            .set_metadata_properties(metadata(artifact))
            .set_tags(non_empty(tags(&artifact.tags), Vec::is_empty));
        let answer = request.send().await.map_err(|error| refusal(&error));
        let answer = self.heed(answer).await?;
        let request_id = answer.request_id().map(str::to_owned);
        match answer.artifact_arn() {
            Some(arn) if !arn.is_empty() => Ok(Created { arn: arn.to_owned(), request_id }),
            // A 200 with an empty body comes here.
            _ => Err(Refusal {
                class: Class::Ambiguous,
                code: None,
                message: "the answer has no ARN".to_owned(),
                request_id,
            }),
        }
    }

    async fn list(&self, filter: &Filter, token: Option<String>) -> Answer<Page> {
        let client = self.client();
        let request = client
            .list_artifacts()
            .set_source_uri(filter.uri.clone())
            .set_artifact_type(filter.artifact_type.clone())
            .max_results(i32::try_from(LIST_PAGE_MAX).unwrap_or(100))
            .set_next_token(token);
        let answer = request.send().await.map_err(|error| refusal(&error));
        let answer = self.heed(answer).await?;
        Ok(Page {
            found: answer.artifact_summaries().iter().map(found).collect(),
            next: next(answer.next_token()),
        })
    }

    async fn describe(&self, arn: &str) -> Answer<Described> {
        let request = self.client().describe_artifact().artifact_arn(arn);
        let answer = request.send().await.map_err(|error| refusal(&error));
        let answer = self.heed(answer).await?;
        let metadata = answer.metadata_properties().map(|metadata| Metadata {
            commit_id: metadata.commit_id().map(str::to_owned),
            repository: metadata.repository().map(str::to_owned),
            generated_by: metadata.generated_by().map(str::to_owned),
            project_id: metadata.project_id().map(str::to_owned),
        });
        let (uri, types) = read_source(answer.source());
        let artifact = Artifact {
            name: answer.artifact_name().map(str::to_owned),
            artifact_type: answer.artifact_type().unwrap_or_default().to_owned(),
            source: Source { uri, types },
            properties: answer.properties().cloned().unwrap_or_default().into_iter().collect(),
            metadata_properties: metadata.unwrap_or_default(),
            tags: Vec::new(),
        };
        let created = time(answer.creation_time());
        let modified = time(answer.last_modified_time());
        Ok(Described { artifact, created, modified })
    }

    async fn tags(&self, arn: &str, token: Option<String>) -> Answer<TagPage> {
        let client = self.client();
        let request = client
            .list_tags()
            .resource_arn(arn)
            .max_results(i32::try_from(LIST_TAGS_PAGE).unwrap_or(100))
            .set_next_token(token);
        let answer = request.send().await.map_err(|error| refusal(&error));
        let answer = self.heed(answer).await?;
        let tag = |tag: &types::Tag| Tag {
            key: tag.key().unwrap_or_default().to_owned(),
            value: tag.value().unwrap_or_default().to_owned(),
        };
        Ok(TagPage {
            tags: answer.tags().iter().map(tag).collect(),
            next: next(answer.next_token()),
        })
    }

    async fn update(&self, arn: &str, update: &Update) -> Answer<()> {
        let properties: HashMap<_, _> = update.properties.clone().into_iter().collect();
        let client = self.client();
        let request = client
            .update_artifact()
            .artifact_arn(arn)
            .set_artifact_name(update.name.clone())
            .set_properties(non_empty(properties, HashMap::is_empty))
            .set_properties_to_remove(non_empty(update.remove.clone(), Vec::is_empty));
        self.heed(request.send().await.map(drop).map_err(|error| refusal(&error))).await
    }

    async fn add_tags(&self, arn: &str, tags: &[Tag]) -> Answer<()> {
        let request = self.client().add_tags().resource_arn(arn).set_tags(Some(self::tags(tags)));
        self.heed(request.send().await.map(drop).map_err(|error| refusal(&error))).await
    }

    async fn remove_tags(&self, arn: &str, keys: &[String]) -> Answer<()> {
        let request = self.client().delete_tags().resource_arn(arn);
        let request = request.set_tag_keys(Some(keys.to_vec()));
        self.heed(request.send().await.map(drop).map_err(|error| refusal(&error))).await
    }
}

fn next(token: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

fn non_empty<T>(value: T, is_empty: impl Fn(&T) -> bool) -> Option<T> {
    if is_empty(&value) { None } else { Some(value) }
}

fn source(artifact: &Artifact) -> types::ArtifactSource {
    let id = |one: &SourceType| {
        types::ArtifactSourceType::builder()
            .source_id_type(one.id_type.as_str().into())
            .value(&one.value)
            .build()
    };
    let ids = non_empty(artifact.source.types.iter().map(id).collect(), Vec::is_empty);
    types::ArtifactSource::builder().source_uri(&artifact.source.uri).set_source_types(ids).build()
}

fn metadata(artifact: &Artifact) -> Option<types::MetadataProperties> {
    let metadata = &artifact.metadata_properties;
    if metadata.is_empty() {
        return None;
    }
    let built = types::MetadataProperties::builder()
        .set_commit_id(metadata.commit_id.clone())
        .set_repository(metadata.repository.clone())
        .set_generated_by(metadata.generated_by.clone())
        .set_project_id(metadata.project_id.clone())
        .build();
    Some(built)
}

fn tags(tags: &[Tag]) -> Vec<types::Tag> {
    let tag = |tag: &Tag| types::Tag::builder().key(&tag.key).value(&tag.value).build();
    tags.iter().map(tag).collect()
}

fn time(time: Option<&DateTime>) -> Option<SystemTime> {
    time.and_then(|time| SystemTime::try_from(*time).ok())
}

fn found(summary: &types::ArtifactSummary) -> Found {
    let (uri, types) = read_source(summary.source());
    Found {
        arn: summary.artifact_arn().unwrap_or_default().to_owned(),
        name: summary.artifact_name().map(str::to_owned),
        artifact_type: summary.artifact_type().map(str::to_owned),
        uri,
        types,
        created: time(summary.creation_time()),
        modified: time(summary.last_modified_time()),
    }
}

fn read_source(source: Option<&types::ArtifactSource>) -> (String, Vec<SourceType>) {
    let types = source.map(types::ArtifactSource::source_types).unwrap_or_default();
    let one = |one: &types::ArtifactSourceType| SourceType {
        id_type: one.source_id_type().map_or("", |id| id.as_str()).to_owned(),
        value: one.value().unwrap_or_default().to_owned(),
    };
    let uri = source.and_then(|source| source.source_uri()).unwrap_or_default();
    (uri.to_owned(), types.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_the_world() {
        for url in
            ["http://127.0.0.1:80", "http://localhost/x", "http://[::1]:9", "http://127.9.9.9"]
        {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["https://api.sagemaker.eu-west-1.amazonaws.com", "http://127.0.0.1.example.com"]
        {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
