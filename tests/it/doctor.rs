//! `lineload doctor` against registries that behave, and that do not.

use std::path::Path;

use serde_json::Value;

use crate::scripted::{Scripted, http};
use crate::support::{Ran, Served, at, folder, with_keys};

fn doctor(folder: &Path, served: &Served, more: &[&str]) -> (Ran, Value) {
    let args = [&["--format", "json"], more].concat();
    let ran = at(folder, served, "doctor", &args);
    let document = serde_json::from_str(&ran.out).unwrap_or_default();
    (ran, document)
}

fn check<'d>(document: &'d Value, name: &str) -> &'d Value {
    let checks = document["checks"].as_array().expect("a list");
    checks.iter().find(|check| check["name"] == name).unwrap_or(&Value::Null)
}

fn found<'d>(document: &'d Value, name: &str) -> &'d str {
    check(document, name)["found"].as_str().unwrap_or_default()
}

#[test]
fn reads_are_checked_without_a_change() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let (ran, document) = doctor(folder.path(), &served, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for name in ["ListArtifacts", "DescribeArtifact", "ListTags", "clock", "latency", "quota"] {
        assert_eq!(check(&document, name)["state"], "ok", "{name}: {document}");
    }
    assert!(found(&document, "quota").starts_with("0 artifacts, 0% of 6,000"), "{document}");
    let quota = &check(&document, "quota")["quota"];
    assert_eq!((&quota["artifacts"], &quota["all"]), (&0.into(), &true.into()), "{document}");
    assert_eq!(quota["default"], 6000, "{document}");
    // Nothing has been imported from here.
    assert_eq!(check(&document, "rate")["state"], "skipped", "{document}");
    assert!(check(&document, "latency")["seconds"].as_f64().expect("a time") > 0.0);
    assert_eq!(document["wrote"], false);
    assert_eq!(check(&document, "CreateArtifact"), &Value::Null);
    assert_eq!(served.calls("CreateArtifact"), 0);
    let ran = at(folder.path(), &served, "doctor", &[]);
    let said = "not tried: CreateArtifact, UpdateArtifact, AddTags, DeleteTags and DeleteArtifact";
    assert!(ran.out.contains(said), "{}", ran.out);
}

#[test]
fn writes_are_checked_on_artifacts_that_are_deleted_again() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &[]);
    let refused = at(folder.path(), &served, "doctor", &["--write"]);
    assert_eq!(refused.code, 2, "it asks first: {refused:?}");
    assert_eq!(served.calls("CreateArtifact"), 0);
    let (ran, document) = doctor(folder.path(), &served, &["--write", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let checks = document["checks"].as_array().expect("a list");
    let mut tried = checks.iter().filter(|check| check["name"] != "rate");
    assert!(tried.all(|check| check["state"] == "ok"), "{document}");
    assert_eq!(check(&document, "unique-sources")["code"], "ValidationException");
    assert!(found(&document, "unique-sources").starts_with("enforced: "), "{document}");
    assert!(found(&document, "unique-names").starts_with("enforced: "), "{document}");
    assert!(found(&document, "line-breaks").starts_with("refused, as lint does"), "{document}");
    assert_eq!(found(&document, "DeleteArtifact"), "allowed; 2 artifacts deleted");
    assert!(served.artifacts().is_empty());
}

#[test]
fn a_registry_that_behaves_otherwise_is_reported_as_it_is() {
    let folder = folder(&[]);
    let lagging = ["--unique-names", "off", "--unique-sources", "off", "--list-lag", "1500ms"];
    let served = Served::start(folder.path(), &lagging);
    let args = ["--write", "--yes", "--settle", "1s"];
    let (ran, document) = doctor(folder.path(), &served, &args);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lag = check(&document, "list-lag");
    assert_eq!(lag["state"], "warning", "longer than --settle: {document}");
    assert!(lag["seconds"].as_f64().is_some_and(|lag| lag >= 1.5), "{document}");
    let help = lag["help"][0].as_str().expect("a help");
    assert!(help.starts_with("import with `--settle "), "{help}");
    assert_eq!(check(&document, "tag-lag")["state"], "ok");
    assert!(found(&document, "unique-sources").starts_with("not enforced"), "{document}");
    assert!(found(&document, "unique-names").starts_with("not enforced"), "{document}");
    assert_eq!(found(&document, "DeleteArtifact"), "allowed; 4 artifacts deleted");
}

#[test]
fn a_quota_that_is_used_up_is_an_error_with_the_service_s_words() {
    let folder = folder(&[]);
    let served = Served::start(folder.path(), &["--max-artifacts", "0"]);
    let (ran, document) = doctor(folder.path(), &served, &["--write", "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let create = check(&document, "CreateArtifact");
    assert_eq!(
        (&create["state"], &create["code"]),
        (&"error".into(), &"ResourceLimitExceeded".into())
    );
    assert!(create["help"][0].as_str().expect("a help").contains("service-quotas"), "{create}");
}

#[test]
fn what_the_caller_may_not_read_is_named_with_the_action_to_allow() {
    let folder = folder(&[]);
    let server = Scripted::start(|_, connection| {
        let body = r#"{"__type":"AccessDeniedException","Message":"no\u001b[31m"}"#;
        connection.write_all(http(400, "", body).as_bytes()).is_ok()
    });
    let args = ["doctor", "--region", "eu-west-1", "--endpoint-url", &server.url];
    let ran = with_keys(folder.path(), &args);
    assert_eq!(ran.code, 1, "{ran:?}");
    for action in ["ListArtifacts", "DescribeArtifact", "ListTags"] {
        let help = format!("help: allow the caller sagemaker:{action} in an IAM policy");
        assert!(ran.out.contains(&help), "{}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "{}", ran.out);
}

#[test]
fn a_target_that_does_not_answer_ends_it_in_time() {
    let folder = folder(&[]);
    let args = ["doctor", "--endpoint-url", "http://127.0.0.1:9", "--limit-patience", "1s"];
    let ran = with_keys(folder.path(), &args);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("stopped: ") && ran.err.contains("--endpoint-url"), "{}", ran.err);
}

#[test]
fn only_its_own_artifacts_are_deleted() {
    let folder = folder(&[]);
    // Every create fails without a verdict, and a listing shows what others have.
    let server = Scripted::start(|request, connection| {
        let other = "arn:aws:sagemaker:eu-west-1:123456789012:artifact/0123456789abcdef";
        let source = r#""Source":{"SourceUri":"s3://others/1"},"ArtifactName":"theirs""#;
        let listed = format!(r#"{{"ArtifactSummaries":[{{"ArtifactArn":"{other}",{source}}}]}}"#);
        let answer = match request.operation() {
            "CreateArtifact" => http(500, "", "{}"),
            "ListArtifacts" => http(200, "", &listed),
            _ => http(200, "", "{}"),
        };
        connection.write_all(answer.as_bytes()).is_ok()
    });
    let args = ["doctor", "--region", "eu-west-1", "--endpoint-url", &server.url];
    let ran = with_keys(folder.path(), &[&args[..], &["--write", "--yes"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    let requests = server.requests();
    assert!(requests.iter().any(|request| request.operation() == "CreateArtifact"));
    assert!(requests.iter().all(|request| request.operation() != "DeleteArtifact"), "{ran:?}");
    let left = "an artifact may be left over at s3://lineload-doctor/";
    assert!(ran.out.contains(left) && ran.out.contains("to look it up later"), "{}", ran.out);
}
