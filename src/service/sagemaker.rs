//! SageMaker, and whatever speaks its protocol, through the AWS SDK for Rust.

mod ahead;
mod clock;
mod connect;
mod connect_error;
mod endpoint;
mod error;
mod http;
mod options;
mod profile;
mod registry_at;
mod setup;
mod shapes;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::operation::RequestId as _;
pub use connect::{Connected, connect, local};
pub use connect_error::ConnectError;
use error::refusal;
pub use options::ConnectOptions;
use registry_at::Expected;
use shapes::{described, found, metadata, next, non_empty, properties, read_tag, source};

use super::{Answer, Created, Described, Filter, Page, Service, TagPage, Update};
use crate::artifact::{Artifact, Tag};
use crate::model::{LIST_PAGE_MAX, LIST_TAGS_PAGE};
use crate::submission::{Arn, Class, ELSEWHERE, Refusal, Target};
use crate::text::quoted;

/// A target that can be asked.
#[derive(Debug, Clone)]
pub struct SageMaker {
    client: Arc<RwLock<Client>>,
    /// Whose answers are expected.
    account: Arc<Account>,
    /// True if the credentials are in the environment, where they cannot be refreshed.
    from_environment: bool,
    /// The options by which its credentials are read again; `None` if they mean nothing.
    options: Option<Arc<ConnectOptions>>,
}

/// The part that all answers of a target share, as far as it is known: of ARNs, and the registry.
#[derive(Debug, Clone, Default)]
struct Account {
    partition: Option<String>,
    account: Option<String>,
    region: Option<String>,
    /// The local registry that is expected behind an endpoint, if its server was asked.
    registry: Option<Expected>,
}

impl Account {
    /// Returns what is known of a target; `given` is the account from the command line.
    fn of(target: &Target, given: Option<&str>) -> Self {
        match target {
            Target::Aws { partition, account, region, .. } => Self {
                partition: Some(partition.clone()),
                account: Some(account.clone()),
                region: Some(region.clone()),
                registry: None,
            },
            Target::Endpoint { .. } | Target::Local { .. } => {
                Self { account: given.map(str::to_owned), ..Self::default() }
            }
        }
    }

    /// Checks that `arn` is one, and that it is the target's.
    fn check(&self, arn: &str) -> Result<(), Refusal> {
        let Some(parts) = Arn::parse(arn) else {
            let message =
                format!("expected the ARN of an artifact in the response, found {}", quoted(arn));
            return Err(Refusal::of(Class::Ambiguous, message));
        };
        let differs = |expected: &Option<String>, is: &str| {
            expected.as_deref().is_some_and(|expected| expected != is)
        };
        if differs(&self.partition, parts.partition)
            || differs(&self.account, parts.account)
            || differs(&self.region, parts.region)
        {
            let expected = [self.account.as_deref(), self.region.as_deref()];
            let expected = expected.into_iter().flatten().collect::<Vec<_>>().join(", ");
            let message = format!("{ELSEWHERE}: {arn}; expected {expected}");
            return Err(Refusal::of(Class::Unsendable, message));
        }
        Ok(())
    }
}

impl SageMaker {
    fn new(
        client: Client,
        account: Account,
        from_environment: bool,
        options: Option<ConnectOptions>,
    ) -> Self {
        Self {
            client: Arc::new(RwLock::new(client)),
            account: Arc::new(account),
            from_environment,
            options: options.map(Arc::new),
        }
    }

    fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Passes a response on. If the credentials have expired, they are read again for the next
    /// request: the SDK would keep those that it has read from a file. Keys in this process's
    /// environment cannot be refreshed.
    async fn renewing<T>(&self, answer: Answer<T>) -> Answer<T> {
        let Err(mut refusal) = answer else { return answer };
        if refusal.class == Class::Expired {
            if self.from_environment {
                refusal.class = Class::ExpiredForGood;
            } else if let Some(options) = &self.options {
                match connect::again(options, self.account.registry.clone()).await {
                    Ok(client) => {
                        *self.client.write().unwrap_or_else(PoisonError::into_inner) = client;
                    }
                    // Somebody may be writing the files right now.
                    Err(error) => tracing::debug!(%error, "cannot refresh the credentials"),
                }
            }
        }
        Err(refusal)
    }

    /// Returns the ARN of any artifact, if there is one.
    async fn any_artifact(&self) -> Answer<Option<String>> {
        let client = self.client();
        let answer = client.list_artifacts().max_results(1).send().await;
        let answer = answer.map_err(|error| refusal(&error))?;
        let arn = answer.artifact_summaries().first().and_then(|first| first.artifact_arn());
        match arn {
            Some(arn) => self.account.check(arn).map(|()| Some(arn.to_owned())),
            None => Ok(None),
        }
    }
}

impl Service for SageMaker {
    async fn create(&self, artifact: &Artifact) -> Answer<Created> {
        let client = self.client();
        let request = client
            .create_artifact()
            .set_artifact_name(artifact.name.clone())
            .artifact_type(&artifact.artifact_type)
            .source(source(artifact))
            .set_properties(properties(&artifact.properties))
            .set_metadata_properties(metadata(artifact))
            .set_tags(non_empty(shapes::tags(&artifact.tags), Vec::is_empty));
        let answer = request.send().await.map_err(|error| refusal(&error));
        let answer = self.renewing(answer).await?;
        let request_id = answer.request_id().map(str::to_owned);
        // A 200 with an empty body comes here too.
        let arn = answer.artifact_arn().unwrap_or_default();
        match self.account.check(arn) {
            Ok(()) => Ok(Created { arn: arn.to_owned(), request_id }),
            Err(refusal) => Err(Refusal { request_id, ..refusal }),
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
        let answer = self.renewing(answer).await?;
        let found: Vec<_> = answer.artifact_summaries().iter().map(found).collect();
        found.iter().try_for_each(|found| self.account.check(&found.arn))?;
        Ok(Page { found, next: next(answer.next_token()) })
    }

    async fn describe(&self, arn: &str) -> Answer<Described> {
        let request = self.client().describe_artifact().artifact_arn(arn);
        let answer = request.send().await.map_err(|error| refusal(&error));
        let answer = self.renewing(answer).await?;
        Ok(described(&answer))
    }

    async fn tags(&self, arn: &str, token: Option<String>) -> Answer<TagPage> {
        let client = self.client();
        let request = client
            .list_tags()
            .resource_arn(arn)
            .max_results(i32::try_from(LIST_TAGS_PAGE).unwrap_or(100))
            .set_next_token(token);
        let answer = request.send().await.map_err(|error| refusal(&error));
        let answer = self.renewing(answer).await?;
        Ok(TagPage {
            tags: answer.tags().iter().map(read_tag).collect(),
            next: next(answer.next_token()),
        })
    }

    async fn update(&self, arn: &str, update: &Update) -> Answer<()> {
        let client = self.client();
        let request = client
            .update_artifact()
            .artifact_arn(arn)
            .set_artifact_name(update.name.clone())
            .set_properties(properties(&update.properties))
            .set_properties_to_remove(non_empty(update.remove.clone(), Vec::is_empty));
        self.renewing(request.send().await.map(drop).map_err(|error| refusal(&error))).await
    }

    async fn add_tags(&self, arn: &str, tags: &[Tag]) -> Answer<()> {
        let request = self.client().add_tags().resource_arn(arn).set_tags(Some(shapes::tags(tags)));
        self.renewing(request.send().await.map(drop).map_err(|error| refusal(&error))).await
    }

    async fn remove_tags(&self, arn: &str, keys: &[String]) -> Answer<()> {
        let request = self.client().delete_tags().resource_arn(arn);
        let request = request.set_tag_keys(Some(keys.to_vec()));
        self.renewing(request.send().await.map(drop).map_err(|error| refusal(&error))).await
    }

    async fn delete(&self, arn: &str) -> Answer<()> {
        let request = self.client().delete_artifact().artifact_arn(arn);
        let answer = self.renewing(request.send().await.map(drop).map_err(|error| refusal(&error)));
        match answer.await {
            Err(refusal) if refusal.code.as_deref() == Some("ResourceNotFound") => Ok(()),
            answer => answer,
        }
    }
}
