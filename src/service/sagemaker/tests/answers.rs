//! Tests of the SDK's view of responses, row by row, and their classification.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_sagemaker::config::{BehaviorVersion, Credentials, Region};

use super::scripted::{Connection, Scripted, http, nobody};
use super::{ARN, SageMaker, at, local, refused};
use crate::service::sagemaker::Account;
use crate::service::{Filter, Service as _};
use crate::submission::Class::{self, *};

/// An answer, what it means, its code, and what is said of it.
type Row = (String, Class, Option<&'static str>, &'static str);

fn rows() -> Vec<Row> {
    let html = |status| http(status, "Content-Type: text/html\r\n", "<html>blocked</html>");
    let portal = "the response is not from SageMaker: HTTP";
    let coded = |status, code: &'static str, class: Class| {
        (failure(status, code, "no"), class, Some(code), "no")
    };
    let mut rows = vec![
        coded(400, "ResourceLimitExceeded", Limit),
        coded(400, "ValidationException", Rejected),
        coded(400, "ConflictException", Rejected),
        coded(403, "AccessDeniedException", Denied),
        coded(400, "AccessDeniedException", Denied),
        coded(400, "UnrecognizedClientException", Denied),
        coded(403, "SignatureDoesNotMatch", Denied),
        coded(403, "InvalidSignatureException", Denied),
        coded(400, "ExpiredTokenException", Expired),
        coded(403, "ExpiredToken", Expired),
        coded(500, "InternalFailure", Ambiguous),
        coded(503, "AccessDeniedException", Ambiguous),
        (http(429, "", ""), Throttled, None, "HTTP 429 with an empty response"),
        (http(500, "", ""), Ambiguous, None, "HTTP 500 with an empty response"),
        (html(502), Ambiguous, None, "HTTP 502 with an unreadable response"),
        (html(503), Ambiguous, None, "HTTP 503 with an unreadable response"),
        (http(504, "", ""), Ambiguous, None, "HTTP 504 with an empty response"),
        // No verdict: there is no code.
        (http(400, "", r#"{"message": null}"#), Ambiguous, None, "HTTP 400 without an error code"),
        (http(400, "", r#"{"message":"x"}"#), Ambiguous, None, "HTTP 400 without an error code: x"),
        (http(400, "", ""), Ambiguous, None, "HTTP 400 with an empty response"),
        (http(400, "", "no JSON"), Ambiguous, None, "HTTP 400 without an error code"),
        (failure(400, "a\\u001b[31m", "x"), Ambiguous, None, "HTTP 400 without an error code: x"),
        // Something else answers in the service's place.
        (
            html(400),
            Ambiguous,
            None,
            "the response is not from SageMaker: HTTP 400 with an HTML \
                                      page",
        ),
        (html(403), Ambiguous, None, portal),
        (html(404), Ambiguous, None, portal),
        (html(302), Ambiguous, None, portal),
        (html(200), Ambiguous, None, portal),
        (http(403, "", " <!doctype html>"), Ambiguous, None, portal),
        (html(407), Unsendable, None, "the proxy requires authentication"),
        // 2xx that is no answer to a create.
        (http(200, "", "{"), Ambiguous, None, "HTTP 200 with an unreadable response"),
        (
            http(200, "", ""),
            Ambiguous,
            None,
            "expected the ARN of an artifact in the response, found ``",
        ),
        (
            http(200, "", "{}"),
            Ambiguous,
            None,
            "expected the ARN of an artifact in the response, found ``",
        ),
        (http(200, "", r#"{"ArtifactArn":7}"#), Ambiguous, None, "HTTP 200"),
        (
            http(200, "", r#"{"ArtifactArn":"foo\u001b[31m"}"#),
            Ambiguous,
            None,
            "expected the ARN of an artifact in the response, found `foo",
        ),
        (
            http(200, "", r#"{"ArtifactArn":"arn:aws:s3:::bucket"}"#),
            Ambiguous,
            None,
            "expected the ARN of an artifact in the response, found `arn:aws:s3:::bucket`",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n{".to_owned(),
            Ambiguous,
            None,
            "HTTP 200: the response is larger than 8 MiB",
        ),
    ];
    for code in [
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "BandwidthLimitExceeded",
        "TransactionInProgressException",
        "SlowDown",
    ] {
        rows.push(coded(400, code, Throttled));
        rows.push(coded(429, code, Throttled));
        rows.push(coded(503, code, Throttled));
    }
    rows
}

#[tokio::test]
async fn every_answer_has_a_meaning() {
    for (answer, class, code, message) in rows() {
        let server = Scripted::always(answer.clone());
        let refusal = refused(&at(&server.url)).await;
        assert_eq!(refusal.class, class, "{answer}\n{refusal:?}");
        assert_eq!(refusal.code.as_deref(), code, "{answer}");
        assert!(refusal.message.starts_with(message), "{answer}\n{refusal:?}");
        // No attempt is made that the run does not know of.
        assert_eq!(server.requests().len(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_success_has_an_arn_and_a_request_id() {
    let answer = http(200, "x-amzn-RequestId: 1-2\r\n", &format!(r#"{{"ArtifactArn":"{ARN}"}}"#));
    let server = Scripted::always(answer);
    let created = at(&server.url).create(&super::artifact()).await.unwrap();
    assert_eq!((created.arn.as_str(), created.request_id.as_deref()), (ARN, Some("1-2")));
    let request = &server.requests()[0];
    assert_eq!((request.operation(), request.signed()), ("CreateArtifact", ("local", "local")));
    assert!(request.header("user-agent").unwrap().contains("lineload"));
    assert!(request.body.contains(r#""SourceUri":"s3://bucket/1""#), "{}", request.body);
}

#[tokio::test]
async fn where_code_and_request_id_stand() {
    let head = "x-amzn-ErrorType: ThrottlingException:http://x/\r\nx-amzn-RequestId: r-1\r\n";
    let server = Scripted::always(http(400, head, r#"{"__type":"com.x#ValidationException"}"#));
    let refusal = refused(&at(&server.url)).await;
    assert_eq!((refusal.class, refusal.code.as_deref()), (Throttled, Some("ThrottlingException")));
    assert_eq!(refusal.request_id.as_deref(), Some("r-1"));
    assert_eq!(refusal.message, "HTTP 400");
    let server =
        Scripted::always(http(400, "", r#"{"__type":"com.x#ValidationException","Message":"m"}"#));
    let refusal = refused(&at(&server.url)).await;
    assert_eq!(refusal.code.as_deref(), Some("ValidationException"));
    assert_eq!(refusal.message, "m");
}

#[tokio::test]
async fn unsent_requests_are_distinguished_from_those_that_may_have_left() {
    let refusal = refused(&at(&nobody())).await;
    assert_eq!((refusal.class, refusal.message.as_str()), (NotSent, "connection refused"));
    // No resolver takes an empty label.
    let refusal = refused(&at("http://no..name:1")).await;
    assert_eq!(refusal.class, NotSent, "{refusal:?}");

    let closing = Scripted::start(|_, _| false);
    assert_eq!(refused(&at(&closing.url)).await.class, NoResponse);
    let cut = Scripted::start(|_, connection| {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Art");
        false
    });
    assert_eq!(refused(&at(&cut.url)).await.class, Ambiguous);
    let hanging = Scripted::start(|_, connection| hang(connection));
    let refusal = refused(&local(&hanging.url, Duration::from_millis(300))).await;
    assert_eq!((refusal.class, refusal.message.as_str()), (NoResponse, "the request timed out"));
}

#[tokio::test]
async fn what_fails_before_http_can_never_have_left() {
    let server = Scripted::always(http(200, "", "{}"));
    let config = |fips, keys| {
        let mut config = aws_sdk_sagemaker::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
            .endpoint_url(&server.url)
            .http_client(super::super::http::client(
                super::super::http::Route::Direct,
                &super::super::http::Trust::default(),
                None,
            ))
            .use_fips(fips);
        if keys {
            config = config.credentials_provider(Credentials::new("a", "b", None, None, "test"));
        }
        let client = aws_sdk_sagemaker::Client::from_conf(config.build());
        SageMaker::new(client, Account::default(), false, None)
    };
    let refusal = refused(&config(true, true)).await;
    assert_eq!(refusal.class, Unsendable, "{refusal:?}");
    assert!(refusal.message.contains("fips and custom endpoint are not supported"), "{refusal:?}");
    assert!(refusal.help("").concat().contains("AWS_USE_FIPS_ENDPOINT"));
    // Nobody can sign without credentials.
    assert_eq!(refused(&config(false, false)).await.class, Unsendable);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn expired_keys_of_the_environment_are_expired_for_good() {
    let server = Scripted::always(failure(400, "ExpiredTokenException", "no"));
    let service = at(&server.url);
    assert_eq!(refused(&service).await.class, Expired);
    let service = SageMaker { from_environment: true, ..service };
    assert_eq!(refused(&service).await.class, ExpiredForGood);
}

#[tokio::test]
async fn an_answer_without_an_end_is_read_no_further_than_it_may() {
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let endless = Scripted::start(move |_, connection| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut written = connection.write_all(head);
        // 1 GiB would be far more than it should read.
        while written.is_ok() && count.load(Ordering::Relaxed) < 1 << 30 {
            written = connection.write_all(chunk.as_bytes());
            count.fetch_add(0x10000, Ordering::Relaxed);
        }
        false
    });
    let service = at(&endless.url);
    let refusal = refused(&service).await;
    assert_eq!(refusal.class, Ambiguous);
    assert_eq!(refusal.message, "HTTP 200: the response is larger than 8 MiB");
    let list = service.list(&Filter::default(), None).await.unwrap_err();
    assert_eq!(list.class, Ambiguous);
    assert!(sent.load(Ordering::Relaxed) < 128 << 20, "{} bytes", sent.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_message_of_megabytes_is_cut() {
    let text = "é".repeat(2_500_000);
    for status in [400, 500] {
        let server = Scripted::always(failure(status, "ValidationException", &text));
        let refusal = refused(&at(&server.url)).await;
        assert!(refusal.message.len() <= 2048, "{}", refusal.message.len());
        assert!(refusal.message.starts_with("ééé"));
    }
    let code = "x".repeat(100_000);
    let server = Scripted::always(failure(400, &code, "m"));
    let refusal = refused(&at(&server.url)).await;
    assert_eq!((refusal.class, refusal.code), (Ambiguous, None));
}

#[tokio::test]
async fn a_clock_that_is_off_is_reported_as_that() {
    let said = "Signature expired: 20261127T100000Z is now earlier than 20261127T114500Z \
                (20261127T115000Z - 5 min.)";
    let old = http(
        403,
        "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
        &format!(r#"{{"__type":"InvalidSignatureException","message":"{said}"}}"#),
    );
    let server = Scripted::always(old);
    let service = at(&server.url);
    for _ in 0..2 {
        let refusal = refused(&service).await;
        assert_eq!(refusal.class, ClockOff);
        assert!(refusal.message.starts_with("this machine's clock is "), "{refusal:?}");
        assert!(refusal.message.ends_with(" ahead of the service's"), "{refusal:?}");
        assert!(refusal.help("sagemaker:CreateArtifact")[0].contains("timedatectl"));
    }
    // The clock of the second request is still this machine's, whatever the first answer said.
    let requests = server.requests();
    let day = |at: usize| requests[at].header("x-amz-date").unwrap()[..8].to_owned();
    assert_ne!(day(1), "20260101");

    let server = Scripted::always(failure(400, "InvalidSignatureException", said));
    let refusal = refused(&at(&server.url)).await;
    assert_eq!(refusal.message, "this machine's clock is 1h 50m behind the service's");
    for code in ["RequestTimeTooSkewed", "RequestExpired"] {
        let server = Scripted::always(failure(403, code, "no"));
        assert_eq!(refused(&at(&server.url)).await.class, ClockOff);
    }
}

/// Waits until the other side has closed, reading what it sends.
fn hang(connection: &mut dyn Connection) -> bool {
    let mut buffer = [0; 1024];
    while connection.read(&mut buffer).is_ok_and(|read| read > 0) {}
    false
}

/// Returns an answer on the wire that says what went wrong.
fn failure(status: u16, code: &str, message: &str) -> String {
    http(status, "", &format!(r#"{{"__type":"{code}","message":"{message}"}}"#))
}
