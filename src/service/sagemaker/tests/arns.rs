//! Answers that belong to another account than the target's.

use aws_config::BehaviorVersion;
use aws_sdk_sagemaker::config::Credentials;
use aws_smithy_types::retry::RetryConfig;
use aws_types::region::Region;

use super::scripted::{Scripted, http};
use super::{ARN, SageMaker, at, refused};
use crate::service::sagemaker::Account;
use crate::service::sagemaker::http::{Route, Trust, client};
use crate::service::sagemaker::registry_at::Expected;
use crate::service::{Filter, Service as _};
use crate::submission::{Class, Target};

fn created(arn: &str) -> String {
    http(200, "x-amzn-RequestId: r-1\r\n", &format!(r#"{{"ArtifactArn":"{arn}"}}"#))
}

fn listed(arn: &str) -> String {
    let one =
        format!(r#"{{"ArtifactArn":"{arn}","ArtifactType":"x","Source":{{"SourceUri":"u"}}}}"#);
    http(200, "", &format!(r#"{{"ArtifactSummaries":[{one}]}}"#))
}

fn expecting(url: &str, account: Account) -> SageMaker {
    SageMaker { account: account.into(), ..at(url) }
}

fn aws() -> Account {
    let target = Target::Aws {
        partition: "aws".to_owned(),
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        caller: String::new(),
    };
    Account::of(&target, None)
}

#[tokio::test]
async fn a_create_in_another_account_is_noticed() {
    for foreign in [
        ARN.replace("123456789012", "210987654321"),
        ARN.replace("eu-west-1", "eu-west-2"),
        ARN.replace("arn:aws:", "arn:aws-cn:"),
    ] {
        let server = Scripted::always(created(&foreign));
        let refusal = refused(&expecting(&server.url, aws())).await;
        assert_eq!(refusal.class, Class::Unsendable);
        // It is there now, so that somebody may want to remove it.
        assert!(refusal.message.contains(&foreign), "{refusal:?}");
        assert_eq!(refusal.request_id.as_deref(), Some("r-1"));
    }
    let server = Scripted::always(created(ARN));
    assert!(expecting(&server.url, aws()).create(&super::artifact()).await.is_ok());
}

#[tokio::test]
async fn a_list_of_another_account_is_noticed() {
    let list = async |arn: &str, account: Account| {
        let server = Scripted::always(listed(arn));
        expecting(&server.url, account).list(&Filter::default(), None).await
    };
    assert_eq!(list(ARN, aws()).await.unwrap().found[0].arn, ARN);
    let foreign = ARN.replace("123456789012", "210987654321");
    assert_eq!(list(&foreign, aws()).await.unwrap_err().class, Class::Unsendable);
    assert_eq!(list("foo", aws()).await.unwrap_err().class, Class::Ambiguous);
    // Another endpoint than AWS's may have any account, unless one is named.
    let endpoint =
        Target::Endpoint { url: String::new(), region: "eu-west-1".to_owned(), registry: None };
    assert!(list(&foreign, Account::of(&endpoint, None)).await.is_ok());
    let named = Account::of(&endpoint, Some("123456789012"));
    assert_eq!(list(&foreign, named.clone()).await.unwrap_err().class, Class::Unsendable);
    assert!(list(ARN, named).await.is_ok());
}

#[tokio::test]
async fn a_registry_that_was_replaced_meanwhile_is_noticed() {
    let answer = format!(r#"{{"ArtifactArn":"{ARN}"}}"#);
    let ours = http(200, "x-lineload-registry: one\r\n", &answer);
    for (answer, taken) in [
        (ours.clone(), true),
        (ours.replace("one", "two"), false),
        // A proxy's answer does not say whose it is.
        (ours.replace("x-lineload-registry", "x-other"), true),
        (ours.replace("one", ""), true),
    ] {
        let server = Scripted::always(answer);
        let config = aws_sdk_sagemaker::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(&server.url)
            .http_client(client(Route::Direct, &Trust::Nobody, Some(Expected::Id("one".into()))));
        let client = aws_sdk_sagemaker::Client::from_conf(config.build());
        let service = SageMaker::new(client, Account::default(), false, None);
        let created = service.create(&super::artifact()).await;
        assert_eq!(created.is_ok(), taken, "{created:?}");
        let Err(refusal) = created else { continue };
        assert_eq!(refusal.class, Class::Unsendable);
        assert!(refusal.message.contains("another registry responds at this endpoint now"));
        assert!(!refusal.is_unsent(), "the other one may have created it");
    }
}
