//! Certificates that are trusted, and those that are not.

use aws_sdk_sagemaker::config::{BehaviorVersion, Credentials, Region};

use super::scripted::{Scripted, fixture_file, http};
use super::{ARN, artifact, refused};
use crate::service::Service as _;
use crate::service::sagemaker::http::{Route, Trust, client};
use crate::service::sagemaker::{Account, SageMaker};
use crate::submission::Class;

fn server(certificate: &str) -> Scripted {
    let answer = http(200, "", &format!(r#"{{"ArtifactArn":"{ARN}"}}"#));
    Scripted::start_tls(certificate, move |_, connection| {
        connection.write_all(answer.as_bytes()).is_ok()
    })
}

fn trusting(url: &str, trust: &Trust) -> SageMaker {
    let config = aws_sdk_sagemaker::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
        .endpoint_url(url)
        .http_client(client(Route::Direct, trust, None))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"));
    let client = aws_sdk_sagemaker::Client::from_conf(config.build());
    SageMaker::new(client, Account::default(), false, None)
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_its_bundle_is_named() {
    let server = server("localhost");
    let refusal = refused(&trusting(&server.url, &Trust::default())).await;
    assert_eq!(refusal.class, Class::Unsendable, "{refusal:?}");
    let said = "the target's certificate is not trusted: unknown issuer";
    assert_eq!(refusal.message, said);
    let help = refusal.help("sagemaker:CreateArtifact").concat();
    for name in ["AWS_CA_BUNDLE", "ca_bundle", "SSL_CERT_FILE"] {
        assert!(help.contains(name), "{help}");
    }

    let bundle = Trust::read(&fixture_file("authority.pem"), "AWS_CA_BUNDLE").unwrap();
    assert!(trusting(&server.url, &bundle).create(&artifact()).await.is_ok());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_trusted() {
    let bundle = Trust::read(&fixture_file("authority.pem"), "AWS_CA_BUNDLE").unwrap();
    let refusal = refused(&trusting(&server("other-name").url, &bundle)).await;
    assert_eq!(refusal.class, Class::Unsendable, "{refusal:?}");
    let said = "the target's certificate is not trusted: it was issued for another host name";
    assert_eq!(refusal.message, said);
}

#[test]
fn a_bundle_is_read_as_far_as_it_has_sense() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.pem");
    let read = |text: &[u8]| {
        std::fs::write(&file, text).unwrap();
        Trust::read(&file, "AWS_CA_BUNDLE").map_err(|error| error.to_string())
    };
    let good = std::fs::read(fixture_file("authority.pem")).unwrap();
    let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(read(&good).is_ok());
    assert!(read(&[b"# comment\xff\n".as_slice(), bad, &good].concat()).is_ok());
    let named = |error: String| {
        assert!(error.contains("bundle.pem`, set by AWS_CA_BUNDLE: "), "{error}");
    };
    named(read(b"").unwrap_err());
    named(read(bad).unwrap_err());
    named(read(b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").unwrap_err());
    std::fs::remove_file(&file).unwrap();
    named(Trust::read(&file, "AWS_CA_BUNDLE").unwrap_err().to_string());
    let error = Trust::read(folder.path(), "AWS_CA_BUNDLE").unwrap_err().to_string();
    assert!(error.contains("is a directory"), "{error}");
}
